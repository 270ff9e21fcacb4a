/* What is typed is kept; a lost line sends it once. Each kept form carries data-kept="NAME" and a hidden idempotency key.
   Text is kept in localStorage under the form's name until the server took it, chosen files beside it (files.js); a form sent
   without a line waits in IndexedDB with its photos, and one that was refused stays there until somebody corrects or discards it. */
import { keepFiles, keptFiles, listOf } from './files.js'
import './lengths.js'
import { post } from './secret.js'
import { shelf } from './shelf.js'
import { words } from './words.js'

const queue = shelf('fengsui', 'waiting', 'key')

/* ------------------------------------------------------------ typed text */
const base = document.documentElement.dataset.base ?? ''
const place = form => `fs:form:${base}${form.dataset.kept}`
const kind = box => !['hidden', 'file', 'password', 'submit', 'button'].includes(box.type) || box.dataset.keep !== undefined
const controls = form => [...form.elements].filter(box => box.name && kind(box) && box.dataset.unkept === undefined)

/* A form's record: `values` typed and when, `files` the names of those chosen; `sent` what left with the last submit, until
   the server says that it took it. */
const read = at => JSON.parse(localStorage.getItem(at) ?? 'null')
const clock = () => new Date().toTimeString().slice(0, 5)

function write(at, record) {
  if (record.sent || record.files?.length || Object.keys(record.values).length) localStorage.setItem(at, JSON.stringify(record))
  else localStorage.removeItem(at)
}

function typed(form) {
  const values = {}
  for (const box of controls(form)) {
    if (box.type === 'checkbox' || box.type === 'radio') { if (box.checked) values[box.name] = box.value } else if (box.value) values[box.name] = box.value
  }
  for (const { combo, hidden, box } of pickers(form)) {
    if (hidden.value) values[`pick:${hidden.name}`] = { ids: hidden.value, shown: box.value, chips: [...combo.querySelectorAll('[data-unpick]')].map(off => [off.dataset.unpick, off.previousSibling?.textContent ?? '']) }
  }
  return values
}

/* What is chosen by name: the id in a hidden box, the name shown beside it or on chips. */
const pickers = form => [...form.querySelectorAll('.fs-combo')].map(combo => ({ combo, hidden: combo.querySelector('input[type="hidden"]'), box: combo.querySelector('[data-pick]') })).filter(one => one.hidden?.name && one.box)

function keep(form) {
  const { files, sent } = read(place(form)) ?? {}
  write(place(form), { at: clock(), values: typed(form), ...(files && { files }), ...(sent && { sent }) })
}

/* Files lie beside the text; their names stand in the record, so that one which could not be kept is named later. */
const chosen = form => [...form.elements].filter(box => box.type === 'file' && box.name && box.dataset.unkept === undefined).flatMap(box => [...box.files].map(file => [box.name, file]))

export async function keepChosen(form) {
  const named = chosen(form), { sent } = read(place(form)) ?? {}
  write(place(form), { at: clock(), values: typed(form), files: named.map(([, file]) => file.name), ...(sent && { sent }) })
  if (!await keepFiles(place(form), named) && named.length) note(form, words.nofiles, 'files')
}

/** The files kept for a form, as pairs [box's name, File]; those that could not be kept are named to whoever chose them. */
export async function filesOf(form) {
  const names = read(place(form))?.files ?? []
  if (!names.length) return []
  const named = await keptFiles(place(form)), lost = names.filter(name => !named.some(([, file]) => file.name === name))
  if (lost.length) note(form, words.lostfiles(lost.join(words.comma)), 'files')
  return named
}

async function bringFiles(form) {
  const named = await filesOf(form)
  for (const box of [...form.elements].filter(one => one.type === 'file' && one.name && !one.files.length)) {
    const own = named.filter(([name]) => name === box.name).map(([, file]) => file)
    if (!own.length) continue
    box.files = listOf(own)
    box.dispatchEvent(new Event('change', { bubbles: true }))
  }
}

function note(form, text, kind, button, act) {
  form.querySelector(`[data-note="${kind}"]`)?.remove()
  const bar = document.createElement('div')
  bar.className = 'fs-notice'; bar.dataset.note = kind; bar.setAttribute('role', 'status')
  const said = document.createElement('span'); said.textContent = text; bar.append(said)
  if (button) {
    const press = document.createElement('button')
    press.type = 'button'; press.className = 'fs-btn fs-btn--small fs-end'; press.textContent = button
    press.addEventListener('click', () => { act(); bar.remove() }); bar.append(press)
  }
  form.prepend(bar)
}

/* Hidden boxes know no default of their own: what they and the chips held as the page came. */
const blank = new Map()

function remember(form) {
  const hidden = controls(form).filter(box => box.type === 'hidden').map(box => [box, box.value])
  const picked = pickers(form).map(({ combo, hidden: box }) => { const chips = combo.querySelector('[data-chips]'); return [box, box.value, chips, [...chips?.childNodes ?? []]] })
  blank.set(form, [...hidden, ...picked])
}

/** Empties the form as it came, and forgets what was kept for it. */
export function discard(form) {
  form.reset()
  for (const [box, value, chips, first] of blank.get(form) ?? []) { box.value = value; chips?.replaceChildren(...first) }
  form.querySelectorAll('input[type="file"]').forEach(box => box.dispatchEvent(new Event('change', { bubbles: true })))
  forget(form) // last: the boxes' change kept the empty form
}

function bringBack(form) {
  const kept = read(place(form))
  if (!kept) return
  if (form.dataset.publicReport === undefined) bringFiles(form)
  if (form.dataset.filled !== undefined) { unsend(form); return } // the server's own answer, its text and its key in the form
  const { at, values, files, sent, why } = kept, key = form.elements.key, fresh = key?.value
  /* The same key goes with the same text: should the server have taken it without our hearing of it, nothing is done twice. */
  if (sent?.key && key) key.value = sent.key
  let changed = false
  for (const box of controls(form)) {
    const value = values[box.name]
    if (value === undefined) continue
    if (box.type === 'checkbox' || box.type === 'radio') { if (box.value === value && !box.checked) { box.checked = true; changed = true } } else if (!box.value || box.value !== value) {
      box.value = value; changed = true
      if (box.value !== value) box.dataset.wanted = value // a list whose choices come later
    }
  }
  for (const { combo, hidden, box } of pickers(form)) {
    const value = values[`pick:${hidden.name}`]
    if (!value || hidden.value === value.ids) continue
    hidden.value = value.ids
    changed = true
    if ('many' in combo.dataset) combo.querySelector('[data-chips]').replaceChildren(...value.chips.map(([id, name]) => chip(combo, id, name)))
    else box.value = value.shown
  }
  const said = why !== undefined ? words.sentback(at, why) : sent ? words.unsure(at) : words.kept(at)
  if (changed || files?.length) note(form, said, 'kept', words.discard, () => { discard(form); if (key) key.value = fresh })
}

/* -------------------------------------------------------------- no line */
/* Several people may sit at one browser's split screen: each page shows and sends only what was typed under its own address. */
async function mine() {
  const seats = '/as/', all = await queue('readonly', store => store.getAll())
  return all.filter(item => { const { pathname } = new URL(item.url, location.href); return base ? pathname.startsWith(`${base}/`) : !pathname.startsWith(seats) })
}

async function badge() {
  const all = (await mine().catch(() => [])).filter(item => !item.refused).length
  document.querySelectorAll('[data-pending]').forEach(node => { node.hidden = !all; node.textContent = words.pending(all) })
}

/* What was sent is kept until the server says that it took it: a cookie with the token that went along (kept.py). Any other
   answer, a sign-in page, a refusal, a proxy's error or none, leaves the text for its form, whichever page comes first. */
const TOKEN = 'fs-sent', TAKEN = 'fs-kept-'

function token() { return [...crypto.getRandomValues(new Uint8Array(16))].map(byte => byte.toString(16).padStart(2, '0')).join('') }

function taken(one) {
  const name = TAKEN + one
  if (!document.cookie.split('; ').some(cookie => cookie.startsWith(`${name}=`))) return false
  document.cookie = `${name}=; path=/; max-age=0`
  return true
}

export function send(form) {
  let box = form.querySelector(`input[name="${TOKEN}"]`)
  if (!box) { box = document.createElement('input'); box.type = 'hidden'; box.name = TOKEN; form.append(box) }
  box.value = token()
  const values = typed(form), { files } = read(place(form)) ?? {}
  write(place(form), { at: clock(), values, ...(files && { files }), sent: { token: box.value, key: form.elements.key?.value, values, files } })
}

/* A refusal that we saw: the text stays, and what is sent next is a call of its own. */
export function unsend(form) {
  const kept = read(place(form))
  if (kept) write(place(form), { at: kept.at, values: kept.values, files: kept.files })
}

/* Whether the key of an earlier try stands in the form. */
export const again = form => Boolean(read(place(form))?.sent)

function arrive() {
  for (const at of Object.keys(localStorage).filter(name => name.startsWith('fs:form:'))) {
    const kept = read(at)
    if (!kept?.sent || !taken(kept.sent.token)) continue
    const since = what => JSON.stringify(kept[what]) !== JSON.stringify(kept.sent[what]) // typed or chosen since, in another tab
    const files = since('files') ? kept.files : []
    write(at, { at: kept.at, values: since('values') ? kept.values : {}, files })
    if (!files?.length && kept.files?.length) keepFiles(at, [])
  }
}

export function forget(form) { localStorage.removeItem(place(form)); keepFiles(place(form), []) }

export async function put(form) {
  const fields = []
  for (const [name, value] of new FormData(form)) fields.push([name, value])
  const kept = { at: clock(), values: typed(form) }
  const item = { key: form.elements.key.value, url: form.action, fields, shows: form.dataset.shows !== undefined, token: token(), place: place(form), kept }
  try { await queue('readwrite', store => store.put(item)) } catch { note(form, words.noroom, 'waits'); return false }
  forget(form)
  form.querySelector('[data-note="kept"]')?.remove() // its Discard would empty the form and not what waits to be sent
  note(form, words.offline, 'waits')
  badge()
  return true
}

async function sendOne(item) {
  const body = new FormData()
  for (const [name, value] of item.fields) body.append(name, value)
  const mark = item.token ?? token() // put there before tokens were
  body.set(TOKEN, mark)
  const answer = await post(item.url, body)
  if (taken(mark)) {
    await queue('readwrite', store => store.delete(item.key))
    if (item.shows && answer.redirected) location.assign(answer.url)
    return
  }
  const later = answer.status < 400 || answer.status >= 500 || answer.status === 429 || answer.headers.has('X-Csrf-Refused')
  if (later) throw new Error(String(answer.status)) // below 400: a sign-in page
  const page = new DOMParser().parseFromString(await answer.text(), 'text/html')
  const why = [...page.querySelectorAll('.fs-summary li')].map(line => line.textContent.trim()).join(' ')
  const refused = { ...item, refused: answer.status, why }
  await queue('readwrite', store => store.put(refused))
  sayRefused(refused)
}

/* What was refused stays, text and photos, until its form is opened and takes it up, or somebody discards it. */
function sayRefused(item) {
  const bar = document.createElement('div'), said = document.createElement('span'), link = document.createElement('a'), press = document.createElement('button')
  bar.className = 'fs-notice fs-notice--ink'; bar.setAttribute('role', 'alert'); bar.dataset.refused = item.key
  link.href = item.url; link.textContent = Object.values(item.kept?.values ?? {}).filter(value => typeof value === 'string').sort((one, other) => other.length - one.length)[0]?.slice(0, 60) ?? item.url
  said.append(words.refused, link, item.why ? ` ${item.why}` : '')
  press.type = 'button'; press.className = 'fs-btn fs-btn--small fs-end'; press.textContent = words.discard
  press.addEventListener('click', async () => { await queue('readwrite', store => store.delete(item.key)); bar.remove() })
  bar.append(said, press)
  document.querySelector(`[data-refused="${CSS.escape(item.key)}"]`)?.remove()
  document.getElementById('main')?.prepend(bar)
}

/* The form of a refused one takes it up, unless something newer stands in it. */
async function takeUp() {
  for (const item of (await mine().catch(() => [])).filter(one => one.refused)) {
    const form = [...document.querySelectorAll('form[data-kept]')].find(one => place(one) === item.place)
    if (!form || form.dataset.filled !== undefined || read(item.place)) { sayRefused(item); continue }
    const named = item.fields.filter(([, value]) => value instanceof File && value.name), files = named.map(([, file]) => file.name)
    if (!await keepFiles(item.place, named)) { sayRefused(item); continue } // no room twice: it stays where it is
    write(item.place, { at: item.kept.at, values: item.kept.values, files, why: item.why ?? '' })
    await queue('readwrite', store => store.delete(item.key))
    bringBack(form)
    form.dispatchEvent(new CustomEvent('fs:brought'))
  }
}

let sending = false

async function sendAll() {
  if (sending || !navigator.onLine) return
  sending = true
  try { for (const item of (await mine()).filter(one => !one.refused)) await sendOne(item) } catch { /* the line is still down: tried again at the next sign of life */ }
  sending = false
  badge()
}

/* ------------------------------------------------------------- handlers */
for (const happened of ['input', 'change']) {
  document.addEventListener(happened, event => {
    const { form, type } = event.target
    if (!form?.dataset.kept) return
    if (type !== 'file') keep(form); else if (happened === 'change') keepChosen(form)
  })
}

document.addEventListener('submit', event => {
  const form = event.target
  if (form.dataset.sent !== undefined) { event.preventDefault(); return }
  if (form.dataset.kept && !navigator.onLine && form.elements.key) { event.preventDefault(); put(form); return }
  if (form.method === 'post') {
    form.dataset.sent = ''
    if (form.dataset.kept) send(form)
    setTimeout(() => { delete form.dataset.sent }, 4000)
  }
})

document.addEventListener('change', event => {
  if (!event.target.matches('[data-photos] input[type="file"]')) return
  const host = event.target.closest('[data-photos]')
  host.querySelectorAll('.fs-photo').forEach(old => old.remove())
  for (const [index, file] of [...event.target.files].entries()) {
    const frame = document.createElement('div'), press = document.createElement('button')
    frame.className = 'fs-photo'
    if (file.type.startsWith('image/')) { const image = document.createElement('img'); image.alt = file.name; image.src = URL.createObjectURL(file); frame.append(image) } else frame.append(file.name)
    press.type = 'button'; press.textContent = '×'; press.setAttribute('aria-label', words.remove)
    press.addEventListener('click', () => {
      const rest = new DataTransfer()
      ;[...event.target.files].forEach((other, i) => { if (i !== index) rest.items.add(other) })
      event.target.files = rest.files
      event.target.dispatchEvent(new Event('change', { bubbles: true }))
    })
    frame.append(press)
    host.prepend(frame)
  }
})

/* ---------------------------------------------------- pickers (combobox) */
let turn = 0

async function suggest(box) {
  const mine = ++turn, list = box.parentElement.querySelector('.fs-combo-list')
  const answer = await fetch(`${box.dataset.pick}${box.dataset.pick.includes('?') ? '&' : '?'}q=${encodeURIComponent(box.value.trim())}`, { headers: { accept: 'application/json' } }).catch(() => null)
  if (mine !== turn || !answer?.ok) return
  const { found } = await answer.json()
  list.replaceChildren(...found.map(hit => {
    const press = document.createElement('button'), name = document.createElement('span'), more = document.createElement('small')
    press.type = 'button'; press.setAttribute('role', 'option'); press.dataset.value = hit.id; press.dataset.name = hit.name
    name.textContent = hit.name; more.textContent = hit.more ?? ''
    press.append(name, more)
    return press
  }))
  list.hidden = !found.length
  box.setAttribute('aria-expanded', String(!list.hidden))
}

function chip(combo, id, name) {
  const said = document.createElement('span'), off = document.createElement('button')
  said.className = 'fs-chip'; said.textContent = name
  off.type = 'button'; off.textContent = '×'; off.dataset.unpick = id
  off.setAttribute('aria-label', `${combo.dataset.remove} ${name}`)
  said.append(off)
  return said
}

function pick(press) {
  const combo = press.closest('.fs-combo'), box = combo.querySelector('[data-pick]'), hidden = combo.querySelector('input[type="hidden"]')
  if ('many' in combo.dataset) {
    const ids = hidden.value.split(',').filter(Boolean)
    if (!ids.includes(press.dataset.value)) {
      hidden.value = [...ids, press.dataset.value].join(',')
      combo.querySelector('[data-chips]').append(chip(combo, press.dataset.value, press.dataset.name))
    }
    box.value = ''
    box.focus()
  } else {
    hidden.value = press.dataset.value
    box.value = press.dataset.name
  }
  press.closest('.fs-combo-list').hidden = true
  box.setAttribute('aria-expanded', 'false')
  hidden.dispatchEvent(new Event('change', { bubbles: true }))
}

function unpick(off) {
  const combo = off.closest('.fs-combo'), hidden = combo.querySelector('input[type="hidden"]')
  hidden.value = hidden.value.split(',').filter(id => id && id !== off.dataset.unpick).join(',')
  off.parentElement.remove()
  if (hidden.form?.dataset.kept) keep(hidden.form)
  combo.querySelector('[data-pick]').focus()
}

document.addEventListener('input', event => {
  if (!event.target.matches('[data-pick]')) return
  if (!('many' in event.target.parentElement.dataset)) event.target.parentElement.querySelector('input[type="hidden"]').value = ''
  clearTimeout(event.target.pause)
  event.target.pause = setTimeout(() => suggest(event.target), 150)
})
document.addEventListener('focusin', event => { if (event.target.matches('[data-pick]') && !event.target.value) suggest(event.target) })
document.addEventListener('click', event => {
  const press = event.target.closest('.fs-combo-list button')
  if (press) pick(press)
  const off = event.target.closest('[data-unpick]')
  if (off) unpick(off)
  document.querySelectorAll('.fs-combo-list:not([hidden])').forEach(list => { if (!list.parentElement.contains(event.target)) list.hidden = true })
})
document.addEventListener('keydown', event => {
  if (!event.target.matches('[data-pick]')) return
  const list = event.target.parentElement.querySelector('.fs-combo-list'), all = [...list.querySelectorAll('button')]
  if (!all.length || list.hidden) return
  const at = all.findIndex(press => press.getAttribute('aria-selected') === 'true')
  if (event.key === 'ArrowDown' || event.key === 'ArrowUp') {
    event.preventDefault()
    const next = all[Math.min(all.length - 1, Math.max(0, at + (event.key === 'ArrowDown' ? 1 : -1)))]
    all.forEach(press => press.setAttribute('aria-selected', String(press === next)))
    next.scrollIntoView({ block: 'nearest' })
  } else if (event.key === 'Enter') { event.preventDefault(); pick(all[Math.max(0, at)]) } else if (event.key === 'Escape') { list.hidden = true }
})

/* -------------------------------------------------------------- position */
document.addEventListener('click', event => {
  const press = event.target.closest('[data-locate]')
  if (!press) return
  const said = press.parentElement.querySelector('[data-located]')
  if (!navigator.geolocation) { if (said) said.textContent = words.noplace; return }
  navigator.geolocation.getCurrentPosition(found => {
    press.form.elements.lon.value = found.coords.longitude.toFixed(6)
    press.form.elements.lat.value = found.coords.latitude.toFixed(6)
    press.form.elements.lat.dispatchEvent(new Event('change', { bubbles: true }))
    if (said) said.textContent = `${words.near} (± ${Math.round(found.coords.accuracy)} m)`
  }, () => { if (said) said.textContent = words.noplace }, { enableHighAccuracy: true, timeout: 15000 })
})

arrive()
document.querySelectorAll('form[data-kept]').forEach(form => { remember(form); bringBack(form) })
addEventListener('online', sendAll)
takeUp().then(badge).then(sendAll)

/* The public report: photos taken and chosen are gathered in one list, mistakes are told before anything is sent (photos
   stay), a form that cannot be sent waits on the device and shows its receipt once it was. */
import { again, discard, filesOf, forget, keepChosen, put, send, unsend } from '../cockpit/forms.js'
import { listOf } from '../cockpit/files.js'
import { post } from '../cockpit/secret.js'
import { words } from '../cockpit/words.js'

const form = document.querySelector('[data-public-report]')
const chinese = document.documentElement.lang.startsWith('zh')
const say = chinese
  ? { correct: '请更正：', big: (name, most) => `“${name}”太大，每张照片不超过 ${most} MB。`, many: most => `最多 ${most} 张照片。`, remove: '移除照片', later: '暂时无法提交，内容已存本机，请稍后再试。' }
  : { correct: 'Please correct:', big: (name, most) => `“${name}” is too large: at most ${most} MB each.`, many: most => `At most ${most} photos.`, remove: 'Remove the photo', later: 'Cannot be sent just now. It is kept on this device; please try again later.' }

/* The form's own key is drawn here anew for each report: a page out of the cache or gone back to must not carry an old one. */
function freshKey() {
  const bytes = crypto.getRandomValues(new Uint8Array(16))
  bytes[6] = (bytes[6] & 15) | 64; bytes[8] = (bytes[8] & 63) | 128
  const hex = [...bytes].map(byte => byte.toString(16).padStart(2, '0')).join('')
  form.elements.key.value = hex.replace(/^(.{8})(.{4})(.{4})(.{4})(.{12})$/, '$1-$2-$3-$4-$5')
}

if (!document.querySelector('.fs-summary') && !again(form)) freshKey() // a report that got no answer goes again under its own
addEventListener('pageshow', event => { if (event.persisted) location.reload() })

/* ---------------------------------------------------------------- photos */
const snaps = form.querySelector('[data-snaps]')
const most = Number(snaps.dataset.most), mostBytes = Number(snaps.dataset.mostBytes)
const gathered = document.createElement('input')
gathered.type = 'file'; gathered.name = 'photos'; gathered.multiple = true; gathered.hidden = true
snaps.append(gathered)
snaps.querySelectorAll('label input').forEach(one => one.removeAttribute('name'))
let photos = []

function showPhotos() {
  gathered.files = listOf(photos)
  snaps.querySelectorAll('.fs-photo').forEach(old => { URL.revokeObjectURL(old.querySelector('img')?.src); old.remove() })
  for (const file of [...photos].reverse()) {
    const frame = document.createElement('div'), image = document.createElement('img'), press = document.createElement('button')
    frame.className = 'fs-photo'; image.alt = file.name; image.src = URL.createObjectURL(file)
    press.type = 'button'; press.textContent = '×'; press.setAttribute('aria-label', say.remove)
    press.addEventListener('click', () => { photos = photos.filter(other => other !== file); showPhotos(); keepChosen(form) })
    frame.append(image, press)
    snaps.prepend(frame)
  }
}

snaps.addEventListener('change', event => {
  if (!event.target.matches('label input')) return
  const wrong = []
  for (const file of event.target.files) {
    if (file.size > mostBytes) wrong.push(say.big(file.name, mostBytes / 1e6))
    else if (photos.length >= most) { wrong.push(say.many(most)); break } else photos.push(file)
  }
  event.target.value = ''
  showPhotos()
  mark('id_photos-field', wrong)
})

async function bringPhotos() {
  const named = await filesOf(form)
  if (named.length && !photos.length) { photos = named.map(([, file]) => file); showPhotos() }
}

form.addEventListener('reset', () => { photos = []; showPhotos() })
bringPhotos()

/* -------------------------------------------------------------- mistakes */
function mark(id, sentences) {
  const field = document.getElementById(id)
  field.querySelectorAll('.fs-bad').forEach(old => old.remove())
  field.classList.toggle('fs-field--bad', sentences.length > 0)
  const label = field.querySelector('.fs-hint:not(.fs-pub-under)') ?? field.querySelector('label, .fs-label')
  for (const sentence of [...sentences].reverse()) {
    const line = document.createElement('div'), text = document.createElement('span')
    line.className = 'fs-bad'; text.textContent = sentence; line.append(icon('alert-circle'), text)
    label.after(line)
  }
}

function icon(name) {
  const svg = document.createElementNS('http://www.w3.org/2000/svg', 'svg'), use = document.createElementNS('http://www.w3.org/2000/svg', 'use')
  svg.setAttribute('class', 'fs-i'); svg.setAttribute('aria-hidden', 'true')
  use.setAttribute('href', `${document.querySelector('.fs-pub use').getAttribute('href').split('#')[0]}#${name}`)
  svg.append(use)
  return svg
}

function summary(lines) {
  document.querySelector('.fs-summary')?.remove()
  if (!lines.length) return
  const box = document.createElement('div'), head = document.createElement('h2'), list = document.createElement('ul')
  box.className = 'fs-summary'; box.setAttribute('role', 'alert'); box.tabIndex = -1; head.textContent = say.correct
  for (const [id, text] of lines) {
    const line = document.createElement('li'), link = document.createElement('a')
    link.textContent = text; if (id) link.href = `#${id}`
    line.append(link); list.append(line)
  }
  box.append(head, list); form.before(box)
  box.scrollIntoView({ block: 'center' }); box.focus({ preventScroll: true })
}

function lacking() {
  const lines = []
  for (const box of form.querySelectorAll('[data-missing]')) {
    const id = `${box.id}-field`, missing = !box.value.trim()
    mark(id, missing ? [box.dataset.missing] : [])
    box.setAttribute('aria-invalid', String(missing))
    if (missing) lines.push([id, box.dataset.missing])
  }
  return lines
}

/* --------------------------------------------------------------- sending */
const button = form.querySelector('.fs-pub-foot button'), word = button.textContent
let busy = false

function rest(on) { busy = on; button.textContent = on ? button.dataset.sending : word; button.setAttribute('aria-busy', String(on)) }

async function wait() { if (await put(form)) { discard(form); freshKey() } }

async function refused(answer) {
  const page = new DOMParser().parseFromString(await answer.text(), 'text/html')
  const told = [...page.querySelectorAll('.fs-summary li')].map(line => [line.querySelector('a')?.getAttribute('href')?.slice(1), line.textContent])
  if (!told.length) { summary([[null, say.later]]); return }
  for (const field of page.querySelectorAll('.fs-field--bad')) mark(field.id, [...field.querySelectorAll('.fs-bad span')].map(one => one.textContent))
  summary(told)
  unsend(form)
  if (answer.status === 409) freshKey()
}

form.addEventListener('submit', async event => {
  event.preventDefault(); event.stopPropagation()
  if (busy) return
  const lines = lacking()
  summary(lines)
  if (lines.length) return
  if (!navigator.onLine) { await wait(); return }
  rest(true)
  send(form)
  let answer
  try { answer = await post(form.action, new FormData(form)) } catch { await wait(); rest(false); return }
  if (answer.ok && answer.redirected) { forget(form); location.assign(answer.url); return }
  await refused(answer)
  rest(false)
})

/* ----------------------------------------------------------------- place */
const county = form.elements.county, township = form.elements.township, site = form.elements.site_name

async function townships() {
  site.dataset.pick = `${site.dataset.sites}?county=${county.value}`
  const before = township.value || township.dataset.wanted // what was kept came before its list did
  township.hidden = !county.value
  while (township.options.length > 1) township.remove(1)
  if (!county.value) return
  const answer = await fetch(`${township.dataset.townships}?county=${county.value}`).catch(() => null)
  if (!answer?.ok) return
  const { found } = await answer.json()
  for (const one of found) township.add(new Option(one.name, one.id, false, one.id === before))
  township.hidden = !found.length
}

county.addEventListener('change', () => { form.elements.site.value = ''; delete township.dataset.wanted; townships() })
site.addEventListener('input', () => { form.elements.site.value = '' })
site.parentElement.addEventListener('click', event => {
  const press = event.target.closest('[data-value]')
  if (press) form.elements.site.value = press.dataset.value
})

/* The device's position fills in the county: the button of forms.js writes lon and lat and says so. */
const locate = form.querySelector('[data-locate]'), said = form.querySelector('[data-located]'), { lon, lat } = form.elements

lat.addEventListener('change', async () => {
  const answer = await fetch(`${locate.dataset.county}?lon=${lon.value}&lat=${lat.value}`).catch(() => null)
  const found = answer?.ok ? (await answer.json()).county : ''
  if (found && county.value !== found) { county.value = found; county.dispatchEvent(new Event('change', { bubbles: true })); county.dispatchEvent(new Event('input', { bubbles: true })) }
})

function brought() {
  if (lon.value) said.textContent = words.near
  if (county.value) townships()
}

form.addEventListener('reset', () => { said.textContent = '' })
form.addEventListener('fs:brought', () => { bringPhotos(); brought() })
brought()

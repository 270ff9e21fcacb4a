/* The shell's behaviour: theme, menus, keys, palette. Live rows and kept forms have modules of their own. */
import * as clocks from './clocks.js'
import { words } from './words.js'
import './forms.js'
import './live.js'
import './scrolling.js'

const root = document.documentElement
if (window.top !== window) root.dataset.framed = '' // the split screen has the switches of language and theme itself

function cookie(name, value) {
  document.cookie = `${name}=${value}; path=/; max-age=31536000; samesite=lax${location.protocol === 'https:' ? '; secure' : ''}`
}

function turnTheme() {
  const dark = root.dataset.theme ? root.dataset.theme === 'dark' : matchMedia('(prefers-color-scheme: dark)').matches
  root.dataset.theme = dark ? 'light' : 'dark'
  cookie('fs_theme', root.dataset.theme)
  document.dispatchEvent(new CustomEvent('fs:theme'))
}

function open(id) {
  const dialog = document.getElementById(id)
  if (!dialog || dialog.open) return
  dialog.showModal()
  dialog.querySelector('input')?.select()
}

document.addEventListener('click', event => {
  const opener = event.target.closest('[data-open]')
  if (opener) { open(opener.dataset.open); return }
  if (event.target.closest('[data-act="theme"]')) { turnTheme(); return }
  const toggle = event.target.closest('[data-toggle="nav"]')
  if (toggle) {
    const shown = document.getElementById('fs-nav').classList.toggle('fs-nav--open')
    toggle.setAttribute('aria-expanded', String(shown))
    return
  }
  if (event.target.closest('[data-act="print"]')) { window.print(); return }
  const copier = event.target.closest('[data-copy]')
  if (copier) {
    navigator.clipboard?.writeText(copier.dataset.copy || location.href)
    const label = copier.querySelector('[data-said]') || copier
    const before = label.textContent
    if (label.dataset.said !== undefined) { label.textContent = words.copied; setTimeout(() => { label.textContent = before }, 1600) }
    return
  }
  if (event.target.tagName === 'DIALOG') event.target.close()
  document.querySelectorAll('details.fs-menu[open]').forEach(menu => { if (!menu.contains(event.target)) menu.open = false })
})

document.addEventListener('change', event => {
  if (event.target.matches('[data-submits]')) event.target.form.requestSubmit()
})

/* ------------------------------------------------------------------ rows */
function rows() { return [...document.querySelectorAll('[data-row]')].filter(row => row.offsetParent !== null) }

function moveTo(step) {
  const all = rows()
  if (!all.length) return
  const at = all.findIndex(row => row.classList.contains('fs-at'))
  const next = all[Math.min(all.length - 1, Math.max(0, at < 0 ? (step > 0 ? 0 : all.length - 1) : at + step))]
  all.forEach(row => row.classList.toggle('fs-at', row === next))
  const stuck = document.querySelector('.fs-top')?.offsetHeight ?? 0
  const box = next.getBoundingClientRect()
  if (box.top < stuck) window.scrollBy(0, box.top - stuck - 8)
  else if (box.bottom > innerHeight) window.scrollBy(0, box.bottom - innerHeight + 8)
}

function current() { return document.querySelector('[data-row].fs-at') }

/* ------------------------------------------------------------------ keys */
let waiting = 0

function typing(target) { return target.closest('input, textarea, select, [contenteditable], dialog') }

document.addEventListener('keydown', event => {
  if ((event.ctrlKey || event.metaKey) && event.key.toLowerCase() === 'k') { event.preventDefault(); open('palette'); return }
  if (event.ctrlKey || event.metaKey || event.altKey || event.isComposing || typing(event.target)) return
  if (waiting && performance.now() - waiting < 1200) {
    waiting = 0
    const link = document.querySelector(`[data-go="${CSS.escape(event.key)}"]`)
    if (link) { event.preventDefault(); location.href = link.href }
    return
  }
  if (event.key === 'g') waiting = performance.now()
  else if (event.key === '/') { event.preventDefault(); const own = document.querySelector('[data-find-here]'); own ? own.focus() : open('palette') }
  else if (event.key === '?') open('keys')
  else if (event.key === 'j') moveTo(1)
  else if (event.key === 'k') moveTo(-1)
  else if (event.key === 'Enter' && current() && !event.target.closest('a, button, summary')) location.href = current().dataset.row
  else if (event.key === 'x') { const box = current()?.querySelector('input[type="checkbox"]'); if (box) box.click() }
})

/* --------------------------------------------------------------- palette */
const finder = document.querySelector('[data-find]')
let asked = 0

function group(list, title, found) {
  if (!found?.length) return
  const head = document.createElement('h2')
  head.textContent = title
  list.append(head)
  for (const hit of found) {
    const link = document.createElement('a')
    link.href = hit.url
    link.setAttribute('role', 'option')
    const name = document.createElement('span'), more = document.createElement('small')
    name.textContent = hit.title; more.textContent = hit.more
    link.append(name, more)
    list.append(link)
  }
}

async function look() {
  const list = finder.nextElementSibling, turn = ++asked
  if (!finder.value.trim()) { list.replaceChildren(); return }
  const answer = await fetch(`${finder.dataset.find}?q=${encodeURIComponent(finder.value.trim())}`, { headers: { accept: 'application/json' } }).catch(() => null)
  if (turn !== asked || !answer?.ok) return
  const found = await answer.json()
  list.replaceChildren()
  group(list, words.cases, found.cases); group(list, words.sites, found.sites); group(list, words.places, found.places)
  if (!list.children.length) { const none = document.createElement('p'); none.textContent = words.nothing; list.append(none) }
  choose(0)
}

function choose(step) {
  const links = [...finder.nextElementSibling.querySelectorAll('a')]
  const at = links.findIndex(link => link.getAttribute('aria-selected') === 'true')
  const next = links[Math.min(links.length - 1, Math.max(0, at + step))]
  links.forEach(link => link.setAttribute('aria-selected', String(link === next)))
  next?.scrollIntoView({ block: 'nearest' })
  return next
}

if (finder) {
  let pause
  finder.addEventListener('input', () => { clearTimeout(pause); pause = setTimeout(look, 120) })
  finder.addEventListener('keydown', event => {
    if (event.key === 'ArrowDown' || event.key === 'ArrowUp') { event.preventDefault(); choose(event.key === 'ArrowDown' ? 1 : -1) }
    if (event.key === 'Enter' && !event.isComposing) { event.preventDefault(); const link = choose(0); if (link) location.href = link.href }
  })
}

clocks.start()
if ('serviceWorker' in navigator && !root.dataset.seat) navigator.serviceWorker.register(`${root.dataset.base}/worker.js`).catch(() => undefined)

/* ------------------------------------------------- lists and the timeline */
document.addEventListener('change', event => {
  const form = event.target.closest('[data-bulk]')
  if (!form) return
  const chosen = form.querySelectorAll('input[name="case"]:checked').length
  const bar = form.querySelector('[data-bulk-bar]')
  bar.hidden = !chosen
  bar.querySelector('[data-bulk-count]').textContent = words.chosen(chosen)
})

document.addEventListener('click', event => {
  const press = event.target.closest('[data-only-kind]')
  if (!press) return
  const kind = press.dataset.onlyKind
  press.parentElement.querySelectorAll('button').forEach(one => one.setAttribute('aria-pressed', String(one === press)))
  press.closest('section').querySelectorAll('[data-kind]').forEach(line => { line.hidden = Boolean(kind) && line.dataset.kind !== kind })
})

/* Live rows: one event stream; a changed part is fetched again and glows once.
   A part says what it watches: data-live-topic="case" data-live-id="…" data-live-url="…". */
import { tick } from './clocks.js'
import { listen as onLine } from './line.js'
import { words } from './words.js'

const alarmHost = document.getElementById('fs-alarm')

/* ---------------------------------------------------------------- sound */
let context, sounding, muted = ''
const EVERY = 4000

/* The tabs and frames of one browser take turns: one sounds for all. */
function mine() {
  const last = Number(localStorage.getItem('fs:sounded'))
  if (Math.abs(Date.now() - last) < EVERY - 200) return false
  localStorage.setItem('fs:sounded', String(Date.now()))
  return true
}

/* Browsers refuse sound before the first key or click: the bar says so. */
function allowed() {
  if (navigator.userActivation && !navigator.userActivation.hasBeenActive) return false
  if (!context) { try { context = new AudioContext() } catch { return false } }
  if (context.state === 'suspended') context.resume().catch(() => undefined)
  return context.state !== 'suspended'
}

function beep() {
  const may = allowed()
  alarmHost.querySelectorAll('[data-quiet]').forEach(hint => { hint.hidden = may })
  if (!may) return
  if (!mine()) return
  const at = context.currentTime
  for (const [offset, pitch] of [[0, 880], [.22, 660]]) {
    const tone = context.createOscillator(), loud = context.createGain()
    tone.frequency.value = pitch
    loud.gain.setValueAtTime(.0001, at + offset)
    loud.gain.exponentialRampToValueAtTime(.25, at + offset + .02)
    loud.gain.exponentialRampToValueAtTime(.0001, at + offset + .2)
    tone.connect(loud).connect(context.destination)
    tone.start(at + offset); tone.stop(at + offset + .21)
  }
}

function listen() {
  const bar = alarmHost?.querySelector('[data-alarm]')
  const loud = bar && bar.dataset.alarm !== muted
  if (loud && !sounding) { beep(); sounding = setInterval(beep, EVERY) }
  if (!loud && sounding) { clearInterval(sounding); sounding = undefined }
}

for (const touch of ['keydown', 'pointerdown']) addEventListener(touch, () => { if (sounding) setTimeout(beep) }, { once: true })

document.addEventListener('click', event => {
  if (!event.target.closest('[data-act="mute"]')) return
  muted = alarmHost.querySelector('[data-alarm]')?.dataset.alarm ?? ''
  listen()
})

/* ---------------------------------------------------------------- parts */
const paced = new Map()

/* At once where nothing is under way; else once more, a moment after it is done. */
function soon(key, work) {
  const known = paced.get(key) ?? { busy: false, again: false }
  paced.set(key, known)
  if (known.busy) { known.again = true; return }
  known.busy = true
  const done = () => setTimeout(() => { known.busy = false; if (known.again) { known.again = false; soon(key, work) } }, 250)
  Promise.resolve(work()).then(done, done)
}

async function renew(part) {
  const answer = await fetch(part.dataset.liveUrl, { headers: { 'HX-Request': 'true' } }).catch(() => null)
  if (answer?.status >= 500) renewHealth()
  if (!answer?.ok) return
  const holder = document.createElement('template')
  holder.innerHTML = (await answer.text()).trim()
  const fresh = part.dataset.livePick ? new DOMParser().parseFromString(holder.innerHTML, 'text/html').querySelector('[data-live-pick]') : holder.content.firstElementChild
  if (!fresh) { if (!part.dataset.liveUrl.includes('keep')) part.remove(); return }
  if (part.contains(document.activeElement) && document.activeElement.matches('input, textarea, select')) return
  if (part.querySelector('details.fs-menu[open]')) { setTimeout(touch, 3000, part); return } // nothing is taken from under the hand
  const before = new Map([...part.querySelectorAll('[data-key]')].map(row => [row.dataset.key, row.dataset.seen]))
  part.replaceWith(fresh)
  fresh.querySelectorAll('[data-key]').forEach(row => { if (before.get(row.dataset.key) !== row.dataset.seen) row.classList.add('fs-glow') })
  if (!fresh.querySelector('[data-key]')) fresh.classList.add('fs-glow')
  window.htmx?.process(fresh)
  tick()
  document.dispatchEvent(new CustomEvent('fs:renewed', { detail: fresh }))
}

function touch(part) {
  const key = part.dataset.liveUrl
  soon(key, () => { const now = document.querySelector(`[data-live-url="${CSS.escape(key)}"]`); return now && renew(now) })
}

async function renewAlarm() {
  const answer = await fetch(alarmHost.dataset.url, { headers: { 'HX-Request': 'true' } }).catch(() => null)
  if (!answer?.ok) return
  alarmHost.innerHTML = await answer.text()
  tick(); listen()
}

/* A page that stays open all night learns that a process lags, and that it no longer does. */
const CHECKED = 30_000

async function renewHealth() {
  const host = document.getElementById('fs-health')
  if (!host || document.hidden) return
  const answer = await fetch(host.dataset.url, { headers: { 'HX-Request': 'true' } }).catch(() => null)
  if (!answer || host.querySelector('[data-cut]')) return
  if (answer.status >= 500) away(host, answer.status)
  else if (answer.ok) { awayAt = undefined; host.innerHTML = await answer.text() }
}

/* The server lives and its database does not: what stands on the page is old, and nothing is accepted. */
let awayAt

function away(host, status) {
  awayAt ??= new Date().toTimeString().slice(0, 5)
  const bar = document.createElement('div')
  bar.className = 'fs-health'; bar.setAttribute('role', 'status')
  bar.textContent = status === 507 ? words.full(awayAt) : words.away(awayAt)
  host.replaceChildren(bar)
}

function heard(news) {
  for (const part of document.querySelectorAll('[data-live-topic]')) {
    const topics = part.dataset.liveTopic.split(' ')
    if (topics.includes(news.topic) && (!part.dataset.liveId || part.dataset.liveId === String(news.id))) touch(part)
  }
  if (news.topic === 'case') soon('alarm', renewAlarm)
  document.dispatchEvent(new CustomEvent('fs:news', { detail: news }))
}

/* ----------------------------------------------------------------- line */
let cutAt

function cut(is) {
  const host = document.getElementById('fs-health')
  if (!host) return
  if (is && !cutAt) {
    cutAt = new Date().toTimeString().slice(0, 5)
    const bar = document.createElement('div')
    bar.className = 'fs-health'; bar.dataset.cut = ''; bar.setAttribute('role', 'status')
    bar.textContent = words.cut(cutAt)
    host.append(bar)
  }
  if (!is && cutAt) { cutAt = undefined; host.querySelector('[data-cut]')?.remove(); document.querySelectorAll('[data-live-url]').forEach(touch); renewAlarm() }
}

if (alarmHost && document.querySelector('.fs-me')) {
  listen()
  setInterval(renewHealth, CHECKED)
  document.addEventListener('visibilitychange', renewHealth)
  onLine(({ news, line }) => news ? heard(news) : cut(line === 'cut'))
}

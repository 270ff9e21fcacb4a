/* Clocks tick by text only. The server's moment rules: a wrong desk clock changes nothing. */
import { words } from './words.js'

const loaded = performance.now()
const served = Date.parse(document.documentElement.dataset.now)

export function now() { return served + (performance.now() - loaded) }

function coarse(seconds) {
  const minutes = Math.floor(seconds / 60), hours = Math.floor(seconds / 3600), days = Math.floor(seconds / 86400)
  if (minutes < 1) return words.moment
  if (hours < 1) return words.min(minutes)
  if (days < 1) return words.hour(hours, minutes % 60)
  return words.day(days, hours % 24)
}

export function remaining(due, at) {
  const seconds = Math.floor((due - at) / 1000)
  if (seconds < 0) return words.over(coarse(-seconds))
  if (seconds < 600) return `${String(Math.floor(seconds / 60)).padStart(2, '0')}:${String(seconds % 60).padStart(2, '0')}`
  return coarse(seconds)
}

function setText(node, text) { if (node.textContent !== text) node.textContent = text }

function tickOne(node, at) {
  const due = Date.parse(node.dataset.due)
  const target = node.classList.contains('fs-clock') ? node.querySelector('span') : node
  if (!target) return
  const text = remaining(due, at)
  setText(target, due >= at && 'left' in node.dataset ? words.left(text) : text)
  if (due < at) node.classList.add(node.classList.contains('fs-clock') ? 'fs-clock--over' : 'fs-over')
}

function wallclock(node, at) {
  const parts = new Intl.DateTimeFormat('en-CA', { timeZone: 'Asia/Shanghai', hourCycle: 'h23', year: 'numeric', month: '2-digit', day: '2-digit', hour: '2-digit', minute: '2-digit', second: '2-digit' })
    .formatToParts(new Date(at)).reduce((all, part) => ({ ...all, [part.type]: part.value }), {})
  const weekday = words.weekdays[new Date(at + 8 * 3600e3).getUTCDay()]
  setText(node, `${parts.year}-${parts.month}-${parts.day} ${weekday} ${parts.hour}:${parts.minute}:${parts.second}`)
}

export function tick() {
  const at = now()
  document.querySelectorAll('[data-due]').forEach(node => tickOne(node, at))
  document.querySelectorAll('[data-wallclock]').forEach(node => wallclock(node, at))
}

export function start() { tick(); setInterval(tick, 1000) }

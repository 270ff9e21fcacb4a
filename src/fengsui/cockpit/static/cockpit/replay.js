/* The map at a moment of the last day. The slider counts quarters of an hour back from now; while it stands in the past the live
   layer waits, and the page says so. */
const QUARTER = 15 * 60 * 1000

export function replaying(form, { url, chinese, show, live }) {
  const slider = form.querySelector('input'), said = form.querySelector('output')
  const state = { on: false, toggle }
  let asked = 0, soon

  const moment = () => new Date(Math.floor(Date.now() / QUARTER) * QUARTER + (Number(slider.value) + 1) * QUARTER)
  const two = number => String(number).padStart(2, '0')

  function words(at) {
    const part = {}
    for (const { type, value } of new Intl.DateTimeFormat('en-GB', { timeZone: 'Asia/Shanghai', month: '2-digit', day: '2-digit', hour: '2-digit', minute: '2-digit', hourCycle: 'h23' }).formatToParts(at)) part[type] = value
    return `${two(part.month)}-${two(part.day)} ${part.hour}:${part.minute}`
  }

  async function look() {
    const at = moment(), turn = ++asked
    const now = at.getTime() >= Date.now()
    state.on = !now
    said.textContent = now ? (chinese ? '现在' : 'now') : words(at)
    slider.setAttribute('aria-valuetext', said.textContent)
    const left = form.querySelector('[data-unmarked]')
    left.hidden = true
    if (now) { form.querySelectorAll('[data-count]').forEach(node => { node.textContent = '–' }); live(); return }
    const answer = await fetch(`${url}?at=${encodeURIComponent(at.toISOString())}`, { headers: { accept: 'application/json' } }).catch(() => null)
    if (turn !== asked) return // a later moment was asked for meanwhile
    if (!answer?.ok) { said.textContent = chinese ? '暂时取不到' : 'not available now'; return }
    const seen = await answer.json()
    form.querySelectorAll('[data-count]').forEach(node => { node.textContent = seen.counts[node.dataset.count] })
    left.hidden = !seen.unmarked
    left.textContent = chinese ? `另有 ${seen.unmarked} 件级别较低的未标在图上` : `${seen.unmarked} milder ones are not drawn`
    show(seen)
  }

  function toggle() {
    form.hidden = !form.hidden
    slider.value = 0
    if (form.hidden) { asked++; state.on = false; live() } else { look(); slider.focus() }
    return !form.hidden
  }

  slider.addEventListener('input', () => { clearTimeout(soon); soon = setTimeout(look, 120) })
  form.addEventListener('submit', event => event.preventDefault())
  form.querySelector('[data-replay="now"]').addEventListener('click', () => { slider.value = 0; look() })
  return state
}

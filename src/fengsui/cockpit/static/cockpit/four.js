/* The split screen: frames that are chosen, resized and filled; the narrator that says what happens and where to look.
   A frame is a seat's own page. This page reads of it only whether its red bar shows, and sends it to a case when the narrator does. */
const root = document.documentElement
const four = document.querySelector('[data-four]')
const narrator = document.querySelector('.fs-narrator')
const form = document.querySelector('[data-wish]')
const follow = document.querySelector('[data-follow]')
const seats = [...document.querySelectorAll('[data-seat-frame]')]
const chinese = root.lang.startsWith('zh')
const say = (zh, en) => chinese ? zh : en

const frame = seat => seat.querySelector('iframe')
const choice = seat => seat.querySelector('[data-choice]')
const option = key => choice(seats[0]).querySelector(`option[value="${CSS.escape(key)}"]`)
const role = key => (option(key)?.textContent ?? '').split('·')[0]

/* A frame on its way to another page has no document that may be read. */
function inside(seat) { try { return frame(seat).contentDocument } catch { return null } }

/* ------------------------------------------------------------------ frames */
function address() { history.replaceState(null, '', `?as=${seats.map(seat => seat.dataset.seatKey).join(',')}`) }

function send(seat, key, page) {
  const { base } = option(key).dataset
  seat.dataset.seatKey = key
  choice(seat).value = key
  seat.querySelector('[data-out]').href = base + page
  frame(seat).title = option(key).textContent
  document.querySelector(`[data-tab="${seat.dataset.seatFrame}"]`).textContent = role(key)
  frame(seat).contentWindow.location.replace(base + page)
  address()
}

function typing(seat) {
  const held = inside(seat)?.activeElement
  return Boolean(held?.matches('input:not([type="hidden"]), textarea, select')) && document.activeElement === frame(seat)
}

function show(seat) {
  seats.forEach(one => one.classList.toggle('fs-seat--on', one === seat))
  document.querySelectorAll('[data-tab]').forEach(tab => tab.setAttribute('aria-selected', String(tab.dataset.tab === seat.dataset.seatFrame)))
}

function full(seat) {
  const whole = !seat.classList.contains('fs-seat--full')
  seats.forEach(one => { one.classList.toggle('fs-seat--full', whole && one === seat); one.querySelector('[data-full]').setAttribute('aria-pressed', String(whole && one === seat)) })
  four.classList.toggle('fs-four--one', whole)
}

seats.forEach(seat => {
  choice(seat).addEventListener('change', () => send(seat, choice(seat).value, '/desk/'))
  seat.querySelector('[data-full]').addEventListener('click', () => full(seat))
  seat.querySelector('[data-home]').addEventListener('click', () => send(seat, seat.dataset.seatKey, '/desk/'))
})
document.querySelectorAll('[data-tab]').forEach(tab => tab.addEventListener('click', () => show(seats[tab.dataset.tab])))
document.addEventListener('keydown', event => { if (event.key === 'Escape') { const whole = seats.find(seat => seat.classList.contains('fs-seat--full')); if (whole) full(whole) } })

/* ----------------------------------------------------------- size and text */
const STEPS = [.5, .6, .67, .75, .85, 1]
const kept = JSON.parse(localStorage.getItem('fs:four') ?? '{}')
const size = { zoom: innerWidth >= 1700 ? .85 : .67, x: 50, y: 50, ...kept }

function lay() {
  four.style.setProperty('--zoom', size.zoom)
  for (const axis of ['x', 'y']) {
    four.style.setProperty(`--${axis}`, `calc((100% - 8px) * ${size[axis] / 100})`)
    four.style.setProperty(`--s${axis}`, size[axis] / 100)
    document.querySelector(`[data-split="${axis}"]`).setAttribute('aria-valuenow', String(Math.round(size[axis])))
  }
}

function keep() { localStorage.setItem('fs:four', JSON.stringify(size)); lay() }

document.querySelectorAll('[data-zoom]').forEach(press => press.addEventListener('click', () => {
  const at = STEPS.findIndex(step => step >= size.zoom)
  size.zoom = STEPS[Math.min(STEPS.length - 1, Math.max(0, at + Number(press.dataset.zoom)))]
  keep()
}))

document.querySelectorAll('[data-split]').forEach(split => {
  const axis = split.dataset.split
  const move = to => { size[axis] = Math.min(80, Math.max(20, to)); lay() }
  split.addEventListener('pointerdown', event => { split.setPointerCapture(event.pointerId); four.classList.add('fs-four--dragging') })
  split.addEventListener('pointermove', event => {
    if (!split.hasPointerCapture(event.pointerId)) return
    const box = four.getBoundingClientRect()
    move(axis === 'x' ? (event.clientX - box.left) / box.width * 100 : (event.clientY - box.top) / box.height * 100)
  })
  split.addEventListener('pointerup', () => { four.classList.remove('fs-four--dragging'); keep() })
  split.addEventListener('dblclick', () => { move(50); keep() })
  split.addEventListener('keydown', event => {
    const step = { ArrowLeft: -2, ArrowUp: -2, ArrowRight: 2, ArrowDown: 2 }[event.key]
    if (step) { event.preventDefault(); move(size[axis] + step); keep() }
  })
})
lay()

document.addEventListener('fs:theme', () => seats.forEach(seat => {
  const page = inside(seat)
  if (!page) return
  page.documentElement.dataset.theme = root.dataset.theme
  page.dispatchEvent(new CustomEvent('fs:theme'))
}))

/* ---------------------------------------------------------------- narrator */
const PLACES = [say('左上', 'top left'), say('右上', 'top right'), say('左下', 'bottom left'), say('右下', 'bottom right')]
let shown = '', before = ''

function put(name, text) { const node = narrator.querySelector(`[data-say="${name}"]`); if (node.textContent !== text) node.textContent = text }

/* The frame that shows a post: its own, that of whom it stands in for, else the last one. */
function place(key) {
  const stead = option(key)?.dataset.standsIn
  return seats.find(seat => seat.dataset.seatKey === key) ?? seats.find(seat => seat.dataset.seatKey === stead || option(seat.dataset.seatKey)?.dataset.standsIn === (stead ?? key)) ?? seats.at(-1)
}

/* At a new step the frame in question goes to the case, unless somebody types in it. */
function lead(now) {
  if (!now.look || !option(now.look)) return null
  const seat = place(now.look)
  const step = `${now.phase} ${now.id} ${now.page}`
  if (step === shown || !follow.checked) return seat
  shown = step
  if (typing(seat)) return seat
  const wanted = now.page && now.mine ? now.page : now.page && now.kind === 'refused' ? now.page : seat.dataset.seatKey === now.look ? '' : '/desk/'
  const open = inside(seat)?.location.pathname
  if (seat.dataset.seatKey !== now.look || (wanted && open && !open.startsWith(option(now.look).dataset.base + wanted))) send(seat, now.look, wanted || '/desk/')
  show(seat)
  return seat
}

function where(now, seat) {
  if (now.phase !== 'done' && now.detail) return [now.detail, now.id === 'tampered' ? 'red' : 'said']
  if (now.phase === 'clearing') return [say('正在收回上一轮演练的预警，稍候。', 'Putting away what the last run left open.'), '']
  if (now.phase === 'done') return [say(`演练结束：由人办理 ${now.score.people} 步，脚本代办 ${now.score.script} 步，未达成 ${now.score.missed} 步。四个岗位都可以继续自己办。`, `Played to the end: ${now.score.people} acts by people, ${now.score.script} by the script, ${now.score.missed} missed. All four posts are yours to go on with.`), 'said']
  if (now.phase === 'stopped') return [say('演练已停下，四个岗位可以自己办。', 'Left off. All four posts are yours.'), '']
  if (now.phase === 'idle') return [say('按“开始”：企业中控室的红色警示条将鸣响。', 'Press Begin: the red bar of the control room will sound.'), '']
  if (!seat) return ['', '']
  const look = say(`看${PLACES[seats.indexOf(seat)]}“${role(now.look)}”`, `Look ${PLACES[seats.indexOf(seat)]}: ${role(now.look)}`)
  if (!now.mine) return [`${look}${say('。', '.')}`, '']
  if (now.paused) return [`${look}${say('。脚本在等您：请自己办理，或按“下一步”由脚本代办。时限照走。', '. The script waits for you: act yourself, or press Next. Deadlines run on.')}`, '']
  const left = Math.ceil(now.acts_in ?? 0)
  return [`${look}${say(`。可以自己办，${left} 秒后由脚本代办；按“暂停”不限时。`, `. Act yourself; the script does in ${left} s. Pause gives you all the time.`)}`, '']
}

function buttons(now) {
  const running = now.phase === 'running'
  const on = { begin: ['idle', 'stopped', 'done'].includes(now.phase), next: running && now.acts_in !== null, pause: running && !now.paused, go: running && now.paused, again: running }
  form.querySelectorAll('[data-when]').forEach(press => { press.hidden = !on[press.dataset.when] })
}

function tell(now) {
  if (now.phase === 'none') return
  const seat = ['running', 'clearing'].includes(now.phase) ? lead(now) : null
  seats.forEach(one => { one.classList.toggle('fs-seat--now', one === seat); one.querySelector('[data-here]').hidden = one !== seat })
  if (now.phase === 'idle') { buttons(now); return }
  const step = narrator.querySelector('[data-say="step"]')
  step.hidden = false
  put('step', `${now.step} / ${now.steps}`)
  const over = now.phase === 'done'
  put('title', over ? say('闭环完成', 'The loop is closed') : now.title)
  put('says', over || now.detail ? '' : now.says)
  const [words, kind] = where(now, seat)
  put('where', words)
  narrator.querySelector('.fs-narrator-where').dataset.kind = kind
  const aloud = `${now.title} ${kind ? words : ''}`
  if (aloud !== before) { before = aloud; put('aloud', aloud) }
  buttons(now)
}

function reds() {
  seats.forEach(seat => {
    const red = Boolean(inside(seat)?.querySelector('#fs-alarm [data-alarm]'))
    seat.querySelector('[data-red]').hidden = !red
    document.querySelector(`[data-tab="${seat.dataset.seatFrame}"]`).classList.toggle('fs-tab--red', red)
  })
}

async function look() {
  const answer = await fetch(narrator.dataset.now, { headers: { accept: 'application/json' } }).catch(() => null)
  if (answer?.ok) tell(await answer.json())
  reds()
  setTimeout(look, 700)
}

form.addEventListener('submit', async event => {
  event.preventDefault()
  const body = new FormData(form)
  body.set('wish', event.submitter.value)
  if (event.submitter.value === 'start') { shown = ''; seats.forEach(seat => { if (!typing(seat)) send(seat, seat.dataset.seatKey, '/desk/') }) }
  await fetch(form.action, { method: 'POST', body, headers: { accept: 'application/json' } }).catch(() => null)
})

look()

/* The page's end of the event stream: shared with the browser's other tabs where it has shared workers, else its own. */
const { line: url, seat = '', who = '' } = document.documentElement.dataset

function own(hear) {
  const source = new EventSource(seat ? `${url}?as=${seat}` : url)
  source.addEventListener('news', event => { const { seats, ...news } = JSON.parse(event.data); hear({ news }) })
  source.addEventListener('open', () => hear({ line: 'open' }))
  source.addEventListener('error', () => setTimeout(() => { if (source.readyState !== EventSource.OPEN) hear({ line: 'cut' }) }, 4000))
  addEventListener('pagehide', () => source.close())
}

/** Calls `hear({news})` for each change that the reader may see, `hear({line: 'open'|'cut'})` when the line comes and goes. */
export function listen(hear) {
  if (typeof SharedWorker === 'undefined') { own(hear); return }
  const worker = new SharedWorker(new URL('./switchboard.js', import.meta.url), { name: 'fengsui' })
  let failed = false
  worker.addEventListener('error', () => { if (!failed) { failed = true; own(hear) } })
  worker.port.onmessage = ({ data }) => hear(data)
  worker.port.postMessage({ join: url, seat, who })
  addEventListener('pagehide', () => worker.port.postMessage({ leave: true }))
  addEventListener('pageshow', event => { if (event.persisted) worker.port.postMessage({ join: url, seat, who }) })
}

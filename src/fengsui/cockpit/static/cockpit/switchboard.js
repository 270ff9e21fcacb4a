/* One event stream for all tabs and frames of a browser: over HTTP/1.1 it has six connections to a server, an open stream takes one.
   A page joins with {join: address, seat, who}; pages of the same address and reader share a stream, seats share one that names them. */
const trunks = new Map()

class Trunk {
  constructor(url) { this.url = url; this.ports = new Map(); this.seats = ''; this.last = ''; this.open = false; this.cut = 0 }

  add(port, seat) { this.ports.set(port, seat); if (this.open) port.postMessage({ line: 'open' }); this.settle() }

  drop(port) { this.ports.delete(port); this.settle() }

  settle() { clearTimeout(this.soon); this.soon = setTimeout(() => this.connect(), 40) }

  /* Opened anew only where a seat came that the stream does not carry yet; closed when nobody listens any more. */
  connect() {
    if (!this.ports.size) { this.source?.close(); this.source = undefined; this.open = false; this.seats = ''; return }
    const wanted = [...new Set([...this.seats.split(','), ...this.ports.values()])].filter(Boolean).sort().join(',')
    if (this.source && this.source.readyState !== EventSource.CLOSED && wanted === this.seats) return
    this.source?.close()
    this.seats = wanted
    const query = new URLSearchParams(wanted.split(',').filter(Boolean).map(seat => ['as', seat]))
    if (this.last) query.set('after', this.last)
    const source = this.source = new EventSource(query.size ? `${this.url}?${query}` : this.url)
    source.addEventListener('news', event => this.hear(event))
    source.addEventListener('open', () => { this.open = true; clearTimeout(this.cut); this.say({ line: 'open' }) })
    source.addEventListener('error', () => this.lost(source))
  }

  hear(event) {
    this.last = event.lastEventId
    const { seats, ...news } = JSON.parse(event.data)
    for (const [port, seat] of this.ports) if (!seats || seats.includes(seat)) port.postMessage({ news })
  }

  lost(source) {
    this.open = false
    clearTimeout(this.cut)
    this.cut = setTimeout(() => {
      if (source !== this.source || source.readyState === EventSource.OPEN) return
      this.say({ line: 'cut' })
      if (source.readyState === EventSource.CLOSED) this.connect() // refused by the server: a browser does not try again by itself
    }, 4000)
  }

  say(what) { for (const port of this.ports.keys()) port.postMessage(what) }
}

self.onconnect = ({ ports: [port] }) => {
  let mine
  port.onmessage = ({ data }) => {
    mine?.drop(port)
    mine = undefined
    if (!data.join) return
    const key = `${data.join} ${data.who}`
    mine = trunks.get(key) ?? new Trunk(data.join)
    trunks.set(key, mine)
    mine.add(port, data.seat)
  }
}

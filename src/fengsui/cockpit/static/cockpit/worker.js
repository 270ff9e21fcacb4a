/* The service worker: the frame's files from the cache, pages from the network, and a plain page when there is no line. */
const CACHE = 'fengsui-1'
const KEPT = /^\/static\//
const OFFLINE = /^\/(cases\/new\/|report\/$)/
const NO_LINE = new URL('./offline/', self.location).pathname

self.addEventListener('install', event => {
  event.waitUntil(caches.open(CACHE).then(cache => cache.addAll([NO_LINE])).then(() => self.skipWaiting()))
})

self.addEventListener('activate', event => {
  event.waitUntil(caches.keys().then(names => Promise.all(names.filter(name => name !== CACHE).map(name => caches.delete(name)))).then(() => self.clients.claim()))
})

async function kept(request) {
  const cache = await caches.open(CACHE)
  const found = await cache.match(request)
  const fresh = fetch(request).then(answer => { if (answer.ok) cache.put(request, answer.clone()); return answer })
  if (found) { fresh.catch(() => undefined); return found }
  return fresh
}

async function page(request) {
  /* The forms for raising and reporting open without a line: what an inspector or a herder needs in the grassland. */
  const cache = await caches.open(CACHE)
  try {
    const answer = await fetch(request)
    if (answer.ok && OFFLINE.test(new URL(request.url).pathname)) cache.put(request, answer.clone())
    return answer
  } catch {
    return await cache.match(request) ?? await cache.match(NO_LINE)
  }
}

self.addEventListener('fetch', event => {
  const { request } = event
  if (request.method !== 'GET' || new URL(request.url).origin !== location.origin) return
  if (KEPT.test(new URL(request.url).pathname)) event.respondWith(kept(request))
  else if (request.mode === 'navigate') event.respondWith(page(request))
})

self.addEventListener('message', event => { if (event.data === 'forget') event.waitUntil(caches.delete(CACHE)) })

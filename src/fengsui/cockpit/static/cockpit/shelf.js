/* A database of the browser with one table. A browser that keeps nothing (a private window) or has no room refuses each use. */

/** A function `(mode, work)`: gives `work(table)`, an IndexedDB request, its turn; resolves to its result once all is kept. */
export function shelf(name, table, keyPath) {
  const open = () => new Promise((resolve, reject) => {
    const request = indexedDB.open(name, 1)
    request.onupgradeneeded = () => request.result.createObjectStore(table, { keyPath })
    request.onsuccess = () => resolve(request.result)
    request.onerror = () => reject(request.error)
  })
  return async (mode, work) => {
    const base = await open()
    return new Promise((resolve, reject) => {
      const turn = base.transaction(table, mode), request = work(turn.objectStore(table))
      turn.oncomplete = () => { base.close(); resolve(request.result) }
      turn.onabort = turn.onerror = () => { base.close(); reject(turn.error ?? request.error) } // a full disk says so only at the end
    })
  }
}

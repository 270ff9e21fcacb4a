/* Photos and files chosen for a kept form, beside its text: in a database of the browser under the form's name, until the
   server took them. A browser that has no room for them, or keeps none (a private window), says so; nobody is left to believe. */
const STORE = 'fengsui-files', FILES = 'files'

function database() {
  return new Promise((resolve, reject) => {
    const request = indexedDB.open(STORE, 1)
    request.onupgradeneeded = () => request.result.createObjectStore(FILES, { keyPath: 'at' })
    request.onsuccess = () => resolve(request.result)
    request.onerror = () => reject(request.error)
  })
}

async function store(mode, work) {
  const base = await database()
  return new Promise((resolve, reject) => {
    const turn = base.transaction(FILES, mode), request = work(turn.objectStore(FILES))
    turn.oncomplete = () => { base.close(); resolve(request.result) }
    turn.onabort = turn.onerror = () => { base.close(); reject(turn.error ?? request.error) } // a full disk says so only at the end
  })
}

/** Keeps `named`, pairs [box's name, File], under the form's place; none forgets them. False where the browser could not. */
export async function keepFiles(at, named) {
  try { await store('readwrite', all => named.length ? all.put({ at, named }) : all.delete(at)); return true } catch { return false }
}

/** The pairs kept there; none where nothing is kept or the browser keeps nothing. */
export async function keptFiles(at) {
  try { return (await store('readonly', all => all.get(at)))?.named ?? [] } catch { return [] }
}

/** What a box of files holds when it is given these. */
export function listOf(files) {
  const list = new DataTransfer()
  files.forEach(file => list.items.add(file))
  return list.files
}

/* Photos and files chosen for a kept form, beside its text: in a database of the browser under the form's name, until the
   server took them. A browser that has no room for them, or keeps none (a private window), says so; nobody is left to believe. */
import { shelf } from './shelf.js'

const store = shelf('fengsui-files', 'files', 'at')

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

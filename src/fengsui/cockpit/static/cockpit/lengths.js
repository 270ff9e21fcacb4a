/* A browser cuts a pasted text off at its box's maxlength and says nothing. Here the whole text stays, and the page says how much
   is too much; the server refuses what is too long beside its field. Without scripts the box keeps its maxlength. */
import { words } from './words.js'

const BOXES = 'textarea[maxlength], input[type="text"][maxlength], input:not([type])[maxlength]'
const NEAR = .8

function said(box) {
  const known = box.parentElement.querySelector(`[data-room-of="${CSS.escape(box.name)}"]`)
  if (known) return known
  const fresh = document.createElement('div')
  fresh.className = 'fs-room'; fresh.dataset.roomOf = box.name; fresh.setAttribute('role', 'status')
  box.after(fresh)
  return fresh
}

function measure(box) {
  const most = Number(box.dataset.most), length = [...box.value].length
  if (length <= most) box.removeAttribute('aria-invalid')
  if (length < most * NEAR) { box.parentElement.querySelector(`[data-room-of="${CSS.escape(box.name)}"]`)?.remove(); return }
  const line = said(box), over = length > most
  line.textContent = over ? words.beyond(length - most) : words.room(most - length)
  line.classList.toggle('fs-room--over', over)
}

function free(root) {
  root.querySelectorAll(BOXES).forEach(box => {
    box.dataset.most = box.maxLength
    box.removeAttribute('maxlength')
    if (box.value) measure(box)
  })
}

free(document)
document.addEventListener('input', event => { if (event.target.dataset.most) measure(event.target) })
document.addEventListener('submit', event => {
  if (!event.target.closest('.fs-menu-body')) return // a page of its own says beside the field what was too long; a menu has none
  const long = [...event.target.elements].find(box => box.dataset.most && [...box.value].length > Number(box.dataset.most))
  if (!long) return
  event.preventDefault(); event.stopPropagation()
  long.setAttribute('aria-invalid', 'true'); long.focus()
}, true)
document.addEventListener('fs:renewed', event => free(event.detail))

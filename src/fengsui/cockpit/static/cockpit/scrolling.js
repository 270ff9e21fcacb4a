/* A long text scrolls in its own box; the keyboard has to reach that box (WCAG 2.1.1), and not every browser makes it a stop. */
const BOXES = '.fs-kv dd, .fs-timeline p'

function reach(root) {
  root.querySelectorAll(BOXES).forEach(box => {
    if (box.scrollHeight > box.clientHeight) box.tabIndex = 0
    else box.removeAttribute('tabindex')
  })
}

reach(document)
addEventListener('resize', () => reach(document))
document.addEventListener('fs:renewed', event => reach(event.detail))

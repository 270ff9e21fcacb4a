/* On the page of a failure: what was typed and not accepted waits in its form again. */
const sent = JSON.parse(sessionStorage.getItem('fs:sent') ?? 'null')
if (sent) localStorage.setItem(sent.place, sent.kept)
sessionStorage.removeItem('fs:sent')

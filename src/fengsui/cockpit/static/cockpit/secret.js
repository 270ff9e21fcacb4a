/* The form's secret against forgery. A page that lay open while somebody signed in or out elsewhere holds an old one: the
   browser's cookie has the one that holds now, and goes into every form as it is sent. */
const { seat } = document.documentElement.dataset
const COOKIE = `${seat ? `as_${seat}_` : ''}csrftoken=`

/** The secret that holds now; empty where the browser has no cookie of ours. */
export const secret = () => document.cookie.split('; ').find(one => one.startsWith(COOKIE))?.slice(COOKIE.length) ?? ''

/** Sends `body` (FormData) there. Where the cookie is gone, any page of ours brings a new one, and the same goes once more. */
export async function post(url, body) {
  const go = () => {
    const now = secret()
    if (now) body.set('csrfmiddlewaretoken', now)
    return fetch(url, { method: 'POST', body })
  }
  const answer = await go()
  if (!answer.headers.has('X-Csrf-Refused')) return answer
  await fetch(location.href)
  return go()
}

document.addEventListener('submit', event => {
  const box = event.target.querySelector('input[name="csrfmiddlewaretoken"]'), now = secret()
  if (box && now) box.value = now
}, true)

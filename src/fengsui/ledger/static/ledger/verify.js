/* A receipt judged here: Ed25519, SHA-256 and the RFC 6962 path are computed in this browser from the receipt's own bytes.
   crypto.subtle is missing on plain HTTP, so the page brings its own arithmetic (vendor/noble.mjs). */
import { sha256, verify } from '../vendor/noble.mjs'
import { secret } from '../cockpit/secret.js'

const chinese = document.documentElement.lang.startsWith('zh')
const say = chinese
  ? {
      good: '真实、完整', bad: '不可信', unread: '未能核验', wait: '签名真实，证明待补',
      signature: '回执签名', signed: '由密钥签署，内容一字未改。', forged: '签名与内容不符：系伪造，或有改动。',
      key: '签名密钥', known: '是本账本公布的密钥', unknown: '不是本账本公布的密钥，不知由谁签署。',
      head: '存证签名', headSigned: (size, at) => `${at}，对 ${size} 条记录的总根签名，有效。`, headForged: '存证的签名不符：系伪造，或有改动。',
      proof: '包含证明', proven: (position, size) => `由本记录逐级算至总根，结果一致（第 ${position} 位，共 ${size} 条，已在本机计算）。`, unproven: '由本记录逐级计算，得不到存证的总根。',
      nowait: '此回执尚未带证明（记录每分钟存证一次，二维码不含证明）。可输入回执编号取得带证明的文件。',
      kept: '账本现状', same: '账本中仍是这条记录，位置未变。', nokept: '连不上本系统，此项未查；以上各项不依赖本系统。', notasked: '签名不符，本系统不据此查询账本。',
      file: '文件', code: '回执编号', number: '编号', kind: '机制', act: '办理', state: '之后状态', at: '时间', leaf: '记录指纹',
      unreadable: '这不是回执：请选择 receipt-….json，或输入回执编号。', nocode: '没有此编号的回执，请逐字核对。', offline: '连不上本系统。有回执文件时，断网也可核验。'
    }
  : {
      good: 'Genuine and complete', bad: 'Not to be trusted', unread: 'Nothing was checked', wait: 'Genuinely signed, proof to follow',
      signature: 'Signature of the receipt', signed: 'Signed by the key; not a letter was changed.', forged: 'The signature does not fit the content: forged, or changed.',
      key: 'Signing key', known: 'A key that this ledger publishes', unknown: 'Not a key that this ledger publishes; nobody knows who signed.',
      head: 'Signature of the seal', headSigned: (size, at) => `${at}: the root over ${size} entries is signed; it holds.`, headForged: 'The signature of the seal does not hold: forged, or changed.',
      proof: 'Proof of inclusion', proven: (position, size) => `From this entry step by step to the signed root: the same (position ${position} of ${size}, computed here).`, unproven: 'From this entry step by step, another root comes out than the signed one.',
      nowait: 'This receipt carries no proof yet (entries are sealed each minute; a QR code has none). Enter the code to get the file with its proof.',
      kept: 'The ledger now', same: 'The ledger still has this entry, in its place.', nokept: 'This system cannot be reached, so this was not checked; all the above does not depend on it.', notasked: 'The signature does not fit, so the ledger was not asked.',
      file: 'File', code: 'Receipt code', number: 'Number', kind: 'Mechanism', act: 'Act', state: 'State after', at: 'Time', leaf: 'Fingerprint',
      unreadable: 'This is no receipt: choose receipt-….json, or enter the code.', nocode: 'No receipt has this code; look at it again, letter by letter.', offline: 'This system cannot be reached. With the receipt’s file you can verify without it.'
    }

/* ----------------------------------------------------------------- bytes */
const utf8 = new TextEncoder()
const fromHex = text => {
  if (typeof text !== 'string' || text.length % 2 || !/^[0-9a-f]*$/.test(text)) throw new Error('hex')
  return Uint8Array.from(text.match(/../g) ?? [], pair => parseInt(pair, 16))
}
const toHex = bytes => [...bytes].map(byte => byte.toString(16).padStart(2, '0')).join('')
const from64 = text => Uint8Array.from(atob(text.replace(/-/g, '+').replace(/_/g, '/')), letter => letter.charCodeAt(0))
const joined = (...parts) => {
  const all = new Uint8Array(parts.reduce((size, part) => size + part.length, 0))
  let at = 0
  for (const part of parts) { all.set(part, at); at += part.length }
  return all
}
const equal = (one, other) => one.length === other.length && one.every((byte, at) => byte === other[at])

/* The ledger's canonical JSON: sorted keys, no spaces, UTF-8. */
function canonical(value) {
  if (Array.isArray(value)) return `[${value.map(canonical).join(',')}]`
  if (value && typeof value === 'object') return `{${Object.keys(value).sort().map(name => `${JSON.stringify(name)}:${canonical(value[name])}`).join(',')}}`
  return JSON.stringify(value)
}

function genuine(purpose, body, signature, key) {
  try { return verify(signature, joined(utf8.encode(`fengsui ${purpose} 1\n`), body), key) } catch { return false }
}

/* ------------------------------------------------ RFC 9162 §2.1.3.2 path */
const node = (left, right) => sha256(joined(Uint8Array.of(1), left, right))

export function included(leaf, position, size, path, root) {
  let number = BigInt(position), last = BigInt(size) - 1n, value = leaf
  if (number < 0n || number > last) return false
  for (const step of path) {
    if (last === 0n) return false
    if (number & 1n || number === last) {
      value = node(step, value)
      while (!(number & 1n) && number) { number >>= 1n; last >>= 1n }
    } else value = node(value, step)
    number >>= 1n; last >>= 1n
  }
  return last === 0n && equal(value, root)
}

/* --------------------------------------------------------------- receipt */
function parse(text) {
  const line = text.trim()
  if (line.startsWith('FENGSUI1.')) {
    const [, body, key, signature] = line.split('.').map((part, at) => at ? from64(part) : part)
    return { body, key, signature, record: JSON.parse(new TextDecoder('utf-8', { fatal: true }).decode(body)), proof: null, line }
  }
  const file = JSON.parse(line)
  if (file.kind !== 'fengsui-receipt') throw new Error('kind')
  return { body: utf8.encode(canonical(file.receipt)), key: fromHex(file.public), signature: fromHex(file.signature), record: file.receipt, proof: file.proof ?? null, line, code: file.code }
}

const keyId = key => toHex(sha256(key)).slice(0, 16)
const published = () => [...document.querySelectorAll('[data-keys] li')].map(line => line.dataset.public)

function checksOf(given) {
  const found = [], add = (title, ok, text) => found.push({ title, ok, text })
  add(say.signature, genuine('receipt', given.body, given.signature, given.key), null)
  found[0].text = found[0].ok ? say.signed : say.forged
  const known = published().includes(toHex(given.key))
  add(say.key, known, `${keyId(given.key)} ${known ? say.known : say.unknown}`)
  if (!given.proof) { add(say.proof, null, say.nowait); return found }
  const { head } = given.proof
  const told = { v: 1, size: head.size, root: head.root, at: head.at, previous: head.previous, key: head.key }
  const by = fromHex(head.public)
  const sealed = head.key === keyId(by) && published().includes(head.public) && genuine('head', utf8.encode(canonical(told)), fromHex(head.signature), by)
  add(say.head, sealed, sealed ? say.headSigned(head.size, local(head.at)) : say.headForged)
  const inside = included(fromHex(given.record.leaf), given.proof.position, head.size, given.proof.path.map(fromHex), fromHex(head.root))
  add(say.proof, inside, inside ? say.proven(given.proof.position + 1, head.size) : say.unproven)
  return found
}

async function keptHere(text) {
  const form = document.querySelector('[data-kept-form]')
  const answer = await fetch(form.action, { method: 'POST', body: text, headers: { 'X-CSRFToken': secret() || form.elements.csrfmiddlewaretoken.value, 'Content-Type': 'application/octet-stream' } }).catch(() => null)
  if (answer?.status === 422) return { title: say.kept, ok: null, text: say.notasked }
  if (!answer?.ok) return { title: say.kept, ok: null, text: say.nokept }
  const { ok, findings, ...called } = await answer.json()
  return { title: say.kept, ok, text: ok ? say.same : findings.join(' '), called }
}

/* ------------------------------------------------------------------ page */
const result = document.querySelector('[data-result]')
const local = text => new Intl.DateTimeFormat(chinese ? 'zh-CN' : 'en-GB', { timeZone: 'Asia/Shanghai', dateStyle: 'medium', timeStyle: 'medium' }).format(new Date(text))

function icon(name) {
  const svg = document.createElementNS('http://www.w3.org/2000/svg', 'svg'), use = document.createElementNS('http://www.w3.org/2000/svg', 'use')
  svg.setAttribute('class', 'fs-i'); svg.setAttribute('aria-hidden', 'true')
  use.setAttribute('href', `${document.querySelector('main use').getAttribute('href').split('#')[0]}#${name}`)
  svg.append(use)
  return svg
}

function line(check) {
  const item = document.createElement('li'), title = document.createElement('b'), text = document.createElement('p')
  item.className = check.ok === null ? 'fs-said--wait' : check.ok ? 'fs-said--good' : 'fs-said--bad'
  title.textContent = check.title; text.textContent = check.text
  item.append(icon(check.ok === null ? 'clock' : check.ok ? 'shield-check' : 'alert-triangle'), title, text)
  return item
}

function show(checks, record, code, called = {}) {
  const verdict = result.querySelector('[data-verdict]')
  const bad = checks.some(one => one.ok === false), waits = !bad && checks.some(one => one.title === say.proof && one.ok === null)
  const word = document.createElement('span')
  word.textContent = checks.every(one => one.unread) ? say.unread : bad ? say.bad : waits ? say.wait : say.good
  verdict.replaceChildren(icon(bad ? 'alert-triangle' : 'shield-check'), word)
  verdict.className = bad ? 'fs-said--bad' : 'fs-said--good'
  result.dataset.ok = String(!bad)
  result.querySelector('[data-checks]').replaceChildren(...checks.map(line))
  const rows = record ? [[say.code, code], [say.number, record.number], [say.kind, called.mechanism], [say.act, called.act ?? record.act], [say.state, called.state ?? record.state], [say.at, record.at && local(record.at)], [say.leaf, record.leaf]] : []
  result.querySelector('[data-says]').replaceChildren(...rows.filter(([, value]) => value).flatMap(([name, value]) => {
    const term = document.createElement('dt'), text = document.createElement('dd')
    term.textContent = name; text.textContent = value
    return [term, text]
  }))
  result.hidden = false
  result.scrollIntoView({ block: 'nearest' })
}

let turn = 0

async function judge(text) {
  const mine = ++turn
  let given, checks
  try { given = parse(text); checks = checksOf(given) } catch { show([{ title: say.file, ok: false, unread: true, text: say.unreadable }]); return }
  show(checks, given.record, given.code)
  const now = await keptHere(given.line)
  if (mine === turn) show([...checks, now], given.record, given.code, now.called)
}

async function byCode(code) {
  const address = document.querySelector('[data-code-form]').dataset.address.replace('CODE', encodeURIComponent(code.trim()))
  const answer = await fetch(address).catch(() => null)
  if (!answer) { show([{ title: say.code, ok: false, unread: true, text: say.offline }]); return }
  if (!answer.ok) { show([{ title: say.code, ok: false, unread: true, text: (await answer.json().catch(() => ({}))).said ?? say.nocode }]); return }
  await judge(await answer.text())
}

const given = text => text.trim().startsWith('FENGSUI1.') || text.trim().startsWith('{') ? judge(text) : byCode(text)

document.querySelector('[data-code-form]').addEventListener('submit', event => {
  event.preventDefault(); event.stopPropagation()
  const box = event.target.querySelector('input')
  if (box.value.trim()) given(box.value); else box.focus()
})

const drop = document.querySelector('[data-drop]')
drop.addEventListener('change', async event => { if (event.target.files[0]) judge(await event.target.files[0].text()); event.target.value = '' })
for (const name of ['dragenter', 'dragover']) drop.addEventListener(name, event => { event.preventDefault(); drop.classList.add('fs-drop--over') })
for (const name of ['dragleave', 'drop']) drop.addEventListener(name, () => drop.classList.remove('fs-drop--over'))
drop.addEventListener('drop', async event => { event.preventDefault(); const [file] = event.dataTransfer.files; if (file) judge(await file.text()) })

const fragment = () => { const text = decodeURIComponent(location.hash.slice(1)); if (text && text !== 'main') given(text) }
addEventListener('hashchange', fragment)
fragment()

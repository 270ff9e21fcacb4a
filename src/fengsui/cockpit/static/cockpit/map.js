/* The one map. The server has drawn it as SVG already; where WebGL answers, MapLibre takes its place. */
import { layers, levelIcon, levels, paint, siteIcon } from './maplayers.js'
import { replaying } from './replay.js'

const host = document.getElementById('map')
const sheet = document.getElementById('sheet')
const field = host.parentElement
const drawer = field.querySelector('.fs-map-drawer')
const tools = field.querySelector('.fs-map-tools')
const reading = field.querySelector('[data-map-reading]')
const chinese = document.documentElement.lang.startsWith('zh')
const names = JSON.parse(document.getElementById(host.dataset.names).textContent)
const WHOLE = [[97.2, 37.4], [126.1, 53.4]], DENSE = [[108.6, 38.6], [112.6, 41.6]]
const { tiles, credit } = JSON.parse(document.getElementById('map-base').textContent)
let map, situation = { counties: {}, marks: [] }, measuring = null

const say = (zh, en) => chinese ? zh : en

/* ------------------------------------------------------- places on the strip */
function lay(root) {
  root.querySelectorAll('.fs-map-hours [data-share]').forEach(item => { item.style.left = `${item.dataset.share}%` })
  const strip = root.querySelector('.fs-map-dues')
  if (!strip) return
  /* Three rows, first come first placed; what finds no room shows its mark alone in a fourth, its words on hover and focus. */
  const free = [-1, -1, -1], width = strip.parentElement.clientWidth
  let bare = -1
  strip.querySelectorAll('[data-share]').forEach(item => {
    const left = Number(item.dataset.share) / 100 * width
    let row = free.findIndex(until => until <= left)
    item.classList.toggle('fs-bare', row < 0)
    if (row < 0) {
      const at = Math.min(Math.max(left, bare), width - 16)
      item.style.left = `${at}px`
      item.style.top = '78px'
      bare = at + 16
      return
    }
    const room = Math.min(240, item.scrollWidth + 12)
    item.style.left = `${Math.min(left, width - room)}px`
    item.style.top = `${6 + row * 24}px`
    free[row] = left + room
  })
}
lay(document)
addEventListener('resize', () => lay(document))

/* ------------------------------------------------------------------ drawer */
function link(matter) {
  const item = document.createElement('li'), anchor = document.createElement('a'), title = document.createElement('span')
  anchor.href = matter.url
  title.textContent = matter.title
  anchor.append(levelMark(matter.level), title)
  item.append(anchor)
  return item
}

const levelWord = level => document.querySelector(`.fs-map-legend li:nth-child(${levels.indexOf(level) + 1}) .fs-level`)?.textContent.trim() ?? ''

function levelMark(level) {
  const shape = document.querySelector(`.fs-map-legend li:nth-child(${levels.indexOf(level) + 1}) svg`)
  return shape ? shape.cloneNode(true) : document.createElement('i')
}

function show(title, lines, matters, more) {
  drawer.replaceChildren()
  const head = document.createElement('header'), name = document.createElement('h2'), shut = document.createElement('button')
  name.textContent = title
  shut.type = 'button'; shut.className = 'fs-iconbtn'; shut.textContent = '×'
  shut.setAttribute('aria-label', say('关闭', 'Close'))
  shut.addEventListener('click', () => { drawer.hidden = true })
  head.append(name, shut)
  drawer.append(head)
  for (const line of lines) { const text = document.createElement('p'); text.textContent = line; drawer.append(text) }
  if (matters.length) { const list = document.createElement('ul'); list.append(...matters.map(link)); drawer.append(list) }
  if (more) { const anchor = document.createElement('a'); anchor.className = 'fs-btn fs-btn--small'; anchor.href = more.url; anchor.textContent = more.word; drawer.append(anchor) }
  drawer.hidden = false
}

function showCounty(code) {
  const open = situation.counties[code]?.open ?? 0, place = names[code] ?? { zh: code, en: code }
  show(chinese ? place.zh : place.en, [open ? say(`未结分级事项 ${open} 件`, `${open} open matters with a level`) : say('没有未结的分级事项。', 'No open matter with a level.')],
    situation.marks.filter(mark => mark.county === code).reverse(), { url: `${host.dataset.list}?place=${code}`, word: say('该旗县全部未结事项', 'All open cases of the county') })
}

document.addEventListener('keydown', event => { if (event.key === 'Escape') drawer.hidden = true })
sheet.addEventListener('click', event => { const county = event.target.closest('[data-county]'); if (county) showCounty(county.dataset.county) })

/* -------------------------------------------------------------------- live */
async function get(url) { const answer = await fetch(url, { headers: { accept: 'application/json' } }); if (!answer.ok) throw new Error(`${url}: ${answer.status}`); return answer.json() }

function markFeatures() {
  return { type: 'FeatureCollection', features: situation.marks.map((mark, index) => ({
    type: 'Feature', id: index, geometry: { type: 'Point', coordinates: mark.at },
    properties: { level: mark.level, rank: levels.indexOf(mark.level), title: mark.title, url: mark.url, name: (names[mark.county] ?? {})[chinese ? 'zh' : 'en'] ?? '' }
  })) }
}

/* The sheet's marks are those of the same moment as its counties: redrawn with them, now and in the replay. */
function drawMarks() {
  document.getElementById('sheet-marks').replaceChildren(...situation.marks.map(mark => {
    const [anchor, title, frame] = ['a', 'title', 'svg'].map(kind => document.createElementNS('http://www.w3.org/2000/svg', kind))
    const shape = levelMark(mark.level)
    anchor.setAttribute('href', mark.url)
    title.textContent = `${levelWord(mark.level)} ${mark.title}`
    for (const [name, value] of Object.entries({ x: mark.x, y: mark.y, width: 18, height: 18 })) frame.setAttribute(name, value)
    shape.setAttribute('width', 18)
    shape.setAttribute('height', 18)
    frame.append(shape)
    anchor.append(title, frame)
    return anchor
  }))
}

/* Where there are more marks than a map bears, it says so; nearer by, the worst of what is in view are drawn. */
let crowded = false
const few = field.querySelector('[data-unmarked-now]')

function sayUnmarked() {
  const { marks, unmarked } = situation
  few.hidden = past.on || !unmarked
  if (few.hidden) return
  const all = (marks.length + unmarked).toLocaleString('en'), shown = marks.length.toLocaleString('en')
  few.textContent = map && !situation.near
    ? say(`已标 ${shown} / 共 ${all} 件，级别高的优先，放大可看其余`, `${shown} of ${all} shown, the worst; zoom in for the others`)
    : say(`已标 ${shown} / 共 ${all} 件，级别高的优先，其余请点旗县查看`, `${shown} of ${all} shown, the worst; choose a county for the others`)
}

function view() {
  if (!map || !crowded) return ''
  const bounds = map.getBounds()
  return `?box=${[bounds.getWest(), bounds.getSouth(), bounds.getEast(), bounds.getNorth()].map(degree => degree.toFixed(4))}`
}

function drawSituation() {
  sayUnmarked()
  document.querySelectorAll('[data-county]').forEach(path => {
    const level = situation.counties[path.dataset.county]?.level
    path.setAttribute('class', level ? `fs-county fs-county--${level}` : 'fs-county')
  })
  drawMarks()
  if (!map?.getSource('marks')) return
  map.getSource('marks').setData(markFeatures())
  for (const code of Object.keys(names)) if (code.length === 6) map.setFeatureState({ source: 'counties', id: Number(code) }, { level: situation.counties[code]?.level ?? '' })
}

const past = replaying(document.getElementById('map-replay'), { url: host.dataset.now, chinese, show: seen => { situation = seen; drawSituation() }, live: () => refresh() })

let asked = 0

async function refresh() {
  if (past.on) return
  const turn = ++asked, seen = await get(host.dataset.now + view()).catch(() => null)
  if (!seen || past.on || turn !== asked) return // the replay has begun, or the map was moved on, while the answer was on its way
  crowded ||= seen.unmarked > 0
  situation = seen
  drawSituation()
}
let soon
document.addEventListener('fs:news', event => { if (event.detail.topic === 'case') { clearTimeout(soon); soon = setTimeout(refresh, 500) } })

/* --------------------------------------------------------------- MapLibre */
function webgl() {
  if (new URLSearchParams(location.search).get('svg') === '1') return false
  try { return Boolean(document.createElement('canvas').getContext('webgl2')) } catch { return false }
}

function graticule() {
  const features = []
  for (let lon = 95; lon <= 130; lon += 5) features.push({ type: 'Feature', properties: { words: `${lon}°E` }, geometry: { type: 'LineString', coordinates: [[lon, 36], [lon, 55]] } })
  for (let lat = 35; lat <= 55; lat += 5) features.push({ type: 'Feature', properties: { words: `${lat}°N` }, geometry: { type: 'LineString', coordinates: [[92, lat], [130, lat]] } })
  return { type: 'FeatureCollection', features }
}

async function start() {
  if (!webgl()) return
  const library = await import(host.dataset.maplibre)
  const maplibre = library.default?.Map ? library.default : library
  maplibre.setWorkerUrl(host.dataset.worker)
  host.hidden = false
  map = new maplibre.Map({
    container: host, bounds: WHOLE, fitBoundsOptions: { padding: { left: 90, right: 40, top: 40, bottom: 40 } }, minZoom: 2.5, maxZoom: 14, attributionControl: false,
    dragRotate: false, pitchWithRotate: false, localIdeographFontFamily: getComputedStyle(document.body).fontFamily,
    style: { version: 8, sources: {}, layers: [{ id: 'ground', type: 'background', paint: { 'background-color': paint('--ground') } }] }
  })
  map.touchZoomRotate.disableRotation()
  map.addControl(new maplibre.NavigationControl({ showCompass: false }), 'bottom-left')
  map.addControl(new maplibre.ScaleControl({ unit: 'metric' }), 'bottom-left')
  map.on('moveend', () => { if (crowded) { clearTimeout(soon); soon = setTimeout(refresh, 300) } })
  const loaded = new Promise(resolve => map.on('load', resolve))
  const [counties, leagues, rivers, sites, , ] = await Promise.all([get(host.dataset.counties), get(host.dataset.leagues), get(host.dataset.rivers), get(host.dataset.sites), refresh(), loaded, document.fonts.load('14px "Noto Sans SC Variable"', Object.values(names).map(name => name.zh).join(''))])
  const labels = { type: 'FeatureCollection', features: Object.entries(names).filter(([code]) => code.endsWith('00')).map(([, name]) => ({ type: 'Feature', properties: { name: chinese ? name.zh : name.en }, geometry: { type: 'Point', coordinates: name.at } })) }
  const data = { counties, leagues, rivers, sites, labels, graticule: graticule(), marks: markFeatures(), measure: { type: 'FeatureCollection', features: [] } }
  for (const [name, content] of Object.entries(data)) map.addSource(name, { type: 'geojson', data: content })
  if (tiles.length) map.addSource('base', { type: 'raster', tiles, tileSize: 256, attribution: credit })
  furnish()
  tools.hidden = false
  map.once('idle', () => { host.dataset.ready = ''; sheet.style.display = 'none' })
}

function furnish() {
  for (const level of levels) { if (map.hasImage(level)) map.removeImage(level); map.addImage(level, levelIcon(level), { pixelRatio: 2 }) }
  for (const kind of ['hazchem', 'mine', 'metal']) { if (map.hasImage(kind)) map.removeImage(kind); map.addImage(kind, siteIcon(kind), { pixelRatio: 2 }) }
  map.setPaintProperty('ground', 'background-color', paint('--ground'))
  for (const layer of layers(tiles.length > 0)) { if (map.getLayer(layer.id)) map.removeLayer(layer.id); map.addLayer(layer) }
  document.querySelectorAll('[data-layer]').forEach(box => { if (!box.checked) toggle(box) })
  drawSituation()
}

function toggle(box) {
  for (const layer of layers(tiles.length > 0)) if (layer.metadata.group === box.dataset.layer && map.getLayer(layer.id)) map.setLayoutProperty(layer.id, 'visibility', box.checked ? 'visible' : 'none')
}

/* ----------------------------------------------------------------- measure */
function kilometres(a, b) {
  const rad = Math.PI / 180, h = Math.sin((b[1] - a[1]) * rad / 2) ** 2 + Math.cos(a[1] * rad) * Math.cos(b[1] * rad) * Math.sin((b[0] - a[0]) * rad / 2) ** 2
  return 2 * 6371.0088 * Math.asin(Math.sqrt(h))
}

function measure(at) {
  measuring.push(at)
  const far = measuring.slice(1).reduce((sum, here, index) => sum + kilometres(measuring[index], here), 0)
  map.getSource('measure').setData({ type: 'FeatureCollection', features: [{ type: 'Feature', properties: {}, geometry: { type: 'LineString', coordinates: measuring } }, ...measuring.map(here => ({ type: 'Feature', properties: {}, geometry: { type: 'Point', coordinates: here } }))] })
  reading.textContent = say(`直线距离 ${far.toFixed(1)} km`, `${far.toFixed(1)} km in a straight line`)
}

function press(button) {
  if (button.dataset.map === 'whole') map.fitBounds(WHOLE, { padding: 40, duration: 600 })
  if (button.dataset.map === 'dense') map.fitBounds(DENSE, { padding: 20, duration: 600 })
  if (button.dataset.map === 'replay') button.setAttribute('aria-pressed', String(past.toggle()))
  if (button.dataset.map === 'measure') {
    measuring = measuring ? null : []
    button.setAttribute('aria-pressed', String(Boolean(measuring)))
    map.getCanvas().style.cursor = measuring ? 'crosshair' : ''
    reading.textContent = measuring ? say('在图上依次点选', 'Click along the line') : ''
    if (!measuring) map.getSource('measure').setData({ type: 'FeatureCollection', features: [] })
  }
}

function clicked(event) {
  if (measuring) { measure([event.lngLat.lng, event.lngLat.lat]); return }
  const [hit] = map.queryRenderedFeatures(event.point, { layers: ['marks', 'sites', 'counties'].filter(id => map.getLayer(id)) })
  if (!hit) return
  if (hit.layer.id === 'marks') show(hit.properties.title, [hit.properties.name], [], { url: hit.properties.url, word: say('打开事项', 'Open the case') })
  else if (hit.layer.id === 'sites') show(hit.properties[chinese ? 'zh' : 'en'], [], situation.marks.filter(mark => mark.site === hit.id), { url: host.dataset.site.replace('CODE', hit.properties.code), word: say('企业页面', 'Open the site') })
  else showCounty(hit.properties.code)
}

tools.addEventListener('click', event => { const button = event.target.closest('button[data-map]'); if (button) press(button) })
tools.addEventListener('change', event => { if (event.target.matches('[data-layer]')) toggle(event.target) })
document.addEventListener('fs:theme', () => { if (map) furnish() })
document.addEventListener('fs:renewed', event => lay(event.detail))
start().then(() => map?.on('click', clicked)).catch(() => { host.hidden = true; sheet.style.display = '' })
if (!webgl()) {
  /* The sheet replays too; what needs WebGL stays away. */
  for (const tool of tools.children) tool.hidden = tool.dataset.map !== 'replay'
  tools.hidden = false
  refresh()
}

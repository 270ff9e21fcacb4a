/* What the map is drawn with: layers in order, and the symbols, painted from the page's own tokens. */
export const levels = ['red', 'orange', 'yellow', 'blue']

export function paint(token) { return getComputedStyle(document.documentElement).getPropertyValue(token).trim() }

function canvas(size, draw) {
  const sheet = document.createElement('canvas')
  sheet.width = sheet.height = size * 2
  const pen = sheet.getContext('2d')
  pen.scale(2, 2)
  draw(pen)
  return pen.getImageData(0, 0, size * 2, size * 2)
}

const OUTLINES = {
  red: 'M5.1.9h5.8l4.2 4.2v5.8l-4.2 4.2H5.1L.9 10.9V5.1z', orange: 'M8 1.2 15.3 14.4H.7z',
  yellow: 'M8 .8 15.2 8 8 15.2.8 8z', blue: 'M8 .9a7.1 7.1 0 1 1 0 14.2A7.1 7.1 0 0 1 8 .9z'
}
const INSIDE = {
  red: ['#fff', 'M7.1 3.6h1.8l-.3 5.6H7.4zM8 10.4a1.1 1.1 0 1 1 0 2.2 1.1 1.1 0 0 1 0-2.2z'],
  orange: ['#171b21', 'M7.2 5.6h1.6l-.3 4.3h-1zM8 10.8a1 1 0 1 1 0 2 1 1 0 0 1 0-2z'],
  yellow: ['#171b21', 'M4.6 7.1h6.8v1.8H4.6z'], blue: [null, 'M8 5.6a2.4 2.4 0 1 1 0 4.8 2.4 2.4 0 0 1 0-4.8z']
}

/** The shape of a level, as on every page: octagon, triangle, diamond, circle. */
export function levelIcon(level) {
  return canvas(18, pen => {
    pen.translate(1, 1)
    const outline = new Path2D(OUTLINES[level]), letter = level[0]
    pen.fillStyle = paint(`--${letter}`); pen.strokeStyle = paint(`--${letter}-ln`); pen.lineWidth = 1
    pen.fill(outline); pen.stroke(outline)
    pen.fillStyle = INSIDE[level][0] ?? paint('--b-dot')
    pen.fill(new Path2D(INSIDE[level][1]))
  })
}

const SITES = { hazchem: 'M2 2h7v7H2z', mine: 'M3.2 2h4.6L10 9H1z', metal: 'M3.4 1.8h4.2L9.8 5.5 7.6 9.2H3.4L1.2 5.5z' }

/** A site's symbol: outlined, neutral. */
export function siteIcon(kind) {
  return canvas(11, pen => {
    const outline = new Path2D(SITES[kind])
    pen.fillStyle = paint('--sf'); pen.strokeStyle = paint('--tx2'); pen.lineWidth = 1.1
    pen.fill(outline); pen.stroke(outline)
  })
}

function line(id, source, group, color, width, extra = {}) {
  return { id, type: 'line', source, metadata: { group }, paint: { 'line-color': paint(color), 'line-width': width, ...extra } }
}

function text(id, source, group, field, size, extra = {}) {
  return {
    id, type: 'symbol', source, metadata: { group },
    layout: { 'text-field': ['get', field], 'text-size': size, 'text-font': ['sans'], 'text-max-width': 12, ...extra.layout },
    paint: { 'text-color': paint(extra.color ?? '--tx'), 'text-halo-color': paint('--ground'), 'text-halo-width': 1.7 }
  }
}

/** The layers from the ground up, over a licensed base map where there is one; `metadata.group` names the switch that hides them. */
export function layers(base = false) {
  const fill = ['match', ['coalesce', ['feature-state', 'level'], ''], 'red', paint('--county-r'), 'orange', paint('--county-o'), 'yellow', paint('--county-y'), 'blue', paint('--county-b'), paint('--county')]
  const under = base ? [{ id: 'base', type: 'raster', source: 'base', metadata: { group: 'base' } }] : []
  const veil = base ? .4 : 1 // a base map shows through the counties
  return [
    ...under,
    line('graticule', 'graticule', 'graticule', '--ln', 1),
    text('graticule-words', 'graticule', 'graticule', 'words', 11, { color: '--tx3', layout: { 'symbol-placement': 'line', 'symbol-spacing': 600, 'text-rotation-alignment': 'viewport' } }),
    { id: 'counties', type: 'fill', source: 'counties', metadata: { group: 'ground' }, paint: { 'fill-color': paint('--county'), 'fill-opacity': base ? 0 : 1 } },
    { id: 'county-levels', type: 'fill', source: 'counties', metadata: { group: 'counties' }, paint: { 'fill-color': fill, 'fill-opacity': veil } },
    line('rivers', 'rivers', 'rivers', '--water', .8),
    line('county-lines', 'counties', 'ground', '--county-ln', .6),
    line('league-lines', 'leagues', 'ground', '--league-ln', 1.1),
    { id: 'sites', type: 'symbol', source: 'sites', metadata: { group: 'sites' }, layout: { 'icon-image': ['get', 'kind'], 'icon-size': ['interpolate', ['linear'], ['zoom'], 4, .8, 8, 1.3], 'icon-allow-overlap': true, 'icon-ignore-placement': true }, paint: { 'icon-opacity': ['interpolate', ['linear'], ['zoom'], 5.5, .55, 7, 1] } },
    text('site-words', 'sites', 'sites', document.documentElement.lang.startsWith('zh') ? 'zh' : 'en', 12, { color: '--tx2', layout: { 'text-offset': [0, 1.1], 'text-anchor': 'top', 'text-optional': true } }),
    line('measure', 'measure', 'ground', '--act', 2.4, { 'line-dasharray': [2, 1.4] }),
    { id: 'measure-points', type: 'circle', source: 'measure', metadata: { group: 'ground' }, filter: ['==', ['geometry-type'], 'Point'], paint: { 'circle-radius': 4, 'circle-color': paint('--sf'), 'circle-stroke-color': paint('--act'), 'circle-stroke-width': 2 } },
    text('league-words', 'labels', 'ground', 'name', 14, { layout: { 'text-letter-spacing': .12 } }),
    {
      id: 'marks', type: 'symbol', source: 'marks', metadata: { group: 'marks' },
      layout: { 'icon-image': ['get', 'level'], 'icon-allow-overlap': true, 'symbol-sort-key': ['-', 4, ['get', 'rank']], 'text-field': ['case', ['<', ['get', 'rank'], 2], ['get', 'name'], ''], 'text-size': 13, 'text-font': ['sans'], 'text-offset': [.9, 0], 'text-anchor': 'left', 'text-optional': true },
      paint: { 'text-color': paint('--tx'), 'text-halo-color': paint('--ground'), 'text-halo-width': 1.7 }
    }
  ].map(layer => layer.id === 'site-words' ? { ...layer, minzoom: 8 } : layer)
}

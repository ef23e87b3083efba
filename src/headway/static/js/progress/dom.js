// @ts-check
/** Small helpers that make nodes. Text goes in as text, never as HTML. */

/**
 * @template {keyof HTMLElementTagNameMap} K
 * @param {K} tag
 * @param {string} name the class is `hw-NAME`, and so is the shadow part NAME
 * @param {Record<string, string>} [attributes]
 * @param {(Node | string)[]} children
 * @returns {HTMLElementTagNameMap[K]}
 */
export function make(tag, name, attributes = {}, ...children) {
  const node = document.createElement(tag);
  node.className = `hw-${name}`;
  node.setAttribute('part', name);
  for (const [key, value] of Object.entries(attributes)) node.setAttribute(key, value);
  node.append(...children);
  return node;
}

/**
 * Writes only what is another text, so that selections and screen readers are left alone.
 * @param {Node} node @param {string} text
 */
export function write(node, text) {
  if (node.textContent !== text) node.textContent = text;
}

/** @param {Element} node @param {string} name @param {string | number | null} value null removes */
export function attribute(node, name, value) {
  if (value == null) node.removeAttribute(name);
  else if (node.getAttribute(name) !== String(value)) node.setAttribute(name, String(value));
}

/** @param {HTMLElement} node @param {boolean} visible */
export function toggle(node, visible) {
  if (node.hidden === visible) node.hidden = !visible;
}

const RING = 'M12 3a9 9 0 1 1 0 18a9 9 0 0 1 0-18z';
const SIGN = 'M12 3.5l9.5 17h-19zM12 10v4.5M12 17.4v.1';
const ARC = 'M21 12a9 9 0 1 1-6-8.5';
/** Shapes that differ without their colours. @type {Record<string, string>} */
const shapes = {
  idle: RING,
  waiting: `${RING}M12 7.5V12l3 2`,
  running: ARC,
  cancelling: `${ARC}M9.5 9.5h5v5h-5z`,
  cancelled: `${RING}M5.7 5.7l12.6 12.6`,
  failed: SIGN,
  completed: `${RING}M8 12.3l2.8 2.8L16 9.6`,
  reconnecting: 'M20 11a8 8 0 0 0-14.6-3.5L3 10M3 4.5V10h5.5M4 13a8 8 0 0 0 14.6 3.5L21 14M21 19.5V14h-5.5',
  lost: 'M3 3l18 18M5 12a11 11 0 0 1 4-2.4M19 12a11 11 0 0 0-5-2.7M8.5 16a5 5 0 0 1 7 0M12 20v.1',
  skipped: `${RING}M8.5 12h7`,
  unknown: SIGN,
  silent: `${RING}M9.5 9v6M14.5 9v6`,
};

/** An icon whose shape can change. */
export function icon() {
  const svg = document.createElementNS('http://www.w3.org/2000/svg', 'svg');
  const path = document.createElementNS('http://www.w3.org/2000/svg', 'path');
  svg.setAttribute('viewBox', '0 0 24 24');
  svg.setAttribute('aria-hidden', 'true');
  svg.setAttribute('class', 'hw-icon');
  svg.setAttribute('part', 'icon');
  svg.append(path);
  const show = (/** @type {string} */ shape) => {
    const d = shapes[shape] ?? RING;
    if (path.getAttribute('d') === d) return;
    path.setAttribute('d', d);
    // A page's `* { all: unset }` would take the attribute's shape away.
    path.style.setProperty('d', `path("${d}")`);
  };
  return { svg, show };
}

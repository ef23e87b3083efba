// @ts-check
/** Building DOM for the test page: text goes in as text. */

/** @param {string} id @returns {any} */
export function byId(id) {
  const element = document.getElementById(id);
  if (!element) throw new Error(`the page has no #${id}`);
  return element;
}

/**
 * @template {keyof HTMLElementTagNameMap} K
 * @param {K} tag @param {Record<string, any>} [attributes] @param {...any} children
 * @returns {HTMLElementTagNameMap[K]}
 */
export function h(tag, attributes = {}, ...children) {
  const element = document.createElement(tag);
  for (const [name, value] of Object.entries(attributes)) {
    if (value === null || value === undefined || value === false) continue;
    if (name.startsWith('on')) element.addEventListener(name.slice(2), value);
    else element.setAttribute(name, String(value));
  }
  element.append(...children.filter((child) => child !== null && child !== undefined && child !== false));
  return element;
}

/** @param {Element} parent @param {HTMLElement} child replaces what is there, unless it reads the same */
export function fill(parent, child) {
  if (parent.firstElementChild?.outerHTML !== child.outerHTML) parent.replaceChildren(child);
}

/** @param {string} name */
export function icon(name) {
  const svg = document.createElementNS('http://www.w3.org/2000/svg', 'svg');
  svg.setAttribute('class', 'icon');
  svg.setAttribute('aria-hidden', 'true');
  const use = document.createElementNS('http://www.w3.org/2000/svg', 'use');
  // frame.js brings the drawings into the page, for when the network is down.
  use.setAttribute('href', document.getElementById(`icon-${name}`) ? `#icon-${name}` : `img/icons.svg#${name}`);
  svg.append(use);
  return svg;
}

/** @param {string} state @param {string} shape @param {string} text */
export const badge = (state, shape, text) => h('span', { class: 'badge', 'data-state': state || null }, icon(shape), text);

/** @param {HTMLElement} list @param {[string, string | number][]} values */
export function readings(list, values) {
  while (list.children.length < values.length) list.append(h('div', {}, h('dt'), h('dd')));
  values.forEach(([name, value], n) => {
    say(list.children[n]?.firstElementChild, name);
    say(list.children[n]?.lastElementChild, String(value));
  });
}

/** @param {Element | null | undefined} element @param {string} text */
function say(element, text) {
  if (element && element.textContent !== text) element.textContent = text;
}

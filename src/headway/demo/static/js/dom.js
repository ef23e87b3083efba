// @ts-check
/** Building DOM: text goes in as text, never as HTML. */

/** Where the app is mounted: '' or '/prefix'. */
export const root = document.documentElement.dataset.root ?? '';

/** @typedef {Node | string | number | null | undefined | false} Child */

/**
 * An element: `on…` are listeners, `class` the classes, true/false/null set or leave attributes, all else attributes.
 * @template {keyof HTMLElementTagNameMap} K
 * @param {K} tag
 * @param {Record<string, any>} [attributes]
 * @param {...(Child | Child[])} children
 * @returns {HTMLElementTagNameMap[K]}
 */
export function h(tag, attributes = {}, ...children) {
  const element = document.createElement(tag);
  for (const [name, value] of Object.entries(attributes)) {
    if (value === null || value === undefined || value === false) continue;
    if (name.startsWith('on')) element.addEventListener(name.slice(2), value);
    else element.setAttribute(name, value === true ? '' : String(value));
  }
  append(element, children);
  return element;
}

/** @param {Element} parent @param {(Child | Child[])[]} children */
export function append(parent, children) {
  for (const child of children.flat()) {
    if (child === null || child === undefined || child === false) continue;
    parent.append(child instanceof Node ? child : String(child));
  }
}

/** @param {Element} parent @param {...(Child | Child[])} children */
export function fill(parent, ...children) {
  parent.replaceChildren();
  append(parent, children);
}

/** @param {string} name @returns {SVGSVGElement} */
export function icon(name) {
  const svg = document.createElementNS('http://www.w3.org/2000/svg', 'svg');
  svg.setAttribute('class', 'icon');
  svg.setAttribute('aria-hidden', 'true');
  const use = document.createElementNS('http://www.w3.org/2000/svg', 'use');
  // frame.js brings the drawings into the page: a banner that says that the server is away can't ask it for its icon.
  use.setAttribute('href', document.getElementById(`icon-${name}`) ? `#icon-${name}` : `${root}/static/img/icons.svg#${name}`);
  svg.append(use);
  return svg;
}

/**
 * The element with this id, which the template has.
 * @param {string} id
 * @returns {any}
 */
export function byId(id) {
  const element = document.getElementById(id);
  if (!element) throw new Error(`the page has no #${id}`);
  return element;
}

/** Puts `text` into `element` only when it differs: screen readers hear a change only when there is one.
 * @param {Element} element @param {string} text */
export function say(element, text) {
  if (element.textContent !== text) element.textContent = text;
}

let /** @type {HTMLElement | undefined} */ toastElement;
let toastTimer = 0;

/** A word at the foot of the page, for a moment.
 * @param {string} text */
export function toast(text) {
  toastElement ??= document.body.appendChild(h('p', { class: 'toast', role: 'status', hidden: true }));
  toastElement.hidden = false;
  toastElement.textContent = text;
  clearTimeout(toastTimer);
  toastTimer = window.setTimeout(() => toastElement && (toastElement.hidden = true), 2600);
}

/**
 * Asks before something is lost.
 * @param {{title: string, text: string, yes: string, no: string}} words
 * @returns {Promise<boolean>}
 */
export function confirm({ title, text, yes, no }) {
  return new Promise((resolve) => {
    const titleId = 'confirm-title';
    const dialog = h('dialog', { 'aria-labelledby': titleId },
      h('h2', { id: titleId }, title), h('p', {}, text),
      h('form', { method: 'dialog', class: 'button-row' },
        h('button', { class: 'button', value: 'no', autofocus: true }, no),
        h('button', { class: 'button danger', value: 'yes' }, yes)));
    dialog.addEventListener('close', () => {
      dialog.remove();
      resolve(dialog.returnValue === 'yes');
    });
    document.body.append(dialog);
    dialog.showModal();
  });
}

/**
 * Puts text on the clipboard. False where the browser lets nobody.
 * @param {string | Promise<string>} text a promise for what must be asked for first; as it fails, so does this
 * @returns {Promise<boolean>}
 */
export async function copyText(text) {
  const coming = Promise.resolve(text);
  try {
    // Now, with the text to come: Safari lets a page copy in the click itself only, not in what follows an answer.
    await navigator.clipboard.write([new ClipboardItem({ 'text/plain': coming.then((known) => new Blob([known], { type: 'text/plain' })) })]);
    return true;
  } catch {
    // Not a secure context (plain http on a LAN), or not allowed: the old way still works on a click.
    const area = h('textarea', { class: 'visually-hidden', 'aria-hidden': 'true' });
    area.value = await coming;
    document.body.append(area);
    area.select();
    const done = document.execCommand('copy');
    area.remove();
    return done;
  }
}

/** A heading that breaks between phrases: Chinese has no spaces to break at, and a break within a phrase is ugly.
 * @param {string} text @returns {Child[]} */
export function phrases(text) {
  if (!/[\u3400-\u9fff]/.test(text)) return [text];
  // What is between two words stays between two phrases: at the beginning of one it would not be seen.
  return (text.match(/\s+|[^\s，。！？：；、｜,!?;][^，。！？：；、｜,!?;]*[，。！？：；、｜,!?;”’」』）]*|[^]/g) ?? [])
    .map((part) => (part.trim() ? h('span', { class: 'phrase' }, part) : part));
}

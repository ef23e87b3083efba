// @ts-check
/** Where this script came from: its stylesheet and its rarer parts are beside it. */

/** The classic script knows where it came from only while it first runs; `import.meta` is empty there. */
const source =
  import.meta.url || /** @type {HTMLScriptElement | null} */ (globalThis.document?.currentScript)?.src || '';

/** `static/js/`, also when the sources are loaded as they are. */
const folder = /^https?:/.test(source) ? source.replace(/(\/progress)?\/[^/]*$/, '/') : '/static/js/';

/** @param {string} path from `static/js/` */
export const beside = (path) => new URL(path, new URL(folder, globalThis.location?.href)).href;

/** @type {Promise<typeof import('./more.js')> | undefined} */
let loaded;
let tries = 0;

/** The parts that most pages never need, loaded once. Rejects while the server can't be reached. */
export function loadMore() {
  // A browser may remember that a module could not be had: another address asks again.
  loaded ??= import(beside('progress-more.mjs') + (tries++ ? `?${tries}` : ''));
  loaded.catch(() => (loaded = undefined));
  return loaded;
}

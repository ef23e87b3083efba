// @ts-check
/**
 * Brings progress.css along, so that a page needs one script only. A `<link>` passes any CSP that allows the page's
 * own styles.
 */

import { beside } from './here.js';

/**
 * Links the stylesheet where `bar` needs it: once a document, once a shadow tree. Until it is there nothing shows.
 * @param {HTMLElement} bar @param {string | null} [given] its address, null for none
 */
export function linkStylesheet(bar, given) {
  const url = given === undefined ? beside('../css/progress.css') : given;
  const root = bar.getRootNode();
  const place = root instanceof ShadowRoot ? root : document.head;
  if (!url || [...place.querySelectorAll('link')].some(({ href }) => href.split('?')[0] === url)) return;
  const link = document.createElement('link');
  link.rel = 'stylesheet';
  link.href = url;
  bar.style.visibility = 'hidden';
  link.onload = link.onerror = () => bar.style.removeProperty('visibility');
  place.prepend(link);
}

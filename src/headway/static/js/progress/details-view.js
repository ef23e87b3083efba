// @ts-check
/** What else the caller told: a few names and values. */

import { make, toggle, write } from './dom.js';

/** Details that have a place of their own. */
const PLACED = ['completed', 'total', 'unit', 'current'];
const MOST_DETAILS = 8;

export class DetailsView {
  root = make('dl', 'details');
  #wanted;

  /** @param {boolean} wanted */
  constructor(wanted) {
    this.#wanted = wanted;
  }

  /** @param {unknown} _ @param {Record<string, unknown>} details */
  draw(_, details) {
    const rows = Object.entries(this.#wanted ? details : {})
      .filter(([key, value]) => !PLACED.includes(key) && /^(string|number|boolean)$/.test(typeof value))
      .slice(0, MOST_DETAILS);
    toggle(this.root, rows.length > 0);
    while (this.root.children.length > rows.length) this.root.lastChild?.remove();
    rows.forEach(([key, value], i) => {
      const row =
        this.root.children[i] ??
        this.root.appendChild(
          make('div', 'detail', {}, make('dt', 'key', { dir: 'auto' }), make('dd', 'value', { dir: 'auto' })),
        );
      write(/** @type {Node} */ (row.firstChild), key);
      write(/** @type {Node} */ (row.lastChild), String(value));
    });
  }
}

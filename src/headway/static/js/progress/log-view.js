// @ts-check
/** The log of a task: follows the newest line until one scrolls up; can be searched and copied; says what is gone. */

/** @import { LogLine, LogPayload } from './types.js' */
/** @import { Words } from './internal.js' */
import { attribute, make, toggle, write } from './dom.js';

/** As many as the server keeps. */
const MOST_LINES = 10_000;
/** This close to the end counts as being there. */
const NEAR_PX = 24;

export class LogView {
  #say;
  #search;
  #follow;
  #copy;
  #lines = make('div', 'lines', { role: 'log', 'aria-live': 'off', tabindex: '0' });
  #gone = make('div', 'gone', { hidden: '' });
  #empty = make('div', 'gone');
  #following = true;
  #epoch = '';
  #last = 0;
  #missed = 0;
  #top = 0;

  /** @param {Words} say @param {AbortSignal} signal */
  constructor(say, signal) {
    this.#say = say;
    this.#search = make('input', 'search', { type: 'search', 'aria-label': say('search'), placeholder: say('search') });
    this.#follow = make('button', 'button', { type: 'button', 'aria-pressed': 'true' }, say('follow'));
    this.#copy = make('button', 'button', { type: 'button' }, say('copy'));
    attribute(this.#lines, 'aria-label', say('log'));
    this.root = make(
      'div',
      'log',
      { hidden: '' },
      make('div', 'tools', {}, this.#search, this.#follow, this.#copy),
      this.#gone,
      this.#empty,
      this.#lines,
    );
    this.#search.addEventListener('input', () => this.#filter(), { signal });
    this.#lines.addEventListener('scroll', () => this.#scrolled(), { signal, passive: true });
    this.#follow.addEventListener('click', () => this.#keepUp(true), { signal });
    this.#copy.addEventListener('click', () => this.#copyAll(), { signal });
    this.#filter();
  }

  /** @param {boolean} open */
  open(open) {
    toggle(this.root, open);
    this.#keepUp(this.#following);
  }

  /** The next line that is wanted. */
  get next() {
    return this.#last + 1;
  }

  clear() {
    this.#lines.replaceChildren();
    this.#last = 0;
    this.#missed = 0;
    this.#epoch = '';
    toggle(this.#gone, false);
    this.#filter();
  }

  /**
   * Takes what follows on what is there; what is there already is left out.
   * @param {LogPayload} payload
   * @returns {boolean} false: there is a gap, ask again from `next`; what comes then is all that can be had
   */
  add({ epoch, lines, truncated_before: gone = 0 }) {
    if (epoch && this.#epoch && epoch !== this.#epoch) this.clear();
    this.#epoch = epoch || this.#epoch;
    if (gone > this.next) {
      this.#last = gone - 1;
      write(this.#gone, this.#say('linesGone', { n: gone }));
      toggle(this.#gone, true);
    }
    const fresh = (lines ?? []).filter((line) => line.n > this.#last);
    if (!fresh.length) return true;
    if (/** @type {LogLine} */ (fresh[0]).n > this.next && this.#missed !== this.next) {
      this.#missed = this.next;
      return false;
    }
    this.#lines.append(...fresh.map((line) => this.#line(line)));
    this.#last = /** @type {LogLine} */ (fresh.at(-1)).n;
    while (this.#lines.children.length > MOST_LINES) this.#lines.firstChild?.remove();
    this.#told();
    this.#keepUp(this.#following);
    return true;
  }

  /** @param {LogLine} line */
  #line({ t, level, text }) {
    const time = new Date(t * 1000).toLocaleTimeString(this.#say.locale, { hour12: false });
    const node = make('div', 'entry', { 'data-level': String(level) });
    node.append(
      make('time', 'time', {}, time),
      make('span', 'level', {}, String(level)),
      make('span', 'words', { dir: 'auto' }, String(text)),
    );
    node.hidden = !this.#matches(node);
    return node;
  }

  /** @param {Element} node */
  #matches(node) {
    const wanted = this.#search.value.trim().toLowerCase();
    return !wanted || !!node.lastChild?.textContent?.toLowerCase().includes(wanted);
  }

  #filter() {
    for (const node of this.#lines.children) /** @type {HTMLElement} */ (node).hidden = !this.#matches(node);
    this.#told();
    this.#keepUp(this.#following);
  }

  #told() {
    const any = !!this.#lines.querySelector(':scope > :not([hidden])');
    write(this.#empty, this.#say(this.#lines.firstChild ? 'noMatch' : 'noLines'));
    toggle(this.#empty, !any);
    toggle(this.#lines, any);
  }

  #scrolled() {
    const { scrollHeight, scrollTop, clientHeight } = this.#lines;
    // Lines that turn out longer than was reckoned also put the end away: only who scrolls up wants to stay.
    if (scrollHeight - scrollTop - clientHeight < NEAR_PX) this.#mark(true);
    else if (scrollTop < this.#top) this.#mark(false);
    this.#top = scrollTop;
  }

  /** @param {boolean} wanted */
  #keepUp(wanted) {
    this.#mark(wanted);
    this.#toEnd();
  }

  /** How long lines are is known only once they are seen: again, until nothing moves. @param {number} [before] */
  #toEnd(before) {
    const { scrollHeight } = this.#lines;
    if (!this.#following || scrollHeight === before) return;
    this.#lines.scrollTop = scrollHeight;
    requestAnimationFrame(() => requestAnimationFrame(() => this.#toEnd(scrollHeight)));
  }

  /** @param {boolean} following */
  #mark(following) {
    this.#following = following;
    attribute(this.#follow, 'aria-pressed', String(following));
  }

  async #copyAll() {
    const shown = [...this.#lines.children].filter((node) => !(/** @type {HTMLElement} */ (node).hidden));
    const text = shown.map((node) => [...node.children].map((part) => part.textContent).join(' ')).join('\n');
    try {
      await navigator.clipboard.writeText(text);
      write(this.#copy, this.#say('copied'));
      this.#copy.addEventListener('blur', () => write(this.#copy, this.#say('copy')), { once: true });
    } catch {
      // No clipboard here (no permission, or no HTTPS): select the lines, so that the keyboard can copy them.
      getSelection()?.selectAllChildren(this.#lines);
    }
  }
}

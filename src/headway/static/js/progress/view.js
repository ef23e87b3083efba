// @ts-check
/** The bar's nodes: what `task.js` derived, in words. DOM and ARIA only, nothing is decided here. */

/** @import { HeadwayError, Task } from './types.js' */
/** @import { Note, Shown, Words } from './internal.js' */
import { attribute, icon, make, toggle, write } from './dom.js';
import { amount, duration } from './estimate.js';
import { readable } from './words.js';

/** @typedef {'cancel' | 'retry' | 'reconnect' | 'log'} Wish */
/** @typedef {{ root: Element, draw: (task: Task | null, details: Record<string, unknown>) => void }} Part */
/**
 * @typedef {object} Choices
 * @property {string} label
 * @property {boolean} showStages
 * @property {boolean} showTime
 * @property {boolean} showDetails
 */

export class View {
  #say;
  #choices;
  #icon = icon();
  #title = make('div', 'title', { dir: 'auto' });
  #doing = make('div', 'doing', { dir: 'auto' });
  #percent = make('div', 'percent', { 'aria-hidden': 'true' });
  #fill = make('div', 'fill');
  #track = make('div', 'track', { role: 'progressbar', 'aria-valuemin': '0', 'aria-valuemax': '100' }, this.#fill);
  #message = make('span', 'message', { dir: 'auto' });
  #current = make('span', 'current', { dir: 'auto' });
  #meta = make('span', 'meta', { dir: 'auto' });
  #error = make('div', 'error', { dir: 'auto' });
  #notes = make('span', 'notes', { dir: 'auto' });
  #spoken = make('div', 'spoken', { role: 'status' });
  #rest = make('div', 'rest');
  /** @type {Part[]} */
  #parts = [];
  /** @type {Record<Wish, HTMLButtonElement>} */
  #buttons;

  /**
   * @param {Node} host
   * @param {{ say: Words, choices: Choices, signal: AbortSignal, onWish: (wish: Wish) => void }} options
   */
  constructor(host, { say, choices, signal, onWish }) {
    this.#say = say;
    this.#choices = choices;
    const button = (/** @type {Wish} */ wish) => {
      const node = make('button', 'button', { type: 'button', dir: 'auto', hidden: '', 'data-wish': wish }, say(wish));
      node.addEventListener('click', () => node.getAttribute('aria-disabled') || onWish(wish), { signal });
      return node;
    };
    this.#buttons = {
      log: button('log'),
      retry: button('retry'),
      reconnect: button('reconnect'),
      cancel: button('cancel'),
    };
    this.buttons = make('span', 'buttons', {}, ...Object.values(this.#buttons));
    this.root = make(
      'div',
      'bar',
      { role: 'group', tabindex: '-1' },
      make('div', 'head', {}, this.#icon.svg, make('div', 'titles', {}, this.#title, this.#doing), this.#percent),
      this.#track,
      make('div', 'line', {}, make('span', 'texts', {}, this.#message, this.#current), this.#meta),
      this.#error,
      this.#rest,
      make('div', 'foot', {}, this.#notes, this.buttons),
      this.#spoken,
    );
    this.root.classList.add('hw');
    host.appendChild(this.root);
  }

  /**
   * @param {Shown} shown
   * @param {{ task: Task | null, rate: string, left: string, may: Record<'cancel' | 'retry' | 'log', boolean> }} more
   */
  draw(shown, { task, rate, left, may }) {
    const say = this.#say;
    const details = task?.details && typeof task.details === 'object' ? task.details : {};
    const title = text(task?.name) || this.#choices.label;
    const doing = this.doing(shown);
    const retry = (task?.attempt ?? 1) > 1 ? say('attempt', { n: task?.attempt }) : '';

    attribute(this.root, 'data-look', shown.look);
    attribute(this.root, 'data-trouble', shown.trouble);
    attribute(this.root, 'data-moving', shown.moving ? '' : null);
    attribute(this.root, 'data-known', shown.percent == null ? null : '');
    attribute(this.root, 'aria-label', title || say('progress'));
    this.#icon.show(shown.trouble && shown.trouble !== 'quiet' ? shown.trouble : shown.look);
    write(this.#title, title || doing);
    write(this.#doing, joined(title ? doing : '', retry));
    write(this.#percent, this.percent(shown));
    this.#drawTrack(shown, title, doing);

    write(this.#message, text(task?.message));
    const current = this.#choices.showDetails ? text(details.current) : '';
    write(this.#current, current === text(task?.message) ? '' : current);
    const { showDetails, showTime } = this.#choices;
    const meta = joined(...(showDetails ? [amount(details, say), rate] : []), showTime ? left : '');
    // No line begins with a dot.
    write(this.#meta, meta.replaceAll(' ·', '\u00a0·'));
    const error = task?.state === 'failed' && shown.look === 'failed' ? this.#errorText(task) : '';
    write(this.#error, error);
    toggle(this.#error, !!error);
    for (const part of this.#parts) part.draw(task, details);
    write(this.#notes, joined(...shown.notes.map((note) => this.#noteText(note))));
    this.#drawButtons(shown, may);
  }

  /** Reads out what has just changed. @param {string} words */
  speak(words) {
    write(this.#spoken, words);
  }

  /** What is going on, in words. @param {Shown} shown */
  doing(shown) {
    return 'label' in shown.doing ? shown.doing.label : readable(shown.doing.name, this.#say);
  }

  /** @param {boolean} open @param {import('./log-view.js').LogView | null} log */
  openLog(open, log) {
    if (log && !log.root.isConnected) this.root.append(log.root);
    log?.open(open);
    attribute(this.#buttons.log, 'aria-expanded', String(open));
  }

  get isWhole() {
    return this.#parts.length > 0;
  }

  /** The steps, and what else the caller told: they come when there are any. @param {Part[]} parts */
  complete(...parts) {
    this.#parts = parts;
    this.#rest.replaceChildren(...parts.map(({ root }) => root));
  }

  remove() {
    this.root.remove();
  }

  /** @param {Pick<Shown, 'percent'>} shown */
  percent({ percent }) {
    return percent == null ? '' : this.#say('percent', { n: percent });
  }

  /** @param {Shown} shown @param {string} title @param {string} doing */
  #drawTrack(shown, title, doing) {
    attribute(this.#track, 'aria-label', title || this.#say('progress'));
    attribute(this.#track, 'aria-valuenow', shown.percent);
    attribute(this.#track, 'aria-valuetext', joined(this.percent(shown), doing));
    const value = String(Math.round(shown.fraction * 1e4) / 100);
    if (this.#fill.style.getPropertyValue('--hw-value') !== value) this.#fill.style.setProperty('--hw-value', value);
  }

  /** @param {Task} task */
  #errorText({ error, message }) {
    const code = text(error?.code);
    const ours = `failed_${code}`;
    const said = this.#say.has(ours) ? this.#say(ours) : text(error?.message);
    const words = said || (code === 'failed' ? '' : readable(code, this.#say));
    return words === text(message) ? '' : words;
  }

  /** @param {Note} note */
  #noteText({ key, values, seconds, code, text: own }) {
    if (key === 'problem') return code && this.#say.has(code) ? this.#say(code) : own || code || '';
    return this.#say(key, seconds == null ? values : { time: duration(seconds, this.#say) });
  }

  /** @param {Shown} shown @param {Record<'cancel' | 'retry' | 'log', boolean>} may */
  #drawButtons({ buttons }, may) {
    const root = /** @type {Document | ShadowRoot} */ (this.root.getRootNode());
    const focused = Object.values(this.#buttons).find((button) => button === root.activeElement);
    toggle(this.#buttons.cancel, buttons.cancel && may.cancel);
    write(this.#buttons.cancel, this.#say(buttons.cancelling ? 'cancelling' : 'cancel'));
    // Not `disabled`: that would drop the focus of whoever has just pressed it.
    attribute(this.#buttons.cancel, 'aria-disabled', buttons.cancelling ? 'true' : null);
    toggle(this.#buttons.retry, buttons.retry && may.retry);
    toggle(this.#buttons.reconnect, buttons.reconnect);
    toggle(this.#buttons.log, may.log);
    if (focused?.hidden)
      (
        Object.values(this.#buttons).find((button) => !button.hidden && button !== this.#buttons.log) ?? this.root
      ).focus();
  }
}

/** @param {unknown} value */
const text = (value) => (typeof value === 'string' || typeof value === 'number' ? String(value) : '');

/** @param {string[]} parts */
const joined = (...parts) => parts.filter(Boolean).join(' · ');

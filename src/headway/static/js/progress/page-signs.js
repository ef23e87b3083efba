// @ts-check
/** Opt-in signs outside the bar: the tab's title, its icon, a notification at the end. */

/** @import { Task } from './types.js' */
/** @import { Shown, Words } from './internal.js' */
import { attribute, make, toggle, write } from './dom.js';
import { isFinal } from './task.js';

const SIZE = 32;

export class PageSigns {
  #title;
  #icon;
  #notice;

  /**
   * @param {{ tabTitle: boolean, favicon: boolean, notify: boolean }} wanted
   * @param {Words} say @param {Element} buttons where the bar has its buttons @param {AbortSignal} signal
   */
  constructor({ tabTitle, favicon, notify }, say, buttons, signal) {
    this.#title = tabTitle ? new TabTitle() : null;
    this.#icon = favicon ? new Favicon() : null;
    this.#notice = notify ? new Notice(say, buttons, signal) : null;
  }

  /**
   * @param {Shown} shown @param {Task | null} task @param {string} words what to say before the title
   * @param {string} color
   */
  show(shown, task, words, color) {
    this.#title?.show(shown.look === 'idle' ? '' : words);
    if (shown.look !== 'idle') this.#icon?.show(shown, color);
    this.#notice?.show(task);
  }

  remove() {
    this.#title?.show('');
    this.#icon?.remove();
  }
}

/** Puts '42% · ' before the page's title. */
class TabTitle {
  #own = '';

  /** @param {string} prefix '' takes it away again */
  show(prefix) {
    const page =
      this.#own && document.title.startsWith(this.#own) ? document.title.slice(this.#own.length) : document.title;
    this.#own = prefix && `${prefix} · `;
    if (document.title !== this.#own + page) document.title = this.#own + page;
  }
}

/** A ring that fills, in place of the page's icon. */
class Favicon {
  /** @type {HTMLLinkElement | null} */
  #link = null;
  #drawn = '';

  /** @param {Shown} shown @param {string} color */
  show({ percent, look }, color) {
    const key = `${percent} ${look} ${color}`;
    const context = key === this.#drawn ? null : document.createElement('canvas').getContext('2d');
    if (!context) return;
    this.#drawn = key;
    context.canvas.width = context.canvas.height = SIZE;
    context.lineWidth = 6;
    const arc = (/** @type {string} */ style, /** @type {number} */ part) => {
      context.strokeStyle = style;
      context.beginPath();
      context.arc(SIZE / 2, SIZE / 2, SIZE / 2 - 4, -Math.PI / 2, Math.PI * (2 * part - 0.5));
      context.stroke();
    };
    arc('#8888', 1);
    arc(color, (percent ?? 25) / 100);
    if (!this.#link) {
      this.#link = document.createElement('link');
      this.#link.rel = 'icon';
      document.head.append(this.#link);
    }
    this.#link.href = context.canvas.toDataURL();
  }

  remove() {
    this.#link?.remove();
    this.#link = null;
    this.#drawn = '';
  }
}

/** Offers to tell a person who is elsewhere that the task has ended. Permission is asked for on a click only. */
class Notice {
  #say;
  #button;
  #wanted = false;
  #ended = true;

  /** @param {Words} say @param {Element} buttons @param {AbortSignal} signal */
  constructor(say, buttons, signal) {
    this.#say = say;
    this.#button = make('button', 'button', { type: 'button' }, say('notify'));
    buttons.prepend(this.#button);
    this.#button.addEventListener('click', () => this.#ask(), { signal });
  }

  async #ask() {
    if (this.#wanted || (await Notification.requestPermission()) !== 'granted') return;
    this.#wanted = true;
    write(this.#button, this.#say('notifyOn'));
    attribute(this.#button, 'aria-disabled', 'true');
  }

  /** @param {Task | null} task */
  show(task) {
    const ended = isFinal(task);
    const can = 'Notification' in globalThis && Notification.permission !== 'denied';
    toggle(this.#button, can && !!task && !ended);
    if (task && ended && !this.#ended && this.#wanted) this.#tell(task);
    this.#ended = ended || !task;
  }

  /** @param {Task} task */
  #tell(task) {
    if (!document.hidden && document.hasFocus()) return;
    try {
      const body = [this.#say(task.state), task.message].filter(Boolean).join(' · ');
      new Notification(task.name || this.#say('progress'), { body });
    } catch {
      // Some phones allow notifications from service workers only.
    }
  }
}

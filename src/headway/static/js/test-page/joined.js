// @ts-check
/** The tasks that this page has joined, each with a small meter; any of them can be put into the bar. */

import { watchTask } from '../progress.mjs';
import { byId, h, icon } from './dom.js';

/** @type {Record<string, string>} */
const SHAPES = { pending: 'clock', running: 'play', cancelling: 'stop', completed: 'check', failed: 'cross', cancelled: 'minus' };

export class Joined {
  #list = byId('joined');
  /** @type {Map<string, {token?: string, watch: any, left: boolean, item: HTMLElement, meter: HTMLElement, percent: HTMLElement, shape: HTMLElement}>} */
  #tasks = new Map();

  /** @param {import('../progress.mjs').ConnectionOptions} options @param {{pick: (id: string) => void}} actions */
  constructor(options, actions) {
    this.options = options;
    this.actions = actions;
  }

  /** @param {string} id */
  tokenOf(id) {
    return this.#tasks.get(id)?.token;
  }

  /** @param {string} id @param {string} [token] */
  join(id, token) {
    const known = this.#tasks.get(id);
    if (known) {
      if (token) known.token = token;
      known.left = false;
      known.item.classList.remove('is-left');
      this.#watch(id);
      return;
    }
    const meter = h('span', { class: 'meter' }, h('i'));
    const percent = h('span', { class: 'percent numbers' }, '–');
    const shape = h('span', {}, icon('clock'));
    const item = h('li', { 'data-task-id': id }, shape,
      h('span', {}, h('button', { type: 'button', class: 'mono', onclick: () => this.actions.pick(id) }, id), meter), percent);
    this.#tasks.set(id, { token, watch: null, left: false, item, meter, percent, shape });
    this.#list.prepend(item);
    byId('joined-empty').hidden = true;
    this.#watch(id);
  }

  /** @param {string} id */
  leave(id) {
    const known = this.#tasks.get(id);
    if (!known) return;
    known.left = true;
    known.watch?.stop();
    known.watch = null;
    known.item.classList.add('is-left');
  }

  /** Before the page disconnects: a watch would keep the connection open. */
  pause() {
    for (const known of this.#tasks.values()) {
      known.watch?.stop();
      known.watch = null;
    }
  }

  resume() {
    for (const [id, known] of this.#tasks) if (!known.left) this.#watch(id);
  }

  /** @param {any} task */
  take(task) {
    const known = this.#tasks.get(task.task_id);
    if (!known) return;
    known.item.dataset.state = task.state;
    known.shape.replaceChildren(icon(SHAPES[task.state] ?? 'more'));
    known.meter.dataset.state = task.state;
    known.meter.style.setProperty('--p', String(task.progress ?? 0));
    known.percent.textContent = task.progress === null ? '–' : `${Math.floor(task.progress)}%`;
  }

  /** @param {string} id */
  #watch(id) {
    const known = this.#tasks.get(id);
    if (!known || known.watch) return;
    known.watch = watchTask(id, { ...this.options, token: known.token, onChange: (task) => { if (task) this.take(task); } });
  }
}

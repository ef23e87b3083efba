// @ts-check
/** The stage: one post at a time, from the first word to the finished thing. The bar is ProgressBar's, the rest ours. */

import { api, ApiError, resultOf, task as taskPath, tokenOf } from './api.js';
import { isActive } from './badge.js';
import { byId, fill, h, icon } from './dom.js';
import { Draft } from './draft.js';
import { ProgressBar, server } from './live.js';
import { postView } from './post.js';
import { t } from './words.js';

const RETRY_MS = 3000;

export class Stage {
  #panel = byId('stage');
  #barPlace = byId('progress-container');
  #body = byId('stage-body');
  #empty = [...this.#body.children];
  /** @type {any} */
  #bar = null;
  /** @type {Draft | null} */
  #draft = null;
  #timer = 0;
  #shown = '';
  taskId = '';

  /** @param {{another: (post: any) => void, remove: (post: any) => void, startOver: () => void, onChange: () => void}} actions */
  constructor(actions) {
    this.actions = actions;
  }

  /** @param {string} taskId @param {{isNew?: boolean, cards?: number}} [how] */
  async open(taskId, { isNew = false, cards } = {}) {
    this.#forget();
    this.taskId = taskId;
    this.#panel.dataset.state = 'opening';
    if (isNew) {
      this.#startBar(cards);
      return;
    }
    this.#body.replaceChildren();
    try {
      const task = await api(taskPath(taskId), { token: await tokenOf(taskId) });
      if (this.taskId !== taskId) return;
      if (task.state === 'completed') await this.#finish(task);
      else this.#startBar(cards, task);
    } catch (error) {
      if (this.taskId === taskId) this.#trouble(error, () => this.open(taskId, { cards }));
    }
  }

  clear() {
    this.#forget();
    this.taskId = '';
    delete this.#panel.dataset.state;
    fill(this.#body, this.#empty);
  }

  #forget() {
    clearTimeout(this.#timer);
    this.#bar?.destroy();
    this.#bar = null;
    this.#draft = null;
    this.#shown = '';
    this.#barPlace.hidden = true;
    this.#barPlace.replaceChildren();
  }

  /** @param {number} [cards] @param {any} [task] what is known already */
  #startBar(cards, task) {
    const { taskId } = this;
    this.#barPlace.hidden = false;
    this.#body.replaceChildren();
    const bar = new ProgressBar('progress-container', { ...server, token: () => tokenOf(taskId), locale: document.documentElement.lang, tabTitle: true, favicon: true, notify: true });
    this.#bar = bar;
    const mine = (/** @type {(task: any) => void} */ then) => (/** @type {any} */ given) => this.taskId === taskId && then(given);
    bar.on('progress', mine((given) => this.#draw(given, cards)));
    bar.on('complete', mine((given) => this.#finish(given)));
    bar.on('fail', mine((given) => this.#draw(given, cards)));
    bar.on('cancelled', mine((given) => this.#draw(given, cards)));
    bar.on('error', mine((error) => error?.code === 'task_not_found' && this.#notThere()));
    bar.start({ taskId });
    if (task) this.#draw(task, cards);
    else this.#draftWith(cards ?? 4);
  }

  /** @param {number} cards */
  #draftWith(cards) {
    this.#draft ??= new Draft(cards);
    if (this.#draft.element.parentNode !== this.#body) fill(this.#body, this.#draft.element);
    return this.#draft;
  }

  /** @param {any} task @param {number} [cards] */
  #draw(task, cards) {
    this.#panel.dataset.state = task.state;
    if (this.#shown && this.#shown !== task.state && !isActive(task.state) !== !isActive(this.#shown)) this.actions.onChange();
    this.#shown = task.state;
    if (isActive(task.state)) {
      if (this.#draft && this.#attempt !== task.attempt) this.#draft = null; // a retry begins with an empty page
      this.#attempt = task.attempt;
      this.#draftWith(cards ?? 4).update(task);
    } else if (task.state !== 'completed') this.#ended(task);
  }

  #attempt = 1;

  /** @param {any} task */
  async #finish(task) {
    const { taskId } = this;
    let post;
    try {
      post = await resultOf(task);
    } catch (error) {
      if (this.taskId === taskId) this.#trouble(error, () => this.#finish(task), t('resultFailed'));
      return;
    }
    if (this.taskId !== taskId) return;
    this.#panel.dataset.state = 'completed';
    this.#draft = null;
    fill(this.#body, postView(task, post, {
      another: () => this.actions.another(post),
      remove: () => this.actions.remove({ task_id: taskId, topic: post.topic }),
    }));
    if (this.#shown && this.#shown !== 'completed') this.actions.onChange();
    this.#shown = 'completed';
  }

  /** Failed or cancelled: the bar says what and why and offers Retry; here is what else one can do. @param {any} task */
  #ended(task) {
    this.#draft = null;
    fill(this.#body, h('div', { class: 'empty' },
      h('h2', {}, t(task.state === 'failed' ? 'failedTitle' : 'cancelledTitle')),
      h('p', {}, task.state === 'failed' ? sentenceFor(task.error?.code) : t('cancelledText')),
      h('div', { class: 'button-row' },
        h('button', { class: 'button small', type: 'button', onclick: this.actions.startOver }, t('startOver')),
        h('button', { class: 'button small quiet danger-quiet', type: 'button', onclick: () => this.actions.remove({ task_id: task.task_id, topic: task.name }) }, icon('trash'), t('delete')))));
  }

  #notThere() {
    this.#forget();
    this.#panel.dataset.state = 'missing';
    fill(this.#body, h('div', { class: 'empty' }, h('h2', {}, t('notThere')), h('p', {}, t('notThereText'))));
  }

  /** @param {unknown} error @param {() => void} again @param {string} [what] */
  #trouble(error, again, what = t('offlineShort')) {
    if (!(error instanceof ApiError) || !error.isPassing) {
      this.#notThere();
      return;
    }
    this.#panel.dataset.state = 'offline';
    fill(this.#body, h('div', { class: 'empty' }, h('h2', {}, what),
      h('div', { class: 'button-row' }, h('button', { class: 'button small', type: 'button', onclick: () => { clearTimeout(this.#timer); again(); } }, icon('retry'), t('tryAgain')))));
    this.#timer = window.setTimeout(again, RETRY_MS);
  }
}

/** What failed is told by the bar, in the words of who failed; here is what that means. @param {string} [code] */
function sentenceFor(code) {
  if (code === 'worker_lost' || code === 'interrupted') return t('failedCutOff');
  return t(code?.startsWith('generator_') ? 'failedGenerator' : 'failedOther');
}

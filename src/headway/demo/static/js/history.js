// @ts-check
/** What was made before: thumbnails, search, delete. What is still being made moves. */

import { api } from './api.js';
import { badge, isActive } from './badge.js';
import { byId, fill, h, icon } from './dom.js';
import { showPicture } from './files.js';
import { day, t } from './words.js';

export class History {
  #list = byId('history');
  #empty = byId('history-empty');
  #emptyHtml = [...this.#empty.children];
  #more = byId('history-more');
  #search = byId('history-search');
  #cursor = /** @type {string | null} */ (null);
  #turn = 0;
  /** @type {Map<string, {as: string, item: any}>} */
  #shown = new Map();

  /**
   * @param {import('./live.js').Live} live
   * @param {{open: (taskId: string) => void, remove: (post: any) => void}} actions
   */
  constructor(live, actions) {
    this.live = live;
    this.actions = actions;
    /** @type {any[]} */
    this.posts = [];
    this.openId = '';
    this.#more.addEventListener('click', () => this.load({ more: true }));
    let timer = 0;
    this.#search.addEventListener('input', () => {
      clearTimeout(timer);
      timer = window.setTimeout(() => this.load(), 250);
    });
    this.#search.closest('form')?.addEventListener('submit', (/** @type {Event} */ event) => event.preventDefault());
  }

  /** Reads the list again. An answer that was overtaken by a later question is dropped. */
  async load({ more = false } = {}) {
    const turn = ++this.#turn;
    const q = this.#search.value.trim();
    const query = new URLSearchParams({ limit: '12' });
    if (q) query.set('q', q);
    if (more && this.#cursor) query.set('cursor', this.#cursor);
    let page;
    try {
      page = await api(`/api/posts?${query}`);
    } catch (error) {
      if (turn === this.#turn && !this.posts.length) this.#saySo(t('historyFailed'), '');
      throw error;
    }
    if (turn !== this.#turn) return;
    this.#cursor = page.next_cursor;
    this.posts = more ? [...this.posts, ...page.posts] : page.posts;
    this.#draw(q);
  }

  /** @param {string} taskId */
  markOpen(taskId) {
    this.openId = taskId;
    for (const item of this.#list.children) item.classList.toggle('is-open', item.dataset.taskId === taskId);
  }

  /** @param {string} q */
  #draw(q) {
    this.live.unwatchAllBut(new Set(this.posts.filter((post) => isActive(post.state)).map((post) => post.task_id)));
    // What has not changed stays the same element, and keeps the focus: somebody may be about to press it.
    const held = this.#list.contains(document.activeElement) ? /** @type {HTMLElement} */ (document.activeElement) : null;
    const shown = new Map(this.posts.map((post) => {
      const as = JSON.stringify(post);
      const known = this.#shown.get(post.task_id);
      return [post.task_id, known?.as === as ? known : { as, item: this.#item(post) }];
    }));
    this.#shown = shown;
    fill(this.#list, [...shown.values()].map(({ item }) => item));
    if (held) {
      const taskId = held.closest('li')?.dataset.taskId ?? '';
      const again = held.isConnected ? held : shown.get(taskId)?.item.querySelector(held.tagName);
      again?.focus({ preventScroll: true });
    }
    this.#more.hidden = !this.#cursor;
    if (this.posts.length) this.#empty.hidden = true;
    else if (q) this.#saySo(t('noMatch', { q }), '');
    else {
      fill(this.#empty, this.#emptyHtml);
      this.#empty.hidden = false;
    }
  }

  /** @param {string} title @param {string} text */
  #saySo(title, text) {
    fill(this.#empty, h('h3', {}, title), text && h('p', {}, text));
    this.#empty.hidden = false;
  }

  /** @param {any} post */
  #item(post) {
    const name = post.title || post.topic;
    const cover = h('span', { class: 'cover', 'data-style': post.style ?? null });
    if (post.thumbs?.[0]) {
      const img = h('img', { alt: '', loading: 'lazy', width: 621, height: 830 });
      showPicture(img, post.task_id, post.thumbs[0], post.attempt);
      cover.append(img);
    } else cover.append(h('span', { class: 'cover-topic' }, post.topic));
    const state = h('span', { class: 'cover-state' });
    cover.append(state);
    const meter = h('span', { class: 'meter', 'aria-hidden': 'true' }, h('i'));
    const item = h('li', { class: 'made', 'data-task-id': post.task_id, 'data-state': post.state },
      h('a', { class: 'made-open', href: `#/${post.task_id}`, onclick: (/** @type {MouseEvent} */ event) => {
        if (event.ctrlKey || event.metaKey || event.shiftKey) return;
        event.preventDefault();
        this.actions.open(post.task_id);
      } }, cover, h('span', { class: 'made-title' }, name), h('time', { class: 'small muted', datetime: new Date(post.created_at * 1000).toISOString() }, day(post.created_at))),
      h('button', { class: 'button square small made-delete', type: 'button', 'aria-label': t('deletePost', { topic: name }), onclick: () => this.actions.remove(post) }, icon('trash')));
    const draw = (/** @type {any} */ task) => {
      item.dataset.state = task.state;
      fill(state, task.state !== 'completed' && badge(task));
      meter.style.setProperty('--p', String(task.progress ?? 0));
      if (isActive(task.state)) cover.append(meter);
      else meter.remove();
    };
    draw(post);
    item.classList.toggle('is-open', post.task_id === this.openId);
    if (isActive(post.state)) {
      this.live.watch(post.task_id, (task) => {
        draw(task);
        if (!isActive(task.state)) {
          this.live.unwatch(task.task_id);
          this.load().catch(() => {});
        }
      });
    }
    return item;
  }
}

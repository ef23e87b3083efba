// @ts-check
/** The post while it is made: words as they are written, cards as they are drawn. */

import { h, say } from './dom.js';
import { showPicture } from './files.js';
import { hashtag, paragraphs } from './post.js';
import { t } from './words.js';

/** What a task's details say about the draft. @param {any} task */
export function draftOf(task) {
  const draft = task.details?.draft ?? {};
  return {
    title: String(draft.title ?? ''),
    text: String(draft.text ?? ''),
    tags: Array.isArray(draft.tags) ? draft.tags.map(String) : [],
    cards: Number(draft.cards) || 0,
    thumbs: Array.isArray(draft.thumbs) ? draft.thumbs.map(String) : [],
  };
}

export class Draft {
  #title = h('h2', { class: 'post-title' });
  #text = h('div', { class: 'post-text' });
  #tags = h('ul', { class: 'tags' });
  #cards = h('ul', { class: 'draft-cards' });
  #shown = new Set();
  element;

  /** @param {number} cards how many are asked for, as far as is known */
  constructor(cards) {
    // The bar's own live region speaks; the draft would be noise that starts over with every word.
    this.element = h('article', { class: 'draft', 'aria-label': t('draft') }, h('div', { class: 'draft-words' }, this.#title, this.#text, this.#tags), this.#cards);
    this.#makeRoom(cards);
  }

  /** @param {number} cards */
  #makeRoom(cards) {
    while (this.#cards.children.length > cards) this.#cards.lastElementChild?.remove();
    for (let n = this.#cards.children.length + 1; n <= cards; n++) this.#cards.append(h('li', {}, h('span', { class: 'visually-hidden' }, t('waitingCard', { n }))));
  }

  /** @param {any} task */
  update(task) {
    const { title, text, tags, cards, thumbs } = draftOf(task);
    if (cards) this.#makeRoom(cards);
    if (title) say(this.#title, title);
    this.#title.classList.toggle('ghost', !this.#title.textContent);
    if (text) {
      const written = paragraphs(text);
      while (this.#text.children.length > written.length) this.#text.lastElementChild?.remove();
      written.forEach((one, n) => say(this.#text.children[n] ?? this.#text.appendChild(h('p')), one));
    }
    this.#text.classList.toggle('ghost', !this.#text.children.length);
    this.element.classList.toggle('is-writing', task.state === 'running' && !tags.length && Boolean(title || text));
    if (tags.length > this.#tags.children.length) this.#tags.replaceChildren(...tags.map((/** @type {string} */ tag) => h('li', {}, hashtag(tag))));
    this.#takeThumbs(task, thumbs);
  }

  /** @param {any} task @param {string[]} thumbs in the order of the cards; '' for one that isn't drawn yet */
  #takeThumbs(task, thumbs) {
    thumbs.forEach((file, n) => {
      const place = this.#cards.children[n];
      if (!file || !place || this.#shown.has(n)) return;
      this.#shown.add(n);
      const img = h('img', { alt: t('cardOf', { n: n + 1, total: this.#cards.children.length }) });
      img.addEventListener('load', () => place.classList.add('is-drawn'), { once: true });
      showPicture(img, task.task_id, file, task.attempt);
      place.replaceChildren(img);
    });
  }
}

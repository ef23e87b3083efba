// @ts-check
/** A finished post, as it would look where it is posted: cards to swipe, title, text, tags; and what to do with it. */

import { copyText, h, icon, phrases, toast } from './dom.js';
import { pointTo, showPicture } from './files.js';
import { t } from './words.js';

/**
 * @param {any} task
 * @param {any} post its result
 * @param {{another?: () => void, remove?: () => void}} [actions] what is not given is not offered
 */
export function postView(task, post, { another, remove } = {}) {
  const cards = post.cards ?? [];
  const reel = reelOf(task, cards);
  const text = `${post.title}\n\n${post.text}\n\n${(post.tags ?? []).map(hashtag).join(' ')}`.trim();
  const card = cards.length > 0 && h('a', { class: 'button small' }, icon('picture'), t('downloadCard'));
  if (card) {
    reel.onturn = (n) => pointTo(card, task, cards[n].file, fileName(post.title, n));
    reel.onturn(0);
  }
  const all = post.archive && h('a', { class: 'button small' }, icon('download'), t('downloadAll'));
  if (all) pointTo(all, task, post.archive, `${safe(post.title)}.zip`);
  return h('article', { class: 'post', lang: post.language ?? null },
    reel.element,
    h('div', { class: 'post-words' },
      h('h2', { class: 'post-title' }, phrases(post.title)),
      h('div', { class: 'post-text' }, paragraphs(post.text).map((one) => h('p', {}, one))),
      h('ul', { class: 'tags' }, (post.tags ?? []).map((/** @type {string} */ tag) => h('li', {}, hashtag(tag)))),
      h('div', { class: 'button-row post-actions', lang: document.documentElement.lang },
        h('button', { class: 'button small primary', type: 'button', onclick: async () => toast(t((await copyText(text)) ? 'copied' : 'notCopied')) }, icon('copy'), t('copyAll')),
        card, all,
        another && h('button', { class: 'button small', type: 'button', onclick: another }, icon('sparkle'), t('another')),
        remove && h('button', { class: 'button small quiet danger-quiet', type: 'button', onclick: remove }, icon('trash'), t('delete'))),
      h('p', { class: 'provenance small muted', lang: document.documentElement.lang },
        t(post.generator?.offline ? 'offlineGenerator' : 'onlineGenerator', { label: post.generator?.label ?? '' }),
        post.seed !== null && post.seed !== undefined && h('span', { class: 'numbers' }, ' ', t('seed', { seed: post.seed })))));
}

/** @param {any} task @param {any[]} cards */
function reelOf(task, cards) {
  const list = h('div', { class: 'reel', tabindex: '0', role: 'group', 'aria-label': t('cards') },
    cards.map((card, n) => h('div', { class: 'reel-card' }, pictureOf(task, card, n))));
  const at = h('span', { class: 'reel-at numbers', 'aria-live': 'polite' });
  const back = h('button', { class: 'button square small reel-turn', type: 'button', 'aria-label': t('previousCard'), onclick: () => turn(-1) }, icon('left'));
  const on = h('button', { class: 'button square small reel-turn', type: 'button', 'aria-label': t('nextCard'), onclick: () => turn(1) }, icon('right'));
  const dots = h('span', { class: 'dots', 'aria-hidden': 'true' }, cards.map(() => h('i')));
  const reel = {
    element: h('figure', { class: 'post-cards' }, list, cards.length > 1 && h('figcaption', { class: 'reel-bar' }, back, h('span', { class: 'reel-where' }, dots, at), on)),
    onturn: (/** @type {number} */ _n) => {},
  };
  let shown = -1;
  const look = () => {
    const n = Math.min(cards.length - 1, Math.max(0, Math.round(Math.abs(list.scrollLeft) / Math.max(1, list.clientWidth))));
    if (n === shown) return;
    shown = n;
    at.textContent = t('cardOf', { n: n + 1, total: cards.length });
    back.disabled = n === 0;
    on.disabled = n === cards.length - 1;
    [...dots.children].forEach((dot, i) => dot.classList.toggle('here', i === n));
    reel.onturn(n);
  };
  const onward = () => (getComputedStyle(list).direction === 'rtl' ? -1 : 1);
  const turn = (/** @type {number} */ by) => {
    const calm = matchMedia('(prefers-reduced-motion: reduce)').matches;
    // In a page that is read from the right, the second card lies to the left of the first.
    list.scrollTo({ left: (shown + by) * list.clientWidth * onward(), behavior: calm ? 'auto' : 'smooth' });
  };
  list.addEventListener('scroll', look, { passive: true });
  list.addEventListener('keydown', (event) => {
    if (event.key !== 'ArrowLeft' && event.key !== 'ArrowRight') return;
    event.preventDefault();
    turn((event.key === 'ArrowRight' ? 1 : -1) * onward());
  });
  if (cards.length > 0) look();
  return reel;
}

/** @param {any} task @param {any} card @param {number} n */
function pictureOf(task, card, n) {
  const img = h('img', {
    alt: card.alt || t('cardAlt', { n: n + 1, heading: card.heading ?? '' }), width: card.width, height: card.height,
    loading: n > 1 ? 'lazy' : null, decoding: 'async',
  });
  showPicture(img, task.task_id, card.file, task.attempt);
  return img;
}

/** An empty line parts paragraphs; within one, lines stay lines (`white-space: pre-line`). @param {string} text */
export const paragraphs = (text) => String(text ?? '').split(/\n\s*\n/).map((one) => one.trim()).filter(Boolean);

/** @param {string} tag */
export const hashtag = (tag) => (String(tag).startsWith('#') ? String(tag) : `#${tag}`);

/** @param {string} title @param {number} n */
const fileName = (title, n) => `${safe(title)}-${n + 1}.png`;

/** A title as the name of a file. @param {string} title */
const safe = (title) => String(title).replace(/[\\/:*?"<>|\s]+/g, ' ').trim().slice(0, 40) || 'post';

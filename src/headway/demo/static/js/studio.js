// @ts-check
/** The studio: ties form, stage and history together. The post that is open is in the URL's fragment, for reloads. */

import { api, ApiError, keepToken } from './api.js';
import { isActive } from './badge.js';
import { Composer } from './composer.js';
import { byId, confirm, fill, h, icon, toast } from './dom.js';
import { History } from './history.js';
import { Live } from './live.js';
import { Stage } from './stage.js';
import { reason, t } from './words.js';

const banner = byId('page-banner');
const live = new Live();
const composer = new Composer(make);
const stage = new Stage({ another, remove, startOver: () => composer.focus(), onChange: () => history.load().catch(() => {}) });
const history = new History(live, { open, remove });

/** @param {import('./composer.js').Asked & {seed?: number}} asked */
async function make(asked) {
  composer.setBusy(true);
  try {
    const made = await api('/api/generate_content', { method: 'POST', body: asked });
    banner.replaceChildren();
    keepToken(made.task_id, made.token);
    open(made.task_id, { isNew: true, cards: asked.cards });
    await history.load().catch(() => {});
  } catch (error) {
    refused(asked, error);
  } finally {
    composer.setBusy(false);
  }
}

/** @param {import('./composer.js').Asked} asked @param {unknown} error */
function refused(asked, error) {
  if (!(error instanceof ApiError)) throw error;
  if (error.field) composer.refuse(error.field);
  else if (error.status === 429) complain(t('tooMany'));
  else if (error.isPassing) complain(t('offline'), () => make(asked));
  else complain(t('failedToStart', { message: reason(error) }));
}

/** @param {string} text @param {() => void} [again] */
function complain(text, again) {
  fill(banner, h('p', { class: 'banner', 'data-kind': 'bad' }, icon('alert'), text,
    again && h('button', { class: 'button small', type: 'button', onclick: () => { banner.replaceChildren(); again(); } }, t('tryAgain'))));
  if (again) setTimeout(() => { if (banner.textContent?.startsWith(text)) { banner.replaceChildren(); again(); } }, 4000);
}

/**
 * @param {string} taskId
 * @param {{isNew?: boolean, cards?: number, quietly?: boolean}} [how]
 */
function open(taskId, { isNew = false, cards, quietly = false } = {}) {
  if (taskInUrl() !== taskId) window.history[quietly ? 'replaceState' : 'pushState'](null, '', `#/${taskId}`);
  history.markOpen(taskId);
  stage.open(taskId, { isNew, cards });
  if (!quietly) byId('stage').scrollIntoView({ block: 'nearest', behavior: matchMedia('(prefers-reduced-motion: reduce)').matches ? 'auto' : 'smooth' });
}

/** Another like it: the same topic, style and language; other words, because the seed is left to the server.
 * @param {any} post */
function another(post) {
  const asked = { input_text: post.topic, cards: Math.max(1, post.cards?.length ?? 4), style: post.style, language: post.language };
  composer.fill(asked);
  make(asked);
}

/** @param {{task_id: string, title?: string, topic?: string}} post */
async function remove(post) {
  if (!(await confirm({ title: t('deleteTitle'), text: t('deleteText'), yes: t('delete'), no: t('keep') }))) return;
  try {
    await api(`/api/posts/${encodeURIComponent(post.task_id)}`, { method: 'DELETE' });
  } catch (error) {
    toast(t('notDeleted', { message: reason(error) }));
    return;
  }
  toast(t('deleted'));
  if (stage.taskId === post.task_id) {
    window.history.replaceState(null, '', location.pathname + location.search);
    history.markOpen('');
    stage.clear();
  }
  await history.load().catch(() => {});
  // The button that was pressed is gone with what it deleted.
  if (document.activeElement === document.body) byId('history-search').focus();
}

/** `#/ID` names a post; a fragment without the slash is a place on the page, as everywhere. */
function taskInUrl() {
  return /^#\/([A-Za-z0-9._-]{1,128})$/.exec(location.hash)?.[1] ?? '';
}

function openFromUrl() {
  if (location.hash && !location.hash.startsWith('#/')) return;
  const taskId = taskInUrl();
  if (taskId === stage.taskId) return;
  if (taskId) open(taskId, { quietly: true });
  else {
    history.markOpen('');
    stage.clear();
  }
}

async function begin() {
  openFromUrl();
  try {
    await history.load();
  } catch {
    setTimeout(begin, 3000);
    return;
  }
  // Came back without an address: what is still being made is what one came back for.
  const running = history.posts.find((post) => isActive(post.state));
  if (!stage.taskId && running) open(running.task_id, { quietly: true });
}

addEventListener('hashchange', openFromUrl);
addEventListener('popstate', openFromUrl);
addEventListener('online', () => history.load().catch(() => {}));
begin();


// @ts-check
/** One task: the bar with its log, facts, stages with their times, attempts, the result. */

import { api, ApiError, cameByLink, keepShared, resultOf, task as taskPath, tokenOf } from './api.js';
import { badge, isActive } from './badge.js';
import { byId, copyText, fill, h, icon, root, say, toast } from './dom.js';
import { ProgressBar, server } from './live.js';
import { postView } from './post.js';
import { ago, failure, locale, moment, reason, span, stageName, t, wholeSpan } from './words.js';

const page = byId('task');
const taskId = /** @type {string} */ (page.dataset.taskId);
// A shared link carries its token behind the #, which is never sent to a server; it is taken out of the address at once.
const shared = new URLSearchParams(location.hash.slice(1)).get('token');
keepShared(taskId, shared);
if (shared) history.replaceState(null, '', location.pathname + location.search);

/** @type {any} */
let task = null;
let skew = 0;
let resultOfAttempt = 0;
let stagesTurn = '';

const bar = new ProgressBar('progress-container', { ...server, locale, token: () => tokenOf(taskId), showLog: true });
for (const event of ['progress', 'complete', 'fail', 'cancelled']) bar.on(event, take);
bar.on('error', (/** @type {any} */ error) => error?.code === 'task_not_found' && missing());
bar.start({ taskId });
tokenOf(taskId).then((token) => {
  byId('share-row').hidden = !token || cameByLink(taskId);
  return api(taskPath(taskId), { token });
}).then(take, (error) => error instanceof ApiError && error.status === 404 && missing());
setInterval(() => {
  if (!task || document.hidden) return;
  drawFacts();
  if (!isActive(task.state)) return;
  drawStages();
  drawAttempts();
}, 1000);

/** @param {any} given */
function take(given) {
  if (!given?.task_id || (task && given.epoch === task.epoch && given.rev < task.rev)) return;
  const ended = task && isActive(task.state) && !isActive(given.state);
  const begun = task && task.attempt !== given.attempt;
  const first = !task;
  task = given;
  skew = given.server_time ? given.server_time - Date.now() / 1000 : skew;
  say(byId('task-name'), task.name || t('unnamed'));
  document.title = `${task.name || task.task_id} · Headway`;
  fill(byId('task-badge'), badge(task));
  drawFacts();
  drawStages();
  if (first) openLog();
  // When stages come and go is the server's to say.
  const turn = (task.stages ?? []).map((/** @type {any} */ stage) => stage.state).join();
  if (first || ended || begun || turn !== stagesTurn) loadTimeline();
  stagesTurn = turn;
  if (task.state === 'completed' && resultOfAttempt !== task.attempt) drawResult();
}

/** Who opened a task's own page wants to know what it does: its log is open from the start. */
function openLog() {
  const button = byId('progress-container').querySelector('button[aria-expanded="false"]');
  if (button) button.click();
}

function missing() {
  if (task || page.hidden) return;
  page.hidden = true;
  page.after(h('div', { class: 'empty', role: 'alert' }, h('h1', {}, t('taskNotFound')), h('p', { class: 'lede' }, t('taskNotFoundText')),
    h('p', {}, h('a', { class: 'button primary', href: `${root}/tasks` }, t('allTasks')))));
  bar.destroy();
}

function drawFacts() {
  const now = Date.now() / 1000 + skew;
  const active = isActive(task.state);
  const begun = task.started_at ?? null;
  /** @type {[string, string | null][]} */
  const facts = [
    ['fact.state', t(`state.${task.state}`)],
    [task.state === 'pending' ? 'fact.waiting' : active ? 'fact.running' : 'fact.took',
      task.state === 'pending' ? wholeSpan(now - task.created_at) : begun === null ? null : active ? wholeSpan(now - begun) : span(task.finished_at - begun)],
    ['fact.attempt', String(task.attempt)],
    ['fact.worker', active && task.state !== 'pending' ? t(`worker.${task.worker ?? 'none'}`) : null],
    ['fact.rate', task.rate === null ? null : t('perSecond', { n: task.rate.toLocaleString(locale, { maximumSignificantDigits: 3 }), unit: task.details?.unit ?? '' }).replace(' /', '/')],
    ['fact.updated', task.updated_at ? ago(now - task.updated_at) : null],
    ['fact.cancel', task.cancel_requested_at ? `${moment(task.cancel_requested_at)}${task.cancel_reason ? ` · ${task.cancel_reason}` : ''}` : null],
    ['fact.error', task.error ? `${task.error.code} · ${failure(task.error)}` : null],
    ['fact.created', moment(task.created_at)],
    ['fact.started', begun === null ? null : moment(begun)],
    ['fact.finished', task.finished_at ? moment(task.finished_at) : null],
    ['fact.rev', `${task.rev} · ${task.epoch}`],
  ];
  const list = byId('facts');
  const shown = facts.filter(([, value]) => value !== null);
  const keys = shown.map(([key]) => key).join();
  if (list.dataset.keys !== keys) {
    list.dataset.keys = keys;
    fill(list, shown.map(([key]) => h('div', {}, h('dt', {}, t(key)), h('dd', { class: 'numbers' }))));
  }
  shown.forEach(([, value], n) => say(list.children[n].lastElementChild, value ?? ''));
}

/** When each attempt, and each stage of it, began and ended. @type {any[]} */
let attempts = [];

function drawStages() {
  /** @type {Record<string, {started_at: number, finished_at: number | null}>} */
  const times = attempts.find((one) => one.attempt === task.attempt)?.stages ?? {};
  const stages = task.stages ?? [];
  byId('stages-panel').hidden = stages.length === 0;
  const now = Date.now() / 1000 + skew;
  fill(byId('stages'), stages.map((/** @type {any} */ stage) => {
    const time = times[stage.name];
    const meter = h('span', { class: 'meter', 'data-state': stage.state, 'aria-hidden': 'true' }, h('i'));
    meter.style.setProperty('--p', String(stage.progress ?? 0));
    const row = h('li', { 'data-state': stage.state }, h('span', { class: 'stage-label' }, stageName(stage)),
      h('span', { class: 'stage-state small muted' }, t(`stage.${stage.state}`)), meter,
      h('span', { class: 'stage-time numbers small' }, time ? (time.finished_at ? span(time.finished_at - time.started_at) : isActive(task.state) ? wholeSpan(now - time.started_at) : t('unknown')) : t('unknown')));
    row.style.setProperty('--depth', String(depthOf(stage, stages)));
    return row;
  }));
}

/** How many stages this one is a part of, one within the other. @param {any} stage @param {any[]} stages @returns {number} */
function depthOf(stage, stages) {
  const parent = stage.parent && stages.find((one) => one.name === stage.parent);
  return parent ? 1 + depthOf(parent, stages) : 0;
}

async function loadTimeline() {
  /** @type {any} */
  let timeline;
  try {
    timeline = await api(`/api/timeline/${encodeURIComponent(taskId)}`, { token: await tokenOf(taskId) });
  } catch {
    return; // the page is whole without it
  }
  attempts = timeline.attempts ?? [];
  drawStages();
  drawAttempts();
}

function drawAttempts() {
  byId('attempts-panel').hidden = attempts.length === 0;
  fill(byId('attempts'), attempts.map((one) => {
    const isPresent = one.attempt === task.attempt;
    const end = one.finished_at ?? (isPresent ? task.finished_at : null) ?? Date.now() / 1000 + skew;
    return h('li', {},
      h('span', { class: 'attempt-n' }, t('attempt', { n: one.attempt })), badge({ state: isPresent ? task.state : one.state }),
      h('span', { class: 'numbers small muted' }, one.started_at ? `${moment(one.started_at)} · ${isPresent && isActive(task.state) ? wholeSpan(end - one.started_at) : span(end - one.started_at)}` : t('unknown')),
      one.error && h('p', { class: 'small attempt-error' }, failure(one.error)));
  }));
}

async function drawResult() {
  resultOfAttempt = task.attempt;
  const result = await resultOf(task).catch(() => null);
  if (result === null) return;
  byId('result-panel').hidden = false;
  const raw = h('pre', { class: 'mono result', tabindex: '0' }, JSON.stringify(result, null, 2));
  const isPost = typeof result === 'object' && Array.isArray(result.cards) && result.title;
  if (!isPost) return fill(byId('result'), raw);
  fill(byId('result'), postView(task, result),
    h('details', { class: 'raw' }, h('summary', {}, t('rawResult')), raw),
    !cameByLink(taskId) && h('p', {}, h('a', { class: 'back', href: `${root}/#/${taskId}` }, t('inStudio'), icon('right'))));
}

const share = byId('share');
share.addEventListener('click', async () => {
  try {
    const link = api(`/api/share/${encodeURIComponent(taskId)}`, { method: 'POST', body: {} }).then(({ url }) => new URL(url, location.href).href);
    toast(t((await copyText(link)) ? 'linkCopied' : 'notCopied'));
  } catch (error) {
    toast(reason(error));
  }
});
addEventListener('pagehide', (event) => { if (!event.persisted) bar.destroy(); });

// @ts-check
/** All tasks: a page of the list at a time, each row live. */

import { api, ApiError, task as taskPath } from './api.js';
import { badge, isActive } from './badge.js';
import { byId, fill, h, icon, root, say, toast } from './dom.js';
import { Live } from './live.js';
import { ago, failure, reason, span, t, wholeSpan } from './words.js';

const REFRESH_MS = 3000;
const PAGE = 25;
const STUCK_S = 60;
/** What the filter's words mean to the API. @type {Record<string, string>} */
const STATES = { active: 'pending,running,cancelling', pending: 'pending', running: 'running,cancelling', completed: 'completed', failed: 'failed', cancelled: 'cancelled' };

/** What an operator asks for, and which states it is about; the filter shows one of them. @type {Record<string, string[]>} */
const ABOUT = { failed: ['failed'], stuck: ['active', 'running', 'pending'], longest: ['active', 'running', 'pending'] };

const tools = /** @type {HTMLFormElement} */ (byId('tools'));
const body = byId('rows');
const empty = byId('tasks-empty');
const banner = byId('page-banner');
const live = new Live();

/** The pages behind this one, by the cursors that they began at. @type {(string | null)[]} */
let trail = [];
/** @type {string | null} */
let here = null;
/** @type {string | null} */
let next = null;
let turn = 0;
/** Server's clock less ours, so that ages are right on a machine whose clock is not. */
let skew = 0;
/** @type {Map<string, Row>} */
const rows = new Map();

class Row {
  #name = h('a', { class: 'task-name' });
  #state = h('td');
  #percent = h('span', { class: 'numbers percent' });
  #meter = h('span', { class: 'meter' }, h('i'));
  #message = h('span', { class: 'row-message small muted' });
  #time = h('td', { class: 'numbers' });
  #updated = h('td', { class: 'numbers muted news' });
  #actions = h('td', { class: 'row-actions' });
  #drawn = '';
  element;

  /** @param {any} task */
  constructor(task) {
    this.task = task;
    this.#name.href = `${root}/tasks/${encodeURIComponent(task.task_id)}`;
    this.element = h('tr', { 'data-task-id': task.task_id },
      h('th', { scope: 'row' }, this.#name, h('code', { class: 'mono muted' }, task.task_id)),
      this.#state, h('td', { class: 'row-progress' }, h('span', { class: 'row-bar' }, this.#meter, this.#percent), this.#message),
      this.#time, this.#updated, this.#actions);
    this.update(task);
  }

  /** @param {any} task */
  update(task) {
    // The list is read again every few seconds: a row that has no news is not touched.
    if (this.#drawn && task.epoch === this.task.epoch && task.rev <= this.task.rev) return;
    this.task = task;
    this.element.dataset.state = task.state;
    say(this.#name, task.name || t('unnamed'));
    const known = task.progress !== null && task.progress !== undefined;
    this.#meter.dataset.state = task.state;
    this.#meter.style.setProperty('--p', String(known ? task.progress : 0));
    say(this.#percent, known ? `${Math.floor(task.progress)}%` : t('unknown'));
    say(this.#message, task.error ? failure(task.error) : task.message || '');
    const look = `${task.state} ${task.worker} ${task.name}`;
    if (look !== this.#drawn) {
      this.#drawn = look;
      fill(this.#state, badge(task));
      this.#drawActions();
    }
    this.tick();
  }

  tick() {
    const { task } = this;
    const now = Date.now() / 1000 + skew;
    const from = task.started_at ?? task.created_at;
    const time = task.finished_at ? span(task.finished_at - from) : wholeSpan(now - from);
    say(this.#time, task.state === 'pending' ? t('waitingFor', { time }) : time);
    const news = now - (task.updated_at ?? task.created_at);
    say(this.#updated, ago(news));
    this.#updated.classList.toggle('is-stuck', (task.state === 'running' || task.state === 'cancelling') && news > STUCK_S);
  }

  #drawActions() {
    const { task } = this;
    const name = task.name || task.task_id;
    const ask = (/** @type {string} */ verb) => async (/** @type {Event} */ event) => {
      const button = /** @type {HTMLButtonElement} */ (event.currentTarget);
      button.disabled = true;
      try {
        this.update(await api(`${taskPath(task.task_id)}/${verb}`, { method: 'POST', body: {} }));
      } catch (error) {
        toast(t(`${verb}Failed`, { message: reason(error) }));
      } finally {
        button.disabled = false;
      }
    };
    fill(this.#actions,
      (task.state === 'pending' || task.state === 'running') && h('button', { class: 'button small', type: 'button', 'aria-label': t('cancelNamed', { name }), onclick: ask('cancel') }, t('cancel')),
      (task.state === 'failed' || task.state === 'cancelled') && h('button', { class: 'button small', type: 'button', 'aria-label': t('retryNamed', { name }), onclick: ask('retry') }, icon('retry'), t('retry')));
  }
}

async function load() {
  const mine = ++turn;
  const asked = new FormData(tools);
  const order = String(asked.get('sort'));
  const query = new URLSearchParams({ limit: String(PAGE), order: order === 'failed' ? 'newest' : order });
  const states = STATES[String(asked.get('state'))];
  if (states) query.set('state', states);
  const q = String(asked.get('q') ?? '').trim();
  if (q) query.set('search', q);
  if (here) query.set('cursor', here);
  let page;
  try {
    page = await api(`/api/tasks?${query}`);
  } catch (error) {
    if (mine === turn) trouble(error);
    return;
  }
  if (mine !== turn) return;
  banner.replaceChildren();
  if (page.tasks[0]) skew = page.tasks[0].server_time - Date.now() / 1000;
  next = page.next_cursor;
  draw(page.tasks, Boolean(q || states));
}

/** @param {any[]} tasks @param {boolean} filtered */
function draw(tasks, filtered) {
  const kept = new Set(tasks.map((task) => task.task_id));
  live.unwatchAllBut(new Set(tasks.filter((task) => isActive(task.state)).map((task) => task.task_id)));
  for (const [id, row] of rows) {
    if (kept.has(id)) continue;
    row.element.remove();
    rows.delete(id);
  }
  tasks.forEach((task, n) => {
    let row = rows.get(task.task_id);
    if (row) row.update(task);
    else rows.set(task.task_id, (row = new Row(task)));
    // Moving a row that is in its place already would take the focus from the button in it.
    if (body.children[n] !== row.element) body.insertBefore(row.element, body.children[n] ?? null);
    if (isActive(task.state)) live.watch(task.task_id, (changed) => rows.get(changed.task_id)?.update(changed));
  });
  empty.hidden = tasks.length > 0;
  byId('tasks').hidden = tasks.length === 0;
  if (!tasks.length) fill(empty, h('h2', {}, t(filtered ? 'noTasksMatch' : 'noTasks')), h('p', {}, t(filtered ? 'noTasksMatchText' : 'noTasksText')));
  byId('previous').disabled = trail.length === 0;
  byId('next').disabled = !next;
  byId('pager').hidden = trail.length === 0 && !next;
  say(byId('page-of'), t('rangeOf', { page: trail.length + 1 }));
}

/** @param {unknown} error */
function trouble(error) {
  const forbidden = error instanceof ApiError && (error.status === 403 || error.status === 404 || error.status === 401);
  const text = t(forbidden ? 'notAllowed' : 'tasksFailed');
  if (banner.textContent !== text) fill(banner, h('p', { class: 'banner', 'data-kind': 'bad' }, icon('alert'), text));
}

/** @param {boolean} fromFirst */
function restart(fromFirst) {
  if (fromFirst) {
    trail = [];
    here = null;
  }
  load();
}

/** Order and filter never contradict each other: the one that was touched last is what is meant. @param {string} touched */
function agree(touched) {
  const { sort, state } = /** @type {any} */ (tools.elements);
  const fitting = ABOUT[sort.value];
  if (!fitting || fitting.includes(state.value)) return;
  if (touched === 'sort') state.value = fitting[0];
  else sort.value = 'newest';
}

let typing = 0;
tools.addEventListener('submit', (event) => event.preventDefault());
tools.addEventListener('input', (event) => {
  clearTimeout(typing);
  agree(/** @type {HTMLInputElement} */ (event.target).name);
  const delay = /** @type {HTMLElement} */ (event.target).matches('[type="search"]') ? 250 : 0;
  typing = window.setTimeout(() => restart(true), delay);
});
byId('next').addEventListener('click', () => {
  if (!next) return;
  trail.push(here);
  here = next;
  restart(false);
});
byId('previous').addEventListener('click', () => {
  here = trail.pop() ?? null;
  restart(false);
});
setInterval(() => document.hidden || load(), REFRESH_MS);
setInterval(() => document.hidden || rows.forEach((row) => row.tick()), 1000);
document.addEventListener('visibilitychange', () => document.hidden || load());
addEventListener('online', () => load());
load();

// @ts-check
/** The test page: every button drives the real server, and everything that comes of it is logged and judged. */

import { ProgressBar } from '../progress.mjs';
import { Chaos } from './chaos.js';
import { api, ApiError } from './api.js';
import { EventLog } from './event-log.js';
import { badge, byId, fill, readings } from './dom.js';
import { Joined } from './joined.js';
import { tapSockets } from './tap.js';
import { Verdict } from './verdict.js';
import { locale, reason, t, translatePage } from './words.js';

document.documentElement.dataset.root = location.pathname.split('/static/')[0];
translatePage();

const root = document.documentElement.dataset.root;
const weather = /** @type {any} */ (window).headwayWeather;
const log = new EventLog();
const verdict = new Verdict();
// What is judged here is what comes over this page's own socket.
const options = { websocketUrl: '/progress', socketPath: `${root}/socket.io`, apiUrl: `${root}/api`, shareTabs: false, locale };

/** Server's clock less ours in ms, as the quickest ping told. */
let skewMs = 0;
let bestTrip = Infinity;
let lastTrip = /** @type {number | null} */ (null);
let connects = 0;
let upSince = /** @type {number | null} */ (null);
let latency = /** @type {number | null} */ (null);
let states = 0;
let logOf = /** @type {string | null} */ (null);

tapSockets({
  out(event, data) {
    log.add('out', event, data);
    if (event === 'join') verdict.join(data.task_id, data.log_from);
    if (event === 'leave') verdict.leave(data.task_id, performance.now());
  },
  in(event, data) {
    const now = Date.now();
    let late = null;
    if (event === 'pong') {
      late = lastTrip = now - data.t;
      if (lastTrip <= bestTrip) {
        bestTrip = lastTrip;
        skewMs = data.server_time * 1000 - (data.t + lastTrip / 2);
      }
    } else if (event === 'progress') {
      late = latency = Math.max(0, now + skewMs - data.server_time * 1000);
      states++;
      verdict.progress(data, performance.now());
      joined.take(data);
    } else if (event === 'log') verdict.log(data, performance.now());
    log.add(event === 'error' ? 'bad' : 'in', event, data, late);
  },
  ack(event, data, answer, ms) {
    log.add(answer?.ok === false ? 'bad' : 'in', `${event} → ${answer?.ok === false ? answer.error?.code : 'ok'}`, { ...answer, task_id: data?.task_id }, ms);
    if (event === 'join' && answer?.ok === false) verdict.leave(data.task_id, -Infinity);
  },
  line(what, data) {
    log.add(what === 'connect' ? 'page' : 'bad', what, data);
    if (what === 'connect') {
      connects++;
      upSince = Date.now();
      // Several: the quickest of them tells the server's clock best.
      for (let n = 0; n < 4; n++) setTimeout(ping, n * 250);
    } else if (what === 'disconnect') {
      upSince = null;
      verdict.disconnect();
    }
    drawConnection();
  },
});

const bar = new ProgressBar('progress-container', options);
// The log is open, so that its lines are judged as well.
bar.on('progress', () => {
  const closed = byId('progress-container').querySelector('button[aria-expanded="false"]');
  if (bar.getTaskId() !== logOf) closed?.click();
  logOf = bar.getTaskId();
  drawProgress();
});
const joined = new Joined(options, { pick: select });
for (const event of /** @type {(keyof import('../progress.mjs').ProgressBarEvents)[]} */ (['connect', 'disconnect', 'reconnecting', 'reconnect_failed', 'complete', 'fail', 'cancelled', 'cancel', 'retry', 'error'])) {
  bar.on(event, (/** @type {any[]} */ ...given) => {
    if (event !== 'error') log.add('page', `bar: ${event}`, given[0]?.task_id ?? given.join(' of '));
    drawConnection();
  });
}

const taskId = () => byId('task-id').value.trim();

/** Shows a task in the bar and follows it. @param {string} id @param {string} [token] */
function select(id, token) {
  byId('task-id').value = id;
  joined.join(id, token);
  if (bar.getTaskId() !== id) bar.start({ taskId: id, token: token ?? joined.tokenOf(id) });
  drawProgress();
}

function ping() {
  bar.socket?.emit('ping', { t: Date.now() });
}

/** @param {string} text */
const complain = (text) => { byId('task-error').textContent = text; };

/** @param {Record<string, any>} body @returns {Promise<string | null>} */
async function startTask(body) {
  complain('');
  try {
    const begun = performance.now();
    log.add('out', 'POST /api/test_tasks', body);
    const made = await api('/api/test_tasks', { method: 'POST', body });
    log.add('in', '202', made, performance.now() - begun);
    select(made.task_id, made.token);
    return made.task_id;
  } catch (error) {
    const known = error instanceof ApiError ? error : null;
    log.add('bad', known?.code ?? 'error', String(error));
    complain(known?.status === 0 ? t('unreachable') : known?.status === 404 || known?.status === 405 ? t('offLoopback') : reason(error));
    return null;
  }
}

byId('connect').addEventListener('click', () => {
  bar.initWebSocket();
  joined.resume();
});
byId('disconnect').addEventListener('click', () => {
  joined.pause();
  bar.disconnectWebSocket();
  drawConnection();
});
byId('ping').addEventListener('click', ping);
byId('drop-form').addEventListener('submit', (/** @type {Event} */ event) => {
  event.preventDefault();
  const seconds = byId('drop-seconds').valueAsNumber;
  if (!(seconds > 0)) return;
  weather.set('cut', seconds * 1000);
  if (byId('drop-noticed').checked) dispatchEvent(new Event('offline'));
});
addEventListener('headway-weather', (event) => {
  const { mode, forMs, was } = /** @type {CustomEvent} */ (event).detail;
  log.add('page', `network: ${mode}`, forMs ? `${forMs / 1000} s` : '');
  if (was === 'cut' && byId('drop-noticed').checked) dispatchEvent(new Event('online'));
  drawConnection();
});

byId('task-form').addEventListener('submit', (/** @type {Event} */ event) => {
  event.preventDefault();
  const stages = byId('stages').value.split(/[,，、]/).map((/** @type {string} */ name) => name.trim()).filter(Boolean);
  const body = { seconds: byId('seconds').valueAsNumber, updates: byId('updates').valueAsNumber, outcome: byId('outcome').value, process: byId('process').checked, ...(stages.length && { stages }) };
  for (const field of ['seconds', 'updates']) {
    if (Number.isNaN(body[/** @type {'seconds'} */ (field)])) return complain(t('missing', { field: document.querySelector(`label[for="${field}"]`)?.textContent ?? field }));
  }
  startTask(body);
});
byId('join-form').addEventListener('submit', (/** @type {Event} */ event) => {
  event.preventDefault();
  if (taskId()) select(taskId());
});
byId('leave').addEventListener('click', () => {
  const id = taskId();
  joined.leave(id);
  if (bar.getTaskId() === id) bar.reset();
  drawProgress();
});
byId('cancel').addEventListener('click', () => act('cancel'));
byId('retry').addEventListener('click', () => act('retry'));

/** @param {'cancel' | 'retry'} verb */
function act(verb) {
  const id = taskId();
  if (!id) return complain(t('pickTask'));
  complain('');
  if (bar.getTaskId() === id && bar.isConnected()) return void bar[verb]();
  log.add('out', `POST /api/tasks/…/${verb}`, { task_id: id });
  api(`/api/tasks/${encodeURIComponent(id)}/${verb}`, { method: 'POST', body: {}, token: joined.tokenOf(id) })
    .then((task) => log.add('in', '202', task), (error) => log.add('bad', error.code ?? 'error', String(error)));
}

// A bar of its own, so that playing by hand never touches what the server says.
let local = /** @type {any} */ (null);
let localShown = true;
for (const button of document.querySelectorAll('[data-local]')) {
  button.addEventListener('click', () => {
    const what = /** @type {HTMLElement} */ (button).dataset.local;
    local ??= new ProgressBar('local-container', { websocketUrl: null, locale });
    if (what === 'start') local.start({ details: { current: t('localCurrent'), completed: 0, total: 5 } });
    if (what === 'step') local.updateProgress((local.state.task?.progress ?? 0) + 10, { message: t('localStep') });
    if (what === 'unknown') local.start().updateProgress(null);
    if (what === 'complete') local.complete();
    if (what === 'fail') local.fail();
    if (what === 'reset') local.reset();
    if (what === 'hide') {
      localShown = !localShown;
      if (localShown) local.show();
      else local.hide();
    }
  });
}

function drawConnection() {
  const mode = weather.mode;
  const up = bar.isConnected();
  const phase = bar.state.status?.phase;
  fill(byId('connection-badge'), mode !== 'clear' ? badge('warn', 'alert', t({ cut: 'weather', stall: 'stalled', delay: 'delayed' }[/** @type {'cut'} */ (mode)] ?? 'weather'))
    : up ? badge('good', 'check', t('live')) : phase === 'connecting' || phase === 'waiting' ? badge('warn', 'clock', t('connecting')) : badge('', 'minus', t('off')));
  readings(byId('connection-readings'), [
    [t('transport'), bar.state.transport ?? t('none')],
    [t('roundTrip'), lastTrip === null ? t('none') : `${lastTrip} ms`],
    [t('reconnects'), Math.max(0, connects - 1)],
    [t('events'), log.seen],
    [t('sinceUp'), upSince === null || !up ? t('none') : `${Math.floor((Date.now() - upSince) / 1000)} s`],
    [t('session'), bar.socket?.id?.slice(0, 8) ?? t('none')],
  ]);
}

function drawProgress() {
  const task = bar.state.task;
  byId('progress-task').textContent = bar.getTaskId() ? t('tasksOf', { id: bar.getTaskId() ?? '' }) : t('noTask');
  readings(byId('progress-readings'), [
    [t('state'), task?.status ?? t('none')],
    [t('percent'), task?.progress === null || task?.progress === undefined ? t('none') : `${Math.floor(task.progress)}%`],
    [t('rev'), task?.rev ?? t('none')],
    [t('attempt'), task?.attempt ?? t('none')],
    [t('latency'), latency === null ? t('none') : `${latency.toFixed(0)} ms`],
    [t('rate'), states],
  ]);
}

const chaos = new Chaos({ weather, verdict, startTask, taskId, log, complain, task: () => bar.state.task });
setInterval(() => {
  drawConnection();
  drawProgress();
  chaos.draw();
}, 500);
// By another road than the one that is judged: what has ended there must be known here.
setInterval(async () => {
  if (weather.mode !== 'clear' || !bar.isConnected()) return verdict.excuse();
  for (const id of verdict.unended()) {
    const task = await api(`/api/tasks/${encodeURIComponent(id)}`, { token: joined.tokenOf(id) }).catch(() => null);
    if (task && weather.mode === 'clear') verdict.truth(task, performance.now());
  }
}, 3000);
setInterval(() => upSince !== null && !document.hidden && ping(), 5000);
drawConnection();
drawProgress();
chaos.draw();
const asked = new URLSearchParams(location.hash.slice(1)).get('task');
if (asked) select(asked);


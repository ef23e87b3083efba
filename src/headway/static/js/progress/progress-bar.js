// @ts-check
/** ProgressBar: puts task, connection and view together. */

/** @import { Action, BarState, Freshness, HeadwayError, LogPayload, ProgressBarEvents, ProgressBarOptions, StartOptions, Status, Task, UpdateData } from './types.js' */
/** @import { Connection, Link } from './connection.js' */
/** @import { Facts, Shown } from './internal.js' */
/** @import { Wish } from './view.js' */
import { connectionTo, NO_CONNECTION } from './connection.js';
import { notePrediction, timeLeft } from './estimate.js';
import { Events } from './events.js';
import { loadMore } from './here.js';
import { endpointOf, given, localeOf, withDefaults } from './options.js';
import { linkStylesheet } from './stylesheet.js';
import { accept, blank, derive, freshness, isFinal, isMilestone, whole } from './task.js';
import { View } from './view.js';
import { wordsFor } from './words.js';

const TICK_MS = 1000;
/** A person who pressed a button is shown what came of it for so long. */
const PROBLEM_MS = 8000;
/** @type {Record<string, 'complete' | 'fail' | 'cancelled'>} */
const ENDINGS = { completed: 'complete', failed: 'fail', cancelled: 'cancelled' };

export class ProgressBar {
  #options;
  #say;
  #events;
  /** @type {View} */
  #view;
  /** @type {Connection | null} */
  #connection = null;
  /** @type {Link | null} */
  #link = null;
  #lifetime = new AbortController();

  /** @type {string | null} */
  #taskId = null;
  /** @type {Task | null} */
  #task = null;
  /** What `start` was told, until the server has said something. @type {Task | null} */
  #draft = null;
  #local = false;
  /** @type {Action | null} */
  #asked = null;
  /** @type {Action[] | null} */
  #actions = null;
  /** @type {HeadwayError | null} */
  #problem = null;
  /** @type {{ at: number, end: number }[]} */
  #predictions = [];
  /** @type {import('./log-view.js').LogView | null} */
  #log = null;
  #logOpen = false;
  /** @type {import('./page-signs.js').PageSigns | null} */
  #signs = null;

  /** @type {Shown | null} */
  #shown = null;
  #fresh = '';
  /** @typedef {ReturnType<typeof setTimeout> | undefined} Timer */
  /** @type {Timer} */
  #tickTimer;
  /** @type {Timer} */
  #hideTimer;
  /** @type {Timer} */
  #problemTimer;

  /**
   * @param {string | Element | ShadowRoot} container an element or its id
   * @param {ProgressBarOptions} [options]
   */
  constructor(container, options) {
    const host = typeof container === 'string' ? document.getElementById(container) : container;
    if (!host) throw new Error(`ProgressBar: there is no element with the id '${container}'`);
    this.#options = withDefaults(options);
    const place = host instanceof ShadowRoot ? host.host : host;
    this.#say = wordsFor(localeOf(this.#options, place), this.#options.words);
    this.#events = new Events(this.#options, () => (place === host ? this.#view.root : place));
    const { signal } = this.#lifetime;
    this.#view = new View(host, { say: this.#say, choices: this.#options, signal, onWish: (wish) => this.#wish(wish) });
    this.#view.root.lang = this.#say.locale;
    linkStylesheet(this.#view.root, this.#options.stylesheet);
    document.addEventListener('visibilitychange', () => this.#draw(), { signal });
    if (this.#options.tabTitle || this.#options.favicon || this.#options.notify) {
      this.#more(({ PageSigns }) => {
        this.#signs = new PageSigns(this.#options, this.#say, this.#view.buttons, signal);
        this.#draw();
      });
    }
    this.#draw();
    this.initWebSocket();
  }

  /** The shared Socket.IO socket, or null where another transport is used. */
  get socket() {
    return this.#connection?.socket ?? null;
  }

  /** @returns {BarState} */
  get state() {
    const status = this.#status;
    return {
      connected: this.isConnected(),
      transport: status.phase === 'live' ? status.transport : this.#local ? 'local' : null,
      task: this.#task,
      taskId: this.#taskId,
      status,
      freshness: freshness(this.#facts),
      actions: this.#actions,
      visible: !this.#view.root.hidden,
    };
  }

  /** Shows a task: one of the server's by its id, or, without one, a local one. @param {StartOptions} [options] */
  start({ taskId = null, token, ...known } = {}) {
    if (this.#lifetime.signal.aborted) return this;
    this.reset();
    this.#taskId = taskId === null ? null : String(taskId);
    this.#local = !this.#taskId || !endpointOf(this.#options);
    this.#draft = blank({ task_id: this.#taskId ?? '', ...given(known) });
    if (this.#local) this.#task = this.#draft;
    if (token !== undefined) this.#options.token = token;
    if (this.#taskId) this.joinTaskRoom(this.#taskId);
    this.show();
    this.#draw();
    return this;
  }

  /** Drives the bar from this page. A server's newer state goes over it. @param {number | null} progress @param {UpdateData} [data] */
  updateProgress(progress, data = {}) {
    const value = typeof progress === 'number' && Number.isFinite(progress) ? Math.min(99, Math.max(0, progress)) : null;
    return this.#drive({ state: 'running', status: 'running', ...given(data), ...(value !== null && { progress: value }) });
  }

  /** @param {string} [message] */
  complete(message) {
    return this.#drive({ state: 'completed', status: 'completed', progress: 100, eta_s: null, ...(message != null && { message }) });
  }

  /** @param {string} [message] */
  fail(message) {
    const error = { code: 'failed', message: message ?? '' };
    return this.#drive({ state: 'failed', status: 'failed', eta_s: null, error, ...(message != null && { message }) });
  }

  /** Asks for the stop, by whatever transport is there. @returns {Promise<boolean>} whether the server took it */
  async cancel() {
    if (isFinal(this.#task) || this.#asked === 'cancel') return false;
    this.#events.emit('cancel');
    if (!this.#local || !this.#task) return this.#ask('cancel');
    // There is nobody who could confirm.
    this.#drive({ state: 'cancelled', status: 'cancelled', eta_s: null });
    return true;
  }

  /** Asks for a new attempt. @returns {Promise<boolean>} */
  async retry() {
    this.#events.emit('retry');
    return this.#local ? false : this.#ask('retry');
  }

  /** Back to how it was before `start`; leaves the task. */
  reset() {
    if (this.#taskId) this.leaveTaskRoom(this.#taskId);
    clearTimeout(this.#hideTimer);
    clearTimeout(this.#problemTimer);
    this.#taskId = this.#task = this.#draft = this.#asked = this.#actions = this.#problem = null;
    this.#predictions = [];
    this.#local = false;
    this.#log?.clear();
    this.#openLog(false);
    this.#draw();
    return this;
  }

  show() {
    clearTimeout(this.#hideTimer);
    this.#view.root.hidden = false;
    return this;
  }

  hide() {
    this.#view.root.hidden = true;
    return this;
  }

  /**
   * @template {keyof ProgressBarEvents} E
   * @param {E} event @param {(...data: ProgressBarEvents[E]) => void} callback
   */
  on(event, callback) {
    this.#events.on(event, callback);
    return this;
  }

  /**
   * Without a callback: all of this event.
   * @template {keyof ProgressBarEvents} E
   * @param {E} event @param {(...data: ProgressBarEvents[E]) => void} [callback]
   */
  off(event, callback) {
    this.#events.off(event, callback);
    return this;
  }

  /** Do live updates arrive? */
  isConnected() {
    return this.#status.phase === 'live';
  }

  getTaskId() {
    return this.#taskId;
  }

  /** Connects, where that was not done or undone. */
  initWebSocket() {
    const endpoint = endpointOf(this.#options);
    if (!endpoint || this.#lifetime.signal.aborted) return;
    if (this.#link) return void this.#connection?.open();
    this.#connection = connectionTo(endpoint, this.#options.shareTabs);
    this.#link = this.#connection.link(this.#options, {
      onStatus: (status, before) => this.#statusChanged(status, before),
      onState: (task) => this.handleProgressUpdate(task),
      onLog: (payload) => this.#logged(payload),
      onActions: (actions) => {
        this.#actions = actions;
        this.#draw();
      },
      onError: (error) => this.#erred(error),
    });
    if (this.#taskId) this.joinTaskRoom(this.#taskId);
  }

  bindWebSocketEvents() {
    this.#connection?.bind();
  }

  /** @param {string} taskId */
  joinTaskRoom(taskId) {
    this.#link?.watch({ taskId, token: this.#options.token, logFrom: () => (this.#logOpen && this.#log ? this.#log.next : null) });
  }

  /** @param {string} taskId */
  leaveTaskRoom(taskId) {
    this.#link?.unwatch(taskId);
  }

  /** Takes a state as it came; one that is not news is dropped. @param {Task} data */
  handleProgressUpdate(data) {
    if (!data || typeof data !== 'object' || (this.#taskId && data.task_id && data.task_id !== this.#taskId)) return;
    const task = accept(this.#task, whole(data, this.#task));
    // What the page told `start` stands until the work begins to tell of itself.
    if (this.#draft && task.state === 'pending' && !Object.keys(task.details ?? {}).length) task.details = this.#draft.details;
    this.#problem = null;
    if (task !== this.#task) {
      this.#local = false;
      this.#take(task);
    } else this.#draw();
  }

  startHeartbeat() {
    this.#connection?.startHeartbeat();
  }

  stopHeartbeat() {
    this.#connection?.stopHeartbeat();
  }

  scheduleReconnect() {
    this.#connection?.scheduleReconnect();
  }

  /** Gives up this bar's share of the connection; the last bar's leaving closes it. `initWebSocket` connects again. */
  disconnectWebSocket() {
    const connected = this.isConnected();
    this.#link?.release();
    this.#link = this.#connection = null;
    if (connected) this.#events.emit('disconnect', 'client');
    this.#draw();
  }

  /** Frees everything; safe to call twice. */
  destroy() {
    if (this.#lifetime.signal.aborted) return;
    this.#lifetime.abort();
    this.#link?.release();
    this.#link = this.#connection = null;
    for (const timer of [this.#tickTimer, this.#hideTimer, this.#problemTimer]) clearTimeout(timer);
    this.#events.clear();
    this.#signs?.remove();
    this.#view.remove();
    this.#taskId = this.#task = this.#draft = this.#shown = null;
  }

  get #status() {
    if (this.#connection) return this.#connection.status;
    return this.#local || !this.#taskId ? NO_CONNECTION : { ...NO_CONNECTION, phase: /** @type {const} */ ('off') };
  }

  /** @returns {Facts} */
  get #facts() {
    return {
      task: this.#task ?? this.#draft,
      status: this.#status,
      local: this.#local,
      now: this.#local ? Date.now() / 1000 : (this.#connection?.now ?? null),
      asked: this.#asked,
      problem: this.#problem,
      hasTaskId: this.#taskId !== null,
    };
  }

  /** A change by this page. @param {Partial<Task>} change */
  #drive(change) {
    if (this.#lifetime.signal.aborted) return this;
    if (!this.#taskId || !this.isConnected()) this.#local = true;
    const old = this.#task ?? this.#draft ?? blank({ task_id: this.#taskId ?? '' });
    if (isFinal(old)) return this;
    const now = Date.now() / 1000;
    const details = { ...old.details, ...change.details };
    const next = { ...old, started_at: old.started_at ?? now, ...change, details, updated_at: now, rev: old.rev };
    if (next.progress != null && old.progress != null) next.progress = Math.max(old.progress, next.progress);
    if (isFinal(next)) next.finished_at = now;
    this.#take(next);
    return this;
  }

  /** The one place where the task changes. @param {Task} task */
  #take(task) {
    const before = this.#task;
    this.#task = task;
    if (task.error) this.#explain();
    const ended = isFinal(task);
    // Has what the person asked for come about?
    if (this.#asked === 'cancel' ? ended || task.state === 'cancelling' : !ended) this.#asked = null;
    this.#predictions = notePrediction(ended || task.worker === 'silent' ? [] : this.#predictions, task.eta_s, this.#facts.now ?? 0);
    if (before && before.epoch !== task.epoch) this.#log?.clear();
    this.#draw();
    this.#events.emit('progress', task);
    const ending = ended && (!before || before.state !== task.state || before.attempt !== task.attempt) && ENDINGS[task.state];
    if (!ending || this.#lifetime.signal.aborted) return;
    this.#events.emit(ending, task);
    if (task.state === 'completed' && this.#options.autoHide) {
      this.#hideTimer = setTimeout(() => this.hide(), this.#options.autoHideDelay);
    }
  }

  /** @param {Action} action */
  async #ask(action) {
    const taskId = this.#taskId;
    if (!taskId || !this.#connection) return false;
    this.#asked = action;
    this.#draw();
    const ack = await this.#connection.ask(action === 'cancel' ? 'cancel_task' : 'retry_task', taskId);
    if (this.#taskId !== taskId || this.#lifetime.signal.aborted) return ack.ok;
    if (!ack.ok) {
      if (this.#asked === action) this.#asked = null;
      this.#erred({ code: 'internal', message: '', ...ack.error, task_id: taskId });
      this.#problemTimer = setTimeout(() => {
        this.#problem = null;
        this.#draw();
      }, PROBLEM_MS);
    } else if (action === 'retry') this.#asked = null;
    this.#draw();
    return ack.ok;
  }

  /** @param {Status} status @param {Status} before */
  #statusChanged(status, before) {
    if (status.reason === 'absent') this.#local = true;
    if (status.phase === 'live') this.#problem = null;
    this.#draw();
    if (status.phase === 'live' && before.phase !== 'live') this.#events.emit('connect');
    if (status.phase !== 'live' && before.phase === 'live') this.#events.emit('disconnect', status.reason ?? 'lost');
    if (status.phase === 'waiting') this.#events.emit('reconnecting', status.attempt, status.max);
    if (status.phase === 'failed' && before.phase !== 'failed') this.#events.emit('reconnect_failed');
  }

  /** @param {HeadwayError} error */
  #erred(error) {
    clearTimeout(this.#problemTimer);
    // That the server can't be reached is said by the connection's own words.
    if (error.code !== 'unreachable') this.#problem = error;
    this.#explain();
    this.#draw();
    this.#events.emit('error', error);
  }

  /** @param {LogPayload} payload */
  #logged(payload) {
    if (payload.task_id !== this.#taskId) return;
    if (this.#logOpen && this.#log && !this.#log.add(payload)) this.joinTaskRoom(payload.task_id);
    this.#events.emit('log', payload);
  }

  /** @param {Wish} wish */
  async #wish(wish) {
    if (wish === 'cancel') await this.cancel();
    if (wish === 'retry') await this.retry();
    if (wish === 'reconnect') {
      if (this.#connection) this.#connection.reconnect();
      else this.initWebSocket();
    }
    if (wish === 'log') this.#openLog(!this.#logOpen);
  }

  /** @param {boolean} open */
  #openLog(open) {
    this.#logOpen = open;
    this.#view.openLog(open, this.#log);
    if (!open) return;
    this.#more(({ LogView }) => {
      this.#log ??= new LogView(this.#say, this.#lifetime.signal);
      this.#view.openLog(this.#logOpen, this.#log);
      if (this.#taskId) this.joinTaskRoom(this.#taskId);
    });
  }

  /** What went wrong is said in words of our own as soon as they are there; until then in the server's. */
  #explain() {
    this.#more(() => this.#draw());
  }

  /** @param {(more: typeof import('./more.js')) => void} use */
  #more(use) {
    loadMore().then(
      (more) => {
        if (this.#lifetime.signal.aborted) return;
        this.#say.add(more.moreWords);
        use(more);
      },
      () => {},
    );
  }

  #draw() {
    if (this.#lifetime.signal.aborted) return;
    const facts = this.#facts;
    const { task } = facts;
    const shown = derive(facts);
    const { allowCancel, allowRetry, showLog } = this.#options;
    const allowed = (/** @type {Action} */ action) => !this.#actions || this.#actions.includes(action);
    if (this.#options.showStages && shown.stages.length && !this.#view.stages) {
      this.#more(({ StagesView }) => {
        this.#view.stages ??= new StagesView(this.#say, this.#lifetime.signal);
        this.#draw();
      });
    }
    const sure = shown.look === 'running' && !shown.trouble && facts.now != null;
    this.#view.draw(shown, {
      task,
      left: sure ? timeLeft(this.#predictions, facts.now ?? 0, this.#say) : '',
      may: {
        cancel: allowCancel && allowed('cancel'),
        retry: allowRetry && allowed('retry'),
        log: showLog && facts.hasTaskId && !this.#local,
      },
    });
    if (isMilestone(this.#shown, shown)) this.#view.speak(this.#spoken(shown, task));
    this.#shown = shown;
    this.#drawSigns(shown, task);
    this.#tellFreshness(shown.signals);
    this.#tick(task, shown);
  }

  /** @param {Shown} shown @param {Task | null} task */
  #spoken(shown, task) {
    const lost = shown.trouble === 'lost' ? this.#say('gaveUp', { max: this.#status.max }) : '';
    return [task?.name, lost || this.#view.doing(shown), shown.look === 'completed' ? '' : this.#view.percent(shown)].filter(Boolean).join(', ');
  }

  /** @param {Shown} shown @param {Task | null} task */
  #drawSigns(shown, task) {
    const words = (shown.look === 'running' && this.#view.percent(shown)) || this.#view.doing(shown);
    this.#signs?.show(shown, task, words, getComputedStyle(this.#view.root).getPropertyValue('--hw-tone') || '#36c');
  }

  /** @param {Freshness} signals */
  #tellFreshness(signals) {
    const key = `${signals.connected} ${signals.worker} ${signals.advancing}`;
    if (key === this.#fresh) return;
    const first = !this.#fresh;
    this.#fresh = key;
    if (!first) this.#events.emit('freshness', signals);
  }

  /** Ages grow by themselves; nothing ticks where none is shown or nobody looks. @param {Task | null} task @param {Shown} shown */
  #tick(task, shown) {
    clearTimeout(this.#tickTimer);
    const idle = document.hidden || !task || this.#local || (isFinal(task) && shown.look === task.state);
    if (!idle) this.#tickTimer = setTimeout(() => this.#draw(), TICK_MS);
  }
}

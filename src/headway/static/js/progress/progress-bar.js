// @ts-check
/** ProgressBar: puts task, connection and view together. */

/** @import { Action, BarState, HeadwayError, LogPayload, ProgressBarEvents } from './types.js' */
/** @import { ProgressBarOptions, StartOptions, Status, Task, UpdateData } from './types.js' */
/** @import { Connection } from './connection.js' */
/** @import { Link } from './link.js' */
/** @import { Facts } from './internal.js' */
/** @import { Wish } from './view.js' */
import { connectionTo, NO_CONNECTION } from './connection.js';
import { Events } from './events.js';
import { endpointOf, given, localeOf, withDefaults } from './options.js';
import { Screen } from './screen.js';
import { linkStylesheet } from './stylesheet.js';
import { accept, blank, freshness, isFinal, whole } from './task.js';
import { View } from './view.js';
import { wordsFor } from './words.js';

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
  #screen;
  /** @type {Connection | null} */
  #connection = null;
  /** @type {Link | null} */
  #link = null;
  #lifetime = new AbortController();

  /** @type {string | null} */
  #taskId = null;
  /** @type {Task | null} */
  #task = null;
  /** The server's newest state, whatever the page has made of it since. @type {Task | null} */
  #known = null;
  /** What `start` was told, until the server has said something. @type {Task | null} */
  #draft = null;
  #local = false;
  /** @type {Action | null} */
  #asked = null;
  /** @type {Action[] | null} */
  #actions = null;
  /** @type {HeadwayError | null} */
  #problem = null;
  /** @type {import('./log-view.js').LogView | null} */
  #log = null;
  #logOpen = false;

  /** @typedef {ReturnType<typeof setTimeout> | undefined} Timer */
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
    this.#screen = new Screen(
      this.#view,
      this.#say,
      this.#options,
      () => this.#facts,
      signal,
      (signals) => this.#events.emit('freshness', signals),
    );
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
      transport: this.#local && !(this.#taskId && status.transport) ? 'local' : status.transport,
      task: this.#task,
      taskId: this.#taskId,
      status,
      freshness: freshness(this.#facts),
      actions: this.#actions,
      visible: !this.#view.root.hidden,
    };
  }

  /**
   * Shows a task: one of the server's by its id, or, without one, a local one.
   * @param {StartOptions | string | null} [options] text is an id
   */
  start(options) {
    const { taskId, token, ...known } = typeof options === 'string' ? { taskId: options } : (options ?? {});
    if (this.#lifetime.signal.aborted) return this;
    this.reset();
    this.#taskId = taskId == null || taskId === '' ? null : String(taskId);
    this.#local = !this.#taskId || !endpointOf(this.#options);
    this.#draft = blank({ task_id: this.#taskId ?? '', ...given(known) });
    if (this.#local) this.#task = this.#draft;
    if (token !== undefined) this.#options.token = token;
    if (this.#taskId) this.joinTaskRoom(this.#taskId);
    this.show();
    this.#draw();
    return this;
  }

  /**
   * Drives the bar from this page. A server's newer state goes over it.
   * @param {number | null} progress null: not known, unless it once was @param {UpdateData} [data]
   */
  updateProgress(progress, data) {
    const value = Math.min(99, Math.max(0, parseFloat(String(progress))));
    const unknown = progress === null && !this.#task?.progress;
    return this.#drive({
      state: 'running',
      status: 'running',
      ...given(data ?? {}),
      ...(unknown ? { progress } : value >= 0 && { progress: value }),
    });
  }

  /** @param {string} [message] */
  complete(message) {
    return this.#drive({
      state: 'completed',
      status: 'completed',
      progress: 100,
      eta_s: null,
      ...(message != null && { message }),
    });
  }

  /** @param {string | Error} [reason] */
  fail(reason) {
    const message = reason instanceof Error ? reason.message : reason;
    const error = { code: 'failed', message: message ?? '' };
    return this.#drive({ state: 'failed', status: 'failed', eta_s: null, error, ...(message != null && { message }) });
  }

  /** Asks for the stop, by whatever transport is there. @returns {Promise<boolean>} whether the server took it */
  async cancel() {
    if (isFinal(this.#task) || this.#asked === 'cancel' || !(this.#taskId || this.#task)) return false;
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
    this.#taskId = this.#task = this.#known = this.#draft = this.#asked = this.#actions = this.#problem = null;
    this.#screen.predict(null);
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
    this.#link?.watch({
      taskId,
      token: this.#options.token,
      logFrom: () => (this.#logOpen && this.#log ? this.#log.next : null),
    });
  }

  /** @param {string} taskId */
  leaveTaskRoom(taskId) {
    this.#link?.unwatch(taskId);
  }

  /** Takes a state as it came; one that is not news is dropped. @param {Task} data */
  handleProgressUpdate(data) {
    if (this.#lifetime.signal.aborted || !data || typeof data !== 'object') return;
    if (this.#taskId && data.task_id && data.task_id !== this.#taskId) return;
    const task = accept(this.#known, whole(data, this.#known));
    this.#problem = null;
    if (task === this.#known) return this.#draw();
    // What the page told `start` stands until the work begins to tell of itself.
    if (this.#draft && task.state === 'pending' && !Object.keys(task.details ?? {}).length)
      task.details = this.#draft.details;
    this.#known = task;
    this.#local = false;
    this.#take(task);
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
    clearTimeout(this.#hideTimer);
    clearTimeout(this.#problemTimer);
    this.#events.clear();
    this.#taskId = this.#task = this.#known = this.#draft = null;
    this.#local = false;
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
      actions: this.#actions,
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
    this.#screen.predict(task);
    if (before && before.epoch !== task.epoch) this.#log?.clear();
    this.#draw();
    this.#events.emit('progress', task);
    const ending =
      ended && (!before || before.state !== task.state || before.attempt !== task.attempt) && ENDINGS[task.state];
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
    this.#screen.more(({ LogView }) => {
      this.#log ??= new LogView(this.#say, this.#lifetime.signal);
      this.#view.openLog(this.#logOpen, this.#log);
      if (this.#taskId) this.joinTaskRoom(this.#taskId);
    });
  }

  /** What went wrong is said in words of our own as soon as they are there; until then in the server's. */
  #explain() {
    this.#screen.more(() => this.#draw());
  }

  #draw() {
    this.#screen.draw();
  }
}

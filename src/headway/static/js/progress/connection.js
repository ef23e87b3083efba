// @ts-check
/** One connection a page and namespace, shared by all bars: reconnects, joins again, notices when nobody answers. */

/** @import { Action, HeadwayError, LogPayload, Status, Task } from './types.js' */
/** @import { Ack, Endpoint, LinkHandlers, Policy, Sink, Transport } from './internal.js' */
import { loadMore } from './here.js';
import { Link } from './link.js';
import { SocketTransport, UNREACHABLE } from './socket.js';

const PONG_TIMEOUT_MS = 10_000;
/** A timer that fires this late was held up with the whole tab; it proves nothing about the server. */
const HELD_UP_MS = 1000;
/** Who has just come back to the page should not wait for a connection that died meanwhile. */
const JUST_SEEN_MS = 5000;
/** Longer than that no timer goes. */
const MOST_MS = 2 ** 31 - 1;
/** Errors that pass: the join is tried again. */
const PASSING = ['unavailable', 'rate_limited', 'internal'];

/** @type {Status} */
export const NO_CONNECTION = { phase: 'idle', attempt: 0, max: 0, transport: null, reason: null };

/** @type {Map<string, Connection>} */
const shared = new Map();

/**
 * The page's connection to this endpoint.
 * @param {Endpoint} endpoint @param {boolean | string} [shareTabs]
 */
export function connectionTo(endpoint, shareTabs) {
  const key = [endpoint.url, endpoint.path, endpoint.api, shareTabs].join(' ');
  let connection = shared.get(key);
  if (!connection) {
    connection = new Connection(endpoint, shareTabs, () => shared.delete(key));
    shared.set(key, connection);
  }
  return connection;
}

export class Connection {
  #status = NO_CONNECTION;
  #endpoint;
  #onUnused;
  #shareTabs;
  /** @type {Transport | null} */
  #transport = null;
  /** @type {Set<Link>} */
  #links = new Set();
  #lifetime = new AbortController();
  #suspended = false;
  #seenAt = -Infinity;
  /** When the last heartbeat was due, by the machine's clock: the page's may stand still while a laptop sleeps. */
  #beatAt = Infinity;
  /** @typedef {ReturnType<typeof setTimeout> | undefined} Timer */
  /** @type {Timer} */
  #retryTimer;
  /** @type {Timer} */
  #beatTimer;
  /** @type {Timer} */
  #pongTimer;
  /** @type {Timer} */
  #rejoinTimer;
  /** The server's clock, as last heard: Unix seconds, and when by the page's own clock. */
  #clock = { server: NaN, page: 0 };
  /** Tasks whose join was repeated with a fresh token since they were last heard of. @type {Set<string>} */
  #refreshed = new Set();

  /** @param {Endpoint} endpoint @param {boolean | string | undefined} shareTabs @param {() => void} onUnused */
  constructor(endpoint, shareTabs, onUnused) {
    this.#endpoint = endpoint;
    this.#onUnused = onUnused;
    this.#shareTabs = shareTabs;
    const { signal } = this.#lifetime;
    addEventListener('pagehide', () => this.#suspend(), { signal });
    addEventListener('pageshow', () => this.#resume(), { signal });
    addEventListener('online', () => this.#newRound(/connecting|waiting|failed/), { signal });
    for (const event of ['visibilitychange', 'resume']) {
      document.addEventListener(event, () => document.hidden || this.#seen(), { signal });
    }
  }

  get socket() {
    return this.#transport?.socket ?? null;
  }

  /** @returns {Status} */
  get status() {
    return { ...this.#status, transport: this.#status.phase === 'live' ? (this.#transport?.name ?? null) : null };
  }

  /** The server's present time in Unix seconds, or null before it was heard. */
  get now() {
    const { server, page } = this.#clock;
    return Number.isNaN(server) ? null : server + (performance.now() - page) / 1000;
  }

  /** @param {Policy} policy @param {LinkHandlers} handlers */
  link(policy, handlers) {
    const link = new Link(this, policy, handlers);
    this.#links.add(link);
    if (this.#status.phase === 'live') queueMicrotask(() => this.#welcome(link));
    else this.open();
    return link;
  }

  /** @param {Link} link */
  unlink(link) {
    if (!this.#links.delete(link) || this.#links.size) return;
    this.#stopTimers();
    this.#lifetime.abort();
    this.#transport?.close();
    this.#onUnused();
  }

  /** A bar that comes to a live connection hears of it, too, once its maker had time to listen. @param {Link} link */
  #welcome(link) {
    if (this.#links.has(link) && this.#status.phase === 'live') link.handlers.onStatus?.(this.status, NO_CONNECTION);
  }

  /** Connects, unless that is under way or done. */
  open() {
    if (!this.#suspended && this.#status.phase !== 'connecting') this.reconnect();
  }

  /** A new round, whatever the last one came to: what the Reconnect button does. */
  reconnect() {
    clearTimeout(this.#retryTimer);
    if (this.#status.phase === 'live') return;
    this.#connect({ attempt: 0 });
  }

  bind() {
    this.#transport?.bind?.();
  }

  /** Begins to wait for the next try, unless there is a connection or one is on its way. */
  scheduleReconnect() {
    if (!/live|connecting|waiting/.test(this.#status.phase)) this.#schedule();
  }

  #schedule() {
    const attempt = this.#status.attempt + 1;
    clearTimeout(this.#retryTimer);
    if (attempt > this.#policy.maxReconnectAttempts) return this.#set('failed');
    this.#set('waiting', { attempt });
    if (this.#hasSlept()) this.#seenAt = performance.now();
    const lookedAt = attempt === 1 && performance.now() - this.#seenAt < JUST_SEEN_MS;
    this.#retryTimer = setTimeout(() => this.#connect(), lookedAt ? 0 : this.#delay);
  }

  startHeartbeat() {
    this.stopHeartbeat();
    this.#beatAt = Date.now();
    const { heartbeatInterval } = this.#policy;
    // No heartbeat, or hardly ever one: a timer would fire all the time.
    if (!heartbeatInterval || heartbeatInterval > MOST_MS) return;
    this.#beatTimer = setInterval(() => (this.#hasSlept() ? this.#seen() : this.#beat()), heartbeatInterval);
  }

  stopHeartbeat() {
    clearInterval(this.#beatTimer);
    clearTimeout(this.#pongTimer);
    this.#pongTimer = undefined;
  }

  /** @param {string} taskId */
  async join(taskId) {
    const watches = this.#watchesOf(taskId);
    if (!watches.length || !this.#canJoin) return;
    const token = await this.#token(taskId);
    const from = watches.map((watch) => watch.logFrom?.()).filter((n) => n != null);
    if (!this.#watchesOf(taskId).length || !this.#canJoin) return;
    this.#transport?.join(taskId, { ...(token && { token }), ...(from.length && { log_from: Math.min(...from) }) });
  }

  /** Before the connection is live only a transport that has one connection a task can join. */
  get #canJoin() {
    return this.#status.phase === 'live' || (this.#status.phase === 'connecting' && !!this.#transport?.joinsFirst);
  }

  /** @param {string} taskId */
  leave(taskId) {
    if (!this.#watchesOf(taskId).length) this.#transport?.leave(taskId);
  }

  /**
   * By the live connection where there is one, else over HTTP; a cancel also where that one broke over it.
   * @param {'cancel_task' | 'retry_task'} event @param {string} taskId @param {string} [reason]
   * @returns {Promise<Ack>}
   */
  async ask(event, taskId, reason) {
    const token = await this.#token(taskId);
    const data = { ...(reason && { reason }) };
    if (this.#status.phase === 'live' && this.#transport) {
      const ack = await this.#transport.ask(event, taskId, { ...(token && { token }), ...data });
      // To ask twice for the stop does no harm; a second attempt would be one too many.
      if (ack.error?.code !== 'unreachable' || event === 'retry_task') return ack;
    }
    // The break over which it is asked for may have taken this along.
    const more = await loadMore().catch(loadMore).catch(() => {});
    return more ? more.askByHttp(this.#endpoint.api, event, taskId, token, data, this.#sink()) : UNREACHABLE;
  }

  /** The newest bar's; while one of them wants to reconnect, it does. @returns {Policy} */
  get #policy() {
    const all = [...this.#links].map((link) => link.policy);
    return { .../** @type {Policy} */ (all.at(-1)), autoReconnect: all.some((policy) => policy.autoReconnect) };
  }

  /** Not all viewers at once. */
  get #delay() {
    return Math.min(MOST_MS, this.#policy.reconnectDelay * (0.7 + 0.6 * Math.random()));
  }

  /** The one place where the status changes. @param {Status['phase']} phase @param {Partial<Status>} [more] */
  #set(phase, more) {
    const before = this.#status;
    this.#status = { ...before, max: this.#links.size ? this.#policy.maxReconnectAttempts : 0, ...more, phase };
    for (const link of [...this.#links]) link.handlers.onStatus?.(this.status, before);
  }

  /** @param {Partial<Status>} [more] */
  #connect(more) {
    this.#set('connecting', more);
    if (typeof (/** @type {any} */ (globalThis).io) === 'function')
      this.#transport ??= new SocketTransport(this.#endpoint, this.#sink());
    if (this.#transport) return this.#transport.open();
    loadMore().then(
      ({ HttpTransport }) => {
        if (this.#status.phase !== 'connecting') return;
        this.#transport ??= new HttpTransport(this.#endpoint, this.#sink());
        this.#transport.open();
      },
      () => this.#lost('connect_error'),
    );
  }

  /**
   * A tab begins with a socket of its own, and shares once it is live: nobody waits for another tab.
   * @param {boolean} shareable whether it makes no difference to the server which tab asks
   */
  #share(shareable) {
    const own = this.#transport;
    const share = this.#shareTabs;
    if (!(own instanceof SocketTransport) || !share || (share === true && !shareable)) return;
    loadMore().then(
      ({ TabsTransport }) => {
        if (own !== this.#transport || !this.#links.size || !own.name || !TabsTransport.works()) return;
        this.#transport = new TabsTransport(this.#endpoint, this.#sink(), share, own);
      },
      () => {},
    );
  }

  /** What the transport tells. @returns {Sink} */
  #sink() {
    return {
      up: (joined) => {
        if (this.#status.phase === 'live') return;
        clearTimeout(this.#retryTimer);
        this.#set('live', { attempt: 0, reason: null });
        this.startHeartbeat();
        if (!joined) this.#joinAll();
      },
      down: (reason) => this.#lost(reason),
      absent: () => {
        this.#stopTimers();
        this.#transport?.close();
        this.#set('idle', { reason: 'absent' });
      },
      rejoin: () => this.#joinAll(),
      greeted: (shareable) => this.#share(shareable),
      serverTime: (time) => {
        if (typeof time === 'number') this.#clock = { server: time, page: performance.now() };
      },
      state: (task) => {
        if (typeof task?.task_id !== 'string') return;
        if (typeof task.server_time === 'number') this.#clock = { server: task.server_time, page: performance.now() };
        this.#refreshed.delete(task.task_id);
        this.#tell(task.task_id, (handlers) => handlers.onState?.(task));
      },
      log: (payload) => this.#tell(payload?.task_id, (handlers) => handlers.onLog?.(payload)),
      actions: (taskId, actions) => this.#tell(taskId, (handlers) => handlers.onActions?.(actions)),
      error: (error) => this.#erred(error),
      pong: () => {
        clearTimeout(this.#pongTimer);
        this.#pongTimer = undefined;
      },
      token: (taskId) => this.#token(taskId),
    };
  }

  /** @param {string} taskId @param {(handlers: LinkHandlers) => void} tell */
  #tell(taskId, tell) {
    for (const link of [...this.#links]) if (link.watches.has(taskId)) tell(link.handlers);
  }

  /** @param {HeadwayError} error */
  #erred(error) {
    const taskId = error?.task_id;
    if (PASSING.includes(error?.code)) {
      clearTimeout(this.#rejoinTimer);
      this.#rejoinTimer = setTimeout(() => this.#joinAll(), this.#delay);
    }
    const renewable = taskId && this.#watchesOf(taskId).some((watch) => typeof watch.token === 'function');
    if (renewable && error.code === 'task_not_found' && !this.#refreshed.has(taskId)) {
      // A token may have run out during a long task.
      this.#refreshed.add(taskId);
      this.join(taskId);
      return;
    }
    const told = { ...error, code: String(error?.code ?? 'internal'), message: String(error?.message ?? '') };
    for (const link of [...this.#links]) if (!taskId || link.watches.has(taskId)) link.handlers.onError?.(told);
  }

  /** @param {string} reason */
  #lost(reason) {
    const { phase } = this.#status;
    if (phase !== 'live' && phase !== 'connecting') return;
    this.#stopTimers();
    this.#transport?.close(this.#policy.autoReconnect);
    if (!this.#policy.autoReconnect) return this.#set('off', { reason });
    this.#status = { ...this.#status, reason };
    this.#schedule();
  }

  #joinAll() {
    for (const taskId of new Set([...this.#links].flatMap((link) => [...link.watches.keys()]))) this.join(taskId);
  }

  /** @param {string} taskId */
  #watchesOf(taskId) {
    return [...this.#links].flatMap((link) => link.watches.get(taskId) ?? []);
  }

  /** @param {string} taskId @returns {Promise<string | undefined>} */
  async #token(taskId) {
    const token = this.#watchesOf(taskId)
      .filter((watch) => watch.token)
      .at(-1)?.token;
    try {
      return (typeof token === 'function' ? await token() : token) ?? undefined;
    } catch (error) {
      reportError(error);
    }
  }

  /** Whether the machine has since the last heartbeat, in front of somebody: nothing else tells. */
  #hasSlept() {
    const before = this.#beatAt;
    this.#beatAt = Date.now();
    return !document.hidden && this.#beatAt - before > this.#policy.heartbeatInterval + PONG_TIMEOUT_MS;
  }

  #beat() {
    if (this.#status.phase !== 'live') return;
    this.#transport?.ping();
    if (this.#pongTimer || document.hidden) return;
    const due = performance.now() + PONG_TIMEOUT_MS;
    this.#pongTimer = setTimeout(() => {
      this.#pongTimer = undefined;
      if (document.hidden) return;
      if (performance.now() > due + HELD_UP_MS) return this.#beat();
      this.#lost('heartbeat');
    }, PONG_TIMEOUT_MS);
  }

  /** The page can be seen again: what is on it must be the present state. */
  #seen() {
    this.#seenAt = performance.now();
    this.#beatAt = Date.now(); // It is known that it slept, if it did.
    if (this.#status.phase !== 'live') return this.#newRound();
    clearTimeout(this.#pongTimer);
    this.#pongTimer = undefined;
    this.#beat();
    this.#joinAll();
  }

  /** A new round, where the last one has come to one of these. */
  #newRound(phases = /waiting|failed/) {
    if (!this.#suspended && this.#policy.autoReconnect && phases.test(this.#status.phase)) this.reconnect();
  }

  /** An open socket would cost the page its place in the back/forward cache. */
  #suspend() {
    const { phase } = this.#status;
    if (phase === 'off' || phase === 'idle') return;
    this.#suspended = true;
    this.#stopTimers();
    this.#transport?.close();
    this.#set('off', { reason: 'pagehide' });
  }

  #resume() {
    if (!this.#suspended) return this.#newRound();
    this.#suspended = false;
    this.reconnect();
  }

  #stopTimers() {
    this.stopHeartbeat();
    clearTimeout(this.#retryTimer);
    clearTimeout(this.#rejoinTimer);
  }
}

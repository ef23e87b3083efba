// @ts-check
/**
 * Who watches what over the socket that tabs share: kept by the tab that holds it, while it does. Each tab joins with
 * its own token, and is told of a task only what came after the server had let it in.
 */

/** @import { LogPayload } from './types.js' */
/** @import { Ack, JoinData, Sink } from './internal.js' */
/** @import { SocketTransport } from './socket.js' */

/** What is passed on: to all tabs, or to those in the task. */
const PASSED_ON = /** @type {const} */ (['serverTime', 'state', 'log', 'error', 'pong']);

/** @typedef {[event: 'state' | 'log', payload: any]} News */
/**
 * A tab in a task. `waiting` is what came before the server's answer, null once it is in. `next` is the line of the log
 * that is due to it, where it follows that, in the history `epoch`.
 * @typedef {{ waiting: News[] | null, next?: number, epoch?: string }} Seat
 */
/**
 * The tab that keeps the book, and how it tells the others (null: all). The lock of a tab is `key` and its name.
 * @typedef {{ me: string, key: string, sink: Sink, tell: (tabs: string[] | null, event: string, args: any[]) => void }}
 *   Holder
 */

export class Seats {
  #socket;
  #holder;
  #lifetime = new AbortController();
  /** Task → tabs. @type {Map<string, Map<string, Seat>>} */
  #joined = new Map();
  /** Other tabs whose end is waited for. @type {Set<string>} */
  #known = new Set();

  /** @param {SocketTransport} socket what it hears goes to all whom it concerns from now on @param {Holder} holder */
  constructor(socket, holder) {
    this.#socket = socket;
    this.#holder = holder;
    const passing = PASSED_ON.map((event) => [event, (/** @type {any} */ payload) => this.#passOn(event, payload)]);
    socket.sink = { ...holder.sink, ...Object.fromEntries(passing) };
  }

  /** What this tab had joined before is its own still. */
  takeOver() {
    const { me } = this.#holder;
    for (const [taskId, joined] of this.#socket.rooms) {
      /** @type {Seat} */
      const seat = { waiting: joined === true ? null : [] };
      this.#joined.set(taskId, new Map([[me, seat]]));
      if (joined !== true) this.#answered(me, taskId, seat, joined);
    }
  }

  /** @param {string} tab @param {string} taskId @param {JoinData} data */
  join(tab, taskId, data) {
    const tabs = this.#joined.get(taskId) ?? new Map();
    /** @type {Seat} */
    const seat = tabs.get(tab) ?? { waiting: [] };
    this.#joined.set(taskId, tabs.set(tab, seat));
    this.#leaveWith(tab);
    if (data.log_from !== undefined) {
      seat.next = data.log_from;
      // The server follows the log once for all: from the line that is due to the last of them.
      data = { ...data, log_from: Math.min(...[...tabs.values()].map(({ next = Infinity }) => next)) };
    }
    return this.#answered(tab, taskId, seat, this.#socket.ask('join', taskId, data));
  }

  /** @param {string} tab @param {string} taskId @param {Seat} seat @param {Promise<Ack>} answer the server's */
  async #answered(tab, taskId, seat, answer) {
    const ack = await answer;
    if (this.#lifetime.signal.aborted || this.#joined.get(taskId)?.get(tab) !== seat) return;
    if (!ack.ok) {
      if (ack.error?.code === 'unreachable') return;
      this.leave(tab, taskId);
      return this.#tell([tab], 'error', { code: 'internal', message: '', ...ack.error, task_id: taskId });
    }
    const news = seat.waiting ?? [];
    seat.waiting = null;
    for (const [event, payload] of news) this.#tell([tab], event, payload);
    if (ack.actions) this.#tell([tab], 'actions', taskId, ack.actions);
  }

  /** @param {string} tab @param {string} taskId */
  leave(tab, taskId) {
    const tabs = this.#joined.get(taskId);
    if (!tabs?.delete(tab) || tabs.size) return;
    this.#joined.delete(taskId);
    this.#socket.leave(taskId);
  }

  /** @param {string} tab */
  leaveAll(tab) {
    for (const taskId of [...this.#joined.keys()]) this.leave(tab, taskId);
  }

  close() {
    this.#lifetime.abort();
  }

  /** @param {(typeof PASSED_ON)[number]} event @param {any} payload */
  #passOn(event, payload) {
    if (payload?.task_id == null) return this.#tell(null, event, payload);
    const letIn = [];
    for (const [tab, seat] of this.#joined.get(payload.task_id) ?? []) {
      if (event === 'log') this.#passLines(tab, seat, payload);
      else if (!seat.waiting || event !== 'state') letIn.push(tab);
      // Of states the newest will do; lines of a log are all wanted.
      else seat.waiting = [...seat.waiting.filter(([old]) => old === 'log'), [event, payload]];
    }
    if (letIn.length) this.#tell(letIn, event, payload);
  }

  /** Those that this tab has not had. @param {string} tab @param {Seat} seat @param {LogPayload} payload */
  #passLines(tab, seat, payload) {
    const { epoch, lines } = payload;
    const last = lines?.at(-1)?.n;
    if (seat.next !== undefined && last !== undefined) {
      // In another history lines count from one again.
      const next = seat.epoch && seat.epoch !== epoch ? 1 : seat.next;
      if (last < next) return;
      payload = { ...payload, lines: lines.filter(({ n }) => n >= next) };
      [seat.epoch, seat.next] = [epoch, last + 1];
    }
    if (seat.waiting) seat.waiting.push(['log', payload]);
    else this.#tell([tab], 'log', payload);
  }

  /** @param {string[] | null} tabs null: all @param {string} event @param {any[]} args */
  #tell(tabs, event, ...args) {
    const { me, sink, tell } = this.#holder;
    if (!tabs || tabs.some((tab) => tab !== me)) tell(tabs, event, args);
    if (!tabs || tabs.includes(me)) /** @type {any} */ (sink)[event](...args);
  }

  /** A tab that is killed can't say that it leaves: its lock becomes free. @param {string} tab */
  #leaveWith(tab) {
    const { me, key } = this.#holder;
    if (tab === me || this.#known.has(tab)) return;
    this.#known.add(tab);
    const leave = () => {
      this.#known.delete(tab);
      this.leaveAll(tab);
    };
    navigator.locks.request(`${key} ${tab}`, { signal: this.#lifetime.signal }, leave).catch(() => {});
  }
}

// @ts-check
/**
 * One socket for all tabs of a browser. The tab that holds a Web Lock keeps the socket; the others speak to it over a
 * BroadcastChannel. The browser hands the lock on when the holder goes; a holder that freezes lets go of it; one that
 * does not answer any more has it taken away. Each tab also holds a lock of its own, by whose end it is known to be gone.
 *
 * Each tab joins with its own token, and is told of a task only what came after the server had let it in.
 */

/** @import { TransportName } from './types.js' */
/** @import { Ack, Endpoint, JoinData, Sink, Transport } from './internal.js' */
import { SocketTransport } from './socket.js';

/** How long a tab waits for the holder's word that the socket is up. */
const ANSWER_MS = 4000;
/** What the holder's sink passes on: to all tabs, or to those in the task. */
const PASSED_ON = /** @type {const} */ (['serverTime', 'state', 'log', 'error', 'pong']);

/** @typedef {[event: 'state' | 'log', payload: any]} News */
/**
 * A tab in a task. `waiting` is what came before the server's answer, null once it is in.
 * @typedef {{ waiting: News[] | null }} Seat
 */

/** @implements {Transport} */
export class TabsTransport {
  static works() {
    return !!globalThis.navigator?.locks && 'BroadcastChannel' in globalThis;
  }

  /** @type {TransportName | null} */
  name = null;
  #endpoint;
  #sink;
  #key;
  #me = crypto.randomUUID?.() ?? String(Math.random());
  /** @type {BroadcastChannel | null} */
  #channel = null;
  /** Present while this tab holds the socket. @type {SocketTransport | null} */
  #held = null;
  #letGo = () => {};
  #lifetime = new AbortController();
  /** Ends the waiting for the lock. */
  #queue = new AbortController();
  #isUp = false;
  #here = false;
  #answerTimer = /** @type {ReturnType<typeof setTimeout> | undefined} */ (undefined);
  /** Who watches what, kept by the holder: task → tabs. @type {Map<string, Map<string, Seat>>} */
  #joined = new Map();
  /** Other tabs whose end the holder waits for. @type {Set<string>} */
  #known = new Set();
  /** @type {Map<string, (ack: Ack) => void>} */
  #asking = new Map();

  /** @param {Endpoint} endpoint @param {Sink} sink @param {boolean | string} share tabs that say the same share */
  constructor(endpoint, sink, share) {
    this.#endpoint = endpoint;
    this.#sink = sink;
    this.#key = `headway ${endpoint.url} ${endpoint.path} ${share}`;
  }

  get socket() {
    return this.#held?.socket ?? null;
  }

  open() {
    if (!this.#channel) this.#enter();
    if (this.#held) return this.#held.open();
    if (this.#here) this.#post('hello');
    clearTimeout(this.#answerTimer);
    this.#answerTimer = setTimeout(() => {
      if (this.#held || this.#isUp) return;
      this.#request(true);
    }, ANSWER_MS);
  }

  /** @param {boolean} [lost] the holder goes on trying; leaving would only make another tab fail in its place */
  close(lost) {
    clearTimeout(this.#answerTimer);
    this.#isUp = false;
    this.name = null;
    if (!lost) this.#here = false;
    for (const resolve of this.#asking.values()) resolve({ ok: false, error: { code: 'unreachable', message: '' } });
    this.#asking.clear();
    if (lost) return this.#held?.close();
    this.#post('bye');
    this.#stepDown();
    this.#queue.abort();
    this.#lifetime.abort();
    this.#channel?.close();
    this.#channel = null;
  }

  /** @param {string} taskId @param {JoinData} data */
  join(taskId, data) {
    if (this.#held) this.#joinFor(this.#me, taskId, data);
    else this.#post('join', { taskId, data });
  }

  /** @param {string} taskId */
  leave(taskId) {
    if (this.#held) this.#leaveFor(this.#me, taskId);
    else this.#post('leave', { taskId });
  }

  /** @param {'cancel_task' | 'retry_task'} event @param {string} taskId @param {object} data @returns {Promise<Ack>} */
  ask(event, taskId, data) {
    if (this.#held) return this.#held.ask(event, taskId, data);
    const id = String(Math.random());
    return new Promise((resolve) => {
      this.#asking.set(id, resolve);
      this.#post('ask', { event, taskId, data, id });
    });
  }

  ping() {
    if (this.#held) this.#held.ping();
    else this.#post('ping');
  }

  #enter() {
    this.#lifetime = new AbortController();
    const { signal } = this.#lifetime;
    this.#channel = new BroadcastChannel(this.#key);
    this.#channel.addEventListener('message', ({ data }) => this.#heard(data), { signal });
    const frozen = () => {
      this.#stepDown();
      // Still in line for the lock it would get it, and do nothing with it.
      this.#queue.abort();
    };
    document.addEventListener('freeze', frozen, { signal });
    document.addEventListener('resume', () => this.#request(false), { signal });
    // Before it has its own lock it says and hears nothing: it would be taken for one that is gone.
    const alive = () => {
      this.#here = true;
      this.#post('hello');
      return new Promise((gone) => signal.addEventListener('abort', gone));
    };
    navigator.locks.request(`${this.#key} ${this.#me}`, { signal }, alive).catch(() => {});
    this.#request(false);
  }

  /** @param {boolean} steal */
  #request(steal) {
    this.#queue.abort();
    const { signal } = (this.#queue = new AbortController());
    const hold = () =>
      new Promise((/** @type {(value?: unknown) => void} */ resolve) => {
        this.#letGo = resolve;
        this.#lead();
      });
    navigator.locks.request(this.#key, steal ? { steal } : { signal }, hold).catch(() => {
      // Given up before it was granted, or taken away by a tab that got no answer.
      if (!this.#held) return;
      this.#stepDown();
      this.#request(false);
    });
  }

  #lead() {
    if (this.#lifetime.signal.aborted) return this.#letGo();
    this.#held = new SocketTransport(this.#endpoint, this.#holderSink());
    this.#held.open();
  }

  /** @returns {Sink} */
  #holderSink() {
    const sink = /** @type {any} */ ({ ...this.#sink });
    for (const event of PASSED_ON) sink[event] = (/** @type {any} */ payload) => this.#passOn(event, payload);
    return {
      ...sink,
      up: () => {
        this.#post('up', { name: this.#held?.name });
        this.#up(this.#held?.name ?? null);
      },
      down: (reason) => {
        this.#post('down', { reason });
        this.#isUp = false;
        this.#sink.down(reason);
      },
    };
  }

  /** Where it was up all along, with another holder, everything is joined again. @param {TransportName | null} name */
  #up(name) {
    clearTimeout(this.#answerTimer);
    const again = this.#isUp;
    this.#isUp = true;
    this.name = name;
    this.#sink.up();
    if (again) this.#sink.rejoin();
  }

  /** @param {(typeof PASSED_ON)[number]} event @param {any} payload */
  #passOn(event, payload) {
    if (payload?.task_id == null) return this.#tell(null, event, payload);
    const tabs = this.#joined.get(payload.task_id) ?? /** @type {Map<string, Seat>} */ (new Map());
    const isNews = event === 'state' || event === 'log';
    const letIn = [];
    for (const [tab, seat] of tabs) {
      if (!seat.waiting || !isNews) letIn.push(tab);
      // Of states the newest will do; lines of a log are all wanted.
      else seat.waiting = [...seat.waiting.filter(([old]) => old === 'log' || event === 'log'), [event, payload]];
    }
    if (letIn.length) this.#tell(letIn, event, payload);
  }

  /** @param {string[] | null} tabs null: all @param {string} event @param {any[]} args */
  #tell(tabs, event, ...args) {
    if (!tabs || tabs.some((tab) => tab !== this.#me)) this.#post('told', { to: tabs, event, args });
    if (!tabs || tabs.includes(this.#me)) /** @type {any} */ (this.#sink)[event](...args);
  }

  /** Lets another tab take the socket. */
  #stepDown() {
    this.#held?.close();
    this.#held = null;
    this.#joined.clear();
    this.#known.clear();
    this.#letGo();
  }

  /** @param {string} tab @param {string} taskId @param {JoinData} data */
  async #joinFor(tab, taskId, data) {
    const held = this.#held;
    const tabs = this.#joined.get(taskId) ?? new Map();
    /** @type {Seat} */
    const seat = tabs.get(tab) ?? { waiting: [] };
    this.#joined.set(taskId, tabs.set(tab, seat));
    this.#leaveWith(tab);
    const ack = await held?.ask('join', taskId, data);
    if (!ack || held !== this.#held || tabs.get(tab) !== seat) return;
    if (!ack.ok) {
      if (ack.error?.code === 'unreachable') return;
      this.#leaveFor(tab, taskId);
      return this.#tell([tab], 'error', { code: 'internal', message: '', ...ack.error, task_id: taskId });
    }
    const news = seat.waiting ?? [];
    seat.waiting = null;
    for (const [event, payload] of news) this.#tell([tab], event, payload);
    if (ack.actions) this.#tell([tab], 'actions', taskId, ack.actions);
  }

  /** A tab that is killed can't say that it leaves: its lock becomes free. @param {string} tab */
  #leaveWith(tab) {
    if (tab === this.#me || this.#known.has(tab)) return;
    this.#known.add(tab);
    const { signal } = this.#lifetime;
    const leave = () => {
      this.#known.delete(tab);
      for (const task of [...this.#joined.keys()]) this.#leaveFor(tab, task);
    };
    navigator.locks.request(`${this.#key} ${tab}`, { signal }, leave).catch(() => {});
  }

  /** @param {string} tab @param {string} taskId */
  #leaveFor(tab, taskId) {
    const tabs = this.#joined.get(taskId);
    if (!tabs?.delete(tab) || tabs.size) return;
    this.#joined.delete(taskId);
    this.#held?.leave(taskId);
  }

  /** @param {string} type @param {object} [more] */
  #post(type, more) {
    this.#channel?.postMessage({ type, from: this.#me, ...more });
  }

  /** @param {any} message */
  #heard(message) {
    const { type, from, taskId, data, id } = message;
    if (this.#held) {
      if (type === 'hello') this.#held.name ? this.#post('up', { name: this.#held.name }) : this.#held.open();
      if (type === 'join') this.#joinFor(from, taskId, data);
      if (type === 'leave') this.#leaveFor(from, taskId);
      if (type === 'bye') for (const task of [...this.#joined.keys()]) this.#leaveFor(from, task);
      if (type === 'ping' && this.#held.name) this.#held.ping();
      if (type === 'ask') this.#held.ask(message.event, taskId, data).then((ack) => this.#post('ack', { id, ack }));
      return;
    }
    if (!this.#here) return;
    if (type === 'up') this.#up(message.name);
    if (type === 'down' && this.#isUp) this.#sink.down(message.reason);
    if (type === 'told' && (!message.to || message.to.includes(this.#me)))
      /** @type {any} */ (this.#sink)[message.event](...message.args);
    if (type === 'ack') {
      this.#asking.get(id)?.(message.ack);
      this.#asking.delete(id);
    }
  }
}

// @ts-check
/**
 * One socket for all tabs of a browser. The tab that holds a Web Lock keeps the socket; the others speak to it over a
 * BroadcastChannel. The browser hands the lock on when the holder goes; a holder that freezes lets go of it; one that
 * does not answer any more has it taken away.
 */

/** @import { TransportName } from './types.js' */
/** @import { Ack, Endpoint, JoinData, Sink, Transport } from './internal.js' */
import { SocketTransport } from './socket.js';

/** How long a tab waits for the holder's word that the socket is up. */
const ANSWER_MS = 4000;
/** What the holder's sink passes on to all tabs. */
const PASSED_ON = /** @type {const} */ (['serverTime', 'state', 'log', 'actions', 'error', 'pong']);

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
  #isUp = false;
  #answerTimer = /** @type {ReturnType<typeof setTimeout> | undefined} */ (undefined);
  /** Who watches what, kept by the holder: task → tabs. @type {Map<string, Map<string, JoinData>>} */
  #joined = new Map();
  /** @type {Map<string, (ack: Ack) => void>} */
  #asking = new Map();

  /** @param {Endpoint} endpoint @param {Sink} sink */
  constructor(endpoint, sink) {
    this.#endpoint = endpoint;
    this.#sink = sink;
    this.#key = `headway ${endpoint.url} ${endpoint.path}`;
  }

  get socket() {
    return this.#held?.socket ?? null;
  }

  open() {
    if (!this.#channel) this.#enter();
    if (this.#held) return this.#held.open();
    this.#post('hello');
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
    for (const resolve of this.#asking.values()) resolve({ ok: false, error: { code: 'unreachable', message: '' } });
    this.#asking.clear();
    if (lost) return this.#held?.close();
    this.#post('bye');
    this.#stepDown();
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
    document.addEventListener('freeze', () => this.#handOver(), { signal });
    this.#request(false);
  }

  /** @param {boolean} steal */
  #request(steal) {
    const { signal } = this.#lifetime;
    const hold = () =>
      new Promise((/** @type {(value?: unknown) => void} */ resolve) => {
        this.#letGo = resolve;
        this.#lead();
      });
    navigator.locks.request(this.#key, steal ? { steal } : { signal }, hold).catch(() => {
      // Given up before it was granted, or taken away by a tab that got no answer.
      if (!signal.aborted && this.#held) this.#handOver();
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
    for (const event of PASSED_ON) {
      sink[event] = (/** @type {any[]} */ ...args) => {
        this.#post('told', { event, args });
        /** @type {(...args: any[]) => void} */ (this.#sink[event])(...args);
      };
    }
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

  /** Lets another tab take the socket, and stays as one of the others. */
  #handOver() {
    if (!this.#held) return;
    this.#stepDown();
    this.#request(false);
  }

  #stepDown() {
    this.#held?.close();
    this.#held = null;
    this.#joined.clear();
    this.#letGo();
  }

  /** @param {string} tab @param {string} taskId @param {JoinData} data */
  #joinFor(tab, taskId, data) {
    const tabs = this.#joined.get(taskId) ?? new Map();
    this.#joined.set(taskId, tabs.set(tab, data));
    this.#held?.join(taskId, data);
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
    if (type === 'up') this.#up(message.name);
    if (type === 'down' && this.#isUp) this.#sink.down(message.reason);
    if (type === 'told') /** @type {any} */ (this.#sink)[message.event](...message.args);
    if (type === 'ack') {
      this.#asking.get(id)?.(message.ack);
      this.#asking.delete(id);
    }
  }
}

// @ts-check
/**
 * One socket for all tabs of a browser. Each tab begins with its own. The one that gets a Web Lock keeps it; the others
 * give theirs up as soon as that one answers them, and speak to it over a BroadcastChannel. The browser hands the lock
 * on when the holder goes; a holder that freezes lets go of it; one that does not answer any more has it taken away.
 * Each tab also holds a lock of its own, by whose end it is known to be gone.
 */

/** @import { TransportName } from './types.js' */
/** @import { Ack, Endpoint, JoinData, Sink, Transport } from './internal.js' */
import { Seats } from './seats.js';
import { SocketTransport, UNREACHABLE } from './socket.js';

/** How long a tab waits for the holder's word that the socket is up. */
const ANSWER_MS = 4000;
/** … and where the holder says that it is trying: its own try may take ten seconds. */
const TRYING_MS = 15_000;
/** @implements {Transport} */
export class TabsTransport {
  static works() {
    return !!globalThis.navigator?.locks && 'BroadcastChannel' in globalThis;
  }

  /** What the holder's socket goes by, while that is up. @type {TransportName | null} */
  #theirs = null;
  /** Which connection of the holder's that is. @type {string | undefined} */
  #line;
  #endpoint;
  #sink;
  #key;
  #me = crypto.randomUUID?.() ?? String(Math.random());
  /** @type {BroadcastChannel | null} */
  #channel = null;
  /** This tab's: shared where it leads, else its own until another tab answers. @type {SocketTransport | null} */
  #held;
  /** Present while this tab holds the lock, and with it the socket of all. @type {Seats | null} */
  #seats = null;
  #letGo = () => {};
  #lifetime = new AbortController();
  /** Ends the waiting for the lock. */
  #queue = new AbortController();
  #isUp = true;
  /** Is this tab's socket on its way? */
  #isTrying = false;
  #here = false;
  #answerTimer = /** @type {ReturnType<typeof setTimeout> | undefined} */ (undefined);
  #askTimer = /** @type {ReturnType<typeof setTimeout> | undefined} */ (undefined);
  /** @type {Map<string, (ack: Ack) => void>} */
  #asking = new Map();

  /**
   * @param {Endpoint} endpoint @param {Sink} sink @param {boolean | string} share tabs that say the same share
   * @param {SocketTransport} own the socket that this tab has, live
   */
  constructor(endpoint, sink, share, own) {
    this.#endpoint = endpoint;
    this.#sink = sink;
    this.#key = `headway ${endpoint.url} ${endpoint.path} ${share}`;
    this.#held = own;
    this.#enter();
  }

  get socket() {
    return this.#held?.socket ?? null;
  }

  get name() {
    return this.#held ? this.#held.name : this.#theirs;
  }

  open() {
    if (!this.#channel) this.#enter();
    if (this.#held) return this.#try();
    if (this.#here) this.#post('hello');
    this.#expect(ANSWER_MS);
  }

  /** The holder's word that the socket is up; else its place is taken. @param {number} ms */
  #expect(ms) {
    clearTimeout(this.#answerTimer);
    this.#answerTimer = setTimeout(() => this.#held || this.#isUp || this.#request(true), ms);
  }

  #try() {
    this.#isTrying = true;
    this.#held?.open();
  }

  /** @param {boolean} [lost] the holder goes on trying; leaving would only make another tab fail in its place */
  close(lost) {
    clearTimeout(this.#answerTimer);
    clearTimeout(this.#askTimer);
    // Closed by the holder itself, the socket says nothing.
    if (lost && this.#seats && this.#isUp) this.#post('down', { reason: 'lost' });
    this.#isUp = this.#isTrying = false;
    this.#theirs = null;
    if (!lost) this.#here = false;
    this.#giveUpAsking();
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
    if (this.#seats) this.#seats.join(this.#me, taskId, data);
    else if (this.#held) this.#held.join(taskId, data);
    else this.#post('join', { taskId, data });
  }

  /** @param {string} taskId */
  leave(taskId) {
    if (this.#seats) this.#seats.leave(this.#me, taskId);
    else if (this.#held) this.#held.leave(taskId);
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

  /** Whoever was asked does not answer any more. */
  #giveUpAsking() {
    for (const resolve of this.#asking.values()) resolve(UNREACHABLE);
    this.#asking.clear();
  }

  ping() {
    if (this.#held) return this.#held.ping();
    this.#post('ping');
    // A holder in the background may have been put to sleep, and not been told.
    clearTimeout(this.#askTimer);
    this.#askTimer = setTimeout(() => this.#held || !this.#isUp || this.#request(true), ANSWER_MS);
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
    document.addEventListener('resume', () => this.#queueUp(), { signal });
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
      if (!this.#seats) return;
      this.#stepDown();
      this.#queueUp();
    });
  }

  /** Whoever holds the socket by now says so. */
  #queueUp() {
    this.#request(false);
    this.#post('hello');
  }

  #lead() {
    if (this.#lifetime.signal.aborted) return this.#letGo();
    const own = this.#held;
    this.#isTrying = false;
    this.#held = own ?? new SocketTransport(this.#endpoint, this.#sink);
    this.#seats = new Seats(this.#held, {
      me: this.#me,
      key: this.#key,
      sink: {
        ...this.#sink,
        up: () => {
          this.#isTrying = false;
          this.#sayUp();
          this.#up();
        },
        down: (reason) => {
          this.#post('down', { reason });
          this.#isUp = this.#isTrying = false;
          this.#sink.down(reason);
        },
      },
      tell: (tabs, event, args) => this.#post('told', { to: tabs, event, args }),
    });
    if (!own) return this.#try();
    if (!own.name) return;
    // It was this tab's alone, and is everybody's from now on.
    this.#seats.takeOver();
    this.#sayUp();
  }

  /** A tab asks who holds the socket. */
  #answer() {
    if (this.#held?.name) return this.#sayUp();
    this.#post('trying');
    // Each that asks would begin it anew.
    if (!this.#isTrying) this.#try();
  }

  #sayUp() {
    this.#post('up', { name: this.#held?.name, line: this.#held?.socket.id });
  }

  /** Another tab answers: this one speaks through it. @param {TransportName} name @param {string} line */
  #follow(name, line) {
    // The answer to a third tab.
    if (this.#isUp && !this.#held && line === this.#line) return;
    this.#isUp ||= !!this.#held?.name;
    this.#held?.close();
    this.#held = null;
    this.#theirs = name;
    this.#line = line;
    this.#up();
  }

  /** Where it was up all along, by another socket, everything is joined again. */
  #up() {
    clearTimeout(this.#answerTimer);
    this.#giveUpAsking();
    const again = this.#isUp;
    this.#isUp = true;
    this.#sink.up();
    if (!again) return;
    // What was asked of the one before will not be answered.
    this.#sink.pong();
    this.#sink.rejoin();
  }

  /** Lets another tab take the socket. */
  #stepDown() {
    this.#held?.close();
    this.#held = null;
    this.#seats?.close();
    this.#seats = null;
    this.#letGo();
  }

  /** @param {string} type @param {object} [more] */
  #post(type, more) {
    this.#channel?.postMessage({ type, from: this.#me, ...more });
  }

  /** @param {any} message */
  #heard(message) {
    const { type, from, taskId, data, id } = message;
    const seats = this.#seats;
    if (seats && this.#held) {
      if (type === 'hello') this.#answer();
      if (type === 'join') seats.join(from, taskId, data);
      if (type === 'leave') seats.leave(from, taskId);
      if (type === 'bye') seats.leaveAll(from);
      if (type === 'ping' && this.#held.name) {
        this.#post('here');
        this.#held.ping();
      }
      if (type === 'ask') this.#held.ask(message.event, taskId, data).then((ack) => this.#post('ack', { id, ack }));
      return;
    }
    if (!this.#here) return;
    if (type === 'up') this.#follow(message.name, message.line);
    if (this.#held) return;
    if (/told|here/.test(type)) clearTimeout(this.#askTimer);
    if (type === 'trying') this.#expect(TRYING_MS);
    if (type === 'down') this.#sink.down(message.reason);
    if (type === 'told' && (!message.to || message.to.includes(this.#me)))
      /** @type {any} */ (this.#sink)[message.event](...message.args);
    if (type === 'ack') {
      this.#asking.get(id)?.(message.ack);
      this.#asking.delete(id);
    }
  }
}

// @ts-check
/** Socket.IO: WebSocket first, polling behind it. Reconnecting is the connection's business, not Socket.IO's. */

/** @import { TransportName } from './types.js' */
/** @import { Ack, Endpoint, JoinData, Sink, Transport } from './internal.js' */

const OPEN_TIMEOUT_MS = 10_000;
/** @type {Ack} */
export const UNREACHABLE = { ok: false, error: { code: 'unreachable', message: '' } };

/** @implements {Transport} */
export class SocketTransport {
  /** @type {any} */
  socket = null;
  #endpoint;
  #bound = false;
  #closing = false;
  /** Questions that are still open: the connection's end answers them. @type {Set<(ack: Ack) => void>} */
  #open = new Set();
  /** The tasks that were joined: true once the server has let us in, its answer until then. @type {Map<string, true | Promise<Ack>>} */
  rooms = new Map();

  /** @param {Endpoint} endpoint @param {Sink} sink */
  constructor(endpoint, sink) {
    this.#endpoint = endpoint;
    /** Whom it tells; another one once it is shared. */
    this.sink = sink;
  }

  /** @returns {TransportName | null} */
  get name() {
    if (!this.socket?.connected) return null;
    return this.socket.io?.engine?.transport?.name === 'polling' ? 'polling' : 'websocket';
  }

  open() {
    if (this.socket) {
      // Half-open attempts are ended first, so that a new round really begins now.
      this.close();
      this.#closing = false;
      this.socket.connect();
      return;
    }
    this.socket = /** @type {any} */ (globalThis).io(this.#endpoint.url, {
      path: this.#endpoint.path,
      // Without a constructor Socket.IO would wait for its own time-out.
      transports: ['websocket', 'polling'].slice(+!globalThis.WebSocket),
      tryAllTransports: true,
      forceNew: true,
      reconnection: false,
      timeout: OPEN_TIMEOUT_MS,
    });
    this.bind();
  }

  bind() {
    if (this.#bound || !this.socket) return;
    this.#bound = true;
    const on = (/** @type {string} */ event, /** @type {(data: any) => void} */ heard) => this.socket.on(event, heard);
    on('connect', () => this.sink.up());
    on('disconnect', (reason) => {
      for (const resolve of this.#open) resolve(UNREACHABLE);
      this.#open.clear();
      this.rooms.clear();
      if (!this.#closing) this.sink.down(String(reason));
    });
    on('connect_error', (error) => {
      if (this.#closing) return;
      // Some proxies neither pass a WebSocket on nor refuse it: it comes second then, by an upgrade.
      if (error?.message === 'timeout') this.socket.io.opts.transports.reverse();
      this.sink.error({ code: error?.data?.code ?? 'unreachable', message: String(error?.message ?? error) });
      this.sink.down('connect_error');
    });
    on('connected', (data) => {
      this.sink.serverTime(data?.server_time);
      this.sink.greeted(data?.shareable === true);
    });
    on('progress', (task) => this.sink.state(task));
    on('log', (payload) => this.sink.log(payload));
    on('error', (error) => this.sink.error(error));
    on('pong', (data) => {
      this.sink.serverTime(data?.server_time);
      this.sink.pong();
    });
  }

  close() {
    this.#closing = true;
    this.socket?.disconnect();
  }

  /** @param {string} taskId @param {JoinData} data */
  async join(taskId, data) {
    const { sink } = this;
    const answer = this.#send('join', { task_id: taskId, ...data });
    if (this.rooms.get(taskId) !== true) this.rooms.set(taskId, answer);
    const ack = await answer;
    // Shared since: the answer is told by who shares it.
    if (sink !== this.sink) return;
    if (ack.ok) this.rooms.has(taskId) && this.rooms.set(taskId, true);
    else this.rooms.delete(taskId);
    if (ack.actions) this.sink.actions(taskId, ack.actions);
    if (!ack.ok && ack !== UNREACHABLE)
      this.sink.error({ code: 'internal', message: '', ...ack.error, task_id: taskId });
  }

  /** @param {string} taskId */
  leave(taskId) {
    this.rooms.delete(taskId);
    if (this.socket?.connected) this.socket.emit('leave', { task_id: taskId });
  }

  /** @param {'join' | 'cancel_task' | 'retry_task'} event @param {string} taskId @param {object} data */
  ask(event, taskId, data) {
    return this.#send(event, { task_id: taskId, ...data });
  }

  ping() {
    this.socket.emit('ping', { t: Date.now() });
  }

  /** @param {string} event @param {object} data @returns {Promise<Ack>} */
  #send(event, data) {
    return new Promise((resolve) => {
      // A buffered emit would come a second time after the reconnect, which joins anyway.
      if (!this.socket?.connected) return resolve(UNREACHABLE);
      this.#open.add(resolve);
      this.socket.emit(event, data, (/** @type {Ack} */ ack) => {
        this.#open.delete(resolve);
        resolve(ack ?? { ok: true });
      });
    });
  }
}

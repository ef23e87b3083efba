// @ts-check
/**
 * Without a Socket.IO client: a Server-Sent Events stream a task, read by `fetch`; where that fails, the HTTP API
 * every second.
 */

/** @import { TransportName } from './types.js' */
/** @import { Ack, Endpoint, JoinData, Sink, Transport } from './internal.js' */
import { ApiError, actionsOf, call, taskUrl } from './api.js';
import { isFinal } from './task.js';

const POLL_MS = 1000;
/** Browsers open six connections a host; streams must leave some for the page. */
const MAX_STREAMS = 3;
/** A stream begins with the present state; one that doesn't is held back by something in between. */
const FIRST_EVENT_MS = 5000;

/** @implements {Transport} */
export class HttpTransport {
  socket = null;
  joinsFirst = true;
  /** @type {TransportName | null} */
  name = null;
  #endpoint;
  #sink;
  /** @type {Map<string, AbortController>} */
  #followed = new Map();
  #streams = 0;
  #noStreams = false;

  /** @param {Endpoint} endpoint @param {Sink} sink */
  constructor(endpoint, sink) {
    this.#endpoint = endpoint;
    this.#sink = sink;
  }

  open() {
    this.#sink.rejoin();
  }

  close() {
    for (const taskId of [...this.#followed.keys()]) this.leave(taskId);
    this.name = null;
  }

  /** @param {string} taskId @param {JoinData} data */
  join(taskId, data) {
    this.leave(taskId);
    const stop = new AbortController();
    this.#followed.set(taskId, stop);
    this.#follow(taskId, data, stop.signal).catch((error) => {
      if (stop.signal.aborted) return;
      this.leave(taskId);
      this.#failed(taskId, error);
    });
  }

  /** @param {string} taskId */
  leave(taskId) {
    this.#followed.get(taskId)?.abort();
    this.#followed.delete(taskId);
  }

  /**
   * @param {'cancel_task' | 'retry_task'} event @param {string} taskId
   * @param {{ token?: string, reason?: string }} data
   */
  async ask(event, taskId, { token, ...body }) {
    const ack = await askByHttp(this.#endpoint.api, event, taskId, token, body, this.#sink);
    // The stream of a task that had ended is over.
    if (ack.ok && event === 'retry_task') this.join(taskId, { token });
    return ack;
  }

  ping() {
    const taskId = this.#followed.keys().next().value;
    // Polling is its own heartbeat.
    if (taskId === undefined || this.name !== 'sse') return this.#sink.pong();
    this.#sink
      .token(taskId)
      .then((token) => this.#get(taskId, token))
      .then(() => this.#sink.pong())
      .catch((error) => error instanceof ApiError && error.ours && this.#sink.pong());
  }

  /** @param {string} taskId @param {JoinData} data @param {AbortSignal} signal */
  async #follow(taskId, data, signal) {
    let from = data.log_from;
    const count = (/** @type {number} */ n) => (from = Math.max(from ?? 0, n + 1));
    if (!this.#noStreams && this.#streams < MAX_STREAMS) {
      this.#streams++;
      try {
        const outcome = await this.#stream(taskId, data, signal);
        if (outcome === 'ended' || signal.aborted) return;
        if (outcome === 'broke') return void this.#sink.down('stream ended');
      } finally {
        this.#streams--;
      }
    }
    while (!signal.aborted) {
      const token = data.token && (await this.#sink.token(taskId));
      const task = await this.#get(taskId, token, signal);
      if (from !== undefined) await this.#getLog(taskId, token, from, count, signal);
      if (signal.aborted || isFinal(task)) return;
      await pause(POLL_MS, signal);
    }
  }

  /**
   * @param {string} taskId @param {JoinData} data @param {AbortSignal} signal
   * @returns {Promise<'ended' | 'broke' | 'none'>} 'none': events can't be had this way here
   */
  async #stream(taskId, { token, log_from }, signal) {
    const own = new AbortController();
    const stop = () => own.abort();
    signal.addEventListener('abort', stop);
    let begun = false;
    let final = false;
    const timer = setTimeout(stop, FIRST_EVENT_MS);
    try {
      const url = taskUrl(
        this.#endpoint.api,
        taskId,
        `/events${log_from === undefined ? '' : `?log_from=${log_from}`}`,
      );
      const response = await call(url, { token, accept: 'text/event-stream', signal: own.signal, patient: true });
      if (response.status === 204 || !response.body) return 'ended';
      this.#heard(taskId, response);
      for await (const { event, data } of events(response.body)) {
        if (!begun) this.#up('sse');
        begun = true;
        clearTimeout(timer);
        if (event === 'log') this.#sink.log(data);
        if (event === 'error') this.#sink.error({ task_id: taskId, ...data });
        if (event !== 'progress') continue;
        final = isFinal(data);
        this.#sink.state(data);
      }
      return final ? 'ended' : begun ? 'broke' : 'none';
    } catch (error) {
      if (signal.aborted) return 'ended';
      if (error instanceof ApiError && error.ours) throw error;
      if (begun) return 'broke';
      this.#noStreams = own.signal.aborted || (error instanceof ApiError && error.status < 500);
      return 'none';
    } finally {
      clearTimeout(timer);
      signal.removeEventListener('abort', stop);
      own.abort();
    }
  }

  /** @param {string} taskId @param {string} [token] @param {AbortSignal} [signal] */
  async #get(taskId, token, signal) {
    const response = await call(taskUrl(this.#endpoint.api, taskId), { token, signal });
    const task = await response.json();
    this.#heard(taskId, response);
    if (!this.name) this.#up('http');
    this.#sink.state(task);
    return task;
  }

  /**
   * @param {string} taskId @param {string | undefined} token @param {number} from @param {(n: number) => void} count
   * @param {AbortSignal} signal
   */
  async #getLog(taskId, token, from, count, signal) {
    const response = await call(taskUrl(this.#endpoint.api, taskId, `/log?from=${from}`), { token, signal });
    const payload = await response.json();
    if (payload.lines?.length) count(payload.lines.at(-1).n);
    this.#sink.log({ task_id: taskId, epoch: '', ...payload });
  }

  /** @param {string} taskId @param {Response} response */
  #heard(taskId, response) {
    const actions = actionsOf(response);
    if (actions) this.#sink.actions(taskId, actions);
  }

  /** @param {'sse' | 'http'} name */
  #up(name) {
    this.name = name;
    this.#sink.up(true);
  }

  /** @param {string} taskId @param {unknown} error */
  #failed(taskId, error) {
    if (error instanceof ApiError) {
      if (error.ours) {
        this.name ??= 'http';
        this.#sink.up(true);
        return this.#sink.error({ ...error.error, task_id: taskId });
      }
      if (error.status < 500) return this.#sink.absent();
    }
    this.#sink.error({ code: 'unreachable', message: String(/** @type {Error} */ (error)?.message ?? error) });
    this.#sink.down('connect_error');
  }
}

/**
 * Cancel or retry over HTTP, whatever carries the live updates.
 * @param {string} api
 * @param {'cancel_task' | 'retry_task'} event
 * @param {string} taskId
 * @param {string | undefined} token
 * @param {object} body @param {Pick<Sink, 'state' | 'actions'>} sink
 * @returns {Promise<Ack>}
 */
export async function askByHttp(api, event, taskId, token, body, sink) {
  const path = event === 'cancel_task' ? '/cancel' : '/retry';
  try {
    const response = await call(taskUrl(api, taskId, path), { token, method: 'POST', body });
    sink.state(await response.json());
    return { ok: true };
  } catch (error) {
    const { code, message } = error instanceof ApiError ? error.error : { code: 'unreachable', message: String(error) };
    return { ok: false, error: { code, message, task_id: taskId } };
  }
}

/**
 * The events of a Server-Sent Events stream (the 'event stream interpretation' of the HTML standard), data read as
 * JSON.
 * @param {ReadableStream<Uint8Array>} body
 */
export async function* events(body) {
  const reader = body.getReader();
  const decoder = new TextDecoder();
  let rest = '';
  let event = '';
  /** @type {string[]} */
  let data = [];
  try {
    for (;;) {
      const { done, value } = await reader.read();
      if (done) return;
      rest += decoder.decode(value, { stream: true });
      const lines = rest.split(/\r\n|\n|\r(?!$)/);
      rest = /** @type {string} */ (lines.pop());
      for (const line of lines) {
        if (!line) {
          if (data.length) yield { event: event || 'message', data: JSON.parse(data.join('\n')) };
          event = '';
          data = [];
          continue;
        }
        const [, field = '', text = ''] = /^([^:]*):? ?(.*)$/s.exec(line) ?? [];
        if (field === 'event') event = text;
        if (field === 'data') data.push(text);
      }
    }
  } finally {
    reader.cancel().catch(() => {});
  }
}

/** @param {number} ms @param {AbortSignal} signal @returns {Promise<void>} */
function pause(ms, signal) {
  return new Promise((resolve) => {
    const done = () => {
      clearTimeout(timer);
      signal.removeEventListener('abort', done);
      resolve();
    };
    const timer = setTimeout(done, ms);
    signal.addEventListener('abort', done);
  });
}

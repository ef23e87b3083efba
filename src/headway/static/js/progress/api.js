// @ts-check
/** Calls to the HTTP API. Tokens travel in a header, never in a URL. */

/** @import { Action, HeadwayError } from './types.js' */

const TIMEOUT_MS = 10_000;

/** What an answer that is not a task says. */
export class ApiError extends Error {
  /**
   * @param {HeadwayError} error @param {number} status
   * @param {boolean} ours did Headway answer, or something else there?
   */
  constructor(error, status, ours) {
    super(error.message);
    this.error = error;
    this.status = status;
    this.ours = ours;
  }
}

/**
 * @param {string} url
 * @param {{ token?: string, method?: string, body?: object, signal?: AbortSignal, accept?: string, patient?: boolean
 *   }} [options]
 *   `patient`: no time limit, for streams
 * @returns {Promise<Response>} rejects with `ApiError` where the answer is no, and with what `fetch` rejects with
 *   where there is none
 */
export async function call(url, { token, method = 'GET', body, signal, accept = 'application/json', patient } = {}) {
  const limit = new AbortController();
  const timer = patient ? 0 : setTimeout(() => limit.abort(), TIMEOUT_MS);
  const stop = () => limit.abort();
  signal?.addEventListener('abort', stop);
  try {
    signal?.throwIfAborted();
    const response = await fetch(url, {
      method,
      cache: 'no-store',
      signal: patient ? signal : limit.signal,
      headers: {
        Accept: accept,
        ...(token && { Authorization: `Bearer ${token}` }),
        ...(body && { 'Content-Type': 'application/json' }),
      },
      body: body && JSON.stringify(body),
    });
    if (response.ok && isOf(response, accept)) return response;
    if (response.status === 204) return response;
    const said = isOf(response, 'application/json') ? await response.json() : null;
    const error = said?.error?.code ? said.error : { code: 'unreachable', message: `HTTP ${response.status}` };
    throw new ApiError(error, response.status, !!said?.error?.code);
  } finally {
    clearTimeout(timer);
    signal?.removeEventListener('abort', stop);
  }
}

/** @param {Response} response @param {string} type */
const isOf = (response, type) => (response.headers.get('Content-Type') ?? '').startsWith(type);

/**
 * What this viewer may do, where the server says so.
 * @param {Response} response
 * @returns {Action[] | null}
 */
export function actionsOf(response) {
  const header = response.headers.get('Headway-Actions');
  return header == null ? null : /** @type {Action[]} */ (header.split(/[\s,]+/).filter(Boolean));
}

/** @param {string} api @param {string} taskId */
export const taskUrl = (api, taskId, rest = '') => `${api}/tasks/${encodeURIComponent(taskId)}${rest}`;

// @ts-check
/** The demo's HTTP API, as promises. */

import { root } from './dom.js';

export class ApiError extends Error {
  /** @param {number} status 0: no answer at all @param {string} code @param {string} message */
  constructor(status, code, message) {
    super(message);
    this.status = status;
    this.code = code;
  }

  /** What is wrong with a request: its message begins with the name. */
  get field() {
    return this.status === 400 ? /^(\w+): /.exec(this.message)?.[1] : undefined;
  }

  /** True when trying again later may well work. */
  get isPassing() {
    return this.status === 0 || this.status >= 500 || this.status === 429;
  }
}

/**
 * @param {string} path below the root
 * @param {{method?: string, body?: any, token?: string, signal?: AbortSignal}} [options]
 * @returns {Promise<any>}
 */
export async function api(path, { method = 'GET', body, token, signal } = {}) {
  /** @type {Record<string, string>} */
  const headers = { Accept: 'application/json' };
  if (body !== undefined) headers['Content-Type'] = 'application/json';
  if (token) headers['Authorization'] = `Bearer ${token}`;
  let response;
  try {
    response = await fetch(root + path, { method, headers, signal, body: body === undefined ? undefined : JSON.stringify(body), cache: 'no-store' });
  } catch (error) {
    if (signal?.aborted) throw error;
    throw new ApiError(0, 'unreachable', String(error));
  }
  const answer = await response.json().catch(() => null);
  if (!response.ok) {
    const error = answer?.error ?? {};
    throw new ApiError(response.status, error.code ?? 'internal', error.message ?? response.statusText);
  }
  return answer;
}

/** Tokens by task, where the server goes by tokens. @type {Map<string, {token: string, until: number, shared: boolean}>} */
const tokens = new Map();
const TOKEN_MS = 10 * 60 * 1000;
const SHARED = 'headway-shared-';
const goesByTokens = document.documentElement.dataset.access === 'signed';

/** A token that was given for a task. @param {string} taskId @param {string | null | undefined} token @param {boolean} [shared] */
export function keepToken(taskId, token, shared = false) {
  if (token) tokens.set(taskId, { token, until: Date.now() + TOKEN_MS, shared });
}

/** The token of a shared link: it stays for as long as this tab does, so that a reload shows the task, too.
 * @param {string} taskId @param {string | null} token */
export function keepShared(taskId, token) {
  keepToken(taskId, token, true);
  try {
    if (token) sessionStorage.setItem(SHARED + taskId, token);
  } catch { /* storage is off: after a reload the link is needed again */ }
}

/** @param {string} taskId */
function recallShared(taskId) {
  try { return sessionStorage.getItem(SHARED + taskId); } catch { return null; }
}

/**
 * The token to show for a task, fetched anew before it runs out; undefined where none is needed, or is to be had.
 * @param {string} taskId @returns {Promise<string | undefined>}
 */
export async function tokenOf(taskId) {
  if (!goesByTokens) return undefined;
  const known = tokens.get(taskId);
  if (known && (known.shared || known.until > Date.now())) return known.token;
  try {
    keepToken(taskId, (await api(`/api/tokens/${encodeURIComponent(taskId)}`)).token);
  } catch {
    keepToken(taskId, recallShared(taskId), true); // not ours
  }
  return tokens.get(taskId)?.token;
}

/** Whether all that this visitor has is the token of a link that was shared. @param {string} taskId */
export const cameByLink = (taskId) => tokens.get(taskId)?.shared ?? false;

/** @param {string} taskId */
export const task = (taskId) => `/api/tasks/${encodeURIComponent(taskId)}`;

/**
 * The whole result of a task, wherever it is.
 * @param {any} ofTask
 */
export async function resultOf(ofTask) {
  if (ofTask.result !== null && ofTask.result !== undefined) return ofTask.result;
  return api(`${task(ofTask.task_id)}/result`, { token: await tokenOf(ofTask.task_id) });
}

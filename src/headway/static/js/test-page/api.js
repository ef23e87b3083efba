// @ts-check
/** HTTP calls of the test page. */

export class ApiError extends Error {
  /** @param {number} status 0: no answer at all @param {string} code @param {string} message */
  constructor(status, code, message) {
    super(message);
    this.status = status;
    this.code = code;
  }
}

/**
 * @param {string} path @param {{method?: string, body?: any, token?: string}} [options]
 * @returns {Promise<any>}
 */
export async function api(path, { method = 'GET', body, token } = {}) {
  /** @type {Record<string, string>} */
  const headers = { Accept: 'application/json' };
  if (body !== undefined) headers['Content-Type'] = 'application/json';
  if (token) headers['Authorization'] = `Bearer ${token}`;
  let response;
  try {
    response = await fetch(`${document.documentElement.dataset.root ?? ''}${path}`, { method, headers, body: body === undefined ? undefined : JSON.stringify(body) });
  } catch (error) {
    throw new ApiError(0, 'unreachable', String(error));
  }
  const answer = await response.json().catch(() => null);
  if (!response.ok) throw new ApiError(response.status, answer?.error?.code ?? 'internal', answer?.error?.message ?? response.statusText);
  return answer;
}

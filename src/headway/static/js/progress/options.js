// @ts-check
/** What can be chosen, and what is chosen when nothing is said. */

/** @import { ConnectionOptions, ProgressBarOptions } from './types.js' */
/** @import { Endpoint } from './internal.js' */

export const defaults = {
  websocketUrl: '/progress',
  socketPath: '/socket.io',
  apiUrl: '/api',
  autoReconnect: true,
  reconnectDelay: 3000,
  maxReconnectAttempts: 5,
  heartbeatInterval: 30000,
  shareTabs: /** @type {boolean | string} */ (true),
  showStages: true,
  showTime: true,
  showDetails: true,
  showLog: true,
  allowCancel: true,
  allowRetry: true,
  autoHide: false,
  autoHideDelay: 3000,
  label: '',
  tabTitle: false,
  favicon: false,
  notify: false,
};

/** What has no default, or is not there by null. */
const OTHERS = /^(websocketUrl|stylesheet|token|locale|words|signal|logFrom|on[A-Z].*)$/;

/**
 * A number that is none is an error; a name that is not known is most likely misspelt.
 * @template {ConnectionOptions} T
 * @param {T | undefined} options
 * @returns {T & typeof defaults}
 */
export function withDefaults(options) {
  /** @type {Record<string, unknown>} */
  const chosen = { ...defaults };
  for (const [name, value] of Object.entries(given(options ?? {}))) {
    const sample = /** @type {Record<string, unknown>} */ (defaults)[name];
    if (!OTHERS.test(name)) {
      if (sample === undefined) console.warn(`Headway: there is no option '${name}'`);
      if (value === null) continue;
      if (typeof sample === 'number' && !(Number(value) >= 0))
        throw new TypeError(`Headway: ${name} must be a number from 0 on, not '${value}'`);
    }
    chosen[name] = typeof sample === 'number' ? Number(value) : value;
  }
  return /** @type {T & typeof defaults} */ (/** @type {unknown} */ (chosen));
}

/** What is not undefined. @template {object} T @param {T} data @returns {Partial<T>} */
export function given(data) {
  return /** @type {Partial<T>} */ (
    Object.fromEntries(Object.entries(data).filter(([, value]) => value !== undefined))
  );
}

/**
 * Where the server is, all on the namespace's origin; null where there is none.
 * @param {ConnectionOptions} options
 * @returns {Endpoint | null}
 */
export function endpointOf({ websocketUrl, socketPath, apiUrl }) {
  if (websocketUrl == null || !/^https?:/.test(location.protocol)) return null;
  const url = new URL(websocketUrl, location.href);
  url.protocol = url.protocol.replace('ws', 'http');
  const api = new URL(apiUrl ?? defaults.apiUrl, url);
  return { url: url.href, path: socketPath ?? defaults.socketPath, api: api.href.replace(/\/$/, '') };
}

/**
 * The built-in words' language for this place in the page.
 * @param {ProgressBarOptions} options @param {Element | null} place
 */
export function localeOf({ locale }, place) {
  return (
    locale ||
    place?.closest('[lang]')?.getAttribute('lang') ||
    document.documentElement.lang ||
    navigator.language ||
    'en'
  );
}

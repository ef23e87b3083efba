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
  shareTabs: false,
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

/**
 * @template {ConnectionOptions} T
 * @param {T | undefined} options
 * @returns {T & typeof defaults}
 */
export function withDefaults(options) {
  return /** @type {T & typeof defaults} */ ({ ...defaults, ...given(options ?? {}) });
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

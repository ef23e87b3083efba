// @ts-check
/** The state of a task as a badge: a shape and a word, so that colour is never all there is. */

import { h, icon } from './dom.js';
import { t } from './words.js';

/** @type {Record<string, string>} */
const SHAPES = { pending: 'clock', running: 'play', cancelling: 'stop', completed: 'check', failed: 'cross', cancelled: 'minus', silent: 'alert' };

/** @param {{state: string, worker?: string | null}} task */
export function badge(task) {
  const silent = task.state === 'running' && task.worker === 'silent';
  const shown = silent ? 'silent' : task.state;
  return h('span', { class: 'badge', 'data-state': silent ? 'warn' : task.state }, icon(SHAPES[shown] ?? 'more'), t(`state.${shown}`));
}

/** @param {string} state */
export const isActive = (state) => state === 'pending' || state === 'running' || state === 'cancelling';

// @ts-check
/** The present state of many tasks, for lists: one watch each, all over the connection that the page's bars share. */

import { tokenOf } from './api.js';
import { root } from './dom.js';

/** @typedef {(task: any) => void} OnTask */

/** How ProgressBar and its watches reach this server, wherever it is mounted. */
export const server = { websocketUrl: '/progress', socketPath: `${root}/socket.io`, apiUrl: `${root}/api` };

/** Headway's own scripts come from the folder that every app with Headway serves. */
export const { ProgressBar, watchTask } = await import(`${root}/static/js/progress.mjs`);

export class Live {
  /** @type {Map<string, {stop: () => void}>} */
  #watches = new Map();

  /** @param {string} taskId @param {OnTask} tell */
  watch(taskId, tell) {
    if (this.#watches.has(taskId)) return;
    const onChange = (/** @type {any} */ task) => task && tell(task);
    this.#watches.set(taskId, watchTask(taskId, { ...server, token: () => tokenOf(taskId), onChange }));
  }

  /** @param {string} taskId */
  unwatch(taskId) {
    this.#watches.get(taskId)?.stop();
    this.#watches.delete(taskId);
  }

  /** @param {Set<string>} kept */
  unwatchAllBut(kept) {
    for (const taskId of [...this.#watches.keys()]) if (!kept.has(taskId)) this.unwatch(taskId);
  }
}

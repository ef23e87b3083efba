// @ts-check
/** Follows a task without drawing anything: for React, Vue, Svelte and whoever draws a bar of their own. */

/** @import { Status, Task, TaskWatch, WatchOptions } from './types.js' */
import { connectionTo } from './connection.js';
import { endpointOf, withDefaults } from './options.js';
import { accept, freshness } from './task.js';

/**
 * @param {string} taskId
 * @param {WatchOptions} [options]
 * @returns {TaskWatch}
 */
export function watchTask(taskId, options) {
  const chosen = withDefaults(options);
  const endpoint = endpointOf(chosen);
  if (!endpoint) throw new Error('watchTask: there is no server to watch a task of');
  /** @type {Task | null} */
  let task = null;
  let nextLine = chosen.logFrom ?? null;
  let stopped = false;
  const connection = connectionTo(endpoint, chosen.shareTabs);
  const changed = () => !stopped && chosen.onChange?.(task, connection.status);
  const link = connection.link(chosen, {
    onStatus: changed,
    onState: (next) => {
      const newer = accept(task, next);
      if (newer === task) return;
      task = newer;
      changed();
    },
    onLog: (payload) => {
      const last = payload.lines?.at(-1)?.n;
      if (last !== undefined && nextLine !== null) nextLine = Math.max(nextLine, last + 1);
      chosen.onLog?.(payload);
    },
    onError: (error) => chosen.onError?.(error),
  });
  const stop = () => {
    if (stopped) return;
    stopped = true;
    chosen.signal?.removeEventListener('abort', stop);
    link.release();
  };
  const ask = async (/** @type {'cancel_task' | 'retry_task'} */ event, /** @type {string} */ reason = '') => {
    const ack = await connection.ask(event, taskId, reason);
    if (!ack.ok && ack.error) chosen.onError?.(ack.error);
    return ack.ok;
  };
  link.watch({ taskId, token: chosen.token, logFrom: () => nextLine });
  if (chosen.signal?.aborted) stop();
  else chosen.signal?.addEventListener('abort', stop);
  return {
    get task() {
      return task;
    },
    get status() {
      return connection.status;
    },
    get freshness() {
      const { now, status } = connection;
      return freshness({ task, status, now, local: false, asked: null, actions: null, problem: null, hasTaskId: true });
    },
    cancel: (reason) => ask('cancel_task', reason),
    retry: () => ask('retry_task'),
    stop,
  };
}

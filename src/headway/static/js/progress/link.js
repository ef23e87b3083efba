// @ts-check
/** One bar's share of a connection: the tasks that it watches. */

/** @import { Connection } from './connection.js' */
/** @import { LinkHandlers, Policy, Watch } from './internal.js' */

export class Link {
  #connection;
  /** @type {Map<string, Watch>} */
  watches = new Map();

  /** @param {Connection} connection @param {Policy} policy @param {LinkHandlers} handlers */
  constructor(connection, policy, handlers) {
    this.#connection = connection;
    this.policy = policy;
    this.handlers = handlers;
  }

  /** Joins, or joins again with another token or more of the log. @param {Watch} watch */
  watch(watch) {
    this.watches.set(watch.taskId, watch);
    this.#connection.join(watch.taskId);
  }

  /** @param {string} taskId */
  unwatch(taskId) {
    if (this.watches.delete(taskId)) this.#connection.leave(taskId);
  }

  release() {
    for (const taskId of [...this.watches.keys()]) this.unwatch(taskId);
    this.#connection.unlink(this);
  }
}

// @ts-check
/**
 * Who listens to what: `on`, `onConnect`-style options, and DOM events that bubble from the bar (`headway-complete`).
 */

/** @import { ProgressBarEvents, ProgressBarOptions } from './types.js' */

/** @typedef {(...data: any[]) => void} Callback */

const NAMES =
  /^((dis)?connect|reconnecting|reconnect_failed|progress|complete|fail|cancel|cancelled|retry|error|freshness|log)$/;

export class Events {
  /** @type {Map<string, Set<Callback>>} */
  #callbacks = new Map();
  #target;

  /** @param {ProgressBarOptions} options @param {() => EventTarget} target */
  constructor(options, target) {
    this.#target = target;
    for (const [name, callback] of Object.entries(options)) {
      // onReconnectFailed → reconnect_failed
      const event =
        /^on[A-Z]/.test(name) &&
        name
          .slice(2)
          .replace(/\B[A-Z]/g, '_$&')
          .toLowerCase();
      if (event && typeof callback === 'function') this.on(/** @type {keyof ProgressBarEvents} */ (event), callback);
    }
  }

  /** @param {keyof ProgressBarEvents} event @param {Callback} callback */
  on(event, callback) {
    if (!NAMES.test(event)) console.warn(`Headway: there is no event '${event}'`);
    if (!this.#callbacks.has(event)) this.#callbacks.set(event, new Set());
    this.#callbacks.get(event)?.add(callback);
  }

  /** @param {keyof ProgressBarEvents} event @param {Callback} [callback] */
  off(event, callback) {
    if (callback) this.#callbacks.get(event)?.delete(callback);
    else this.#callbacks.delete(event);
  }

  /**
   * A listener that throws harms neither the bar nor the others.
   * @template {keyof ProgressBarEvents} E
   * @param {E} event @param {ProgressBarEvents[E]} data
   */
  emit(event, ...data) {
    for (const callback of [...(this.#callbacks.get(event) ?? [])]) {
      try {
        callback(...data);
      } catch (error) {
        reportError(error);
      }
    }
    const name = `headway-${event.replace('_', '-')}`;
    this.#target().dispatchEvent(new CustomEvent(name, { bubbles: true, composed: true, detail: data[0] ?? null }));
  }

  clear() {
    this.#callbacks.clear();
  }
}

// @ts-check
/** `<headway-progress task-id="…">`: the bar as an element, in a shadow tree of its own that no page's styles reach. */

/** @import { ProgressBarOptions } from './types.js' */
import { ProgressBar } from './progress-bar.js';
import { defaults } from './options.js';

/** `show-stages` → showStages, for all options. */
const attributes = new Map(
  ['locale', 'stylesheet', ...Object.keys(defaults)].map((name) => [name.replace(/[A-Z]/g, '-$&').toLowerCase(), name]),
);

export class HeadwayProgressElement extends (globalThis.HTMLElement ?? Object) {
  static observedAttributes = ['task-id', 'token', ...attributes.keys()];

  /** @type {ProgressBar | null} */
  bar = null;
  /**
   * Another token, or a function that gives one; goes before the attribute.
   * @type {import('./types.js').Token | null}
   */
  token = null;
  #late = false;

  connectedCallback() {
    if (!this.isConnected) return;
    const root = this.shadowRoot ?? this.attachShadow({ mode: 'open' });
    this.bar ??= new ProgressBar(root, this.#options());
    const taskId = this.getAttribute('task-id');
    if (taskId) this.bar.start({ taskId });
  }

  disconnectedCallback() {
    this.bar?.destroy();
    this.bar = null;
  }

  /**
   * Several changes at once, as frameworks make them, are one. A token is read when it is needed next.
   * @param {string} name @param {string | null} before @param {string | null} now
   */
  attributeChangedCallback(name, before, now) {
    if (!this.bar || this.#late || before === now || name === 'token') return;
    this.#late = true;
    queueMicrotask(() => {
      this.#late = false;
      if (!this.bar) return;
      this.disconnectedCallback();
      this.connectedCallback();
    });
  }

  /** @returns {ProgressBarOptions} */
  #options() {
    /** @type {Record<string, unknown>} */
    const options = {
      token: () => (typeof this.token === 'function' ? this.token() : (this.token ?? this.getAttribute('token'))),
    };
    for (const [attribute, name] of attributes) {
      const value = this.getAttribute(attribute);
      if (value !== null) options[name] = asTyped(value, /** @type {Record<string, unknown>} */ (defaults)[name]);
    }
    return options;
  }
}

/**
 * An attribute is text; the default says what is meant. `show-log="false"` is no.
 * @param {string} value @param {unknown} sample
 */
function asTyped(value, sample) {
  // `share-tabs` may say with whom.
  if (typeof sample === 'boolean') return /^(|true|false)$/.test(value) ? value !== 'false' : value;
  return typeof sample === 'number' ? Number(value) : value;
}

export function defineElement() {
  if (globalThis.customElements && !customElements.get('headway-progress'))
    customElements.define('headway-progress', HeadwayProgressElement);
}

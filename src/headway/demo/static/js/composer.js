// @ts-check
/** The form: what to make. It keeps what was typed over a reload, and says what is wrong beside the field. */

import { byId, say } from './dom.js';
import { locale, t } from './words.js';

const KEPT = 'headway-composer';

/** @typedef {{input_text: string, cards: number, style?: string, language: string}} Asked */

export class Composer {
  #form = /** @type {HTMLFormElement} */ (byId('composer'));
  #topic = /** @type {HTMLTextAreaElement} */ (byId('topic'));
  #cards = /** @type {HTMLInputElement} */ (byId('cards'));
  #button = /** @type {HTMLButtonElement} */ (byId('make'));

  /** @param {(asked: Asked) => void} onAsked */
  constructor(onAsked) {
    this.#form.addEventListener('submit', (event) => {
      event.preventDefault();
      const asked = this.#read();
      if (asked) onAsked(asked);
    });
    this.#form.addEventListener('input', () => this.#keep());
    this.#topic.addEventListener('input', () => this.#complain('topic', ''));
    this.#topic.addEventListener('keydown', (event) => {
      // Enter makes it, as in a search box; Shift+Enter is a new line. While an input method composes, Enter is its own.
      if (event.key !== 'Enter' || event.shiftKey || event.isComposing) return;
      event.preventDefault();
      this.#form.requestSubmit();
    });
    this.#cards.addEventListener('input', () => this.#complain('cards', ''));
    for (const button of this.#form.querySelectorAll('[data-step]')) {
      button.addEventListener('click', () => {
        const by = Number(/** @type {HTMLElement} */ (button).dataset.step);
        this.#cards.value = String(Math.min(24, Math.max(1, Math.round(Number(this.#cards.value) || 0) + by)));
        this.#complain('cards', '');
        this.#keep();
      });
    }
    for (const idea of this.#form.querySelectorAll('[data-idea]')) {
      idea.addEventListener('click', () => {
        this.#topic.value = /** @type {HTMLElement} */ (idea).dataset.idea ?? '';
        this.#complain('topic', '');
        this.#keep();
        this.#topic.focus();
      });
    }
    const typed = this.#typed();
    this.#recall(typed);
    if (typed.size) this.#keep();
  }

  /** @param {Partial<Asked>} asked */
  fill(asked) {
    if (asked.input_text !== undefined) this.#topic.value = asked.input_text;
    if (asked.cards !== undefined) this.#cards.value = String(asked.cards);
    this.#choose('style', asked.style);
    this.#choose('language', asked.language);
    this.#keep();
  }

  focus() {
    this.#topic.focus();
    this.#topic.select();
  }

  /** @param {boolean} busy */
  setBusy(busy) {
    this.#button.disabled = busy;
    say(/** @type {Element} */ (this.#button.querySelector('span')), t(busy ? 'making' : 'make'));
  }

  /** What the server refused. @param {string} field as the API names it */
  refuse(field) {
    if (field === 'cards') this.#complain('cards', t('cardsRange'));
    else this.#complain('topic', t('topicRange'));
  }

  /** @returns {Asked | null} */
  #read() {
    const data = new FormData(this.#form);
    const topic = this.#topic.value.trim();
    const cards = Number(this.#cards.value);
    const cardsRight = Number.isInteger(cards) && cards >= 1 && cards <= 24;
    this.#complain('topic', topic ? '' : t('topicMissing'));
    this.#complain('cards', cardsRight ? '' : t('cardsRange'));
    if (!topic) this.#topic.focus();
    else if (!cardsRight) this.#cards.focus();
    if (!topic || !cardsRight) return null;
    const style = data.get('style');
    return { input_text: topic, cards, language: String(data.get('language') ?? 'zh-CN'), ...(style && { style: String(style) }) };
  }

  /** @param {'topic' | 'cards'} field @param {string} message */
  #complain(field, message) {
    const input = field === 'topic' ? this.#topic : this.#cards;
    say(byId(`${field}-error`), message);
    if (message) input.setAttribute('aria-invalid', 'true');
    else input.removeAttribute('aria-invalid');
  }

  /** @param {string} name @param {string | undefined} value */
  #choose(name, value) {
    for (const input of this.#form.querySelectorAll(`input[name="${name}"]`)) {
      if (/** @type {HTMLInputElement} */ (input).value === value) /** @type {HTMLInputElement} */ (input).checked = true;
    }
  }

  #keep() {
    const data = { ...Object.fromEntries(new FormData(this.#form)), locale };
    try { sessionStorage.setItem(KEPT, JSON.stringify(data)); } catch { /* private mode: then it isn't kept */ }
  }

  /** The names of what was typed or chosen while this script was on its way. @returns {Set<string>} */
  #typed() {
    const fields = /** @type {NodeListOf<HTMLInputElement>} */ (this.#form.querySelectorAll('input, textarea'));
    const changed = [...fields].filter((one) => one.value !== one.defaultValue || one.checked !== one.defaultChecked);
    return new Set(changed.map((one) => one.name));
  }

  /** @param {Set<string>} typed stays as it is: it is newer than what was kept */
  #recall(typed) {
    try {
      const kept = JSON.parse(sessionStorage.getItem(KEPT) ?? '{}');
      if (kept.input_text && !typed.has('input_text')) this.#topic.value = kept.input_text;
      if (kept.cards && !typed.has('cards')) this.#cards.value = kept.cards;
      if (!typed.has('style')) this.#choose('style', kept.style);
      // Who has switched the page's language since wants the copy in that one.
      if (kept.locale === locale && !typed.has('language')) this.#choose('language', kept.language);
    } catch { /* nothing to recall */ }
  }
}

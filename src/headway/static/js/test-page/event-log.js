// @ts-check
/** The log of every event: newest first, drawn once a frame however many come. */

import { t } from './words.js';

const KEPT = 5000;
const DRAWN = 400;
/** @type {Record<string, string>} */
const ARROWS = { in: '↓', out: '↑', bad: '!', page: '•' };

/** @typedef {{at: number, kind: 'in' | 'out' | 'bad' | 'page', event: string, data: any, latency: number | null}} Entry */

export class EventLog {
  #body = /** @type {HTMLElement} */ (document.getElementById('log'));
  #count = /** @type {HTMLElement} */ (document.getElementById('log-count'));
  #filter = /** @type {HTMLInputElement} */ (document.getElementById('log-filter'));
  #pause = /** @type {HTMLElement} */ (document.getElementById('log-pause'));
  /** @type {Entry[]} */
  #entries = [];
  #seen = 0;
  #paused = false;
  #due = false;
  /** @type {Entry[]} */
  #fresh = [];

  constructor() {
    this.#filter.addEventListener('input', () => this.#redraw());
    this.#pause.addEventListener('click', () => {
      this.#paused = !this.#paused;
      this.#pause.setAttribute('aria-pressed', String(this.#paused));
      this.#pause.textContent = t(this.#paused ? 'resume' : 'pause');
      if (!this.#paused) this.#redraw();
    });
    document.getElementById('log-clear')?.addEventListener('click', () => {
      this.#entries = [];
      this.#seen = 0;
      this.#redraw();
    });
    document.getElementById('log-save')?.addEventListener('click', () => this.#save());
    this.#redraw();
  }

  get seen() {
    return this.#seen;
  }

  /** @param {Entry['kind']} kind @param {string} event @param {any} [data] @param {number | null} [latency] in ms */
  add(kind, event, data, latency = null) {
    const entry = { at: Date.now(), kind, event, data, latency };
    this.#seen++;
    this.#entries.push(entry);
    if (this.#entries.length > KEPT) this.#entries.splice(0, KEPT / 10);
    this.#fresh.push(entry);
    if (this.#due) return;
    this.#due = true;
    // Not requestAnimationFrame: a hidden tab has none, and the log goes on.
    setTimeout(() => this.#draw(), 200);
  }

  #draw() {
    this.#due = false;
    const fresh = this.#fresh;
    this.#fresh = [];
    if (this.#paused) return;
    const rows = fresh.filter((entry) => this.#passes(entry)).slice(-DRAWN).reverse().map(row);
    this.#body.prepend(...rows);
    while (this.#body.childElementCount > DRAWN) this.#body.lastElementChild?.remove();
    this.#tally();
  }

  #redraw() {
    this.#body.replaceChildren(...this.#entries.filter((entry) => this.#passes(entry)).slice(-DRAWN).reverse().map(row));
    this.#tally();
  }

  #tally() {
    this.#count.textContent = t('count', { shown: this.#body.childElementCount, all: this.#seen });
  }

  /** @param {Entry} entry */
  #passes(entry) {
    const q = this.#filter.value.trim().toLowerCase();
    return !q || `${entry.event} ${text(entry.data)}`.toLowerCase().includes(q);
  }

  #save() {
    const url = URL.createObjectURL(new Blob([JSON.stringify(this.#entries, null, 1)], { type: 'application/json' }));
    const link = document.createElement('a');
    link.href = url;
    link.download = 'headway-events.json';
    link.click();
    setTimeout(() => URL.revokeObjectURL(url), 1000);
  }
}

/** @param {Entry} entry */
function row(entry) {
  const tr = document.createElement('tr');
  tr.dataset.kind = entry.kind;
  tr.dataset.event = entry.event;
  const at = new Date(entry.at);
  const time = `${at.toTimeString().slice(0, 8)}.${String(at.getMilliseconds()).padStart(3, '0')}`;
  for (const value of [time, ARROWS[entry.kind], entry.event, entry.latency === null ? '' : `${entry.latency.toFixed(entry.latency < 10 ? 1 : 0)} ms`, text(entry.data)]) {
    tr.append(Object.assign(document.createElement('td'), { textContent: value }));
  }
  return tr;
}

/** @param {any} data */
function text(data) {
  if (data === undefined || data === null) return '';
  if (typeof data === 'string') return data;
  const shown = 'token' in data ? { ...data, token: '…' } : data;
  if (shown.task_id && 'rev' in shown) {
    return [shown.task_id, shown.status, shown.progress === null ? '–' : `${shown.progress}%`, `rev ${shown.rev}`, shown.attempt > 1 && `attempt ${shown.attempt}`, shown.message].filter(Boolean).join(' · ').slice(0, 400);
  }
  return JSON.stringify(shown).slice(0, 600);
}

// @ts-check
/** The steps of a task. Long lists fold away what is finished. */

/** @import { ShownStage, Words } from './internal.js' */
import { attribute, icon, make, toggle, write } from './dom.js';
import { readable } from './words.js';

/** With more steps than this the finished ones are folded. */
const FOLD_OVER = 8;

export class StagesView {
  #say;
  #summary = make('div', 'step', { dir: 'auto' });
  #fold = make('button', 'fold', { dir: 'auto', type: 'button', 'aria-expanded': 'false' });
  #list = make('ol', 'list', { role: 'list' });
  #open = false;
  /** @type {ShownStage[]} */
  #stages = [];

  /** @param {Words} say @param {AbortSignal} signal */
  constructor(say, signal) {
    this.#say = say;
    this.root = make('div', 'stages', {}, this.#summary, this.#fold, this.#list);
    this.#fold.addEventListener('click', () => this.#toggle(), { signal });
  }

  /** @param {ShownStage[]} stages */
  draw(stages) {
    const say = this.#say;
    const finished = stages.filter(isOver).length;
    const folding = stages.length > FOLD_OVER && finished > 1;
    const at = stages.findIndex((stage) => !isOver(stage) && stage.mark !== 'waiting');
    const step = at < 0 ? Math.min(finished, stages.length - 1) : at;
    this.#stages = stages;
    write(
      this.#summary,
      stages[step] ? say('step', { n: step + 1, total: stages.length, label: labelOf(stages[step], say) }) : '',
    );
    toggle(this.#fold, folding);
    write(this.#fold, say('stepsDone', { n: finished }));
    attribute(this.#fold, 'aria-expanded', String(this.#open));
    while (this.#list.children.length > stages.length) this.#list.lastChild?.remove();
    stages.forEach((stage, i) => {
      const item = /** @type {Item} */ (this.#list.children[i] ?? this.#list.appendChild(newItem()));
      const label = labelOf(stage, say);
      toggle(item, !folding || this.#open || !isOver(stage));
      attribute(item, 'data-mark', stage.mark);
      attribute(item, 'aria-current', stage.mark === 'running' ? 'step' : null);
      attribute(item, 'aria-label', say('stepstate', { label, state: stateOf(stage, say) }));
      item.show(stage.mark);
      write(item.label, label);
      write(
        item.percent,
        stage.mark === 'running' && stage.percent != null ? say('percent', { n: stage.percent }) : '',
      );
      item.bar.style.setProperty('--hw-value', String(stage.mark === 'completed' ? 100 : stage.fraction * 100));
    });
  }

  #toggle() {
    this.#open = !this.#open;
    this.draw(this.#stages);
  }
}

/** @typedef {HTMLLIElement & { show: (shape: string) => void, label: Node, percent: Node, bar: HTMLElement }} Item */

/** @returns {Item} */
function newItem() {
  const { svg, show } = icon();
  const label = make('span', 'label', { dir: 'auto' });
  const percent = make('span', 'share');
  const bar = make('span', 'stripe');
  return Object.assign(make('li', 'stage', {}, bar, svg, label, percent), { show, label, percent, bar });
}

/** @param {ShownStage} stage */
const isOver = ({ mark }) => mark === 'completed' || mark === 'skipped';

/** @param {ShownStage} stage @param {Words} say */
const labelOf = (stage, say) => (stage.label ? String(stage.label) : readable(String(stage.name ?? ''), say));

/** @param {ShownStage} stage @param {Words} say */
function stateOf({ mark, percent }, say) {
  if (mark === 'running' && percent != null) return say('percent', { n: percent });
  return say(mark);
}

// @ts-check
/** The steps of a task. What belongs to a step folds away under it; long lists fold away what is finished. */

/** @import { Task } from './types.js' */
/** @import { ShownStage, Words } from './internal.js' */
import { attribute, icon, make, toggle, write } from './dom.js';
import { isOver, shownStages } from './stages.js';
import { readable } from './words.js';

/** With more steps than this the finished ones are folded. */
const FOLD_OVER = 8;

export class StagesView {
  #say;
  #signal;
  #wanted;
  #summary = make('div', 'step', { dir: 'auto' });
  #fold = make('button', 'fold', { dir: 'auto', type: 'button', 'aria-expanded': 'false' });
  #list = newList('list');
  #open = false;
  /** What a person has unfolded, or folded, by the step's name. @type {Map<string, boolean>} */
  #chosen = new Map();
  #taskId = '';
  /** @type {Task | null} */
  #task = null;

  /** @param {Words} say @param {AbortSignal} signal @param {boolean} wanted */
  constructor(say, signal, wanted) {
    this.#say = say;
    this.#signal = signal;
    this.#wanted = wanted;
    this.root = make('div', 'stages', {}, this.#summary, this.#fold, this.#list);
    this.#fold.addEventListener('click', () => this.#toggle(), { signal });
  }

  /** @param {Task | null} task */
  draw(task) {
    const say = this.#say;
    const stages = this.#wanted ? shownStages(task) : [];
    const finished = stages.filter(isOver).length;
    const folding = stages.length > FOLD_OVER && finished > 1;
    this.#task = task;
    if (task && task.task_id !== this.#taskId) {
      this.#taskId = task.task_id;
      this.#chosen.clear();
    }
    write(this.#summary, summary(stages, finished, say));
    toggle(this.#fold, folding);
    write(this.#fold, say('stepsDone', { n: finished }));
    attribute(this.#fold, 'aria-expanded', String(this.#open));
    this.#drawList(this.#list, stages, (stage) => !folding || this.#open || !isOver(stage));
    toggle(this.root, stages.length > 0);
  }

  /** @param {List} list @param {ShownStage[]} stages @param {(stage: ShownStage) => boolean} [wanted] */
  #drawList(list, stages, wanted) {
    // Side by side, but one below the other where one has parts of its own.
    attribute(list, 'data-tree', stages.some((stage) => stage.parts.length) ? '' : null);
    const items = stages.map((stage, i) => {
      // Names are unique, but for what a page makes up.
      const key = stages.findIndex(({ name }) => name === stage.name) === i ? stage.name : String(i);
      const item = list.items.get(key) ?? this.#newItem(stage.name);
      list.items.set(key, item);
      this.#drawItem(item, stage);
      toggle(item, !wanted || wanted(stage));
      return item;
    });
    for (const [name, item] of list.items) if (!items.includes(item)) list.items.delete(name);
    // A node that is moved would lose the focus.
    if (items.some((item, i) => item !== list.children[i]) || items.length < list.children.length)
      list.replaceChildren(...items);
  }

  /** @param {Item} item @param {ShownStage} stage */
  #drawItem(item, stage) {
    const say = this.#say;
    const label = labelOf(stage, say);
    const { mark, percent, parts } = stage;
    const open = parts.length > 0 && (this.#chosen.get(stage.name) ?? (mark === 'running' || mark === 'failed'));
    attribute(item, 'data-mark', mark);
    attribute(item, 'aria-current', mark === 'running' && !parts.some(isActive) ? 'step' : null);
    attribute(item, 'aria-label', say('stepstate', { label, state: stateOf(stage, say) }));
    item.show(mark);
    write(item.label, label);
    if (!parts.length) item.unfold.replaceWith(item.label);
    else if (item.label.parentNode !== item.unfold) {
      item.label.before(item.unfold);
      item.unfold.append(item.label);
    }
    attribute(item.unfold, 'aria-expanded', String(open));
    const done = parts.length ? say('amount', { done: parts.filter(isOver).length, total: parts.length }) : '';
    write(item.percent, mark === 'running' && percent != null && !done ? say('percent', { n: percent }) : done);
    item.bar.style.setProperty('--hw-value', String(mark === 'completed' ? 100 : stage.fraction * 100));
    toggle(item.list, open);
    if (open) this.#drawList(item.list, parts);
  }

  /** @param {string} name @returns {Item} */
  #newItem(name) {
    const { svg, show } = icon();
    const label = make('span', 'label', { dir: 'auto' });
    const unfold = make('button', 'unfold', { type: 'button' });
    const percent = make('span', 'share', { dir: 'auto' });
    const bar = make('span', 'stripe');
    const list = newList('parts');
    unfold.addEventListener(
      'click',
      () => {
        this.#chosen.set(name, unfold.getAttribute('aria-expanded') !== 'true');
        this.draw(this.#task);
      },
      { signal: this.#signal },
    );
    const item = make('li', 'stage', {}, bar, svg, label, percent, list);
    return Object.assign(item, { show, label, unfold, percent, bar, list });
  }

  #toggle() {
    this.#open = !this.#open;
    this.draw(this.#task);
  }
}

/** @typedef {HTMLOListElement & { items: Map<string, Item> }} List */
/**
 * @typedef {HTMLLIElement & { show: (shape: string) => void, label: HTMLElement, unfold: HTMLElement, percent: Node,
 *   bar: HTMLElement, list: List }} Item
 */

/** @param {string} name @returns {List} */
const newList = (name) => Object.assign(make('ol', name, { role: 'list' }), { items: new Map() });

/**
 * Where there is no room for the list: 'Step 2 of 5: Pictures › Card 3'.
 * @param {ShownStage[]} stages @param {number} finished @param {Words} say
 */
function summary(stages, finished, say) {
  const at = stages.findIndex(isActive);
  const step = at < 0 ? Math.min(finished, stages.length - 1) : at;
  const labels = [];
  for (let stage = stages[step]; stage; stage = /** @type {ShownStage} */ (stage.parts.find(isActive)))
    labels.push(labelOf(stage, say));
  return labels.length ? say('step', { n: step + 1, total: stages.length, label: labels.join(' › ') }) : '';
}

/** @param {ShownStage} stage */
const isActive = (stage) => !isOver(stage) && stage.mark !== 'waiting';

/** @param {ShownStage} stage @param {Words} say */
const labelOf = (stage, say) => (stage.label ? String(stage.label) : readable(String(stage.name ?? ''), say));

/** @param {ShownStage} stage @param {Words} say */
function stateOf({ mark, percent }, say) {
  if (mark === 'running' && percent != null) return say('percent', { n: percent });
  return say(mark);
}

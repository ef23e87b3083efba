// @ts-check
/** Draws what the bar knows: derives, finds the words, reads out milestones, and keeps ages growing. */

/** @import { Action, Freshness, Task } from './types.js' */
/** @import { Facts, Shown, Words } from './internal.js' */
/** @import { defaults } from './options.js' */
/** @import { View } from './view.js' */
import { notePrediction, timeLeft } from './estimate.js';
import { loadMore } from './here.js';
import { derive, isFinal, isMilestone } from './task.js';

const TICK_MS = 1000;

export class Screen {
  #view;
  #say;
  #options;
  #facts;
  #signal;
  #onFreshness;
  /** @type {{ at: number, end: number }[]} */
  #predictions = [];
  /** @type {Shown | null} */
  #shown = null;
  #fresh = '';
  /** @type {ReturnType<typeof setTimeout> | undefined} */
  #timer;
  /** @type {import('./page-signs.js').PageSigns | null} */
  #signs = null;

  /**
   * @param {View} view @param {Words} say @param {typeof defaults} options
   * @param {() => Facts} facts @param {AbortSignal} signal ends it @param {(signals: Freshness) => void} onFreshness
   */
  constructor(view, say, options, facts, signal, onFreshness) {
    this.#view = view;
    this.#say = say;
    this.#options = options;
    this.#facts = facts;
    this.#signal = signal;
    this.#onFreshness = onFreshness;
    document.addEventListener('visibilitychange', () => this.draw(), { signal });
    signal.addEventListener('abort', () => {
      clearTimeout(this.#timer);
      this.#signs?.remove();
      view.remove();
    });
    if (options.tabTitle || options.favicon || options.notify) {
      this.more(({ PageSigns }) => {
        this.#signs = new PageSigns(options, say, view.buttons, signal);
        this.draw();
      });
    }
  }

  /** @param {Task | null} task what predicts from now on */
  predict(task) {
    const known = !task || isFinal(task) || task.worker === 'silent' ? [] : this.#predictions;
    this.#predictions = notePrediction(known, task?.eta_s, this.#facts().now ?? 0);
  }

  /**
   * Uses the rarer parts once they are there, with all their words.
   * @param {(more: typeof import('./more.js')) => void} use
   */
  more(use) {
    loadMore().then(
      (more) => {
        if (this.#signal.aborted) return;
        this.#say.add(more.moreWords);
        use(more);
      },
      () => {},
    );
  }

  draw() {
    if (this.#signal.aborted) return;
    const facts = this.#facts();
    const { task, now, actions } = facts;
    const { allowCancel, allowRetry, showLog, showStages } = this.#options;
    const shown = derive(facts);
    const view = this.#view;
    const may = (/** @type {Action} */ action) => !actions || actions.includes(action);
    if (showStages && shown.stages.length && !view.stages) {
      this.more(({ StagesView }) => {
        view.stages ??= new StagesView(this.#say, this.#signal);
        this.draw();
      });
    }
    view.draw(shown, {
      task,
      left:
        shown.look === 'running' && !shown.trouble && now != null ? timeLeft(this.#predictions, now, this.#say) : '',
      may: {
        cancel: allowCancel && may('cancel'),
        retry: allowRetry && may('retry'),
        log: showLog && facts.hasTaskId && !facts.local,
      },
    });
    if (isMilestone(this.#shown, shown)) view.speak(this.#spoken(shown, facts));
    this.#shown = shown;
    const words = (shown.look === 'running' && view.percent(shown)) || view.doing(shown);
    this.#signs?.show(shown, task, words, getComputedStyle(view.root).getPropertyValue('--hw-tone'));
    this.#tellFreshness(shown.signals);
    // Ages grow by themselves; nothing ticks where none is shown or nobody looks.
    clearTimeout(this.#timer);
    const idle = document.hidden || !task || facts.local || (isFinal(task) && shown.look === task.state);
    if (!idle) this.#timer = setTimeout(() => this.draw(), TICK_MS);
  }

  /** @param {Shown} shown @param {Facts} facts */
  #spoken(shown, { task, status }) {
    const doing = shown.trouble === 'lost' ? this.#say('gaveUp', { max: status.max }) : this.#view.doing(shown);
    return [task?.name, doing, shown.look === 'completed' ? '' : this.#view.percent(shown)].filter(Boolean).join(', ');
  }

  /** @param {Freshness} signals */
  #tellFreshness(signals) {
    const key = `${signals.connected} ${signals.worker} ${signals.advancing}`;
    if (this.#fresh && key !== this.#fresh) this.#onFreshness(signals);
    this.#fresh = key;
  }
}

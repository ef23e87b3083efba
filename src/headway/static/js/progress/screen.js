// @ts-check
/** Draws what the bar knows: derives, finds the words, reads out milestones, and keeps ages growing. */

/** @import { Action, Freshness, Task } from './types.js' */
/** @import { Facts, Shown, Words } from './internal.js' */
/** @import { defaults } from './options.js' */
/** @import { View } from './view.js' */
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
  /** @type {import('./pace.js').Pace | null} */
  #pace = null;
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
    const { now } = this.#facts();
    if (this.#pace) return this.#pace.note(task, now ?? 0);
    if ((task?.eta_s ?? task?.rate) == null) return;
    this.more(({ Pace }) => {
      this.#pace ??= new Pace();
      this.predict(this.#facts().task);
      this.draw();
    });
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
    const { allowCancel, allowRetry, showDetails, showLog, showStages } = this.#options;
    const shown = derive(facts);
    const view = this.#view;
    const may = (/** @type {Action} */ action) => !actions || actions.includes(action);
    const rest =
      (showStages && task?.stages?.length) ||
      (showDetails && Object.keys(task?.details ?? {}).some((key) => !/^(completed|total|unit|current)$/.test(key)));
    if (rest && !view.isWhole) {
      this.more(({ DetailsView, StagesView }) => {
        if (view.isWhole) return;
        view.complete(new StagesView(this.#say, this.#signal, showStages), new DetailsView(showDetails));
        this.draw();
      });
    }
    view.draw(shown, {
      task,
      rate: (task && !shown.trouble && this.#pace?.rate(task, this.#say)) || '',
      left: (shown.look === 'running' && !shown.trouble && now != null && this.#pace?.left(now, this.#say)) || '',
      may: {
        cancel: allowCancel && may('cancel'),
        retry: allowRetry && may('retry'),
        log: showLog && facts.hasTaskId && !facts.local && shown.trouble !== 'unknown',
      },
    });
    if (isMilestone(this.#shown, shown)) view.speak(this.#spoken(shown, facts));
    else if (shown.look === 'idle') view.speak(''); // After a reset nobody should find the last task's end there.
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

// @ts-check
/** How fast, and how long it still takes, in words: a range where that is not sure. Pure: no clock of its own. */

/** @import { Task } from './types.js' */
/** @import { Words } from './internal.js' */
import { bytes, isAmount, isBytes, number } from './estimate.js';
import { isFinal } from './task.js';

/** How long a prediction counts when we ask how sure we are of it. */
const WINDOW_S = 20;

/**
 * Notes what the server predicts, one entry a second, so that `timeLeft` can tell how much the prediction wavers.
 * @param {{ at: number, end: number }[]} seen
 * @param {number | null | undefined} etaS
 * @param {number} now
 */
export function notePrediction(seen, etaS, now) {
  if (etaS == null) return [];
  const recent = seen.filter((entry) => now - entry.at < WINDOW_S);
  const last = recent.at(-1);
  const entry = { at: last && now - last.at < 1 ? last.at : now, end: now + etaS };
  if (entry.at === last?.at) recent.pop();
  return [...recent, entry];
}

/**
 * 'About 2–4 minutes left', or '' where nothing is predicted.
 * @param {{ at: number, end: number }[]} seen @param {number} now @param {Words} say
 */
export function timeLeft(seen, now, say) {
  if (!seen.length) return '';
  const ends = seen.map((entry) => Math.max(0, entry.end - now));
  const [low, high] = [Math.min(...ends), Math.max(...ends)];
  const newest = /** @type {number} */ (ends.at(-1));
  if (high < 5) return say('soon');
  const unsure = high > low * 1.5 && high > 20;
  const [size, unit] = unitOf(unsure ? high : newest);
  const round = (/** @type {number} */ seconds) =>
    unit === 'second' ? Math.max(5, Math.ceil(seconds / 5) * 5) : Math.max(1, Math.round(seconds / size));
  const form = new Intl.NumberFormat(say.locale, { style: 'unit', unit, unitDisplay: 'long' });
  if (unsure && round(low) < round(high)) return say('left', { time: form.formatRange(round(low), round(high)) });
  return unit === 'minute' && round(newest) === 1 ? say('minute') : say('left', { time: form.format(round(newest)) });
}

/** @param {number} seconds @returns {[number, string]} */
function unitOf(seconds) {
  if (seconds < 50) return [1, 'second'];
  if (seconds < 5400) return [60, 'minute'];
  return seconds < 129600 ? [3600, 'hour'] : [86400, 'day'];
}

/**
 * '3.2 files/s'; slow work by the minute or the hour, so that the number says something.
 * @param {number | null | undefined} perSecond @param {unknown} unit @param {Words} say
 */
export function rate(perSecond, unit, say) {
  if (!isAmount(perSecond) || perSecond <= 0) return '';
  if (isBytes(unit)) return `${bytes(perSecond, say)}/${say('second')}`;
  const [times, per] = perSecond >= 1 ? [1, 'second'] : perSecond >= 1 / 60 ? [60, 'minuteShort'] : [3600, 'hour'];
  const value = perSecond * times;
  return `${number(value, say, value < 10 ? 1 : 0)}${typeof unit === 'string' && unit ? ` ${unit}` : ''}/${say(per)}`;
}

/** How fast one task goes, and how long it will still take by what the server has predicted lately. */
export class Pace {
  /** @type {{ at: number, end: number }[]} */
  #seen = [];

  /** @param {Task | null} task what predicts from now on @param {number} now */
  note(task, now) {
    const known = !task || isFinal(task) || task.worker === 'silent' ? [] : this.#seen;
    this.#seen = notePrediction(known, task?.eta_s, now);
  }

  /** '3.2 files/s', where it runs. @param {Task} task @param {Words} say */
  rate({ state, rate: perSecond, details }, say) {
    return state === 'running' ? rate(perSecond, details?.unit, say) : '';
  }

  /** @param {number} now @param {Words} say */
  left(now, say) {
    return timeLeft(this.#seen, now, say);
  }
}

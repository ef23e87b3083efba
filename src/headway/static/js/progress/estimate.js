// @ts-check
/** Times, rates and amounts in words. Pure: no clock of its own. */

/** @import { Words } from './internal.js' */

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
 * '12 s', '1 min 12 s', '2 h 5 min': how long something has been going on.
 * @param {number} seconds @param {Words} say
 */
export function duration(seconds, say) {
  const whole = Math.max(0, Math.floor(seconds));
  const part = (/** @type {number} */ n, /** @type {string} */ unit) => (n ? `${number(n, say)} ${say(unit)}` : '');
  if (whole < 60) return `${number(whole, say)} ${say('second')}`;
  const [big, small] =
    whole < 3600
      ? [part(Math.floor(whole / 60), 'minuteShort'), part(whole % 60, 'second')]
      : [part(Math.floor(whole / 3600), 'hour'), part(Math.floor((whole % 3600) / 60), 'minuteShort')];
  return small ? `${big} ${small}` : big;
}

/**
 * '3 of 12 files', '3 files', '1.2 MB of 4 MB', or ''.
 * @param {Record<string, unknown>} details @param {Words} say
 */
export function amount(details, say) {
  const { completed, total, unit } = details;
  if (!isAmount(completed)) return '';
  const show = (/** @type {number} */ n) => (isBytes(unit) ? bytes(n, say) : number(n, say));
  const text =
    isAmount(total) && total > 0 ? say('amount', { done: show(completed), total: show(total) }) : show(completed);
  return isBytes(unit) || typeof unit !== 'string' || !unit ? text : `${text} ${unit}`;
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

/** @param {number} n @param {Words} say */
export function number(n, say, digits = 2) {
  return new Intl.NumberFormat(say.locale, { maximumFractionDigits: digits }).format(n);
}

/** @param {unknown} n @returns {n is number} */
const isAmount = (n) => typeof n === 'number' && Number.isFinite(n);

/** @param {unknown} unit */
const isBytes = (unit) => unit === 'B' || unit === 'byte' || unit === 'bytes';

/** @param {number} n @param {Words} say */
function bytes(n, say) {
  const step = n < 1000 ? 0 : Math.min(4, Math.floor(Math.log10(n) / 3));
  const unit = `${['', 'kilo', 'mega', 'giga', 'tera'][step]}byte`;
  const form = new Intl.NumberFormat(say.locale, {
    style: 'unit',
    unit,
    unitDisplay: 'short',
    maximumFractionDigits: 1,
  });
  return form.format(n / 1000 ** step);
}

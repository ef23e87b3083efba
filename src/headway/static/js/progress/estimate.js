// @ts-check
/** How long and how much, in words. Pure. */

/** @import { Words } from './internal.js' */

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

/** @param {number} n @param {Words} say */
export function number(n, say, digits = 2) {
  return new Intl.NumberFormat(say.locale, { maximumFractionDigits: digits }).format(n);
}

/** @param {unknown} n @returns {n is number} */
export const isAmount = (n) => typeof n === 'number' && Number.isFinite(n);

/** @param {unknown} unit */
export const isBytes = (unit) => unit === 'B' || unit === 'byte' || unit === 'bytes';

/** @param {number} n @param {Words} say */
export function bytes(n, say) {
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

// @ts-check
/** How long and how much, in words. Pure. */

/** @import { Words } from './internal.js' */

/** @type {[seconds: number, word: string][]} */
const UNITS = [
  [86400, 'day'],
  [3600, 'hour'],
  [60, 'minuteShort'],
  [1, 'second'],
];

/**
 * '12 s', '1 min 12 s', '2 h 5 min', '4 d 3 h': how long something has been going on.
 * @param {number} seconds @param {Words} say
 */
export function duration(seconds, say) {
  let rest = Math.max(0, Math.floor(seconds));
  const first = UNITS.findIndex(([size]) => rest >= size);
  if (first < 0) return `${number(0, say)} ${say('second')}`;
  const parts = [];
  for (const [size, unit] of UNITS.slice(first, first + 2)) {
    const n = Math.floor(rest / size);
    rest %= size;
    if (n) parts.push(`${number(n, say)} ${say(unit)}`);
  }
  return parts.join(' ');
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

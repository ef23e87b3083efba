// @ts-check
/**
 * Every string that a person can see or hear at once; the rarer ones are in words-more.js. `{name}` is filled in;
 * English stands in.
 */

/** @import { WordTable, Words } from './internal.js' */

/** English, Chinese. @type {WordTable} */
const table = {
  progress: ['Progress', '进度'],
  ready: ['Ready', '就绪'],
  unknown: ['Not found', '未找到'],
  pending: ['Waiting to start', '等待开始'],
  running: ['Running', '进行中'],
  cancelling: ['Cancelling…', '正在取消…'],
  completed: ['Completed', '已完成'],
  failed: ['Failed', '失败'],
  cancelled: ['Cancelled', '已取消'],
  live: ['Live', '实时'],
  connecting: ['Connecting…', '正在连接…'],
  reconnecting: ['Reconnecting ({n} of {max})', '正在重新连接（第 {n} 次，共 {max} 次）'],
  gaveUp: ['Connection lost: gave up after {max} tries', '连接已断开：重试 {max} 次后停止'],
  off: ['Not connected', '未连接'],
  lastUpdate: ['Last update {time} ago', '{time}前更新'],
  silent: ['The worker has not been heard of for {time}', '已有 {time}没有执行进程的消息'],
  waitingFor: ['Waiting for {time}', '已等待 {time}'],
  asked: ['Asked to stop {time} ago, still running', '{time}前已请求停止，仍在运行'],
  tookcompleted: ['Finished in {time}', '用时 {time}'],
  tookfailed: ['Failed after {time}', '{time}后失败'],
  tookcancelled: ['Stopped after {time}', '{time}后停止'],
  attempt: ['Attempt {n}', '第 {n} 次尝试'],
  second: ['s', '秒'],
  minuteShort: ['min', '分'],
  hour: ['h', '小时'],
  day: ['d', '天'],
  amount: ['{done} of {total}', '{done} / {total}'],
  percent: ['{n}%', null],
  cancel: ['Cancel', '取消'],
  retry: ['Retry', '重试'],
  reconnect: ['Reconnect', '重新连接'],
  log: ['Log', '日志'],
  started: [null, '已开始'],
  generating_content: [null, '正在生成文案'],
  generating_image: [null, '正在生成图片'],
};

/**
 * The words of a locale; `own` replaces single ones.
 * @param {string} locale
 * @param {Record<string, string>} [own]
 * @returns {Words}
 */
export function wordsFor(locale, own) {
  /** @type {Record<string, string>} */
  const words = { ...own };
  const chinese = /^zh\b/i.test(locale);
  const add = (/** @type {WordTable} */ more) => {
    for (const [key, [english, zh]] of Object.entries(more)) {
      const word = own?.[key] ?? (chinese ? zh : null) ?? english;
      if (word != null) words[key] = word;
    }
  };
  add(table);
  const say = (/** @type {string} */ key, /** @type {Record<string, unknown>} */ values = {}) =>
    (words[key] ?? key).replace(/\{(\w+)\}/g, (_, name) => String(values[name] ?? ''));
  return Object.assign(say, {
    add,
    has: (/** @type {string} */ key) => Object.hasOwn(words, key),
    locale: usable(locale),
  });
}

/** @param {string} locale */
function usable(locale) {
  try {
    return Intl.getCanonicalLocales(locale)[0] ?? 'en';
  } catch {
    return 'en';
  }
}

/**
 * A stage or status name as a person would read it: `resize_images` → 'Resize images'.
 * @param {string} name @param {Words} say
 */
export function readable(name, say) {
  if (say.has(name)) return say(name);
  const text = name.replaceAll('_', ' ');
  return text.charAt(0).toUpperCase() + text.slice(1);
}

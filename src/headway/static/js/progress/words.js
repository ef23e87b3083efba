// @ts-check
/**
 * Every string that a person can see or hear at once; the rarer ones are in words-more.js. `{name}` is filled in;
 * English stands in.
 */

/** @import { Words } from './internal.js' */

/** @type {Record<'en' | 'zh', Record<string, string>>} */
const tables = {
  en: {
    progress: 'Progress',
    ready: 'Ready',
    unknown: 'Not found',
    pending: 'Waiting to start',
    running: 'Running',
    cancelling: 'Cancelling…',
    completed: 'Completed',
    failed: 'Failed',
    cancelled: 'Cancelled',

    live: 'Live',
    connecting: 'Connecting…',
    reconnecting: 'Reconnecting ({n} of {max})',
    gaveUp: 'Connection lost: gave up after {max} tries',
    off: 'Not connected',
    lastUpdate: 'Last update {time} ago',
    silent: 'The worker has not been heard of for {time}',
    waitingFor: 'Waiting for {time}',
    asked: 'Asked to stop {time} ago, still running',
    tookcompleted: 'Finished in {time}',
    tookfailed: 'Failed after {time}',
    tookcancelled: 'Stopped after {time}',
    attempt: 'Attempt {n}',

    soon: 'A few seconds left',
    minute: 'About a minute left',
    left: 'About {time} left',
    second: 's',
    minuteShort: 'min',
    hour: 'h',
    amount: '{done} of {total}',
    percent: '{n}%',

    cancel: 'Cancel',
    retry: 'Retry',
    reconnect: 'Reconnect',
    log: 'Log',
  },
  zh: {
    progress: '进度',
    ready: '就绪',
    unknown: '未找到',
    pending: '等待开始',
    running: '进行中',
    cancelling: '正在取消…',
    completed: '已完成',
    failed: '失败',
    cancelled: '已取消',
    started: '已开始',
    generating_content: '正在生成文案',
    generating_image: '正在生成图片',

    live: '实时',
    connecting: '正在连接…',
    reconnecting: '正在重新连接（第 {n} 次，共 {max} 次）',
    gaveUp: '连接已断开：重试 {max} 次后停止',
    off: '未连接',
    lastUpdate: '{time}前更新',
    silent: '已有 {time}没有执行进程的消息',
    waitingFor: '已等待 {time}',
    asked: '{time}前已请求停止，仍在运行',
    tookcompleted: '用时 {time}',
    tookfailed: '{time}后失败',
    tookcancelled: '{time}后停止',
    attempt: '第 {n} 次尝试',

    soon: '还剩几秒',
    minute: '大约还剩一分钟',
    left: '大约还剩 {time}',
    second: '秒',
    minuteShort: '分',
    hour: '小时',
    amount: '{done} / {total}',

    cancel: '取消',
    retry: '重试',
    reconnect: '重新连接',
    log: '日志',
  },
};

/**
 * The words of a locale; `own` replaces single ones.
 * @param {string} locale
 * @param {Record<string, string>} [own]
 * @returns {Words}
 */
export function wordsFor(locale, own) {
  /** @type {Record<string, string>} */
  const table = {};
  const add = (/** @type {typeof tables} */ { en, zh }) =>
    void Object.assign(table, en, /^zh\b/i.test(locale) && zh, own);
  add(tables);
  const say = (/** @type {string} */ key, /** @type {Record<string, unknown>} */ values = {}) =>
    (table[key] ?? key).replace(/\{(\w+)\}/g, (_, name) => String(values[name] ?? ''));
  return Object.assign(say, {
    add,
    has: (/** @type {string} */ key) => Object.hasOwn(table, key),
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

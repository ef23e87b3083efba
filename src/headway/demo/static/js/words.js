// @ts-check
/** Every string that the demo's scripts show. `{name}` is filled in. */

/** @type {Record<'en' | 'zh-CN', Record<string, string>>} */
const words = {
  en: {
    making: 'Starting…',
    make: 'Make the post',
    topicMissing: 'Write a topic first.',
    cardsRange: 'A whole number from 1 to 24.',
    topicRange: 'A topic has 1 to 2,000 characters.',
    tooMany: 'That was a lot in one minute. Try again shortly.',
    offline: 'The server can’t be reached. What you typed is kept; trying again by itself.',
    offlineShort: 'The server can’t be reached right now. Trying again by itself.',
    failedToStart: 'It could not be started: {message}',
    notThere: 'This post is not there',
    notThereText: 'It was deleted, or the address is not complete, or it belongs to someone else.',
    draft: 'Draft',
    waitingCard: 'Card {n}, not begun',
    failedTitle: 'It did not work out',
    failedCutOff: 'The work was cut off in the middle. Nothing half-made is kept; Retry begins again from the start.',
    failedGenerator: 'The service that writes the words let us down. Retry asks it again.',
    failedOther: 'The log says more. Retry begins again from the start.',
    cancelledTitle: 'Stopped, as you asked',
    cancelledText: 'Nothing goes on in the background. Retry begins again from the start.',
    startOver: 'Change the topic',
    previousCard: 'Previous card',
    nextCard: 'Next card',
    cardOf: '{n} of {total}',
    cards: 'Picture cards',
    cardAlt: 'Card {n}: {heading}',
    copyAll: 'Copy the text',
    copied: 'Copied',
    notCopied: 'The browser did not allow copying',
    downloadCard: 'This card',
    downloadAll: 'All as zip',
    another: 'Another like it',
    delete: 'Delete',
    deletePost: 'Delete “{topic}”',
    deleteTitle: 'Delete this post?',
    deleteText: 'Its words and its cards are gone for good.',
    keep: 'Keep it',
    deleted: 'Deleted',
    notDeleted: 'It could not be deleted: {message}',
    offlineGenerator: 'Written by Headway’s offline generator: grammar and word lists, no AI service.',
    onlineGenerator: 'Written by: {label}.',
    seed: 'Seed {seed}',
    resultFailed: 'The post is made, but could not be fetched.',
    tryAgain: 'Try again',
    noMatch: 'Nothing made so far has “{q}” in it.',
    historyFailed: 'What was made before can’t be shown right now.',
    'state.pending': 'Waiting', 'state.running': 'Running', 'state.cancelling': 'Cancelling', 'state.completed': 'Completed',
    'state.failed': 'Failed', 'state.cancelled': 'Cancelled', 'state.silent': 'Worker silent',
    noTasks: 'No tasks yet', noTasksText: 'Make a post in the studio, or start a test task, and it shows up here by itself.',
    noTasksMatch: 'No task matches', noTasksMatchText: 'Try another state, or fewer letters in the search.',
    tasksFailed: 'The list can’t be read right now. Trying again by itself.',
    notAllowed: 'This list is for the operator, or for who made the tasks.',
    rangeOf: 'Page {page}',
    cancel: 'Cancel', retry: 'Retry', cancelNamed: 'Cancel {name}', retryNamed: 'Retry {name}',
    cancelFailed: 'It could not be cancelled: {message}', retryFailed: 'It could not be retried: {message}',
    unnamed: 'Unnamed task',
    ago: '{time} ago', justNow: 'just now', waitingFor: 'waiting {time}', unknown: '—',
    's': '{n} s', 'min': '{n} min', 'h': '{n} h', 'd': '{n} d', 'min.s': '{m} min {s} s', 'h.min': '{h} h {m} min', 'd.h': '{d} d {h} h',
    'fact.state': 'State', 'fact.attempt': 'Attempt', 'fact.worker': 'Worker', 'fact.created': 'Created', 'fact.started': 'Started',
    'fact.finished': 'Finished', 'fact.took': 'Took', 'fact.running': 'Running for', 'fact.waiting': 'Waiting for', 'fact.updated': 'Last news',
    'fact.rev': 'Revision', 'fact.error': 'Error', 'fact.cancel': 'Cancel asked for', 'fact.rate': 'Rate',
    'worker.alive': 'alive', 'worker.silent': 'silent', 'worker.none': 'none',
    'stage.pending': 'not begun', 'stage.running': 'under way', 'stage.completed': 'done', 'stage.failed': 'failed', 'stage.cancelled': 'cancelled', 'stage.skipped': 'skipped',
    attempt: 'Attempt {n}', linkCopied: 'The read-only link is copied',
    taskNotFound: 'There is no such task', taskNotFoundText: 'It was deleted, or the address is not complete, or it isn’t yours to see.',
    allTasks: 'All tasks', notDownloaded: 'It could not be downloaded',
    perSecond: '{n} {unit}/s',
    'error.task_not_found': 'it is not there, or not yours to see', 'error.not_cancellable': 'it has ended already', 'error.not_retryable': 'nobody is left who could run it again',
    'error.still_running': 'it is still being made; cancel it first', 'error.queue_full': 'too much is waiting already; try again shortly', 'error.rate_limited': 'that was a lot in one minute; try again shortly',
    'error.unavailable': 'the server can’t read its store right now', 'error.unreachable': 'the server can’t be reached', 'error.cross_origin': 'this page is not the server’s own', 'error.too_large': 'it is too large',
    'error.internal': 'something went wrong on the server', 'error.invalid_request': 'the server did not take it',
    rawResult: 'As the program gave it', inStudio: 'Open in the studio',
  },
  'zh-CN': {
    making: '正在开始…',
    make: '开始制作',
    topicMissing: '先写下一个话题。',
    cardsRange: '请填 1 到 24 的整数。',
    topicRange: '话题要有 1 到 2,000 个字。',
    tooMany: '一分钟内次数太多了，请稍后再试。',
    offline: '连不上服务器。您写的内容还在，会自动重试。',
    offlineShort: '暂时连不上服务器，正在自动重试。',
    failedToStart: '没能开始：{message}',
    notThere: '找不到这篇图文',
    notThereText: '它已删除，或地址不完整，或属于别人。',
    draft: '草稿',
    waitingCard: '第 {n} 张，还没开始',
    failedTitle: '这次没有做成',
    failedCutOff: '做到一半被打断了。没做完的不会留下；“重试”会从头再来。',
    failedGenerator: '写文案的服务没有给出结果。“重试”会再问一次。',
    failedOther: '日志里有更多说明。“重试”会从头再来。',
    cancelledTitle: '已按您的意思停下',
    cancelledText: '后台没有任何东西还在跑。“重试”会从头再来。',
    startOver: '换个话题',
    previousCard: '上一张',
    nextCard: '下一张',
    cardOf: '{n} / {total}',
    cards: '图卡',
    cardAlt: '第 {n} 张：{heading}',
    copyAll: '复制文案',
    copied: '已复制',
    notCopied: '浏览器不允许复制',
    downloadCard: '下载这张',
    downloadAll: '打包下载',
    another: '再来一篇',
    delete: '删除',
    deletePost: '删除“{topic}”',
    deleteTitle: '删除这篇图文？',
    deleteText: '文字和图卡都会彻底删除。',
    keep: '留着',
    deleted: '已删除',
    notDeleted: '没能删除：{message}',
    offlineGenerator: '文案由 Headway 的离线生成器写成：语法加词库，没有用 AI 服务。',
    onlineGenerator: '文案：{label}。',
    seed: '种子 {seed}',
    resultFailed: '图文已经做好，但没能取回来。',
    tryAgain: '再试一次',
    noMatch: '做过的图文里没有“{q}”。',
    historyFailed: '暂时无法显示以前做的图文。',
    'state.pending': '等待中', 'state.running': '运行中', 'state.cancelling': '正在取消', 'state.completed': '已完成',
    'state.failed': '失败', 'state.cancelled': '已取消', 'state.silent': '执行进程无响应',
    noTasks: '还没有任务', noTasksText: '在工作室做一篇图文，或启动一个测试任务，它会自动出现在这里。',
    noTasksMatch: '没有符合的任务', noTasksMatchText: '换个状态，或少输几个字试试。',
    tasksFailed: '暂时读不到列表，正在自动重试。',
    notAllowed: '只有管理者或任务的创建者能看这个列表。',
    rangeOf: '第 {page} 页',
    cancel: '取消', retry: '重试', cancelNamed: '取消 {name}', retryNamed: '重试 {name}',
    cancelFailed: '没能取消：{message}', retryFailed: '没能重试：{message}',
    unnamed: '未命名任务',
    ago: '{time}前', justNow: '刚刚', waitingFor: '已等 {time}', unknown: '—',
    's': '{n} 秒', 'min': '{n} 分钟', 'h': '{n} 小时', 'd': '{n} 天', 'min.s': '{m} 分 {s} 秒', 'h.min': '{h} 小时 {m} 分', 'd.h': '{d} 天 {h} 小时',
    'fact.state': '状态', 'fact.attempt': '尝试', 'fact.worker': '执行进程', 'fact.created': '创建', 'fact.started': '开始',
    'fact.finished': '结束', 'fact.took': '用时', 'fact.running': '已运行', 'fact.waiting': '已等待', 'fact.updated': '最近动静',
    'fact.rev': '版本号', 'fact.error': '错误', 'fact.cancel': '请求取消', 'fact.rate': '速度',
    'worker.alive': '正常', 'worker.silent': '无响应', 'worker.none': '无',
    'stage.pending': '未开始', 'stage.running': '进行中', 'stage.completed': '完成', 'stage.failed': '失败', 'stage.cancelled': '已取消', 'stage.skipped': '跳过',
    attempt: '第 {n} 次', linkCopied: '只读链接已复制',
    taskNotFound: '没有这个任务', taskNotFoundText: '它已删除，或地址不完整，或者您无权查看。',
    allTasks: '所有任务', notDownloaded: '没能下载',
    perSecond: '{n} {unit}/秒',
    'error.task_not_found': '找不到它，或者您无权查看', 'error.not_cancellable': '它已经结束了', 'error.not_retryable': '已经没有能再次执行它的程序',
    'error.still_running': '还在制作，请先取消', 'error.queue_full': '排队的太多了，请稍后再试', 'error.rate_limited': '一分钟内次数太多了，请稍后再试',
    'error.unavailable': '服务器暂时读不到存储', 'error.unreachable': '连不上服务器', 'error.cross_origin': '这个页面不属于该服务器', 'error.too_large': '内容太大了',
    'error.internal': '服务器出了错', 'error.invalid_request': '服务器没有接受',
    'ended.worker_lost': '执行进程在任务完成前已终止', 'ended.interrupted': '任务在完成前被中断', 'ended.not_queued': '任务未能交给执行进程：无法连接队列', 'ended.test_failure': '测试任务按要求失败了',
    'ended.font_missing': '这台机器上没有中文字体，画不了图卡；可以安装 fonts-noto-cjk', 'ended.picture_failed': '有一张图卡没能画出来', 'ended.picture_worker_lost': '画图的进程接连退出，有一张图卡没能画出来',
    'ended.not_loadable': '执行进程无法加载该任务', 'ended.invalid_request': '任务的参数不对', 'ended.internal': '程序出了错',
    rawResult: '程序给出的原样', inStudio: '在工作室里打开',
  },
};

export const locale = document.documentElement.lang === 'en' ? 'en' : 'zh-CN';

/**
 * @param {string} key
 * @param {Record<string, string | number>} [values]
 * @returns {string}
 */
export function t(key, values = {}) {
  const text = words[locale][key] ?? words.en[key] ?? key;
  return text.replace(/\{(\w+)\}/g, (_, name) => String(values[name] ?? ''));
}

/** Why something that was asked for did not happen, by the error's code; an unknown one in its own words.
 * @param {any} error */
export const reason = (error) => words[locale][`error.${error?.code}`] ?? String(error?.message ?? error);

/** Why a task failed. Its own words say most, and are English where the code is one of ours. @param {{code: string, message: string}} error */
export const failure = ({ code, message }) => words[locale][`ended.${code}`] ?? message;

/** A span of time in words, coarse enough to be read at a glance. @param {number} seconds */
export function span(seconds) {
  const s = Math.max(0, seconds);
  if (s < 10) return t('s', { n: (Math.floor(s * 10) / 10).toFixed(1) });
  if (s < 60) return t('s', { n: Math.floor(s) });
  if (s < 3600) return t('min.s', { m: Math.floor(s / 60), s: Math.floor(s % 60) });
  if (s < 86400) return t('h.min', { h: Math.floor(s / 3600), m: Math.floor((s % 3600) / 60) });
  return t('d.h', { d: Math.floor(s / 86400), h: Math.floor((s % 86400) / 3600) });
}

/** The same for what still goes on: tenths that turn once a second would only dance. @param {number} seconds */
export const wholeSpan = (seconds) => (seconds < 10 ? t('s', { n: Math.floor(Math.max(0, seconds)) }) : span(seconds));

/** What to call a stage: its label, else its name as words. @param {{name: string, label?: string | null}} stage */
export const stageName = ({ name, label }) => label || (name.charAt(0).toUpperCase() + name.slice(1)).replace(/_/g, ' ');

/** @param {number} seconds */
export function ago(seconds) {
  if (seconds < 2) return t('justNow');
  const [unit, size] = seconds < 60 ? ['s', 1] : seconds < 3600 ? ['min', 60] : seconds < 86400 ? ['h', 3600] : ['d', 86400];
  return t('ago', { time: t(String(unit), { n: Math.floor(seconds / Number(size)) }) });
}

/** A date and time as this reader writes it. @param {number} unixSeconds */
export const moment = (unixSeconds) =>
  new Intl.DateTimeFormat(locale, { dateStyle: 'medium', timeStyle: 'medium' }).format(unixSeconds * 1000);

/** The day and minute. @param {number} unixSeconds */
export const day = (unixSeconds) =>
  new Intl.DateTimeFormat(locale, { month: 'short', day: 'numeric', hour: '2-digit', minute: '2-digit' }).format(unixSeconds * 1000);

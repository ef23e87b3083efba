// @ts-check
/** The words of the test page. English stands in the HTML; here is the Chinese, and both for what scripts say. */

/** @type {Record<string, string>} */
const zhPage = {
  skip: '跳到正文', nav: '页面', nav_studio: '工作室', nav_tasks: '任务', nav_test: '测试页', switch_theme: '浅色或深色',
  h1: '想办法让它说谎', lede: '这里的每个按钮都作用于真实的服务器。断网、让进程崩溃、中途取消：进度条必须始终正确。',
  connection: '连接', connect: '连接', disconnect: '断开', ping: '心跳', drop_for: '断网', seconds_unit: '秒', drop: '断开网络', drop_noticed: '浏览器会察觉',
  tasks: '任务管理', seconds: '秒数', updates: '更新次数', outcome: '结局', outcome_complete: '完成', outcome_fail: '失败', outcome_hang: '挂起', outcome_crash: '崩溃',
  stages: '阶段', stages_hint: '用逗号分隔名称，可以留空。', start: '启动测试任务', process: '放在单独的进程里，可以被杀掉', task_id: '任务编号', join: '加入', leave: '离开', cancel: '取消任务', retry: '重试',
  started_here: '本页看到的任务', none_joined: '还没有加入任何任务。',
  progress: '进度', local: '手动操作（不连服务器的进度条）', local_start: '开始', local_step: '+10 %', local_unknown: '长度未知', local_complete: '完成', local_fail: '失败', local_reset: '重置', local_hide: '隐藏 / 显示',
  chaos: '捣乱与裁决', chaos_cut: '剪断连接', chaos_stall: '卡住 4 秒', chaos_delay: '延迟 300 毫秒，持续 10 秒', chaos_kill: '杀掉它的执行进程', chaos_restart: '重启推送中枢', chaos_flood: '洪水',
  log: '事件日志', log_filter: '过滤日志', log_filter_short: '过滤', log_pause: '暂停', log_save: '保存', log_clear: '清空', log_time: '时间', log_direction: '方向', log_event: '事件', log_latency: '延迟', log_data: '数据',
  footer: 'Headway：让耗时的 Python 任务实时可见，取消按钮说到做到。',
};

/** @type {Record<'en' | 'zh-CN', Record<string, string>>} */
const said = {
  en: {
    title: 'Test page · Headway', live: 'Connected', connecting: 'Connecting', off: 'Not connected', weather: 'Network down', stalled: 'Network stalled', delayed: 'Network slow',
    transport: 'Transport', roundTrip: 'Round trip', reconnects: 'Reconnects', events: 'Events seen', sinceUp: 'Connected for', session: 'Session',
    state: 'State', percent: 'Progress', rev: 'Revision', attempt: 'Attempt', latency: 'Latency', rate: 'States seen', none: '—',
    missing: '{field}: fill it in', offLoopback: 'This server starts no test tasks: it does not serve on loopback.', unreachable: 'The server can’t be reached.',
    resume: 'Resume', pause: 'Pause', count: '{shown} of {all} events', tasksOf: 'Task {id}', noTask: 'no task',
    verdictGood: 'Nothing wrong so far', verdictBad: '{n} wrong', verdictIdle: 'Nothing seen yet', times: '{n}×',
    'rule.rev': 'Revisions rise', 'rule.progress': 'Progress never falls within an attempt', 'rule.final': 'Nothing follows a final state', 'rule.end': 'Every end arrives',
    'rule.joined': 'Nothing of a task that was not joined', 'rule.log': 'Log lines come without gaps',
    localCurrent: 'Getting ready', localStep: 'One step further',
    pickTask: 'Start or join a task first.',
  },
  'zh-CN': {
    title: '测试页 · Headway', live: '已连接', connecting: '连接中', off: '未连接', weather: '网络已断', stalled: '网络卡住', delayed: '网络很慢',
    transport: '传输方式', roundTrip: '往返时间', reconnects: '重连次数', events: '收到事件', sinceUp: '已连接', session: '会话',
    state: '状态', percent: '进度', rev: '版本号', attempt: '尝试', latency: '延迟', rate: '收到状态', none: '—',
    missing: '{field}：请填写', offLoopback: '这台服务器不在本机地址上，不启动测试任务。', unreachable: '连不上服务器。',
    resume: '继续', pause: '暂停', count: '{shown} / {all} 个事件', tasksOf: '任务 {id}', noTask: '没有任务',
    verdictGood: '目前没有错', verdictBad: '{n} 处错误', verdictIdle: '还没看到什么', times: '{n} 次',
    'rule.rev': '版本号只升', 'rule.progress': '同一次尝试内进度不倒退', 'rule.final': '终态之后再无变化', 'rule.end': '每个结局都会送到',
    'rule.joined': '不收到未加入任务的消息', 'rule.log': '日志不缺行',
    'refused.seconds': '服务器拒绝：秒数应在 0.1 到 600 之间。', 'refused.updates': '服务器拒绝：更新次数应是 1 到 10,000 的整数。',
    'refused.stages': '服务器拒绝：阶段名只能有小写字母、数字和下划线，各不相同，最多 50 个。',
    'error.queue_full': '排队的测试任务太多了，请稍后再试。', 'error.rate_limited': '一分钟内启动得太多了，请稍后再试。', 'error.not_killable': '现在没有单独的进程在运行这个任务。',
    'error.task_not_found': '没有这个任务，或者您无权操作。', 'error.unavailable': '服务器暂时读不到存储。', 'error.internal': '服务器出了错。',
    localCurrent: '准备生成', localStep: '又进了一步',
    pickTask: '请先启动或加入一个任务。',
  },
};

const chosen = /(?:^|; )headway_lang=([\w-]+)/.exec(document.cookie)?.[1];
export const locale = (chosen ?? navigator.language).toLowerCase().startsWith('zh') ? 'zh-CN' : 'en';

/** @param {string} key @param {Record<string, string | number>} [values] */
export function t(key, values = {}) {
  return (said[locale][key] ?? said.en[key] ?? key).replace(/\{(\w+)\}/g, (_, name) => String(values[name] ?? ''));
}

/** Why the server refused, in the reader's words where we have them, else in its own. @param {any} error */
export function reason(error) {
  const field = error?.code === 'invalid_request' && /^(\w+): /.exec(error.message)?.[1];
  return said[locale][field ? `refused.${field}` : `error.${error?.code}`] ?? String(error?.message ?? error);
}

/** Puts the page into the reader's language, and makes the switch work. */
export function translatePage() {
  const html = document.documentElement;
  html.lang = locale;
  document.title = t('title');
  const button = /** @type {HTMLElement} */ (document.getElementById('switch-language'));
  button.addEventListener('click', () => {
    const path = location.pathname.split('/static/')[0] || '/';
    document.cookie = `headway_lang=${locale === 'en' ? 'zh-CN' : 'en'}; path=${path}; max-age=31536000; samesite=lax`;
    location.reload();
  });
  if (locale === 'en') return;
  button.textContent = 'English';
  button.lang = 'en';
  button.setAttribute('aria-label', 'Switch to English');
  for (const element of document.querySelectorAll('[data-t]')) element.textContent = zhPage[element.getAttribute('data-t') ?? ''] ?? element.textContent;
  for (const element of document.querySelectorAll('[data-t-label]')) {
    const word = zhPage[element.getAttribute('data-t-label') ?? ''] ?? '';
    element.setAttribute('aria-label', word);
    if (element.hasAttribute('title')) element.setAttribute('title', word);
  }
  for (const element of document.querySelectorAll('[data-t-placeholder]')) element.setAttribute('placeholder', zhPage[element.getAttribute('data-t-placeholder') ?? ''] ?? '');
}

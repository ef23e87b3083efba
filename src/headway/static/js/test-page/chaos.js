// @ts-check
/** The chaos panel: what goes wrong on purpose, and whether the promises held over all that this page has seen. */

import { api } from './api.js';
import { badge, byId, fill, h, icon } from './dom.js';
import { RULES } from './verdict.js';
import { reason, t } from './words.js';

const STALL_MS = 4000;
const DELAY = { forMs: 10_000, late: 300 };
const FLOOD = { seconds: 10, updates: 10_000, outcome: 'complete' };
const SHOWN = 3;

export class Chaos {
  /** @param {{weather: any, verdict: import('./verdict.js').Verdict, startTask: (body: any) => Promise<string | null>, taskId: () => string, log: import('./event-log.js').EventLog, complain: (text: string) => void, task: () => any}} page */
  constructor(page) {
    this.page = page;
    /** @type {Record<string, () => void>} */
    const acts = {
      cut: () => page.weather.cutOnce(),
      stall: () => page.weather.set('stall', STALL_MS),
      delay: () => page.weather.set('delay', DELAY.forMs, DELAY.late),
      kill: () => this.#server({ act: 'kill_worker', task_id: page.taskId() }),
      restart: () => this.#server({ act: 'restart_hub' }),
      flood: () => page.startTask(FLOOD),
    };
    for (const button of byId('chaos').querySelectorAll('[data-chaos]')) {
      const name = button.dataset.chaos;
      button.addEventListener('click', () => {
        page.complain('');
        page.log.add('page', `chaos: ${name}`);
        acts[name]?.();
      });
    }
  }

  /** @param {any} body */
  async #server(body) {
    if (body.act === 'kill_worker' && !body.task_id) return this.page.complain(t('pickTask'));
    try {
      await api('/api/chaos', { method: 'POST', body });
    } catch (error) {
      this.page.log.add('bad', 'chaos', String(error));
      this.page.complain(reason(error));
    }
  }

  draw() {
    const { violations, judged } = this.page.verdict;
    const seen = RULES.some((rule) => (judged[rule] ?? 0) > 0);
    fill(byId('verdict-badge'), violations.length ? badge('bad', 'cross', t('verdictBad', { n: violations.length }))
      : seen ? badge('good', 'check', t('verdictGood')) : badge('', 'clock', t('verdictIdle')));
    const rows = RULES.map((rule) => {
      const broken = violations.filter((violation) => violation.rule === rule);
      return h('li', { class: broken.length ? 'is-broken' : judged[rule] ? '' : 'is-idle', 'data-rule': rule, 'data-broken': broken.length },
        icon(broken.length ? 'cross' : judged[rule] ? 'check' : 'clock'), h('span', {}, t(`rule.${rule}`)),
        h('span', { class: 'numbers muted' }, t('times', { n: judged[rule] ?? 0 })),
        broken.length > 0 && h('span', { class: 'detail mono' }, broken.slice(-SHOWN).map(({ task, text }) => `${task}: ${text}`).join(' · ')));
    });
    fill(byId('verdict'), h('ul', { class: 'verdict' }, ...rows));
  }
}

// @ts-check
/** The invariants that every viewer is promised, judged over what this page has seen. Pure: events in, violations out. */

/** @typedef {{rule: string, task: string, text: string}} Violation */

export const RULES = ['rev', 'progress', 'final', 'end', 'joined', 'log'];
const FINAL = ['completed', 'failed', 'cancelled'];
/** How long an end may be under way to us. */
const END_MS = 5000;

export class Verdict {
  /** What was last seen of each task. @type {Map<string, any>} */
  #tasks = new Map();
  /** @type {Set<string>} */
  #joined = new Set();
  /** How many answers to joins are still to come: each may repeat the last state. @type {Map<string, number>} */
  #answers = new Map();
  /** Tasks that were left: what was on its way may still come, for a moment. @type {Map<string, number>} */
  #left = new Map();
  /** @type {Map<string, {epoch: string, next: number}>} */
  #lines = new Map();
  /** Tasks that have ended, as the server says when it is asked, though we were not told: since when. @type {Map<string, number>} */
  #owed = new Map();
  /** @type {Violation[]} */
  violations = [];
  /** How much each rule has been tried on. @type {Record<string, number>} */
  judged = Object.fromEntries(RULES.map((rule) => [rule, 0]));

  /** @param {string} taskId @param {number} [logFrom] */
  join(taskId, logFrom) {
    this.#joined.add(taskId);
    this.#left.delete(taskId);
    this.#answers.set(taskId, (this.#answers.get(taskId) ?? 0) + 1);
    if (logFrom !== undefined) this.#lines.set(taskId, { epoch: '', next: logFrom });
  }

  /** @param {string} taskId @param {number} nowMs */
  leave(taskId, nowMs) {
    if (this.#joined.delete(taskId)) this.#left.set(taskId, nowMs);
  }

  /** The connection is gone, and with it every join. */
  disconnect() {
    this.#joined.clear();
    this.#answers.clear();
    this.#left.clear();
    this.#owed.clear();
  }

  /** The line is not what it should be: what does not come now is no fault. */
  excuse() {
    this.#owed.clear();
  }

  /** The tasks whose end is still to come. */
  unended() {
    return [...this.#joined].filter((id) => !FINAL.includes(this.#tasks.get(id)?.state));
  }

  /** What the server says of a task when it is asked. @param {any} task @param {number} nowMs */
  truth(task, nowMs) {
    const id = task.task_id;
    if (!FINAL.includes(task.state) || !this.unended().includes(id)) {
      this.#owed.delete(id);
      return;
    }
    const since = this.#owed.get(id) ?? nowMs;
    this.#owed.set(id, since);
    if (nowMs - since <= END_MS) return;
    this.#owed.set(id, Infinity); // told once
    this.#count('end');
    this.#broken('end', id, `${this.#tasks.get(id)?.state ?? '—'}, not ${task.state}`);
  }

  /** @param {any} task @param {number} nowMs */
  progress(task, nowMs) {
    const id = task.task_id;
    if (!this.#belongs(id, nowMs)) this.#broken('joined', id, `${task.status} ${task.progress}`);
    const last = this.#tasks.get(id);
    this.#tasks.set(id, task);
    if (FINAL.includes(task.state)) this.#count('end');
    if (!last || last.epoch !== task.epoch) return;
    this.#count('rev');
    if (task.rev < last.rev || (task.rev === last.rev && !this.#answersJoin(id))) this.#broken('rev', id, `${last.rev} → ${task.rev}`);
    if (task.attempt !== last.attempt) {
      if (task.attempt < last.attempt) this.#broken('final', id, `attempt ${last.attempt} → ${task.attempt}`);
      return;
    }
    this.#count('progress');
    if (last.progress !== null && (task.progress === null || task.progress < last.progress)) {
      this.#broken('progress', id, `${last.progress} → ${task.progress}`);
    }
    this.#count('final');
    if (FINAL.includes(last.state) && task.rev > last.rev && task.state !== last.state) this.#broken('final', id, `${last.state} → ${task.state}`);
  }

  /** @param {any} payload @param {number} nowMs */
  log(payload, nowMs) {
    const id = payload.task_id;
    if (!this.#belongs(id, nowMs)) this.#broken('joined', id, 'log');
    const known = this.#lines.get(id);
    let next = known && (known.epoch === payload.epoch || known.epoch === '') ? known.next : 1;
    if (payload.truncated_before !== undefined && payload.truncated_before > next) next = payload.truncated_before;
    for (const line of payload.lines ?? []) {
      this.#count('log');
      if (line.n > next) this.#broken('log', id, `${next - 1} → ${line.n}`);
      next = Math.max(next, line.n + 1);
    }
    this.#lines.set(id, { epoch: payload.epoch, next });
  }

  /** @param {string} taskId */
  #answersJoin(taskId) {
    const left = this.#answers.get(taskId) ?? 0;
    this.#answers.set(taskId, Math.max(0, left - 1));
    return left > 0;
  }

  /** @param {string} taskId @param {number} nowMs */
  #belongs(taskId, nowMs) {
    this.#count('joined');
    if (this.#joined.has(taskId)) return true;
    return nowMs - (this.#left.get(taskId) ?? -Infinity) < 3000;
  }

  /** @param {string} rule */
  #count(rule) {
    this.judged[rule] = (this.judged[rule] ?? 0) + 1;
  }

  /** @param {string} rule @param {string} task @param {string} text */
  #broken(rule, task, text) {
    this.violations.push({ rule, task, text });
  }
}

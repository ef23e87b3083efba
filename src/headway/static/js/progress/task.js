// @ts-check
/** From a task, the time and the connection: what is to be shown. Pure. */

/** @import { Freshness, Status, Task } from './types.js' */
/** @import { Facts, Look, Note, Shown } from './internal.js' */

/** Work that said nothing for longer is shown as such, and nothing moves. */
export const QUIET_S = 10;
/** How long a worker must have been out of touch before the server calls it silent. */
const LEASE_S = 15;
/** A cancel that takes longer is explained. */
const PATIENCE_S = 2;

const STATES = /^(pending|running|cancelling|completed|failed|cancelled)$/;

/** @param {Task | null | undefined} task */
export const isFinal = (task) => !!task && /^(completed|failed|cancelled)$/.test(task.state);

/**
 * The task to show after `next` has come in: `next`, or `shown` itself where `next` is not news. In one epoch revs
 * rise, attempts don't go back, and in one attempt a final state stays and progress doesn't fall. Another epoch starts
 * anew.
 * @param {Task | null} shown @param {Task} next
 * @returns {Task}
 */
export function accept(shown, next) {
  if (!shown || shown.epoch !== next.epoch || shown.task_id !== next.task_id) return next;
  if (!(next.rev > shown.rev) || next.attempt < shown.attempt) return shown;
  if (next.attempt > shown.attempt) return next;
  if (isFinal(shown)) return shown;
  const fell = shown.progress != null && !(Number(next.progress ?? -1) >= shown.progress);
  return fell ? { ...next, progress: shown.progress } : next;
}

/**
 * A task as it is before the server has said anything, or where there is no server.
 * @param {Partial<Task>} known
 * @returns {Task}
 */
export function blank(known) {
  const start = {
    task_id: '',
    state: 'pending',
    status: 'pending',
    progress: 0,
    message: '',
    details: {},
    epoch: '',
    rev: 0,
    attempt: 1,
  };
  return /** @type {Task} */ ({ ...start, ...known });
}

/**
 * What came over the wire with nothing missing. What a page hands over by itself, without a rev, counts as news.
 * @param {Partial<Task>} data @param {Task | null} shown
 * @returns {Task}
 */
export function whole(data, shown) {
  const named = typeof data.status === 'string' && STATES.test(data.status) ? data.status : 'running';
  const unnumbered = data.rev === undefined && { rev: (shown?.rev ?? 0) + 1, epoch: shown?.epoch ?? '' };
  return blank({
    task_id: shown?.task_id,
    ...data,
    ...unnumbered,
    state: data.state ?? /** @type {Task['state']} */ (named),
  });
}

/**
 * Three signals, told apart: the connection, the worker, the work.
 * @param {Facts} facts
 * @returns {Freshness}
 */
export function freshness({ task, status, local, now }) {
  const age_s = task?.updated_at != null && now != null ? Math.max(0, now - task.updated_at) : null;
  const connected = local || status.phase === 'live';
  const busy = task?.state === 'running' || task?.state === 'cancelling';
  return { connected, worker: task?.worker ?? null, advancing: busy && (local || (age_s ?? 0) < QUIET_S), age_s };
}

/**
 * Seconds since the worker was last heard of, never more than is sure: it was silent for a lease when the server
 * noticed, which is the last stored change (revs are the store's milliseconds), and its last report was a sign of life
 * too.
 * @param {Task} task @param {number} now
 */
function silence(task, now) {
  const sinceNoticed = now - task.rev / 1000;
  const sinceReport = now - (task.updated_at ?? task.created_at ?? now);
  return Math.max(0, Math.min(sinceReport, sinceNoticed + LEASE_S));
}

/**
 * @param {Facts} facts
 * @returns {Shown}
 */
export function derive(facts) {
  const { task, asked, local, status } = facts;
  const signals = freshness(facts);
  const look = lookOf(facts);
  const ended = isFinal(task) && asked !== 'retry';
  const busy = look === 'running' || look === 'cancelling';
  const silent = busy && signals.worker === 'silent';
  const quiet = busy && !local && !silent && !signals.advancing;
  const apart = !local && !ended && facts.hasTaskId && !signals.connected;
  const gone = status.phase === 'failed' || status.phase === 'off';
  // An id that nobody knows: there is nothing to show but that.
  const unknown = facts.problem?.code === 'task_not_found' && !task?.rev;
  const percent = unknown ? null : percentOf(task?.progress, task?.state);
  return {
    look,
    signals,
    trouble: unknown
      ? 'unknown'
      : apart
        ? gone
          ? 'lost'
          : 'reconnecting'
        : silent
          ? 'silent'
          : quiet
            ? 'quiet'
            : null,
    percent,
    fraction: percent == null ? 0 : task?.state === 'completed' ? 1 : clamp(Number(task?.progress) / 100, 0, 1),
    moving: busy && !apart && !silent && !quiet && !facts.problem,
    doing: unknown ? { name: 'unknown' } : doingOf(task, look),
    notes: notesOf(facts, look, { apart, silent, quiet }),
    buttons: {
      cancel: (facts.hasTaskId || local) && !unknown && (look === 'waiting' || busy),
      cancelling: look === 'cancelling',
      retry: !local && !asked && (look === 'failed' || look === 'cancelled'),
      reconnect: !local && gone && !ended,
    },
  };
}

/** @param {Facts} facts @returns {Look} */
function lookOf({ task, asked, hasTaskId }) {
  if (!task) return hasTaskId ? 'waiting' : 'idle';
  if (asked === 'cancel' && !isFinal(task)) return 'cancelling';
  if (asked === 'retry' || task.state === 'pending') return 'waiting';
  return STATES.test(task.state) ? task.state : 'running';
}

/**
 * Whole percents, rounded down, and 100 for completed work only; null while no number is known.
 * @param {number | null | undefined} progress @param {string} [state]
 */
export function percentOf(progress, state) {
  if (state === 'completed') return 100;
  if (typeof progress !== 'number' || !Number.isFinite(progress)) return progress === undefined ? 0 : null;
  // 29 of 100 is 28.999999999999996 where it was divided first.
  return Math.floor(clamp(progress, 0, 99) + 1e-9);
}

/** @param {Task | null} task @param {Look} look @returns {Shown['doing']} */
function doingOf(task, look) {
  if (look === 'running' && task && task.status !== 'running') {
    const stage = task.stages?.find?.((one) => one?.name === task.status);
    return stage?.label ? { label: String(stage.label) } : { name: String(task.status) };
  }
  return { name: look === 'idle' ? 'ready' : look === 'waiting' ? 'pending' : look };
}

/**
 * @param {Facts} facts @param {Look} look @param {{ apart: boolean, silent: boolean, quiet: boolean }} signs
 * @returns {Note[]}
 */
function notesOf({ task, status, local, now, problem, hasTaskId }, look, { apart, silent, quiet }) {
  /** @type {Note[]} */
  const notes = [];
  if (problem) notes.push({ key: 'problem', code: problem.code, text: problem.message });
  if (apart || (status.phase === 'failed' && !local && !isFinal(task))) notes.push(connectionNote(status));
  if (!task || now == null) return notes.length || local || !hasTaskId ? notes : [connectionNote(status)];
  if (!task.rev && problem) return notes;
  const since = (/** @type {number | null | undefined} */ time) => (time == null ? null : Math.max(0, now - time));
  if (isFinal(task) && look === task.state) {
    const took = (task.finished_at ?? NaN) - (task.started_at ?? task.created_at ?? NaN);
    return took >= 0 ? [...notes, { key: `took${task.state}`, seconds: took }] : notes;
  }
  const age = since(task.updated_at) ?? 0;
  if (quiet || (apart && age >= QUIET_S)) notes.push({ key: 'lastUpdate', seconds: age });
  // What goes on there is not known from here.
  if (apart) return notes;
  const asked = since(task.cancel_requested_at) ?? 0;
  const waited = since(task.created_at) ?? 0;
  if (look === 'cancelling' && asked >= PATIENCE_S) notes.push({ key: 'asked', seconds: asked });
  if (silent) notes.push({ key: 'silent', seconds: silence(task, now) });
  if (look === 'waiting' && waited >= PATIENCE_S) notes.push({ key: 'waitingFor', seconds: waited });
  return notes.length || local ? notes : [connectionNote(status)];
}

/** @param {Status} status @returns {Note} */
function connectionNote({ phase, attempt, max }) {
  if (phase === 'failed') return { key: 'gaveUp', values: { max } };
  if (phase === 'live' || phase === 'off') return { key: phase };
  return attempt ? { key: 'reconnecting', values: { n: attempt, max } } : { key: 'connecting' };
}

/**
 * What to read out when `now` follows `before`: changes of state and the quarters, nothing in between.
 * @param {Shown | null} before @param {Shown} now
 */
export function isMilestone(before, now) {
  if (!before || before.look !== now.look) return now.look !== 'idle';
  if ((before.trouble === 'lost') !== (now.trouble === 'lost')) return true;
  const quarter = (/** @type {Shown} */ shown) => (shown.percent == null ? -1 : Math.floor(shown.percent / 25));
  return quarter(now) > quarter(before);
}

const clamp = (/** @type {number} */ n, /** @type {number} */ low, /** @type {number} */ high) =>
  Math.min(high, Math.max(low, n));

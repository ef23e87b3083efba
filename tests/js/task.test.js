import assert from 'node:assert/strict';
import { readdirSync } from 'node:fs';
import { test } from 'node:test';
import {
  accept,
  blank,
  derive,
  freshness,
  isMilestone,
  percentOf,
  whole,
} from '../../src/headway/static/js/progress/task.js';
import { shownStages } from '../../src/headway/static/js/progress/stages.js';
import { facts, golden } from './golden.js';

const running = golden('progress-running');
const at = (more) => ({ ...running, ...more });

test('the first state is taken as it is', () => {
  assert.equal(accept(null, running), running);
});

test('what is not newer in the same epoch is dropped', () => {
  assert.equal(accept(running, at({ progress: 90 })), running);
  assert.equal(accept(running, at({ rev: running.rev - 1, progress: 90 })), running);
});

test('a newer state is taken', () => {
  assert.equal(accept(running, at({ rev: running.rev + 1, progress: 50 })).progress, 50);
});

test('progress does not fall within an attempt, and stays a number', () => {
  assert.equal(accept(running, at({ rev: running.rev + 1, progress: 10 })).progress, running.progress);
  assert.equal(accept(running, at({ rev: running.rev + 1, progress: null })).progress, running.progress);
});

test('a higher attempt may lower progress', () => {
  assert.equal(accept(running, golden('progress-retried')).progress, 0);
});

test('an earlier attempt does not come back', () => {
  const second = at({ attempt: 2, rev: running.rev + 1 });
  assert.equal(accept(second, at({ rev: running.rev + 2 })), second);
});

test('another epoch starts anew, however low its rev', () => {
  const other = at({ epoch: 'other0001', rev: 1, progress: 1 });
  assert.equal(accept(running, other), other);
});

test('nothing follows a final state within its attempt', () => {
  const done = golden('progress-completed');
  assert.equal(accept(done, at({ rev: done.rev + 1 })), done);
  assert.equal(accept(done, at({ rev: done.rev + 1, attempt: 2, progress: 0 })).progress, 0);
});

test('percents are rounded down, and are 100 for completed work only', () => {
  assert.equal(percentOf(42.99, 'running'), 42);
  assert.equal(percentOf(99.99, 'running'), 99);
  assert.equal(percentOf(100, 'running'), 99);
  assert.equal(percentOf(120, 'failed'), 99);
  assert.equal(percentOf(-3, 'running'), 0);
  assert.equal(percentOf(100, 'completed'), 100);
  assert.equal(percentOf(null, 'running'), null);
  assert.equal(percentOf(NaN, 'running'), null);
});

test('each golden state has a look of its own', () => {
  const looks = Object.fromEntries(
    readdirSync(new URL('../wire/', import.meta.url))
      .filter((name) => name.startsWith('progress-'))
      .map((name) => name.slice(9, -5))
      .map((name) => [name, derive(facts(golden(`progress-${name}`)))])
      .map(([name, shown]) => [
        name,
        `${shown.look}${shown.trouble ? ` ${shown.trouble}` : ''}${shown.moving ? ' moving' : ''}`,
      ]),
  );
  assert.deepEqual(looks, {
    cancelled: 'cancelled',
    cancelling: 'cancelling quiet',
    completed: 'completed',
    failed: 'failed',
    indeterminate: 'running moving',
    pending: 'waiting',
    retried: 'waiting',
    running: 'running moving',
    silent: 'running silent',
    nested: 'running moving',
    stages: 'running moving',
  });
});

test('the label of the active stage is what is being done', () => {
  const task = { ...golden('progress-stages'), status: 'read' };
  assert.deepEqual(derive(facts(task)).doing, { label: 'Read the file' });
  assert.deepEqual(derive(facts({ ...task, status: 'generating_content' })).doing, { name: 'generating_content' });
  assert.deepEqual(derive(facts(running)).doing, { name: 'running' });
});

test('work that is quiet for ten seconds is said to be, and nothing moves', () => {
  const shown = derive(facts(running, { now: running.updated_at + 12 }));
  assert.equal(shown.trouble, 'quiet');
  assert.equal(shown.moving, false);
  assert.deepEqual(shown.notes, [{ key: 'lastUpdate', seconds: 12 }]);
});

test('a silent worker is said to be, for no longer than is sure', () => {
  const silent = golden('progress-silent');
  const [note] = derive(facts(silent)).notes;
  assert.equal(note.key, 'silent');
  // Noticed 24 s ago, after 15 s without a sign; the last report is 40 s old.
  assert.equal(Math.round(note.seconds), 39);
});

test('without a connection nothing moves, and the try is counted', () => {
  const status = { phase: 'waiting', attempt: 2, max: 5, transport: null, reason: 'transport close' };
  const shown = derive(facts(running, { status, now: running.updated_at + 30 }));
  assert.equal(shown.trouble, 'reconnecting');
  assert.equal(shown.moving, false);
  assert.deepEqual(shown.notes, [
    { key: 'reconnecting', values: { n: 2, max: 5 } },
    { key: 'lastUpdate', seconds: 30 },
  ]);
  assert.equal(shown.buttons.reconnect, false);
});

test('who has given up offers to reconnect', () => {
  const status = { phase: 'failed', attempt: 5, max: 5, transport: null, reason: null };
  const shown = derive(facts(running, { status }));
  assert.equal(shown.trouble, 'lost');
  assert.equal(shown.buttons.reconnect, true);
});

test('a final state stays what it is when the connection goes', () => {
  const status = { phase: 'failed', attempt: 5, max: 5, transport: null, reason: null };
  const done = golden('progress-completed');
  const shown = derive(facts(done, { status }));
  assert.equal(shown.trouble, null);
  assert.deepEqual(shown.notes, [{ key: 'tookcompleted', seconds: done.finished_at - done.started_at }]);
});

test('connection, worker and work are three signals', () => {
  assert.deepEqual(freshness(facts(running, { now: running.updated_at + 3 })), {
    connected: true,
    worker: 'alive',
    advancing: true,
    age_s: 3,
  });
  const late = freshness(facts(golden('progress-silent'), { status: { phase: 'waiting' } }));
  assert.equal(late.connected, false);
  assert.equal(late.worker, 'silent');
  assert.equal(late.advancing, false);
});

test('a cancel is shown from the press of the button on, and explained when it takes long', () => {
  const pressed = derive(facts(running, { asked: 'cancel' }));
  assert.equal(pressed.look, 'cancelling');
  assert.equal(pressed.buttons.cancelling, true);
  const task = at({ state: 'cancelling', status: 'cancelling', cancel_requested_at: running.server_time - 12 });
  assert.deepEqual(derive(facts(task)).notes, [{ key: 'asked', seconds: 12 }]);
});

test('a waiting task says for how long', () => {
  const task = golden('progress-pending');
  assert.deepEqual(derive(facts(task, { now: task.created_at + 42 })).notes, [{ key: 'waitingFor', seconds: 42 }]);
});

test('an unknown id shows no progress and no cancel', () => {
  const shown = derive(facts(blank({ task_id: 'x' }), { problem: golden('error'), now: null }));
  assert.equal(shown.trouble, 'unknown');
  assert.equal(shown.percent, null);
  assert.equal(shown.buttons.cancel, false);
});

test('buttons fit the state', () => {
  const on = (name) =>
    Object.entries(derive(facts(golden(`progress-${name}`))).buttons)
      .filter(([, yes]) => yes)
      .map(([button]) => button)
      .join(' ');
  assert.equal(on('pending'), 'cancel');
  assert.equal(on('running'), 'cancel');
  assert.equal(on('cancelling'), 'cancel cancelling');
  assert.equal(on('failed'), 'retry');
  assert.equal(on('cancelled'), 'retry');
  assert.equal(on('completed'), '');
});

test('milestones are quarters and changes of state', () => {
  const shown = (progress, state = 'running') => derive(facts(at({ progress, state })));
  assert.equal(isMilestone(null, shown(1)), true);
  assert.equal(isMilestone(shown(1), shown(24.9)), false);
  assert.equal(isMilestone(shown(24.9), shown(25)), true);
  assert.equal(isMilestone(shown(30), shown(49)), false);
  assert.equal(isMilestone(shown(49), shown(80)), true);
  assert.equal(isMilestone(shown(80), shown(80, 'cancelling')), true);
  assert.equal(isMilestone(null, derive(facts(null, { hasTaskId: false }))), false);
});

test('stages show what they say, and end with their task', () => {
  const marks = (task) => shownStages(task).map((stage) => stage.mark);
  const task = golden('progress-stages');
  assert.deepEqual(marks(task), ['completed', 'running', 'waiting']);
  // What has not begun by the end never will.
  assert.deepEqual(marks({ ...task, state: 'failed' }), ['completed', 'failed', 'skipped']);
  assert.deepEqual(marks({ ...task, stages: [{ name: 'a', state: 'skipped' }] }), ['skipped']);
  assert.deepEqual(marks({ ...task, stages: 'nonsense' }), []);
});

test('a stage that names its parent stands below it, wherever it is in the list', () => {
  const tree = (stages) => stages.map(({ name, mark, parts }) => [name, mark, ...tree(parts)]);
  const task = golden('progress-nested');
  const pictures = [['card_1', 'completed'], ['card_2', 'running', ['render', 'running']]];
  assert.deepEqual(tree(shownStages(task)), [
    ['text', 'completed'],
    ['pictures', 'running', ...pictures],
    ['layout', 'waiting'],
  ]);
  assert.deepEqual(tree(shownStages({ ...task, stages: [...task.stages].reverse() })).at(1).slice(2), pictures.reverse());
});

test('a part that nobody began is passed over once its parent is completed', () => {
  const stages = [
    { name: 'a', state: 'completed', progress: 100 },
    { name: 'b', state: 'pending', progress: 0, parent: 'a' },
    { name: 'c', state: 'pending', progress: 0, parent: 'b' },
  ];
  const [{ parts }] = shownStages({ ...golden('progress-nested'), stages });
  assert.deepEqual([parts[0].mark, parts[0].parts[0].mark], ['skipped', 'skipped']);
});

test('no stage is lost to a parent that is not there, or that is a part of it', () => {
  const names = (list) => list.flatMap(({ name, parts }) => [name, ...names(parts)]).sort();
  const stages = [
    { name: 'a', parent: 'b' },
    { name: 'b', parent: 'a' },
    { name: 'c', parent: 'c' },
    { name: 'd', parent: 'nowhere' },
    { name: 'e', parent: null },
  ];
  assert.deepEqual(names(shownStages({ stages })), ['a', 'b', 'c', 'd', 'e']);
});

test('a state of which no more is known than its status is completed', () => {
  const task = whole({ status: 'completed', progress: 100 }, null);
  assert.equal(task.state, 'completed');
  assert.equal(whole({ progress: 5, status: 'generating_image' }, null).state, 'running');
  assert.ok(whole({ progress: 6 }, running).rev > running.rev);
});

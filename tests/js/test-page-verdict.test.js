// The test page's verdict: clean histories pass, and each planted fault is found under its own rule.
import assert from 'node:assert/strict';
import { test } from 'node:test';

import { Verdict } from '../../src/headway/static/js/test-page/verdict.js';

const EPOCH = 'abcdefgh';

function task(rev, progress, more = {}) {
  return { task_id: 'a', epoch: EPOCH, rev, progress, state: 'running', status: 'running', attempt: 1, ...more };
}

function lines(...numbers) {
  return { task_id: 'a', epoch: EPOCH, lines: numbers.map((n) => ({ n, t: 0, level: 'info', text: '' })) };
}

function joined(...logFrom) {
  const verdict = new Verdict();
  verdict.join('a', ...logFrom);
  return verdict;
}

const broken = (verdict) => verdict.violations.map(({ rule }) => rule);

test('an orderly history breaks nothing, and every rule was tried on it', () => {
  const verdict = joined(1);
  for (const [rev, progress] of [[1, 0], [2, 10], [5, 10], [9, 70]]) verdict.progress(task(rev, progress), 0);
  verdict.log(lines(1, 2, 3), 0);
  verdict.log(lines(3, 4), 0);
  verdict.progress(task(10, 70, { state: 'failed' }), 0);
  verdict.progress(task(11, 0, { state: 'pending', attempt: 2 }), 0);

  assert.deepEqual(broken(verdict), []);
  for (const count of Object.values(verdict.judged)) assert.ok(count > 0);
});

test('the state that answers a join may repeat the last one, once for each join', () => {
  const verdict = joined();
  verdict.join('a');
  for (let n = 0; n < 3; n++) verdict.progress(task(4, 10), 0);
  assert.deepEqual(broken(verdict), []);

  verdict.progress(task(4, 10), 0);

  assert.deepEqual(broken(verdict), ['rev']);
});

for (const [name, rule, act] of [
  ['a rev that falls', 'rev', (v) => v.progress(task(3, 50), 0)],
  ['progress that falls', 'progress', (v) => v.progress(task(9, 49), 0)],
  ['progress that is unknown again', 'progress', (v) => v.progress(task(9, null), 0)],
  ['an attempt that is over and comes back', 'final', (v) => v.progress(task(9, 50, { attempt: 0 }), 0)],
  ['life after the end', 'final', (v) => { v.progress(task(9, 100, { state: 'completed' }), 0); v.progress(task(10, 100), 0); }],
  ["another's task", 'joined', (v) => v.progress(task(9, 50, { task_id: 'b' }), 0)],
  ["another's log", 'joined', (v) => v.log({ ...lines(1), task_id: 'b' }, 0)],
  ['a task that was left long ago', 'joined', (v) => { v.leave('a', 0); v.progress(task(9, 60), 60_000); }],
  ['a log line that is missing', 'log', (v) => { v.log(lines(1), 0); v.log(lines(3), 0); }],
]) {
  test(`${name} is found`, () => {
    const verdict = joined(1);
    verdict.progress(task(5, 50), 0);
    act(verdict);
    assert.deepEqual(broken(verdict), [rule]);
  });
}

test('what was on its way when a task was left is no fault', () => {
  const verdict = joined();
  verdict.progress(task(5, 50), 0);
  verdict.leave('a', 0);

  verdict.progress(task(6, 60), 100);

  assert.deepEqual(broken(verdict), []);
});

test('lines that are announced as gone are not missing', () => {
  const verdict = joined(1);
  verdict.log({ ...lines(101, 102), truncated_before: 101 }, 0);

  assert.deepEqual(broken(verdict), []);
});

test('another epoch is another history', () => {
  const verdict = joined();
  verdict.progress(task(900, 90), 0);
  verdict.progress(task(5, 10, { epoch: 'zyxwvuts' }), 0);

  assert.deepEqual(broken(verdict), []);
});

test('an end that is asked for and never came is found, once, after a while', () => {
  const verdict = joined();
  verdict.progress(task(5, 50), 0);
  assert.deepEqual(verdict.unended(), ['a']);
  const ended = task(9, 100, { state: 'completed' });

  verdict.truth(ended, 1000);
  verdict.truth(ended, 4000);
  assert.deepEqual(broken(verdict), []);
  verdict.truth(ended, 7000);
  verdict.truth(ended, 9000);

  assert.deepEqual(broken(verdict), ['end']);
});

test('an end that was late, or cut off, is no fault', () => {
  const verdict = joined();
  const ended = task(9, 100, { state: 'completed' });
  verdict.progress(task(5, 50), 0);
  verdict.truth(ended, 0);
  verdict.excuse();
  verdict.truth(ended, 6000);
  verdict.progress(ended, 6500);
  verdict.truth(ended, 20_000);

  assert.deepEqual(verdict.unended(), []);
  assert.deepEqual(broken(verdict), []);
});

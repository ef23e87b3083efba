// @ts-check
// Several tabs in one task over one socket.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { Seats } from '../../src/headway/static/js/progress/seats.js';

Object.defineProperty(globalThis, 'navigator', { value: { locks: { request: async () => {} } }, configurable: true });

/** Who was told what, by tab; what the socket was asked; and the server's side of it. */
function table() {
  /** @type {[string, string, any][]} */
  const told = [];
  /** @type {any[]} */
  const asked = [];
  /** @type {any} */
  const socket = {
    rooms: new Map(),
    leave() {},
    async ask(/** @type {string} */ event, /** @type {string} */ taskId, /** @type {object} */ data) {
      asked.push(data);
      return { ok: true };
    },
  };
  const hear = (/** @type {string} */ tab) => (/** @type {string} */ event, /** @type {any} */ payload) =>
    told.push([tab, event, payload.lines.map((/** @type {{ n: number }} */ { n }) => n)]);
  const seats = new Seats(socket, {
    me: 'a',
    key: 'k',
    sink: /** @type {any} */ ({ log: (/** @type {any} */ payload) => hear('a')('log', payload) }),
    tell: (tabs, event, args) => tabs?.filter((tab) => tab !== 'a').forEach((tab) => hear(tab)(event, args[0])),
  });
  const says = (/** @type {number[]} */ ...lines) =>
    socket.sink.log({ task_id: 't', epoch: 'e', lines: lines.map((n) => ({ n, t: 0, level: 'info', text: '' })) });
  return { seats, asked, told, says };
}

test('a tab that has the log already does not move another past what it lacks', async () => {
  const { seats, asked, told, says } = table();
  await seats.join('a', 't', { log_from: 1 });
  says(1, 2);

  await seats.join('b', 't', { log_from: 5 });
  says(3, 4);
  says(5, 6);

  assert.deepEqual(
    asked.map(({ log_from }) => log_from),
    [1, 3],
  );
  assert.deepEqual(told, [
    ['a', 'log', [1, 2]],
    ['a', 'log', [3, 4]],
    ['a', 'log', [5, 6]],
    ['b', 'log', [5, 6]],
  ]);
});

test('lines that are read again for one tab are not told to another a second time', async () => {
  const { seats, told, says } = table();
  await seats.join('a', 't', { log_from: 1 });
  says(1, 2, 3);

  await seats.join('b', 't', { log_from: 2 });
  says(2, 3, 4);

  assert.deepEqual(told.slice(1), [
    ['a', 'log', [4]],
    ['b', 'log', [2, 3, 4]],
  ]);
});

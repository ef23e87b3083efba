import assert from 'node:assert/strict';
import { createServer } from 'node:http';
import { after, before, beforeEach, test } from 'node:test';
import { events, askByHttp, HttpTransport } from '../../src/headway/static/js/progress/http.js';
import { golden } from './golden.js';

const encoder = new TextEncoder();
const stream = (...pieces) =>
  new ReadableStream({
    start: (c) => (pieces.forEach((p) => c.enqueue(typeof p === 'string' ? encoder.encode(p) : p)), c.close()),
  });
const all = async (body) => {
  const found = [];
  for await (const event of events(body)) found.push(event);
  return found;
};

test('an event stream is read however it is cut', async () => {
  const text =
    ': hello\r\n\r\nid: e:1:0\r\nevent: progress\r\ndata: {"a":\r\ndata: "正"}\r\n\r\nevent: log\ndata:{"b":1}\n\n';
  const bytes = encoder.encode(text);
  const whole = await all(stream(text));
  assert.deepEqual(whole, [
    { event: 'progress', data: { a: '正' } },
    { event: 'log', data: { b: 1 } },
  ]);
  for (let cut = 1; cut < bytes.length; cut++) {
    assert.deepEqual(await all(stream(bytes.slice(0, cut), bytes.slice(cut))), whole, `cut at ${cut}`);
  }
});

test('an event that is not finished does not count', async () => {
  assert.deepEqual(await all(stream('data: {"a":1}\n\ndata: {"a":2}\n')), [{ event: 'message', data: { a: 1 } }]);
});

/** @type {import('node:http').Server} */
let server;
let base = '';
/** @type {(request: import('node:http').IncomingMessage, response: import('node:http').ServerResponse) => void} */
let answer;
let asked = [];

before(async () => {
  server = createServer((request, response) => {
    asked.push(request);
    answer(request, response);
  });
  await new Promise((resolve) => server.listen(0, '127.0.0.1', resolve));
  base = `http://127.0.0.1:${server.address().port}/api`;
});
beforeEach(() => (asked = []));
after(() => {
  server.closeAllConnections();
  server.close();
});

const json = (response, status, body, headers = {}) => {
  response.writeHead(status, { 'Content-Type': 'application/json', ...headers });
  response.end(JSON.stringify(body));
};

/** A sink that notes what it is told, and a promise of the first time that something is. */
function listener() {
  const told = [];
  const waiting = [];
  const note =
    (name) =>
    (...args) => {
      told.push([name, ...args]);
      for (const [wanted, resolve] of waiting) if (wanted === name) resolve(args);
    };
  const sink = Object.fromEntries(
    ['up', 'down', 'absent', 'rejoin', 'serverTime', 'state', 'log', 'actions', 'error', 'pong'].map((name) => [
      name,
      note(name),
    ]),
  );
  const first = (name) => new Promise((resolve) => waiting.push([name, resolve]));
  return { told, first, sink: { ...sink, token: async () => 'secret' } };
}

const open = (sink) => new HttpTransport({ url: '', path: '', api: base }, sink);

test('a stream gives states, says what may be done, and ends with the task', async () => {
  answer = (request, response) => {
    response.writeHead(200, { 'Content-Type': 'text/event-stream', 'Headway-Actions': 'cancel, retry' });
    for (const name of ['running', 'completed'])
      response.write(`event: progress\ndata: ${JSON.stringify(golden(`progress-${name}`))}\n\n`);
    response.end();
  };
  const { sink, told, first } = listener();
  const transport = open(sink);
  const last = first('state');
  transport.join('a b', { token: 'secret', log_from: 3 });
  await last;
  await new Promise((resolve) => setImmediate(resolve));
  assert.equal(asked[0].url, '/api/tasks/a%20b/events?log_from=3');
  assert.equal(asked[0].headers.authorization, 'Bearer secret');
  assert.deepEqual(
    told.map(([name]) => name),
    ['actions', 'up', 'state', 'state'],
  );
  assert.equal(transport.name, 'sse');
  transport.close();
});

test('where streams fail it asks for the task instead', async () => {
  answer = (request, response) => {
    if (request.url.endsWith('/events')) return response.writeHead(404, { 'Content-Type': 'text/html' }).end('nothing');
    json(response, 200, golden('progress-completed'));
  };
  const { sink, first } = listener();
  const transport = open(sink);
  const state = first('state');
  transport.join('a', {});
  assert.equal((await state)[0].state, 'completed');
  assert.equal(transport.name, 'http');
  transport.close();
});

test('an unknown task is an error of the task, not of the connection', async () => {
  answer = (request, response) => json(response, 404, { error: golden('error') });
  const { sink, told, first } = listener();
  const error = first('error');
  open(sink).join('a', {});
  assert.equal((await error)[0].code, 'task_not_found');
  assert.equal(
    told.some(([name]) => name === 'down'),
    false,
  );
});

test('a web server without Headway is told from one that cannot be reached', async () => {
  answer = (request, response) => response.writeHead(404, { 'Content-Type': 'text/html' }).end('nothing');
  const without = listener();
  const absent = without.first('absent');
  open(without.sink).join('a', {});
  await absent;

  const broken = listener();
  const down = broken.first('down');
  answer = (request) => request.socket.destroy();
  open(broken.sink).join('a', {});
  await down;
});

test('cancel and retry go by POST, with the token in a header', async () => {
  answer = (request, response) =>
    request.url.endsWith('/cancel')
      ? json(response, 202, golden('progress-cancelling'))
      : json(response, 409, { error: { code: 'not_retryable', message: 'no' } });
  const { sink, told } = listener();
  assert.deepEqual(await askByHttp(base, 'cancel_task', 'a', 'secret', { reason: 'x' }, sink), { ok: true });
  assert.equal(told[0][1].state, 'cancelling');
  assert.equal(asked[0].method, 'POST');
  assert.equal(asked[0].headers.authorization, 'Bearer secret');
  assert.equal((await askByHttp(base, 'retry_task', 'a', undefined, {}, sink)).error?.code, 'not_retryable');
});

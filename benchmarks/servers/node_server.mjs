// Node's socket.io: one emit to a room an update. Driven like the others, by JSON lines on standard input.
import { createServer } from 'node:http';
import { createInterface } from 'node:readline';
import { Server } from 'socket.io';

const http = createServer();
const io = new Server(http, { cors: { origin: '*' }, transports: ['websocket'] });
const space = io.of('/progress');

function payload(taskId, ts) {
  const now = Date.now() / 1000;
  return {
    task_id: taskId, name: null, state: 'running', status: 'running', progress: 1, message: '', details: { ts },
    stages: null, eta_s: null, rate: null, epoch: '0123456789abcdef', rev: Math.floor(now * 1000), attempt: 1,
    worker: 'alive', cancel_requested_at: null, cancel_reason: null, created_at: now, started_at: now, updated_at: now,
    finished_at: null, server_time: now, result: null, result_url: null, error: null,
  };
}

space.on('connection', (socket) => {
  socket.on('join', (data, done) => {
    socket.join(data.task_id);
    socket.emit('progress', payload(data.task_id, 1));
    done({ ok: true });
  });
});

const answer = (value) => process.stdout.write(`${JSON.stringify(value)}\n`);

function run({ rate, tasks, s }) {
  const gap = 1 / (rate * tasks);
  const began = performance.now();
  let turn = 0;
  let sent = 0;
  const step = () => {
    const now = (performance.now() - began) / 1000;
    if (now >= s) return answer({ sent });
    const due = Math.floor(now / gap);
    turn = Math.max(turn, due - tasks);
    for (; turn <= due; turn += 1, sent += 1) {
      const id = `bench-task-${turn % tasks}`;
      space.to(id).emit('progress', payload(id, Number(process.hrtime.bigint())));
    }
    return gap < 0.002 ? setImmediate(step) : setTimeout(step, Math.max(0, (turn * gap - now) * 1000));
  };
  step();
}

const commands = {
  create: () => answer({}),
  stat: () => {
    const used = process.cpuUsage();
    answer({ rss_kib: Math.floor(process.memoryUsage.rss() / 1024), cpu_s: (used.user + used.system) / 1e6 });
  },
  run,
};

http.listen(0, '127.0.0.1', () => answer({ port: http.address().port }));
createInterface({ input: process.stdin })
  .on('line', (line) => {
    const request = JSON.parse(line);
    commands[request.cmd](request);
  })
  .on('close', () => process.exit(0));

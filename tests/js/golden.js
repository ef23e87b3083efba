// The golden payloads, which Python reads as well.
import { readFileSync } from 'node:fs';

/** @param {string} name */
export const golden = (name) => JSON.parse(readFileSync(new URL(`../wire/${name}.json`, import.meta.url), 'utf8'));

export const LIVE = { phase: 'live', attempt: 0, max: 5, transport: 'websocket', reason: null };

/** What a bar knows, with the server's clock at the payload's own time. */
export const facts = (task, more = {}) => ({
  task,
  status: LIVE,
  local: false,
  now: task?.server_time ?? null,
  asked: null,
  problem: null,
  hasTaskId: true,
  ...more,
});

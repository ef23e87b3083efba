import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { test } from 'node:test';
import { gzipSync } from 'node:zlib';

const built = new URL('../../src/headway/static/js/', import.meta.url);

test('the module can be loaded where there is no page, as a server that renders pages does', async () => {
  const { ProgressBar, watchTask } = await import(new URL('progress.mjs', built).href);
  assert.equal(typeof ProgressBar, 'function');
  assert.equal(typeof watchTask, 'function');
});

test('the classic script defines ProgressBar and nothing else', () => {
  const page = {};
  new Function('globalThis', readFileSync(new URL('progress.js', built), 'utf8'))(page);
  assert.deepEqual(Object.keys(page), ['ProgressBar']);
});

test('the script stays under twelve KiB', () => {
  assert.ok(gzipSync(readFileSync(new URL('progress.js', built)), { level: 9 }).length <= 12 * 1024);
});

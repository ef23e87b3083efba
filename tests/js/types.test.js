import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { test } from 'node:test';
import { fileURLToPath } from 'node:url';

const path = (name) => fileURLToPath(new URL(name, import.meta.url));

test('the shipped types fit the code, and refuse what is wrong', () => {
  const { status, stdout } = spawnSync(
    path('../../node_modules/.bin/tsc'),
    ['--project', path('types/tsconfig.json')],
    { encoding: 'utf8' },
  );
  assert.equal(status, 0, stdout);
});

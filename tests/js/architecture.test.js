import assert from 'node:assert/strict';
import { readdirSync, readFileSync } from 'node:fs';
import { test } from 'node:test';

const folder = new URL('../../src/headway/static/js/progress/', import.meta.url);
const files = readdirSync(folder).filter((name) => name.endsWith('.js'));
const source = Object.fromEntries(files.map((name) => [name, readFileSync(new URL(name, folder), 'utf8')]));
const imports = Object.fromEntries(
  files.map((name) => [
    name,
    [...source[name].matchAll(/^(?:import|export) .*from '\.\/(.+)';$/gm)].map(([, other]) => other),
  ]),
);

const PURE = ['task.js', 'stages.js', 'estimate.js', 'pace.js', 'words.js', 'words-more.js'];
const DRAWING = ['view.js', 'stages-view.js', 'details-view.js', 'log-view.js', 'page-signs.js', 'dom.js'];
const TALKING = ['connection.js', 'link.js', 'socket.js', 'http.js', 'api.js', 'tabs.js', 'seats.js'];

test('what derives knows neither page nor network', () => {
  for (const name of PURE) {
    assert.deepEqual(
      imports[name].filter((other) => !PURE.includes(other)),
      [],
      name,
    );
    assert.doesNotMatch(
      source[name].replaceAll(/\/\*.*?\*\/|\/\/.*$/gms, ''),
      /\b(document|window|fetch|setTimeout|Date\.now|performance)\b/,
      name,
    );
  }
});

test('what draws does not talk, and what talks does not draw', () => {
  for (const name of DRAWING)
    assert.deepEqual(
      imports[name].filter((other) => TALKING.includes(other)),
      [],
      name,
    );
  for (const name of TALKING)
    assert.deepEqual(
      imports[name].filter((other) => DRAWING.includes(other)),
      [],
      name,
    );
});

test('text goes in as text: nothing writes HTML', () => {
  for (const name of files)
    assert.doesNotMatch(
      source[name],
      /innerHTML|outerHTML|insertAdjacentHTML|document\.write|\beval\(|DOMParser/,
      name,
    );
});

test('no import goes in a circle', () => {
  const visit = (name, way = []) => {
    assert.ok(!way.includes(name), [...way, name].join(' → '));
    for (const other of imports[name]) visit(other, [...way, name]);
  };
  files.forEach((name) => visit(name));
});

test('all sources are type-checked', () => {
  for (const name of files) assert.match(source[name], /^\/\/ @ts-check\n/, name);
});

import assert from 'node:assert/strict';
import { test } from 'node:test';
import { amount, duration, number } from '../../src/headway/static/js/progress/estimate.js';
import { notePrediction, rate, timeLeft } from '../../src/headway/static/js/progress/pace.js';
import { readable, wordsFor } from '../../src/headway/static/js/progress/words.js';
import { moreWords } from '../../src/headway/static/js/progress/words-more.js';

const en = wordsFor('en');
const zh = wordsFor('zh-CN');
for (const say of [en, zh]) say.add(moreWords);
const seen = (...etas) => etas.reduce((list, eta, i) => notePrediction(list, eta, i * 2), []);

test('durations are short and exact', () => {
  assert.deepEqual(
    [0, 12.9, 60, 72, 3600, 7500, 86400, 360000].map((s) => duration(s, en)),
    ['0 s', '12 s', '1 min', '1 min 12 s', '1 h', '2 h 5 min', '1 d', '4 d 4 h'],
  );
  assert.equal(duration(72, zh), '1 分 12 秒');
});

test('time left is said as people say it', () => {
  const left = (eta) => timeLeft(seen(eta), 0, en);
  assert.deepEqual([2, 13, 48, 60, 80, 170, 3 * 3600, 3 * 86400].map(left), [
    'A few seconds left',
    'About 15 seconds left',
    'About 50 seconds left',
    'About a minute left',
    'About a minute left',
    'About 3 minutes left',
    'About 3 hours left',
    'About 3 days left',
  ]);
  assert.equal(timeLeft(seen(170), 0, zh), '大约还剩 3分钟');
});

test('time left counts down between two states', () => {
  assert.equal(timeLeft(seen(40), 20, en), 'About 20 seconds left');
});

test('a wavering prediction becomes a range', () => {
  assert.equal(timeLeft(seen(120, 250, 150), 4, en), 'About 2–4 minutes left');
});

test('where nothing is predicted nothing is said', () => {
  assert.equal(timeLeft(notePrediction(seen(10, 20), null, 5), 5, en), '');
});

test('amounts have units', () => {
  assert.equal(amount({ completed: 2135, total: 5000, unit: 'rows' }, en), '2,135 of 5,000 rows');
  assert.equal(amount({ completed: 3 }, en), '3');
  assert.equal(amount({ completed: 1_500_000, total: 4_000_000, unit: 'bytes' }, en), '1.5 MB of 4 MB');
  assert.equal(amount({ total: 5 }, en), '');
  assert.equal(amount({ completed: NaN, total: 'x' }, en), '');
});

test('rates are told so that the number says something', () => {
  assert.equal(rate(42.7, 'rows', en), '43 rows/s');
  assert.equal(rate(3.24, null, en), '3.2/s');
  assert.equal(rate(0.2, 'cards', en), '12 cards/min');
  assert.equal(rate(0.01, 'cards', en), '36 cards/h');
  assert.equal(rate(null, 'cards', en), '');
  assert.equal(rate(0, 'cards', en), '');
});

test('both languages have all words, with the same places to fill in', () => {
  const places = (text) => [...text.matchAll(/\{\w+\}/g)].map(String).sort();
  for (const key of ['ready', 'reconnecting', 'gaveUp', 'asked', 'silent', 'lastUpdate', ...Object.keys(moreWords)]) {
    assert.notEqual(zh(key), en(key), key);
  }
  for (const [key, [english, chinese]] of Object.entries(moreWords))
    if (english) assert.deepEqual(places(chinese), places(english), key);
});

test('any Chinese is zh-CN, anything else English, and a bad locale does no harm', () => {
  assert.equal(wordsFor('zh')('cancel'), '取消');
  assert.equal(wordsFor('zh-TW')('cancel'), '取消');
  assert.equal(wordsFor('fr')('cancel'), 'Cancel');
  assert.equal(number(1234, wordsFor('not a locale!')), '1,234');
});

test('words can be replaced one by one', () => {
  assert.equal(wordsFor('en', { cancel: 'Stop it' })('cancel'), 'Stop it');
});

test('names become readable', () => {
  assert.equal(readable('resize_images', en), 'Resize images');
  assert.equal(readable('generating_content', zh), '正在生成文案');
});

// Builds the browser side:   node scripts/build-js.mjs
//
//   static/js/progress/*.js       ->  progress.js    classic script that defines ProgressBar
//                                     progress.mjs   the same as an ES module
//                                     progress-more.mjs  rarer parts, loaded by either when first needed
//   static/js/progress/types.d.ts ->  progress.d.ts, progress.d.mts
//   socket.io-client              ->  socket.io.min.js
//   static/js/test-page/main.js, demo/static/js/{studio,task,tasks}.js
//                                 ->  built/*.js beside them: a page asks for one file instead of a dozen
//
// Quick the second time: nothing is done while sources, tools and outputs are what they were.
import { createHash } from 'node:crypto';
import { copyFileSync, existsSync, readFileSync, readdirSync, writeFileSync } from 'node:fs';
import { dirname, join, resolve } from 'node:path';
import { fileURLToPath } from 'node:url';
import { gzipSync } from 'node:zlib';

const root = resolve(dirname(fileURLToPath(import.meta.url)), '..');
const js = join(root, 'src/headway/static/js');
const demo = join(root, 'src/headway/demo/static/js');
const sources = join(js, 'progress');
const entry = join(sources, 'index.js');
const modules = join(root, 'node_modules');
const stamp = join(modules, '.done-build');
const outputs = [
  'progress.js',
  'progress.mjs',
  'progress-more.mjs',
  'progress.d.ts',
  'progress.d.mts',
  'socket.io.min.js',
].map((name) => join(js, name));
/** The pages' own scripts, by folder. @type {[folder: string, scripts: Record<string, string>][]} */
const pages = [
  [js, { 'test-page': 'test-page/main.js' }],
  [demo, { studio: 'studio.js', task: 'task.js', tasks: 'tasks.js' }],
];
for (const [folder, scripts] of pages) {
  for (const name of Object.keys(scripts)) outputs.push(join(folder, 'built', `${name}.js`));
}
/** What a page has to load for the bar, minified and gzipped, without the Socket.IO client. */
const MOST_BYTES = 12 * 1024;

/** @param {string} sentence */
function stop(sentence) {
  console.error(`headway: ${sentence}`);
  process.exit(1);
}

/** @param {string} folder */
function scriptsIn(folder) {
  const names = readdirSync(folder, { recursive: true, encoding: 'utf8' }).filter((name) => /\.(js|ts)$/.test(name));
  return names.filter((name) => !name.startsWith('built/')).sort().map((name) => join(folder, name));
}

function fingerprint() {
  const hash = createHash('sha256');
  for (const file of [
    ...[sources, join(js, 'test-page'), demo].flatMap(scriptsIn),
    fileURLToPath(import.meta.url),
    join(root, 'package-lock.json'),
  ]) {
    hash.update(file.slice(root.length)).update('\0').update(readFileSync(file)).update('\0');
  }
  return hash.digest('hex');
}

/** @param {string} key */
function isDone(key) {
  return (
    existsSync(stamp) && readFileSync(stamp, 'utf8') === key && outputs.every((output) => existsSync(output))
  );
}

function copySocketIo() {
  const client = readFileSync(join(modules, 'socket.io-client/dist/socket.io.min.js'), 'utf8');
  // Its map stays behind, so a developer's console need not ask for it.
  writeFileSync(join(js, 'socket.io.min.js'), client.replace(/\n\/\/# sourceMappingURL=.*\s*$/, '\n'));
}

async function bundle() {
  const { build } = await import('esbuild');
  /** @type {import('esbuild').BuildOptions} */
  const common = {
    bundle: true,
    minify: true,
    sourcemap: true,
    target: 'es2022',
    charset: 'utf8',
    banner: { js: '/*! Headway, MIT licence */' },
    // In the classic script it is empty, and document.currentScript takes its place.
    logOverride: { 'empty-import-meta': 'silent' },
  };
  await Promise.all([
    build({
      ...common,
      // The global is set by hand: esbuild's globalName would make ProgressBar a namespace, not the class.
      stdin: {
        contents: `
          import { defineElement } from './element.js';
          import { ProgressBar } from './progress-bar.js';
          globalThis.ProgressBar = ProgressBar;
          defineElement();`,
        resolveDir: sources,
        sourcefile: 'classic.js',
      },
      format: 'iife',
      outfile: join(js, 'progress.js'),
    }),
    build({ ...common, entryPoints: [entry], format: 'esm', outfile: join(js, 'progress.mjs') }),
    build({
      ...common,
      entryPoints: [join(sources, 'more.js')],
      format: 'esm',
      outfile: join(js, 'progress-more.mjs'),
    }),
    ...pages.map(([folder, scripts]) =>
      build({
        ...common,
        absWorkingDir: folder,
        entryPoints: scripts,
        format: 'esm',
        // The bar comes from where every page has it, and only once.
        external: ['../progress.mjs'],
        outdir: join(folder, 'built'),
      }),
    ),
  ]);
}

if (!existsSync(entry)) stop(`${entry.slice(root.length + 1)} is missing, so there is nothing to build.`);
if (!existsSync(join(modules, 'esbuild'))) stop('esbuild is not installed; run `npm ci` (or `make setup`) first.');

const key = fingerprint();
if (!isDone(key)) {
  console.error('headway: Building the browser side');
  copySocketIo();
  await bundle();
  for (const name of ['progress.d.ts', 'progress.d.mts']) copyFileSync(join(sources, 'types.d.ts'), join(js, name));
  const bytes = gzipSync(readFileSync(join(js, 'progress.js')), { level: 9 }).length;
  console.error(`headway: progress.js is ${(bytes / 1024).toFixed(2)} KiB, minified and gzipped`);
  if (bytes > MOST_BYTES) stop(`progress.js may be ${MOST_BYTES / 1024} KiB at most.`);
  writeFileSync(stamp, key);
}

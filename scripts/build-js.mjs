// Builds the browser side:   node scripts/build-js.mjs
//
//   static/js/progress/*.js  ->  progress.js    classic script that defines ProgressBar
//                                progress.mjs   the same as an ES module
//                                types/*.d.ts   its types, named by progress.d.mts
//   socket.io-client         ->  socket.io.min.js
//
// Quick the second time: nothing is done while sources, tools and outputs are what they were.
import { createHash } from "node:crypto";
import { execFileSync } from "node:child_process";
import { copyFileSync, existsSync, mkdirSync, readFileSync, readdirSync, rmSync, writeFileSync } from "node:fs";
import { dirname, join, resolve } from "node:path";
import { fileURLToPath } from "node:url";

const root = resolve(dirname(fileURLToPath(import.meta.url)), "..");
const js = join(root, "src/headway/static/js");
const sources = join(js, "progress");
const entry = join(sources, "index.js");
const modules = join(root, "node_modules");
const stamp = join(modules, ".done-build");
const outputs = ["progress.js", "progress.mjs", "progress.d.mts", "types/index.d.ts", "socket.io.min.js"];
const banner = { js: "/*! Headway, MIT licence */" };

/** @param {string} sentence */
function stop(sentence) {
  console.error(`headway: ${sentence}`);
  process.exit(1);
}

function fingerprint() {
  const hash = createHash("sha256");
  const files = readdirSync(sources, { recursive: true, encoding: "utf8" }).filter((name) => /\.(js|ts)$/.test(name));
  for (const file of [
    ...files.sort().map((name) => join(sources, name)),
    fileURLToPath(import.meta.url),
    join(root, "package-lock.json"),
    join(root, "tsconfig.json"),
    join(root, "scripts/tsconfig.types.json"),
  ]) {
    hash.update(file.slice(root.length)).update("\0").update(readFileSync(file)).update("\0");
  }
  return hash.digest("hex");
}

function isDone(key) {
  return (
    existsSync(stamp) && readFileSync(stamp, "utf8") === key && outputs.every((output) => existsSync(join(js, output)))
  );
}

function copySocketIo() {
  const client = readFileSync(join(modules, "socket.io-client/dist/socket.io.min.js"), "utf8");
  // Its map stays behind, so a developer's console need not ask for it.
  writeFileSync(join(js, "socket.io.min.js"), client.replace(/\n\/\/# sourceMappingURL=.*\s*$/, "\n"));
}

async function bundle() {
  const { build } = await import("esbuild");
  // Names stay whole: stack traces from other people's pages are worth more than a kilobyte.
  const common = {
    bundle: true,
    minifySyntax: true,
    minifyWhitespace: true,
    sourcemap: true,
    target: "es2022",
    charset: "utf8",
    banner,
  };
  await Promise.all([
    build({
      ...common,
      // The global is set by hand: esbuild's globalName would make ProgressBar a namespace, not the class.
      stdin: {
        contents: 'import { ProgressBar } from "./index.js"; globalThis.ProgressBar = ProgressBar;',
        resolveDir: sources,
        sourcefile: "classic.js",
      },
      format: "iife",
      outfile: join(js, "progress.js"),
    }),
    build({ ...common, entryPoints: [entry], format: "esm", outfile: join(js, "progress.mjs") }),
  ]);
}

function declareTypes() {
  const types = join(js, "types");
  rmSync(types, { recursive: true, force: true });
  mkdirSync(types);
  const tsc = join(modules, ".bin/tsc");
  execFileSync(tsc, ["--project", join(root, "scripts/tsconfig.types.json"), "--outDir", types], { stdio: "inherit" });
  // Types that were written by hand are an input to tsc, which leaves them where they are.
  for (const name of readdirSync(sources).filter((name) => name.endsWith(".d.ts"))) {
    copyFileSync(join(sources, name), join(types, name));
  }
  writeFileSync(join(js, "progress.d.mts"), 'export * from "./types/index.js";\n');
}

if (!existsSync(entry)) stop(`${entry.slice(root.length + 1)} is missing, so there is nothing to build.`);
if (!existsSync(join(modules, "esbuild"))) stop("esbuild is not installed; run `npm ci` (or `make setup`) first.");

const key = fingerprint();
if (!isDone(key)) {
  console.error("headway: Building progress.js");
  copySocketIo();
  await bundle();
  declareTypes();
  writeFileSync(stamp, key);
}

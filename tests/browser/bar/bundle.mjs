// Bundles the JSX or module on standard input for the browser, as an app's own build would; /static/… stays outside.
import { buffer } from 'node:stream/consumers';
import { stdin, stdout } from 'node:process';
import { fileURLToPath } from 'node:url';
import { build } from 'esbuild';

const { outputFiles } = await build({
  stdin: {
    contents: String(await buffer(stdin)),
    loader: 'jsx',
    resolveDir: fileURLToPath(new URL('.', import.meta.url)),
  },
  bundle: true,
  write: false,
  format: 'esm',
  jsx: 'automatic',
  minify: true,
  external: ['/static/*'],
  define: { 'process.env.NODE_ENV': '"production"' },
  conditions: ['browser'],
});
stdout.write(outputFiles[0].contents);

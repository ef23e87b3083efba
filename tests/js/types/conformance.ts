// Compiled, never run: what is declared is what is there.
import * as actual from '../../../src/headway/static/js/progress/index.js';
import type * as declared from '../../../src/headway/static/js/progress/types.js';

export const bar: typeof declared.ProgressBar = actual.ProgressBar;
export const watch: typeof declared.watchTask = actual.watchTask;
export const element: Pick<declared.HeadwayProgressElement, 'bar' | 'token'> = new actual.HeadwayProgressElement();
export type Methods = keyof actual.ProgressBar extends keyof declared.ProgressBar ? true : never;
export const methods: Methods = true;

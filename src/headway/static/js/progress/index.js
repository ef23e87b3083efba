// @ts-check
/** What the browser side offers. The classic script defines `ProgressBar`; the module exports all of it. */
import { defineElement } from './element.js';

export { HeadwayProgressElement } from './element.js';
export { ProgressBar } from './progress-bar.js';
export { watchTask } from './watch.js';

defineElement();

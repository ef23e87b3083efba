import * as headway from '/static/js/progress.mjs';
Object.assign(globalThis, headway);
globalThis.ready = true;

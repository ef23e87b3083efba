// @ts-check
/** What most pages never need: loaded by `here.js` from `progress-more.mjs` when it is first asked for. */
export { DetailsView } from './details-view.js';
export { askByHttp, HttpTransport } from './http.js';
export { LogView } from './log-view.js';
export { Pace } from './pace.js';
export { PageSigns } from './page-signs.js';
export { StagesView } from './stages-view.js';
export { TabsTransport } from './tabs.js';
export { moreWords } from './words-more.js';

export type * from './types.js';
export { callBackNumbers } from './call-back-numbers.js';
export { nameOfScript } from './name-of-script.js';
export { createScriptIndex } from './script-index.js';
export type { SavedScriptIndex, ScriptIndexState } from './script-index.js';

export type {
  ScriptStrictness,
  ScriptIndexLimits,
  ScriptBars,
  ScriptPlacement,
  ScriptIndex,
  ScriptClass,
  ScriptName,
  CallBackNumber,
} from './types.js';
export { callBackNumbers } from './call-back-numbers.js';
export { nameOfScript } from './name-of-script.js';
export type { SavedScriptIndex, ScriptIndexState } from './script-index.js';
export { createScriptIndex } from './script-index.js';

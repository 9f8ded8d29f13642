export type {
  ScriptStrictness,
  ScriptIndexLimits,
  ScriptBars,
  ScriptPlacement,
  ScriptClass,
  ScriptName,
  CallBackNumber,
} from './types.js';
export { callBackNumbers } from './call-back-numbers.js';
export { nameOfScript } from './name-of-script.js';
export type { ScriptIndexState } from './script-index.js';
export { ScriptIndex } from './script-index.js';

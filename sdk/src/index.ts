/**
 * Everything that a switch needs to know who really called: STIR/SHAKEN verification and signing, and the errors that
 * this package throws. The same names are at `@hopback/sdk/stir` and `@hopback/sdk/errors`.
 * @packageDocumentation
 */
export * from './stir/index.js';

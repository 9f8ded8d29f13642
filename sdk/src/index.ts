/**
 * Everything that a switch needs to know who really called: STIR/SHAKEN verification and signing, and the errors that
 * this package throws. The same names are at `@hopback/sdk/stir` and `@hopback/sdk/errors`.
 * @packageDocumentation
 */
export * from './stir/index.js';
export type { CrlReason } from './stir/certificates/crl.js';
export type { PassportSyntaxReason } from './stir/passport.js';
export type { SigningRequestBase } from './stir/signing/signing-request.js';
export type { Token } from './stir/verification/step.js';
export type { RequestContext } from './stir/verification/step.js';
export type { StepResult } from './stir/verification/step.js';
export { REASONS } from './stir/certificates/crl.js';
export type { JsonFailure } from './core/json-text.js';
export type { IdentityHeader } from './stir/identity-header.js';
export type { ParsedPassport } from './stir/passport.js';
export type { Seen } from './stir/verification/memory.js';
export type { RequestParties } from './stir/verification/request.js';
export type { PassportHeaderCache } from './stir/passport.js';
export type { StepSet } from './stir/verification/step.js';
export type { PassportHeader } from './stir/passport.js';

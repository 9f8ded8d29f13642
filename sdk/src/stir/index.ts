/**
 * STIR/SHAKEN: verify the Identity headers of a SIP request, and sign them.
 *
 * - **To verify:** {@link createTrustStoreRefresh}, or {@link loadTrustStore} from files, says whom to trust,
 *   {@link createCertificateRepository} fetches certificates, and {@link createVerificationService} gives a {@link CallVerdict}. Of a
 *   request as text, {@link parseSipRequest} and {@link verificationRequestOf} make what it takes; {@link withVerstat} writes the answer
 *   into the call.
 * - **To sign:** {@link createLocalSigner} or {@link createExternalSigner} holds the key, {@link createStaticCertificateSource} or
 *   {@link createFileCertificateSource} the certificate, {@link createAttestationPolicy} the rules, and
 *   {@link createAuthenticationService} signs.
 *
 * What reads what peers send never throws: it answers with a union, and its arms are to be told apart by `status`. Mistakes of
 * the caller, the disk and the platform are a {@link HopbackError} with a `code`.
 *
 * Every example on these pages is a program: all that it names of `@hopback/sdk/stir` and `@hopback/sdk/testing` is imported, the
 * rest is there. A `console.log` says in a comment what it prints. All of them run in the tests.
 * @packageDocumentation
 */
export { HopbackError, isHopbackError } from '../errors.js';
export type { HopbackErrorCode, HopbackErrorOptions } from '../errors.js';
export * from './certificates/index.js';
export * from './signing/index.js';
export * from './verification/index.js';
export { formatIdentityHeader, MAX_IDENTITY_HEADER_CHARS, parseIdentityHeader } from './identity-header.js';
export type { IdentityHeader, IdentityHeaderParts, IdentityHeaderResult } from './identity-header.js';
export { compactIdentityHeader } from './compact-form.js';
export type { CompactFormRefusal, CompactFormResult } from './compact-form.js';
export { canonicalJson, isCompactForm, parsePassport, rebuildCompactPassport } from './passport.js';
export type {
  CompactClaims,
  ParsedPassport,
  PassportParseOptions,
  PassportResult,
  PassportSyntaxReason,
} from './passport.js';
export type { PassportHeader, PassportHeaderCache } from './passport-header.js';
export { base } from './passport-types/passport-type.js';
export { div, divPayload } from './passport-types/div.js';
export type { DivClaims } from './passport-types/div.js';
export { PASSPORT_TYPES } from './passport-types/registry.js';
export { shaken, shakenPayload } from './passport-types/shaken.js';
export type { ShakenClaims } from './passport-types/shaken.js';
export type {
  CanonicalReading,
  ClaimProblem,
  ClaimsResult,
  PassportClaims,
  PassportParty,
  PassportType,
} from './passport-types/passport-type.js';
export { ES256_SIGNATURE_OCTETS } from './es256.js';
export type { SignatureJob } from './es256.js';
export type { Clock } from '../core/runtime/clock.js';
export { parseBoundedJson, PASSPORT_JSON_LIMITS } from '../core/json-text.js';
export type { JsonFailure, JsonLimits, JsonObject, JsonParseResult, JsonValue } from '../core/json-text.js';
export type { Attestation, CanonicalTn, Spc, Verstat } from '../core/terms.js';
export type { EvidenceException, PassportEvidence, VerdictEvidence } from '../core/verdict-evidence.js';
export { canonicalTelephoneNumber, NORTH_AMERICAN_PLAN } from '../core/telephone-number.js';
export type { NumberingPlan, TelephoneNumberResult } from '../core/telephone-number.js';
export { maskTelephoneNumber } from '../core/text.js';
export { headerValues, parseSipRequest } from '../core/sip-request.js';
export type { SipHeaderText, SipRequestFailure, SipRequestResult, SipRequestText } from '../core/sip-request.js';

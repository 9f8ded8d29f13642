import type { Verstat } from '../../core/telephone-number.js';
import type { CertificatePathResult } from '../certificates/path.js';
import type { CertificateLookup } from '../certificates/repository.js';
import type { IdentityHeader } from '../identity-header.js';
import type { PassportHeaderCache, ParsedPassport } from '../passport.js';
import type { PassportClaims, PassportType } from '../passport-types/passport-type.js';
import type { Seen } from './memory.js';
import type { VerificationPolicy } from './policy.js';
import type { RequestParties } from './request.js';

/** What one failure reason means on the wire. */
export interface FailureMeaning {
  /** `failed` is a finding against the PASSporT; `indeterminate` means that it could not be checked. */
  readonly outcome: 'failed' | 'indeterminate';
  /** The SIP response that policy may choose; absent where there is nothing to reproach the caller with. */
  readonly sip?: { readonly status: 403 | 428 | 436 | 437 | 438; readonly reasonPhrase: string };
  /** What the callee's network is told where this reason decides. */
  readonly verstat: Verstat;
  /** Row of the ATIS-1000082 error table, 3 to 19. */
  readonly condition?: number;
  /** One sentence for people. */
  readonly text: string;
}

/** A final SIP response that refuses a request for its Identity. @see RFC 8224 section 6.2.2 */
type SipResponse = NonNullable<FailureMeaning['sip']>;

const STALE: SipResponse = { status: 403, reasonPhrase: 'Stale Date' };
const USE_IDENTITY: SipResponse = { status: 428, reasonPhrase: 'Use Identity Header' };
const BAD_INFO: SipResponse = { status: 436, reasonPhrase: 'Bad Identity Info' };
const UNSUPPORTED: SipResponse = { status: 437, reasonPhrase: 'Unsupported Credential' };
const INVALID: SipResponse = { status: 438, reasonPhrase: 'Invalid Identity Header' };

const failed = (sip: SipResponse, text: string, condition?: number): FailureMeaning => ({
  outcome: 'failed',
  sip,
  verstat: 'No-TN-Validation',
  text,
  ...(condition === undefined ? {} : { condition }),
});

/** Row 17: the certificate is not one to trust. By report of ATIS-1000082 this counts as TN-Validation-Failed. */
const untrusted = (text: string): FailureMeaning => ({
  outcome: 'failed',
  sip: UNSUPPORTED,
  verstat: 'TN-Validation-Failed',
  condition: 17,
  text,
});

const indeterminate = (text: string): FailureMeaning => ({
  outcome: 'indeterminate',
  verstat: 'No-TN-Validation',
  text,
});

/**
 * The total map from failure reason to SIP response, `verstat` and row of the ATIS-1000082 table. A reason without a row
 * does not compile.
 * @see RFC 8224 section 6.2.2; ATIS-1000082 (rows by report: kept in this one table so that they are easy to correct)
 */
export const FAILURE_REASONS = meanings({
  'identity-absent': { ...indeterminate('The request carries no Identity header that applies.'), sip: USE_IDENTITY },
  'identity-header-too-long': failed(INVALID, 'The Identity header is longer than any that is accepted.'),
  'too-many-identity-headers': failed(INVALID, 'The request has more Identity headers than are looked at.'),
  'identity-header-malformed': failed(INVALID, 'The Identity header does not follow the grammar.'),
  'date-stale': failed(STALE, 'The Date of the request is not fresh.', 3),
  'compact-form': failed(INVALID, 'The PASSporT is in compact form, which cannot carry the claims of this type.', 4),
  'ppt-unsupported': failed(INVALID, 'The ppt parameter names a PASSporT type that this profile does not verify.', 5),
  'info-missing': failed(BAD_INFO, 'The Identity header has no info parameter.', 6),
  'info-invalid': failed(BAD_INFO, 'The info parameter is not a URL that may be fetched.', 7),
  'x5u-unreachable': {
    outcome: 'indeterminate',
    sip: BAD_INFO,
    verstat: 'No-TN-Validation',
    condition: 8,
    text: 'No certificate could be fetched from the x5u URL.',
  },
  'base64url-invalid': failed(INVALID, 'A segment of the PASSporT is not strict base64url.'),
  'json-malformed': failed(INVALID, 'A segment of the PASSporT is not JSON.'),
  'json-duplicate-key': failed(INVALID, 'A JSON object of the PASSporT has a key twice.'),
  'json-forbidden-key': failed(INVALID, 'A JSON object of the PASSporT has a key that is never legitimate.'),
  'json-too-deep': failed(INVALID, 'The JSON of the PASSporT is nested too deep.'),
  'json-too-large': failed(INVALID, 'The JSON of the PASSporT is too large.'),
  'header-claim-missing': failed(BAD_INFO, 'The PASSporT header lacks ppt, typ, x5u or alg.', 9),
  'header-claim-malformed': failed(BAD_INFO, 'A value in the PASSporT header is not a string.', 9),
  'critical-header-unsupported': failed(INVALID, 'The PASSporT header demands a JWS extension that is not supported.'),
  'x5u-info-mismatch': failed(BAD_INFO, 'The x5u of the PASSporT differs from the info parameter.', 10),
  'typ-not-passport': failed(UNSUPPORTED, 'The typ of the PASSporT header is not "passport".', 11),
  'alg-unsupported': failed(UNSUPPORTED, 'The signature algorithm is not ES256.', 12),
  'ppt-mismatch': failed(INVALID, 'The ppt of the PASSporT header is not the one of the Identity header.', 13),
  'claim-missing': failed(INVALID, 'The PASSporT lacks a claim that its type requires.', 14),
  'claim-malformed': failed(INVALID, 'A claim of the PASSporT has the wrong shape.', 14),
  'claim-not-permitted': failed(INVALID, 'The PASSporT has a claim that its type does not permit.', 14),
  'iat-stale': failed(STALE, 'The PASSporT was issued too long ago.', 15),
  'iat-in-future': failed(STALE, 'The PASSporT claims to be issued in the future.', 15),
  'orig-unusable': indeterminate('The request names no caller that the orig claim could be compared with.'),
  'orig-mismatch': failed(INVALID, 'The orig claim is not the caller of the request.', 16),
  'dest-unusable': indeterminate('The request names no called party that the dest claim could be compared with.'),
  'dest-mismatch': failed(INVALID, 'The dest claim is not the called party of the request.', 16),
  'retarget-without-div': failed(INVALID, 'The call was retargeted and no div PASSporT accounts for it.', 16),
  'div-target-mismatch': failed(
    INVALID,
    'The dest of the outermost div PASSporT is not the target of the request.',
    16,
  ),
  'div-chain-broken': failed(INVALID, 'The div PASSporT does not link to another PASSporT of the same call.', 16),
  'attest-invalid': failed(INVALID, 'The attest claim is not "A", "B" or "C".', 19),
  'trust-list-empty': untrusted('There are no trust anchors, so nothing is trusted.'),
  'no-path-to-trust-anchor': untrusted('No path leads from the certificate to a trust anchor.'),
  'certificate-expired': untrusted('A certificate of the path has expired.'),
  'certificate-not-yet-valid': untrusted('A certificate of the path is not valid yet.'),
  'issuer-name-mismatch': untrusted('A certificate names another issuer than the one above it.'),
  'certificate-signature-invalid': untrusted('The signature of a certificate does not verify with the key above it.'),
  'signature-algorithm-not-permitted': untrusted('A certificate is signed with an algorithm that is not permitted.'),
  'public-key-not-permitted': untrusted('A certificate has a kind of key that is not permitted.'),
  'not-a-ca': untrusted('A certificate was issued by one that is not a certification authority.'),
  'path-length-exceeded': untrusted('A certification authority is deeper than the one above it permits.'),
  'signer-is-a-ca': untrusted(
    'The certificate that signed belongs to a certification authority. Only end-entity certificates sign calls.',
  ),
  'key-usage-missing': untrusted('The key usage of a certificate does not permit what it was used for.'),
  'unknown-critical-extension': untrusted('A certificate has a critical extension that is not understood.'),
  'key-identifier-mismatch': untrusted('The authority key identifier is not the subject key identifier above it.'),
  'path-too-long': untrusted('The certification path is longer than any that is accepted.'),
  'tn-auth-list-missing': untrusted('The certificate has no TNAuthList.'),
  'tn-auth-list-not-encompassed': untrusted('The TNAuthList reaches beyond that of the certificate above it.'),
  'claim-constraints-on-ca': untrusted('A certification authority carries JWT claim constraints.'),
  'certificate-revoked': untrusted('A certificate of the path is revoked.'),
  'revocation-unknown': indeterminate('It is not known whether a certificate of the path is revoked.'),
  'trust-list-expired': indeterminate('The signed list of trust anchors has expired, so no certificate is trusted.'),
  'tn-not-authorized': untrusted('The certificate has no authority over the number that was signed for.'),
  'claim-constraint-violated': untrusted('The claims break the constraints that the certificate sets.'),
  'signature-invalid': {
    outcome: 'failed',
    sip: INVALID,
    verstat: 'TN-Validation-Failed',
    condition: 18,
    text: 'The signature does not verify with the key of the certificate.',
  },
  'signature-unchecked': indeterminate('The signature could not be checked.'),
  replayed: failed(INVALID, 'The same PASSporT has been seen before and policy refuses repeats.'),
  'time-budget-spent': indeterminate('The time for this call was used up before the answer was known.'),
});

/** Every reason why a PASSporT, or a whole request, was not found good. Closed: each has a row in {@link FAILURE_REASONS}. */
export type FailureReason = keyof typeof FAILURE_REASONS;

function meanings<Name extends string>(table: Readonly<Record<Name, FailureMeaning>>): typeof table {
  return table;
}

/** All failure reasons, in the order of the table. */
export const FAILURE_REASON_NAMES: readonly FailureReason[] = Object.keys(FAILURE_REASONS) as FailureReason[];

/** One Identity header on its way through the steps. Filled in as far as the steps get. */
export interface Token {
  /** Position of the Identity header in the request, from 0. */
  readonly index: number;
  /** The header value as received. */
  readonly value: string;
  /** Undefined where the header could not be taken apart. */
  identityHeader: IdentityHeader | undefined;
  /** The type that its ppt names; undefined where it is not one that is verified. */
  type: PassportType | undefined;
  /** Set when the header is of no concern: an unknown type beside a known one. */
  ignored: boolean;
  /** Undefined until it was taken apart. */
  passport: ParsedPassport | undefined;
  /** Undefined until they were read. */
  claims: PassportClaims | undefined;
  /** Set by the div chain: where the PASSporT stands in it. */
  position: 'alone' | 'innermost' | 'between' | 'outermost';
  /** For a PASSporT that speaks for the caller: the div PASSporTs bound to it, from it outwards. */
  divChain: readonly Token[];
  /** What its x5u yielded, once that is known. */
  lookup: CertificateLookup | undefined;
  /** The path to a trust anchor, or why there is none. */
  path: CertificatePathResult | undefined;
  /** When the list of trust anchors runs out, milliseconds since the epoch; undefined when it does not. */
  trustListExpMs: number | undefined;
  /** Undefined where the signature was not checked. */
  signatureValid: boolean | undefined;
  /** SHA-256 of the signing input, once it was needed. */
  signingInputSha256: string | undefined;
  /** Same call, same key; once the chain has proved good. */
  callKey: string | undefined;
  /** How often this verifier has seen the call, once counted. */
  seen: Seen | undefined;
  /** Steps that passed, or left no more than a note. */
  passed: StepSet;
  /** What steps found, notes included, in the order of the steps. */
  readonly exceptions: StepException[];
  /** Whether a step failed or could not be decided. */
  isStopped: boolean;
}

/** What all tokens of one request share. */
export interface RequestContext {
  /** What the call is judged by. */
  readonly policy: VerificationPolicy;
  /** What claims are compared with. */
  readonly parties: RequestParties;
  /** Milliseconds since the epoch. */
  readonly nowMs: number;
  /** The PASSporT types that are verified, by ppt. */
  readonly types: ReadonlyMap<string | undefined, PassportType>;
  /** Where decoded header segments are remembered from call to call. */
  readonly headerCache: PassportHeaderCache | undefined;
  /** Names of the steps in a set, in the order they are made. */
  readonly stepNames: (steps: StepSet) => readonly string[];
}

/** A token nothing is known of yet. */
export function openToken(index: number, value: string): Token {
  return {
    index,
    value,
    identityHeader: undefined,
    type: undefined,
    ignored: false,
    passport: undefined,
    claims: undefined,
    position: 'alone',
    divChain: NO_CHAIN,
    lookup: undefined,
    path: undefined,
    trustListExpMs: undefined,
    signatureValid: undefined,
    signingInputSha256: undefined,
    callKey: undefined,
    seen: undefined,
    passed: 0,
    exceptions: [],
    isStopped: false,
  };
}

const NO_CHAIN: readonly Token[] = [];

/** What each note says, one sentence for people. */
export const NOTE_TEXTS = {
  'orig-tn-not-canonical': 'The orig claim is the caller, but not in the form that RFC 8224 requires.',
  'dest-tn-not-canonical': 'The dest claim is the called party, but not in the form that RFC 8224 requires.',
  'date-differs-from-iat': 'The Date of the request is not fresh; the iat is, and wins.',
  'inner-iat-not-fresh': 'A PASSporT below a div is no longer fresh, as after long ringing.',
  'revocation-unknown-accepted': 'The revocation status of the certificate is unknown; policy accepts this.',
  'certificate-stale': 'The certificate comes out of the cache and is due to be fetched again.',
  'seen-before': 'The same call has been seen before, as after forking or route advance: evidence, no failure.',
  'certificate-host-deviates': 'The certificate repository does not quite follow the rules.',
  'compact-form-accepted': 'The compact form is accepted in this profile.',
} as const;

/** A deviation that policy lets pass. */
export type NoteReason = keyof typeof NOTE_TEXTS;

/**
 * One thing that was wrong, or could not be checked, with both values. The values are what a peer wrote: print them with care,
 * and mask telephone numbers before they reach a log.
 */
export interface VerificationFailure {
  /** What it is; its meaning on the wire is in {@link FAILURE_REASONS}. */
  readonly reason: FailureReason;
  /** The step that found it; its rule and section are in `VERIFICATION_STEPS`. */
  readonly step: (typeof STEP_NAMES)[number];
  /** What the rule asked for, or the value of the request. */
  readonly expected?: string | number;
  /** What was found, or the value of the token. */
  readonly actual?: string | number;
  /** What else helps a person. Not kept in evidence. */
  readonly detail?: string;
}

/** A step that did not simply pass. */
export type StepException =
  | (VerificationFailure & { readonly result: 'failed' | 'unknown' })
  | (Omit<VerificationFailure, 'reason'> & { readonly result: 'noted'; readonly reason: keyof typeof NOTE_TEXTS });

/** Both values of a comparison that went wrong, and what else helps a person. */
type Values = Omit<VerificationFailure, 'reason' | 'step'>;

/** What a step found: undefined is a pass. */
export type StepResult = undefined | 'does-not-apply' | StepException | readonly StepException[];

/** One rule of the verification service. Pure: looks at the token and the request, says what it found. */
export interface VerificationStep {
  /** What evidence and outcomes call it. */
  readonly name: StepName;
  /** Where the rule comes from. */
  readonly section: string;
  /** The rule in one sentence, for people. */
  readonly rule: string;
  /** Makes the check; never throws for peer input. */
  readonly check: (token: Token, context: RequestContext) => StepResult;
}

/** A step with the bit that stands for it in a {@link StepSet}. */
export interface NumberedStep extends VerificationStep {
  readonly bit: StepSet;
}

/** A set of steps as one integer: cheap to add to on every call, and equal sets share one list of names. */
export type StepSet = number;

/** The steps in the order they are made. */
export const STEP_NAMES = [
  'identity-header-syntax',
  'ppt-parameter',
  'full-form',
  'info-parameter',
  'alg-parameter',
  'passport-syntax',
  'header-claims',
  'critical-headers',
  'x5u-is-info',
  'typ',
  'alg',
  'ppt',
  'claims',
  'date-fresh',
  'iat-fresh',
  'orig',
  'dest',
  'div-chain',
  'certificate-fetched',
  'certificate-path',
  'revocation',
  'number-authority',
  'claim-constraints',
  'signature',
  'replay',
] as const;

/** Name of a verification step. */
export type StepName = (typeof STEP_NAMES)[number];

/** The bit of a step: bit n for the n-th name. */
const bitOf = (name: StepName): StepSet => 1 << STEP_NAMES.indexOf(name);

/** Gives each step its bit. */
export const numbered = (steps: readonly VerificationStep[]): readonly NumberedStep[] =>
  steps.map((step) => ({ ...step, bit: bitOf(step.name) }));

/** Names of the steps in a set, in the order they are made. */
export function namesOfSteps(steps: StepSet): readonly StepName[] {
  return STEP_NAMES.filter((name) => (steps & bitOf(name)) !== 0);
}

/** Makes a {@link namesOfSteps} that remembers its lists: calls go a few ways through the steps. */
export function createStepNames(): typeof namesOfSteps {
  const known = new Map<StepSet, readonly StepName[]>();
  return (steps) => {
    const names = known.get(steps);
    if (names !== undefined) return names;
    // Whoever finds ever more ways only has the lists written out again.
    if (known.size >= MAX_KNOWN_SETS) known.clear();
    const written = Object.freeze(namesOfSteps(steps));
    known.set(steps, written);
    return written;
  };
}

const MAX_KNOWN_SETS = 1024;

/** A finding against the PASSporT. */
export function fail(step: StepName, reason: FailureReason, values: Values = {}): StepException {
  return { step, result: 'failed', reason, ...values };
}

/** A check that could not be made. */
export function unknown(step: StepName, reason: FailureReason, values: Values = {}): StepException {
  return { step, result: 'unknown', reason, ...values };
}

/** A deviation that is let pass. */
export function note(step: StepName, reason: NoteReason, values: Values = {}): StepException {
  return { step, result: 'noted', reason, ...values };
}

/** Makes the steps in order and writes what they find into the token; a note does not stop it. */
export function runSteps(steps: readonly NumberedStep[], token: Token, context: RequestContext): void {
  for (const step of steps) {
    const result = step.check(token, context);
    if (result === undefined) token.passed |= step.bit;
    else if (result !== 'does-not-apply') record(token, step.bit, result);
  }
}

/** Takes back what steps found, so that they can be made again under other circumstances. */
export function forgetSteps(steps: readonly NumberedStep[], token: Token): void {
  const names = new Set<StepName>(steps.map(({ name }) => name));
  for (const { bit } of steps) token.passed &= ~bit;
  const exceptions = token.exceptions.filter(({ step }) => !names.has(step));
  token.exceptions.splice(0, token.exceptions.length, ...exceptions);
}

function record(token: Token, bit: StepSet, result: StepException | readonly StepException[]): void {
  const exceptions = isList(result) ? result : [result];
  for (const exception of exceptions) {
    token.exceptions.push(exception);
    if (exception.result !== 'noted') token.isStopped = true;
    else token.passed |= bit;
  }
}

const isList = (result: StepException | readonly StepException[]): result is readonly StepException[] =>
  Array.isArray(result);

import type { Attestation, Verstat } from '@hopback/sdk/stir';
import type { CaseSetting } from './case-setting.js';
import type { Observed } from './observed.js';
import type { TokenProblem } from './signing/signed-token.js';

/** What cases are about, in the order in which reports have them. */
export const CASE_GROUPS = [
  'good-calls',
  'identity-syntax',
  'claims',
  'time',
  'signatures',
  'certificates',
  'chain',
  'revocation',
  'x5u',
  'numbers',
  'div',
  'several-headers',
  'responses',
  'signing',
  'signing-div',
] as const;

/** What a case is about. */
export type CaseGroup = (typeof CASE_GROUPS)[number];

/**
 * What the interface of a service can carry, or show; a case that needs what a target has not is not applicable to it.
 * - `verify`, `sign`: the service does that at all. `parties`: it is told who calls whom. `sip-caller`: it is told so by header fields of SIP.
 * - `several-headers`: more than one Identity header. `target`: a Request-URI apart from To. `date`: the Date. `unsigned`: calls without Identity.
 * - `folding`: header fields over several lines. `codes`: which response would refuse the call. `verstat`: which of the three values it gives.
 * - `reasons`: Reason header fields (RFC 9410).
 * - `sign-attestation`: the request says the attestation. `sign-origid`, `sign-iat`: it says these. `sign-several`: several called numbers.
 * - `sign-spelling`: numbers in other spellings than the canonical one. `sign-incomplete`: members can be left out. `sign-div`: div PASSporTs.
 */
export type Capability =
  | ('verify' | 'parties' | 'sip-caller' | 'several-headers' | 'target' | 'date' | 'unsigned' | 'folding')
  | ('codes' | 'verstat' | 'reasons')
  | ('sign' | 'sign-attestation' | 'sign-origid' | 'sign-iat' | 'sign-several' | 'sign-spelling')
  | ('sign-incomplete' | 'sign-div');

/** A call as it comes to a verification service. */
export interface SentCall {
  /** Identity header values in order; none for a call without. */
  readonly identity: readonly string[];
  /** The caller's number as it is stated, canonical unless the case is about spelling. */
  readonly origTn: string;
  /** The number of To. */
  readonly destTn: string;
  /** The number of the Request-URI; default that of To. */
  readonly targetTn?: string;
  /** Whole From value without its tag, where it is not the caller's number in a SIP URI. */
  readonly from?: string;
  /** Whole To value, where it is not the called number in a SIP URI. */
  readonly to?: string;
  /** P-Asserted-Identity values; default none. */
  readonly asserted?: readonly string[];
  /** How often it is sent, one after the other; the last answer counts. Default 1. */
  readonly times?: number;
  /** The Date, seconds since the epoch. */
  readonly dateSeconds: number;
}

/** What is asked of a signing service. */
export interface SigningAsk {
  /** Left out where the case is about what is missing. */
  readonly origTn?: string;
  readonly destTn: readonly string[];
  readonly attestation?: string;
  readonly origId?: string;
  /** Seconds since the epoch. */
  readonly iatSeconds?: number;
  /** Where the certificate of the signing service is; most interfaces do not say so. */
  readonly x5u?: string;
  /** For a div: who diverts the call, and what was signed before. */
  readonly div?: { readonly divertingTn: string; readonly identity: readonly string[] };
}

/** Which answers conform. What is not mentioned is not judged; an answer there must be. */
export interface VerificationExpectation {
  /** `passed`: TN-Validation-Passed. `refused`: anything else. `answered`: the standards leave it open, but an answer there must be. */
  readonly outcome: 'passed' | 'refused' | 'answered';
  /** Values of verstat that conform. An answer without one does not; a SIP response that ends the call cannot show one and is not judged. */
  readonly verstat?: readonly Verstat[];
  /** Response codes that conform, where the interface shows them. */
  readonly codes?: readonly number[];
  /** Attestation that has to be told, where the interface tells it. */
  readonly attestation?: Attestation;
  /** What the Reason header fields have to be: causes in any order. */
  readonly reasonCauses?: readonly number[];
  /** Tokens, or their compact forms, that a `ppi` has to name. */
  readonly ppiOf?: readonly string[];
}

/** What every case has. */
export interface CaseBase {
  /** Stable for ever: written, not counted. `V-101`, `S-101`. */
  readonly number: string;
  /** What a conforming service does, as a claim. */
  readonly title: string;
  readonly group: CaseGroup;
  /** The text that decides. */
  readonly source: string;
  /** `should`: a service that does otherwise departs from a recommendation, or from what most do, and conforms nevertheless. */
  readonly level: 'must' | 'should';
  readonly needs: readonly Capability[];
}

/** A call, and what a verification service makes of it. */
export interface VerificationCase extends CaseBase {
  readonly kind: 'verification';
  /** Its repository keeps connections open: asked last, so that no other call waits for a service that limits them. */
  readonly isLast?: boolean;
  /** Sent first. A service whose answer to it has no Reason tells no failures there, and the case is not applicable to it. */
  readonly showsReason?: (setting: CaseSetting) => SentCall;
  readonly sends: (setting: CaseSetting) => SentCall;
  readonly expects: VerificationExpectation | ((call: SentCall) => VerificationExpectation);
}

/** A request to sign, and what a signing service makes of it. */
export interface SigningCase extends CaseBase {
  readonly kind: 'signing';
  readonly asks: (setting: CaseSetting) => SigningAsk;
  /** What is wrong with the answer; undefined where it conforms. */
  readonly judges: (observed: SigningAnswer, about: SigningContext) => TokenProblem | undefined;
}

/** An answer to a request to sign. */
export type SigningAnswer = Extract<Observed, { readonly kind: 'signed' | 'not-signed' }>;

/** What a signature is held against. */
export interface SigningContext {
  readonly ask: SigningAsk;
  readonly nowSeconds: number;
  readonly x5u: string;
  readonly publicKeyPem: string;
}

/** One numbered case. */
export type ConformanceCase = VerificationCase | SigningCase;

import type { Attestation, Verstat } from '@hopback/sdk/stir';
import type {
  PassportFaultContext,
  PassportOptions,
  PublishOptions,
  ServerFaultName,
  TestCertificate,
  TestKey,
  TestPki,
  TestServiceProvider,
} from '@hopback/sdk/testing';
import type { TokenProblem } from './signing/signed-token.js';

/** A provider, and where its chain is served. */
export interface PublishedCertificate<Certificate extends TestCertificate = TestCertificate> {
  readonly certificate: Certificate;
  readonly x5u: string;
}

/** The world in which a case builds its call: PKI, certificate server and clock. */
export interface CaseSetting {
  readonly nowSeconds: number;
  readonly pki: TestPki;
  /** A provider with nothing wrong. */
  readonly provider: PublishedCertificate<TestServiceProvider>;
  /** What the signing service under test was given: where its chain is, and its public key. */
  readonly signing: { readonly x5u: string; readonly publicKeyPem: string };
  /** What the catalogues of faults are built from: the provider, now, and the numbers below. */
  readonly context: PassportFaultContext;
  /** Caller and callee, kept for fiction; others for each case, so that no answer is of an earlier call. */
  readonly origTn: string;
  readonly destTn: string;
  /** Serves a chain at a URL of its own. */
  readonly publish: (chainPem: string, options?: PublishOptions) => string;
  /** A URL that misbehaves, in front of a right chain. */
  readonly publishFault: (name: ServerFaultName, chainPem: string) => string;
  /** Serves the provider's chain at this path of the certificate server, and returns the URL. */
  readonly publishAt: (path: string) => string;
  /** The same path of the same server without TLS. */
  readonly httpUrl: (x5u: string) => string;
  /** An RSA key: to make one takes a second, in which nothing else is answered. */
  readonly rsaKey: TestKey;
  /** Serial numbers that the CRL has had from the beginning. */
  readonly revokedSerials: { readonly endEntity: number; readonly ca: number };
  /** Settings of a right token of this call, with changes. */
  readonly passport: (changes?: Partial<PassportOptions>) => PassportOptions;
}

/** A Reason header field of protocol STIR. @see RFC 9410 section 4 */
export interface ReasonSeen {
  readonly cause: number;
  readonly text?: string;
  readonly ppi?: string;
}

/** What a service answered, whatever interface it has. */
export type Observed =
  | {
      readonly kind: 'verified';
      readonly isPassed: boolean;
      /** Absent where the interface does not show it. */
      readonly verstat?: Verstat;
      /** Response codes that were told. */
      readonly codes: readonly number[];
      readonly attestation?: string;
      readonly reasons: readonly ReasonSeen[];
      /** A SIP response that ended the call, and has no place for a verstat. */
      readonly isFinalResponse?: true;
      /** The answer in a few words, for reports. */
      readonly said: string;
    }
  | {
      readonly kind: 'signed';
      /** Identity header values. */
      readonly identity: readonly string[];
      readonly said: string;
    }
  | {
      readonly kind: 'not-signed';
      /** HTTP or SIP status. */
      readonly status: number;
      readonly said: string;
    }
  /** It spoke, and not as its interface has it. */
  | { readonly kind: 'not-understood'; readonly said: string }
  /** Nobody there, or not in time. */
  | {
      readonly kind: 'no-answer';
      readonly why: 'refused' | 'timeout' | 'cut';
      readonly said: string;
    };

/** The three values of verstat, without what vendors append to them. */
export const VERSTATS: readonly Verstat[] = ['TN-Validation-Passed', 'TN-Validation-Failed', 'No-TN-Validation'];

/**
 * Reads a verstat value: some vendors append the attestation, `TN-Validation-Passed-A`.
 * @param text - as it was answered
 * @returns value and attestation; undefined for what is no verstat
 * @see 3GPP TS 24.229 section 7.2A.20
 */
export function readVerstat(text: unknown): { readonly verstat: Verstat; readonly attestation?: string } | undefined {
  if (typeof text !== 'string') return undefined;
  const [, attestation] = /-([ABC])$/.exec(text) ?? [];
  const bare = attestation === undefined ? text : text.slice(0, -2);
  const verstat = VERSTATS.find((one) => one === bare);
  if (verstat === undefined) return undefined;
  return attestation === undefined ? { verstat } : { verstat, attestation };
}

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

/** Which cases are asked. What is not given leaves nothing out. */
export interface CaseSelection {
  /** Numbers, also by their beginning: `V-101`, `V-1*`. */
  readonly only?: readonly string[];
  readonly groups?: readonly CaseGroup[];
}

/**
 * The cases of a selection, in the order in which they are reported. Never throws.
 * @param cases - all there are
 * @param selection - which of them
 * @returns those that both the numbers and the groups allow
 * @see RFC 8224 section 6.2 for what cases of verification are about
 * @example
 * ```ts
 * const some = selectCases(CONFORMANCE_CASES, { only: ['V-00*'], groups: ['good-calls'] });
 * console.log(some[0]?.title); // passes a call that is attested A
 * ```
 */
export function selectCases(cases: readonly ConformanceCase[], selection: CaseSelection): readonly ConformanceCase[] {
  const { only, groups } = selection;
  return cases
    .filter(({ group }) => groups === undefined || groups.includes(group))
    .filter(({ number }) => only === undefined || only.some((pattern) => fits(number, pattern)));
}

const fits = (number: string, pattern: string): boolean =>
  pattern.endsWith('*') ? number.startsWith(pattern.slice(0, -1)) : number === pattern;

import type { Attestation, Verstat } from './telephone-number.js';

/** What is kept of one PASSporT that was looked at. */
export interface PassportEvidence {
  /** Index of the Identity header in the request, from 0. */
  readonly index: number;
  /** The PASSporT type: `shaken`, `div`, …; absent if it could not be read or the PASSporT has none. */
  readonly ppt?: string;
  /** `ignored`: a type that was not verified. */
  readonly status: 'passed' | 'failed' | 'indeterminate' | 'ignored';
  /** SHA-256 of the JWS signing input (header.payload), lower-case hex. Never of the token: its text and signature can be respelled. */
  readonly signingInputSha256?: string;
  /** URL of the certificate, as the Identity header gave it. */
  readonly x5u?: string;
  /** SHA-256 of the DER of the end-entity certificate that was used, lower-case hex. */
  readonly certificateSha256?: string;
  /** SHA-256 of the trust anchor that the path ended in. */
  readonly trustAnchorSha256?: string;
  /** Service Provider Code that the certificate speaks for, if it has exactly one. */
  readonly spc?: string;
  /** Who calls, as the PASSporT says: a number or a URI. Believed only if `status` is `passed`; so with all claims below. */
  readonly orig?: string;
  /** Who is called, as the PASSporT says. */
  readonly dest?: readonly string[];
  /** The diverting number of a div PASSporT. */
  readonly div?: string;
  /** When the PASSporT says that it was issued, seconds since the epoch. */
  readonly iatSeconds?: number;
  /** The attest claim. */
  readonly attestation?: Attestation;
  /** The origid claim. */
  readonly origId?: string;
  /** Names of the steps that passed, in the order they were made. Steps in neither list did not apply or were not reached. */
  readonly passed: readonly string[];
  /** Steps that failed, could not be decided or left a note, with both values if there are two to compare. */
  readonly exceptions: readonly {
    /** Name of the step, as listed by `VERIFICATION_STEPS`. */
    readonly step: string;
    /** `failed`; `unknown` (could not be checked); `noted` (a deviation that policy lets pass). */
    readonly result: 'failed' | 'unknown' | 'noted';
    /** The failure reason or note. */
    readonly reason: string;
    /** What the rule asked for, or the value on the other side of the comparison. */
    readonly expected?: string | number;
    /** What was found. */
    readonly actual?: string | number;
  }[];
}

/** A check that did not simply pass. */
export type EvidenceException = PassportEvidence['exceptions'][number];

/**
 * What a verification service looked at and found, compact enough to be kept with every call record and complete enough
 * that a traceback answer can be built from it. Plain JSON.
 */
export interface VerdictEvidence {
  /** Marks the form; a reader refuses others. */
  readonly format: 'hopback.verdict-evidence.1';
  /** When the verdict was given, milliseconds since the epoch, by the verifier's clock. */
  readonly checkedAtMs: number;
  /** The profile of the policy that judged the call. */
  readonly profile: 'shaken' | 'rfc8224';
  /** How old, or how far ahead, an `iat` may have been, seconds. */
  readonly freshnessSeconds: number;
  /** Which set of trust anchors and CRLs was used: the id of the trust store. */
  readonly trustStore?: string;
  /** What the verdict was. */
  readonly verstat: Verstat;
  /** The values of the request that claims were compared with, in canonical form, and where they came from. */
  readonly request: {
    readonly orig?: string;
    readonly origSource?: 'p-asserted-identity' | 'from' | 'given';
    readonly dest?: string;
    readonly destSource?: 'to' | 'request-uri' | 'given';
    /** Number of the Request-URI, if it was given. */
    readonly target?: string;
    /** The Date header, seconds since the epoch. */
    readonly dateSeconds?: number;
  };
  /** One per Identity header that was looked at, in the order of the request. */
  readonly passports: readonly PassportEvidence[];
  /** How many further Identity headers were not looked at; absent when all were. */
  readonly surplusHeaders?: number;
  /**
   * Same call, same key: SHA-256 of the signing input in its canonical spelling (RFC 8225 section 9), lower-case hex, so that
   * respelled tokens and twin signatures do not differ. Where the PASSporT was spelled so, it is its `signingInputSha256`.
   */
  readonly callKey?: string;
  /** How often this verifier has seen the call key, this time included; 1 for the first. */
  readonly seenCount?: number;
  /** When this verifier first saw the call key, milliseconds since the epoch. */
  readonly firstSeenMs?: number;
}

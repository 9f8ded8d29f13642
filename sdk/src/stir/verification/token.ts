import type { CertificateLookup } from '../certificates/repository.js';
import type { CertificatePathResult } from '../certificates/path.js';
import type { IdentityHeader } from '../identity-header.js';
import type { ParsedPassport } from '../passport.js';
import type { PassportHeaderCache } from '../passport-header.js';
import type { PassportClaims, PassportType } from '../passport-types/passport-type.js';
import type { VerificationPolicy } from './policy.js';
import type { Seen } from './replay-memory.js';
import type { RequestParties } from './request.js';
import type { StepException, StepSet } from './step.js';

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

import type { Attestation } from '../core/terms.js';
import { canonicalJson, createPassport } from './passport.js';
import type { PassportFaultContext } from './passport-faults/passport-fault.js';
import { passportOptions } from './passport-faults/passport-fault.js';
import type { SampleInviteOptions } from './passport.js';

/** A call whose PASSporTs are right. */
export interface GoodCall {
  /** Identity header values in the order in which the providers added them. */
  readonly identityHeaders: readonly string[];
  /** Attestation level of the shaken PASSporT; absent where there is none. */
  readonly attestation?: Attestation;
  /** Number of the To header: who was called first. */
  readonly toTn: string;
  /** Number of the Request-URI: where the call goes now. */
  readonly targetTn: string;
  /** The request that carries them, for {@link sampleInvite}. */
  readonly invite: SampleInviteOptions;
}

/** Names of {@link GOOD_PASSPORTS}. */
export type GoodPassportName =
  | 'shaken-a'
  | 'shaken-b'
  | 'shaken-c'
  | 'shaken-div-1'
  | 'shaken-div-2'
  | 'shaken-div-3'
  | 'shaken-div-4'
  | 'shaken-div-5'
  | 'unknown-type-beside-shaken'
  | 'junk-beside-shaken'
  | 'baseline'
  | 'baseline-compact';

/** One right call by name. */
export interface GoodPassport {
  readonly description: string;
  /** Profiles under which the call passes. */
  readonly acceptedBy: readonly ('shaken' | 'rfc8224')[];
  /** Writes the call. */
  readonly build: (context: PassportFaultContext) => GoodCall;
}

/** The catalogue of calls that a verifier passes. @see RFC 8588, RFC 8946 section 5, RFC 8224 section 6.2.1 */
export const GOOD_PASSPORTS: Readonly<Record<GoodPassportName, GoodPassport>> = {
  'shaken-a': shaken('A', 'full attestation'),
  'shaken-b': shaken('B', 'partial attestation'),
  'shaken-c': shaken('C', 'gateway attestation'),
  'shaken-div-1': diverted(1),
  'shaken-div-2': diverted(2),
  'shaken-div-3': diverted(3),
  'shaken-div-4': diverted(4),
  'shaken-div-5': diverted(5),
  'unknown-type-beside-shaken': beside(
    'a PASSporT of a type that nobody knows comes first',
    (context) => createPassport(passportOptions(context, { ppt: 'tomorrow' })).identityHeader,
  ),
  'junk-beside-shaken': beside('an Identity header that is no PASSporT comes first', () => 'junk'),
  baseline: {
    description: 'no type at all, full form',
    acceptedBy: ['rfc8224'],
    build: (context) => call(context, [createPassport(passportOptions(context, { ppt: 'absent' })).identityHeader]),
  },
  'baseline-compact': {
    description: 'no type at all, compact form: the verifier rebuilds header and payload from the request',
    acceptedBy: ['rfc8224'],
    build: (context) => call(context, [compactIdentityHeader(context)]),
  },
};

/** Names of {@link GOOD_PASSPORTS}, for tests that go through all of them. */
export const GOOD_PASSPORT_NAMES: readonly GoodPassportName[] = Object.keys(GOOD_PASSPORTS) as GoodPassportName[];

/**
 * A call that was diverted `diversions` times: a shaken PASSporT for the first callee and one div PASSporT a diversion. Never throws
 * for a context of {@link createPassportFaultContext}.
 * @param context - the call before any diversion
 * @param diversions - 0 or more; the n-th goes to {@link divertedTn} of n
 * @returns the call as it arrives at its last target
 * @see RFC 8946 section 4
 * @example
 * ```ts
 * const signer = (await createTestPki()).issueServiceProvider({ spc: '1234' });
 * const context = createPassportFaultContext({ signer, x5u: 'https://certs.example/1234.pem' });
 * const { identityHeaders, toTn, targetTn } = divertedCall(context, 2);
 * console.log(identityHeaders.length, toTn, targetTn); // 3 12025550199 13035550102
 * ```
 */
export function divertedCall(context: PassportFaultContext, diversions: number): GoodCall {
  const shakenHeader = createPassport(passportOptions(context, {})).identityHeader;
  const divHeaders = Array.from({ length: diversions }, (_, index) => {
    const change = { ppt: 'div', divTn: divertedTn(context, index), destTn: divertedTn(context, index + 1) };
    return createPassport(passportOptions(context, change)).identityHeader;
  });
  return call(context, [shakenHeader, ...divHeaders], { attestation: 'A', targetTn: divertedTn(context, diversions) });
}

/**
 * Where the call goes after so many diversions: the callee of the context for 0, then other numbers kept for fiction. Never throws.
 * @param context - the call before any diversion
 * @param diversions - 0 to 99, the last number kept for fiction
 * @returns the number in canonical form
 * @see RFC 8946 section 4
 * @example
 * ```ts
 * console.log(divertedTn({ destTn: TEST_DEST_TN }, 1)); // 13035550101
 * ```
 */
export function divertedTn(context: Pick<PassportFaultContext, 'destTn'>, diversions: number): string {
  if (diversions === 0) return context.destTn;
  return `1303555${String(100 + diversions).padStart(4, '0')}`;
}

function shaken(attestation: Attestation, description: string): GoodPassport {
  return {
    description: `one shaken PASSporT, ${description}`,
    acceptedBy: ['shaken', 'rfc8224'],
    build: (context) =>
      call(context, [createPassport(passportOptions(context, { attest: attestation })).identityHeader], {
        attestation,
      }),
  };
}

function diverted(diversions: number): GoodPassport {
  return {
    description: `a shaken PASSporT and ${diversions} of type div above it`,
    acceptedBy: ['shaken', 'rfc8224'],
    build: (context) => divertedCall(context, diversions),
  };
}

function beside(description: string, other: (context: PassportFaultContext) => string): GoodPassport {
  return {
    description: `a shaken PASSporT; ${description}`,
    acceptedBy: ['shaken', 'rfc8224'],
    build: (context) => {
      const identityHeaders = [other(context), createPassport(passportOptions(context, {})).identityHeader];
      return call(context, identityHeaders, { attestation: 'A' });
    },
  };
}

function compactIdentityHeader(context: PassportFaultContext): string {
  const { x5u, destTn, origTn, nowSeconds } = context;
  const { token, identityHeader } = createPassport(
    passportOptions(context, {
      ppt: 'absent',
      headerText: canonicalJson({ alg: 'ES256', typ: 'passport', x5u }),
      payloadText: canonicalJson({ dest: { tn: [destTn] }, iat: nowSeconds, orig: { tn: origTn } }),
    }),
  );
  return `..${token.slice(token.lastIndexOf('.') + 1)}${identityHeader.slice(token.length)}`;
}

function call(
  context: PassportFaultContext,
  identityHeaders: readonly string[],
  more: { readonly attestation?: Attestation; readonly targetTn?: string } = {},
): GoodCall {
  const targetTn = more.targetTn ?? context.destTn;
  return {
    identityHeaders,
    ...(more.attestation === undefined ? {} : { attestation: more.attestation }),
    toTn: context.destTn,
    targetTn,
    invite: {
      identityHeaders,
      origTn: context.origTn,
      destTn: context.destTn,
      requestUri: `sip:+${targetTn}@terminating.example;user=phone`,
      dateMs: context.nowSeconds * 1000,
    },
  };
}

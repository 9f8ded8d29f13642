import { base64url, signJws } from './compact-jws.js';
import { TEST_NOW_MS } from './manual-clock.js';
import { writeIdentityHeader } from './identity-header-text.js';
import type { IdentityHeaderOptions } from './identity-header-text.js';
import type { TestKey } from './test-key.js';

/** The number that calls by default: of the range reserved for fiction, 555-0100 to 555-0199. */
export const TEST_ORIG_TN = '12025550101';
/** The number that is called by default. */
export const TEST_DEST_TN = '12025550199';
/** The origid of default tokens. */
export const TEST_ORIG_ID = '123e4567-e89b-12d3-a456-426655440000';

/** Settings of {@link createPassport}. Whatever is not mentioned makes a right token. */
export interface PassportOptions {
  /** Whose key signs; a {@link TestCertificate} fits. */
  readonly signer: { readonly key: TestKey };
  readonly x5u: string;
  /** PASSporT type, default `shaken`; `'absent'` writes none. */
  readonly ppt?: string;
  readonly attest?: unknown;
  /** Default {@link TEST_ORIG_TN}. */
  readonly origTn?: string;
  /** Default {@link TEST_DEST_TN}. */
  readonly destTn?: string;
  /** Default {@link TEST_NOW_MS} in seconds. */
  readonly iatSeconds?: unknown;
  readonly origId?: unknown;
  /** The number that the call was diverted from, for `div`. */
  readonly divTn?: string;
  /** Further header parameters, or other values; `undefined` removes one. */
  readonly header?: Readonly<Record<string, unknown>>;
  /** Further claims, or other values; `undefined` removes one. */
  readonly claims?: Readonly<Record<string, unknown>>;
  /** The text of the JOSE header as it stands, in place of all that would make it. */
  readonly headerText?: string;
  /** The text of the payload as it stands. */
  readonly payloadText?: string;
  /** Makes something else of the signature: given the right one (r then s), returns the one to write. */
  readonly alterSignature?: (signature: Uint8Array) => Uint8Array;
  /** How the Identity header is written around the token. */
  readonly identityHeader?: IdentityHeaderOptions;
}

/** A PASSporT, taken apart, and an Identity header value with it. */
export interface TestPassport {
  /** Full form: `header.payload.signature`. */
  readonly token: string;
  /** Value of an Identity header: token, info, alg and ppt. */
  readonly identityHeader: string;
  readonly headerText: string;
  readonly payloadText: string;
  readonly signingInput: string;
  readonly signature: Uint8Array;
}

/**
 * Builds a PASSporT with nothing of the library's own signer: keys in lexicographic order, no whitespace, ES256 by
 * node:crypto. Right by default; every part can be replaced.
 * @param options - signer and x5u, and what is to be otherwise than right
 * @returns the token in its parts, and an Identity header value with it
 * @throws what node:crypto throws when the signer's key is no EC key
 * @see RFC 8225 sections 4, 5 and 9, RFC 8588 section 4, RFC 8946 section 3
 * @example
 * ```ts
 * const signer = (await createTestPki()).issueServiceProvider({ spc: '1234' });
 * const { payloadText } = createPassport({ signer, x5u: 'https://certs.example/1234.pem', attest: 'B' });
 * console.log(payloadText.slice(0, 40)); // {"attest":"B","dest":{"tn":["12025550199
 * ```
 */
export function createPassport(options: PassportOptions): TestPassport {
  const { x5u } = options;
  const ppt = options.ppt ?? 'shaken';
  const header = { alg: 'ES256', ppt: ppt === 'absent' ? undefined : ppt, typ: 'passport', x5u, ...options.header };
  const headerText = options.headerText ?? canonicalJson(header);
  const payloadText = options.payloadText ?? canonicalJson({ ...defaultClaims(ppt, options), ...options.claims });
  const signingInput = `${base64url(headerText)}.${base64url(payloadText)}`;
  const rightSignature = signJws(signingInput, options.signer.key.privateKey);
  const signature = options.alterSignature?.(rightSignature) ?? rightSignature;
  const token = `${signingInput}.${base64url(signature)}`;
  const identityHeader = writeIdentityHeader(token, {
    info: x5u,
    ...(ppt === 'absent' ? {} : { ppt }),
    ...options.identityHeader,
  });
  return { token, identityHeader, headerText, payloadText, signingInput, signature };
}

/**
 * JSON with the keys of every object in lexicographic order and no whitespace; members that are `undefined` left out. A second
 * implementation beside that of `@hopback/sdk/stir`, so that tests do not hold the library against itself.
 * @param value - what JSON can hold, of any depth
 * @returns the text that is signed
 * @throws what JSON.stringify throws for a cycle or a bigint
 * @see RFC 8225 section 9
 * @example
 * ```ts
 * console.log(canonicalJson({ orig: { tn: '12025550101' }, iat: 1793620800 })); // {"iat":1793620800,"orig":{"tn":"12025550101"}}
 * ```
 */
export function canonicalJson(value: unknown): string {
  return JSON.stringify(value, (_key, member: unknown) => {
    if (typeof member !== 'object' || member === null || Array.isArray(member)) return member;
    return Object.fromEntries(Object.entries(member).sort(([left], [right]) => (left < right ? -1 : 1)));
  });
}

function defaultClaims(ppt: string, options: PassportOptions): Record<string, unknown> {
  const base = {
    dest: { tn: [options.destTn ?? TEST_DEST_TN] },
    iat: options.iatSeconds ?? Math.floor(TEST_NOW_MS / 1000),
    orig: { tn: options.origTn ?? TEST_ORIG_TN },
  };
  if (ppt === 'shaken') return { ...base, attest: options.attest ?? 'A', origid: options.origId ?? TEST_ORIG_ID };
  if (ppt === 'div' || ppt === 'div-o') return { ...base, div: { tn: options.divTn ?? TEST_DEST_TN } };
  return base;
}

import { createPublicKey, verify } from 'node:crypto';

/** What is wrong with a signature, or with an answer: a sentence. */
export type TokenProblem = string;

/** An Identity header value that a service signed, in its parts; nothing of it is judged yet. */
export interface SignedToken {
  /** Parameters as written, quotes and brackets included; names in lower case. */
  readonly parameters: ReadonlyMap<string, string>;
  readonly headerText: string;
  readonly payloadText: string;
  readonly header: Readonly<Record<string, unknown>>;
  readonly claims: Readonly<Record<string, unknown>>;
  readonly signingInput: string;
  readonly signature: Uint8Array;
}

/** Value read, or why not. */
export type ReadToken =
  | { readonly status: 'read'; readonly token: SignedToken }
  | { readonly status: 'malformed'; readonly problem: TokenProblem };

/** base64url without padding. @see RFC 7515 section 2 */
const SEGMENT = /^[A-Za-z0-9_-]+$/;

/**
 * Takes an Identity header value apart. A reader of its own beside that of `@hopback/sdk/stir`, so that no signer is held against itself.
 * @param value - as a service returned it
 * @returns its parts, or what is wrong; never throws for what a service sends
 * @see RFC 8224 section 4, RFC 7515 section 7.1
 */
export function readSignedToken(value: string): ReadToken {
  const [token = '', ...parameters] = value.split(';').map((part) => part.trim());
  const segments = token.split('.');
  const [header = '', payload = '', signature = ''] = segments;
  if (segments.length !== 3) return malformed('the token has not three segments');
  const decoded = segments.map((segment) => decodeSegment(segment));
  const [headerText, payloadText] = decoded;
  if (headerText === undefined || payloadText === undefined || decoded[2] === undefined)
    return malformed('a segment is not base64url without padding');
  const [headerJson, claims] = [jsonObject(headerText), jsonObject(payloadText)];
  if (headerJson === undefined) return malformed('the header is no JSON object');
  if (claims === undefined) return malformed('the payload is no JSON object');
  return {
    status: 'read',
    token: {
      headerText,
      payloadText,
      header: headerJson,
      claims,
      parameters: new Map(parameters.map((parameter) => nameAndValue(parameter))),
      signingInput: `${header}.${payload}`,
      signature: Buffer.from(signature, 'base64url'),
    },
  };
}

const malformed = (problem: TokenProblem): ReadToken => ({ status: 'malformed', problem });

function decodeSegment(segment: string): string | undefined {
  if (!SEGMENT.test(segment)) return undefined;
  const octets = Buffer.from(segment, 'base64url');
  return octets.toString('base64url') === segment ? octets.toString('utf8') : undefined;
}

function jsonObject(text: string): Readonly<Record<string, unknown>> | undefined {
  try {
    const value: unknown = JSON.parse(text);
    return typeof value === 'object' && value !== null && !Array.isArray(value)
      ? (value as Readonly<Record<string, unknown>>)
      : undefined;
  } catch {
    return undefined;
  }
}

function nameAndValue(parameter: string): readonly [string, string] {
  const at = parameter.indexOf('=');
  return at < 0
    ? [parameter.toLowerCase(), '']
    : [parameter.slice(0, at).trim().toLowerCase(), parameter.slice(at + 1).trim()];
}

/** Whether an ES256 signature, r before s, verifies. Never throws for what a service sends. @see RFC 7518 section 3.4 */
export function isSignedBy({ signingInput, signature }: SignedToken, publicKeyPem: string): boolean {
  if (signature.length !== 64) return false;
  const key = { key: createPublicKey(publicKeyPem), dsaEncoding: 'ieee-p1363' } as const;
  return verify('sha256', Buffer.from(signingInput), key, signature);
}

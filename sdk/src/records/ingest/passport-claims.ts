import { decodeBase64UrlText } from '../../core/base64url.js';
import { parseBoundedJson } from '../../core/json-text.js';
import type { JsonObject, JsonValue } from '../../core/json-text.js';
import type { Attestation } from '../../core/terms.js';

/** What a shaken PASSporT says of a call. Nobody has verified it: it is what came in, no verdict about it. */
export interface PassportClaims {
  readonly attestation?: Attestation;
  readonly origId?: string;
  readonly iatSeconds?: number;
}

/** Longest token that is looked at, as SIP stacks bound a header line. */
const MAX_TOKEN_CHARS = 8_192;
/** An origid is a UUID of 36 characters; some signers write other opaque text. */
const MAX_ORIG_ID_CHARS = 128;

/**
 * Reads attestation, origid and iat out of the first Identity header that carries a shaken PASSporT in full form. The signature is
 * not looked at and no certificate is fetched, hence there is no verstat and no SPC: those a verification alone can tell.
 * Never throws for peer input.
 * @param identities - Identity header values, one PASSporT each
 * @returns undefined where none is a readable shaken PASSporT
 * @see RFC 8225, RFC 8588
 * @example
 * ```ts
 * const signer = (await createTestPki()).issueServiceProvider({ spc: '1234' });
 * const { identityHeader } = createPassport({ signer, x5u: 'https://certs.example/1234.pem' });
 * console.log(shakenClaims([identityHeader])?.attestation); // A
 * ```
 */
export function shakenClaims(identities: readonly string[]): PassportClaims | undefined {
  for (const identity of identities) {
    const claims = claimsOf(identity);
    if (claims !== undefined) return claims;
  }
  return undefined;
}

function claimsOf(identity: string): PassportClaims | undefined {
  const end = identity.indexOf(';');
  const token = (end < 0 ? identity : identity.slice(0, end)).trim();
  if (token.length > MAX_TOKEN_CHARS) return undefined;
  const [header = '', payload = '', signature, ...more] = token.split('.', 4);
  if (signature === undefined || more.length > 0) return undefined;
  if (segment(header)?.['ppt'] !== 'shaken') return undefined;
  const claims = segment(payload);
  if (claims === undefined) return undefined;
  const attest = claims['attest'];
  const origId = claims['origid'];
  const iat = claims['iat'];
  return {
    ...(attest === 'A' || attest === 'B' || attest === 'C' ? { attestation: attest } : undefined),
    ...(typeof origId === 'string' && origId !== '' && origId.length <= MAX_ORIG_ID_CHARS ? { origId } : undefined),
    ...(typeof iat === 'number' && Number.isSafeInteger(iat) && iat > 0 ? { iatSeconds: iat } : undefined),
  };
}

function segment(text: string): JsonObject | undefined {
  const decoded = text === '' ? undefined : decodeBase64UrlText(text);
  const parsed = decoded === undefined ? undefined : parseBoundedJson(decoded);
  return parsed?.status === 'parsed' && isObject(parsed.value) ? parsed.value : undefined;
}

function isObject(value: JsonValue): value is JsonObject {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

import { decodeBase64Url } from '../../core/base64url.js';
import type { JsonObject } from '../../core/json-text.js';
import type { X5uRefusal } from '../certificates/repository.js';
import { checkX5uUrl } from '../certificates/x5u-url-policy.js';
import { ES256_SIGNATURE_OCTETS } from '../es256.js';
import { parseIdentityHeader } from '../identity-header.js';
import type { IdentityHeader } from '../identity-header.js';
import { isCompactForm, parsePassport } from '../passport.js';
import type { PassportHeader } from '../passport-header.js';
import { PASSPORT_TYPES, passportTypeRegistry } from '../passport-types/registry.js';

/**
 * Whether an Identity header value has everything that makes one speak for a caller, short of being true. Full form: ES256,
 * `passport`, no extension to be understood, a URL that may be fetched and that `info` does not contradict, a type that speaks for
 * callers or continues what does, its claims in their shape, 64 octets of signature. Compact form, whose claims are the request's:
 * `info` and 64 octets.
 *
 * Nothing is verified: certificate and signature may be anybody's, the claims may be of another call.
 * @param value - one Identity header value
 * @returns never throws for peer input
 * @see RFC 8224 sections 4 and 4.1, RFC 8225 sections 4 to 7
 */
export function speaksForCaller(value: string): boolean {
  const parsed = parseIdentityHeader(value);
  if (parsed.status === 'malformed') return false;
  const { token, alg = 'ES256', infoMalformed } = parsed.identityHeader;
  if (alg !== 'ES256' || infoMalformed) return false;
  return isCompactForm(token) ? isCompactStatement(parsed.identityHeader) : isFullStatement(parsed.identityHeader);
}

/** What can be told of the compact form: a type that has one, where the certificate is, and as many octets as a signature has. */
function isCompactStatement({ token, info, ppt }: IdentityHeader): boolean {
  if (info === undefined || SPEAKING_TYPES.get(ppt)?.compactForm !== true) return false;
  const signature = decodeBase64Url(token.slice(token.lastIndexOf('.') + 1));
  return signature?.length === ES256_SIGNATURE_OCTETS && isPlausible(info);
}

function isFullStatement(identityHeader: IdentityHeader): boolean {
  const parsed = parsePassport(identityHeader.token);
  if (parsed.status === 'malformed') return false;
  const { header, payload, signature } = parsed.passport;
  if (signature.length !== ES256_SIGNATURE_OCTETS || !isSound(header, identityHeader)) return false;
  const { ppt } = header;
  if (ppt === 'div-o') return isDivWithOriginal(payload);
  const type = ppt === undefined || typeof ppt === 'string' ? SPEAKING_TYPES.get(ppt) : undefined;
  return type?.readClaims(payload).status === 'read';
}

/** A div, and what it diverts in `opt`. It is not verified here, and speaks for the caller all the same. @see RFC 8946 section 5 */
function isDivWithOriginal(payload: JsonObject): boolean {
  const { opt, ...claims } = payload;
  return typeof opt === 'string' && opt !== '' && SPEAKING_TYPES.get('div')?.readClaims(claims).status === 'read';
}

/** The header that verifiers take, and parameters that do not contradict it. */
function isSound(header: PassportHeader, { info, ppt }: IdentityHeader): boolean {
  const { alg, typ, x5u, crit, b64 } = header;
  if (alg !== 'ES256' || typ !== 'passport' || crit !== undefined || b64 !== undefined) return false;
  if (ppt !== undefined && ppt !== header.ppt) return false;
  return typeof x5u === 'string' && (info === undefined || info === x5u) && isPlausible(x5u);
}

/**
 * A URL that a verifier somewhere goes to. Which names, addresses and ports laboratories permit beside the public ones is not known
 * here, and asking for public ones would stop nobody: whoever makes things up makes up a public name.
 */
function isPlausible(url: string): boolean {
  const checked = checkX5uUrl(url);
  return checked.status === 'permitted' || (LIFTED_IN_LABORATORIES.has(checked.reason) && URL.canParse(url));
}

/** What an `X5uAllowList` makes exceptions from. */
const LIFTED_IN_LABORATORIES: ReadonlySet<X5uRefusal> = new Set([
  'address-special-purpose',
  'host-not-permitted',
  'port-not-permitted',
]);

/** Types that only add a statement leave the caller to others. */
const SPEAKING_TYPES = passportTypeRegistry(PASSPORT_TYPES.filter((type) => type.role !== 'annotation'));

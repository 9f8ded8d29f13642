import type { Draft } from '../core/text.js';
import type { JsonObject, JsonValue } from '../core/json-text.js';
import { ES256_SIGNATURE_OCTETS } from './es256.js';
import { parseIdentityHeader } from './identity-header.js';
import type { IdentityHeader } from './identity-header.js';
import {
  canonicalJson,
  isCompactForm,
  parsePassport,
  rebuildCompactPassport,
  PASSPORT_TYPES,
  passportTypeRegistry,
} from './passport.js';
import type { CompactClaims, ParsedPassport } from './passport.js';
import { shortJson } from './passport-types/passport-type.js';
import { DEFAULT_VERIFICATION_POLICY } from './verification/policy.js';
import { destClaim, readParties } from './verification/request.js';
import type { PartyOptions, VerificationRequest } from './verification/request.js';

/** Result of {@link compactIdentityHeader}. */
export type CompactFormResult =
  | {
      readonly status: 'compact';
      /** The value with `..signature` in place of the PASSporT; its parameters stay as they were written. */
      readonly identityHeader: string;
    }
  | {
      readonly status: 'refused';
      /** Why the value has no compact form for the request. */
      readonly reason:
        /** It is no Identity header value, or what it carries is no PASSporT. */
        | 'identity-header-too-long'
        | 'identity-header-malformed'
        | 'base64url-invalid'
        | 'json-malformed'
        | 'json-duplicate-key'
        | 'json-too-deep'
        | 'json-too-large'
        | 'json-forbidden-key'
        /** It is in compact form. */
        | 'already-compact'
        /** Its type has claims that no request states, as shaken has attest and origid; or it is not a type that is verified here. */
        | 'type-needs-full-form'
        /** There is no `info` as `<URL>`, from which the x5u would be rebuilt. */
        | 'info-unusable'
        /** The JOSE header is not ES256, `passport` and the URL of info, and nothing else. */
        | 'header-differs'
        /** The signature does not have 64 octets. */
        | 'signature-malformed'
        /** The iat is not the Date of the request. */
        | 'date-differs'
        /** The orig is not the caller as the request names it, in canonical form. */
        | 'orig-differs'
        /** The dest is not the called party as the request names it, in canonical form. */
        | 'dest-differs'
        /** There are other claims. */
        | 'claims-differ'
        /** Header or payload are not spelled as RFC 8225 section 9 has it, which is how they would be rebuilt. */
        | 'spelling-differs';
      /** For people: what stands in the way. */
      readonly detail: string;
      /** What would be rebuilt from the request, where that is what differs. May hold a telephone number. */
      readonly expected?: string;
      /** What the PASSporT has instead. May hold a telephone number. */
      readonly actual?: string;
    };

/**
 * Writes a full-form Identity header value in compact form, for one request: header and payload are left out, and whoever
 * verifies rebuilds them. Refused wherever that would not give the signed characters back: a shaken or div PASSporT never has a
 * compact form. Whether the signature is good is not looked at. Verifiers of profile `shaken` take no compact form from anybody.
 * @param value - one Identity header value in full form
 * @param request - the request that is to carry it, its Date included
 * @param options - how the verifier reads the parties of a request; a {@link VerificationPolicy} fits. Default that of the default
 * policy
 * @returns `compact` with the value, or `refused` with the reason; never throws for peer input
 * @see RFC 8224 sections 4 and 4.1, RFC 8225 section 7
 * @example
 * ```ts
 * const pki = new TestPki();
 * const signer = pki.issueServiceProvider({ spc: '1234' });
 * const parties = { origTn: '12025550101', destTn: '12025550199', iatSeconds: 1289690940 };
 * const plain = createPassport({ signer, x5u: 'https://certs.example/1234.pem', ppt: 'absent', ...parties });
 * const request = {
 *   from: '<sip:+12025550101@a.example>;tag=1',
 *   to: '<sip:+12025550199@b.example>',
 *   date: 'Sat, 13 Nov 2010 23:29:00 GMT',
 * };
 * const result = compactIdentityHeader(plain.identityHeader, request);
 * // Two dots, 86 characters of signature, and the parameters.
 * if (result.status === 'compact') console.log(result.identityHeader.slice(88)); // ;info=<https://certs.example/1234.pem>;alg=ES256
 * ```
 */
export function compactIdentityHeader(
  value: string,
  request: Omit<VerificationRequest, 'identity'>,
  options: PartyOptions = DEFAULT_VERIFICATION_POLICY,
): CompactFormResult {
  const parsed = parseIdentityHeader(value);
  if (parsed.status === 'malformed') return refused(parsed.reason, parsed.detail);
  const { token } = parsed.identityHeader;
  if (isCompactForm(token)) return refused('already-compact', 'There is no header and payload to leave out.');
  const full = parsePassport(token);
  if (full.status === 'malformed') return refused(full.reason, full.detail);
  const claims = claimsOfRequest(parsed.identityHeader, request, options);
  const refusal = headerRefusal(full.passport, parsed.identityHeader) ?? payloadRefusal(full.passport, claims);
  if (refusal !== undefined) return refusal;
  const compact = `.${token.slice(token.lastIndexOf('.'))}`;
  return isRebuilt(compact, claims, full.passport)
    ? { status: 'compact', identityHeader: value.replace(token, () => compact) }
    : refused('spelling-differs', 'Header or payload have white space, escapes or another order of members.');
}

/** Asks the verifier's own rebuilding, so that whatever comes to differ is refused. */
function isRebuilt(compact: string, claims: Partial<CompactClaims>, full: ParsedPassport): boolean {
  const { x5u, iatSeconds, orig, dest } = claims;
  if (x5u === undefined || iatSeconds === undefined || orig === undefined || dest === undefined) return false;
  const rebuilt = rebuildCompactPassport(compact, {
    ...claims,
    x5u,
    iatSeconds,
    orig,
    dest,
  });
  return rebuilt.status === 'parsed' && rebuilt.passport.signingInput === full.signingInput;
}

/** What a verifier will have to rebuild the PASSporT from; without what the request does not state. */
function claimsOfRequest(
  { info, ppt }: IdentityHeader,
  request: Omit<VerificationRequest, 'identity'>,
  options: PartyOptions,
): Partial<CompactClaims> {
  const { orig, dest, dateSeconds } = readParties({ ...request, identity: [] }, options);
  const claims: Draft<Partial<CompactClaims>> = {};
  if (info !== undefined) claims.x5u = info;
  if (ppt !== undefined) claims.ppt = ppt;
  if (dateSeconds !== undefined) claims.iatSeconds = dateSeconds;
  if (orig !== undefined) claims.orig = { [orig.kind]: orig.value };
  if (dest.length > 0) claims.dest = destClaim(dest);
  return claims;
}

type Refusal = Extract<CompactFormResult, { status: 'refused' }>;

/** Why a value has no compact form for a request. */
export type CompactFormRefusal = Refusal['reason'];

function headerRefusal(full: ParsedPassport, { info, ppt, alg = 'ES256' }: IdentityHeader): Refusal | undefined {
  if (TYPES.get(ppt)?.compactForm !== true) {
    const values = { expected: 'no ppt', actual: ppt ?? 'absent' };
    return refused('type-needs-full-form', 'A request does not state the claims of this type.', values);
  }
  if (info === undefined) return refused('info-unusable', 'The x5u is rebuilt from info, and there is no info=<URL>.');
  if (alg !== 'ES256') {
    return refused('header-differs', 'The alg parameter is of another algorithm.', { expected: 'ES256', actual: alg });
  }
  const header = { alg: 'ES256', ...(ppt === undefined ? undefined : { ppt }), typ: 'passport', x5u: info };
  const name = differentMember(header, full.header.members);
  if (name !== undefined) {
    const values = bothValues(name, header, full.header.members);
    return refused('header-differs', `The header would be rebuilt with another ${name}.`, values);
  }
  const octets = full.signature.length;
  if (octets === ES256_SIGNATURE_OCTETS) return undefined;
  const lengths = { expected: String(ES256_SIGNATURE_OCTETS), actual: String(octets) };
  return refused('signature-malformed', 'An ES256 signature has 64 octets.', lengths);
}

function payloadRefusal(full: ParsedPassport, claims: Partial<CompactClaims>): Refusal | undefined {
  const { iatSeconds: iat, orig, dest } = claims;
  const payload: JsonObject = {
    ...(dest === undefined ? undefined : { dest }),
    ...(iat === undefined ? undefined : { iat }),
    ...(orig === undefined ? undefined : { orig }),
  };
  const name = differentMember(payload, full.payload, ['iat', 'orig', 'dest']);
  if (name === undefined) return undefined;
  const values = bothValues(name, payload, full.payload);
  return refused(reasonOf(name), `The request would have another ${name} rebuilt.`, values);
}

function reasonOf(claim: string): CompactFormRefusal {
  switch (claim) {
    case 'iat':
      return 'date-differs';
    case 'orig':
      return 'orig-differs';
    case 'dest':
      return 'dest-differs';
    default:
      return 'claims-differ';
  }
}

/** The first member that is not the same in both; one that must be there and is in neither counts as well. */
function differentMember(
  expected: JsonObject,
  actual: JsonObject,
  required: readonly string[] = [],
): string | undefined {
  return [...required, ...Object.keys(expected), ...Object.keys(actual)].find((name) => {
    const one = memberOf(expected, name);
    const other = memberOf(actual, name);
    return one === undefined || other === undefined || canonicalJson(one) !== canonicalJson(other);
  });
}

/** A PASSporT may have a member `constructor`; an object that we write has none of its own. */
const memberOf = (object: JsonObject, name: string): JsonValue | undefined =>
  Object.hasOwn(object, name) ? object[name] : undefined;

const bothValues = (name: string, expected: JsonObject, actual: JsonObject): RefusalValues => ({
  expected: shown(memberOf(expected, name)),
  actual: shown(memberOf(actual, name)),
});

const shown = (value: JsonValue | undefined): string => (value === undefined ? 'absent' : shortJson(value));

interface RefusalValues {
  readonly expected: string;
  readonly actual: string;
}

const refused = (reason: CompactFormRefusal, detail: string, values?: RefusalValues): Refusal => ({
  status: 'refused',
  reason,
  detail,
  ...values,
});

const TYPES = passportTypeRegistry(PASSPORT_TYPES);

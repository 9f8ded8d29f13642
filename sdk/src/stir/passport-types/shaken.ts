import type { JsonObject } from '../../core/json-text.js';
import type { Attestation } from '../../core/terms.js';
import { readCanonicalShaken } from './canonical-shaken.js';
import { closeClaims, malformedClaim, openClaims, readDest, readIat, readParty, shortJson } from './passport-type.js';
import type { ClaimReader, PassportType } from './passport-type.js';

/**
 * The SHAKEN PASSporT: an originating provider attests to a calling number.
 * @see RFC 8588
 */
export const shaken: PassportType = {
  ppt: 'shaken',
  role: 'caller',
  compactForm: false,
  section: 'RFC 8588',
  readCanonical: readCanonicalShaken,
  readClaims(payload) {
    const reader = openClaims(payload, REQUIRED);
    const claims = {
      iatSeconds: readIat(reader),
      orig: readParty(reader, 'orig'),
      dest: readDest(reader),
      attestation: readAttest(reader),
      origId: readOrigId(reader),
    };
    return closeClaims(reader, claims);
  },
};

/** What a SHAKEN PASSporT says. @see RFC 8588 */
export interface ShakenClaims {
  /** How well the signing provider knows the caller. */
  readonly attestation: Attestation;
  /** The calling number in canonical form: country code and number, digits alone. */
  readonly origTn: string;
  /** The called numbers in canonical form; may be empty where `destUri` is not. */
  readonly destTn: readonly string[];
  /** Called parties that are no numbers. */
  readonly destUri?: readonly string[];
  /** Whole seconds since the epoch. */
  readonly iatSeconds: number;
  /** Opaque, a UUID as a rule: finds the call, or the customer, again in a traceback. */
  readonly origId: string;
}

/**
 * Payload of a SHAKEN PASSporT, members in the order they are signed. Writes what it is told and checks nothing of it: the
 * authentication service does, before it signs. Never throws.
 * @param claims - attestation, both parties, time and origid
 * @returns the payload; {@link canonicalJson} makes it the text that is signed
 * @see RFC 8588 section 6
 * @example
 * ```ts
 * const payload = shakenPayload({
 *   attestation: 'A',
 *   origTn: '12025550101',
 *   destTn: ['12025550199'],
 *   iatSeconds: 1443208345,
 *   origId: '123e4567-e89b-12d3-a456-426655440000',
 * });
 * console.log(shaken.readClaims(payload).status); // read
 * ```
 */
export function shakenPayload(claims: ShakenClaims): JsonObject {
  const dest: JsonObject = {
    ...(claims.destTn.length === 0 ? undefined : { tn: claims.destTn }),
    ...(claims.destUri === undefined ? undefined : { uri: claims.destUri }),
  };
  return {
    attest: claims.attestation,
    dest,
    iat: claims.iatSeconds,
    orig: { tn: claims.origTn },
    origid: claims.origId,
  };
}

const REQUIRED = ['attest', 'dest', 'iat', 'orig', 'origid'] as const;

/** An origid is meant to be a UUID (36 characters); it is opaque, so anything bounded and not empty is taken. */
const MAX_ORIGID_CHARS = 128;

/** The whole value must be one letter: a verifier that looks at the first letter only takes "Denied" for a D-something. */
function readAttest(reader: ClaimReader): Attestation {
  const attest = reader.payload['attest'];
  if (attest === 'A' || attest === 'B' || attest === 'C') return attest;
  if (attest !== undefined) {
    const problem = { claim: 'attest', expected: '"A", "B" or "C"', actual: shortJson(attest) };
    reader.problems.push({ reason: 'attest-invalid', ...problem });
  }
  return 'C';
}

function readOrigId(reader: ClaimReader): string {
  const origid = reader.payload['origid'];
  if (typeof origid === 'string' && origid !== '' && origid.length <= MAX_ORIGID_CHARS) return origid;
  if (origid !== undefined) {
    reader.problems.push(malformedClaim('origid', `1 to ${String(MAX_ORIGID_CHARS)} characters`, origid));
  }
  return '';
}

import type { JsonObject } from '../../core/json-text.js';
import { closeClaims, openClaims, readDest, readIat, readParty, shortJson } from './passport-type.js';
import type { ClaimReader, PassportType } from './passport-type.js';

/**
 * The div PASSporT: a retargeting provider states from which called number the call was diverted.
 * @see RFC 8946
 */
export const div: PassportType = {
  ppt: 'div',
  role: 'diversion',
  compactForm: false,
  section: 'RFC 8946',
  readClaims(payload) {
    const reader = openClaims(payload, CLAIMS);
    refuseOthers(reader);
    const claims = {
      iatSeconds: readIat(reader),
      orig: readParty(reader, 'orig'),
      dest: readDest(reader),
      div: readParty(reader, 'div', ['hi']),
    };
    return closeClaims(reader, claims);
  },
};

/** What a div PASSporT says. @see RFC 8946 */
export interface DivClaims {
  /** The calling number, as in the PASSporT below, in canonical form. */
  readonly origTn: string;
  /** Where the call goes now, in canonical form: at least one number. */
  readonly destTn: readonly string[];
  /** The number that diverted the call: the dest of the PASSporT below. */
  readonly divTn: string;
  /** When it was diverted, whole seconds since the epoch. */
  readonly iatSeconds: number;
}

/**
 * Payload of a div PASSporT, members in the order they are signed. Writes what it is told and checks nothing of it: the
 * authentication service does, before it signs. Never throws.
 * @see RFC 8946 section 3
 */
export function divPayload(claims: DivClaims): JsonObject {
  return {
    dest: { tn: claims.destTn },
    div: { tn: claims.divTn },
    iat: claims.iatSeconds,
    orig: { tn: claims.origTn },
  };
}

const CLAIMS = ['dest', 'div', 'iat', 'orig'] as const;

/** A div PASSporT carries these claims and no others; `opt` belongs to div-o. @see RFC 8946 section 3 */
function refuseOthers(reader: ClaimReader): void {
  for (const claim of Object.keys(reader.payload)) {
    if ((CLAIMS as readonly string[]).includes(claim)) continue;
    const actual = `${claim}: ${shortJson(reader.payload[claim] ?? null)}`;
    reader.problems.push({ reason: 'claim-not-permitted', claim, expected: 'dest, div, iat and orig only', actual });
  }
}

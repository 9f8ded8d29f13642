import { JWTClaimConstraints, JWTClaimNames, JWTClaimPermittedValuesList } from '@peculiar/asn1-rfc8226';
import { AsnProp } from '@peculiar/asn1-schema';
import type { JwtClaimConstraints } from './certificate.js';
import { MalformedDer } from './der.js';
import { decodeExactly } from './extension-decoding.js';

/** Claims that every PASSporT has: a certificate that excludes one of them would exclude all. @see RFC 9118 section 4 */
const NEVER_EXCLUDED: readonly string[] = ['iat', 'orig', 'dest'];

class EnhancedJwtClaimConstraints {
  declare mustInclude?: JWTClaimNames;
  declare permittedValues?: JWTClaimPermittedValuesList;
  declare mustExclude?: JWTClaimNames;
}
// Written as calls because the schema library's decorators are of the older kind; all three tags are explicit, as in RFC 9118's module.
AsnProp({ type: JWTClaimNames, optional: true, context: 0 })(EnhancedJwtClaimConstraints.prototype, 'mustInclude');
AsnProp({ type: JWTClaimPermittedValuesList, optional: true, context: 1 })(
  EnhancedJwtClaimConstraints.prototype,
  'permittedValues',
);
AsnProp({ type: JWTClaimNames, optional: true, context: 2 })(EnhancedJwtClaimConstraints.prototype, 'mustExclude');

/**
 * Reads the value of a JWTClaimConstraints extension.
 * @param value - content of the extension's OCTET STRING, already known to be DER
 * @throws {@link MalformedDer} - callers in this folder catch it
 * @see RFC 8226 section 8
 */
export function readJwtClaimConstraints(value: Uint8Array): JwtClaimConstraints {
  return constraints(decodeExactly(value, JWTClaimConstraints));
}

/**
 * Reads the value of an EnhancedJWTClaimConstraints extension.
 * @param value - content of the extension's OCTET STRING, already known to be DER
 * @returns `undefined` where it excludes iat, orig or dest: such an extension is taken as absent
 * @throws {@link MalformedDer} - callers in this folder catch it
 * @see RFC 9118 section 4
 */
export function readEnhancedJwtClaimConstraints(value: Uint8Array): JwtClaimConstraints | undefined {
  const read = constraints(decodeExactly(value, EnhancedJwtClaimConstraints));
  return read.mustExclude.some((claim) => NEVER_EXCLUDED.includes(claim)) ? undefined : read;
}

/** Both sets at once: a PASSporT has to satisfy each extension that its certificate carries. */
export function combineClaimConstraints(
  first: JwtClaimConstraints | undefined,
  second: JwtClaimConstraints | undefined,
): JwtClaimConstraints | undefined {
  if (first === undefined || second === undefined) return first ?? second;
  return {
    mustInclude: [...new Set([...first.mustInclude, ...second.mustInclude])],
    permittedValues: [...first.permittedValues, ...second.permittedValues],
    mustExclude: [...new Set([...first.mustExclude, ...second.mustExclude])],
  };
}

function constraints(decoded: EnhancedJwtClaimConstraints): JwtClaimConstraints {
  const { mustInclude, permittedValues, mustExclude } = decoded;
  const lists = [mustInclude, permittedValues, mustExclude].filter((list) => list !== undefined);
  if (lists.length === 0) throw new MalformedDer('claim constraints that constrain nothing');
  if (lists.some((list) => list.length === 0)) throw new MalformedDer('claim constraints with an empty list');
  return {
    mustInclude: Array.from(mustInclude ?? []),
    permittedValues: Array.from(permittedValues ?? [], ({ claim, permitted }) => {
      if (permitted.length === 0) throw new MalformedDer('claim without a permitted value');
      return { claim, permitted: Array.from<string>(permitted) };
    }),
    mustExclude: Array.from(mustExclude ?? []),
  };
}

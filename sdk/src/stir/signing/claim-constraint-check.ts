import type { JsonValue } from '../../core/json-text.js';
import type { JwtClaimConstraints } from '../certificates/certificate.js';
import { canonicalJson } from '../passport.js';

/** What of a certificate's claim constraints concerns PASSporTs of one type; worked out once per certificate. */
export interface ClaimLimits {
  /** Why no PASSporT of the type fits the certificate: a claim that it never has, or always; undefined when some can. */
  readonly always: ClaimViolation | undefined;
  /** Claims of the type that may have certain values only; empty for nearly every certificate. */
  readonly permittedValues: JwtClaimConstraints['permittedValues'];
}

/** Both values of a claim that the certificate does not permit. Free of telephone numbers. */
export interface ClaimViolation {
  readonly expected: string;
  readonly actual: string;
}

/**
 * Works out what the constraints of a certificate mean for the PASSporTs of one type, whose claims are always the same.
 * @param constraints - of the end entity certificate; undefined where it has none
 * @param claims - names of the claims that the type has
 * @returns the limits; never throws
 * @see RFC 8226 section 8, RFC 9118 section 4
 */
export function claimLimits(constraints: JwtClaimConstraints | undefined, claims: readonly string[]): ClaimLimits {
  if (constraints === undefined) return NO_LIMITS;
  const missing = constraints.mustInclude.find((claim) => !claims.includes(claim));
  const excluded = constraints.mustExclude.find((claim) => claims.includes(claim));
  const always =
    missing !== undefined
      ? { expected: `${missing} present`, actual: 'absent' }
      : excluded !== undefined
        ? { expected: `${excluded} absent`, actual: 'present' }
        : undefined;
  return { always, permittedValues: constraints.permittedValues.filter(({ claim }) => claims.includes(claim)) };
}

/**
 * Compares the claims of a PASSporT with the values that its certificate permits, as verifiers do.
 * @param permittedValues - of {@link ClaimLimits}
 * @param payload - the claims that are about to be signed
 * @returns the first violation, or undefined; never throws
 * @see RFC 8226 section 8
 */
export function claimViolation(
  permittedValues: ClaimLimits['permittedValues'],
  payload: Readonly<Record<string, JsonValue>>,
): ClaimViolation | undefined {
  for (const { claim, permitted } of permittedValues) {
    const value = payload[claim];
    if (value === undefined || permitted.includes(claimText(value))) continue;
    // Other claims hold telephone numbers, which no outcome repeats.
    return claim === 'attest'
      ? { expected: `attest ${permitted.join(' or ')}`, actual: claimText(value) }
      : { expected: `a value of ${claim} that the certificate permits`, actual: 'another one' };
  }
  return undefined;
}

const NO_LIMITS: ClaimLimits = { always: undefined, permittedValues: [] };

const claimText = (value: JsonValue): string => (typeof value === 'string' ? value : canonicalJson(value));

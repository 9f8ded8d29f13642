import { parseIdentityHeader } from '../identity-header.js';
import { parsePassport } from '../passport.js';
import type { PassportClaims } from '../passport-types/passport-type.js';
import { PASSPORT_TYPES } from '../passport-types/registry.js';
import type { VerificationRequest } from './request.js';

/**
 * Caller and called party by the word of the first token that names them. Nothing of it is known to be true: only for looking at
 * everything else that a token can be wrong about, where the call that it belongs to is not at hand.
 * @param identity - Identity header values
 * @returns the parties as claimed, for a {@link VerificationRequest}; empty where no token names any; never throws for peer input
 * @see RFC 8225 section 5.2.1
 * @example
 * ```ts
 * console.log(claimedParties('no.token.here').orig); // undefined
 * ```
 */
export function claimedParties(
  identity: string | readonly string[],
): Partial<Pick<VerificationRequest, 'orig' | 'dest'>> {
  for (const value of typeof identity === 'string' ? [identity] : identity) {
    const claims = claimsOf(value);
    if (claims !== undefined) return { orig: claims.orig, dest: claims.dest };
  }
  return {};
}

function claimsOf(value: string): PassportClaims | undefined {
  const header = parseIdentityHeader(value);
  if (header.status === 'malformed') return undefined;
  const parsed = parsePassport(header.identityHeader.token);
  if (parsed.status === 'malformed') return undefined;
  const type = PASSPORT_TYPES.find(({ ppt }) => ppt === parsed.passport.header.ppt);
  const claims = type?.role === 'caller' ? type.readClaims(parsed.passport.payload) : undefined;
  return claims?.status === 'read' ? claims.claims : undefined;
}

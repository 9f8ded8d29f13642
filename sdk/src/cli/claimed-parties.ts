import { PASSPORT_TYPES, parseIdentityHeader, parsePassport } from '../stir/index.js';
import type { PassportClaims, VerificationRequest } from '../stir/index.js';

/**
 * Caller and called party by the word of the first token that names them. Nothing of it is known to be true: only for looking at
 * everything else that a token can be wrong about. Never throws for peer input.
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

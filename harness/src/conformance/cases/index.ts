import type { ConformanceCase } from '../case.js';
import { CERTIFICATES, CHAIN, REVOCATION, X5U } from './certificates.js';
import { CLAIMS, GOOD_CALLS, NUMBERS, TIME } from './claims.js';
import { DIV } from './div.js';
import { IDENTITY_SYNTAX, REASON_HEADERS, SEVERAL_HEADERS, SIGNATURES } from './identity-syntax.js';
import { RESPONSES } from './responses.js';
import { SIGNING, SIGNING_DIV } from './signing.js';

/** All cases, by number. Numbers are stable: one that was taken out is never given again. */
export const CONFORMANCE_CASES: readonly ConformanceCase[] = inOrder([
  ...[...GOOD_CALLS, ...IDENTITY_SYNTAX, ...CLAIMS, ...TIME, ...SIGNATURES, ...CERTIFICATES, ...CHAIN, ...REVOCATION],
  ...[...X5U, ...NUMBERS, ...DIV, ...SEVERAL_HEADERS, ...RESPONSES, ...REASON_HEADERS],
  ...[...SIGNING, ...SIGNING_DIV],
]);

/** V before S, as the groups come. */
function inOrder(cases: readonly ConformanceCase[]): readonly ConformanceCase[] {
  const key = ({ kind, number }: ConformanceCase): string => `${kind === 'verification' ? 0 : 1}${number}`;
  return [...cases].sort((left, right) => (key(left) < key(right) ? -1 : 1));
}

import type { ConformanceCase } from '../case.js';
import { CERTIFICATES, CHAIN, REVOCATION } from './certificates.js';
import { CLAIMS } from './claims.js';
import { DIV } from './div.js';
import { GOOD_CALLS } from './good-calls.js';
import { IDENTITY_SYNTAX } from './identity-syntax.js';
import { NUMBERS } from './numbers.js';
import { RESPONSES } from './responses.js';
import { REASON_HEADERS, SEVERAL_HEADERS } from './several-headers.js';
import { SIGNATURES } from './signatures.js';
import { SIGNING } from './signing.js';
import { SIGNING_DIV } from './signing-div.js';
import { TIME } from './time.js';
import { X5U } from './x5u.js';

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

import type { DemandScope } from '../wire/demand.js';
import { problemAnswer } from './platform-answer.js';
import type { PlatformProblem } from './platform-answer.js';

/**
 * Refuses a scope that does not end later than it begins: it reaches no call, and nothing can be held for it.
 * @param scope - of a demand or of a decision, in the form of the contract
 * @returns the problem `scope-unusable`, which names both dates; undefined for a usable scope. Never throws
 * @see RFC 9457
 * @example
 * ```ts
 * const refusal = demandScopeRefusal({
 *   recordClasses: ['call-records'],
 *   from: '2026-10-24T00:00:00Z',
 *   to: '2026-10-19T00:00:00Z',
 * });
 * console.log(refusal?.code); // scope-unusable
 * ```
 */
export function demandScopeRefusal(scope: DemandScope): PlatformProblem | undefined {
  const { from, to } = scope;
  if (Date.parse(from) < Date.parse(to)) return undefined;
  return problemAnswer('scope-unusable', {
    detail: `The scope begins at ${from} and ends at ${to}. \`to\` has to be later than \`from\`.`,
    errors: [
      { pointer: '/scope/from', code: 'not-before-to' },
      { pointer: '/scope/to', code: 'not-after-from' },
    ],
  });
}

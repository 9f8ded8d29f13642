import type { CaseGroup, ConformanceCase } from './case.js';

/** Which cases are asked. What is not given leaves nothing out. */
export interface CaseSelection {
  /** Numbers, also by their beginning: `V-101`, `V-1*`. */
  readonly only?: readonly string[];
  readonly groups?: readonly CaseGroup[];
}

/**
 * The cases of a selection, in the order in which they are reported. Never throws.
 * @param cases - all there are
 * @param selection - which of them
 * @returns those that both the numbers and the groups allow
 * @see RFC 8224 section 6.2 for what cases of verification are about
 * @example
 * ```ts
 * const some = selectCases(CONFORMANCE_CASES, { only: ['V-00*'], groups: ['good-calls'] });
 * console.log(some[0]?.title); // passes a call that is attested A
 * ```
 */
export function selectCases(cases: readonly ConformanceCase[], selection: CaseSelection): readonly ConformanceCase[] {
  const { only, groups } = selection;
  return cases
    .filter(({ group }) => groups === undefined || groups.includes(group))
    .filter(({ number }) => only === undefined || only.some((pattern) => fits(number, pattern)));
}

const fits = (number: string, pattern: string): boolean =>
  pattern.endsWith('*') ? number.startsWith(pattern.slice(0, -1)) : number === pattern;

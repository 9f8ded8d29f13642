import fc from 'fast-check';

/** An arbitrary for each value. */
type Arbitraries<Values extends unknown[]> = { [Index in keyof Values]: fc.Arbitrary<Values[Index]> };

/** How often, or all that fast-check can be told. */
type Runs<Values> = number | fc.Parameters<Values>;

/** Checks a claim with values of the arbitraries: it holds unless it throws or returns false. */
export function forAll<Values extends [unknown, ...unknown[]]>(
  arbitraries: [...Arbitraries<Values>],
  runs: Runs<Values>,
  claim: (...values: Values) => boolean | void,
): void {
  fc.assert(fc.property<Values>(...arbitraries, claim), parametersOf(runs));
}

/** The same of a claim that takes time. */
export async function forAllAsync<Values extends [unknown, ...unknown[]]>(
  arbitraries: [...Arbitraries<Values>],
  runs: Runs<Values>,
  claim: (...values: Values) => Promise<boolean | void>,
): Promise<void> {
  await fc.assert(fc.asyncProperty<Values>(...arbitraries, claim), parametersOf(runs));
}

function parametersOf<Values>(runs: Runs<Values>): fc.Parameters<Values> {
  return typeof runs === 'number' ? { numRuns: runs } : runs;
}

/** What a matcher came to. `isNot`: it was asked for the contrary. */
export interface MatcherResult {
  readonly pass: boolean;
  readonly message: (isNot: boolean) => string;
  readonly actual?: unknown;
  readonly expected?: unknown;
}

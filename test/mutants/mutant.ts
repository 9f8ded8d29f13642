/** A defect that somebody could have put into the product: one text of one compiled file is another. */
export interface Mutant {
  /** By which it is asked for: `verify-skips-dest`. */
  readonly name: string;
  /** What a carrier, or whoever is called, has of it. */
  readonly suffers: string;
  /** Compiled file that it is in, from the top of the repository. */
  readonly file: string;
  /** Occurs once in the file. */
  readonly text: string;
  /** What is there instead. */
  readonly replacement: string;
  /** Whether it shows in tracebacks, campaigns, alerts or what reaches the platform alone. Absent: in calls, verdicts and records too. */
  readonly needsPlatform?: true;
  /** Shipped scenarios that have to notice, the likeliest first. */
  readonly scenarios: readonly [string, ...string[]];
}

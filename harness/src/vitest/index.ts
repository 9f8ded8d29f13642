/**
 * Matchers for vitest: what a call came to, and what a run did. Importing this module is enough; `setupFiles` is a good place.
 *
 * - **Of a call** ({@link SeenCall}): `toHaveVerstat`, `toHaveAttestation`, `toEndWith`.
 * - **Of a run** ({@link RunResult}): `toPassThresholds`, `toTraceTo`, `toAccuseNobodyElse`.
 * @packageDocumentation
 */
import { expect } from 'vitest';
import type { MatcherResult } from './matchers.js';
import {
  toAccuseNobodyElse,
  toEndWith,
  toHaveAttestation,
  toHaveVerstat,
  toPassThresholds,
  toTraceTo,
} from './matchers.js';

/** Matchers that this module adds to `expect` of vitest. */
export interface HopbackMatchers<R = unknown> {
  /** The callee's side of a call came to this verstat, or the provider that is named. ATIS-1000074 section 5.3 */
  readonly toHaveVerstat: (
    verstat: 'TN-Validation-Passed' | 'TN-Validation-Failed' | 'No-TN-Validation',
    at?: string,
  ) => R;
  /** The last hop that verified, or the provider that is named, found this attestation. RFC 8588 section 4 */
  readonly toHaveAttestation: (attestation: 'A' | 'B' | 'C', at?: string) => R;
  /** The caller got this final status. */
  readonly toEndWith: (status: number) => R;
  /** Every threshold of the scenario is met; without any, nothing was found. */
  readonly toPassThresholds: () => R;
  /** Tracebacks named this provider as origin or point of entry, and nobody else. */
  readonly toTraceTo: (provider: string) => R;
  /** No traceback named anybody as origin or point of entry who is neither. */
  readonly toAccuseNobodyElse: () => R;
}

declare module 'vitest' {
  // An interface that only extends is how vitest is told of matchers.
  interface Matchers<T> extends HopbackMatchers<T> {}
}

/** A matcher as vitest calls it. */
function matcher<Subject, Arguments extends readonly unknown[]>(
  match: (subject: Subject, ...given: Arguments) => MatcherResult,
): (
  this: { readonly isNot: boolean },
  subject: Subject,
  ...given: Arguments
) => MatcherResult & { message: () => string } {
  return function matched(subject, ...given) {
    const result = match(subject, ...given);
    return { ...result, message: () => result.message(this.isNot) };
  };
}

expect.extend({
  toHaveVerstat: matcher(toHaveVerstat),
  toHaveAttestation: matcher(toHaveAttestation),
  toEndWith: matcher(toEndWith),
  toPassThresholds: matcher(toPassThresholds),
  toTraceTo: matcher(toTraceTo),
  toAccuseNobodyElse: matcher(toAccuseNobodyElse),
});

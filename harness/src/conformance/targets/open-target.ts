import { atisTarget, secsipidxTarget, threeGppTarget } from './rest-target.js';
import { deviceTarget, redirectTarget } from './sip-target.js';
import type { ConformanceTarget, ConformanceTargetOptions, TargetKind } from './target.js';

const OPEN: Readonly<
  Record<TargetKind, (options: ConformanceTargetOptions) => ConformanceTarget | Promise<ConformanceTarget>>
> = {
  atis: atisTarget,
  '3gpp': threeGppTarget,
  secsipidx: secsipidxTarget,
  redirect: redirectTarget,
  sip: deviceTarget,
};

/**
 * Opens the way to a service under test. Nothing is sent yet.
 * @param options - which interface, where, and what this service cannot show
 * @returns the target; close it, or take it with `await using`
 * @throws {@link HopbackError} `invalid-argument` for a SIP URL that is none; node's own error when a port cannot be opened
 * @see ATIS-1000082, 3GPP TS 24.229 annex V
 * @example
 * ```ts
 * await using target = await openConformanceTarget({ kind: 'atis', url: 'http://127.0.0.1:8090' });
 * console.log(target.capabilities.has('codes'), target.capabilities.has('reasons')); // true false
 * ```
 */
export async function openConformanceTarget(options: ConformanceTargetOptions): Promise<ConformanceTarget> {
  return OPEN[options.kind](options);
}

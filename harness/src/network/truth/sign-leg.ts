import { unassignedCode } from '../plan/index.js';
import type { PlannedCall } from '../plan/index.js';
import type { BehaviourEffects, Leg } from './behaviours.js';
import { providerOf } from './known-network.js';
import type { KnownNetwork, KnownProvider } from './known-network.js';
import type { Attestation, TrueFault, TrueIdentity } from './truth.js';

/** A call of a network. */
export interface CallOf {
  readonly network: KnownNetwork;
  readonly call: PlannedCall;
}

/** Where a call is, and whom it came from. */
export interface SigningHop {
  readonly provider: KnownProvider;
  /** Undefined: a customer of the provider. */
  readonly from: KnownProvider | undefined;
  /** Whether `from` is where the call began. */
  readonly isFromOrigin: boolean;
}

/**
 * With what a provider signs a call that nobody has signed; undefined where it does not. An originating provider knows its customer, and vouches for
 * the number where it has given it to that customer. A gateway knows neither, and an intermediate one signs only what comes to it directly from an
 * originating provider that did not. ATIS-1000074 section 5.2.3; 47 CFR 64.6302(c), (d)
 */
export function attestationOf(
  leg: Leg,
  { provider, from, isFromOrigin }: SigningHop,
  effects: readonly BehaviourEffects[],
): Attestation | undefined {
  const { role, stir, numbers } = provider.planned;
  if (!stir || leg.identity.length > 0) return undefined;
  const isOriginator = role === 'originating' || role === 'ipes' || (role === 'foreign' && from === undefined);
  if (isOriginator) {
    const spoofed = effects.findLast(({ attestation }) => attestation !== undefined)?.attestation;
    if (spoofed !== undefined) return spoofed;
    if (from !== undefined) return 'C';
    return isAmong(leg.calling, numbers) ? 'A' : 'B';
  }
  if (role === 'gateway') return 'C';
  const isIntermediate = role === 'transit' || role === 'foreign';
  return isIntermediate && isFromOrigin && from !== undefined && isOriginating(from) ? 'C' : undefined;
}

const isOriginating = ({ planned: { role }, isForeign }: KnownProvider): boolean =>
  !isForeign && (role === 'originating' || role === 'ipes');

function isAmong(number: string, prefixes: readonly string[]): boolean {
  return prefixes.some((prefix) => number.startsWith(prefix));
}

/** Makes a shaken PASSporT about the numbers of a leg, by one provider with the certificate of one. RFC 8588 */
export function signedLeg(
  { calling, called }: Leg,
  { signedBy, certificateOf, attestation }: SignedAs & { readonly attestation: Attestation },
  of: CallOf,
): TrueIdentity {
  const { spc, faults, doubtful } = certificateAt(certificateOf, of);
  const { index: madeFor } = of.call;
  return { ppt: 'shaken', signedBy, spc, attestation, orig: calling, dest: called, madeFor, faults, doubtful };
}

/** Who makes a signature, and whose certificate stands for it. */
export interface SignedAs {
  readonly signedBy: string;
  readonly certificateOf: string;
}

/** Makes a div PASSporT about the step from the number of a leg to another. RFC 8946 section 3 */
export function divertedLeg({ calling, called }: Leg, to: string, by: string, of: CallOf): TrueIdentity {
  return {
    ppt: 'div',
    signedBy: by,
    orig: calling,
    dest: to,
    div: called,
    madeFor: of.call.index,
    ...certificateAt(by, of),
  };
}

/**
 * Whose code the certificate of a provider has when a call is placed, and what is wrong with it. Where it was not always wrong, or is not for good, somebody may have the
 * good one in a cache, or the bad one: then it is doubtful from when it begins.
 */
function certificateAt(
  id: string,
  { network, call }: CallOf,
): {
  readonly spc: string;
  readonly faults: readonly TrueFault[];
  readonly doubtful: readonly TrueFault[];
} {
  const {
    behaviours,
    planned: { spc },
  } = providerOf(network, id);
  if (behaviours.length === 0) return { spc, faults: NONE, doubtful: NONE };
  const faults: TrueFault[] = [];
  const doubtful: TrueFault[] = [];
  for (const { behaviour, effects } of behaviours) {
    if (effects.certificate === undefined) continue;
    const { fromSeconds = 0, untilSeconds } = behaviour;
    const isAlways = fromSeconds <= 0 && untilSeconds === undefined;
    if (call.atMs < fromSeconds * 1_000) continue;
    (isAlways ? faults : doubtful).push(...effects.certificate.faults);
    doubtful.push(...effects.certificate.doubtful);
  }
  const isOthers = faults.includes('certificate-wrong-spc');
  return { spc: isOthers ? unassignedCode(network.plan.providers) : spc, faults, doubtful };
}

const NONE: readonly TrueFault[] = [];

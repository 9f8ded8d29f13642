import type { Leg } from './behaviours.js';
import { effectsUnder, providerOf } from './known-network.js';
import type { KnownNetwork, KnownProvider } from './known-network.js';
import type { CallOf } from './sign-leg.js';
import type { TrueIdentity } from './truth.js';

/** How old a signature may be, seconds. RFC 8224 section 6.2 */
const FRESH_SECONDS = 60;
/** A call takes a moment from hop to hop, iat has whole seconds, and switches that run beside each other are late: at the edge it is not known. */
const FRESH_EDGE_SECONDS = 6;

/**
 * The Identity of a leg as its receiver finds it: what is wrong with each by itself stays, and what does not fit this call, or this time, comes to it.
 */
export function receivedIdentity(leg: Leg, receiver: KnownProvider, of: CallOf): readonly TrueIdentity[] {
  const { identity } = leg;
  if (identity.length === 0) return identity;
  const [only] = identity;
  if (identity.length === 1 && only !== undefined && isPlain(only, leg, of)) {
    if (receiver.behaviours.length + providerOf(of.network, only.signedBy).behaviours.length === 0) return identity;
  }
  const divs = identity.filter(({ ppt }) => ppt === 'div');
  const found = identity.map((one) => {
    const [faults, doubtful] = [[...one.faults], [...one.doubtful]];
    if (canonical(one.orig) !== canonical(leg.calling)) faults.push('caller-differs');
    if (!leadsTo(one, leg.called, divs)) faults.push('callee-differs');
    if (one.madeFor !== of.call.index) faults.push('replayed');
    const stale = staleness(one, receiver, of);
    // Below a div it is the outermost that has to be fresh. RFC 8946 section 4.2
    if (stale === 'stale' && (divs.length === 0 || one === divs.at(-1))) faults.push('stale');
    else if (stale !== 'fresh') doubtful.push('stale');
    return faults.length === one.faults.length && doubtful.length === one.doubtful.length
      ? one
      : { ...one, faults, doubtful };
  });
  return found.every((one, place) => one === identity[place]) ? identity : found;
}

/** A PASSporT that says of this very call what is on the wire: but for clocks there is nothing more to be looked at. */
function isPlain({ ppt, orig, dest, madeFor }: TrueIdentity, { calling, called }: Leg, { call }: CallOf): boolean {
  return ppt === 'shaken' && orig === calling && dest === called && madeFor === call.index;
}

/** Numbers that mean the same: digits with the country code; ten digits are of North America. RFC 8224 section 8.3 */
export function canonical(number: string): string {
  const digits = number.startsWith('+') ? number.slice(1) : number;
  return /^[2-9][0-9]{9}$/.test(digits) ? `1${digits}` : digits;
}

/** Whether a PASSporT is about the number that is called, by as many div as stand between. RFC 8946 section 4.2 */
function leadsTo({ ppt, dest, ...one }: TrueIdentity, called: string, divs: readonly TrueIdentity[]): boolean {
  let at = canonical(dest);
  const after = ppt === 'div' ? divs.slice(divs.findIndex(({ div }) => div === one.div) + 1) : divs;
  for (const div of after) {
    if (canonical(div.div ?? '') !== at) return false;
    at = canonical(div.dest);
  }
  return at === canonical(called);
}

function staleness(one: TrueIdentity, receiver: KnownProvider, of: CallOf): 'fresh' | 'edge' | 'stale' {
  const { network, call } = of;
  const signer = providerOf(network, one.signedBy);
  const madeFor = one.madeFor === call.index ? call : network.plan.calls[one.madeFor];
  if (madeFor === undefined) return 'stale';
  const ageMs = call.atMs - madeFor.atMs;
  const ahead = clockOf(receiver, { network, call }) - clockOf(signer, { network, call: madeFor });
  const age = Math.abs(ageMs / 1_000 + ahead);
  if (age <= FRESH_SECONDS - FRESH_EDGE_SECONDS) return 'fresh';
  return age <= FRESH_SECONDS + FRESH_EDGE_SECONDS ? 'edge' : 'stale';
}

/** How far the clock of a provider is ahead at a call, seconds. */
function clockOf(
  provider: KnownProvider,
  of: { readonly network: KnownNetwork; readonly call: CallOf['call'] },
): number {
  if (provider.behaviours.length === 0) return 0;
  return effectsUnder(provider, of).reduce((sum, { clockSeconds = 0 }) => sum + clockSeconds, 0);
}

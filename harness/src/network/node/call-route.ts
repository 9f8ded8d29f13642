import type { AttestationFacts, CallRole } from '@hopback/sdk/stir';
import type { NetworkPlan, PlannedCall, PlannedProvider } from '../plan/index.js';

/** Carries which call of the plan it is, and at which hop of its way: `17 2`. Towards telephones it is left out. */
export const CALL_FIELD = 'X-Hopback-Call';

/** A call of the plan at one of its hops. */
export interface CallRoute {
  readonly call: PlannedCall;
  /** Place in the way of the call, 0 where it begins; as long as the way: towards the callee. */
  readonly hop: number;
}

/** Knows the calls of a plan by what comes with them. */
export interface CallRoutes {
  /**
   * Which call it is. Without the field of the network, since another switch has taken it out, it is known as a switch knows it, by caller and called
   * number, of the calls that come by `provider`.
   * @returns undefined where it is none of the plan
   */
  readonly find: (
    field: string | undefined,
    numbers: { readonly calling: string; readonly called: string; readonly provider?: string },
  ) => CallRoute | undefined;
}

/** Makes the table of a plan. */
export function createCallRoutes({ calls }: Pick<NetworkPlan, 'calls'>): CallRoutes {
  let byNumbers: Map<string, PlannedCall> | undefined;
  const known = (calling: string, called: string): PlannedCall | undefined => {
    byNumbers ??= new Map(calls.map((call) => [`${call.calling} ${call.called}`, call]));
    return byNumbers.get(`${calling} ${called}`);
  };
  return {
    find: (field, { calling, called, provider }) => {
      const [index, hop] = (field ?? '').split(' ', 2);
      const named = index === undefined || index === '' ? undefined : calls[Number(index)];
      if (named !== undefined) return { call: named, hop: Number(hop) || 0 };
      const call = known(calling, called);
      if (call === undefined) return undefined;
      const place = provider === undefined ? call.way.length : call.way.indexOf(provider);
      return place < 0 ? undefined : { call, hop: place };
    },
  };
}

/** The field of a call for its next hop. */
export const callField = ({ call, hop }: CallRoute): string => `${String(call.index)} ${String(hop + 1)}`;

/** What a provider is for a call at a hop, and whom it has it from. */
export interface HopPart {
  readonly role: CallRole;
  readonly from: { readonly provider: PlannedProvider } | { readonly caller: string };
  readonly next: { readonly provider: PlannedProvider } | { readonly destination: string };
}

/**
 * The part of a provider at a hop. A customer's call is originated, whoever takes it; what is for numbers that it serves is terminated; what comes from
 * abroad enters by a gateway; all else is transit.
 * @see 47 CFR 64.6300
 */
export function hopPart({ call, hop }: CallRoute, providers: ReadonlyMap<string, PlannedProvider>): HopPart {
  const own = providers.get(call.way[hop] ?? '');
  const before = hop === 0 ? undefined : providers.get(call.way[hop - 1] ?? '');
  const after = providers.get(call.way[hop + 1] ?? '');
  const isFromAbroad = before !== undefined && before.country !== HOME && own?.country === HOME;
  return {
    role:
      before === undefined
        ? 'originating'
        : after === undefined
          ? 'terminating'
          : isFromAbroad
            ? 'gateway'
            : 'intermediate',
    from: before === undefined ? { caller: call.caller } : { provider: before },
    next: after === undefined ? { destination: call.destination } : { provider: after },
  };
}

/** SHAKEN and the rules of the Commission are those of the United States. */
const HOME = 'US';

/** What a provider knows of a call when it signs. Customers are known; whether a number is theirs, its number plan says. */
export function factsOf(
  { call, hop }: CallRoute,
  { role, from }: HopPart,
  provider: PlannedProvider,
): AttestationFacts {
  if ('caller' in from) {
    const isOwn = provider.numbers.some((prefix) => call.calling.startsWith(prefix));
    return {
      ...{ role, customer: from.caller, customerKnown: true, callerAuthenticated: true, receivedFrom: 'customer' },
      numberOwnership: isOwn ? 'owned' : 'unknown',
    };
  }
  const isForeign = from.provider.country !== HOME;
  return {
    role,
    receivedFrom: isForeign ? 'foreign-provider' : hop === 1 ? 'originating-provider' : 'intermediate-provider',
  };
}

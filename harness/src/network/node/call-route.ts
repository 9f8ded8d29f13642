import type { AttestationFacts } from '@hopback/sdk/stir';
import { DEFAULT_TRACEBACK_POLICY } from '@hopback/sdk/traceback';
import type { TracebackPolicyData } from '@hopback/sdk/traceback';
import type { NetworkPlan, PlannedCall, PlannedProvider } from '../plan/index.js';

/** Carries which call of the plan it is, and at which hop of its way: `17 2`. Towards telephones it is left out. */
export const CALL_FIELD = 'X-Hopback-Call';

/** A call of the plan at one of its hops. */
export interface CallRoute {
  readonly call: PlannedCall;
  /** Place in the way of the call, 0 where it begins; as long as the way: towards the callee. */
  readonly hop: number;
}

/** By what a call is known. */
interface CallNumbers {
  readonly calling: string;
  readonly called: string;
  /** Absent: who is called. */
  readonly provider?: string;
}

/** Knows the calls of a plan by what comes with them. */
export type CallRoutes = ReturnType<typeof createCallRoutes>;

/** Makes the table of a plan. */
export function createCallRoutes({ calls }: Pick<NetworkPlan, 'calls'>) {
  let byNumbers: ReadonlyMap<string, readonly PlannedCall[]> | undefined;
  const alike = ({ calling, called }: CallNumbers): readonly PlannedCall[] => {
    byNumbers ??= callsByNumbers(calls);
    return byNumbers.get(`${calling} ${called}`) ?? [];
  };
  const arrived = new Set<string>();
  const placed = (call: PlannedCall | undefined, provider: string | undefined, from = 0): CallRoute | undefined => {
    if (call === undefined) return undefined;
    // A switch that hands the field on as it came leaves the hop of its own in it.
    const hop = provider === undefined ? call.way.length : call.way.indexOf(provider, from);
    return hop < 0 ? undefined : { call, hop };
  };
  const named = (field: string | undefined, provider: string | undefined): CallRoute | undefined => {
    const [index, hop] = (field ?? '').split(' ', 2);
    if (index === undefined || index === '') return undefined;
    return placed(calls[Number(index)], provider, Number(hop) || 0);
  };
  return {
    /**
     * Which call it is. Without the field of the network, since another switch has taken it out, it is known as a switch knows it, by caller and called
     * number, of the calls that come by `provider`.
     * @returns undefined if the call is not in the plan
     */
    find: (field: string | undefined, numbers: CallNumbers): CallRoute | undefined =>
      named(field, numbers.provider) ?? placed(alike(numbers).at(-1), numbers.provider),
    /**
     * The same for a call that arrives, at `provider` or at its callee: of several with the same numbers it is the first that has not arrived there.
     */
    arriving: (field: string | undefined, numbers: CallNumbers): CallRoute | undefined => {
      const known = named(field, numbers.provider);
      if (known !== undefined) return known;
      const routes = alike(numbers).flatMap((call) => placed(call, numbers.provider) ?? []);
      const key = ({ call, hop }: CallRoute): string => `${String(call.index)} ${String(hop)}`;
      const route = routes.find((one) => !arrived.has(key(one))) ?? routes.at(-1);
      if (route !== undefined) arrived.add(key(route));
      return route;
    },
  };
}

function callsByNumbers(calls: readonly PlannedCall[]): ReadonlyMap<string, readonly PlannedCall[]> {
  const groups = new Map<string, PlannedCall[]>();
  for (const call of calls) {
    const key = `${call.calling} ${call.called}`;
    const group = groups.get(key);
    if (group === undefined) groups.set(key, [call]);
    else group.push(call);
  }
  return groups;
}

/** The field of a call for its next hop. */
export const callField = ({ call, hop }: CallRoute): string => `${String(call.index)} ${String(hop + 1)}`;

/** What a provider is for a call at a hop, and whom it has it from. */
export interface HopPart {
  readonly role: AttestationFacts['role'];
  readonly from: { readonly provider: PlannedProvider } | { readonly caller: string };
  readonly next: { readonly provider: PlannedProvider } | { readonly destination: string };
}

/** The part of a provider at a hop: by what it is in the network, whatever trunk a call came in by. @see 47 CFR 64.6300 */
export function hopPart({ call, hop }: CallRoute, providers: ReadonlyMap<string, PlannedProvider>): HopPart {
  const own = providers.get(call.way[hop] ?? '');
  const before = hop === 0 ? undefined : providers.get(call.way[hop - 1] ?? '');
  const after = providers.get(call.way[hop + 1] ?? '');
  return {
    role: roleOf(own?.role, hop),
    from: before === undefined ? { caller: call.caller } : { provider: before },
    next: after === undefined ? { destination: destinationOf(call) } : { provider: after },
  };
}

/** A provider abroad signs for its customers where it signs at all, and hands on what others send it. */
function roleOf(role: PlannedProvider['role'] | undefined, hop: number): AttestationFacts['role'] {
  if (role === 'ipes' || role === 'originating' || (role === 'foreign' && hop === 0)) return 'originating';
  return role === 'gateway' || role === 'terminating' ? role : 'intermediate';
}

/** Whom a call is for in the end. */
const destinationOf = ({ destination, diversions = [] }: PlannedCall): string =>
  diversions.at(-1)?.destination ?? destination;

/** The number that a call is for in the end, digits. */
export const finalNumber = ({ called, diversions = [] }: PlannedCall): string => diversions.at(-1)?.to ?? called;

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
      role,
      customer: from.caller,
      customerKnown: true,
      callerAuthenticated: true,
      receivedFrom: 'customer',
      numberOwnership: isOwn ? 'owned' : 'unknown',
    };
  }
  const { role: theirs, country } = from.provider;
  const isOrigin = hop === 1 && (theirs === 'originating' || theirs === 'ipes');
  return {
    role,
    receivedFrom: country !== HOME ? 'foreign-provider' : isOrigin ? 'originating-provider' : 'intermediate-provider',
  };
}

/** Name of the trunk that calls of a provider come in by. */
export const trunkFrom = (id: string): string => `from-${id}`;
/** Name of the trunk that calls leave by to a provider. */
export const trunkTo = (id: string): string => `to-${id}`;
/** Name of the trunk of a customer who calls. */
export const trunkOfCaller = (id: string): string => `customer-${id}`;
/** Towards subscribers. */
export const SUBSCRIBERS = 'subscribers';

/** Name of the switch of a provider: part of every record id. */
export const SWITCH_ID = 'switch-1';

/** Who is at the other end of which trunk of a provider, as `readTrunkDirectory` reads it. */
export function trunkTable(own: PlannedProvider, providers: readonly PlannedProvider[]): unknown {
  const party = ({ id, name, providerId, country }: PlannedProvider): object =>
    country === 'US'
      ? { provider: { providerId, name } }
      : { foreignProvider: { name, country, email: `tracebacks@${id}.example` } };
  const neighbours = (ids: readonly string[], trunk: (id: string) => string): readonly object[] =>
    providers.filter(({ id }) => ids.includes(id)).map((one) => ({ trunk: trunk(one.id), ...party(one) }));
  return {
    directoryId: `${own.id}-trunks-1`,
    trunks: [
      ...neighbours(own.upstream, trunkFrom),
      ...neighbours(own.downstream, trunkTo),
      ...own.callers.map((id) => ({ trunk: trunkOfCaller(id), customer: { customerId: id } })),
      { trunk: SUBSCRIBERS, customer: {} },
    ],
  };
}

/**
 * What the providers of a network let be answered without a person: everything that their records show. Their switches write a call down within the
 * minute, and callers dial by the second: a call is told from the next by its numbers.
 */
export function answerPolicy({ callers }: Pick<PlannedProvider, 'callers'>): TracebackPolicyData {
  const { automatic, customers } = DEFAULT_TRACEBACK_POLICY;
  return {
    ...DEFAULT_TRACEBACK_POLICY,
    policyId: 'network-1',
    automatic: {
      ...automatic,
      arms: [...automatic.arms, 'origin', 'point-of-entry', 'received-from-unlisted', 'not-sent-to-downstream'],
      completeAroundSeconds: 0,
      firstHopNotFoundToPerson: false,
      notFoundWithoutCallerToPerson: false,
    },
    customers: {
      ...customers,
      details: 'identifier',
      basisRequired: true,
      statements: Object.fromEntries(
        callers.map((id) => [id, { contact: { name: id }, knowYourCustomer: 'Contract and identity papers' }]),
      ),
    },
  };
}

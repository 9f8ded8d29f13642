import type { NetworkPlan, PlannedCall, PlannedProvider } from '../../harness/src/network/plan/index.js';
import type { Behaviour, ProviderRole, ScenarioCalled, ScenarioPlatform } from '../../harness/src/scenario/index.js';

/** A provider of a small network: what is not said is as an honest one has it. */
export type SmallProvider = { readonly id: string } & Partial<PlannedProvider>;

/** A small network: a chain of providers, the first one with a customer, the last one with numbers. */
export interface SmallNetwork {
  /** In the order of the way; roles by their place where none is said. */
  readonly providers: readonly SmallProvider[];
  /** Other providers, that no call comes through. */
  readonly others?: readonly SmallProvider[];
  readonly calls: readonly Partial<PlannedCall>[];
  readonly platform?: ScenarioPlatform;
  readonly called?: Partial<ScenarioCalled>;
  readonly doNotOriginate?: readonly string[];
  readonly seed?: number;
}

/** Digits of the numbers that the first provider has given to its customers. */
export const OWN_PREFIX = '1202555';

/** Makes the plan of a small network by hand, so that no planner is needed. */
export function smallPlan({ providers, others = [], calls, platform, called, ...more }: SmallNetwork): NetworkPlan {
  const way = providers.map(({ id }) => id);
  const { seed = 1, doNotOriginate = [] } = more;
  const destination: ScenarioCalled = {
    id: 'homes',
    at: way.at(-1) ?? '',
    first: '12145550100',
    count: 100,
    ...called,
  };
  const made = calls.map((call, index) => plannedCall(call, { index, way, destination: destination.id }));
  const ways = [way, ...made.map((call) => call.way)];
  const planned = [...providers, ...others].map((one, place) => provider(one, { place, ways }));
  return {
    scenario: {
      ...{ format: 'hopback.scenario.1', name: 'small', why: 'A test.', providers: [], trunks: [] },
      callers: [{ id: 'dialer', kind: 'robocaller', at: way[0] ?? '', numbers: { kind: 'invalid' }, calls: ['homes'] }],
      ...{ called: [destination], phases: [] },
      ...(platform !== undefined && { platform }),
    },
    ...{ seed, providers: planned, calls: made, doNotOriginate },
    durationMs: Math.max(0, ...made.map(({ atMs }) => atMs)),
  };
}

/** Behaviours of one provider of a network of three: the second or another. */
export const chain = (length: number, at: number, behaviours: readonly Behaviour[]): readonly SmallProvider[] =>
  NAMES.slice(0, length).map((id, place) => ({ id, ...(place === at && { behaviours }) }));

const NAMES = ['alder', 'birch', 'cedar', 'dune', 'elm', 'flint', 'grove'];

function provider(
  { id, ...said }: SmallProvider,
  { place, ways }: { readonly place: number; readonly ways: readonly (readonly string[])[] },
): PlannedProvider {
  const after = neighboursOf(id, ways, 1);
  const before = neighboursOf(id, ways, -1);
  const isFirst = ways.some((way) => way[0] === id);
  const isLast = ways.some((way) => way.at(-1) === id);
  const role: ProviderRole = isFirst ? 'originating' : isLast ? 'terminating' : 'transit';
  return {
    ...{ id, name: `${id} telephone`, providerId: `prv-${String(place + 1).padStart(10, '0')}`, role },
    ...{ spc: `${String(101 + place)}A`, country: 'US', stir: true, numbers: isFirst ? [OWN_PREFIX] : [] },
    ...{ failureAction: 'continue_return_reason', answersTracebacks: true, behaviours: [] },
    ...{ shares: isLast ? 'all-pseudonymous' : 'nothing', downstream: after, upstream: before },
    ...{ callers: isFirst ? ['dialer'] : [], serves: isLast ? ['homes'] : [] },
    ...said,
  };
}

function neighboursOf(id: string, ways: readonly (readonly string[])[], step: 1 | -1): readonly string[] {
  const found = ways.flatMap((way) => way.flatMap((one, place) => (one === id ? (way[place + step] ?? []) : [])));
  return [...new Set(found)];
}

function plannedCall(
  call: Partial<PlannedCall>,
  {
    index,
    way,
    destination,
  }: { readonly index: number; readonly way: readonly string[]; readonly destination: string },
): PlannedCall {
  return {
    ...{ index, atMs: index * 50, phase: 'all', caller: 'dialer', campaign: 'dialer', destination, way },
    ...{ calling: `${OWN_PREFIX}${String(1_000 + index)}`, called: String(12145550100 + index) },
    ...{ isAnswered: true, durationMs: 100, isReported: false, isRejected: false },
    ...call,
  };
}

import type { NetworkPlan, PlannedCall, PlannedProvider } from '../../harness/src/network/plan/index.js';
import type { Behaviour, ProviderRole, ScenarioPlatform } from '../../harness/src/scenario/index.js';

/** A provider of a small plan: what is not said is as usual. */
export type SmallProvider = Pick<PlannedProvider, 'id' | 'role'> & Partial<PlannedProvider>;

/** A call of a small plan: its way as ids with spaces between. */
export type SmallCall = Partial<Omit<PlannedCall, 'way'>> & { readonly way: string };

/** Settings of {@link smallPlan}. */
export interface SmallPlan {
  readonly providers: readonly SmallProvider[];
  readonly calls: readonly SmallCall[];
  readonly seed?: number;
  readonly platform?: ScenarioPlatform;
}

/** A plan by hand, with everything that a test does not care about. Calls are a second apart. */
export function smallPlan({ providers, calls, seed = 1, platform }: SmallPlan): NetworkPlan {
  const planned = calls.map(smallCall);
  const ways = planned.map(({ way }) => way);
  const all = providers.map((provider, index) => smallProvider(provider, index, ways));
  return {
    scenario: {
      format: 'hopback.scenario.1',
      name: 'small',
      why: 'A network by hand.',
      seed,
      providers: all.map(({ id, role }) => ({ id, role })),
      trunks: [],
      callers: [],
      called: [],
      phases: [],
      ...(platform !== undefined && { platform }),
    },
    seed,
    providers: all,
    calls: planned,
    durationMs: 1_000 * calls.length,
    doNotOriginate: [],
    onceOnly: false,
  };
}

/** Originating, transit and terminating providers in a row, `a b c d` from origin to end, of which some do something. */
export function rowOf(ids: string, behaviours: Readonly<Record<string, readonly Behaviour[]>> = {}): SmallProvider[] {
  const row = ids.split(' ');
  return row.map((id, index) => ({
    id,
    role: roleAt(index, row.length),
    behaviours: behaviours[id] ?? [],
    ...(index === 0 && { numbers: ['1202555'] }),
  }));
}

function roleAt(index: number, length: number): ProviderRole {
  if (index === 0) return 'originating';
  return index === length - 1 ? 'terminating' : 'transit';
}

function smallProvider(provider: SmallProvider, index: number, ways: readonly (readonly string[])[]): PlannedProvider {
  const { id, role } = provider;
  const beside = (step: number): readonly string[] => [
    ...new Set(ways.flatMap((way) => way.flatMap((one, at) => (one === id ? (way[at + step] ?? []) : [])))),
  ];
  return {
    name: `Example ${id}`,
    providerId: `prv-${String(index).padStart(10, '0')}`,
    spc: String(1_000 + index),
    country: role === 'foreign' ? 'DE' : 'US',
    stir: role !== 'foreign',
    numbers: [],
    failureAction: 'continue_return_reason',
    shares: 'all',
    answersTracebacks: role !== 'foreign',
    behaviours: [],
    downstream: beside(1),
    upstream: beside(-1),
    callers: [],
    serves: [],
    ...provider,
  };
}

function smallCall({ way, ...call }: SmallCall, index: number): PlannedCall {
  return {
    index,
    atMs: index * 1_000,
    phase: 'all',
    caller: 'caller',
    calling: `12025550${String(100 + (index % 900))}`,
    called: `13125550${String(100 + (index % 900))}`,
    destination: 'phones',
    isAnswered: true,
    durationMs: 6_000,
    isReported: false,
    isRejected: false,
    ...call,
    way: way.split(' '),
  };
}

import type { ProviderReference, TracebackFinding } from '@hopback/sdk/traceback';
import type { NetworkPlan, PlannedCall, PlannedProvider } from '../network/plan/index.js';
import type { GivenAnswer, NetworkTruth, TrueHop } from '../network/truth/index.js';

/** A call as somebody is asked about it: numbers as the one who had it next saw them. */
export interface AskedCall {
  readonly calling: string;
  readonly called: string;
  /** Milliseconds from the beginning of the run. */
  readonly atMs: number;
}

/** A record of a provider: the hop that it is about. */
interface StoredRecord {
  readonly callIndex: number;
  readonly atMs: number;
  readonly hop: TrueHop;
}

/** Record stores of all providers, as far as tracebacks look into them. */
type RecordStores = ReturnType<typeof createRecordStores>;

type CarriedHops = ReturnType<NetworkTruth['carried']>;

/** Where a request states the time to the millisecond, a carrier searches so far on both sides: clocks differ. */
const SEARCH_MS = 60_000;

/**
 * Arranges the records that can be asked for when some calls are traced: those of calls with the same numbers, whichever they are.
 * @param truth - of the plan
 * @param traced - calls that are traced
 */
export function createRecordStores(truth: NetworkTruth, traced: readonly PlannedCall[]) {
  const candidates = candidatesOf(truth, traced);
  const near = (asked: AskedCall): readonly StoredRecord[] => {
    const fitting = new Set<PlannedCall>();
    for (const number of [asked.called, asked.calling])
      for (const calls of candidates.get(digits(number)) ?? []) for (const call of calls) fitting.add(call);
    return [...fitting].flatMap((call) => {
      if (Math.abs(call.atMs - asked.atMs) > SEARCH_MS) return [];
      return ofCall(call).hops.map((hop) => ({ callIndex: call.index, atMs: call.atMs, hop }));
    });
  };
  const known = new Map<number, CarriedHops>();
  const ofCall = (call: PlannedCall): CarriedHops => {
    const found = known.get(call.index) ?? truth.carried(call);
    known.set(call.index, found);
    return found;
  };
  return {
    /** Records of a provider that fit a call, near in time, of whichever it sent on. `whole`: those too that it has removed since. */
    find: (provider: string, asked: AskedCall, whole?: 'whole'): readonly StoredRecord[] =>
      near(asked).filter(
        ({ hop }) =>
          hop.provider === provider &&
          (hop.isOnRecord || (whole !== undefined && hop.record === 'gone')) &&
          fits(hop, asked),
      ),
    /** Records of others that name a provider as whom they sent a call to. */
    sentTo: (provider: string, asked: AskedCall): readonly StoredRecord[] =>
      near(asked).filter(
        ({ hop }) => hop.record !== 'none' && 'provider' in hop.to && hop.to.provider === provider && fits(hop, asked),
      ),
  };
}

function fits({ sends }: TrueHop, { calling, called }: AskedCall): boolean {
  return digits(sends.calling) === digits(calling) && digits(sends.called) === digits(called);
}

/** Ten digits are of North America. */
function digits(number: string): string {
  return number.length === 10 ? `1${number}` : number;
}

/**
 * By each number that may be asked for, the calls that may have it somewhere on their way; in one pass over the plan. Those are the calls to the same
 * number, and where a number was changed on the way those from the same one too.
 */
function candidatesOf(
  { plan, carried }: NetworkTruth,
  traced: readonly PlannedCall[],
): ReadonlyMap<string, ReadonlySet<readonly PlannedCall[]>> {
  const sought = new Map<string, PlannedCall[]>();
  const byNumber = new Map<string, Set<readonly PlannedCall[]>>();
  const seek = (key: string, numbers: readonly string[]): void => {
    const calls = sought.get(key) ?? [];
    sought.set(key, calls);
    for (const number of numbers) byNumber.set(number, (byNumber.get(number) ?? new Set()).add(calls));
  };
  for (const call of traced) {
    const legs = [call, ...carried(call).hops.map(({ sends }) => sends)];
    const numbers = [...new Set(legs.flatMap(({ calling, called }) => [digits(calling), digits(called)]))];
    seek(`called ${digits(call.called)}`, numbers);
    if (numbers.length > 2) seek(`calling ${digits(call.calling)}`, numbers);
  }
  for (const call of plan.calls) {
    sought.get(`called ${digits(call.called)}`)?.push(call);
    sought.get(`calling ${digits(call.calling)}`)?.push(call);
  }
  return byNumber;
}

/** A request as it comes to a provider. */
interface SimulatedRequest {
  /** The call that is traced: lies are told about it. */
  readonly call: PlannedCall;
  readonly asked: AskedCall;
  readonly provider: string;
  /** Who had the call next, as it says; absent for the first. */
  readonly downstream?: string;
}

/** Numbers and time of a record, and the number that the call was sent on to. */
export type DisclosedCall = AskedCall & { readonly sentTo?: string };

/** What a provider answers. */
interface SimulatedAnswer {
  readonly finding: TracebackFinding;
  /** What it says of its record of the call. */
  readonly discloses?: DisclosedCall;
  readonly afterHours: number;
}

/** Providers with their records. */
export interface Answerers {
  readonly truth: NetworkTruth;
  readonly stores: RecordStores;
  readonly providers: ReadonlyMap<string, PlannedProvider>;
}

/** A provider in words of the registry. */
export function referenceTo({ providerId, name, spc }: PlannedProvider): ProviderReference {
  return { providerId, name, spc };
}

/** What a provider answers; undefined: nothing. An honest one answers from its records, a liar as its behaviours say. */
export function answerRequest(answerers: Answerers, request: SimulatedRequest): SimulatedAnswer | undefined {
  const { truth } = answerers;
  const { call, asked, provider, downstream } = request;
  const { says: usual, afterHours } = truth.habits(call, provider);
  const { answers } = truth.ofCall(call);
  // Who means to lie may say what is true by chance.
  const own = answers.filter((one) => one.provider === provider);
  const says = own.length > 0 && own.every((one) => one.given === one.truth) ? undefined : usual;
  const isColluding = downstream !== undefined && truth.habits(call, downstream).colluder === provider;
  const colluded = isColluding ? own[0]?.given : undefined;
  const said = colluded ?? says;
  if (said?.kind === 'silent') return undefined;
  if (said !== undefined) {
    const finding = findingOf(answerers, said);
    return { finding, afterHours, ...('otherCall' in said && { discloses: otherCall(truth.plan, asked) }) };
  }
  const records = answerers.stores.find(provider, asked);
  const sent = records.filter(({ hop }) => isSentTo(hop, downstream));
  const found = nearest(sent, asked);
  if (found === 'several') return { finding: { arm: 'ambiguous', candidates: sent.length }, afterHours };
  if (found === undefined) return { finding: withoutRecord(answerers, request, records.length > 0), afterHours };
  const { calling, called } = found.hop.receives;
  const finding = findingOf(answerers, fromRecord(answerers, found));
  return { finding, discloses: { calling, called, atMs: found.atMs, sentTo: found.hop.sends.called }, afterHours };
}

const LATER_MS = 6 * 3_600_000;

/** A call that has nothing to do with the one that is asked about: of other numbers, where the plan has any, and six hours later. */
function otherCall({ calls }: NetworkPlan, asked: AskedCall): AskedCall {
  const { calling, called } = calls.find((call) => call.called !== asked.called) ?? asked;
  return { calling, called, atMs: asked.atMs + LATER_MS };
}

/** The first provider is asked for a call to a number of its own, the others for one that they sent to whoever names them. */
function isSentTo({ to }: StoredRecord['hop'], downstream: string | undefined): boolean {
  return downstream === undefined ? !('provider' in to) : 'provider' in to && to.provider === downstream;
}

/** Two calls with the same numbers as near in time as this are told apart by nobody. */
const APART_MS = 5_000;

function nearest(records: readonly StoredRecord[], { atMs }: AskedCall): StoredRecord | 'several' | undefined {
  const [first, second] = [...records].sort((one, other) => Math.abs(one.atMs - atMs) - Math.abs(other.atMs - atMs));
  if (first === undefined || second === undefined) return first;
  // A call that crossed the same provider twice by the same neighbours is one call, and has two records.
  return Math.abs(second.atMs - atMs) < APART_MS ? 'several' : first;
}

function fromRecord({ providers }: Answerers, { hop: { from, provider } }: StoredRecord): GivenAnswer {
  if ('caller' in from) return { kind: 'origin', caller: from.caller };
  const isEntry = !isForeign(providers.get(provider)) && isForeign(providers.get(from.provider));
  return isEntry ? { kind: 'point-of-entry', foreign: from.provider } : { kind: 'upstream', provider: from.provider };
}

/** Whether a provider lies outside the United States. */
export function isForeign(provider: PlannedProvider | undefined): boolean {
  return provider !== undefined && (provider.role === 'foreign' || provider.country !== 'US');
}

function withoutRecord(
  { truth, providers, stores }: Answerers,
  { call, asked, provider, downstream }: SimulatedRequest,
  isKnown: boolean,
): TracebackFinding {
  const named = providers.get(downstream ?? '');
  if (isKnown && named !== undefined) return { arm: 'not-sent-to-downstream', downstream: referenceTo(named) };
  const isRemoved =
    stores.find(provider, asked, 'whole').length > 0 ||
    truth.answerWithoutTheCall(call, provider).kind === 'not-retained';
  return isRemoved ? { arm: 'not-retained', retainedFrom: RETAINED_FROM } : { arm: 'not-found' };
}

const RETAINED_FROM = '2026-02-04T00:00:00Z';

function findingOf({ providers }: Answerers, said: GivenAnswer): TracebackFinding {
  switch (said.kind) {
    case 'upstream': {
      const upstream = providers.get(said.provider);
      return upstream === undefined
        ? { arm: 'received-from-unlisted', upstream: { name: said.provider } }
        : { arm: 'received-from', upstream: referenceTo(upstream) };
    }
    case 'origin':
      return { arm: 'origin', customer: said.caller === '' ? {} : { customerId: said.caller } };
    case 'point-of-entry': {
      const foreign = providers.get(said.foreign);
      return {
        arm: 'point-of-entry',
        upstream: { name: foreign?.name ?? said.foreign, ...(foreign !== undefined && { country: foreign.country }) },
      };
    }
    case 'unlisted':
      return { arm: 'received-from-unlisted', upstream: { name: said.name } };
    case 'refused':
      return { arm: 'refused', reason: said.reason };
    case 'not-retained':
      return { arm: 'not-retained', retainedFrom: RETAINED_FROM };
    default:
      return { arm: 'not-found' };
  }
}

/** Whom a finding names: the id of a provider of the plan, or the name that was given. */
export function namedBy(plan: NetworkPlan, finding: TracebackFinding): string | undefined {
  if (finding.arm === 'received-from') {
    const { providerId } = finding.upstream;
    return plan.providers.find((one) => one.providerId === providerId)?.id ?? finding.upstream.name;
  }
  if (finding.arm !== 'received-from-unlisted' && finding.arm !== 'point-of-entry') return undefined;
  const { name } = finding.upstream;
  return plan.providers.find((one) => one.name === name)?.id ?? name;
}

import type { PlannedCall } from '../network/plan/index.js';
import type { NetworkTruth, TrueHop } from '../network/truth/index.js';

/** A call as somebody is asked about it: numbers as the one who had it next saw them. */
export interface AskedCall {
  readonly calling: string;
  readonly called: string;
  /** Milliseconds from the beginning of the run. */
  readonly atMs: number;
}

/** A record of a provider: the hop that it is about. */
export interface StoredRecord {
  readonly callIndex: number;
  readonly atMs: number;
  readonly hop: TrueHop;
}

/** Record stores of all providers, as far as tracebacks look into them. */
export interface RecordStores {
  /** Records of a provider that fit a call, near in time, of whichever it sent on. `whole`: those too that it has removed since. */
  readonly find: (provider: string, asked: AskedCall, whole?: 'whole') => readonly StoredRecord[];
  /** Records of others that name a provider as whom they sent a call to. */
  readonly sentTo: (provider: string, asked: AskedCall) => readonly StoredRecord[];
}

type CarriedHops = ReturnType<NetworkTruth['carried']>;

/** Where a request states the time to the millisecond, a carrier searches so far on both sides: clocks differ. */
const SEARCH_MS = 60_000;

/**
 * Arranges the records that can be asked for when some calls are traced: those of calls with the same numbers, whichever they are.
 * @param truth - of the plan
 * @param traced - calls that are traced
 */
export function createRecordStores(truth: NetworkTruth, traced: readonly PlannedCall[]): RecordStores {
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
    find: (provider, asked, whole) =>
      near(asked).filter(
        ({ hop }) =>
          hop.provider === provider &&
          (hop.isOnRecord || (whole !== undefined && hop.record === 'gone')) &&
          fits(hop, asked),
      ),
    sentTo: (provider, asked) =>
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

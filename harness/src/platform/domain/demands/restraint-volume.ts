import { EVIDENCE_GAP_MS } from '../campaigns/index.js';
import type { Cell, Producible } from './produced-rows.js';

/** Calls by how long they lasted: what is under a second was never meant to be a conversation. Bounds in seconds, `from` in it and `to` not. */
export const DURATION_BUCKETS: readonly { readonly name: string; readonly from: number; readonly to: number }[] = [
  { name: 'under 1 s', from: 0, to: 1 },
  { name: '1 to 6 s', from: 1, to: 6 },
  { name: '6 to 30 s', from: 6, to: 30 },
  { name: '30 to 60 s', from: 30, to: 60 },
  { name: '60 s and more', from: 60, to: Number.POSITIVE_INFINITY },
];

/** Latest calls that show that it goes on: as many as fit on a page. */
export const LATEST_CALLS = 40;
/** Hours that volumes are counted for: of 18 months. The earliest of them stay; what is beyond is counted in the total. */
const MAX_HOURS = 13_200;

/** Calls, each counted once, and the records and reports that they were counted from. */
export interface CountedCalls {
  readonly calls: number;
  readonly carrierRecords: number;
  readonly appReports: number;
}

/** How many calls there were, and how they were. */
export interface RestraintVolume extends CountedCalls {
  /** Calls of which there is a carrier's record, a report of an application, and both. */
  readonly recorded: number;
  readonly reported: number;
  readonly both: number;
  /** Records and reports that an earlier release stored and that are not joined: each counts as a call, though several may be of one. */
  readonly unjoined: number;
  /** Calls that were not answered: they have no duration, and are in no bucket. */
  readonly notAnswered: CountedCalls;
  /** Calls that were answered, or may have been, of which the duration is not on record. */
  readonly withoutDuration: CountedCalls;
  readonly byDuration: readonly (CountedCalls & { readonly bucket: string })[];
  readonly byDay: readonly (CountedCalls & { readonly day: string })[];
  readonly byHour: readonly (CountedCalls & { readonly hour: string })[];
  /** Calls of hours that are not listed. */
  readonly hoursNotListed: number;
}

/** One of the latest calls, by its record that is nearest to who was called, else by a report. */
export interface LatestCall {
  readonly at: string;
  readonly source: string;
  readonly id: string;
  readonly durationSeconds?: number;
  readonly carrierRecords: number;
  readonly appReports: number;
}

/** Counts the calls of records and reports as they are produced. */
export interface VolumeCount {
  /** Takes an item of the classes `call-records` and `app-reports`; others change nothing. */
  readonly add: (produced: Producible) => void;
  readonly counted: () => { readonly volume: RestraintVolume; readonly latest: readonly LatestCall[] };
}

/** A call of which more records and reports may come. */
interface OpenCall {
  best: Producible;
  lastMs: number;
  seconds: number | undefined;
  carrierRecords: number;
  appReports: number;
}

type Counts = { -readonly [Member in keyof CountedCalls]: number };

/** Makes the count. It holds the calls of the last hour and some minutes, the hours and the latest calls. Its functions never throw. */
export function countVolume(): VolumeCount {
  const open = new Map<string, OpenCall>();
  const total = { ...noCalls(), recorded: 0, reported: 0, both: 0, unjoined: 0, beyond: 0 };
  const [notAnswered, withoutDuration] = [noCalls(), noCalls()];
  const durations = DURATION_BUCKETS.map(noCalls);
  const [hours, days] = [new Map<string, Counts>(), new Map<string, Counts>()];
  let latest: readonly (LatestCall & { readonly atMs: number })[] = [];

  const close = (call: OpenCall): void => {
    const { best, carrierRecords, appReports } = call;
    const atMs = best.item.fromMs;
    addCall(total, call);
    if (carrierRecords > 0) total.recorded += 1;
    if (appReports > 0) total.reported += 1;
    if (carrierRecords > 0 && appReports > 0) total.both += 1;
    const seconds = isUnanswered(best) ? undefined : call.seconds;
    const bucket = DURATION_BUCKETS.findIndex(
      ({ from, to }) => seconds !== undefined && seconds >= from && seconds < to,
    );
    addCall(isUnanswered(best) ? notAnswered : (durations[bucket] ?? withoutDuration), call);
    const time = new Date(atMs).toISOString();
    addCall(countsOf(days, time.slice(0, 10)), call);
    const hour = `${time.slice(0, 13)}:00Z`;
    if (hours.has(hour) || hours.size < MAX_HOURS) addCall(countsOf(hours, hour), call);
    else total.beyond += 1;
    const oldest = latest.at(-1);
    if (latest.length >= LATEST_CALLS && oldest !== undefined && oldest.atMs >= atMs) return;
    const one = { atMs, at: time, ...named(best), ...(seconds !== undefined && { durationSeconds: seconds }) };
    latest = [...latest, { ...one, carrierRecords, appReports }]
      .toSorted((a, b) => b.atMs - a.atMs)
      .slice(0, LATEST_CALLS);
  };
  const closeThoseAwayFrom = (nowMs: number): void => {
    for (const [id, call] of open) {
      if (Math.abs(call.lastMs - nowMs) <= EVIDENCE_GAP_MS) return;
      open.delete(id);
      close(call);
    }
  };
  return {
    add: (produced) => {
      const { item, placedCallId } = produced;
      if (placedCallId === undefined) return;
      const seconds = produced.cells['duration_s'];
      if (produced.isUnjoined === true) total.unjoined += 1;
      closeThoseAwayFrom(item.fromMs);
      const call = open.get(placedCallId) ?? openCall(produced);
      // The one that was used last stands last: those before it are closed first.
      open.delete(placedCallId);
      open.set(placedCallId, call);
      call.lastMs = item.fromMs;
      if (item.recordClass === 'call-records') call.carrierRecords += 1;
      else call.appReports += 1;
      const isNearer = isNearerThan(produced, call.best);
      if (isNearer) call.best = produced;
      if (typeof seconds === 'number' && (isNearer || call.seconds === undefined)) call.seconds = seconds;
    },
    counted: () => {
      for (const call of open.values()) close(call);
      open.clear();
      const { beyond, ...counts } = total;
      return {
        volume: {
          ...counts,
          ...{ notAnswered, withoutDuration, hoursNotListed: beyond },
          byDuration: DURATION_BUCKETS.map(({ name }, at) => ({ bucket: name, ...(durations[at] ?? noCalls()) })),
          byDay: sorted(days).map(([day, own]) => ({ day, ...own })),
          byHour: sorted(hours).map(([hour, own]) => ({ hour, ...own })),
        },
        latest: latest.map(({ atMs: _atMs, ...one }) => one),
      };
    },
  };
}

const noCalls = (): Counts => ({ calls: 0, carrierRecords: 0, appReports: 0 });

function addCall(counts: Counts, { carrierRecords, appReports }: OpenCall): void {
  counts.calls += 1;
  counts.carrierRecords += carrierRecords;
  counts.appReports += appReports;
}

const openCall = (produced: Producible): OpenCall => ({
  ...{ best: produced, lastMs: produced.item.fromMs, seconds: undefined },
  ...{ carrierRecords: 0, appReports: 0 },
});

function countsOf(counts: Map<string, Counts>, name: string): Counts {
  const own = counts.get(name) ?? noCalls();
  counts.set(name, own);
  return own;
}

/** A record before a report, and of records the last to begin: it is of the carrier that the call came to last. */
function isNearerThan(one: Producible, other: Producible): boolean {
  const isRecord = one.item.recordClass === 'call-records';
  if (isRecord !== (other.item.recordClass === 'call-records')) return isRecord;
  return one.item.fromMs > other.item.fromMs;
}

/** By the carrier's record; an application says nothing of that. */
const isUnanswered = ({ item, cells }: Producible): boolean =>
  item.recordClass === 'call-records' && cells['answered_at'] === undefined && cells['disposition'] !== 'answered';

function named({ item, cells }: Producible): { readonly source: string; readonly id: string } {
  const isRecord = item.recordClass === 'call-records';
  const text = (cell: Cell): string => (cell === undefined ? '' : String(cell));
  return {
    source: text(cells[isRecord ? 'provider_id' : 'app_id']),
    id: text(cells[isRecord ? 'record_id' : 'report_id']),
  };
}

const sorted = (counts: ReadonlyMap<string, Counts>): readonly (readonly [string, Counts])[] =>
  [...counts].toSorted(([a], [b]) => (a < b ? -1 : 1));

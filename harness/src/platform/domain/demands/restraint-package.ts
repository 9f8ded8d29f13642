import { EVIDENCE_GAP_MS } from '../campaigns/placed-call.js';
import type { Cell, Producible } from './produced-rows.js';

/** Calls by how long they lasted: what is under a second was never meant to be a conversation. Bounds in seconds, `from` in it and `to` not. */
const DURATION_BUCKETS: readonly {
  readonly name: string;
  readonly from: number;
  readonly to: number;
}[] = [
  { name: 'under 1 s', from: 0, to: 1 },
  { name: '1 to 6 s', from: 1, to: 6 },
  { name: '6 to 30 s', from: 6, to: 30 },
  { name: '30 to 60 s', from: 30, to: 60 },
  { name: '60 s and more', from: 60, to: Number.POSITIVE_INFINITY },
];

/** Latest calls that show that it goes on: as many as fit on a page. */
const LATEST_CALLS = 40;
/** Hours that volumes are counted for: of 18 months. The earliest of them stay; what is beyond is counted in the total. */
const MAX_HOURS = 13_200;

/** Calls, each counted once, and the records and reports that they were counted from. */
export interface CountedCalls {
  readonly calls: number;
  readonly carrierRecords: number;
  readonly appReports: number;
}

/** One of the latest calls, by its record that is nearest to who was called, else by a report. */
interface LatestCall {
  readonly at: string;
  readonly source: string;
  readonly id: string;
  readonly durationSeconds?: number;
  readonly carrierRecords: number;
  readonly appReports: number;
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
export function countVolume() {
  const open = new Map<string, OpenCall>();
  // `recorded`, `reported` and `both`: calls of which there is a carrier's record, a report of an application, and both. `unjoined`: records and
  // reports that an earlier release stored and that are not joined: each counts as a call, though several may be of one.
  const total = { ...noCalls(), recorded: 0, reported: 0, both: 0, unjoined: 0, beyond: 0 };
  // Calls that were not answered have no duration, and are in no bucket; of others that were, or may have been, it is not on record.
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
    /** Takes an item of the classes `call-records` and `app-reports`; others change nothing. */
    add: (produced: Producible) => {
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
          notAnswered,
          withoutDuration,
          hoursNotListed: beyond,
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
  best: produced,
  lastMs: produced.item.fromMs,
  seconds: undefined,
  carrierRecords: 0,
  appReports: 0,
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

/** Paths, requests and recordings that are listed: what a court reads, with the files of the production for the rest. */
const MAX_LISTED = 2_000;

/** A path that a traceback found, with the traceback behind it. */
export interface FoundPath {
  readonly tracebackId: string;
  readonly callAt?: string;
  readonly outcome?: string;
  /** Who was asked, from the terminating provider upstream, each with what it said. */
  readonly hops: readonly {
    readonly hop: number;
    readonly provider: string;
    readonly state: string;
    readonly arm?: string;
  }[];
}

/** A request to a provider before this day, and what came of it. */
type PriorRequest = ReturnType<typeof requestOf>;

/** What a motion for a temporary restraining order rests on: all of it out of what was produced. */
export type RestraintPackage = ReturnType<ReturnType<typeof gatherRestraintPackage>['gathered']>;

/** Makes one. Its functions never throw. */
export function gatherRestraintPackage() {
  const volume = countVolume();
  const paths = new Map<string, FoundPath>();
  const requests: PriorRequest[] = [];
  const recordings: ReturnType<typeof recordingOf>[] = [];
  const outcomes = new Map<string, number>();
  const left = { paths: 0, requests: 0, recordings: 0 };

  const addTraceback = (cells: Producible['cells']): void => {
    const tracebackId = text(cells['traceback_id']);
    if (cells['kind'] === 'traceback') {
      const outcome = text(cells['outcome']) || 'open';
      outcomes.set(outcome, (outcomes.get(outcome) ?? 0) + 1);
      if (paths.size >= MAX_LISTED) left.paths += 1;
      else paths.set(tracebackId, { tracebackId, ...optional({ callAt: cells['call_at'], outcome }), hops: [] });
    }
    if (cells['kind'] !== 'request') return;
    const request = requestOf(cells);
    const path = paths.get(tracebackId);
    if (path !== undefined) {
      const hop = {
        hop: Number(cells['hop']),
        provider: request.provider,
        state: request.state,
        ...optional({ arm: cells['arm'] }),
      };
      paths.set(tracebackId, { ...path, hops: [...path.hops, hop] });
    }
    if (request.issuedAt === undefined) return;
    if (requests.length >= MAX_LISTED) left.requests += 1;
    else requests.push(request);
  };

  return {
    add: (produced: Producible) => {
      const { item, cells } = produced;
      volume.add(produced);
      if (item.recordClass === 'traceback-records') addTraceback(cells);
      if (item.recordClass !== 'recordings') return;
      if (recordings.length >= MAX_LISTED) left.recordings += 1;
      else recordings.push(recordingOf(cells));
    },
    /** @param query - what was asked of the records */
    gathered: ({ queriedAtMs, query }: { readonly queriedAtMs: number; readonly query: unknown }) => ({
      format: 'hopback.restraint-package.2' as const,
      queriedAt: new Date(queriedAtMs).toISOString(),
      query,
      ...volume.counted(),
      paths: [...paths.values()],
      /** Tracebacks by what they came to. */
      outcomes: [...outcomes].map(([outcome, tracebacks]) => ({ outcome, tracebacks })),
      requests,
      recordings,
      /** Of each list, what was left out of it for its length. */
      notListed: { ...left },
    }),
  };
}

function requestOf(cells: Producible['cells']) {
  return {
    requestId: text(cells['request_id']),
    tracebackId: text(cells['traceback_id']),
    provider: text(cells['provider']),
    state: text(cells['state']),
    ...optional({
      issuedAt: cells['issued_at'],
      dueAt: cells['due_at'],
      answeredAt: cells['answered_at'],
      arm: cells['arm'],
    }),
  };
}

/** Characters of a transcript that are quoted: enough to know the script by. */
const EXCERPT_CHARS = 600;
/** Half of a character, where an excerpt ends within one. */
const LONE_SURROGATE = /\p{Surrogate}/gu;

function recordingOf(cells: Producible['cells']) {
  const transcript = text(cells['transcript']);
  return {
    source: text(cells['source']),
    sourceId: text(cells['source_id']),
    at: text(cells['at']),
    ...(transcript !== '' && { excerpt: transcript.slice(0, EXCERPT_CHARS).replace(LONE_SURROGATE, '\uFFFD') }),
  };
}

function text(cell: Cell): string {
  return cell === undefined ? '' : String(cell);
}

function optional<Name extends string>(cells: Readonly<Record<Name, Cell>>): { readonly [Member in Name]?: string } {
  const stated = Object.entries<Cell>(cells).filter(([, cell]) => cell !== undefined);
  return Object.fromEntries(stated.map(([name, cell]) => [name, text(cell)])) as { readonly [Member in Name]?: string };
}

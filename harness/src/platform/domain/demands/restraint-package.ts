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
export interface PriorRequest {
  readonly requestId: string;
  readonly tracebackId: string;
  readonly provider: string;
  readonly issuedAt?: string;
  readonly dueAt?: string;
  readonly answeredAt?: string;
  readonly state: string;
  readonly arm?: string;
}

/** What a motion for a temporary restraining order rests on: all of it out of what was produced. */
export interface RestraintPackage {
  readonly format: 'hopback.restraint-package.1';
  readonly queriedAt: string;
  /** What was asked of the records. */
  readonly query: unknown;
  readonly volume: {
    readonly calls: number;
    readonly reports: number;
    /** Calls that were not answered: they have no duration, and are in no bucket. */
    readonly notAnswered: number;
    /** Calls that were answered, or may have been, of which the duration is not on record. */
    readonly withoutDuration: number;
    readonly byDuration: readonly { readonly bucket: string; readonly calls: number }[];
    readonly byDay: readonly { readonly day: string; readonly calls: number }[];
    readonly byHour: readonly { readonly hour: string; readonly calls: number }[];
    readonly hoursNotListed: number;
  };
  readonly paths: readonly FoundPath[];
  /** Tracebacks by what they came to. */
  readonly outcomes: readonly { readonly outcome: string; readonly tracebacks: number }[];
  readonly requests: readonly PriorRequest[];
  readonly recordings: readonly {
    readonly source: string;
    readonly sourceId: string;
    readonly at: string;
    readonly excerpt?: string;
  }[];
  /** Of each list, what was left out of it for its length. */
  readonly notListed: { readonly paths: number; readonly requests: number; readonly recordings: number };
  /** The latest calls, newest first: proof that it goes on. */
  readonly latest: readonly {
    readonly at: string;
    readonly source: string;
    readonly id: string;
    readonly durationSeconds?: number;
  }[];
}

/** Gathers the package while a production is written: only what is produced comes in, in memory that does not grow with it. */
export interface RestraintGathering {
  readonly add: (produced: Producible) => void;
  readonly gathered: (facts: { readonly queriedAtMs: number; readonly query: unknown }) => RestraintPackage;
}

/** Makes one. Its functions never throw. */
export function gatherRestraintPackage(): RestraintGathering {
  const volume = volumeCount();
  const paths = new Map<string, FoundPath>();
  const requests: PriorRequest[] = [];
  const recordings: RestraintPackage['recordings'][number][] = [];
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
        ...{ provider: request.provider, state: request.state },
        ...optional({ arm: cells['arm'] }),
      };
      paths.set(tracebackId, { ...path, hops: [...path.hops, hop] });
    }
    if (request.issuedAt === undefined) return;
    if (requests.length >= MAX_LISTED) left.requests += 1;
    else requests.push(request);
  };

  return {
    add: ({ item, cells }) => {
      if (item.recordClass === 'call-records') volume.add('call', item.fromMs, cells);
      if (item.recordClass === 'app-reports') volume.add('report', item.fromMs, cells);
      if (item.recordClass === 'traceback-records') addTraceback(cells);
      if (item.recordClass !== 'recordings') return;
      if (recordings.length >= MAX_LISTED) left.recordings += 1;
      else recordings.push(recordingOf(cells));
    },
    gathered: ({ queriedAtMs, query }) => ({
      format: 'hopback.restraint-package.1',
      queriedAt: new Date(queriedAtMs).toISOString(),
      query,
      ...volume.counted(),
      paths: [...paths.values()],
      outcomes: [...outcomes].map(([outcome, tracebacks]) => ({ outcome, tracebacks })),
      ...{ requests, recordings, notListed: { ...left } },
    }),
  };
}

type Latest = RestraintPackage['latest'][number] & { readonly atMs: number };

function volumeCount() {
  const durations = DURATION_BUCKETS.map(() => 0);
  const hours = new Map<string, number>();
  const days = new Map<string, number>();
  const count = { call: 0, report: 0, notAnswered: 0, withoutDuration: 0, beyond: 0 };
  let latest: readonly Latest[] = [];
  return {
    add: (kind: 'call' | 'report', atMs: number, cells: Producible['cells']): void => {
      count[kind] += 1;
      const seconds = cells['duration_s'];
      const at =
        typeof seconds === 'number'
          ? DURATION_BUCKETS.findIndex(({ from, to }) => seconds >= from && seconds < to)
          : -1;
      if (isUnanswered(kind, cells)) count.notAnswered += 1;
      else if (at < 0) count.withoutDuration += 1;
      else durations[at] = (durations[at] ?? 0) + 1;
      const time = new Date(atMs).toISOString();
      days.set(time.slice(0, 10), (days.get(time.slice(0, 10)) ?? 0) + 1);
      const hour = `${time.slice(0, 13)}:00Z`;
      if (hours.has(hour) || hours.size < MAX_HOURS) hours.set(hour, (hours.get(hour) ?? 0) + 1);
      else count.beyond += 1;
      const oldest = latest.at(-1);
      if (latest.length >= LATEST_CALLS && oldest !== undefined && oldest.atMs >= atMs) return;
      const id = kind === 'call' ? cells['record_id'] : cells['report_id'];
      const source = kind === 'call' ? cells['provider_id'] : cells['app_id'];
      const one: Latest = {
        atMs,
        at: time,
        source: text(source),
        id: text(id),
        ...(typeof seconds === 'number' && { durationSeconds: seconds }),
      };
      latest = [...latest, one].toSorted((a, b) => b.atMs - a.atMs).slice(0, LATEST_CALLS);
    },
    counted: (): Pick<RestraintPackage, 'volume' | 'latest'> => ({
      volume: {
        ...{
          calls: count.call,
          reports: count.report,
          notAnswered: count.notAnswered,
          withoutDuration: count.withoutDuration,
          hoursNotListed: count.beyond,
        },
        byDuration: DURATION_BUCKETS.map(({ name }, index) => ({ bucket: name, calls: durations[index] ?? 0 })),
        byDay: sorted(days).map(([day, calls]) => ({ day, calls })),
        byHour: sorted(hours).map(([hour, calls]) => ({ hour, calls })),
      },
      latest: latest.map(({ at, source, id, durationSeconds }) => ({
        at,
        source,
        id,
        ...(durationSeconds !== undefined && { durationSeconds }),
      })),
    }),
  };
}

/** By the carrier's record; an application says nothing of that. */
function isUnanswered(kind: 'call' | 'report', cells: Producible['cells']): boolean {
  return kind === 'call' && cells['answered_at'] === undefined && cells['disposition'] !== 'answered';
}

function sorted(counts: ReadonlyMap<string, number>): readonly (readonly [string, number])[] {
  return [...counts].toSorted(([a], [b]) => (a < b ? -1 : 1));
}

function requestOf(cells: Producible['cells']): PriorRequest {
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

function recordingOf(cells: Producible['cells']): RestraintPackage['recordings'][number] {
  const transcript = text(cells['transcript']);
  return {
    ...{ source: text(cells['source']), sourceId: text(cells['source_id']), at: text(cells['at']) },
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

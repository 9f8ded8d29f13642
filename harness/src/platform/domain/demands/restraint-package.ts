import type { Cell, Producible } from './produced-rows.js';
import { countVolume } from './restraint-volume.js';
import type { LatestCall, RestraintVolume } from './restraint-volume.js';

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
  readonly format: 'hopback.restraint-package.2';
  readonly queriedAt: string;
  /** What was asked of the records. */
  readonly query: unknown;
  readonly volume: RestraintVolume;
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
  readonly latest: readonly LatestCall[];
}

/** Gathers the package while a production is written: only what is produced comes in, in memory that does not grow with it. */
export interface RestraintGathering {
  readonly add: (produced: Producible) => void;
  readonly gathered: (facts: { readonly queriedAtMs: number; readonly query: unknown }) => RestraintPackage;
}

/** Makes one. Its functions never throw. */
export function gatherRestraintPackage(): RestraintGathering {
  const volume = countVolume();
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
    add: (produced) => {
      const { item, cells } = produced;
      volume.add(produced);
      if (item.recordClass === 'traceback-records') addTraceback(cells);
      if (item.recordClass !== 'recordings') return;
      if (recordings.length >= MAX_LISTED) left.recordings += 1;
      else recordings.push(recordingOf(cells));
    },
    gathered: ({ queriedAtMs, query }) => ({
      format: 'hopback.restraint-package.2',
      queriedAt: new Date(queriedAtMs).toISOString(),
      query,
      ...volume.counted(),
      paths: [...paths.values()],
      outcomes: [...outcomes].map(([outcome, tracebacks]) => ({ outcome, tracebacks })),
      ...{ requests, recordings, notListed: { ...left } },
    }),
  };
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

import type { Clock } from '../core/runtime/clock.js';
import { HopbackError } from '../errors.js';
import { filingName, frnOf, readFilingList, rmdNumberOf } from './read-filing-list.js';
import type { FilingListReading, ListedFiling } from './read-filing-list.js';
import type { SipRequestLike } from './sip-request-like.js';
import type { UpstreamFiling } from './treat-call.js';

/** Which filing the provider at the other end of a trunk has: one of these at least. */
export interface FilingReference {
  /** Number of the filing, with or without `RMD` and zeros in front. */
  readonly rmdNumber?: string;
  /** FCC Registration Number, with or without zeros in front. */
  readonly frn?: string;
  /** Business name. A name that is not found says nothing: it may be spelled otherwise. */
  readonly businessName?: string;
}

/** What a directory works with. */
export interface FilingDirectoryOptions {
  /** The filing of each trunk, by the name of the trunk. A trunk that is not in it is `unknown`. */
  readonly trunks: Readonly<Record<string, FilingReference>>;
  /** The trunk that a request came in by. Default its source address. */
  readonly trunkOf?: (request: SipRequestLike) => string | undefined;
  /** How old a file may be to say that something is not in it, milliseconds. Default {@link MAX_FILING_LIST_AGE_MS}. */
  readonly maxAgeMs?: number;
  /** How few filings a whole file may have. Default {@link LEAST_FILINGS}. */
  readonly leastFilings?: number;
  /** Default the clock of the machine. */
  readonly clock?: Clock;
}

/**
 * Two business days, in which a filer that was removed has to be blocked, and a weekend with a holiday between them.
 * @see 47 CFR 64.6305(g)
 */
export const MAX_FILING_LIST_AGE_MS = 432_000_000;

/** A good half of the seven thousand and more filers that there are: a file with fewer is a part of one. */
export const LEAST_FILINGS = 4_000;

/** Share of the filings of the last file that the next one has at least: in one day some are removed, and no tenth of them. */
const LEAST_SHARE = 0.9;

/** Share of its lines that may be unread: strangers typed them, but software wrote the file. */
const MOST_UNREAD_SHARE = 0.01;

/** How far the date of a file may be ahead: clocks of two machines differ. */
const MAX_AHEAD_MS = 300_000;

/** What became of a file. Where it was not taken, the last one that was stands. */
export type FilingLoad =
  | { readonly status: 'loaded'; readonly filings: number; readonly unread: number }
  | {
      readonly status: 'refused';
      /**
       * `cut-off`: it ends within a line. `too-few`: fewer filings than a whole file has, or a tenth fewer than the last one. `too-many-unread`:
       * of more than a hundredth of its lines nobody can say whose they are.
       */
      readonly reason:
        | Extract<FilingListReading, { status: 'unreadable' }>['reason']
        | 'cut-off'
        | 'too-few'
        | 'too-many-unread'
        | 'date-ahead'
        | 'older-than-last';
      readonly column?: string;
    };

/** How a directory stands. */
export interface FilingDirectoryStatus {
  readonly filings: number;
  /** When the file was handed out, milliseconds since the epoch; absent before the first. */
  readonly listedAtMs?: number;
  /** Whether it is too old to say anything. */
  readonly isStale: boolean;
  /** Trunks by what is known of their filings. */
  readonly trunks: Readonly<Record<UpstreamFiling, readonly string[]>>;
}

/** Knows the filings of the providers at the other ends of trunks. */
export interface FilingDirectory {
  /**
   * Takes a new file in the place of the last one, whole or not at all.
   * @param csv - as {@link readFilingList} takes it
   * @param options - `listedAtMs`: when the database handed it out, milliseconds since the epoch
   */
  readonly load: (csv: string | Uint8Array, options: { readonly listedAtMs: number }) => FilingLoad;
  /** Of the trunk that a request came in by; as `verifyIdentity` takes it. Never throws for peer input. */
  readonly filingOf: (request: SipRequestLike) => UpstreamFiling;
  readonly filingOfTrunk: (trunk: string) => UpstreamFiling;
  readonly status: () => FilingDirectoryStatus;
}

/**
 * Makes a directory that joins trunks to filings of the Robocall Mitigation Database. It has no filings before the first `load`, and is
 * brought up to date by further ones while calls go on. `absent` and `removed` are said only out of a file that is whole and not too old; where a
 * line of it cannot be read, not of the numbers in that line. All else is `unknown`, which speaks against nobody.
 * @param options - the trunks with their filings
 * @returns the directory
 * @throws {@link HopbackError} `invalid-configuration` for a trunk without a reference or with a number that is none, and for limits below 0
 * @see 47 CFR 64.6305(g)
 * @example
 * ```ts
 * const trunks = { '192.0.2.7': { rmdNumber: 'RMD0001234' }, '192.0.2.8': { frn: '9' } };
 * const directory = createFilingDirectory({ trunks, leastFilings: 1 });
 * directory.load('number,business_name,frn\nRMD0001234,Example LLC,0000123456\n', { listedAtMs: Date.now() });
 * console.log(directory.filingOfTrunk('192.0.2.7'), directory.filingOfTrunk('192.0.2.8')); // present absent
 * ```
 */
export function createFilingDirectory(options: FilingDirectoryOptions): FilingDirectory {
  const { trunkOf = ({ source_address: address }) => address, maxAgeMs = MAX_FILING_LIST_AGE_MS } = options;
  const { leastFilings = LEAST_FILINGS, clock = { nowMs: Date.now } } = options;
  if (!(maxAgeMs >= 0) || !(leastFilings >= 0)) throw invalid('maxAgeMs and leastFilings must not be below 0');
  const wanted = new Map(Object.entries(options.trunks).map(([trunk, one]) => [trunk, checked(trunk, one)]));
  let listed: Listed | undefined;

  const isStale = (): boolean => listed === undefined || clock.nowMs() - listed.listedAtMs > maxAgeMs;
  const filingOfTrunk = (trunk: string): UpstreamFiling =>
    isStale() ? 'unknown' : (listed?.byTrunk.get(trunk) ?? 'unknown');
  return {
    load: (csv, { listedAtMs }) => {
      const reading = readFilingList(csv);
      if (reading.status === 'unreadable') return unreadable(reading);
      const refusal = refusalOf(reading, { listedAtMs, nowMs: clock.nowMs(), leastFilings, last: listed });
      if (refusal !== undefined) return refusal;
      const index = indexOf(reading.filings);
      const byTrunk = new Map([...wanted].map(([trunk, one]) => [trunk, filingIn(index, reading, one)]));
      listed = { listedAtMs, filings: reading.filings.length, byTrunk };
      return { status: 'loaded', filings: reading.filings.length, unread: reading.unread };
    },
    filingOf: (request) => {
      const trunk = trunkOf(request);
      return trunk === undefined ? 'unknown' : filingOfTrunk(trunk);
    },
    filingOfTrunk,
    status: () => {
      const trunks: Record<UpstreamFiling, string[]> = { present: [], absent: [], removed: [], unknown: [] };
      for (const trunk of wanted.keys()) trunks[filingOfTrunk(trunk)].push(trunk);
      return {
        filings: listed?.filings ?? 0,
        ...(listed !== undefined && { listedAtMs: listed.listedAtMs }),
        ...{ isStale: isStale(), trunks },
      };
    },
  };
}

interface Listed {
  readonly listedAtMs: number;
  readonly filings: number;
  readonly byTrunk: ReadonlyMap<string, UpstreamFiling>;
}

const invalid = (message: string): HopbackError => new HopbackError('invalid-configuration', message);

/** A reference with numbers and name in the forms in which they are compared. */
function checked(trunk: string, { rmdNumber, frn, businessName }: FilingReference): FilingReference {
  const read = {
    ...(rmdNumber !== undefined && { rmdNumber: rmdNumberOf(rmdNumber) }),
    ...(frn !== undefined && { frn: frnOf(frn) }),
    ...(businessName !== undefined && { businessName: filingName(businessName) }),
  };
  const given = Object.values(read);
  if (given.length === 0 || given.some((one) => one === undefined || one === ''))
    throw invalid(`trunk ${trunk}: give rmdNumber (RMD and digits), frn (up to ten digits) or businessName`);
  return read as FilingReference;
}

type FilingsRead = Extract<FilingListReading, { status: 'read' }>;

interface LoadFacts {
  readonly listedAtMs: number;
  readonly nowMs: number;
  readonly leastFilings: number;
  readonly last: Listed | undefined;
}

function refusalOf(reading: FilingsRead, facts: LoadFacts): FilingLoad | undefined {
  const { listedAtMs, nowMs, leastFilings, last } = facts;
  const refused = (reason: Extract<FilingLoad, { status: 'refused' }>['reason']): FilingLoad => ({
    ...{ status: 'refused', reason },
  });
  if (!(listedAtMs <= nowMs + MAX_AHEAD_MS)) return refused('date-ahead');
  if (last !== undefined && listedAtMs < last.listedAtMs) return refused('older-than-last');
  if (!reading.isWhole) return refused('cut-off');
  const count = reading.filings.length;
  if (reading.unread > (count + reading.unread) * MOST_UNREAD_SHARE) return refused('too-many-unread');
  return count < leastFilings || count < (last?.filings ?? 0) * LEAST_SHARE ? refused('too-few') : undefined;
}

const unreadable = ({ reason, column }: Extract<FilingListReading, { status: 'unreadable' }>): FilingLoad => ({
  ...{ status: 'refused', reason },
  ...(column !== undefined && { column }),
});

interface FilingIndex {
  readonly byNumber: ReadonlyMap<string, readonly ListedFiling[]>;
  readonly byName: ReadonlyMap<string, readonly ListedFiling[]>;
}

function indexOf(filings: readonly ListedFiling[]): FilingIndex {
  const byNumber = new Map<string, ListedFiling[]>();
  const byName = new Map<string, ListedFiling[]>();
  const add = (map: Map<string, ListedFiling[]>, key: string | undefined, filing: ListedFiling): void => {
    if (key === undefined) return;
    const known = map.get(key);
    if (known === undefined) map.set(key, [filing]);
    else known.push(filing);
  };
  for (const filing of filings) {
    add(byNumber, filing.rmdNumber, filing);
    add(byNumber, filing.frn, filing);
    for (const name of filing.names) add(byName, name, filing);
  }
  return { byNumber, byName };
}

/** Everything that a reference says has to be true of one filing; what is true of none, or of different ones, is for a person to look at. */
function filingIn(
  { byNumber, byName }: FilingIndex,
  { unreadNumbers, otherFrns, hasRmdNumbers }: FilingsRead,
  { rmdNumber, frn, businessName = '' }: FilingReference,
): UpstreamFiling {
  const numbers = [hasRmdNumbers ? rmdNumber : undefined, frn].filter((number) => number !== undefined);
  if (numbers.some((number) => unreadNumbers.has(number))) return 'unknown';
  const named = byName.get(businessName) ?? [];
  if (numbers.length === 0) return standingOf(named) ?? 'unknown';
  const found = numbers.map((number) => byNumber.get(number) ?? []);
  // Who is there by name, or beside another number, has another one than was written down, and is not absent.
  const isElsewhere = named.length > 0 || (frn !== undefined && otherFrns.has(frn));
  if (found.every((some) => some.length === 0)) return isElsewhere ? 'unknown' : 'absent';
  const [first = [], ...others] = found;
  return standingOf(first.filter((filing) => others.every((some) => some.includes(filing)))) ?? 'unknown';
}

/** A filer may have a removed filing beside the one that counts. What different filers have in common says nothing where they differ. */
function standingOf(filings: readonly ListedFiling[]): 'present' | 'removed' | undefined {
  const standings = new Map<string | undefined, 'present' | 'removed'>();
  for (const { frn, removedOn } of filings)
    if (removedOn === undefined || !standings.has(frn))
      standings.set(frn, removedOn === undefined ? 'present' : 'removed');
  const [standing, ...others] = new Set(standings.values());
  return others.length === 0 ? standing : undefined;
}

import { canonicalTelephoneNumber, isCanonicalTelephoneNumber } from '../../core/telephone-number.js';
import { defined } from '../../core/text.js';
import { isHopbackError } from '../../errors.js';
import { coverageGaps, MAX_QUERY_LIMIT } from '../../records/index.js';
import { rowClock } from '../../records/ingest/formats/row-times.js';
import type { CoverageInterval, RecordLookup, RecordQuery, TimeWindow } from '../../records/index.js';
import type { RowTimeReading } from '../../records/ingest/formats/row-times.js';
import { optionSpecs, UsageError } from '../kit/command.js';
import type { Options, OptionsOf } from '../kit/command.js';
import type { CliIo } from '../kit/node-io.js';

/** Days for which records are kept where nobody says otherwise: 18 months, for which a call may have to be found. */
export const RETENTION_DAYS = 548;

/** Microseconds of a second and a day. */
export const SECOND_US = 1_000_000;
export const DAY_US: number = 86_400 * SECOND_US;

/** Instants that a time on the command line may mean: one, or two where it is a local time that comes twice. */
type Instants = readonly [number] | readonly [number, number];

/**
 * Reads a time: ISO 8601 with `Z` or an offset, or as the clock on the wall of a zone.
 * @param name - of the option, for the message
 * @param zone - IANA name; undefined where none was given
 * @returns microseconds since the epoch, in order
 * @throws {@link UsageError} when it is no time, has neither offset nor zone, or is one that the clocks of the zone leave out
 */
export function timeOption(name: string, text: string, zone: string | undefined): Instants {
  const hasOffset = /(?:Z|[+-]\d\d(?::?\d\d)?)$/i.test(text.slice(ISO_DAY_CHARS));
  // Seconds are what people leave out.
  const whole = text.replace(/^(.{10}[ Tt]\d\d:\d\d)(?![:\d])/, '$1:00');
  const read = clockOf(zone ?? 'utc').read(whole, 'iso-8601');
  if (read.status === 'rejected') throw notRead(name, read, zone);
  if (!hasOffset && zone === undefined) {
    throw new UsageError(`--${name} does not say in which zone the time is`, [
      'Write it with Z or an offset (2026-11-02T12:00:00Z, 2026-11-02T07:00:00-05:00), or name the zone: --zone America/New_York',
    ]);
  }
  if (read.otherUs === undefined) return [read.atUs];
  return read.atUs < read.otherUs ? [read.atUs, read.otherUs] : [read.otherUs, read.atUs];
}

/** `2026-11-02` */
const ISO_DAY_CHARS = 10;

function clockOf(zone: string): ReturnType<typeof rowClock> {
  try {
    return rowClock({ zone });
  } catch (error) {
    if (isHopbackError(error))
      throw new UsageError(`there is no time zone ${zone}`, ['Zones are named as America/New_York']);
    throw error;
  }
}

function notRead(
  name: string,
  read: RowTimeReading & { readonly status: 'rejected' },
  zone: string | undefined,
): UsageError {
  if (read.reason === 'time-does-not-exist') {
    return new UsageError(`--${name} does not exist in ${zone ?? 'UTC'}: the clocks were put forward over it`, [
      'Ask for the time before or after the change, or in UTC.',
    ]);
  }
  return new UsageError(`--${name} is no time`, [
    '2026-11-02T12:00:00Z, 2026-11-02T07:00:00-05:00, or 2026-11-02T07:00:00 with --zone America/New_York',
  ]);
}

/** @throws {@link UsageError} when there is no such zone */
export function checkZone(zone: string | undefined): void {
  if (zone !== undefined) clockOf(zone);
}

const UNITS_US: Readonly<Record<string, number>> = {
  s: SECOND_US,
  m: 60 * SECOND_US,
  h: 3_600 * SECOND_US,
  d: DAY_US,
};

/** Longest stretch that is counted in: a century. */
const MAX_DURATION_US = 36_525 * DAY_US;

/**
 * Reads a stretch of time: `90s`, `5m`, `1h`, `548d`.
 * @param name - of the option, for the message
 * @returns microseconds, more than 0
 * @throws {@link UsageError} when it is none
 */
export function durationOption(name: string, text: string): number {
  const [, count, unit = ''] = /^(\d{1,9})([smhd])$/.exec(text) ?? [];
  const us = Number(count) * (UNITS_US[unit] ?? Number.NaN);
  if (us > 0 && us <= MAX_DURATION_US) return us;
  throw new UsageError(`--${name} is not a duration`, ['90s, 5m, 1h or 548d']);
}

/** `2026-11-02T12:00:00.123456Z`: as many decimals as there are. */
export function utcText(us: number): string {
  const seconds = new Date(Math.floor(us / SECOND_US) * 1_000);
  if (Number.isNaN(seconds.getTime())) return String(us);
  const decimals = String(us - Math.floor(us / SECOND_US) * SECOND_US).padStart(6, '0');
  const shown = decimals === '000000' ? '' : `.${decimals.endsWith('000') ? decimals.slice(0, 3) : decimals}`;
  return `${seconds.toISOString().slice(0, 19)}${shown}Z`;
}

/** Makes texts of instants as a clock in a zone shows them: `2026-11-02 07:00:00 EST`. */
export function localTexts(zone: string): (us: number) => string {
  const format = new Intl.DateTimeFormat('en-US', {
    timeZone: zone,
    hourCycle: 'h23',
    year: 'numeric',
    month: '2-digit',
    day: '2-digit',
    hour: '2-digit',
    minute: '2-digit',
    second: '2-digit',
    timeZoneName: 'short',
  });
  return (us) => {
    const parts = new Map(format.formatToParts(us / 1_000).map(({ type, value }) => [type, value]));
    const part = (type: Intl.DateTimeFormatPartTypes): string => parts.get(type) ?? '';
    const day = `${part('year')}-${part('month')}-${part('day')}`;
    return `${day} ${part('hour')}:${part('minute')}:${part('second')} ${part('timeZoneName')}`;
  };
}

/** `2026-11-02T12:00:00Z to 2026-11-02T13:00:00Z` */
export function windowText({ fromUs, toUs }: { readonly fromUs: number; readonly toUs: number }): string {
  return `${utcText(fromUs)} to ${utcText(toUs)}`;
}

/** What is looked for, and when. */
export const QUERY_OPTIONS = optionSpecs({
  'called <TN>': 'the number called, as dialled or translated, or its location routing number',
  'calling <TN>': 'the number in From, or the asserted number',
  'call-id <TEXT>': 'SIP Call-ID of either side',
  'origid <TEXT>': 'origid received or signed',
  'trunk <NAME>': 'ingress or egress trunk',
  'record-id <ID>': 'id of the record: 32 hexadecimal digits',
  'at <TIME>': 'when the call began: ISO 8601 with Z or an offset, or local time with --zone',
  'tolerance <DURATION>': 'how far from --at the call may have begun: 90s, 5m, 2h, 1d; default 1h',
  'from <TIME>': 'first instant, instead of --at',
  'to <TIME>': 'last instant; default now',
  'zone <ZONE>': 'zone of times without an offset, and of those shown: America/New_York',
  'limit <N>': `maximum number of calls, up to ${String(MAX_QUERY_LIMIT)}`,
});

/** Note of the commands that have {@link QUERY_OPTIONS}. */
export const QUERY_NOTE: string =
  'All options that you give must match. Numbers are read as dialled in North America, in any usual format; foreign ' +
  'numbers need their + or 011. A local time that occurs twice in autumn is searched at both times; a local time ' +
  'that is skipped in spring is refused. Without a time, --call-id, --origid and --record-id are searched in the ' +
  `last ${String(RETENTION_DAYS)} days.`;

/** How far a caller's clock, the switch's and the paper of a demand are usually apart, and an hour more for the zone that was forgotten. */
const DEFAULT_TOLERANCE_US = DAY_US / 24;

/** Keys that name a call so exactly that the time may be left out. */
const EXACT = ['call-id', 'origid', 'record-id'] as const;

/** What was asked for. */
export interface AskedQuery {
  /** Without window and limit. */
  readonly keys: Omit<RecordQuery, 'window' | 'limit'>;
  /** In order and apart from each other: two where a local time comes twice. */
  readonly windows: readonly [TimeWindow] | readonly [TimeWindow, TimeWindow];
  readonly limit?: number;
  /** In which times are shown beside UTC. */
  readonly zone?: string;
  /** What to know about how it was read, for a person. */
  readonly remarks: readonly string[];
}

/**
 * Reads what is looked for.
 * @throws {@link UsageError} for what cannot be looked for, with what to do
 */
export function askedQuery(options: OptionsOf<typeof QUERY_OPTIONS>, io: Pick<CliIo, 'clock'>): AskedQuery {
  const zone = options.text('zone');
  checkZone(zone);
  const keys = keysOf(options);
  const windows = windowsOf(options, zone, io.clock.nowMs() * 1_000);
  const limit = options.number('limit', 1, MAX_QUERY_LIMIT);
  const remarks = [...numberRemarks(options), ...(windows.length === 2 ? [TWICE] : [])];
  return { keys, windows, remarks, ...defined({ limit, zone }) };
}

function keysOf(options: OptionsOf<typeof QUERY_OPTIONS>): AskedQuery['keys'] {
  const recordId = options.text('record-id');
  if (recordId !== undefined && !/^[0-9a-f]{32}$/i.test(recordId))
    throw new UsageError('--record-id must be the 32 hexadecimal digits of a record id');
  const keys = defined({
    calledTn: numberOf(options, 'called'),
    callingTn: numberOf(options, 'calling'),
    callId: options.text('call-id'),
    origId: options.text('origid'),
    trunk: options.text('trunk'),
    recordId: recordId?.toLowerCase(),
  });
  if (Object.keys(keys).length > 0) return keys;
  throw new UsageError('say which call: --called, --calling, --call-id, --origid, --trunk or --record-id');
}

function numberOf(options: OptionsOf<typeof QUERY_OPTIONS>, name: 'called' | 'calling'): string | undefined {
  const text = options.text(name);
  if (text === undefined) return undefined;
  const number = canonicalTelephoneNumber(numberText(text));
  if (number.kind !== 'none') return number.tn;
  throw new UsageError(`--${name} must be a telephone number`);
}

/**
 * A number as it is pasted: out of a URI, out of a spreadsheet that took it for a decimal one, behind the technical prefix of a route, with
 * the dashes and spaces of a document. Rows of call records are read the same way.
 */
function numberText(text: string): string {
  const plain = text
    .replace(/[\u2010-\u2015\u2212]/g, '-')
    .replace(/[\u00a0\u2007\u202f]/g, ' ')
    .trim();
  const [user = ''] = plain.replace(/^(?:sips?|tel):/i, '').split(/[@;]/, 1);
  return user.replace(/^(\+?\d{5,15})\.0+$/, '$1').replace(/^\d{1,8}#(?=\+?\d{7})/, '');
}

/** A foreign number can have ten digits too: whoever typed one has to see what was looked for. */
function numberRemarks(options: OptionsOf<typeof QUERY_OPTIONS>): readonly string[] {
  return (['called', 'calling'] as const).flatMap((name) => {
    const [text, tn] = [options.text(name), numberOf(options, name)];
    if (text === undefined || tn === undefined || !isCanonicalTelephoneNumber(text) || tn === text) return [];
    return [
      `! --${name} was read as the North American number ${tn}; a foreign number is written with + and its country code`,
    ];
  });
}

const TWICE = '! that local time occurs twice: both were searched';

function windowsOf(
  options: OptionsOf<typeof QUERY_OPTIONS>,
  zone: string | undefined,
  nowUs: number,
): AskedQuery['windows'] {
  const [at, tolerance] = [options.text('at'), options.text('tolerance')];
  const [from, to] = [options.text('from'), options.text('to')];
  if (tolerance !== undefined && at === undefined) throw new UsageError('--tolerance goes with --at');
  if (at !== undefined) {
    if (from !== undefined || to !== undefined) throw new UsageError('give --at, or --from and --to, not both');
    return aroundInstants(
      timeOption('at', at, zone),
      tolerance === undefined ? DEFAULT_TOLERANCE_US : durationOption('tolerance', tolerance),
    );
  }
  if (from !== undefined || to !== undefined) return [windowOption(options, zone, nowUs)];
  if (EXACT.some((name) => options.text(name) !== undefined))
    return [{ fromUs: nowUs - RETENTION_DAYS * DAY_US, toUs: nowUs }];
  throw new UsageError('say when: --at TIME, or --from TIME and --to TIME');
}

function aroundInstants([first, second]: ReturnType<typeof timeOption>, toleranceUs: number): AskedQuery['windows'] {
  const window = { fromUs: first - toleranceUs, toUs: first + toleranceUs };
  if (second === undefined) return [window];
  if (second - toleranceUs <= window.toUs) return [{ fromUs: window.fromUs, toUs: second + toleranceUs }];
  return [window, { fromUs: second - toleranceUs, toUs: second + toleranceUs }];
}

/**
 * The window between `--from` and `--to`: of times that come twice the first and the last.
 * @throws {@link UsageError} when it has no beginning, or ends before it
 */
export function windowOption(options: Options<'from' | 'to'>, zone: string | undefined, nowUs: number): TimeWindow {
  const [from, to] = [options.text('from'), options.text('to')];
  if (from === undefined) throw new UsageError('--to needs --from');
  const [fromUs] = timeOption('from', from, zone);
  const toUs = to === undefined ? nowUs : (timeOption('to', to, zone).at(-1) ?? nowUs);
  if (fromUs > toUs) throw new UsageError(`--from is later than ${to === undefined ? 'now' : '--to'}`);
  return { fromUs, toUs };
}

/** A stretch of a window for which the store cannot say what a source wrote. */
interface MissingStretch extends TimeWindow {
  readonly sourceId: string;
  /** `not-retained`: it was removed, or not taken, for its age. */
  readonly reason: 'not-known' | 'not-retained';
}

/** Whether a store may say "not found" about some windows. */
export interface Completeness {
  readonly isComplete: boolean;
  /** Sources that were looked at. */
  readonly sources: readonly string[];
  /** By source, then time. */
  readonly missing: readonly MissingStretch[];
}

/** Every time that a record may have. */
const ALL_TIME: TimeWindow = { fromUs: Number.MIN_SAFE_INTEGER, toUs: Number.MAX_SAFE_INTEGER };

/** All that a store is complete for, by source. */
export async function coverageBySource(store: RecordLookup): Promise<ReadonlyMap<string, readonly CoverageInterval[]>> {
  const bySource = new Map<string, CoverageInterval[]>();
  // One that is complete for no time at all has to be named too: its silence proves nothing.
  const { sources } = await store.scope();
  for (const sourceId of sources) bySource.set(sourceId, []);
  // Of all time: a source that has nothing in a window is not named by the coverage of the window.
  for (const interval of await store.coverage(ALL_TIME)) {
    const known = bySource.get(interval.sourceId);
    if (known === undefined) bySource.set(interval.sourceId, [interval]);
    else known.push(interval);
  }
  return bySource;
}

/**
 * What is missing of some windows.
 * @param windows - what lies in the future of them is not missed, where they begin before now
 * @param sourceIds - that have to be complete: those that the store knows where none are named
 */
export async function completenessOf(
  store: RecordLookup,
  windows: readonly TimeWindow[],
  sourceIds: readonly string[],
  nowUs: number,
): Promise<Completeness> {
  const bySource = await coverageBySource(store);
  const { retainedFromUs = Number.NEGATIVE_INFINITY } = await store.scope();
  const sources = sourceIds.length > 0 ? sourceIds : [...bySource.keys()];
  const past = windows.map(({ fromUs, toUs }) => ({ fromUs, toUs: fromUs < nowUs ? Math.min(toUs, nowUs) : toUs }));
  const missing = sources.flatMap((sourceId) =>
    past.flatMap((window) =>
      coverageGaps(bySource.get(sourceId) ?? [], window).flatMap((gap) => reasoned(gap, sourceId, retainedFromUs)),
    ),
  );
  return { isComplete: sources.length > 0 && missing.length === 0, sources, missing };
}

/** A gap, divided where retention ended. */
function reasoned({ fromUs, toUs }: TimeWindow, sourceId: string, retainedFromUs: number): readonly MissingStretch[] {
  const removed = { sourceId, fromUs, toUs: Math.min(toUs, retainedFromUs - 1), reason: 'not-retained' } as const;
  const unknown = { sourceId, fromUs: Math.max(fromUs, retainedFromUs), toUs, reason: 'not-known' } as const;
  return [removed, unknown].filter((stretch) => stretch.fromUs <= stretch.toUs);
}

/** Whether the only thing that is missing is what retention has removed. */
export function isNotRetained({ missing }: Completeness): boolean {
  return missing.length > 0 && missing.every(({ reason }) => reason === 'not-retained');
}

/** Stretches that are listed; a source that fails every few minutes has more than anybody reads. */
const MAX_LISTED = 20;

/** What is missing, a line for each stretch. */
export function missingLines({ sources, missing }: Completeness): readonly string[] {
  if (sources.length === 0) return ['  ? the store is not complete for any time of any source'];
  const listed = missing
    .slice(0, MAX_LISTED)
    .map((gap) => `  ? ${gap.sourceId}: ${REASON_WORDS[gap.reason]} ${windowText(gap)}`);
  const more = missing.length - listed.length;
  return more === 0 ? listed : [...listed, `  ? and ${String(more)} more stretches; --json lists them all`];
}

const REASON_WORDS: Readonly<Record<MissingStretch['reason'], string>> = {
  'not-known': 'nothing known of',
  'not-retained': 'no longer kept  ',
};

/** For a document: with times that can be read. */
export function completenessDocument({
  isComplete,
  sources,
  missing,
}: Completeness): Readonly<Record<string, unknown>> {
  return { isComplete, sources, missing: missing.map((gap) => Object.assign({}, gap, timesOf(gap))) };
}

/** The ends of a window as texts, beside their microseconds. */
export function timesOf({ fromUs, toUs }: TimeWindow): { readonly from: string; readonly to: string } {
  return { from: utcText(fromUs), to: utcText(toUs) };
}

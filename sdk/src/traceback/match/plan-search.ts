import { NORTH_AMERICAN_PLAN } from '../../core/telephone-number.js';
import type { CanonicalTn } from '../../core/telephone-number.js';
import type { RequestedCall, StatedTime, TimePrecision, TracebackRequest } from '../../contract/traceback-exchange.js';
import type { SourceNumbers } from '../../records/ingest/record-reader.js';
import { writtenCalled } from '../../records/ingest/record-reader.js';
import { asUtcUs, isWallTime, zoneClock } from '../../records/ingest/formats/row-times.js';
import type { LocalInstant, WallTime, ZoneClock } from '../../records/ingest/formats/row-times.js';
import type { RecordQuery, TimeWindow } from '../../records/store/record-store.js';
import { LONGEST_LAG_US, LONGEST_SEARCH_US, WIDEN_US, clockAllowanceUs } from './match-options.js';
import type { MatchOptions } from './match-options.js';

/** A UUID with or without hyphens; signers write other opaque text too, which may be another in capitals. */
const HEXADECIMAL = /^[\da-f-]{1,64}$/i;

/**
 * An origid as it is compared: a UUID is the same in capitals. Never throws.
 * @see RFC 9562 section 4
 */
export function comparableOrigId(origId: string | undefined): string | undefined {
  return origId !== undefined && HEXADECIMAL.test(origId) ? origId.toLowerCase() : origId;
}

/** The spellings in which an origid is looked up: records have it as it came, and look-ups compare it letter by letter. Never throws. */
function origIdSpellings(origId: string): readonly string[] {
  return HEXADECIMAL.test(origId) ? [...new Set([origId, origId.toLowerCase(), origId.toUpperCase()])] : [origId];
}

/** What a stated number means. */
export type StatedNumber =
  /** Nothing was stated, or that it was withheld. */
  | { readonly kind: 'not-stated' }
  /** Something was, which is no number. */
  | { readonly kind: 'unreadable' }
  | {
      readonly kind: 'number';
      readonly tn: CanonicalTn;
      /** The location routing number that stood beside it. */
      readonly lrn?: CanonicalTn;
      /**
       * Whether it means the same everywhere: a number of the plan, or one that was written with `+` or an international prefix. Short codes,
       * extensions, local numbers and whatever has a prefix that nobody declared do not.
       */
      readonly isGlobal: boolean;
    };

/**
 * Reads a number as requests carry it: with `+`, 10 or 11 digits, `00` or `011` before foreign ones, the `.0` of a spreadsheet, a
 * technical prefix (`1234#`), a SIP or tel URI with or without a location routing number. Never throws.
 * @see RFC 4694 for the routing number
 */
export function readStatedNumber(text: string | undefined, numbers: SourceNumbers = {}): StatedNumber {
  const plain = (text ?? '').slice(0, MAX_CHARS).replace(DASHES, '-').replace(SPACES, ' ').trim();
  if (plain === '' || WITHHELD.has(plain.toLowerCase())) return { kind: 'not-stated' };
  const called = writtenCalled(plain, numbers);
  const tn = called?.tn ?? called?.lrn;
  if (tn === undefined) return { kind: 'unreadable' };
  const lrn = called?.lrn;
  const isGlobal = isGlobalNumber(tn, plain, numbers);
  return lrn === undefined || lrn === tn ? { kind: 'number', tn, isGlobal } : { kind: 'number', tn, lrn, isGlobal };
}

/**
 * Whether a canonical number is toll-free: it is translated to an ordinary one on the way, so that a call to it may be on record under
 * that one alone. Never throws.
 * @see ITU-T E.169.1 for the international ones
 */
export function isTollFree(tn: CanonicalTn): boolean {
  return TOLL_FREE.test(tn);
}

/**
 * Whether two different numbers may be one that was written in full and in part: one is the end of the other, as local numbers and
 * extensions are, and numbers behind a prefix. Never throws.
 */
export function mayBeOneNumber(one: CanonicalTn, other: CanonicalTn): boolean {
  return one.endsWith(other) || other.endsWith(one);
}

/** Toll-free codes in use in North America, and 822, which is reserved for it; the eight digits of an international freephone number. */
const TOLL_FREE = /^(?:18(?:00|22|33|44|55|66|77|88)\d{7}|800\d{8})$/;
/** Seven digits have the shortest numbers of small countries, country code included; E.164 has at most 15. */
const GLOBAL = /^[1-9]\d{6,14}$/;
/** The shortest numbers of countries whose numbers have no one length are left out: they look like local ones. */
const SHORTEST_OWN_DIGITS = 10;

function isGlobalNumber(tn: CanonicalTn, text: string, { plan = NORTH_AMERICAN_PLAN }: SourceNumbers): boolean {
  if (!GLOBAL.test(tn)) return false;
  const { countryCode, nationalLength, nationalFirstDigits, internationalPrefixes = [] } = plan;
  if (tn.startsWith(countryCode)) {
    const rest = tn.length - countryCode.length;
    const hasLength = nationalLength === undefined ? tn.length >= SHORTEST_OWN_DIGITS : rest === nationalLength;
    if (hasLength && (nationalFirstDigits?.includes(tn.charAt(countryCode.length)) ?? true)) return true;
  }
  const written = text.replaceAll(/%2b/gi, '+').replaceAll(/[^+\d]/g, '');
  return [...internationalPrefixes, '+'].some((prefix) => written.includes(prefix + tn));
}

/** Longest name-addr that a number is looked for in. */
const MAX_CHARS = 256;
/** What word processors make of a hyphen and of a space. */
const DASHES = /[\u2010-\u2015\u2212]/g;
const SPACES = /[\u00a0\u2007\u202f]/g;
/** What is written where the caller's number was not shown. RFC 3323 section 4.1.1.3 has the first. */
const WITHHELD: ReadonlySet<string> = new Set([
  ...[
    'anonymous',
    'restricted',
    'private',
    'unknown',
    'unavailable',
    'withheld',
    'blocked',
    'no caller id',
    'none',
    'n/a',
    '-',
  ],
]);

/** What a stated time means. */
export type StatedTimeReading =
  | {
      readonly status: 'read';
      /** Each a stretch as long as the smallest step that was stated: one, or two where the time may be either. In order. */
      readonly instants: readonly TimeWindow[];
      /** `once`; `twice` in the hour that comes twice; `left-out` in the one that is left out: then neither instant is what was stated. */
      readonly occurs: 'once' | 'twice' | 'left-out';
      /** `stated`; `configured`: the default of whoever reads; `none`: it was taken for UTC, because nobody said anything. */
      readonly zoneFrom: 'stated' | 'configured' | 'none';
      /** As it was read, `2026-10-23T15:41 America/New_York`, and where its zone is from if nobody stated one. */
      readonly text: string;
    }
  | { readonly status: 'unreadable'; readonly because: string };

/** Microseconds of the smallest step that was stated. */
const PRECISION_US: Readonly<Record<TimePrecision, number>> = {
  day: 86_400_000_000,
  hour: 3_600_000_000,
  minute: 60_000_000,
  second: 1_000_000,
  millisecond: 1_000,
  microsecond: 1,
};

/**
 * Reads a stated time: the wall clock that it means, in the zone that was stated or else the default. Never throws.
 * @param defaultZone - of a time without a zone, IANA name, offset or `UTC`
 */
export function readStatedTime(at: StatedTime, defaultZone: string | undefined): StatedTimeReading {
  const wall = wallOf(at);
  if (wall === undefined) return unreadable('The date and time of day of the call could not be read.');
  const { zone: stated } = at;
  const zone = stated ?? defaultZone ?? 'UTC';
  const clock = clockOf(zone);
  if (clock === undefined) return unreadable('The stated time zone is neither in the IANA database nor an offset.');
  const stepUs = PRECISION_US[at.precision] ?? PRECISION_US.minute;
  const { starts, occurs } = startsOf(clock, wall);
  const zoneFrom = stated !== undefined ? 'stated' : defaultZone !== undefined ? 'configured' : 'none';
  return {
    status: 'read',
    instants: starts.map((fromUs) => ({
      fromUs,
      toUs: endOf(clock, { wall, fromUs, precision: at.precision, stepUs }),
    })),
    occurs,
    zoneFrom,
    text: `${at.local.slice(0, MAX_LOCAL_CHARS)} ${zone}${ZONE_NOTES[zoneFrom]}`,
  };
}

const ZONE_NOTES = { stated: '', configured: ' (no zone stated: the configured one)', none: ' (no zone stated)' };

/** `2026-10-23T15:41:07.123456` and room for a longer fraction. */
const MAX_LOCAL_CHARS = 40;
const MAX_ZONE_CHARS = 64;
const LOCAL = /^(\d{4})-(\d\d)-(\d\d)(?:[T ](\d\d)(?::(\d\d)(?::(\d\d)(?:\.(\d{1,9}))?)?)?)?$/;
const OFFSET = /^(?:UTC|GMT)?([+-])(\d\d):?(\d\d)$/i;
const UTC_NAMES: ReadonlySet<string> = new Set(['utc', 'z', 'gmt', 'etc/utc']);
const DAY_US = PRECISION_US.day;

function unreadable(because: string): StatedTimeReading {
  return { status: 'unreadable', because };
}

/** The beginning of the smallest step: what is below it was not stated. */
function wallOf({ local, precision }: StatedTime): WallTime | undefined {
  const parts = local.length > MAX_LOCAL_CHARS ? null : LOCAL.exec(local);
  if (parts === null) return undefined;
  const [year = 0, month = 0, day = 0, hour = 0, minute = 0, second = 0] = parts
    .slice(1, 7)
    .map((text) => Number(text ?? 0));
  const microsecond = Number((parts[7] ?? '').padEnd(6, '0').slice(0, 6));
  const full = {
    year,
    month,
    day,
    hour,
    minute,
    second,
    microsecond,
  };
  return isWallTime(full) ? cutTo(full, PRECISION_US[precision] ?? PRECISION_US.minute) : undefined;
}

function cutTo(wall: WallTime, stepUs: number): WallTime {
  const keeps = (unitUs: number, value: number): number => (stepUs > unitUs ? 0 : value);
  const fraction = stepUs >= PRECISION_US.second ? 0 : wall.microsecond - (wall.microsecond % stepUs);
  return {
    year: wall.year,
    month: wall.month,
    day: wall.day,
    hour: keeps(PRECISION_US.hour, wall.hour),
    minute: keeps(PRECISION_US.minute, wall.minute),
    second: keeps(PRECISION_US.second, wall.second),
    microsecond: fraction,
  };
}

function clockOf(zone: string): ZoneClock | undefined {
  if (zone.length > MAX_ZONE_CHARS) return undefined;
  if (UTC_NAMES.has(zone.toLowerCase())) return zoneClock('utc');
  const [, sign, hours, minutes] = OFFSET.exec(zone) ?? [];
  if (sign === undefined) return zoneClock(zone);
  const offsetUs = (Number(hours) * 60 + Number(minutes)) * PRECISION_US.minute * (sign === '-' ? -1 : 1);
  return {
    zone,
    instantOf: (wall) => ({ kind: 'one', atUs: asUtcUs(wall) - offsetUs }),
    offsetMsAt: () => offsetUs / 1_000,
  };
}

function startsOf(
  clock: ZoneClock,
  wall: WallTime,
): { readonly starts: readonly number[]; readonly occurs: 'once' | 'twice' | 'left-out' } {
  const instant = clock.instantOf(wall);
  if (instant.kind === 'one') return { starts: [instant.atUs], occurs: 'once' };
  if (instant.kind === 'two') return { starts: [instant.earlierUs, instant.laterUs], occurs: 'twice' };
  // Whoever wrote it had a clock that was not put forward yet, or was already: both offsets around the change are tried.
  const wallUs = asUtcUs(wall);
  const offsets = [-DAY_US, DAY_US].map(
    (us) => wallUs + us - anInstant(clock.instantOf(wallAt(wallUs + us)), wallUs + us),
  );
  return { starts: [...new Set(offsets.map((offsetUs) => wallUs - offsetUs))].toSorted(ascending), occurs: 'left-out' };
}

/** Last microsecond of the step. A day is as long as its zone makes it. */
function endOf(
  clock: ZoneClock,
  step: {
    readonly wall: WallTime;
    readonly fromUs: number;
    readonly precision: TimePrecision;
    readonly stepUs: number;
  },
): number {
  const { wall, fromUs, precision, stepUs } = step;
  if (precision !== 'day') return fromUs + stepUs - 1;
  const nextUs = asUtcUs(wall) + DAY_US;
  return Math.max(fromUs, anInstant(clock.instantOf(wallAt(nextUs)), fromUs + DAY_US) - 1);
}

function anInstant(instant: LocalInstant, otherwise: number): number {
  if (instant.kind === 'one') return instant.atUs;
  return instant.kind === 'two' ? instant.laterUs : otherwise;
}

function wallAt(us: number): WallTime {
  const date = new Date(Math.floor(us / 1_000));
  return {
    year: date.getUTCFullYear(),
    month: date.getUTCMonth() + 1,
    day: date.getUTCDate(),
    hour: date.getUTCHours(),
    minute: date.getUTCMinutes(),
    second: date.getUTCSeconds(),
    microsecond: us - Math.floor(us / 1_000_000) * 1_000_000,
  };
}

function ascending(one: number, other: number): number {
  return one - other;
}

/** Most records that one look-up of a match asks for: a number that is called more often in half an hour is a person's to look at. */
export const MATCH_LOOKUP_LIMIT = 1_000;

/** Where and by what a call is looked for. */
export type SearchPlan =
  | {
      readonly status: 'planned';
      /** The time as it was read. */
      readonly time: Extract<StatedTimeReading, { status: 'read' }>;
      readonly called: StatedNumber;
      readonly calling: StatedNumber;
      /** Whatever is consistent with the stated time began in these. */
      readonly narrow: readonly TimeWindow[];
      /** An hour around `narrow`. */
      readonly wide: readonly TimeWindow[];
      /** Look-ups to begin with: by identifiers, and by the number called in the narrow windows. */
      readonly first: readonly RecordQuery[];
      /** Those that follow where none of what was found can be meant. */
      readonly widened: readonly RecordQuery[];
      /** Those that find the caller's calls to the number, where the number is called so often that the first were cut. */
      readonly ifCut: readonly RecordQuery[];
      /** Those that find a record by its id where it is not within an hour of the stated time: it names itself, whatever the time. */
      readonly farther: readonly RecordQuery[];
      /** By what is looked: `called`, `calling`, `call-id`, `origid`, `record-id`. */
      readonly keys: readonly string[];
      /** How it was read, where that has to be known. */
      readonly notes: readonly string[];
    }
  /** Nothing can be looked for: a person reads the request. */
  | { readonly status: 'unreadable'; readonly because: readonly string[] };

/**
 * Plans how the call of a request is looked for. Nothing that was stated is believed: numbers are read in any usual spelling, and the
 * time in its zone, at its precision, with an allowance for clocks, and for people who note when a call ended.
 *
 * A local time that comes twice is looked for at both instants. One that is left out in spring is looked for as clocks before and after
 * the change would have meant it, and never answered without a person.
 * @param request - as it was received; nothing of it is trusted
 * @param options - the default zone, the allowance for clocks, and how numbers are read
 * @returns windows and look-ups, or why there is nothing to look for. Never throws
 * @see 47 CFR 64.1200(n)(1)
 */
export function planSearch(request: TracebackRequest, options: MatchOptions = {}): SearchPlan {
  const { call, direction } = request;
  if (direction === 'forward') return { status: 'unreadable', because: [BECAUSE.forward] };
  const time = readStatedTime(call.at, options.defaultZone);
  const called = readStatedNumber(call.called, options.numbers);
  const calling = readStatedNumber(call.calling, options.numbers);
  const keys = keysOf(call, { called, calling });
  const because = [
    ...(time.status === 'unreadable' ? [time.because] : []),
    ...(keys.length === 0 ? [called.kind === 'unreadable' ? BECAUSE.noNumber : BECAUSE.nothing] : []),
  ];
  if (time.status === 'unreadable' || because.length > 0) return { status: 'unreadable', because };
  const allowanceUs = clockAllowanceUs(options);
  const around = (beforeUs: number, afterUs: number): readonly TimeWindow[] =>
    joined(time.instants.map(({ fromUs, toUs }) => ({ fromUs: fromUs - beforeUs, toUs: toUs + afterUs })));
  const narrow = around(allowanceUs + LONGEST_LAG_US, allowanceUs);
  // A zone that was taken for another moves everything that is consistent with the stated time, and not that time alone.
  const wide = around(WIDEN_US + allowanceUs + LONGEST_LAG_US, WIDEN_US + allowanceUs);
  return {
    status: 'planned',
    time,
    called,
    calling,
    narrow,
    wide,
    keys,
    ...lookUps(call, {
      called,
      calling,
      narrow,
      wide,
      far: around(LONGEST_SEARCH_US, LONGEST_SEARCH_US),
    }),
    notes: notesOf(time, { called, calling }),
  };
}

const BECAUSE = {
  forward: 'The request asks who serves a number, and not for a call.',
  nothing: 'Neither a number nor an identifier of the call was stated.',
  noNumber: 'The number called that was stated is no telephone number.',
};

interface StatedNumbers {
  readonly called: StatedNumber;
  readonly calling: StatedNumber;
}

type RecordKeys = Omit<RecordQuery, 'window'>;

function recordKeys({ recordId }: RequestedCall): readonly RecordKeys[] {
  return isSaid(recordId) ? [{ recordId: recordId.toLowerCase() }] : [];
}

/** What names the call and no other, where it was stated. */
function identifiersOf(call: RequestedCall): readonly RecordKeys[] {
  return [...recordKeys(call), ...(isSaid(call.callId) ? [{ callId: call.callId }] : [])];
}

function isSaid(text: string | undefined): text is string {
  return text !== undefined && text !== '';
}

/** Without the number called an identifier has to be there: by the caller alone every call of a spoofed number would be looked at. */
function keysOf(call: RequestedCall, { called, calling }: StatedNumbers): readonly string[] {
  const keys = [
    ...(isSaid(call.recordId) ? ['record-id'] : []),
    ...(isSaid(call.callId) ? ['call-id'] : []),
    ...(isSaid(call.origId) ? ['origid'] : []),
    ...(called.kind === 'number' ? ['called'] : []),
  ];
  return keys.length > 0 && calling.kind === 'number' ? [...keys, 'calling'] : keys;
}

function lookUps(
  call: RequestedCall,
  plan: StatedNumbers & Readonly<Record<'narrow' | 'wide' | 'far', readonly TimeWindow[]>>,
): Pick<Extract<SearchPlan, { status: 'planned' }>, 'first' | 'widened' | 'ifCut' | 'farther'> {
  const { called, calling, narrow, wide, far } = plan;
  const over = (windows: readonly TimeWindow[], keys: readonly RecordKeys[]): readonly RecordQuery[] =>
    keys.flatMap((key) => windows.map((window) => ({ window, ...key, limit: MATCH_LOOKUP_LIMIT })));
  const numbers = called.kind === 'number' ? [called.tn, ...(called.lrn === undefined ? [] : [called.lrn])] : [];
  const byCalled = numbers.map((calledTn) => ({ calledTn }));
  const byCalling = calling.kind === 'number' ? [{ callingTn: calling.tn }] : [];
  // One origid may stand for all calls of a customer: it is looked for where the number called does not lead to the call.
  const byOrigId = isSaid(call.origId) ? origIdSpellings(call.origId).map((origId) => ({ origId })) : [];
  return {
    first: [...over(wide, identifiersOf(call)), ...over(narrow, byCalled.length > 0 ? byCalled : byOrigId)],
    widened: [...over(wide, byCalled), ...over(wide, byCalling), ...over(wide, byOrigId)],
    ifCut:
      calling.kind === 'number'
        ? over(
            narrow,
            byCalled.map((key) => ({ ...key, callingTn: calling.tn })),
          )
        : [],
    farther: over(far, recordKeys(call)),
  };
}

function notesOf(time: Extract<StatedTimeReading, { status: 'read' }>, numbers: StatedNumbers): readonly string[] {
  return [
    ...(time.zoneFrom === 'configured' ? ['No zone was stated: the time was read in the configured one.'] : []),
    ...(time.zoneFrom === 'none' ? ['No zone was stated and none is configured: the time was read as UTC.'] : []),
    ...(time.occurs === 'twice' ? ['The stated local time came twice: both instants were looked at.'] : []),
    ...(time.occurs === 'left-out' ? ['The stated local time does not exist: clocks were put forward over it.'] : []),
    ...(numbers.called.kind === 'unreadable' ? [BECAUSE.noNumber] : []),
    ...(numbers.calling.kind === 'unreadable' ? ['The calling number that was stated is no telephone number.'] : []),
  ];
}

/** Windows in order and apart from each other. */
function joined(windows: readonly TimeWindow[]): readonly TimeWindow[] {
  const apart: TimeWindow[] = [];
  for (const window of windows.toSorted((one, other) => one.fromUs - other.fromUs)) {
    const last = apart.at(-1);
    if (last === undefined || window.fromUs > last.toUs + 1) apart.push(window);
    else apart[apart.length - 1] = { fromUs: last.fromUs, toUs: Math.max(last.toUs, window.toUs) };
  }
  return apart;
}

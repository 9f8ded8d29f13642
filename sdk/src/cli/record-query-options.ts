import { canonicalTelephoneNumber, isCanonicalTelephoneNumber } from '../core/telephone-number.js';
import { MAX_QUERY_LIMIT } from '../records/index.js';
import type { RecordQuery, TimeWindow } from '../records/index.js';
import type { CliIo } from './io.js';
import { numberOption } from './options.js';
import type { Options, OptionSpecs } from './options.js';
import { DAY_US, RETENTION_DAYS, checkZone, durationOption, timeOption } from './record-times.js';
import { UsageError } from './usage-error.js';

/** Names of {@link QUERY_OPTIONS}. */
export type QueryOption =
  | 'called'
  | 'calling'
  | 'call-id'
  | 'origid'
  | 'trunk'
  | 'record-id'
  | 'at'
  | 'tolerance'
  | 'from'
  | 'to'
  | 'zone'
  | 'limit';

/** What is looked for, and when. */
export const QUERY_OPTIONS: OptionSpecs<QueryOption> = {
  called: { value: 'TN', text: 'the number called, as dialled or translated, or its location routing number' },
  calling: { value: 'TN', text: 'the number of From, or the asserted one' },
  'call-id': { value: 'TEXT', text: 'SIP Call-ID of either side' },
  origid: { value: 'TEXT', text: 'origid that came, or that was signed' },
  trunk: { value: 'NAME', text: 'trunk that the call came by or left by' },
  'record-id': { value: 'ID', text: 'id of the record: 32 hexadecimal digits' },
  at: { value: 'TIME', text: 'when the call began: ISO 8601 with Z or an offset, or local time with --zone' },
  tolerance: { value: 'DURATION', text: 'how far from --at it may have begun: 90s, 5m, 2h, 1d; default 1h' },
  from: { value: 'TIME', text: 'first instant, in place of --at' },
  to: { value: 'TIME', text: 'last instant; default now' },
  zone: { value: 'ZONE', text: 'zone of times without an offset, and of those shown: America/New_York' },
  limit: { value: 'N', text: `calls at most, up to ${String(MAX_QUERY_LIMIT)}` },
};

/** Note of the commands that have {@link QUERY_OPTIONS}. */
export const QUERY_NOTE: string =
  'Everything that is given has to match. Numbers are read as dialled in North America, in any usual spelling; foreign ones need their + ' +
  'or 011. A local time of the hour that comes twice in autumn is looked for in both; one of the hour that is left out in spring is ' +
  `refused. Without a time, --call-id, --origid and --record-id are looked for in the last ${String(RETENTION_DAYS)} days.`;

/** How far a caller's clock, the switch's and the paper of a demand are usually apart, and an hour more for the zone that was forgotten. */
const DEFAULT_TOLERANCE_US = DAY_US / 24;

/** Keys that name a call so exactly that the time may be left out. */
const EXACT: readonly QueryOption[] = ['call-id', 'origid', 'record-id'];

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
export function askedQuery(options: Options<QueryOption>, io: Pick<CliIo, 'clock'>): AskedQuery {
  const zone = options.text('zone');
  checkZone(zone);
  const keys = keysOf(options);
  const windows = windowsOf(options, { zone, nowUs: io.clock.nowMs() * 1_000 });
  const limit = numberOption(options.text('limit'), { name: 'limit', min: 1, max: MAX_QUERY_LIMIT });
  return {
    keys,
    windows,
    remarks: [...numberRemarks(options), ...(windows.length === 2 ? [TWICE] : [])],
    ...(limit === undefined ? {} : { limit }),
    ...(zone === undefined ? {} : { zone }),
  };
}

function keysOf(options: Options<QueryOption>): AskedQuery['keys'] {
  const [called, calling] = [options.text('called'), options.text('calling')];
  const [callId, origId] = [options.text('call-id'), options.text('origid')];
  const [trunk, recordId] = [options.text('trunk'), options.text('record-id')];
  if (recordId !== undefined && !/^[0-9a-f]{32}$/i.test(recordId))
    throw new UsageError('--record-id must be the 32 hexadecimal digits of a record id');
  const keys = {
    ...(called === undefined ? {} : { calledTn: numberOf('called', called) }),
    ...(calling === undefined ? {} : { callingTn: numberOf('calling', calling) }),
    ...(callId === undefined ? {} : { callId }),
    ...(origId === undefined ? {} : { origId }),
    ...(trunk === undefined ? {} : { trunk }),
    ...(recordId === undefined ? {} : { recordId: recordId.toLowerCase() }),
  };
  if (Object.keys(keys).length > 0) return keys;
  throw new UsageError('say which call: --called, --calling, --call-id, --origid, --trunk or --record-id');
}

function numberOf(name: string, text: string): string {
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
function numberRemarks(options: Options<QueryOption>): readonly string[] {
  return (['called', 'calling'] as const).flatMap((name) => {
    const text = options.text(name);
    if (text === undefined || !isCanonicalTelephoneNumber(text)) return [];
    const tn = numberOf(name, text);
    if (tn === text) return [];
    return [
      `! --${name} was read as the North American number ${tn}; a foreign number is written with + and its country code`,
    ];
  });
}

const TWICE = '! that hour comes twice in its zone: both were looked at';

function windowsOf(
  options: Options<QueryOption>,
  { zone, nowUs }: { readonly zone: string | undefined; readonly nowUs: number },
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
  if (from !== undefined || to !== undefined) return [windowOption(options, { zone, nowUs })];
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
export function windowOption(
  options: Options<'from' | 'to'>,
  { zone, nowUs }: { readonly zone: string | undefined; readonly nowUs: number },
): TimeWindow {
  const [from, to] = [options.text('from'), options.text('to')];
  if (from === undefined) throw new UsageError('--to needs --from');
  const [fromUs] = timeOption('from', from, zone);
  const toUs = to === undefined ? nowUs : (timeOption('to', to, zone).at(-1) ?? nowUs);
  if (fromUs > toUs) throw new UsageError(`--from is later than ${to === undefined ? 'now' : '--to'}`);
  return { fromUs, toUs };
}

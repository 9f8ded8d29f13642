import { z } from 'zod';
import { Disposition } from '../../../contract/call-record.js';
import type { OwnSigning, ReceivedVerification, Release } from '../../../contract/call-record.js';
import type { Attestation } from '../../../core/telephone-number.js';
import { configurationError } from '../../configuration-error.schema.js';
import { asteriskChannel } from './asterisk-cdr.js';
import { legReading, legSource, nameOf, rejectedRow, rowReader, skippedRow, writtenVerstat } from './leg.js';
import type { LegParts, LegSide, LegSource } from './leg.js';
import { csvFields, rowText } from '../record-reader.js';
import type { RecordReader, RowReading, SourceDescription, SourceRow } from '../record-reader.js';
import { callTimes, TIME_LAYOUTS } from './row-times.js';
import type { CallTimes } from './row-times.js';

/**
 * What of a record a column can hold. Times as `timeLayout` says; dates and times of day may be in columns of their
 * own. `duration` and `answeredDuration` count as `durationUnit` says, and give the end, or the answer, where no
 * column has it. `ingressChannel` and `egressChannel` are names of Asterisk channels, whose endpoint is the trunk.
 */
const COLUMN_MEMBERS = [
  'legId',
  'callGroupId',
  'inviteAt',
  'inviteDate',
  'inviteTime',
  'answeredAt',
  'answeredDate',
  'answeredTime',
  'endedAt',
  'endedDate',
  'endedTime',
  'duration',
  'answeredDuration',
  'calling',
  'asserted',
  'called',
  'sentTo',
  'lrn',
  'ingressTrunk',
  'ingressChannel',
  'ingressAddress',
  'ingressPort',
  'ingressCallId',
  'egressTrunk',
  'egressChannel',
  'egressAddress',
  'egressPort',
  'egressCallId',
  'disposition',
  'sipStatus',
  'q850Cause',
  'cause',
  'releaseParty',
  'verstat',
  'attestation',
  'origId',
  'iatSeconds',
  'spc',
  'signedAttestation',
  'signedOrigId',
  'customerId',
  'blockedBy',
] as const;

/** One of {@link COLUMN_MEMBERS}. */
type ColumnMember = (typeof COLUMN_MEMBERS)[number];

/** Longest name of a column. */
const MAX_NAME_CHARS = 256;
/** Columns are numbered up to here. */
const MAX_COLUMN = 1_023;

/** Where a member stands: the number of its column, from 0, or the name that the header row has for it, in any case. */
export type ColumnPlace = number | string;

const placeOfColumn = z.custom<ColumnPlace>(
  (value) =>
    typeof value === 'string'
      ? value.trim() !== '' && value.length <= MAX_NAME_CHARS
      : Number.isInteger(value) && Number(value) >= 0 && Number(value) <= MAX_COLUMN,
  `must be the name of a column, or its number from 0 to ${MAX_COLUMN}`,
);
const mappedWord = z.string().max(MAX_NAME_CHARS);

/**
 * What the columns of a CSV file mean, for `cdr_custom` and for every switch that has no reader of its own. Plain JSON. Needed are `legId`,
 * `inviteAt` (or `inviteDate` and `inviteTime`), and one of `calling` and `called`.
 */
export const columnMap = z
  .strictObject({
    columns: z.partialRecord(z.enum(COLUMN_MEMBERS), placeOfColumn),
    timeLayout: z.enum(TIME_LAYOUTS),
    /** One character. Default the comma; a tab for tab-separated files. */
    separator: z.exactOptional(z.string().regex(/^[^"]$/s, 'must be one character, and no quote')),
    /** Header rows before the first call. Default 1 where a place is a name, else 0. */
    headerRows: z.exactOptional(z.int().min(0).max(100)),
    /** How many columns a row has at least. Default: up to the last that is mapped. */
    leastColumns: z.exactOptional(
      z
        .int()
        .min(0)
        .max(MAX_COLUMN + 1),
    ),
    /** How many columns a row has at most: more mean that a separator stood in a bare field, and are rejected. Default as many as CSV rows can have. */
    mostColumns: z.exactOptional(
      z
        .int()
        .min(1)
        .max(MAX_COLUMN + 1),
    ),
    /** Default seconds. */
    durationUnit: z.exactOptional(z.enum(['seconds', 'milliseconds', 'hundredths'])),
    /** What the words of the disposition column mean, in any case. Without a word for it a call with an answer time was answered, others failed. */
    dispositions: z.exactOptional(z.record(mappedWord, Disposition)),
    /** What the words of the column of who hung up mean, in any case. */
    releaseParties: z.exactOptional(z.record(mappedWord, z.enum(['calling', 'called', 'network']))),
    /** Rows to be left out: those whose column has one of these words, such as interim records. */
    leaveOut: z.exactOptional(
      z.strictObject({ column: placeOfColumn, words: z.array(mappedWord).max(1_024).readonly() }),
    ),
  })
  .superRefine((map, context) => {
    for (const message of faultsOf(map)) context.addIssue({ code: 'custom', message });
  });

/** What the columns of a CSV file mean. */
export type ColumnMap = Readonly<z.infer<typeof columnMap>>;

/** A source of a layout that the carrier declares. */
export interface ColumnsDescription extends SourceDescription {
  readonly columns: ColumnMap;
}

/** What members of a column map say against each other. */
function* faultsOf(map: ColumnMap): Generator<string> {
  const has = (member: ColumnMember): boolean => map.columns[member] !== undefined;
  if (!has('legId')) yield 'must map a column to legId: without it a row that is read twice makes two records';
  for (const time of ['invite', 'answered', 'ended'] as const) {
    const hasDate = has(`${time}Date`);
    if (hasDate !== has(`${time}Time`)) yield `must map ${time}Date and ${time}Time together, or neither`;
    if (hasDate && has(`${time}At`))
      yield `must map ${time}At, or ${time}Date and ${time}Time: one of them is the time`;
  }
  if (!has('inviteAt') && !has('inviteDate'))
    yield 'must map a column to inviteAt, or two to inviteDate and inviteTime';
  if (!has('calling') && !has('called')) yield 'must map a column to calling or called';
  const { headerRows, leastColumns = 0, mostColumns = MAX_COLUMN + 1 } = map;
  if (leastColumns > mostColumns) yield 'must not have leastColumns above mostColumns';
  if (headerRows === 0 && [...Object.values(map.columns), map.leaveOut?.column].some((at) => typeof at === 'string'))
    yield 'gives columns by name, but headerRows says that there is no header row';
}

/** The text that a row has for a member; empty where no column is mapped to it, or nothing stands there. */
type ColumnValue = (member: ColumnMember) => string;

/**
 * Adds the end and the answer where durations tell them and no column does: a duration of the talk counts from the answer to the end.
 * Never throws.
 */
function columnTimes(times: CallTimes, value: ColumnValue, map: ColumnMap): CallTimes {
  const { start } = times;
  const durationUs = microseconds(value('duration'), map);
  const answeredUs = microseconds(value('answeredDuration'), map);
  const afterAnswerUs =
    times.answeredAtUs === undefined || answeredUs === undefined ? undefined : times.answeredAtUs + answeredUs;
  const endedAtUs = times.endedAtUs ?? (durationUs === undefined ? afterAnswerUs : start.atUs + durationUs);
  // A talk of no time is what unanswered calls have.
  const isTold =
    times.answeredAtUs === undefined && answeredUs !== undefined && answeredUs > 0 && !hasAnswerColumn(map);
  const answeredAtUs = isTold && endedAtUs !== undefined ? endedAtUs - answeredUs : times.answeredAtUs;
  return { status: 'times', start, answeredAtUs, endedAtUs };
}

/** What a record says of a row. Never throws. */
function columnLegParts(
  value: ColumnValue,
  map: ColumnMap,
  { legId, times }: { readonly legId: string; readonly times: CallTimes },
): LegParts {
  return {
    legId,
    callGroupId: value('callGroupId') || legId,
    invite: times.start,
    answeredAtUs: times.answeredAtUs,
    endedAtUs: times.endedAtUs,
    calling: value('calling'),
    asserted: value('asserted'),
    called: value('called'),
    sentTo: value('sentTo'),
    lrn: value('lrn'),
    ingress: sideOf(value, 'ingress'),
    egress: sideOf(value, 'egress'),
    disposition: dispositionOf(value, map, times.answeredAtUs !== undefined || isTalked(value, map)),
    release: releaseOf(value, map),
    received: receivedOf(value),
    signed: signedOf(value),
    customerId: value('customerId'),
    blockedBy: value('blockedBy'),
  };
}

const UNITS_US = { seconds: 1_000_000, milliseconds: 1_000, hundredths: 10_000 } as const;

/** Ten days: calls that nobody hung up. */
const MAX_DURATION_US = 864_000_000_000;

function microseconds(text: string, { durationUnit = 'seconds' }: ColumnMap): number | undefined {
  if (!/^\d{1,12}(?:\.\d{1,6})?$/.test(text)) return undefined;
  const us = Math.round(Number(text) * UNITS_US[durationUnit]);
  return us <= MAX_DURATION_US ? us : undefined;
}

function hasAnswerColumn({ columns }: ColumnMap): boolean {
  return columns.answeredAt !== undefined || columns.answeredDate !== undefined;
}

/** A talk whose place in time nothing tells is one all the same. */
function isTalked(value: ColumnValue, map: ColumnMap): boolean {
  return !hasAnswerColumn(map) && (microseconds(value('answeredDuration'), map) ?? 0) > 0;
}

function sideOf(value: ColumnValue, side: 'ingress' | 'egress'): LegSide {
  const host = value(`${side}Address`);
  const port = value(`${side}Port`);
  return {
    trunk: value(`${side}Trunk`) || asteriskChannel(value(`${side}Channel`))?.peer,
    address: host !== '' && /^\d{1,5}$/.test(port) && port !== '0' ? `${bracketed(host)}:${port}` : host,
    callId: value(`${side}CallId`),
  };
}

function bracketed(host: string): string {
  return host.includes(':') && !host.startsWith('[') ? `[${host}]` : host;
}

function dispositionOf(value: ColumnValue, map: ColumnMap, isAnswered: boolean): Disposition {
  if (value('blockedBy') !== '') return 'blocked';
  return wordIn(map.dispositions, value('disposition')) ?? (isAnswered ? 'answered' : 'failed');
}

function wordIn<T>(words: Readonly<Record<string, T>> | undefined, word: string): T | undefined {
  if (words === undefined || word === '') return undefined;
  const lower = word.toLowerCase();
  return Object.entries(words).find(([key]) => key.toLowerCase() === lower)?.[1];
}

function releaseOf(value: ColumnValue, map: ColumnMap): Release | undefined {
  const release: { -readonly [K in keyof Release]: Release[K] } = {};
  const sipStatus = Number(value('sipStatus'));
  if (Number.isInteger(sipStatus) && sipStatus >= 100 && sipStatus <= 699) release.sipStatus = sipStatus;
  const q850Cause = Number(value('q850Cause'));
  if (Number.isInteger(q850Cause) && q850Cause >= 1 && q850Cause <= 127) release.q850Cause = q850Cause;
  const cause = nameOf(value('cause'));
  if (cause !== undefined) release.cause = cause;
  const party = wordIn(map.releaseParties, value('releaseParty'));
  if (party !== undefined) release.party = party;
  return Object.keys(release).length === 0 ? undefined : release;
}

/** Words of 3GPP; an attestation may stand behind, `TN-Validation-Passed-A`. @see 3GPP TS 24.229 section 7.2A.20 */
const VERSTAT = /^(TN-Validation-Passed|TN-Validation-Failed|No-TN-Validation)(?:-([ABC]))?$/i;

function receivedOf(value: ColumnValue): ReceivedVerification | undefined {
  const received: { -readonly [K in keyof ReceivedVerification]: ReceivedVerification[K] } = {};
  const said = VERSTAT.exec(value('verstat'));
  const verstat = writtenVerstat(said?.[1] ?? '');
  if (verstat !== undefined) received.verstat = verstat;
  const attestation = attestationOf(value('attestation') || (said?.[2] ?? ''));
  if (attestation !== undefined) received.attestation = attestation;
  const origId = nameOf(value('origId'));
  if (origId !== undefined) received.origId = origId;
  const iat = value('iatSeconds');
  if (/^\d{9,11}$/.test(iat)) received.iatSeconds = Number(iat);
  const spc = value('spc');
  if (/^[0-9A-Z]{1,15}$/.test(spc)) received.spc = spc;
  return Object.keys(received).length === 0 ? undefined : received;
}

function signedOf(value: ColumnValue): OwnSigning | undefined {
  const attestation = attestationOf(value('signedAttestation'));
  if (attestation === undefined) return undefined;
  const origId = nameOf(value('signedOrigId'));
  return origId === undefined ? { attestation } : { attestation, origId };
}

function attestationOf(text: string): Attestation | undefined {
  const upper = text.toUpperCase();
  return upper === 'A' || upper === 'B' || upper === 'C' ? upper : undefined;
}

/** Goes up when the same row would make another record. */
const READER_VERSION = 1;

/**
 * Makes the reader of CSV files whose columns the carrier declares: Asterisk's `cdr_custom`, exports of databases, any switch without
 * a reader of its own.
 * @param description - name of the source, zone of its local times, numbers, providers, and which column holds what
 * @returns the reader; each row is a leg, and none waits for another
 * @throws {@link HopbackError} `invalid-configuration` where the map is not one, or the source has no name or no zone that exists; never
 * for what a file holds
 * @see RFC 4180 section 2
 * @example
 * ```ts
 * const reader = createColumnsReader({
 *   id: 'switch-7',
 *   format: 'columns',
 *   time: { zone: 'America/Denver', repeatedHour: 'later' },
 *   columns: { timeLayout: 'month-first', columns: { legId: 'id', inviteAt: 'start', calling: 'from', called: 'to' } },
 * });
 * console.log(reader.framing); // csv
 * ```
 */
export function createColumnsReader(description: ColumnsDescription): RecordReader {
  const source = legSource(description, READER_VERSION);
  const { columns: map } = description;
  const read = columnMap.safeParse(map);
  if (!read.success) throw configurationError('columns', { error: read.error, value: map });
  const layout = columnLayout(map);
  return {
    ...rowReader('csv', (row) => readRow(row, { source, map, layout })),
    // Who goes on in the middle of a file does not see its header row again.
    saveWaiting: layout.save,
    restoreWaiting: layout.restore,
  };
}

/** What a row is; `unnamed`: a name that is mapped is in no header row. */
type RowKind = { readonly kind: 'header' | 'call' } | { readonly kind: 'unnamed'; readonly name: string };

/** Where the columns of the file at hand are. */
type ColumnLayout = ReturnType<typeof columnLayout>;

function columnLayout(map: ColumnMap) {
  const entries = Object.entries(map.columns) as [ColumnMember, ColumnPlace][];
  const names = [...entries.map(([, place]) => place), map.leaveOut?.column].filter(
    (place) => typeof place === 'string',
  );
  const headerRows = map.headerRows ?? (names.length > 0 ? 1 : 0);
  let places = new Map<ColumnMember, number>();
  let skipPlace: number | undefined;
  /** A name that the latest header row lacks: until another comes, no row can be read. */
  let lacking = names[0];
  let titles: readonly string[] = [];
  /** @returns the name that the header row lacks, if it lacks one */
  const learn = (header: readonly string[]): string | undefined => {
    const seen = header.map(folded);
    const numberOf = (place: ColumnPlace): number => (typeof place === 'number' ? place : seen.indexOf(folded(place)));
    lacking = names.find((name) => numberOf(name) < 0);
    titles = lacking === undefined ? seen : [];
    if (lacking !== undefined) return lacking;
    places = new Map(entries.map(([member, place]) => [member, numberOf(place)]));
    skipPlace = map.leaveOut === undefined ? undefined : numberOf(map.leaveOut.column);
    return undefined;
  };
  if (names.length === 0) learn([]);
  return {
    /** The titles of the header row, as JSON. */
    save: () => JSON.stringify(titles),
    restore: (saved: string) => {
      const header = savedTitles(saved);
      return header !== undefined && (header.length === 0 || learn(header) === undefined);
    },
    // Every file of a rotation begins with its header: lines are counted anew there. Files that were put together have more of them.
    takeHeader: (row: SourceRow, fields: readonly string[]): RowKind => {
      const isHeader = row.line >= 1 && row.line <= headerRows;
      if (!isHeader && hasTitles(fields, names)) return unnamed(learn(fields));
      if (!isHeader) return lacking === undefined ? CALL : unnamed(lacking);
      if (names.length === 0 || row.line < headerRows) return HEADER;
      return unnamed(learn(fields));
    },
    placeOf: (member: ColumnMember): number | undefined => places.get(member),
    skipPlace: (): number | undefined => skipPlace,
    leastColumns: () => map.leastColumns ?? Math.max(-1, ...places.values()) + 1,
  };
}

/** Whether a row holds titles and no call: the first two names that are mapped. One alone may be what a call has there. */
function hasTitles(fields: readonly string[], [first, second]: readonly string[]): boolean {
  return first !== undefined && second !== undefined && hasTitle(fields, first) && hasTitle(fields, second);
}

function hasTitle(fields: readonly string[], name: string): boolean {
  // Lengths first: this is asked of every row.
  return fields.some((field) => field.length === name.length && folded(field) === folded(name));
}

const CALL: RowKind = { kind: 'call' };
const HEADER: RowKind = { kind: 'header' };

function unnamed(name: string | undefined): RowKind {
  return name === undefined ? HEADER : { kind: 'unnamed', name };
}

/** Nothing where the text is not what was saved. */
function savedTitles(saved: string): readonly string[] | undefined {
  try {
    const value: unknown = JSON.parse(saved);
    return Array.isArray(value) && value.every((title) => typeof title === 'string') ? value : undefined;
  } catch {
    return undefined;
  }
}

function folded(title: string): string {
  return title.trim().toLowerCase();
}

interface ColumnsState {
  readonly source: LegSource;
  readonly map: ColumnMap;
  readonly layout: ColumnLayout;
}

const TIME_NAMES = { start: 'inviteAt', answer: 'answeredAt', end: 'endedAt' } as const;

function readRow(row: SourceRow, { source, map, layout }: ColumnsState): readonly RowReading[] {
  const text = rowText(row);
  if (text === '') return skippedRow('not-a-call');
  const split = csvFields(text, map.separator === undefined ? {} : { separator: map.separator });
  if (split.status === 'rejected') return [split];
  const { fields } = split;
  const taken = layout.takeHeader(row, fields);
  if (taken.kind === 'header') return skippedRow('header');
  if (taken.kind === 'unnamed') {
    return rejectedRow('missing-field', 'no header row has a column of that name', taken.name);
  }
  const leastColumns = layout.leastColumns();
  if (fields.length < leastColumns) {
    return rejectedRow('too-few-fields', `${fields.length} columns where there should be ${leastColumns} or more`);
  }
  if (map.mostColumns !== undefined && fields.length > map.mostColumns) {
    return rejectedRow('bad-field', `${fields.length} columns where there should be ${map.mostColumns} at most`);
  }
  if (isSkipped(fields, map, layout.skipPlace())) return skippedRow('interim');
  const value: ColumnValue = (member) => {
    const place = layout.placeOf(member);
    return place === undefined ? '' : (fields[place] ?? '').trim();
  };
  const legId = value('legId');
  if (legId === '') return rejectedRow('missing-field', 'a row without it', 'legId');
  const written = callTimes(writtenTimesOf(value, map), source.clock, TIME_NAMES);
  if (written.status === 'rejected') return [written];
  const times = columnTimes(written, value, map);
  return legReading(row, source, columnLegParts(value, map, { legId, times }));
}

function isSkipped(fields: readonly string[], { leaveOut }: ColumnMap, place: number | undefined): boolean {
  if (leaveOut === undefined || place === undefined) return false;
  const word = folded(fields[place] ?? '');
  return leaveOut.words.some((skipped) => folded(skipped) === word);
}

function writtenTimesOf(value: ColumnValue, map: ColumnMap): Parameters<typeof callTimes>[0] {
  const time = (name: 'invite' | 'answered' | 'ended'): string => {
    if (map.columns[`${name}Date`] === undefined) return value(`${name}At`);
    const [date, timeOfDay] = [value(`${name}Date`), value(`${name}Time`)];
    if (date === '' && timeOfDay === '') return '';
    return map.timeLayout === 'compact' ? `${date}${timeOfDay}` : `${date} ${timeOfDay}`;
  };
  const isSeconds = (map.durationUnit ?? 'seconds') === 'seconds';
  return {
    layout: map.timeLayout,
    start: time('invite'),
    answer: time('answered'),
    end: time('ended'),
    durationSeconds: isSeconds ? value('duration') : undefined,
    answeredSeconds: isSeconds ? value('answeredDuration') : undefined,
  };
}

import { z } from 'zod';
import { Disposition } from '../../../contract/call-record.js';
import type { OwnSigning, ReceivedVerification, Release } from '../../../contract/call-record.js';
import type { Attestation } from '../../../core/telephone-number.js';
import { parsedJson } from '../../../core/text.js';
import { configurationError } from '../../configuration-error.schema.js';
import { asteriskChannel } from './asterisk-cdr.js';
import { columnReader } from './column-format.js';
import type { Cell, ColumnFormat } from './column-format.js';
import { nameOf, rejectedRow, skippedRow, writtenVerstat } from './leg.js';
import type { LegSide } from './leg.js';
import type { RecordReader, RowFields, RowReading, SourceDescription, SourceRow } from '../record-reader.js';
import { callTimes, TIME_LAYOUTS } from './row-times.js';
import type { CallTimes, WrittenCallTimes } from './row-times.js';

/**
 * What of a record a column can hold. Times as `timeLayout` says; dates and times of day may be in columns of their
 * own. `duration` and `answeredDuration` count as `durationUnit` says, and give the end, or the answer, where no
 * column has it. `ingressChannel` and `egressChannel` are names of Asterisk channels, whose endpoint is the trunk.
 */
const COLUMN_MEMBERS = [
  ...['legId', 'callGroupId', 'inviteAt', 'inviteDate', 'inviteTime', 'answeredAt', 'answeredDate'],
  ...['answeredTime', 'endedAt', 'endedDate', 'endedTime', 'duration', 'answeredDuration', 'calling'],
  ...['asserted', 'called', 'sentTo', 'lrn', 'ingressTrunk', 'ingressChannel', 'ingressAddress'],
  ...['ingressPort', 'ingressCallId', 'egressTrunk', 'egressChannel', 'egressAddress', 'egressPort'],
  ...['egressCallId', 'disposition', 'sipStatus', 'q850Cause', 'cause', 'releaseParty', 'verstat'],
  ...['attestation', 'origId', 'iatSeconds', 'spc', 'signedAttestation', 'signedOrigId', 'customerId'],
  ...['blockedBy'],
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

const TIME_NAMES = { start: 'inviteAt', answer: 'answeredAt', end: 'endedAt' } as const;

/**
 * CSV files whose columns the carrier declares: Asterisk's `cdr_custom`, exports of databases, any switch without a format of its own.
 * @throws {@link HopbackError} `invalid-configuration` where the map is not one, or the source has no name or no zone that exists; never
 * for what a file holds
 * @see RFC 4180 section 2
 */
export function createColumnsReader(description: ColumnsDescription): RecordReader {
  const { columns: map } = description;
  const read = columnMap.safeParse(map);
  if (!read.success) throw configurationError('columns', { error: read.error, value: map });
  const titles = columnTitles(map);
  const format: ColumnFormat<ColumnMember | 'leaveOut'> = {
    version: 1,
    framing: 'csv',
    columns: titles.places,
    layout: map.separator === undefined ? {} : { separator: map.separator },
    trims: true,
    refuse: (cell, fields, row) => {
      const title = titles.read(row, fields);
      if (title !== undefined) return title;
      const { count } = fields;
      const least = map.leastColumns ?? titles.mapped();
      if (count < least)
        return rejectedRow('too-few-fields', `${count} columns where there should be ${least} or more`);
      if (map.mostColumns !== undefined && count > map.mostColumns)
        return rejectedRow('bad-field', `${count} columns where there should be ${map.mostColumns} at most`);
      const word = folded(cell('leaveOut'));
      if (map.leaveOut?.words.some((left) => folded(left) === word) === true) return skippedRow('interim');
      return cell('legId') === '' ? rejectedRow('missing-field', 'a row without it', 'legId') : undefined;
    },
    times: (cell, clock) => {
      const times = callTimes(writtenTimesOf(cell, map), clock, TIME_NAMES);
      return times.status === 'rejected' ? times : timesWithDurations(times, cell, map);
    },
    leg: (cell, { answeredAtUs }) => ({
      legId: cell('legId'),
      callGroupId: cell('callGroupId') || cell('legId'),
      calling: cell('calling'),
      asserted: cell('asserted'),
      called: cell('called'),
      sentTo: cell('sentTo'),
      lrn: cell('lrn'),
      ingress: sideOf(cell, 'ingress'),
      egress: sideOf(cell, 'egress'),
      disposition: dispositionOf(cell, map, answeredAtUs !== undefined || isTalked(cell, map)),
      release: releaseOf(cell, map),
      received: receivedOf(cell),
      signed: signedOf(cell),
      customerId: cell('customerId'),
      blockedBy: cell('blockedBy'),
    }),
  };
  // Who goes on in the middle of a file does not see its header row again.
  return { ...columnReader(format, description), saveWaiting: titles.save, restoreWaiting: titles.restore };
}

function writtenTimesOf(value: Cell<ColumnMember>, map: ColumnMap): WrittenCallTimes {
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

/** Adds the end and the answer where durations tell them and no column does: a duration of the talk counts from the answer to the end. */
function timesWithDurations(times: CallTimes, value: Cell<ColumnMember>, map: ColumnMap): CallTimes {
  const { invite } = times;
  const durationUs = microseconds(value('duration'), map);
  const answeredUs = microseconds(value('answeredDuration'), map);
  const afterAnswerUs =
    times.answeredAtUs === undefined || answeredUs === undefined ? undefined : times.answeredAtUs + answeredUs;
  const endedAtUs = times.endedAtUs ?? (durationUs === undefined ? afterAnswerUs : invite.atUs + durationUs);
  // A talk of no time is what unanswered calls have.
  const isTold =
    times.answeredAtUs === undefined && answeredUs !== undefined && answeredUs > 0 && !hasAnswerColumn(map);
  const answeredAtUs = isTold && endedAtUs !== undefined ? endedAtUs - answeredUs : times.answeredAtUs;
  return {
    status: 'times',
    invite,
    answeredAtUs,
    endedAtUs,
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
function isTalked(value: Cell<ColumnMember>, map: ColumnMap): boolean {
  return !hasAnswerColumn(map) && (microseconds(value('answeredDuration'), map) ?? 0) > 0;
}

function sideOf(value: Cell<ColumnMember>, side: 'ingress' | 'egress'): LegSide {
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

function dispositionOf(value: Cell<ColumnMember>, map: ColumnMap, isAnswered: boolean): Disposition {
  if (value('blockedBy') !== '') return 'blocked';
  return wordIn(map.dispositions, value('disposition')) ?? (isAnswered ? 'answered' : 'failed');
}

function wordIn<T>(words: Readonly<Record<string, T>> | undefined, word: string): T | undefined {
  if (words === undefined || word === '') return undefined;
  const lower = word.toLowerCase();
  return Object.entries(words).find(([key]) => key.toLowerCase() === lower)?.[1];
}

function releaseOf(value: Cell<ColumnMember>, map: ColumnMap): Release | undefined {
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

function receivedOf(value: Cell<ColumnMember>): ReceivedVerification | undefined {
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

function signedOf(value: Cell<ColumnMember>): OwnSigning | undefined {
  const attestation = attestationOf(value('signedAttestation'));
  if (attestation === undefined) return undefined;
  const origId = nameOf(value('signedOrigId'));
  return origId === undefined ? { attestation } : { attestation, origId };
}

function attestationOf(text: string): Attestation | undefined {
  const upper = text.toUpperCase();
  return upper === 'A' || upper === 'B' || upper === 'C' ? upper : undefined;
}

/** Finds the columns of the file at hand, by their numbers or by its header row. */
function columnTitles(map: ColumnMap) {
  const entries = Object.entries({ ...map.columns, ...(map.leaveOut && { leaveOut: map.leaveOut.column }) });
  const names = entries.map(([, place]) => place).filter((place) => typeof place === 'string');
  const [first, second] = names;
  const headerRows = map.headerRows ?? (names.length > 0 ? 1 : 0);
  const places = Object.fromEntries([...COLUMN_MEMBERS, 'leaveOut'].map((member) => [member, -1])) as Record<
    ColumnMember | 'leaveOut',
    number
  >;
  /** A name that the latest header row lacks: until another comes, no row can be read. */
  let lacking = names[0];
  let titles: readonly string[] = [];
  let mapped = 0;
  const learn = (header: readonly string[]): void => {
    const seen = header.map(folded);
    const numberOf = (place: ColumnPlace): number => (typeof place === 'number' ? place : seen.indexOf(folded(place)));
    lacking = names.find((name) => numberOf(name) < 0);
    titles = lacking === undefined ? seen : [];
    if (lacking !== undefined) return;
    Object.assign(places, Object.fromEntries(entries.map(([member, place]) => [member, numberOf(place)])));
    mapped = Math.max(-1, ...Object.values(map.columns).map(numberOf)) + 1;
  };
  if (names.length === 0) learn([]);
  const verdict = (): readonly RowReading[] =>
    lacking === undefined
      ? skippedRow('header')
      : rejectedRow('missing-field', 'no header row has a column of that name', lacking);
  return {
    places: places as Readonly<typeof places>,
    /** Columns up to the last that is mapped. */
    mapped: () => mapped,
    /** The titles of the header row, as JSON. */
    save: () => JSON.stringify(titles),
    restore: (saved: string) => {
      const header = savedTitles(saved);
      if (header !== undefined && header.length > 0) learn(header);
      return header !== undefined && (header.length === 0 || lacking === undefined);
    },
    /** What a row is where it is no call: titles, or a row of columns that no header row has named. */
    read: (row: SourceRow, { count, text }: RowFields): readonly RowReading[] | undefined => {
      const fields = (): readonly string[] => Array.from({ length: count }, (_, place) => text(place));
      // Lengths first: this is asked of every row.
      const has = (title: string): boolean =>
        fields().some((field) => field.length === title.length && folded(field) === folded(title));
      // Every file of a rotation begins with its header: lines are counted anew there. Files that were put together have more of them.
      const isHeader = row.line >= 1 && row.line <= headerRows;
      // One title alone may be what a call has there.
      const hasTitles = !isHeader && first !== undefined && second !== undefined && has(first) && has(second);
      if (!isHeader && !hasTitles) return lacking === undefined ? undefined : verdict();
      if (isHeader && (names.length === 0 || row.line < headerRows)) return skippedRow('header');
      learn(fields());
      return verdict();
    },
  };
}

/** Undefined where the text is not what was saved. */
function savedTitles(saved: string): readonly string[] | undefined {
  const value = parsedJson(saved);
  return Array.isArray(value) && value.every((title) => typeof title === 'string') ? value : undefined;
}

function folded(title: string): string {
  return title.trim().toLowerCase();
}

import type { Disposition } from '../../core/call-record.js';
import { HopbackError } from '../../errors.js';
import type { SourceDescription } from './record-reader.js';
import { TIME_LAYOUTS } from './time-layouts.js';
import type { TimeLayout } from './time-layouts.js';

/**
 * What of a record a column can hold. Times as {@link ColumnMap.timeLayout} says; dates and times of day may be in columns of their
 * own. `duration` and `answeredDuration` count as {@link ColumnMap.durationUnit} says, and give the end, or the answer, where no
 * column has it. `ingressChannel` and `egressChannel` are names of Asterisk channels, whose endpoint is the trunk.
 */
export type ColumnMember =
  | 'legId'
  | 'callGroupId'
  | 'inviteAt'
  | 'inviteDate'
  | 'inviteTime'
  | 'answeredAt'
  | 'answeredDate'
  | 'answeredTime'
  | 'endedAt'
  | 'endedDate'
  | 'endedTime'
  | 'duration'
  | 'answeredDuration'
  | 'calling'
  | 'asserted'
  | 'called'
  | 'sentTo'
  | 'lrn'
  | 'ingressTrunk'
  | 'ingressChannel'
  | 'ingressAddress'
  | 'ingressPort'
  | 'ingressCallId'
  | 'egressTrunk'
  | 'egressChannel'
  | 'egressAddress'
  | 'egressPort'
  | 'egressCallId'
  | 'disposition'
  | 'sipStatus'
  | 'q850Cause'
  | 'cause'
  | 'releaseParty'
  | 'verstat'
  | 'attestation'
  | 'origId'
  | 'iatSeconds'
  | 'spc'
  | 'signedAttestation'
  | 'signedOrigId'
  | 'customerId'
  | 'blockedBy';

/** Where a member stands: the number of its column, from 0, or the name that the header row has for it, in any case. */
export type ColumnPlace = number | string;

/**
 * What the columns of a CSV file mean, for `cdr_custom` and for every switch that has no reader of its own. Plain JSON. Needed are `legId`,
 * `inviteAt` (or `inviteDate` and `inviteTime`), and one of `calling` and `called`.
 */
export interface ColumnMap {
  readonly columns: Readonly<Partial<Record<ColumnMember, ColumnPlace>>>;
  readonly timeLayout: TimeLayout;
  /** One character. Default the comma; a tab for tab-separated files. */
  readonly separator?: string;
  /** Header rows before the first call. Default 1 where a place is a name, else 0. */
  readonly headerRows?: number;
  /** How many columns a row has at least. Default: up to the last that is mapped. */
  readonly leastColumns?: number;
  /** How many columns a row has at most: more mean that a separator stood in a bare field, and are rejected. Default as many as CSV rows can have. */
  readonly mostColumns?: number;
  /** Default seconds. */
  readonly durationUnit?: 'seconds' | 'milliseconds' | 'hundredths';
  /** What the words of the disposition column mean, in any case. Without a word for it a call with an answer time was answered, others failed. */
  readonly dispositions?: Readonly<Record<string, Disposition>>;
  /** What the words of the column of who hung up mean, in any case. */
  readonly releaseParties?: Readonly<Record<string, 'calling' | 'called' | 'network'>>;
  /** Rows to be left out: those whose column has one of these words, such as interim records. */
  readonly leaveOut?: { readonly column: ColumnPlace; readonly words: readonly string[] };
}

/** A source of a layout that the carrier declares. */
export interface ColumnsDescription extends SourceDescription {
  readonly columns: ColumnMap;
}

/** Columns are numbered up to here. */
const MAX_COLUMN = 1_023;
const MAX_HEADER_ROWS = 100;

/** Every {@link ColumnMember}. */
const MEMBERS: Readonly<Record<ColumnMember, true>> = {
  legId: true,
  callGroupId: true,
  inviteAt: true,
  inviteDate: true,
  inviteTime: true,
  answeredAt: true,
  answeredDate: true,
  answeredTime: true,
  endedAt: true,
  endedDate: true,
  endedTime: true,
  duration: true,
  answeredDuration: true,
  calling: true,
  asserted: true,
  called: true,
  sentTo: true,
  lrn: true,
  ingressTrunk: true,
  ingressChannel: true,
  ingressAddress: true,
  ingressPort: true,
  ingressCallId: true,
  egressTrunk: true,
  egressChannel: true,
  egressAddress: true,
  egressPort: true,
  egressCallId: true,
  disposition: true,
  sipStatus: true,
  q850Cause: true,
  cause: true,
  releaseParty: true,
  verstat: true,
  attestation: true,
  origId: true,
  iatSeconds: true,
  spc: true,
  signedAttestation: true,
  signedOrigId: true,
  customerId: true,
  blockedBy: true,
};

/** Every {@link ColumnMember}, as a list. */
export const COLUMN_MEMBERS: readonly ColumnMember[] = Object.keys(MEMBERS) as ColumnMember[];

/**
 * Checks a column map, which comes out of a configuration file.
 * @throws {@link HopbackError} `invalid-configuration` that says which member or place is wrong and what it may be
 */
export function checkColumnMap(map: ColumnMap): void {
  const entries = Object.entries(map.columns);
  for (const [member, place] of entries) {
    if (!Object.hasOwn(MEMBERS, member))
      throw wrong(`There is no member "${member}". Columns are mapped to ${Object.keys(MEMBERS).join(', ')}.`);
    checkPlace(member, place);
  }
  if (!isMapped(map, 'legId'))
    throw wrong('No column is mapped to legId: without it a row that is read twice makes two records.');
  checkTimes(map);
  if (!isMapped(map, 'calling') && !isMapped(map, 'called'))
    throw wrong('Neither calling nor called is mapped to a column.');
  if (!TIME_LAYOUTS.includes(map.timeLayout)) {
    throw wrong(`There is no time layout "${map.timeLayout}". Layouts are ${TIME_LAYOUTS.join(', ')}.`);
  }
  const { separator = ',', headerRows = 0, leastColumns = 0, mostColumns = MAX_COLUMN + 1, leaveOut } = map;
  if (separator.length !== 1 || separator === '"') throw wrong('A separator is one character, and no quote.');
  if (!isWhole(headerRows, 0, MAX_HEADER_ROWS))
    throw wrong(`headerRows is a whole number from 0 to ${MAX_HEADER_ROWS}.`);
  if (!isWhole(leastColumns, 0, mostColumns) || !isWhole(mostColumns, 1, MAX_COLUMN + 1)) {
    throw wrong(
      `leastColumns and mostColumns are whole numbers up to ${MAX_COLUMN + 1}, the least not above the most.`,
    );
  }
  if (leaveOut !== undefined) checkPlace('leaveOut', leaveOut.column);
  const hasNames = [...entries.map(([, place]) => place), leaveOut?.column].some((place) => typeof place === 'string');
  if (hasNames && map.headerRows === 0)
    throw wrong('Columns are given by name, but headerRows says that there is no header row.');
}

function checkPlace(member: string, place: unknown): void {
  if (typeof place === 'string' ? place.trim() !== '' : isWhole(place, 0, MAX_COLUMN)) return;
  throw wrong(`The place of ${member} is the name of a column, or its number from 0 to ${MAX_COLUMN}.`);
}

function checkTimes(map: ColumnMap): void {
  for (const time of ['invite', 'answered', 'ended'] as const) {
    const parts = [isMapped(map, `${time}Date`), isMapped(map, `${time}Time`)];
    if (parts[0] !== parts[1]) throw wrong(`${time}Date and ${time}Time are mapped together, or neither is.`);
    if (parts[0] === true && isMapped(map, `${time}At`)) {
      throw wrong(`${time}At is mapped, and so are ${time}Date and ${time}Time: one of them is the time.`);
    }
  }
  if (!isMapped(map, 'inviteAt') && !isMapped(map, 'inviteDate')) {
    throw wrong('No column is mapped to inviteAt, nor are inviteDate and inviteTime.');
  }
}

function isMapped(map: ColumnMap, member: ColumnMember): boolean {
  return map.columns[member] !== undefined;
}

function isWhole(value: unknown, least: number, most: number): boolean {
  return typeof value === 'number' && Number.isInteger(value) && value >= least && value <= most;
}

function wrong(message: string): HopbackError {
  return new HopbackError('invalid-configuration', message);
}

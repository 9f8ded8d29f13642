import type {
  CalledNumber,
  CallRecord,
  Disposition,
  HopSide,
  OwnSigning,
  PartyNumber,
  ReceivedVerification,
  Release,
  TimeBasis,
} from '../../core/call-record.js';
import type { CanonicalTn } from '../../core/terms.js';
import { HopbackError } from '../../errors.js';
import { recordIdOf, sourceSha256 } from '../record-id.js';
import { disorderOf } from './call-order.js';
import type { RowReading, SourceDescription, SourceNumbers, SourceRow } from './record-reader.js';
import { rawRowsOf, readingsWithRaw } from './raw-rows.js';
import { rowClock } from './row-time.js';
import type { RowClock, RowInstant } from './row-time.js';
import { writtenCalled, writtenCaller } from './written-number.js';

/** A source as its reader works with it: checked, and looked up once. */
export interface LegSource {
  readonly description: SourceDescription;
  /** Version of the reader, which goes into every record. */
  readonly readerVersion: number;
  readonly clock: RowClock;
  readonly numbers: SourceNumbers;
  readonly providers: ReadonlyMap<string, string>;
  /** Whether records keep the bytes that they were read from. */
  readonly keepsRaw: boolean;
}

/** One side of a leg as a row has it; empty texts count as nothing. */
export interface LegSide {
  readonly trunk?: string | undefined;
  /** Signalling address with or without a port. */
  readonly address?: string | undefined;
  readonly callId?: string | undefined;
}

/**
 * What a format found in its row. Times are microseconds since the epoch, in order. Members that are undefined, and texts that are empty, are left out
 * of the record.
 */
export interface LegParts {
  readonly legId: string;
  readonly callGroupId: string;
  readonly invite: RowInstant;
  readonly answeredAtUs?: number | undefined;
  readonly endedAtUs?: number | undefined;
  /** Who calls, as written. */
  readonly calling?: string | undefined;
  /** The asserted number, as written; left out where it is the same number. */
  readonly asserted?: string | undefined;
  /** Who is called, as written. */
  readonly called?: string | undefined;
  /** What the call was sent on to, as written: gives `translatedTn` where it is another number, and the LRN beside it. */
  readonly sentTo?: string | undefined;
  /** A location routing number in a field of its own, as written. */
  readonly lrn?: string | undefined;
  readonly ingress?: LegSide | undefined;
  readonly egress?: LegSide | undefined;
  readonly disposition: Disposition;
  readonly release?: Release | undefined;
  readonly received?: ReceivedVerification | undefined;
  readonly signed?: OwnSigning | undefined;
  readonly customerId?: string | undefined;
  readonly blockedBy?: string | undefined;
}

/**
 * A name of a trunk, leg, call or customer at most. What is longer is cut off, since no name that anybody gave is; of the name of a leg or
 * call, which callers may choose by their Call-ID, a hash takes the place of the rest, so that two never become one.
 */
export const MAX_NAME_CHARS = 256;

/** Digits of that hash. */
const IDENTITY_HASH_DIGITS = 32;

/** Longest name of a source: it is part of file names and of every record. */
const MAX_SOURCE_ID_CHARS = 128;

/**
 * Checks what a carrier declares about a source.
 * @param readerVersion - of the reader that is being made
 * @throws {@link HopbackError} `invalid-configuration` where the name is empty or too long or the zone does not exist
 */
export function legSource(description: SourceDescription, readerVersion: number): LegSource {
  const { id, time, numbers = {}, providers = {} } = description;
  if (id === '' || id.length > MAX_SOURCE_ID_CHARS) {
    throw new HopbackError('invalid-configuration', `A source needs a name of 1 to ${MAX_SOURCE_ID_CHARS} characters.`);
  }
  const source = {
    description,
    readerVersion,
    clock: rowClock(time),
    numbers,
    providers: new Map(Object.entries(providers)),
    keepsRaw: description.keepRaw === true,
  };
  return source;
}

/**
 * Makes the record of a leg of what a format found: ids, providers, numbers in canonical form, and the other instant of a time that
 * comes twice. Never throws.
 * @param row - where the leg was found; of several rows the one whose bytes stand for the leg
 */
export function callRecord(row: SourceRow, source: LegSource, parts: LegParts): CallRecord {
  const { invite, answeredAtUs, endedAtUs, release, received, signed, customerId, blockedBy } = parts;
  const legId = identity(parts.legId);
  const { id, format } = source.description;
  // Member by member: an object that begins with a spread costs more than the whole row.
  const record: Writable<CallRecord> = {
    format: 'hopback.call-record.1',
    recordId: recordIdOf({ sourceId: id, legId, inviteAtUs: invite.atUs }),
    source: { id, format, readerVersion: source.readerVersion, sha256: row.sha256 },
    legId,
    callGroupId: identity(parts.callGroupId),
    inviteAtUs: invite.atUs,
    time: timeBasis(invite),
    ingress: hopSide(parts.ingress, source),
    egress: hopSide(parts.egress, source),
    disposition: parts.disposition,
  };
  if (answeredAtUs !== undefined) record.answeredAtUs = answeredAtUs;
  if (endedAtUs !== undefined) record.endedAtUs = endedAtUs;
  addNumbers(record, parts, source.numbers);
  if (release !== undefined) record.release = release;
  if (received !== undefined) record.received = received;
  if (signed !== undefined) record.signed = signed;
  if (isSaid(customerId)) record.customerId = named(customerId);
  if (isSaid(blockedBy)) record.blockedBy = named(blockedBy);
  return record;
}

/**
 * The record of a leg as the one reading of its row, with the row where the source keeps rows; or why it is none: its times are out of
 * order. Never throws.
 */
export function legReading(row: SourceRow, source: LegSource, parts: LegParts): readonly RowReading[] {
  const readings = joinedLegReading(row, source, parts);
  return source.keepsRaw ? readingsWithRaw(readings, rawRowsOf([row])) : readings;
}

/** As {@link legReading}, of a leg of several rows: `row` has what stands for their bytes, and who has the rows adds them. */
export function joinedLegReading(row: SourceRow, source: LegSource, parts: LegParts): readonly RowReading[] {
  const { invite, answeredAtUs, endedAtUs } = parts;
  const disorder = disorderOf({ beganAtUs: invite.atUs, answeredAtUs, endedAtUs });
  if (disorder !== undefined) return rejectedRow('bad-time', disorder);
  return [{ status: 'record', record: callRecord(row, source, parts) }];
}

/** The readings of a row that cannot be read. `detail` is to say why, without numbers of people. */
export function rejectedRow(
  reason: Extract<RowReading, { status: 'rejected' }>['reason'],
  detail: string,
  field?: string,
): readonly RowReading[] {
  return [field === undefined ? { status: 'rejected', reason, detail } : { status: 'rejected', reason, field, detail }];
}

/** The readings of a row that is no leg, and should be none. */
export function skippedRow(why: Extract<RowReading, { status: 'skipped' }>['why']): readonly RowReading[] {
  return [{ status: 'skipped', why }];
}

/** A name of at most {@link MAX_NAME_CHARS} without spaces around it; undefined where nothing is left. */
export function nameOf(text: string | undefined): string | undefined {
  const name = text?.trim().slice(0, MAX_NAME_CHARS);
  return name === '' ? undefined : name;
}

type Writable<T> = { -readonly [K in keyof T]: T[K] };

function timeBasis({ basis, otherUs }: RowInstant): TimeBasis {
  if (otherUs === undefined) return basis;
  const { written, zone, resolutionUs } = basis;
  return zone === undefined
    ? { written, resolutionUs, otherInviteAtUs: otherUs }
    : { written, zone, resolutionUs, otherInviteAtUs: otherUs };
}

const NO_SIDE: HopSide = Object.freeze({});

function hopSide(side: LegSide | undefined, { providers }: LegSource): HopSide {
  if (side === undefined) return NO_SIDE;
  const made: Writable<HopSide> = {};
  if (isSaid(side.trunk)) made.trunk = named(side.trunk);
  const provider = providers.size === 0 ? undefined : providerOf(side, providers);
  if (provider !== undefined) made.provider = provider;
  if (isSaid(side.address)) made.address = named(side.address);
  if (isSaid(side.callId)) made.callId = named(side.callId);
  return made;
}

/** By the trunk, else by the address with its port, else by the address alone. */
function providerOf({ trunk, address }: LegSide, providers: ReadonlyMap<string, string>): string | undefined {
  const byTrunk = isSaid(trunk) ? providers.get(trunk) : undefined;
  if (byTrunk !== undefined || !isSaid(address)) return byTrunk;
  return providers.get(address) ?? providers.get(withoutPort(address));
}

/** `192.0.2.1:5060` and `[2001:db8::1]:5060` without the port; `[…]` without brackets. */
function withoutPort(address: string): string {
  if (address.startsWith('[')) return address.slice(1, Math.max(1, address.indexOf(']')));
  const colon = address.indexOf(':');
  return colon < 0 || colon !== address.lastIndexOf(':') ? address : address.slice(0, colon);
}

function addNumbers(record: Writable<CallRecord>, parts: LegParts, numbers: SourceNumbers): void {
  const calling = isSaid(parts.calling) ? writtenCaller(parts.calling, numbers) : undefined;
  if (calling !== undefined) record.calling = calling;
  const asserted = isSaid(parts.asserted) ? writtenCaller(parts.asserted, numbers) : undefined;
  if (asserted !== undefined && !isSameParty(asserted, calling)) record.asserted = asserted;
  const called = isSaid(parts.called) ? writtenCalled(parts.called, numbers) : undefined;
  if (called === undefined) return;
  const sentTo = isSaid(parts.sentTo) ? writtenCalled(parts.sentTo, numbers) : undefined;
  const lrn = called.lrn ?? canonicalLrn(parts.lrn, numbers) ?? sentTo?.lrn;
  record.called = sentTo === undefined && lrn === called.lrn ? called : translated(called, sentTo?.tn, lrn);
}

function isSameParty(a: PartyNumber, b: PartyNumber | undefined): boolean {
  return b !== undefined && (a.tn === undefined ? a.asWritten === b.asWritten : a.tn === b.tn);
}

function canonicalLrn(text: string | undefined, numbers: SourceNumbers): CanonicalTn | undefined {
  return isSaid(text) ? writtenCaller(text, numbers)?.tn : undefined;
}

function translated(called: CalledNumber, sentTo: CanonicalTn | undefined, lrn: CanonicalTn | undefined): CalledNumber {
  const made: Writable<CalledNumber> = { asWritten: called.asWritten };
  if (called.tn !== undefined) made.tn = called.tn;
  // Routing by the LRN sends a call to that number; the number called stays the one called.
  if (sentTo !== undefined && sentTo !== called.tn && sentTo !== lrn) made.translatedTn = sentTo;
  if (lrn !== undefined) made.lrn = lrn;
  if (called.techPrefix !== undefined) made.techPrefix = called.techPrefix;
  return made;
}

function isSaid(text: string | undefined): text is string {
  return text !== undefined && text !== '';
}

function named(text: string): string {
  return text.length > MAX_NAME_CHARS ? text.slice(0, MAX_NAME_CHARS) : text;
}

function identity(text: string): string {
  if (text.length <= MAX_NAME_CHARS) return text;
  return `${text.slice(0, MAX_NAME_CHARS - IDENTITY_HASH_DIGITS - 1)} ${sourceSha256(text).slice(0, IDENTITY_HASH_DIGITS)}`;
}

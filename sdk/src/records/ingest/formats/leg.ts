import { decodeBase64UrlText } from '../../../core/base64url.js';
import type {
  CalledNumber,
  CallRecord,
  Disposition,
  HopSide,
  OwnSigning,
  PartyNumber,
  RawRow,
  ReceivedVerification,
  Release,
  TimeBasis,
} from '../../../contract/call-record.js';
import { isJsonObject, parseBoundedJson } from '../../../core/json-text.js';
import type { JsonObject } from '../../../core/json-text.js';
import type { Attestation, CanonicalTn, Verstat } from '../../../core/telephone-number.js';
import { HopbackError } from '../../../errors.js';
import { joinedSha256, recordIdOf, sourceSha256 } from '../../record-id.js';
import { MAX_WAITING_RAW_BYTES, rawRowsOf, withRaw, writtenCalled, writtenCaller } from '../record-reader.js';
import type {
  RecordReader,
  RowFraming,
  RowReading,
  SourceDescription,
  SourceNumbers,
  SourceRow,
} from '../record-reader.js';
import { disorderOf, rowClock } from './row-times.js';
import type { RowClock, RowInstant } from './row-times.js';

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
  /** Where the row names it; else it is looked up by trunk and address. */
  readonly provider?: string | undefined;
  /** Signalling address with or without a port. */
  readonly address?: string | undefined;
  readonly callId?: string | undefined;
}

/** When a leg began, was answered and ended: microseconds since the epoch, in order. */
interface LegTimes {
  readonly invite: RowInstant;
  readonly answeredAtUs?: number | undefined;
  readonly endedAtUs?: number | undefined;
}

/** What a format found in its row, beside the times. Members that are undefined, and texts that are empty, are left out of the record. */
export interface LegDetails {
  readonly legId: string;
  readonly callGroupId: string;
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
  /** Whether `lrn` counts before one that the called number carries, as where it is what rows are searched by. */
  readonly isLrnFirst?: boolean;
  readonly ingress?: LegSide | undefined;
  readonly egress?: LegSide | undefined;
  readonly disposition: Disposition;
  readonly release?: Release | undefined;
  readonly received?: ReceivedVerification | undefined;
  readonly signed?: OwnSigning | undefined;
  readonly customerId?: string | undefined;
  readonly blockedBy?: string | undefined;
}

/** All that is known of a leg. */
export type LegParts = LegDetails & LegTimes;

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
  return {
    description,
    readerVersion,
    clock: rowClock(time),
    numbers,
    providers: new Map(Object.entries(providers)),
    keepsRaw: description.keepRaw === true,
  };
}

/**
 * Makes the record of a leg of what a format found: ids, providers, numbers in canonical form, and the other instant of a time that
 * comes twice. Never throws.
 * @param row - where the leg was found; of several rows the one whose bytes stand for the leg
 */
export function callRecord(row: SourceRow, source: LegSource, parts: LegDetails, times: LegTimes): CallRecord {
  const { release, received, signed, customerId, blockedBy } = parts;
  const { invite, answeredAtUs, endedAtUs } = times;
  const legId = boundedIdentity(parts.legId);
  const { id, format } = source.description;
  // Member by member: an object that begins with a spread costs more than the whole row.
  const record: Writable<CallRecord> = {
    format: 'hopback.call-record.1',
    recordId: recordIdOf({ sourceId: id, legId, inviteAtUs: invite.atUs }),
    source: {
      id,
      format,
      readerVersion: source.readerVersion,
      sha256: row.sha256,
    },
    legId,
    callGroupId: boundedIdentity(parts.callGroupId),
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
export function legReading(
  row: SourceRow,
  source: LegSource,
  parts: LegDetails,
  times: LegTimes,
): readonly RowReading[] {
  const disorder = disorderOf(times);
  if (disorder !== undefined) return rejectedRow('bad-time', disorder);
  const record = callRecord(row, source, parts, times);
  return [{ status: 'record', record: source.keepsRaw ? withRaw(record, rawRowsOf([row])) : record }];
}

/** As {@link legReading}, of a leg of several rows: `row` has what stands for their bytes, `raw` are these where they are kept. */
export function joinedLegReading(
  row: SourceRow,
  source: LegSource,
  parts: LegParts,
  raw: readonly RawRow[] | undefined,
): readonly RowReading[] {
  const disorder = disorderOf(parts);
  if (disorder !== undefined) return rejectedRow('bad-time', disorder);
  return [{ status: 'record', record: withRaw(callRecord(row, source, parts, parts), raw) }];
}

/** The readings of a row that cannot be read. `detail` is to say why, without numbers of people. */
export function rejectedRow(
  reason: Extract<RowReading, { status: 'rejected' }>['reason'],
  detail: string,
  field?: string,
): readonly RowReading[] {
  return [
    field === undefined
      ? { status: 'rejected', reason, detail }
      : {
          status: 'rejected',
          reason,
          field,
          detail,
        },
  ];
}

/** The readings of a row that is no leg, and should be none. */
export function skippedRow(why: Extract<RowReading, { status: 'skipped' }>['why']): readonly RowReading[] {
  return [{ status: 'skipped', why }];
}

/** The reader of a format in which each row is a leg, and none waits for another. */
export function rowReader(framing: RowFraming, read: RecordReader['read']): RecordReader {
  return {
    framing,
    read,
    expire: () => [],
    waiting: () => 0,
  };
}

/** A verdict as a switch writes it into a column or a URI, in any case. @see 3GPP TS 24.229 section 7.2A.20 */
export function writtenVerstat(text: string): Verstat | undefined {
  return VERSTATS.get(text.toLowerCase());
}

const VERSTATS: ReadonlyMap<string, Verstat> = new Map([
  ['tn-validation-passed', 'TN-Validation-Passed'],
  ['tn-validation-failed', 'TN-Validation-Failed'],
  ['no-tn-validation', 'No-TN-Validation'],
]);

/** A name of at most `MAX_NAME_CHARS` without spaces around it; undefined where nothing is left. */
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
    : {
        written,
        zone,
        resolutionUs,
        otherInviteAtUs: otherUs,
      };
}

const NO_SIDE: HopSide = Object.freeze({});

function hopSide(side: LegSide | undefined, { providers }: LegSource): HopSide {
  if (side === undefined) return NO_SIDE;
  const made: Writable<HopSide> = {};
  if (isSaid(side.trunk)) made.trunk = named(side.trunk);
  const provider = providers.size === 0 ? side.provider : side.provider || providerOf(side, providers);
  if (isSaid(provider)) made.provider = named(provider);
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

function addNumbers(record: Writable<CallRecord>, parts: LegDetails, numbers: SourceNumbers): void {
  const calling = isSaid(parts.calling) ? writtenCaller(parts.calling, numbers) : undefined;
  if (calling !== undefined) record.calling = calling;
  const asserted = isSaid(parts.asserted) ? writtenCaller(parts.asserted, numbers) : undefined;
  if (asserted !== undefined && !isSameParty(asserted, calling)) record.asserted = asserted;
  const called = isSaid(parts.called) ? writtenCalled(parts.called, numbers) : undefined;
  if (called === undefined) return;
  const sentTo = isSaid(parts.sentTo) ? writtenCalled(parts.sentTo, numbers) : undefined;
  const stated = canonicalLrn(parts.lrn, numbers);
  const lrn = (parts.isLrnFirst === true ? stated : undefined) ?? called.lrn ?? stated ?? sentTo?.lrn;
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

function boundedIdentity(text: string): string {
  if (text.length <= MAX_NAME_CHARS) return text;
  return `${text.slice(0, MAX_NAME_CHARS - IDENTITY_HASH_DIGITS - 1)} ${sourceSha256(text).slice(0, IDENTITY_HASH_DIGITS)}`;
}

/** What a carrier declares about a switch that takes its calls down itself. Its times are those of its own clock. */
export type OwnSource = Omit<SourceDescription, 'format' | 'time'>;

/** A SIP message that a leg was known by. */
export interface LegMessage {
  /** SHA-256 of its octets, lower-case hexadecimal. */
  readonly sha256: string;
  /** There where the source keeps raw bytes and there was room for it. */
  readonly text?: string;
}

/** Makes records of legs that no reader reads, since they are taken down where they happen. */
export type LegRecorder = ReturnType<typeof createLegRecorder>;

/** Version of the layout of these records. */
const READER_VERSION = 1;

/**
 * Makes the recorder of a switch, or of an application that is one. Never throws for what a message or a leg holds; that times are in order is for
 * whoever takes them.
 * @param source - name of the switch, numbers, providers, and whether messages are kept
 * @returns the recorder
 * @throws {@link HopbackError} `invalid-configuration` where the source has no name, or one that is too long
 * @see {@link recordIdOf} for when two records are one
 */
export function createLegRecorder(source: OwnSource) {
  const legs = legSource({ ...source, format: 'hopback', time: { zone: 'utc' } }, READER_VERSION);
  let keptBytes = 0;
  const sizeOf = (messages: readonly LegMessage[]): number =>
    messages.reduce((total, { text }) => total + (text === undefined ? 0 : Buffer.byteLength(text)), 0);
  return {
    /** Takes a message as it came or went, to stand in the record of one leg or of several. */
    message: (text: string): LegMessage => {
      const sha256 = sourceSha256(text);
      const sizeBytes = legs.keepsRaw ? Buffer.byteLength(text) : 0;
      if (!legs.keepsRaw || keptBytes + sizeBytes > MAX_WAITING_RAW_BYTES) return { sha256 };
      keptBytes += sizeBytes;
      return { sha256, text };
    },
    /**
     * Makes the record of a leg, with the hash of its messages and, where all of them were kept, the messages. Names that are too long are cut,
     * numbers brought to their canonical form, providers looked up by trunk and address.
     */
    record: (parts: LegParts, messages: readonly LegMessage[]): CallRecord => {
      const sha256 = joinedSha256(messages.map((message) => message.sha256));
      const record = callRecord({ text: '', sha256, line: 0 }, legs, parts, parts);
      const rows = messages.flatMap((message) =>
        message.text === undefined ? [] : [{ ...message, text: message.text }],
      );
      return rows.length === messages.length ? withRaw(record, rawRowsOf(rows)) : record;
    },
    /** No further record is made of these messages: there is room for others. */
    release: (messages: readonly LegMessage[]) => {
      keptBytes -= sizeOf(messages);
    },
  };
}

/** What a shaken PASSporT says of a call. Nobody has verified it: it is what came in, no verdict about it. */
export interface PassportClaims {
  readonly attestation?: Attestation;
  readonly origId?: string;
  readonly iatSeconds?: number;
}

/** Longest token that is looked at, as SIP stacks bound a header line. */
const MAX_TOKEN_CHARS = 8_192;
/** An origid is a UUID of 36 characters; some signers write other opaque text. */
const MAX_ORIG_ID_CHARS = 128;

/**
 * Reads attestation, origid and iat out of the first Identity header that carries a shaken PASSporT in full form. The signature is
 * not looked at and no certificate is fetched, hence there is no verstat and no SPC: those a verification alone can tell.
 * Never throws for peer input.
 * @param identities - Identity header values, one PASSporT each
 * @returns undefined where none is a readable shaken PASSporT
 * @see RFC 8225, RFC 8588
 */
export function shakenClaims(identities: readonly string[]): PassportClaims | undefined {
  for (const identity of identities) {
    const claims = claimsOf(identity);
    if (claims !== undefined) return claims;
  }
  return undefined;
}

function claimsOf(identity: string): PassportClaims | undefined {
  const end = identity.indexOf(';');
  const token = (end < 0 ? identity : identity.slice(0, end)).trim();
  if (token.length > MAX_TOKEN_CHARS) return undefined;
  const [header = '', payload = '', signature, ...more] = token.split('.', 4);
  if (signature === undefined || more.length > 0) return undefined;
  if (segment(header)?.['ppt'] !== 'shaken') return undefined;
  const claims = segment(payload);
  if (claims === undefined) return undefined;
  const attest = claims['attest'];
  const origId = claims['origid'];
  const iat = claims['iat'];
  return {
    ...(attest === 'A' || attest === 'B' || attest === 'C' ? { attestation: attest } : undefined),
    ...(typeof origId === 'string' && origId !== '' && origId.length <= MAX_ORIG_ID_CHARS ? { origId } : undefined),
    ...(typeof iat === 'number' && Number.isSafeInteger(iat) && iat > 0 ? { iatSeconds: iat } : undefined),
  };
}

function segment(text: string): JsonObject | undefined {
  const decoded = text === '' ? undefined : decodeBase64UrlText(text);
  const parsed = decoded === undefined ? undefined : parseBoundedJson(decoded);
  return parsed?.status === 'parsed' && isJsonObject(parsed.value) ? parsed.value : undefined;
}

/**
 * What a final SIP status says about how a call went. 607 and 608 are the two by which the called side says that the call is not
 * wanted: a person, or an analytics engine.
 * @param status - 100 to 699
 * @returns how it went; `failed` for what says nothing else. Never throws
 * @see RFC 3261 section 21, RFC 8197, RFC 8688
 */
export function dispositionOfStatus(status: number): Disposition {
  if (status >= 200 && status < 300) return 'answered';
  return SIP_DISPOSITIONS.get(status) ?? (status >= 600 ? 'rejected' : 'failed');
}

const SIP_DISPOSITIONS: ReadonlyMap<number, Disposition> = new Map<number, Disposition>([
  [486, 'busy'],
  [600, 'busy'],
  [408, 'no-answer'],
  [480, 'no-answer'],
  [487, 'cancelled'],
  [401, 'rejected'],
  [402, 'rejected'],
  [403, 'rejected'],
  [407, 'rejected'],
  [433, 'rejected'],
  [436, 'rejected'],
  [437, 'rejected'],
  [438, 'rejected'],
  [603, 'rejected'],
  [607, 'blocked'],
  [608, 'blocked'],
]);

/**
 * Who blocked a call, as its final SIP status says.
 * @param status - 100 to 699
 * @returns undefined where the status says nothing of it; never throws
 * @see RFC 8197, RFC 8688
 */
export function blockedByStatus(status: number | undefined): string | undefined {
  if (status === 607) return 'called party (607 Unwanted)';
  return status === 608 ? 'analytics engine (608 Rejected)' : undefined;
}

/**
 * What a Q.850 cause says of a call that nobody answered. Normal clearing of such a call is one that the caller gave up.
 * @param cause - 0 to 127; of a vendor's own causes above, `failed`
 * @see ITU-T Q.850 section 2.2.7
 */
export function dispositionOfQ850(cause: number | undefined): Disposition {
  return Q850_DISPOSITIONS.get(cause ?? -1) ?? 'failed';
}

const Q850_DISPOSITIONS: ReadonlyMap<number, Disposition> = new Map<number, Disposition>([
  [16, 'cancelled'],
  [17, 'busy'],
  [18, 'no-answer'],
  [19, 'no-answer'],
  [20, 'no-answer'],
  [21, 'rejected'],
  [55, 'rejected'],
  [57, 'rejected'],
  [87, 'rejected'],
]);

/** How a call ended, made member by member: a spread costs more than all else of it. */
export type MadeRelease = Writable<Release> & { q850Cause?: number };

/** Adds what a switch wrote as the cause of the end: a code of Q.850, or a word or code of its own. @see ITU-T Q.850 table 1 */
export function addReleaseCause(release: MadeRelease, written: string, maxChars: number = MAX_NAME_CHARS): void {
  const code = /^\d{1,3}$/.test(written) ? Number(written) : 0;
  if (code >= 1 && code <= LAST_Q850_CAUSE) release.q850Cause = code;
  else if (written !== '') release.cause = written.slice(0, maxChars);
}

/** The highest cause of Q.850; switches count on for causes of their own. */
const LAST_Q850_CAUSE = 127;

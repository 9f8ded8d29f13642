import type { Disposition, ReceivedVerification, Release } from '../../../contract/call-record.js';
import { splitHeaderList } from '../../../core/sip-request.js';
import { joinedSha256, sourceSha256 } from '../../record-id.js';
import {
  accCalls,
  accColumns,
  accTime,
  dialogOf,
  endDialog,
  forgetBefore,
  isEmpty,
  laterBy,
  MAX_CROSSINGS,
  MAX_ROWS_OF_CALL,
  MAX_WAITING_CALLS,
  readAccRow,
  remember,
  saveAccRows,
  savedAccRows,
  transactionTime,
  waitingCall,
} from './kamailio-row.js';
import type {
  AccCalls,
  AccColumns,
  AccRow,
  KamailioAccLayout,
  TimedRow,
  WaitingCall,
  WaitingDialog,
} from './kamailio-row.js';
import {
  blockedByStatus,
  dispositionOfStatus,
  joinedLegReading,
  legSource,
  rejectedRow,
  shakenClaims,
  skippedRow,
  writtenVerstat,
} from './leg.js';
import type { LegParts, LegSide, LegSource } from './leg.js';
import { rawRowsOf, readingsWithRaw } from '../record-reader.js';
import type { RecordReader, RowReading, SourceDescription, SourceRow } from '../record-reader.js';
import { instantNearest, instantNotBefore, leadsTo, startByDuration, startNotAfter } from './row-times.js';
import type { RowClock, RowInstant, RowTimeFault } from './row-times.js';

/** The rows that make one record. */
interface AccLeg {
  readonly callId: string;
  readonly fromTag: string;
  readonly toTag: string;
  /** What tells branches without a tag of their own apart. */
  readonly branch?: string;
  readonly invite?: TimedRow | undefined;
  readonly bye?: TimedRow | undefined;
  readonly cdr?: TimedRow | undefined;
  readonly cancel?: TimedRow | undefined;
}

/** Makes a record's parts of the rows of a leg, at least an INVITE, a CDR or a CANCEL. Never throws. */
function accLegParts(leg: AccLeg, columns: AccColumns, clock: RowClock): LegParts {
  const { invite, cdr, cancel } = leg;
  const main = (invite ?? cdr ?? cancel) as TimedRow;
  const role: AccRow['role'] = (name) => main.row.role(name) || (cdr?.row.role(name) ?? '');
  const times = timesOf(leg, columns, clock);
  const isGivenUp = invite === undefined && cdr === undefined;
  const status = statusOf(main.row, isGivenUp);
  const disposition = isGivenUp ? 'cancelled' : dispositionOf(status, times);
  return {
    legId: [leg.callId, leg.fromTag, leg.toTag, leg.branch ?? ''].filter((part) => part !== '').join(' '),
    callGroupId: role('callGroup') || leg.callId,
    invite: times.invite,
    answeredAtUs: disposition === 'answered' ? times.answeredAtUs : undefined,
    endedAtUs: times.endedAtUs,
    calling: role('calling'),
    asserted: role('asserted'),
    called: role('called') || role('sentTo'),
    sentTo: role('sentTo'),
    lrn: role('lrn'),
    ingress: {
      trunk: role('ingressTrunk'),
      address: addressOf(role('sourceAddress'), role('sourcePort')),
      callId: leg.callId,
    },
    egress: egressOf(role, leg, disposition),
    disposition,
    release: releaseOf(leg, columns, disposition, status),
    received: receivedOf(role),
    customerId: role('customer'),
    blockedBy: role('blockedBy') || (disposition === 'blocked' ? blockedByStatus(status) : undefined),
  };
}

type LegTimes = ReturnType<typeof timesOf>;

function timesOf({ invite, bye, cdr, cancel }: AccLeg, { cdrStart }: AccColumns, clock: RowClock) {
  const main = (invite ?? cdr ?? cancel) as TimedRow;
  const durationUs = durationOf((cdr ?? main).row);
  const lasted = durationUs !== undefined && durationUs > 0;
  const declared = accTime(main.row.role('inviteTime') || (cdr?.row.role('inviteTime') ?? ''), clock);
  const start = cdr?.at;
  const written =
    declared?.status === 'instant'
      ? declared
      : start !== undefined && cdrStart === 'invite'
        ? start
        : (invite ?? main).at;
  const begun = startNotAfter(written, [invite?.at, bye?.at]);
  const setup = Number(main.row.core('setuptime') || 'none');
  // OpenSIPS writes how long it took from there to the answer; without that, acc writes the row when the answer comes.
  const rowUs = invite === undefined ? undefined : instantNearest(invite.at, begun.atUs);
  const answeredAtUs =
    declared?.status === 'instant' && setup >= 0
      ? laterBy(begun, setup * 1_000_000).atUs
      : (rowUs ?? (start !== undefined && cdrStart === 'answer' ? start.atUs : undefined));
  const code = Number((invite ?? main).row.core('sip_code'));
  const endedAtUs = endOf({ invite, bye, cdr, cancel }, { answeredAtUs, durationUs, isFailure: code >= 300 }, clock);
  return { invite: begun, answeredAtUs, endedAtUs, /** Whether a CDR says that the call lasted. */ lasted };
}

/** When the call of a CDR row began; or that its times contradict each other. Undefined where none is there. Never throws. */
function cdrStart(row: AccRow, clock: RowClock): RowInstant | (RowTimeFault & { readonly of: string }) | undefined {
  const start = accTime(row.core('start_time'), clock);
  if (start === undefined) return undefined;
  if (start.status === 'rejected') return { ...start, of: 'start_time' };
  const end = accTime(row.core('end_time'), clock);
  if (end === undefined) return start;
  if (end.status === 'rejected') return { ...end, of: 'end_time' };
  const durationUs = durationOf(row);
  if (durationUs === undefined) return startNotAfter(start, [end]);
  const { atUs, otherUs = atUs } = start;
  const isSaid = leadsTo(end, atUs + durationUs) || leadsTo(end, otherUs + durationUs);
  return isSaid ? startByDuration(start, end, durationUs) : CONTRADICTS;
}

const CONTRADICTS: RowTimeFault & { readonly of: string } = {
  status: 'rejected',
  reason: 'bad-time',
  detail: 'the duration does not lead from start_time to end_time',
  of: 'duration',
};

function endOf(
  { invite, bye, cdr, cancel }: Pick<AccLeg, 'invite' | 'bye' | 'cdr' | 'cancel'>,
  {
    answeredAtUs,
    durationUs,
    isFailure,
  }: { answeredAtUs: number | undefined; durationUs: number | undefined; isFailure: boolean },
  clock: RowClock,
): number | undefined {
  if (cdr !== undefined) {
    const end = accTime(cdr.row.core('end_time'), clock);
    if (durationUs !== undefined) return cdr.at.atUs + durationUs;
    if (end?.status === 'instant') return instantNotBefore(end, cdr.at.atUs);
  }
  if (bye !== undefined) return instantNotBefore(bye.at, answeredAtUs ?? bye.at.atUs);
  if (isFailure) return invite?.at.atUs;
  if (invite === undefined) return cancel?.at.atUs;
  return durationUs === undefined || answeredAtUs === undefined ? undefined : answeredAtUs + durationUs;
}

/** Ten days: dialogs that nobody ended are timed out before. */
const MAX_DURATION_SECONDS = 864_000;

/** Duration of a CDR or a row of OpenSIPS, microseconds: in milliseconds where OpenSIPS has them, else seconds with up to six decimals. */
function durationOf({ core }: AccRow): number | undefined {
  const ms = core('ms_duration');
  const seconds = /^\d{1,12}$/.test(ms) && ms !== '0' ? Number(ms) / 1_000 : numberOf(core('duration'));
  return seconds === undefined || seconds > MAX_DURATION_SECONDS ? undefined : Math.round(seconds * 1_000_000);
}

function numberOf(text: string): number | undefined {
  return /^\d{1,9}(?:\.\d{1,9})?$/.test(text) ? Number(text) : undefined;
}

function statusOf({ core }: AccRow, isCancel: boolean): number | undefined {
  // The code of a CANCEL is what it was answered with, whatever became of the INVITE.
  const code = isCancel ? '' : core('sip_code');
  return /^[1-6]\d\d$/.test(code) ? Number(code) : undefined;
}

function dispositionOf(status: number | undefined, { lasted, endedAtUs, answeredAtUs }: LegTimes): Disposition {
  if (lasted) return 'answered';
  if (status !== undefined) return dispositionOfStatus(status);
  return endedAtUs === undefined && answeredAtUs !== undefined ? 'answered' : 'failed';
}

function egressOf(role: AccRow['role'], { callId }: AccLeg, disposition: Disposition): LegSide {
  const address = addressOf(role('destinationAddress'), role('destinationPort'));
  const trunk = role('egressTrunk');
  const other = role('egressCallId');
  // A proxy leaves the Call-ID as it is; of a call that went nowhere there is no other side.
  const isSent = address !== '' || trunk !== '' || disposition === 'answered';
  return { trunk, address, callId: other === '' && isSent ? callId : other };
}

function releaseOf(
  { invite, bye, cancel }: AccLeg,
  { detectsDirection }: AccColumns,
  disposition: Disposition,
  status: number | undefined,
): Release | undefined {
  const release: { sipStatus?: number; cause?: string; party?: 'calling' | 'called' } = {};
  if (disposition !== 'answered') {
    const reason = invite?.row.core('sip_reason').slice(0, MAX_REASON_CHARS);
    if (status !== undefined) release.sipStatus = status;
    if (reason !== undefined && reason !== '') release.cause = reason;
    if (cancel !== undefined) release.party = 'calling';
  } else if (bye !== undefined && invite !== undefined && !detectsDirection) {
    release.party = bye.row.core('from_tag') === invite.row.core('from_tag') ? 'calling' : 'called';
  }
  return Object.keys(release).length === 0 ? undefined : release;
}

/** Reason phrases of real devices are shorter. */
const MAX_REASON_CHARS = 128;

function receivedOf(role: AccRow['role']): ReceivedVerification | undefined {
  const verstat = writtenVerstat(role('verstat'));
  const claims = shakenClaims(splitHeaderList(role('identity')));
  if (verstat === undefined && claims === undefined) return undefined;
  return verstat === undefined ? claims : { verstat, ...claims };
}

/** An address with its port out of `192.0.2.1`, `udp:192.0.2.1:5060`, `sip:12025550101@192.0.2.1:5060;transport=udp`; else as it is. */
function addressOf(text: string, port: string): string {
  let address = text.trim();
  const scheme = /^(?:sips?|udp|tcp|tls|sctp|wss?):/i.exec(address)?.[0] ?? '';
  address = address.slice(scheme.length);
  if (scheme !== '') {
    const end = address.search(/[;?]/);
    const host = end < 0 ? address : address.slice(0, end);
    address = host.slice(host.lastIndexOf('@') + 1);
  }
  if (!/^\d{1,5}$/.test(port) || address === '' || hasPort(address)) return address;
  return address.includes(':') && !address.startsWith('[') ? `[${address}]:${port}` : `${address}:${port}`;
}

function hasPort(address: string): boolean {
  const bracket = address.lastIndexOf(']');
  const colon = address.lastIndexOf(':');
  return bracket >= 0 ? colon > bracket : colon >= 0 && colon === address.indexOf(':');
}

/** Enough to tell the branches and crossings of one call apart. */
const WAY_DIGITS = 8;

/** Where a branch was sent, in a form that is fit for a name: without the number that was called. Never throws. */
function placeOf({ role }: AccRow): string {
  const place = role('egressTrunk') || addressOf(role('destinationAddress'), role('destinationPort'));
  const sentTo = role('sentTo');
  return sentTo === '' ? place : `${place} ${digitsOf(`${place} ${sentTo}`)}`.trim();
}

/**
 * From where an INVITE came, by eight digits: a call that comes back to the proxy keeps its Call-ID and tags, and is told by this alone. Empty
 * where no column says it. Never throws.
 */
function sourceOf({ role }: AccRow): string {
  const source = [role('ingressTrunk'), addressOf(role('sourceAddress'), role('sourcePort'))].join(' ').trim();
  return source === '' ? '' : digitsOf(source);
}

/** From where an INVITE came and where it went, in the same form. Never throws. */
function wayOf(row: AccRow): string {
  const [source, place] = [sourceOf(row), placeOf(row)];
  return source === '' && place === '' ? '' : digitsOf(`${source} ${place}`);
}

function digitsOf(text: string): string {
  return sourceSha256(text).slice(0, WAY_DIGITS);
}

/** Goes up when the same rows would make another record. */
const READER_VERSION = 1;

/**
 * Makes the reader of what the acc module of Kamailio and OpenSIPS writes: rows of transactions, of missed calls, and CDR rows of the
 * dialog module, as JSON, CSV, log lines or rows of a database.
 *
 * - INVITE with a 2xx waits for its BYE, which may come before it; the two are joined by Call-ID and tags, in either direction.
 * - INVITE with a failure is a record at once. Forking writes one row for each branch that failed before the call went on: each is
 *   a record, all in the call group of their Call-ID, or of the column that is declared as `callGroup`.
 * - A call that comes back to the proxy has a row each time it passes, with the same Call-ID and tags. Each is a record where columns say
 *   from where it came or where it went; without them only the first row is.
 * - CDR rows (start_time, end_time, duration) are records of their own or are joined with their INVITE, as the layout says. Rows of
 *   OpenSIPS that carry created, setuptime and duration are complete.
 * - A CANCEL adds who gave up to the INVITE that fails with 487, and is a record by itself when none comes.
 * - A row that comes twice (acc and missed_calls both hold the failure, or a file is read again) counts once. What was used is
 *   remembered until `expire`, or for the last 250,000 rows; not over a restart, after which such a row makes a record of the same id.
 *
 * acc writes a transaction row when the final response comes: without a column of the role `inviteTime`, and without a CDR,
 * the time of the INVITE is that of the response. `received.verstat` is what a column of role `verstat` holds, the switch's own verdict;
 * attestation, origid and iat out of an `identity` column are claims that nobody has verified.
 * @param description - name of the source, zone of its local times, numbers and providers
 * @param layout - form of the rows, and which column holds what
 * @returns the reader; 360,000 calls wait in it at most
 * @throws {@link HopbackError} `invalid-configuration` where the source or the layout is none; never for what rows hold
 * @see https://www.kamailio.org/docs/modules/stable/modules/acc.html
 * @example
 * ```ts
 * const reader = createKamailioAccReader({ id: 'proxy-1', format: 'kamailio-acc', time: { zone: 'utc' } }, { form: 'json' });
 * console.log(reader.framing, reader.waiting()); // lines 0
 * ```
 */
export function createKamailioAccReader(description: SourceDescription, layout: KamailioAccLayout): RecordReader {
  const state: ReaderState = {
    source: legSource(description, READER_VERSION),
    columns: accColumns(layout),
    calls: accCalls(),
  };
  return {
    framing: state.columns.form === 'csv' ? 'csv' : 'lines',
    read: (row) => read(state, row),
    expire: (beforeUs) => expire(state, beforeUs),
    waiting: () => state.calls.waiting.size(),
    saveWaiting: () => saveAccRows(state.calls.waiting.entries().map(([, call]) => call)),
    restoreWaiting: (saved) => {
      const rows = savedAccRows(saved);
      for (const row of rows ?? []) read(state, row);
      return rows !== undefined;
    },
  };
}

interface ReaderState {
  readonly source: LegSource;
  readonly columns: AccColumns;
  readonly calls: AccCalls;
}

function read(state: ReaderState, source: SourceRow): readonly RowReading[] {
  const row = readAccRow(source, state.columns);
  if (row.status !== 'row') return [row];
  const callId = row.core('callid');
  const method = row.core('method').toUpperCase();
  if (method === '' && row.core('start_time') !== '') return readCdr(state, row, callId);
  if (method === '') return rejectedRow('missing-field', 'neither a method nor a start_time', 'method');
  if (method === 'ACK') return skippedRow('interim');
  if (method !== 'INVITE' && method !== 'BYE' && method !== 'CANCEL') return skippedRow('not-a-call');
  if (callId === '') return rejectedRow('missing-field', 'a row without its Call-ID', 'callid');
  const at = transactionTime(row, state.source.clock);
  if (at === undefined) return rejectedRow('missing-field', 'a row without its time', 'time');
  if (at.status === 'rejected') return rejectedRow(at.reason, at.detail, 'time');
  const timed = { row, at };
  const readings = method === 'INVITE' ? readInvite(state, timed, callId) : readEnd(state, timed, callId, method);
  return [...readings, ...makeRoom(state)];
}

const WAITING: readonly RowReading[] = [{ status: 'waiting' }];
const TOO_MANY: readonly RowReading[] = rejectedRow(
  'too-long',
  `more than ${MAX_ROWS_OF_CALL} rows wait under one Call-ID`,
  'callid',
);

function readInvite(state: ReaderState, timed: TimedRow, callId: string): readonly RowReading[] {
  const { row, at } = timed;
  const code = row.core('sip_code');
  if (!/^[1-6]\d\d$/.test(code)) return rejectedRow('bad-field', 'no SIP status', 'sip_code');
  // Early media, where somebody has it accounted.
  if (code.startsWith('1')) return skippedRow('interim');
  const [fromTag, toTag] = [row.core('from_tag'), row.core('to_tag')];
  if (!code.startsWith('2')) return readFailure(state, timed, { callId, fromTag, toTag });
  const key = dialogKey(callId, fromTag, toTag);
  if (isRepeat(state, `${key}${wayOf(row)}`, at.atUs)) return skippedRow('repeated');
  const call = waitingCall(state.calls, callId, at.atUs);
  const dialog = dialogOf(call, fromTag, toTag);
  if (dialog === undefined) return TOO_MANY;
  if (dialog.invite !== undefined) return crossingOf(dialog, timed);
  dialog.invite = timed;
  return completed(state, call, dialog);
}

/** An INVITE with the tags of another that waits. */
function crossingOf(dialog: WaitingDialog, timed: TimedRow): readonly RowReading[] {
  const way = wayOf(timed.row);
  if (invitesOf(dialog).some(({ row }) => wayOf(row) === way)) return skippedRow('repeated');
  const crossings = (dialog.crossings ??= []);
  if (crossings.length >= MAX_CROSSINGS) return TOO_MANY;
  crossings.push(timed);
  return WAITING;
}

function invitesOf({ invite, crossings = [] }: WaitingDialog): readonly TimedRow[] {
  return invite === undefined ? [] : [invite, ...crossings];
}

/**
 * Whether a row of an INVITE has been used, here or in the table of missed calls. Devices that begin anew with the same Call-ID and tags make
 * another call by it, hours later.
 */
function isRepeat({ calls }: ReaderState, key: string, atUs: number): boolean {
  const usedUs = calls.used.get(key);
  return usedUs !== undefined && Math.abs(atUs - usedUs) <= REPEATED_US;
}

/** Rows of one response are written at once; a request is repeated for 32 seconds. @see RFC 3261 section 17.1.1.2 */
const REPEATED_US = 300_000_000;

/** A branch that failed. */
function readFailure(
  state: ReaderState,
  timed: TimedRow,
  { callId, fromTag, toTag }: Pick<AccLeg, 'callId' | 'fromTag' | 'toTag'>,
): readonly RowReading[] {
  const { row, at } = timed;
  const code = row.core('sip_code');
  // A timeout is the proxy's own answer, with one tag for all branches: only where it had sent the INVITE tells them apart.
  const isLocal = code === '408' || toTag === '';
  const sent = isLocal ? `${code} ${placeOf(row)}`.trim() : code;
  const key = JSON.stringify([callId, fromTag, toTag, sent]);
  const source = sourceOf(row);
  if (isRepeat(state, `${key}${source}`, at.atUs)) return skippedRow('repeated');
  // The same response to a call that passed before, from elsewhere.
  const branch = isRepeat(state, key, at.atUs) ? `${sent} ${source}` : sent;
  remember(state.calls.used, key, at.atUs);
  if (source !== '') remember(state.calls.used, `${key}${source}`, at.atUs);
  const call = state.calls.waiting.get(callId);
  const cancel = code === '487' ? call?.cancel : undefined;
  if (call !== undefined) {
    if (cancel !== undefined) delete call.cancel;
    // The dialog module writes a CDR that did not last for a call that failed: it tells nothing more.
    call.cdrs.splice(0, call.cdrs.length, ...call.cdrs.filter((cdr) => hasLasted(cdr.row)));
    if (isEmpty(call)) state.calls.waiting.delete(callId);
  }
  return recordOf(state, { callId, fromTag, toTag, branch, invite: timed, cancel });
}

function readEnd(state: ReaderState, timed: TimedRow, callId: string, method: 'BYE' | 'CANCEL'): readonly RowReading[] {
  const { row, at } = timed;
  if (method === 'CANCEL') {
    if (state.calls.recorded.get(callId) !== undefined) return skippedRow('interim');
    const call = waitingCall(state.calls, callId, at.atUs);
    if (call.cancel !== undefined) return skippedRow('repeated');
    call.cancel = timed;
    return WAITING;
  }
  const [fromTag, toTag] = [row.core('from_tag'), row.core('to_tag')];
  const isUsed = state.calls.used.get(dialogKey(callId, fromTag, toTag)) !== undefined;
  if (isUsed && !isWaitedFor(state, callId, [fromTag, toTag])) return skippedRow('repeated');
  const call = waitingCall(state.calls, callId, at.atUs);
  const dialog = dialogOf(call, fromTag, toTag);
  if (dialog === undefined) return TOO_MANY;
  if (dialog.bye !== undefined) {
    if (at.atUs < dialog.bye.at.atUs) dialog.bye = timed;
    return skippedRow('repeated');
  }
  dialog.bye = timed;
  return completed(state, call, dialog);
}

/** Whether a later call of the same Call-ID and tags waits for its BYE. */
function isWaitedFor({ calls }: ReaderState, callId: string, tags: readonly string[]): boolean {
  const dialogs = calls.waiting.get(callId)?.dialogs ?? [];
  return dialogs.some(
    ({ invite, fromTag, toTag }) => invite !== undefined && tags.includes(fromTag) && tags.includes(toTag),
  );
}

function readCdr(state: ReaderState, row: AccRow, callId: string): readonly RowReading[] {
  const at = cdrStart(row, state.source.clock);
  if (at === undefined) return rejectedRow('missing-field', 'a CDR without its start', 'start_time');
  if (at.status === 'rejected') return rejectedRow(at.reason, at.detail, at.of);
  if (callId === '') {
    return rejectedRow('missing-field', 'a CDR without its Call-ID: have cdr_extra write it', 'callid');
  }
  const timed = { row, at };
  const key = JSON.stringify(['cdr', callId, row.core('from_tag'), row.core('to_tag'), at.atUs]);
  if (state.calls.used.get(key) !== undefined) return skippedRow('repeated');
  remember(state.calls.used, key, at.atUs);
  const call = state.calls.waiting.get(callId);
  const dialog = call === undefined ? undefined : dialogOfCdr(call, row);
  if (call !== undefined && dialog !== undefined) return recordOfDialog(state, call, dialog, timed);
  if (state.columns.cdrs === 'alone') return recordOfCdr(state, callId, timed);
  // As of a call that failed, which has its records already.
  if (!hasLasted(row) && state.calls.recorded.get(callId) !== undefined) return skippedRow('interim');
  const waiting = waitingCall(state.calls, callId, at.atUs);
  if (waiting.cdrs.length >= MAX_ROWS_OF_CALL) return TOO_MANY;
  waiting.cdrs.push(timed);
  return [...WAITING, ...makeRoom(state)];
}

function hasLasted(row: AccRow): boolean {
  return (durationOf(row) ?? 0) > 0;
}

/** The answered dialog that a CDR is about: by its tags where it has them, else the only one there is. */
function dialogOfCdr({ dialogs }: WaitingCall, { core }: AccRow): WaitingDialog | undefined {
  const answered = dialogs.filter(({ invite }) => invite !== undefined);
  const [fromTag, toTag] = [core('from_tag'), core('to_tag')];
  if (fromTag === '' || toTag === '') return answered.length === 1 ? answered[0] : undefined;
  const tags = [fromTag, toTag];
  return answered.find((one) => tags.includes(one.fromTag) && tags.includes(one.toTag));
}

/** The record of a dialog that has all its rows; otherwise it waits. */
function completed(state: ReaderState, call: WaitingCall, dialog: WaitingDialog): readonly RowReading[] {
  const { invite, bye } = dialog;
  if (invite === undefined) return WAITING;
  const at = call.cdrs.findIndex(({ row }) => dialogOfCdr(call, row) === dialog);
  const [cdr] = at < 0 ? [] : call.cdrs.splice(at, 1);
  const isWhole = invite.row.core('duration') !== '' && invite.row.role('inviteTime') !== '';
  const isJoined = cdr !== undefined || isWhole;
  if (isJoined || (bye !== undefined && state.columns.cdrs === 'alone'))
    return recordOfDialog(state, call, dialog, cdr);
  return WAITING;
}

function recordOfDialog(
  state: ReaderState,
  call: WaitingCall,
  dialog: WaitingDialog,
  cdr: TimedRow | undefined,
): readonly RowReading[] {
  const { callId, firstUs } = call;
  const { bye } = dialog;
  endDialog(state.calls, call, dialog);
  const [fromTag, toTag] = tagsOf(dialog);
  const invites = invitesOf(dialog);
  const key = dialogKey(callId, fromTag, toTag);
  const atUs = (invites[0] ?? bye ?? cdr)?.at.atUs ?? firstUs;
  const isCrossed = invites.length > 1 || isRepeat(state, key, atUs);
  remember(state.calls.used, key, atUs);
  return invites.flatMap((invite) => {
    const way = wayOf(invite.row);
    if (way !== '') remember(state.calls.used, `${key}${way}`, invite.at.atUs);
    return recordOf(state, { callId, fromTag, toTag, ...(isCrossed ? { branch: way } : {}), invite, bye, cdr });
  });
}

function recordOfCdr(state: ReaderState, callId: string, cdr: TimedRow): readonly RowReading[] {
  const { core } = cdr.row;
  return recordOf(state, { callId, fromTag: core('from_tag'), toTag: core('to_tag'), cdr });
}

/** Tags in the order of the INVITE, whichever row came first. */
function tagsOf({ invite, fromTag, toTag }: WaitingDialog): readonly [string, string] {
  return invite === undefined ? [fromTag, toTag] : [invite.row.core('from_tag'), invite.row.core('to_tag')];
}

function dialogKey(callId: string, fromTag: string, toTag: string): string {
  return JSON.stringify(fromTag < toTag ? [callId, fromTag, toTag] : [callId, toTag, fromTag]);
}

function recordOf(state: ReaderState, leg: AccLeg): readonly RowReading[] {
  const parts = accLegParts(leg, state.columns, state.source.clock);
  remember(state.calls.recorded, leg.callId, parts.invite.atUs);
  const rows = [leg.invite, leg.bye, leg.cdr, leg.cancel].flatMap((timed) =>
    timed === undefined ? [] : [timed.row.source],
  );
  const row: SourceRow = { text: '', sha256: joinedSha256(rows.map(({ sha256 }) => sha256)), line: 0 };
  return readingsWithRaw(
    joinedLegReading(row, state.source, parts),
    state.source.keepsRaw ? rawRowsOf(rows) : undefined,
  );
}

function expire(state: ReaderState, beforeUs: number): readonly RowReading[] {
  const readings: RowReading[] = [];
  for (const [, call] of state.calls.waiting.entries())
    if (call.firstUs < beforeUs) readings.push(...giveUp(state, call));
  forgetBefore(state.calls.used, beforeUs);
  forgetBefore(state.calls.recorded, beforeUs);
  return readings;
}

function makeRoom(state: ReaderState): readonly RowReading[] {
  const oldest = state.calls.waiting.size() > MAX_WAITING_CALLS ? state.calls.waiting.oldest() : undefined;
  return oldest === undefined ? [] : giveUp(state, oldest[1]);
}

const BYE_ALONE: readonly RowReading[] = rejectedRow(
  'missing-field',
  'a BYE of a call whose INVITE has no row',
  'method',
);

/** Records of what there is of a call. */
function giveUp(state: ReaderState, call: WaitingCall): readonly RowReading[] {
  state.calls.waiting.delete(call.callId);
  const readings: RowReading[] = [];
  for (const dialog of [...call.dialogs]) {
    if (dialog.invite === undefined) readings.push(...BYE_ALONE);
    else readings.push(...recordOfDialog(state, call, dialog, undefined));
  }
  for (const cdr of call.cdrs) readings.push(...recordOfCdr(state, call.callId, cdr));
  const { cancel, callId } = call;
  if (cancel !== undefined) {
    const { core } = cancel.row;
    readings.push(...recordOf(state, { callId, fromTag: core('from_tag'), toTag: core('to_tag'), cancel }));
  }
  return readings;
}

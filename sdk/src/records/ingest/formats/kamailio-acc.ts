import { parseBoundedJson } from '../../../core/json-text.js';
import { passingMap } from '../../../core/memo.js';
import type { PassingMap } from '../../../core/memo.js';
import { joinedSha256 } from '../../record-id.js';
import {
  accColumns,
  accLegParts,
  cdrStart,
  durationOf,
  placeOf,
  readAccRow,
  sourceOf,
  transactionTime,
  wayOf,
} from './kamailio-row.js';
import type { AccColumns, AccLeg, AccRow, KamailioAccLayout, TimedRow } from './kamailio-row.js';
import { joinedLegReading, legSource, rejectedRow, skippedRow } from './leg.js';
import type { LegSource } from './leg.js';
import { rawRowsOf } from '../record-reader.js';
import type { RecordReader, RowReading, SourceDescription, SourceRow } from '../record-reader.js';

/** Goes up when the same rows would make another record. */
const READER_VERSION = 1;

/**
 * What the acc module of Kamailio and OpenSIPS writes: rows of transactions, of missed calls, and CDR rows of the dialog module, as JSON,
 * CSV, log lines or rows of a database.
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
 *   remembered until `expire`, or for the last rows; not over a restart, after which such a row makes a record of the same id.
 *
 * acc writes a transaction row when the final response comes: without a column of the role `inviteTime`, and without a CDR,
 * the time of the INVITE is that of the response. `received.verstat` is what a column of role `verstat` holds, the switch's own verdict;
 * attestation, origid and iat out of an `identity` column are claims that nobody has verified.
 * @throws {@link HopbackError} `invalid-configuration` where the source or the layout is none; never for what rows hold
 * @see https://www.kamailio.org/docs/modules/stable/modules/acc.html
 */
export function createKamailioAccReader(description: SourceDescription, layout: KamailioAccLayout): RecordReader {
  const calls = new AccCalls(legSource(description, READER_VERSION), accColumns(layout));
  return {
    framing: layout.form === 'csv' ? 'csv' : 'lines',
    read: (row) => calls.read(row),
    expire: (beforeUs) => calls.expire(beforeUs),
    waiting: () => calls.waiting.size(),
    saveWaiting: () => savedRows(calls.waiting.entries().map(([, call]) => call)),
    restoreWaiting: (saved) => {
      const rows = restoredRows(saved);
      for (const row of rows ?? []) calls.read(row);
      return rows !== undefined;
    },
  };
}

/** A dialog of which rows wait for the others. */
interface WaitingDialog {
  readonly fromTag: string;
  readonly toTag: string;
  invite?: TimedRow;
  /** Of a call that came back to the proxy: its INVITE each time that it passed again, with the same tags. */
  crossings?: TimedRow[];
  bye?: TimedRow;
}

/** What waits under one Call-ID. */
interface WaitingCall {
  readonly callId: string;
  readonly firstUs: number;
  readonly dialogs: WaitingDialog[];
  /** CDR rows that wait for their INVITE. */
  readonly cdrs: TimedRow[];
  cancel?: TimedRow;
}

/** Rows that are remembered, so that one that comes again is known: some hours of a busy proxy, at 200 bytes each. */
const MAX_REMEMBERED_ROWS = 500_000;
/** Calls that wait: a hundred a second of an hour each. */
const MAX_WAITING_CALLS = 360_000;
/** Rows that wait under one Call-ID. A call with more is no call, or somebody's Call-ID is always the same. */
const MAX_ROWS_OF_CALL = 256;
/** Times that one call passes the proxy: Max-Forwards of 70 ends a loop. */
const MAX_CROSSINGS = 70;
/** Rows of one response are written at once; a request is repeated for 32 seconds. @see RFC 3261 section 17.1.1.2 */
const REPEATED_US = 300_000_000;

const WAITING: readonly RowReading[] = [{ status: 'waiting' }];
const TOO_MANY = rejectedRow('too-long', `more than ${MAX_ROWS_OF_CALL} rows wait under one Call-ID`, 'callid');
const BYE_ALONE = rejectedRow('missing-field', 'a BYE of a call whose INVITE has no row', 'method');

/** The calls of a proxy that wait, and what has been made of those that do not. */
class AccCalls {
  readonly #source: LegSource;
  readonly #columns: AccColumns;
  /** By Call-ID. */
  readonly waiting: PassingMap<WaitingCall> = passingMap();
  /** When the rows that were used were written, by what makes them the same row. */
  readonly #used: PassingMap<number> = passingMap();
  /** Call-IDs of which there is a record, by the time of the last. */
  readonly #recorded: PassingMap<number> = passingMap();

  constructor(source: LegSource, columns: AccColumns) {
    this.#source = source;
    this.#columns = columns;
  }

  read(source: SourceRow): readonly RowReading[] {
    const row = readAccRow(source, this.#columns);
    if (row.status !== 'row') return [row];
    const callId = row.core('callid');
    const method = row.core('method').toUpperCase();
    if (method === '' && row.core('start_time') !== '') return this.#readCdr(row, callId);
    if (method === '') return rejectedRow('missing-field', 'neither a method nor a start_time', 'method');
    if (method === 'ACK') return skippedRow('interim');
    if (method !== 'INVITE' && method !== 'BYE' && method !== 'CANCEL') return skippedRow('not-a-call');
    if (callId === '') return rejectedRow('missing-field', 'a row without its Call-ID', 'callid');
    const at = transactionTime(row, this.#source.clock);
    if (at === undefined) return rejectedRow('missing-field', 'a row without its time', 'time');
    if (at.status === 'rejected') return rejectedRow(at.reason, at.detail, 'time');
    const timed = { row, at };
    if (method === 'INVITE') return [...this.#readInvite(timed, callId), ...this.#makeRoom()];
    return [
      ...(method === 'BYE' ? this.#readBye(timed, callId) : this.#readCancel(timed, callId)),
      ...this.#makeRoom(),
    ];
  }

  expire(beforeUs: number): readonly RowReading[] {
    const old = this.waiting.entries().filter(([, { firstUs }]) => firstUs < beforeUs);
    const readings = old.flatMap(([, call]) => this.#giveUp(call));
    for (const rows of [this.#used, this.#recorded])
      for (const [key, atUs] of rows.entries()) if (atUs < beforeUs) rows.delete(key);
    return readings;
  }

  #readInvite(timed: TimedRow, callId: string): readonly RowReading[] {
    const { row, at } = timed;
    const code = row.core('sip_code');
    if (!/^[1-6]\d\d$/.test(code)) return rejectedRow('bad-field', 'no SIP status', 'sip_code');
    // Early media, where somebody has it accounted.
    if (code.startsWith('1')) return skippedRow('interim');
    const [fromTag, toTag] = tagsIn(row);
    if (!code.startsWith('2'))
      return this.#readFailure(
        {
          callId,
          fromTag,
          toTag,
          invite: timed,
        },
        timed,
      );
    if (this.#isRepeat(`${dialogKey(callId, fromTag, toTag)}${wayOf(row)}`, at.atUs)) return skippedRow('repeated');
    const call = this.#waitingCall(callId, at.atUs);
    const dialog = dialogOf(call, fromTag, toTag);
    if (dialog === undefined) return TOO_MANY;
    if (dialog.invite !== undefined) return addCrossing(dialog, timed);
    dialog.invite = timed;
    return this.#completed(call, dialog);
  }

  /** A branch that failed. */
  #readFailure(leg: AccLeg, { row, at }: TimedRow): readonly RowReading[] {
    const { callId, fromTag, toTag } = leg;
    const code = row.core('sip_code');
    // A timeout is the proxy's own answer, with one tag for all branches: only where it had sent the INVITE tells them apart.
    const isLocal = code === '408' || toTag === '';
    const sent = isLocal ? `${code} ${placeOf(row)}`.trim() : code;
    const key = JSON.stringify([callId, fromTag, toTag, sent]);
    const source = sourceOf(row);
    if (this.#isRepeat(`${key}${source}`, at.atUs)) return skippedRow('repeated');
    // The same response to a call that passed before, from elsewhere.
    const branch = this.#isRepeat(key, at.atUs) ? `${sent} ${source}` : sent;
    remember(this.#used, key, at.atUs);
    if (source !== '') remember(this.#used, `${key}${source}`, at.atUs);
    const call = this.waiting.get(callId);
    const cancel = code === '487' ? call?.cancel : undefined;
    if (call !== undefined) {
      if (cancel !== undefined) delete call.cancel;
      // The dialog module writes a CDR that did not last for a call that failed: it tells nothing more.
      call.cdrs.splice(0, call.cdrs.length, ...call.cdrs.filter((cdr) => hasLasted(cdr.row)));
      if (isEmpty(call)) this.waiting.delete(callId);
    }
    return this.#recordOf({ ...leg, branch, cancel });
  }

  #readCancel(timed: TimedRow, callId: string): readonly RowReading[] {
    if (this.#recorded.get(callId) !== undefined) return skippedRow('interim');
    const call = this.#waitingCall(callId, timed.at.atUs);
    if (call.cancel !== undefined) return skippedRow('repeated');
    call.cancel = timed;
    return WAITING;
  }

  #readBye(timed: TimedRow, callId: string): readonly RowReading[] {
    const { row, at } = timed;
    const [fromTag, toTag] = tagsIn(row);
    const isUsed = this.#used.get(dialogKey(callId, fromTag, toTag)) !== undefined;
    // A later call of the same Call-ID and tags may wait for its BYE.
    const isWaitedFor = (this.waiting.get(callId)?.dialogs ?? []).some(
      (one) => one.invite !== undefined && hasTags(one, fromTag, toTag),
    );
    if (isUsed && !isWaitedFor) return skippedRow('repeated');
    const call = this.#waitingCall(callId, at.atUs);
    const dialog = dialogOf(call, fromTag, toTag);
    if (dialog === undefined) return TOO_MANY;
    if (dialog.bye !== undefined) {
      if (at.atUs < dialog.bye.at.atUs) dialog.bye = timed;
      return skippedRow('repeated');
    }
    dialog.bye = timed;
    return this.#completed(call, dialog);
  }

  #readCdr(row: AccRow, callId: string): readonly RowReading[] {
    const at = cdrStart(row, this.#source.clock);
    if (at === undefined) return rejectedRow('missing-field', 'a CDR without its start', 'start_time');
    if (at.status === 'rejected') return rejectedRow(at.reason, at.detail, at.of);
    if (callId === '')
      return rejectedRow('missing-field', 'a CDR without its Call-ID: have cdr_extra write it', 'callid');
    const cdr = { row, at };
    const [fromTag, toTag] = tagsIn(row);
    const key = JSON.stringify(['cdr', callId, fromTag, toTag, at.atUs]);
    if (this.#used.get(key) !== undefined) return skippedRow('repeated');
    remember(this.#used, key, at.atUs);
    const call = this.waiting.get(callId);
    const dialog = call === undefined ? undefined : dialogOfCdr(call, row);
    if (call !== undefined && dialog !== undefined) return this.#recordOfDialog(call, dialog, cdr);
    if (this.#columns.cdrs === 'alone')
      return this.#recordOf({
        callId,
        fromTag,
        toTag,
        cdr,
      });
    // As of a call that failed, which has its records already.
    if (!hasLasted(row) && this.#recorded.get(callId) !== undefined) return skippedRow('interim');
    const waiting = this.#waitingCall(callId, at.atUs);
    if (waiting.cdrs.length >= MAX_ROWS_OF_CALL) return TOO_MANY;
    waiting.cdrs.push(cdr);
    return [...WAITING, ...this.#makeRoom()];
  }

  /**
   * Whether a row of an INVITE has been used, here or in the table of missed calls. Devices that begin anew with the same Call-ID and tags make
   * another call by it, hours later.
   */
  #isRepeat(key: string, atUs: number): boolean {
    const usedUs = this.#used.get(key);
    return usedUs !== undefined && Math.abs(atUs - usedUs) <= REPEATED_US;
  }

  /** What waits under a Call-ID, made where there is nothing yet. */
  #waitingCall(callId: string, atUs: number): WaitingCall {
    const known = this.waiting.get(callId);
    if (known !== undefined) return known;
    const call: WaitingCall = {
      callId,
      firstUs: atUs,
      dialogs: [],
      cdrs: [],
    };
    this.waiting.set(callId, call);
    return call;
  }

  /** The record of a dialog that has all its rows; otherwise it waits. */
  #completed(call: WaitingCall, dialog: WaitingDialog): readonly RowReading[] {
    const { invite, bye } = dialog;
    if (invite === undefined) return WAITING;
    const at = call.cdrs.findIndex(({ row }) => dialogOfCdr(call, row) === dialog);
    const [cdr] = at < 0 ? [] : call.cdrs.splice(at, 1);
    const isWhole = invite.row.core('duration') !== '' && invite.row.role('inviteTime') !== '';
    const hasEnded = bye !== undefined && this.#columns.cdrs === 'alone';
    return cdr !== undefined || isWhole || hasEnded ? this.#recordOfDialog(call, dialog, cdr) : WAITING;
  }

  /** Takes a dialog out of what waits, and the call with its last part. */
  #recordOfDialog(call: WaitingCall, dialog: WaitingDialog, cdr: TimedRow | undefined): readonly RowReading[] {
    const { callId, firstUs } = call;
    const { bye } = dialog;
    call.dialogs.splice(call.dialogs.indexOf(dialog), 1);
    if (isEmpty(call)) this.waiting.delete(callId);
    const invites = invitesOf(dialog);
    // Tags in the order of the INVITE, whichever row came first.
    const [fromTag, toTag] = dialog.invite === undefined ? [dialog.fromTag, dialog.toTag] : tagsIn(dialog.invite.row);
    const key = dialogKey(callId, fromTag, toTag);
    const atUs = (invites[0] ?? bye ?? cdr)?.at.atUs ?? firstUs;
    const isCrossed = invites.length > 1 || this.#isRepeat(key, atUs);
    remember(this.#used, key, atUs);
    return invites.flatMap((invite) => {
      const way = wayOf(invite.row);
      if (way !== '') remember(this.#used, `${key}${way}`, invite.at.atUs);
      return this.#recordOf({
        callId,
        fromTag,
        toTag,
        ...(isCrossed ? { branch: way } : {}),
        invite,
        bye,
        cdr,
      });
    });
  }

  #recordOf(leg: AccLeg): readonly RowReading[] {
    const parts = accLegParts(leg, this.#columns, this.#source.clock);
    remember(this.#recorded, leg.callId, parts.invite.atUs);
    const timed = [leg.invite, leg.bye, leg.cdr, leg.cancel].filter((one) => one !== undefined);
    const rows = timed.map(({ row }) => row.source);
    const whole: SourceRow = { text: '', sha256: joinedSha256(rows.map(({ sha256 }) => sha256)), line: 0 };
    return joinedLegReading(whole, this.#source, parts, this.#source.keepsRaw ? rawRowsOf(rows) : undefined);
  }

  #makeRoom(): readonly RowReading[] {
    const oldest = this.waiting.size() > MAX_WAITING_CALLS ? this.waiting.oldest() : undefined;
    return oldest === undefined ? [] : this.#giveUp(oldest[1]);
  }

  /** Records of what there is of a call. */
  #giveUp(call: WaitingCall): readonly RowReading[] {
    const { callId, cdrs, cancel } = call;
    this.waiting.delete(callId);
    const dialogs = [...call.dialogs].flatMap((dialog) =>
      dialog.invite === undefined ? BYE_ALONE : this.#recordOfDialog(call, dialog, undefined),
    );
    const alone = (row: AccRow) => ({ callId, fromTag: row.core('from_tag'), toTag: row.core('to_tag') });
    return [
      ...dialogs,
      ...cdrs.flatMap((cdr) => this.#recordOf({ ...alone(cdr.row), cdr })),
      ...(cancel === undefined ? [] : this.#recordOf({ ...alone(cancel.row), cancel })),
    ];
  }
}

/** Remembers that a row has been used; the oldest are forgotten where there are too many. */
function remember(rows: PassingMap<number>, key: string, atUs: number): void {
  const oldest = rows.size() >= MAX_REMEMBERED_ROWS ? rows.oldest() : undefined;
  if (oldest !== undefined) rows.delete(oldest[0]);
  rows.set(key, atUs);
}

function tagsIn({ core }: AccRow): readonly [string, string] {
  return [core('from_tag'), core('to_tag')];
}

/** The same for the rows of both directions. */
function dialogKey(callId: string, fromTag: string, toTag: string): string {
  return JSON.stringify(fromTag < toTag ? [callId, fromTag, toTag] : [callId, toTag, fromTag]);
}

function hasTags(dialog: WaitingDialog, one: string, other: string): boolean {
  return [one, other].includes(dialog.fromTag) && [one, other].includes(dialog.toTag);
}

/** The dialog of two tags, in either order; made where there is none yet. Undefined where the call has too many already. */
function dialogOf(call: WaitingCall, fromTag: string, toTag: string): WaitingDialog | undefined {
  const known = call.dialogs.find(
    (one) => (one.fromTag === fromTag && one.toTag === toTag) || (one.fromTag === toTag && one.toTag === fromTag),
  );
  if (known !== undefined || call.dialogs.length >= MAX_ROWS_OF_CALL) return known;
  const dialog: WaitingDialog = { fromTag, toTag };
  call.dialogs.push(dialog);
  return dialog;
}

/** The answered dialog that a CDR is about: by its tags where it has them, else the only one there is. */
function dialogOfCdr({ dialogs }: WaitingCall, row: AccRow): WaitingDialog | undefined {
  const answered = dialogs.filter(({ invite }) => invite !== undefined);
  const [fromTag, toTag] = tagsIn(row);
  if (fromTag === '' || toTag === '') return answered.length === 1 ? answered[0] : undefined;
  return answered.find((one) => hasTags(one, fromTag, toTag));
}

function invitesOf({ invite, crossings = [] }: WaitingDialog): readonly TimedRow[] {
  return invite === undefined ? [] : [invite, ...crossings];
}

/** An INVITE with the tags of another that waits. */
function addCrossing(dialog: WaitingDialog, timed: TimedRow): readonly RowReading[] {
  const way = wayOf(timed.row);
  if (invitesOf(dialog).some(({ row }) => wayOf(row) === way)) return skippedRow('repeated');
  const crossings = (dialog.crossings ??= []);
  if (crossings.length >= MAX_CROSSINGS) return TOO_MANY;
  crossings.push(timed);
  return WAITING;
}

function hasLasted(row: AccRow): boolean {
  return (durationOf(row) ?? 0) > 0;
}

function isEmpty({ dialogs, cdrs, cancel }: WaitingCall): boolean {
  return dialogs.length === 0 && cdrs.length === 0 && cancel === undefined;
}

/** First line of what is saved: rows that were written by another version are not gone on from. */
const FORMAT = 'hopback.kamailio-acc.1';
/** As long as a row may be, written as JSON within JSON. */
const SAVED_LIMITS = { maxChars: 200_000, maxDepth: 2, maxEntries: 8 };
const SHA256 = /^[0-9a-f]{64}$/;

/** Writes the rows that wait as text, one a line: read again, they wait as they did. */
function savedRows(calls: readonly WaitingCall[]): string {
  const rows = calls.flatMap(({ dialogs, cdrs, cancel }) => [
    ...dialogs.flatMap(({ invite, crossings = [], bye }) => [invite, ...crossings, bye]),
    ...cdrs,
    cancel,
  ]);
  const lines = rows.flatMap((timed) => {
    if (timed === undefined) return [];
    const { text, sha256, line } = timed.row.source;
    return [JSON.stringify([text, sha256, line])];
  });
  return [FORMAT, ...lines].join('\n');
}

/** Reads what {@link savedRows} wrote. Never throws. @returns undefined where it is anything else */
function restoredRows(saved: string): readonly SourceRow[] | undefined {
  const [format, ...lines] = saved.split('\n');
  if (format !== FORMAT) return undefined;
  const rows: SourceRow[] = [];
  for (const written of lines) {
    const parsed = parseBoundedJson(written, SAVED_LIMITS);
    if (parsed.status === 'malformed' || !Array.isArray(parsed.value)) return undefined;
    const [text, sha256, line] = parsed.value as readonly unknown[];
    if (typeof text !== 'string' || typeof sha256 !== 'string' || !SHA256.test(sha256)) return undefined;
    if (typeof line !== 'number') return undefined;
    rows.push({ text, sha256, line });
  }
  return rows;
}

import { HopbackError, isHopbackError } from '@hopback/sdk/errors';
import { FolderLock, type MerkleLog, type ProvedEntry } from '@hopback/sdk/log';
import type { AuditBreak, AuditEntryState, AuditLogOptions, AuditSegment, OpenedSegments } from './audit-segments.js';
import {
  beginSegment,
  openSegments,
  provedLeaf,
  segmentFolders,
  stateOfDeleted,
  stateOfRow,
} from './audit-segments.js';
import type { AuditRow } from './audit-rows.js';
import { auditLeafText, heldCheckpoint, leavesToNote, noteLeaves, waitingRows } from './audit-rows.js';
import { PLATFORM_ACTOR } from './area-work.js';
import { createGatheredSignals } from './open-database.js';
import { createPositionCeiling } from './event-feed.js';
import {
  tailFinding,
  verifyAudit,
  type AuditFinding,
  type AuditMoment,
  type AuditVerification,
} from './verify-audit.js';

/** Entries that are brought to the log at once, signed for and synced together. */
const DRAINED_AT_ONCE = 500;
/** Without a signal, so often is looked whether there is something to bring to the log. */
const DRAIN_POLL_MS = 1_000;
/** Where transactions that still run hold entries back. */
const HELD_POLL_MS = 20;
/**
 * What is committed one after the other is brought to the log together after this time: to bring it there is a transaction, a signature and a sync each
 * time, and whoever wants a proof has it drained.
 */
const GATHERED_MS = 200;

/** The audit as a log whose keeper cannot change it unnoticed. */
export class AuditLog implements AsyncDisposable {
  readonly #options: AuditLogOptions;
  readonly #lock: FolderLock;
  readonly #ceiling: ReturnType<typeof createPositionCeiling>;
  readonly #segments: AuditSegment[];
  #broken: AuditBreak | undefined;
  /** Of the row of the last leaf. */
  #lastPosition = 0;
  /** Whether `#lastPosition` was read of the log, and rows know their leaves up to it. */
  #isCaughtUp = false;
  /** The disk refused an entry, which may come to be in the log nevertheless: it has to be read anew. */
  #isBroken = false;
  /** Draining, checking and backups go one after the other. Never rejects. */
  #turn: Promise<unknown> = Promise.resolve();
  /** One look through all of it at a time: it takes memory with each entry. Never rejects. */
  #looking: Promise<unknown> = Promise.resolve();
  #isClosed = false;
  /** Whether something has the turn that takes long. */
  #isPaused = false;
  #stop = (): void => undefined;

  private constructor(options: AuditLogOptions, lock: FolderLock, segments: readonly AuditSegment[]) {
    this.#options = options;
    this.#lock = lock;
    this.#ceiling = createPositionCeiling(options.database, 'core_audit_positions');
    this.#segments = [...segments];
  }

  /**
   * Opens the log of the audit, and brings to it what is committed, in order, each entry once: a leaf has the position of its row, so that after
   * a crash the last leaf says where to go on. The table notes for each row where its leaf is, and the newest checkpoint; the log holds the row
   * as it was. The end of both is compared first: where they differ, or the log is not what was signed, `broken` says where, and a new segment is
   * begun, linked to the last good checkpoint. The folder is locked, so that of two platforms on one server and one folder the second does not start.
   * @throws HopbackError `storage-failed` (`reason: 'folder-in-use'`) where another process has it; `key-unusable` where another key signed it
   */
  static async open(options: AuditLogOptions): Promise<AuditLog> {
    const lock = await FolderLock.take(options.directory, 'the log of the audit');
    try {
      const found = await openSegments(options);
      const log = new AuditLog(options, lock, found.segments);
      await log.#begin(found);
      log.#stop = log.#keepDraining();
      return log;
    } catch (error) {
      await lock.close();
      throw error;
    }
  }

  get directory(): string {
    return this.#options.directory;
  }

  /** Name of the segment that entries are added to. */
  logId(): string {
    return this.#current().logId;
  }

  /** Parts of the log, from the first; entries are added to the last one. A new one is begun where the audit was tampered with. */
  segments(): readonly AuditSegment[] {
    return this.#segments;
  }

  /** Entries in the last segment, its link included. */
  size(): number {
    return this.#log().size;
  }

  /** Newest signed checkpoint; absent while there is no entry. */
  checkpoint(): string | undefined {
    return this.#log().checkpoint;
  }

  /** The first entry that was found not to be as it was signed. */
  broken(): AuditBreak | undefined {
    return this.#broken;
  }

  /** Brings to the log what was committed before, as far as no transaction that still runs can have entries before it. @returns how many entries. @throws HopbackError `storage-failed`, `signer-failed`, or what the database throws */
  drain(): Promise<number> {
    return this.#inTurn(() => this.#drained());
  }

  /** An entry as it was signed with its proof, brought to the log first; undefined while it cannot be there, or where there is no such entry. @throws HopbackError `log-inconsistent`, `storage-failed` */
  async proofOf(position: number): Promise<ProvedEntry | undefined> {
    let leafIndex = await this.#leafIndexOf(position);
    if (leafIndex === undefined) return undefined;
    if (leafIndex === null) {
      // A backup takes minutes, and is not waited for.
      if (this.#isPaused) return undefined;
      await this.drain().catch((error: unknown) => {
        this.#options.context.log.warn('an entry of the audit could not be brought to its log', { position, error });
      });
      leafIndex = await this.#leafIndexOf(position);
    }
    return provedLeaf(this.#segments, position, leafIndex);
  }

  /** Compares rows with what was signed. @throws as `proofOf` */
  async statesOf(rows: readonly AuditRow[]): Promise<readonly AuditEntryState[]> {
    const states: AuditEntryState[] = [];
    for (const row of rows) {
      const state = await stateOfRow(this.#segments, row).catch((error: unknown): AuditEntryState => {
        if (!isHopbackError(error) || error.code !== 'log-inconsistent') throw error;
        return { integrity: 'unproved', row };
      });
      states.push(state);
      if (state.integrity === 'changed' || state.integrity === 'inserted')
        this.#report({ kind: state.integrity, position: row.position });
      else if (state.integrity === 'unproved') this.#report({ kind: 'log-damaged', position: row.position });
    }
    return states;
  }

  /** What was signed at a position whose row is gone. @throws as `proofOf` */
  async deletedEntry(position: number): Promise<AuditEntryState | undefined> {
    const state = await stateOfDeleted(this.#segments, position);
    if (state !== undefined) this.#report({ kind: 'deleted', position });
    return state;
  }

  /** Compares the end of log and table, and begins a new segment where they differ. @throws HopbackError `storage-failed`, `signer-failed`, or what the database throws */
  check(): Promise<AuditBreak | undefined> {
    return this.#inTurn(async () => {
      await this.#drained();
      await this.#checkTail();
      return this.#broken;
    });
  }

  /**
   * Looks through all of log and table, as far as they are when it is called: what comes meanwhile is brought to the log.
   * @param heldCheckpoints - that were kept elsewhere
   * @throws HopbackError `storage-failed`, `invalid-argument` for a checkpoint that is not one of the log; what the database throws
   */
  verify(heldCheckpoints: readonly string[] = []): Promise<AuditVerification> {
    const done = this.#looking.then(() => this.#verified(heldCheckpoints));
    this.#looking = done.catch(() => undefined);
    return done;
  }

  /** Does something while nothing is brought to the log: a backup, that copies its files. @throws what `work` throws */
  whilePaused<Result>(work: () => Promise<Result>): Promise<Result> {
    return this.#inTurn(async () => {
      this.#isPaused = true;
      try {
        return await work();
      } finally {
        this.#isPaused = false;
      }
    });
  }

  async close(): Promise<void> {
    this.#isClosed = true;
    this.#stop();
    await this.#turn;
    try {
      await this.#closeSegments();
    } finally {
      await this.#lock.close();
    }
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.close();
  }

  /** Compares the ends of the segments with the table, and begins a new one where that is needed. */
  async #begin({ segments, breaks, isLastSound }: OpenedSegments): Promise<void> {
    try {
      if (isLastSound) await this.#catchUp();
      const found = [...breaks];
      let isTailSound = isLastSound;
      for (const [at, segment] of segments.entries()) {
        const finding = await tailFinding(this.#options.database, segment, segments[at + 1]);
        if (finding === undefined) continue;
        found.push(breakOf(finding, segment));
        if (segment === this.#current()) isTailSound = false;
      }
      const first = firstOf(found);
      if (first !== undefined) this.#report(first);
      if (isTailSound) return;
      const { afterPosition } = this.#current();
      const ofLast = firstOf(found.filter(({ position }) => position > afterPosition)) ?? first;
      if (ofLast !== undefined) await this.#goOnBehind(ofLast);
    } catch (error) {
      await this.#closeSegments().catch(() => undefined);
      throw error;
    }
  }

  async #closeSegments(): Promise<void> {
    for (const { log } of this.#segments) await log?.close();
  }

  async #leafIndexOf(position: number): Promise<number | null | undefined> {
    const row = await this.#options.database.database
      .selectFrom('core_audit')
      .select('leaf_index')
      .where('position', '=', position)
      .executeTakeFirst();
    return row?.leaf_index;
  }

  async #verified(heldCheckpoints: readonly string[]): Promise<AuditVerification> {
    const { signer, logId, database, directory } = this.#options;
    const [segment, before, upTo] = await this.#inTurn(() => this.#moment());
    const publicKeys = [signer.publicKey];
    const result = await verifyAudit({
      publicKeys,
      logId,
      heldCheckpoints,
      database,
      directory,
      upTo,
    });
    // All of it was looked through: what was found before and is not found any more has been mended.
    if (result.status === 'intact' && this.#broken === before) this.#broken = undefined;
    const [first] = result.findings;
    if (first !== undefined) this.#report(breakOf(first, segment));
    return result;
  }

  /** Where the log is now, in its turn: the segment, what is known to be broken, and how far a look through all of it goes. */
  async #moment(): Promise<readonly [AuditSegment, AuditBreak | undefined, AuditMoment]> {
    const { logId, database, directory } = this.#options;
    const [segment, { size, checkpoint }] = [this.#current(), this.#log()];
    const upTo: AuditMoment = {
      folders: await segmentFolders(directory, logId),
      ofTable: await heldCheckpoint(database.database),
      logId: segment.logId,
      size,
      checkpoint,
      hasComeSince: (leafIndex) =>
        this.logId() !== segment.logId || (leafIndex >= size && leafIndex < this.#log().size),
    };
    return [segment, this.#broken, upTo];
  }

  /** The segment that entries are added to. */
  #current(): AuditSegment {
    const last = this.#segments.at(-1);
    if (last === undefined) throw new HopbackError('internal', 'the audit has no segment');
    return last;
  }

  #log(): MerkleLog {
    const { log } = this.#current();
    if (log === undefined) throw new HopbackError('log-inconsistent', 'the last segment of the audit proves nothing');
    return log;
  }

  /** Notes that an entry is not as it was signed, and tells operators once for each. */
  #report(found: AuditBreak): void {
    if (this.#broken !== undefined && this.#broken.position <= found.position) return;
    this.#broken = found;
    this.#options.context.log.error('the audit is not what was signed', { entry: found.position, kind: found.kind });
  }

  /** Compares the end of the last segment with the table. */
  async #checkTail(): Promise<void> {
    const current = this.#current();
    try {
      const finding = await tailFinding(this.#options.database, current, undefined);
      if (finding !== undefined) await this.#goOnBehind(breakOf(finding, current));
    } catch (error) {
      if (!isHopbackError(error) || error.code !== 'log-inconsistent') throw error;
      // Its files were changed while they were open.
      await this.#readAnew();
    }
  }

  /** Begins a new segment behind what is broken, and writes that into the audit. */
  async #goOnBehind(found: AuditBreak): Promise<void> {
    this.#report(found);
    const { context } = this.#options;
    const before = this.#current();
    const lastPosition = Math.max(before.lastPosition, this.#lastPosition);
    const segment = await beginSegment(this.#options, { ...before, lastPosition }, found);
    this.#segments.push(segment);
    this.#lastPosition = segment.afterPosition;
    this.#isCaughtUp = true;
    await noteLeaves(context, [], segment.log?.checkpoint);
    const entry = { ...PLATFORM_ACTOR, action: 'audit.broken', object: `audit:${found.position}` };
    const details = { kind: found.kind, newSegment: segment.number };
    await context.transact((transaction) => context.audit(transaction, { ...entry, details }));
  }

  #inTurn<Result>(work: () => Promise<Result>): Promise<Result> {
    if (this.#isClosed) return Promise.reject(new HopbackError('closed', 'the log of the audit has been closed'));
    const done = this.#turn.then(work);
    this.#turn = done.catch(() => undefined);
    return done;
  }

  /** Drains after each signal, and at intervals. @returns how to stop */
  #keepDraining(): () => void {
    const { clock, log } = this.#options.context;
    let stopTimer: (() => void) | undefined;
    let isWanted = false;
    let isRunning = false;
    const run = async (): Promise<void> => {
      isWanted = true;
      if (isRunning) return;
      isRunning = true;
      stopTimer?.();
      while (isWanted && !this.#isClosed) {
        isWanted = false;
        await this.drain().catch((error: unknown) => {
          if (!this.#isClosed) log.error('the audit could not be brought to its log', { error });
        });
      }
      isRunning = false;
      if (this.#isClosed) return;
      stopTimer = clock.schedule(() => void run(), this.#ceiling.isHeld() ? HELD_POLL_MS : DRAIN_POLL_MS);
    };
    const gathered = createGatheredSignals(GATHERED_MS);
    gathered.onSignal(() => void run());
    const stopSignals = this.#options.database.onAudit(gathered.signal);
    void run();
    return () => {
      stopSignals();
      void gathered.close();
      stopTimer?.();
    };
  }

  async #drained(): Promise<number> {
    if (this.#isBroken) await this.#readAnew();
    if (!this.#isCaughtUp) await this.#catchUp();
    const through = await this.#ceiling.through();
    let total = 0;
    while (this.#lastPosition < through) {
      const { database } = this.#options.database;
      const rows = await waitingRows(database, this.#lastPosition, through, DRAINED_AT_ONCE);
      if (rows.length === 0) break;
      await this.#bringToLog(rows);
      total += rows.length;
    }
    return total;
  }

  async #bringToLog(rows: readonly AuditRow[]): Promise<void> {
    const log = this.#log();
    const appended = await Promise.allSettled(rows.map((row) => log.append(auditLeafText(row))));
    const failed = appended.find((one) => one.status === 'rejected');
    if (failed !== undefined) {
      this.#isBroken = true;
      throw failed.reason;
    }
    this.#lastPosition = rows.at(-1)?.position ?? this.#lastPosition;
    const leaves = appended.map((one, at) => ({
      position: rows[at]?.position ?? 0,
      leafIndex: one.status === 'fulfilled' ? one.value.leafIndex : -1,
    }));
    this.#isCaughtUp = false;
    await noteLeaves(this.#options.context, leaves, log.checkpoint);
    this.#isCaughtUp = true;
  }

  /** Opens the last segment again: what the disk refused may be in it, and somebody may have changed its files. */
  async #readAnew(): Promise<void> {
    await this.#closeSegments().catch(() => undefined);
    const { segments, breaks, isLastSound } = await openSegments(this.#options);
    this.#segments.splice(0, this.#segments.length, ...segments);
    this.#isBroken = false;
    this.#isCaughtUp = false;
    const first = firstOf(breaks);
    if (first !== undefined) this.#report(first);
    if (first !== undefined && !isLastSound) await this.#goOnBehind(first);
  }

  /** Learns of the log where it ends, and notes leaves that a crash kept from being noted. */
  async #catchUp(): Promise<void> {
    const { context, database } = this.#options;
    const { afterPosition, lastPosition } = this.#current();
    const log = this.#log();
    this.#lastPosition = Math.max(this.#lastPosition, lastPosition);
    const range = { after: afterPosition, through: this.#lastPosition };
    const leaves = await leavesToNote(database.database, log, range);
    if (leaves.length > 0) await noteLeaves(context, leaves, log.checkpoint);
    this.#isCaughtUp = true;
  }
}

const firstOf = (breaks: readonly AuditBreak[]): AuditBreak | undefined =>
  breaks.toSorted((a, b) => a.position - b.position)[0];

function breakOf(finding: AuditFinding, segment: AuditSegment): AuditBreak {
  const position = ('position' in finding ? finding.position : undefined) ?? segment.lastPosition + 1;
  return { kind: finding.in === 'table' ? finding.kind : 'log-damaged', position };
}

import { HopbackError, isHopbackError } from '@hopback/sdk/errors';
import { lockFolder, type FolderLock, type MerkleLog, type ProvedEntry } from '@hopback/sdk/log';
import type { AuditBreak, AuditEntryState, AuditLogOptions, AuditSegment } from './audit-segments.js';
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
export type AuditLog = Awaited<ReturnType<typeof openAuditLog>>;

/**
 * Opens the log of the audit, and brings to it what is committed, in order, each entry once: a leaf has the position of its row, so that after
 * a crash the last leaf says where to go on. The table notes for each row where its leaf is, and the newest checkpoint; the log holds the row
 * as it was. The end of both is compared first: where they differ, or the log is not what was signed, `broken` says where, and a new segment is
 * begun, linked to the last good checkpoint. The folder is locked, so that of two platforms on one server and one folder the second does not start.
 * @throws HopbackError `storage-failed` (`reason: 'folder-in-use'`) where another process has it; `key-unusable` where another key signed it
 */
export async function openAuditLog(options: AuditLogOptions) {
  const lock = await lockFolder(options.directory, 'the log of the audit');
  try {
    return await openLocked(options, lock);
  } catch (error) {
    await lock.close();
    throw error;
  }
}

async function openLocked(options: AuditLogOptions, lock: FolderLock) {
  const core = await openCore(options);
  const stop = keepDraining(core);
  const close = async (): Promise<void> => {
    core.isClosed = true;
    stop();
    await core.turn;
    try {
      await closeSegments(core);
    } finally {
      await lock.close();
    }
  };
  return {
    directory: options.directory,
    /** Name of the segment that entries are added to. */
    logId: () => currentOf(core).logId,
    /** Parts of the log, from the first; entries are added to the last one. A new one is begun where the audit was tampered with. */
    segments: (): readonly AuditSegment[] => core.segments,
    /** Entries in the last segment, its link included. */
    size: () => currentLog(core).size,
    /** Newest signed checkpoint; absent while there is no entry. */
    checkpoint: () => currentLog(core).checkpoint,
    /** The first entry that was found not to be as it was signed. */
    broken: () => core.broken,
    /** Brings to the log what was committed before, as far as no transaction that still runs can have entries before it. @returns how many entries. @throws HopbackError `storage-failed`, `signer-failed`, or what the database throws */
    drain: () => inTurn(core, () => drained(core)),
    /** An entry as it was signed with its proof, brought to the log first; undefined while it cannot be there, or where there is no such entry. @throws HopbackError `log-inconsistent`, `storage-failed` */
    proofOf: (position: number) => proofOf(core, position),
    /** Compares rows with what was signed. @throws as `proofOf` */
    statesOf: (rows: readonly AuditRow[]) => statesOf(core, rows),
    /** What was signed at a position whose row is gone. @throws as `proofOf` */
    deletedEntry: async (position: number) => {
      const state = await stateOfDeleted(core.segments, position);
      if (state !== undefined) report(core, { kind: 'deleted', position });
      return state;
    },
    /** Compares the end of log and table, and begins a new segment where they differ. @throws HopbackError `storage-failed`, `signer-failed`, or what the database throws */
    check: () =>
      inTurn(core, async () => {
        await drained(core);
        await checkTail(core);
        return core.broken;
      }),
    /**
     * Looks through all of log and table, as far as they are when it is called: what comes meanwhile is brought to the log.
     * @param heldCheckpoints - that were kept elsewhere
     * @throws HopbackError `storage-failed`, `invalid-argument` for a checkpoint that is not one of the log; what the database throws
     */
    verify: (heldCheckpoints: readonly string[] = []) => {
      const done = core.looking.then(() => verified(core, heldCheckpoints));
      core.looking = done.catch(() => undefined);
      return done;
    },
    /** Does something while nothing is brought to the log: a backup, that copies its files. @throws what `work` throws */
    whilePaused: <Result>(work: () => Promise<Result>) => whilePaused(core, work),
    close,
    [Symbol.asyncDispose]: close,
  };
}

/** Opens the segments, compares their ends with the table, and begins a new one where that is needed. */
async function openCore(options: AuditLogOptions): Promise<AuditCore> {
  const { segments, breaks, isLastSound } = await openSegments(options);
  const core: AuditCore = {
    options,
    ceiling: createPositionCeiling(options.database, 'core_audit_positions'),
    segments: [...segments],
    broken: undefined,
    lastPosition: 0,
    isCaughtUp: false,
    isBroken: false,
    turn: Promise.resolve(),
    looking: Promise.resolve(),
    isClosed: false,
    isPaused: false,
  };
  try {
    if (isLastSound) await catchUp(core);
    const found = [...breaks];
    let isTailSound = isLastSound;
    for (const [at, segment] of segments.entries()) {
      const finding = await tailFinding(options.database, segment, segments[at + 1]);
      if (finding === undefined) continue;
      found.push(breakOf(finding, segment));
      if (segment === currentOf(core)) isTailSound = false;
    }
    const first = firstOf(found);
    if (first !== undefined) report(core, first);
    if (isTailSound) return core;
    const { afterPosition } = currentOf(core);
    const ofLast = firstOf(found.filter(({ position }) => position > afterPosition)) ?? first;
    if (ofLast !== undefined) await goOnBehind(core, ofLast);
    return core;
  } catch (error) {
    await closeSegments(core).catch(() => undefined);
    throw error;
  }
}

async function closeSegments({ segments }: AuditCore): Promise<void> {
  for (const { log } of segments) await log?.close();
}

async function proofOf(core: AuditCore, position: number): Promise<ProvedEntry | undefined> {
  const leafIndexOf = async (): Promise<number | null | undefined> => {
    const row = await core.options.database.database
      .selectFrom('core_audit')
      .select('leaf_index')
      .where('position', '=', position)
      .executeTakeFirst();
    return row?.leaf_index;
  };
  let leafIndex = await leafIndexOf();
  if (leafIndex === undefined) return undefined;
  if (leafIndex === null) {
    // A backup takes minutes, and is not waited for.
    if (core.isPaused) return undefined;
    await inTurn(core, () => drained(core)).catch((error: unknown) => {
      core.options.context.log.warn('an entry of the audit could not be brought to its log', { position, error });
    });
    leafIndex = await leafIndexOf();
  }
  return provedLeaf(core.segments, position, leafIndex);
}

async function statesOf(core: AuditCore, rows: readonly AuditRow[]): Promise<readonly AuditEntryState[]> {
  const states: AuditEntryState[] = [];
  for (const row of rows) {
    const state = await stateOfRow(core.segments, row).catch((error: unknown): AuditEntryState => {
      if (!isHopbackError(error) || error.code !== 'log-inconsistent') throw error;
      return { integrity: 'unproved', row };
    });
    states.push(state);
    if (state.integrity === 'changed' || state.integrity === 'inserted')
      report(core, { kind: state.integrity, position: row.position });
    else if (state.integrity === 'unproved') report(core, { kind: 'log-damaged', position: row.position });
  }
  return states;
}

async function verified(core: AuditCore, heldCheckpoints: readonly string[]): Promise<AuditVerification> {
  const { signer, logId, database, directory } = core.options;
  const [segment, before, upTo] = await inTurn(core, () => momentOf(core));
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
  if (result.status === 'intact' && core.broken === before) core.broken = undefined;
  const [first] = result.findings;
  if (first !== undefined) report(core, breakOf(first, segment));
  return result;
}

/** Where the log is now, in its turn: the segment, what is known to be broken, and how far a look through all of it goes. */
async function momentOf(core: AuditCore): Promise<readonly [AuditSegment, AuditBreak | undefined, AuditMoment]> {
  const { logId, database, directory } = core.options;
  const [segment, { size, checkpoint }] = [currentOf(core), currentLog(core)];
  const upTo: AuditMoment = {
    folders: await segmentFolders(directory, logId),
    ofTable: await heldCheckpoint(database.database),
    logId: segment.logId,
    size,
    checkpoint,
    hasComeSince: (leafIndex) =>
      currentOf(core).logId !== segment.logId || (leafIndex >= size && leafIndex < currentLog(core).size),
  };
  return [segment, core.broken, upTo];
}

interface AuditCore {
  readonly options: AuditLogOptions;
  readonly ceiling: ReturnType<typeof createPositionCeiling>;
  readonly segments: AuditSegment[];
  broken: AuditBreak | undefined;
  /** Of the row of the last leaf. */
  lastPosition: number;
  /** Whether `lastPosition` was read of the log, and rows know their leaves up to it. */
  isCaughtUp: boolean;
  /** The disk refused an entry, which may come to be in the log nevertheless: it has to be read anew. */
  isBroken: boolean;
  /** Draining, checking and backups go one after the other. Never rejects. */
  turn: Promise<unknown>;
  /** One look through all of it at a time: it takes memory with each entry. Never rejects. */
  looking: Promise<unknown>;
  isClosed: boolean;
  /** Whether something has the turn that takes long. */
  isPaused: boolean;
}

/** The segment that entries are added to. */
function currentOf({ segments }: AuditCore): AuditSegment {
  const last = segments.at(-1);
  if (last === undefined) throw new HopbackError('internal', 'an audit has a segment');
  return last;
}

function currentLog(core: AuditCore): MerkleLog {
  const { log } = currentOf(core);
  if (log === undefined) throw new HopbackError('log-inconsistent', 'the last segment of the audit proves nothing');
  return log;
}

/** Notes that an entry is not as it was signed, and tells operators once for each. */
function report(core: AuditCore, found: AuditBreak): void {
  const { broken } = core;
  if (broken !== undefined && broken.position <= found.position) return;
  core.broken = found;
  core.options.context.log.error('the audit is not what was signed', { entry: found.position, kind: found.kind });
}

const firstOf = (breaks: readonly AuditBreak[]): AuditBreak | undefined =>
  breaks.toSorted((a, b) => a.position - b.position)[0];

function breakOf(finding: AuditFinding, segment: AuditSegment): AuditBreak {
  const position = ('position' in finding ? finding.position : undefined) ?? segment.lastPosition + 1;
  return { kind: finding.in === 'table' ? finding.kind : 'log-damaged', position };
}

/** Compares the end of the last segment with the table. */
async function checkTail(core: AuditCore): Promise<void> {
  const current = currentOf(core);
  try {
    const finding = await tailFinding(core.options.database, current, undefined);
    if (finding !== undefined) await goOnBehind(core, breakOf(finding, current));
  } catch (error) {
    if (!isHopbackError(error) || error.code !== 'log-inconsistent') throw error;
    // Its files were changed while they were open.
    await readAnew(core);
  }
}

/** Begins a new segment behind what is broken, and writes that into the audit. */
async function goOnBehind(core: AuditCore, found: AuditBreak): Promise<void> {
  report(core, found);
  const { context } = core.options;
  const before = currentOf(core);
  const lastPosition = Math.max(before.lastPosition, core.lastPosition);
  const segment = await beginSegment(core.options, { ...before, lastPosition }, found);
  core.segments.push(segment);
  core.lastPosition = segment.afterPosition;
  core.isCaughtUp = true;
  await noteLeaves(context, [], segment.log?.checkpoint);
  const entry = { ...PLATFORM_ACTOR, action: 'audit.broken', object: `audit:${found.position}` };
  const details = { kind: found.kind, newSegment: segment.number };
  await context.transact((transaction) => context.audit(transaction, { ...entry, details }));
}

function inTurn<Result>(core: AuditCore, work: () => Promise<Result>): Promise<Result> {
  if (core.isClosed) return Promise.reject(new HopbackError('closed', 'the log of the audit has been closed'));
  const done = core.turn.then(work);
  core.turn = done.catch(() => undefined);
  return done;
}

function whilePaused<Result>(core: AuditCore, work: () => Promise<Result>): Promise<Result> {
  return inTurn(core, async () => {
    core.isPaused = true;
    try {
      return await work();
    } finally {
      core.isPaused = false;
    }
  });
}

/** Drains after each signal, and at intervals. @returns how to stop */
function keepDraining(core: AuditCore): () => void {
  const { clock, log } = core.options.context;
  let stopTimer: (() => void) | undefined;
  let isWanted = false;
  let isRunning = false;
  const run = async (): Promise<void> => {
    isWanted = true;
    if (isRunning) return;
    isRunning = true;
    stopTimer?.();
    while (isWanted && !core.isClosed) {
      isWanted = false;
      await inTurn(core, () => drained(core)).catch((error: unknown) => {
        if (!core.isClosed) log.error('the audit could not be brought to its log', { error });
      });
    }
    isRunning = false;
    if (core.isClosed) return;
    stopTimer = clock.schedule(() => void run(), core.ceiling.isHeld() ? HELD_POLL_MS : DRAIN_POLL_MS);
  };
  const gathered = createGatheredSignals(GATHERED_MS);
  gathered.onSignal(() => void run());
  const stopSignals = core.options.database.onAudit(gathered.signal);
  void run();
  return () => {
    stopSignals();
    void gathered.close();
    stopTimer?.();
  };
}

async function drained(core: AuditCore): Promise<number> {
  if (core.isBroken) await readAnew(core);
  if (!core.isCaughtUp) await catchUp(core);
  const through = await core.ceiling.through();
  let total = 0;
  while (core.lastPosition < through) {
    const rows = await waitingRows(core.options.database.database, core.lastPosition, through, DRAINED_AT_ONCE);
    if (rows.length === 0) break;
    await broughtToLog(core, rows);
    total += rows.length;
  }
  return total;
}

async function broughtToLog(core: AuditCore, rows: readonly AuditRow[]): Promise<void> {
  const { options } = core;
  const log = currentLog(core);
  const appended = await Promise.allSettled(rows.map((row) => log.append(auditLeafText(row))));
  const failed = appended.find((one) => one.status === 'rejected');
  if (failed !== undefined) {
    core.isBroken = true;
    throw failed.reason;
  }
  core.lastPosition = rows.at(-1)?.position ?? core.lastPosition;
  const leaves = appended.map((one, at) => ({
    position: rows[at]?.position ?? 0,
    leafIndex: one.status === 'fulfilled' ? one.value.leafIndex : -1,
  }));
  core.isCaughtUp = false;
  await noteLeaves(options.context, leaves, log.checkpoint);
  core.isCaughtUp = true;
}

/** Opens the last segment again: what the disk refused may be in it, and somebody may have changed its files. */
async function readAnew(core: AuditCore): Promise<void> {
  await closeSegments(core).catch(() => undefined);
  const { segments, breaks, isLastSound } = await openSegments(core.options);
  core.segments.splice(0, core.segments.length, ...segments);
  core.isBroken = false;
  core.isCaughtUp = false;
  const first = firstOf(breaks);
  if (first !== undefined) report(core, first);
  if (first !== undefined && !isLastSound) await goOnBehind(core, first);
}

/** Learns of the log where it ends, and notes leaves that a crash kept from being noted. */
async function catchUp(core: AuditCore): Promise<void> {
  const { options } = core;
  const { afterPosition, lastPosition } = currentOf(core);
  const log = currentLog(core);
  core.lastPosition = Math.max(core.lastPosition, lastPosition);
  const leaves = await leavesToNote(options.database.database, log, {
    after: afterPosition,
    through: core.lastPosition,
  });
  if (leaves.length > 0) await noteLeaves(options.context, leaves, log.checkpoint);
  core.isCaughtUp = true;
}

import type { KeyObject } from 'node:crypto';
import { HopbackError } from '@hopback/sdk/errors';
import {
  lockFolder,
  openMerkleLog,
  type ConsistencyProof,
  type FolderLock,
  type LogSigner,
  type MerkleLog,
  type ProvedEntry,
} from '@hopback/sdk/log';
import type { PlatformContext } from '../core/index.js';
import { auditLeafText, positionOfLeaf, type AuditRow } from './audit-leaf.js';
import { heldCheckpoint, leavesToNote, noteLeaves, waitingRows } from './audit-rows.js';
import { createGatheredSignals } from './gathered-signals.js';
import type { OpenedDatabase } from './open-database.js';
import { createPositionCeiling } from './position-ceiling.js';
import { verifyAudit, type AuditVerification } from './verify-audit.js';

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

/** What a log of an audit is opened with. */
export interface AuditLogOptions {
  readonly context: Pick<PlatformContext, 'transact' | 'clock' | 'log'>;
  readonly database: OpenedDatabase;
  /** Folder of the log, of this process alone. */
  readonly directory: string;
  /** Name of the log, which no other has: `itg.example/audit`. */
  readonly logId: string;
  readonly signer: LogSigner;
  readonly formerPublicKeys?: readonly KeyObject[];
  /** Checkpoints that were kept elsewhere. */
  readonly heldCheckpoints?: readonly string[];
  /** Is told of each new checkpoint: one that never leaves the machine shows no log and table that were cut together. */
  readonly onCheckpoint?: (note: string) => void;
}

/** The audit as a log whose keeper cannot change it unnoticed. */
export interface AuditLog extends AsyncDisposable {
  readonly logId: string;
  readonly directory: string;
  /** Entries that are in it. */
  readonly size: () => number;
  /** Newest signed checkpoint; absent while there is no entry. */
  readonly checkpoint: () => string | undefined;
  /** Brings to the log what was committed before, as far as no transaction that still runs can have entries before it. @returns how many entries. @throws HopbackError `storage-failed`, `signer-failed`, or what the database throws */
  readonly drain: () => Promise<number>;
  /** An entry with its proof, brought to the log first; undefined while it cannot be there, or where there is no such entry. @throws HopbackError `log-inconsistent`, `storage-failed` */
  readonly proofOf: (position: number) => Promise<ProvedEntry | undefined>;
  /** @throws HopbackError `invalid-argument` for more entries than there are */
  readonly consistencyProof: (fromSize: number, toSize?: number) => ConsistencyProof;
  /** Looks through all of log and table. @throws HopbackError `storage-failed`, or what the database throws */
  readonly verify: () => Promise<AuditVerification>;
  /** Does something while nothing is brought to the log: a backup, that copies its files. @throws what `work` throws */
  readonly whilePaused: <Result>(work: () => Promise<Result>) => Promise<Result>;
  /** Entries that a failure kept from the log since this process began: how often. */
  readonly failures: () => number;
  readonly close: () => Promise<void>;
}

/**
 * Opens the log of the audit, and brings to it what is committed, in order, each entry once: a leaf has the position of its row, so that after
 * a crash the last leaf says where to go on. The table notes for each row where its leaf is, and the newest checkpoint; the log holds the row
 * as it was. Its folder is locked, so that of two platforms on one server and one folder the second does not start.
 * @throws HopbackError as `openMerkleLog`: `log-inconsistent` where the log is not what was signed ({@link verifyAudit} says where); `storage-failed`
 * (`reason: 'folder-in-use'`) where another process has it
 */
export async function openAuditLog(options: AuditLogOptions): Promise<AuditLog> {
  const lock = await lockFolder(options.directory, 'the log of the audit');
  try {
    return await openLocked(options, lock);
  } catch (error) {
    await lock.close();
    throw error;
  }
}

async function openLocked(options: AuditLogOptions, lock: FolderLock): Promise<AuditLog> {
  const core: AuditCore = {
    options,
    ceiling: createPositionCeiling(options.database, 'core_audit_positions'),
    log: await openLog(options),
    lastPosition: 0,
    isCaughtUp: false,
    isBroken: false,
    failures: 0,
    turn: Promise.resolve(),
    isClosed: false,
    isPaused: false,
  };
  const stop = keepDraining(core);
  const close = async (): Promise<void> => {
    core.isClosed = true;
    stop();
    await core.turn;
    try {
      await core.log.close();
    } finally {
      await lock.close();
    }
  };
  return {
    logId: options.logId,
    directory: options.directory,
    size: () => core.log.size,
    checkpoint: () => core.log.checkpoint,
    drain: () => inTurn(core, () => drained(core)),
    proofOf: (position) => proofOf(core, position),
    consistencyProof: (fromSize, toSize) => core.log.consistencyProof(fromSize, toSize),
    verify: () =>
      whilePaused(core, () =>
        verifyAudit({ ...trustOf(options), database: options.database, directory: options.directory }),
      ),
    whilePaused: (work) => whilePaused(core, work),
    failures: () => core.failures,
    close,
    [Symbol.asyncDispose]: close,
  };
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
  if (leafIndex === null) {
    // A backup and a look through all of it take minutes, and are not waited for.
    if (core.isPaused) return undefined;
    await inTurn(core, () => drained(core)).catch((error: unknown) => {
      core.options.context.log.warn('an entry of the audit could not be brought to its log', { position, error });
    });
    leafIndex = await leafIndexOf();
  }
  return typeof leafIndex === 'number' && leafIndex < core.log.size ? core.log.prove(leafIndex) : undefined;
}

interface AuditCore {
  readonly options: AuditLogOptions;
  readonly ceiling: ReturnType<typeof createPositionCeiling>;
  log: MerkleLog;
  /** Of the row of the last leaf. */
  lastPosition: number;
  /** Whether `lastPosition` was read of the log, and rows know their leaves up to it. */
  isCaughtUp: boolean;
  /** The disk refused an entry, which may come to be in the log nevertheless: it has to be read anew. */
  isBroken: boolean;
  failures: number;
  /** Draining and looking through go one after the other. Never rejects. */
  turn: Promise<unknown>;
  isClosed: boolean;
  /** Whether something has the turn that takes long. */
  isPaused: boolean;
}

const trustOf = ({ signer, formerPublicKeys = [], logId, heldCheckpoints = [] }: AuditLogOptions) => ({
  publicKeys: [signer.publicKey, ...formerPublicKeys],
  ...{ logId, heldCheckpoints },
});

async function openLog(options: AuditLogOptions): Promise<MerkleLog> {
  const { directory, logId, signer, formerPublicKeys = [], heldCheckpoints = [], onCheckpoint } = options;
  const ofTable = await heldCheckpoint(options.database.database);
  return openMerkleLog({
    ...{ directory, logId, signer, formerPublicKeys },
    heldCheckpoints: [...heldCheckpoints, ...(ofTable === undefined ? [] : [ofTable])],
    ...(onCheckpoint !== undefined && { onCheckpoint }),
  });
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
  const stopSignals = core.options.database.onSignal(gathered.signal);
  void run();
  return () => {
    stopSignals();
    gathered.close();
    stopTimer?.();
  };
}

async function drained(core: AuditCore): Promise<number> {
  try {
    if (core.isBroken) await readAnew(core);
    if (!core.isCaughtUp) await catchUp(core);
    const through = await core.ceiling.through();
    let total = 0;
    while (core.lastPosition < through) {
      const rows = await waitingRows(core.options.database.database, {
        ...{ after: core.lastPosition, through, limit: DRAINED_AT_ONCE },
      });
      if (rows.length === 0) break;
      await broughtToLog(core, rows);
      total += rows.length;
    }
    return total;
  } catch (error) {
    core.failures += 1;
    throw error;
  }
}

async function broughtToLog(core: AuditCore, rows: readonly AuditRow[]): Promise<void> {
  const { log, options } = core;
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

/** What the disk refused may be in the log when it is opened again. */
async function readAnew(core: AuditCore): Promise<void> {
  await core.log.close().catch(() => undefined);
  core.log = await openLog(core.options);
  core.isBroken = false;
  core.isCaughtUp = false;
}

/** Learns of the log where it ends, and notes leaves that a crash kept from being noted. */
async function catchUp(core: AuditCore): Promise<void> {
  const { log, options } = core;
  const last = log.size === 0 ? undefined : (await log.read(log.size - 1))[0];
  const position = last === undefined ? 0 : positionOfLeaf(last.octets);
  if (position === undefined) {
    throw new HopbackError('log-inconsistent', 'the last entry of the log is none of an audit', {
      details: { leafIndex: log.size - 1 },
    });
  }
  core.lastPosition = position;
  const leaves = await leavesToNote(options.database.database, log, position);
  if (leaves.length > 0) await noteLeaves(options.context, leaves, log.checkpoint);
  core.isCaughtUp = true;
}

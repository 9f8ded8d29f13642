import { HopbackError } from '@hopback/sdk/errors';
import { nextTurn } from '@hopback/sdk/internal/runtime';
import type { AppReport } from '@hopback/sdk/platform';
import { HARNESS_VERSION } from '../../version.js';
import type { LiveReader, LiveRecord, PlatformContext, ReportReader } from '../core/index.js';
import type { CampaignEngine } from '../domain/campaigns/campaign-engine.js';
import { DEFAULT_CAMPAIGN_LIMITS } from '../domain/campaigns/campaign-policy.js';
import type { CampaignStore, UnstoredNews } from './campaign-store.js';
import type { StoredCampaigns } from './campaigns-repository.js';
import { callsSince, loadCampaigns, storedCampaigns } from './campaigns-repository.js';
import { dropSnapshot, MAX_SNAPSHOT_BYTES, packState, readSnapshot, storeSnapshot } from './detector-snapshot.js';

/** Where live data are read again from. */
interface ReplayPorts {
  readonly live: Pick<LiveReader, 'find'>;
  readonly reports: ReportReader;
}

/** What is gathered of records that are no campaign yet is not stored: it is gathered again from so much of the past. */
const REPLAY_MS = 1_800_000;
/** The same of reports, which are few: five people hear a swindle in a day rather than in half an hour. */
const REPORTS_REPLAY_MS = 86_400_000;
/** Records read at a time: some seconds of 2,000 a second. */
const SLICE_MS = 10_000;
const SLICE_LIMIT = 5_000;
/** Records that are heard before others have a turn. */
const HEARD_AT_ONCE = 1_000;
/** Reports read at a time, and in all, the latest: a third of a day of 30,000. Each is decrypted, and may have a fingerprint of 400 KB. */
const REPORT_SLICE_MS = 3_600_000;
const REPORT_SLICE_LIMIT = 2_000;
const MAX_REPORTS = 10_000;

/**
 * Has an engine hear again what it may have heard before: records and reports by the time of their calls. What it knows to be counted it passes
 * over.
 * @param isOver - whether nobody waits for it any more
 */
async function replay(
  ports: ReplayPorts,
  engine: CampaignEngine,
  { nowMs, isOver }: { readonly nowMs: number; readonly isOver: () => boolean },
): Promise<void> {
  const reports = await latestReports(ports, nowMs);
  let heard = 0;
  const hearUntil = (untilMs: number): void => {
    for (let next = reports[heard]; next !== undefined && next.atMs < untilMs; next = reports[heard]) {
      engine.report(next.appId, next.report, nowMs);
      heard += 1;
    }
  };
  for (let fromMs = nowMs - REPLAY_MS; fromMs <= nowMs && !isOver();) {
    hearUntil(fromMs);
    const toMs = Math.min(fromMs + SLICE_MS, nowMs + SLICE_MS);
    const { records, isCut } = await ports.live.find({ fromMs, toMs, limit: SLICE_LIMIT });
    for (const [at, record] of records.entries()) {
      if (at % HEARD_AT_ONCE === HEARD_AT_ONCE - 1) await nextTurn();
      engine.record(record);
    }
    const last = records.at(-1);
    // Those of the last millisecond come again with the next page, and are known then.
    fromMs = isCut && last !== undefined ? Math.max(fromMs + 1, Math.floor(last.record.inviteAtUs / 1_000)) : toMs;
  }
  if (!isOver()) hearUntil(Infinity);
}

interface PastReport {
  readonly appId: string;
  readonly report: AppReport;
  readonly atMs: number;
}

/** Backwards, until there are enough; given by time. */
async function latestReports({ reports }: ReplayPorts, nowMs: number): Promise<readonly PastReport[]> {
  const slices: PastReport[][] = [];
  let count = 0;
  // What is dated ahead of the clock, by a telephone, has come as well.
  for (let toMs = nowMs + REPORT_SLICE_MS; toMs > nowMs - REPORTS_REPLAY_MS; toMs -= REPORT_SLICE_MS) {
    const found = await reports.findReports({
      fromMs: toMs - REPORT_SLICE_MS,
      toMs,
      limit: REPORT_SLICE_LIMIT,
      leavesOutUnreadable: true,
    });
    slices.push(found.reports.map((one) => ({ ...one, atMs: Date.parse(one.report.calledAt) })));
    count += found.reports.length;
    if (count >= MAX_REPORTS) break;
  }
  return slices.toReversed().flat();
}

/** What the detector stands on. */
export interface DetectorParts {
  readonly context: PlatformContext;
  readonly engine: CampaignEngine;
  readonly store: CampaignStore;
  /** Something was heard that may be stored. */
  readonly changed: () => void;
  /** A snapshot that is larger is not kept. */
  readonly maxSnapshotBytes: number | undefined;
  readonly ports: ReplayPorts & {
    /** The first and the last batch of the journal of records; absent where records come from elsewhere. */
    readonly journalRange?: () => { readonly first: number; readonly last: number };
  };
}

/** Calls that are held while campaigns are taken up: some seconds at 15,000 a second. More are to be told again. */
const MAX_HELD = 100_000;
/** Records after which a snapshot is due: some seconds of a restart. */
const SNAPSHOT_RECORDS = 150_000;
/** Milliseconds after which one is due where anything at all was heard. */
const SNAPSHOT_EVERY_MS = 60_000;
/** What took longer to learn anew is kept at once. */
const WORTH_KEEPING_MS = 2_000;
/** A snapshot takes this share of the time at most, so that the detection keeps up. */
const SNAPSHOT_SHARE = 1 / 3;

/** What a snapshot holds. */
interface DetectorState {
  readonly engine: object;
  readonly unstored: readonly UnstoredNews[];
}

type Phase = 'restoring' | 'catching-up' | 'ready' | 'closed';

/**
 * Hears live data for the engine, and brings it back to where it was after a restart: from its snapshot and what came after it, or, where there is
 * none that can be used, from the records of the last half hour. Until then nothing is stored and nothing is told.
 */
export class Detector {
  readonly #parts: DetectorParts;
  readonly #version: string;
  #phase: Phase = 'restoring';
  /** Batch of the journal up to which everything was heard; and with which the engine is where it was before the restart. */
  #sequence: number | undefined;
  #target = 0;
  #stored: StoredCampaigns | undefined;
  #isTakenUp = false;
  /** What waits while the engine must not change. */
  #held: { readonly calls: number; readonly work: () => void }[] = [];
  #heldCalls = 0;
  /** Reports that came before the batch with which records are now. */
  #reports: { readonly receivedAtMs: number; readonly work: () => void }[] = [];
  #pause: Promise<void> | undefined;
  #turn: Promise<unknown> = Promise.resolve();
  #heardRecords = 0;
  #heardReports = 0;
  /** The one that is stored; without a place in the journal where it is too old for the journal to be kept for it. */
  #snapshot:
    | {
        readonly sequence: number | undefined;
        readonly reports: number;
        readonly atMs: number;
      }
    | undefined;
  #snapshotAt = { records: 0, reports: 0, atMs: 0, tookMs: 0 };
  #begin: (from: number | undefined) => void = () => undefined;

  /** Resolves when live data may be told, with the batch behind which that begins: undefined for where it had got to. Never rejects. */
  readonly begun: Promise<number | undefined> = new Promise((resolve) => (this.#begin = resolve));

  constructor(parts: DetectorParts) {
    this.#parts = parts;
    this.#version = `${HARNESS_VERSION} ${parts.engine.stateVersion}`;
  }

  /** Whether it is where it was before the restart, and finds campaigns. */
  isReady(): boolean {
    return this.#phase === 'ready';
  }

  isWarming(): boolean {
    return this.#phase === 'restoring' || this.#phase === 'catching-up';
  }

  /** Whether the engine may be changed now. */
  isFree(): boolean {
    return this.#phase === 'ready' && this.#pause === undefined;
  }

  /**
   * Takes up what was stored, once. It is ready when the batches that the journal has now are told, or at once where records are read again.
   * @throws what the database or the store of records throws
   */
  async start(): Promise<void> {
    const { context, engine, ports, store } = this.#parts;
    const startedMs = context.clock.nowMs();
    const found = await this.#usableSnapshot();
    if (this.#phase !== 'restoring') return;
    if (found === undefined) {
      await this.#replay();
      if (this.#phase !== 'restoring') return;
      // The next start is not to pay for it again.
      if (context.clock.nowMs() - startedMs > WORTH_KEEPING_MS)
        this.#snapshotAt = { ...this.#snapshotAt, records: -Infinity };
      this.#phase = 'ready';
      this.#hearHeld();
      this.#begin(undefined);
      await this.#storeNow();
    } else {
      const { sequence, state } = found;
      const known = new Set<string>();
      for (const { campaignId } of engine.campaigns()) known.add(campaignId);
      this.#stored = await storedCampaigns(context, known);
      if (this.#phase !== 'restoring') return;
      store.restoreUnstored(state.unstored);
      engine.expect(this.#stored.campaignsOfCalls);
      this.#snapshot = { sequence, reports: 0, atMs: context.clock.nowMs() };
      this.#sequence = sequence;
      this.#target = ports.journalRange?.().last ?? 0;
      this.#phase = 'catching-up';
      this.#hearHeld();
      this.#begin(sequence);
      if (sequence >= this.#target) await this.#caughtUp();
    }
    this.#snapshotAt = { ...this.#snapshotAt, atMs: context.clock.nowMs() };
    context.log.info('the detector has taken up what was stored', {
      from: found === undefined ? 'records and reports' : 'a snapshot',
      tookMs: context.clock.nowMs() - startedMs,
    });
  }

  /** The listener of live records and reports. */
  readonly listener = {
    records: (records: readonly LiveRecord[]): void => {
      this.#hear(records.length, () => this.#hearRecords(records));
    },
    report: (appId: string, report: AppReport, receivedAtMs: number): void => {
      this.#hear(1, () => this.#hearReport(appId, report, receivedAtMs));
    },
    /** Resolves when it can hear records again; undefined where it can. */
    free: (): Promise<void> | undefined => this.#pause,
    /** Called with the last batch that was taken in whole. */
    reached: (sequence: number): void => {
      this.#sequence = sequence;
      if (this.#phase === 'catching-up' && sequence >= this.#target) void this.#caughtUp().catch(() => undefined);
    },
    /** Stores what was learned. @returns false while it is not where it was before the restart @throws what the database throws */
    settled: async (): Promise<boolean> => {
      if (this.#phase === 'ready') await this.#parts.store.flush();
      return this.#phase === 'ready' || (this.#phase === 'closed' && this.#sequence !== undefined);
    },
    /** Batches behind this one are heard again after a crash. */
    neededFrom: (): number | undefined => this.#snapshot?.sequence,
    /** Reports, the first ones since the process began, that need not be told again after a crash. */
    coveredReports: (): number => this.#snapshot?.reports ?? this.#heardReports,
  };

  /**
   * Changes the engine by something that is not heard again after a restart: an analyst's word. `work` calls `decided` when it has changed it, and
   * stores that and drops the snapshot in one transaction; another is made soon.
   * @throws HopbackError `unavailable` (retryable) while it is not where it was before the restart
   */
  change<Result>(work: (decided: () => void) => Promise<Result>): Promise<Result> {
    return this.#inTurn(async () => {
      if (this.#phase !== 'ready') throw warming();
      let isDecided = false;
      const result = await work(() => {
        isDecided = true;
        this.#snapshotAt = { ...this.#snapshotAt, records: -Infinity };
      });
      if (isDecided) this.#snapshot = undefined;
      return result;
    });
  }

  /** Makes a snapshot if one is due. @throws what the database throws */
  async keepSnapshot(nowMs: number): Promise<void> {
    const { records, reports, atMs, tookMs } = this.#snapshotAt;
    const heard = this.#heardRecords - records;
    const isNews = heard > 0 || this.#heardReports > reports;
    const isDue = heard >= SNAPSHOT_RECORDS || (isNews && nowMs - atMs >= SNAPSHOT_EVERY_MS);
    if (isDue && nowMs - atMs >= tookMs / SNAPSHOT_SHARE) await this.#inTurn(() => this.#makeSnapshot());
  }

  /** Hears no more, stores what was learned, and keeps it in a snapshot. @throws what the database throws */
  async close(): Promise<void> {
    const wasReady = this.#phase === 'ready';
    if (!wasReady) this.#phase = 'closed';
    await this.#inTurn(async () => {
      if (!wasReady) return;
      const { records, reports } = this.#snapshotAt;
      try {
        if (this.#heardRecords > records || this.#heardReports > reports) await this.#makeSnapshot();
      } finally {
        this.#phase = 'closed';
        await this.#parts.store.flush({ isLast: true });
      }
    }).finally(() => (this.#phase = 'closed'));
  }

  /** Has the engine take up the snapshot. @returns undefined without a usable snapshot: the engine has heard nothing then */
  async #usableSnapshot(): Promise<{ readonly sequence: number; readonly state: DetectorState } | undefined> {
    const { context, engine, ports } = this.#parts;
    const found = await readSnapshot(context, this.#version);
    if (found.status === 'none') return undefined;
    if (found.status !== 'read') {
      context.log.warn('the snapshot of the detector cannot be used: records are read again', {
        because: found.status,
      });
      return undefined;
    }
    const { sequence } = found;
    const range = ports.journalRange?.();
    if (range !== undefined && (sequence < range.first - 1 || sequence > range.last)) {
      const because = 'other-journal';
      context.log.warn('the snapshot of the detector cannot be used: records are read again', { because });
      return undefined;
    }
    const state = found.state as DetectorState;
    try {
      engine.restoreState(state.engine);
    } catch (error) {
      const because = 'damaged';
      context.log.warn('the snapshot of the detector cannot be used: records are read again', { because, error });
      await context.transact(dropSnapshot);
      return undefined;
    }
    return { sequence, state };
  }

  /** Has the engine learn anew from what is stored. */
  async #replay(): Promise<void> {
    const { context, engine, ports } = this.#parts;
    const { sealed } = context;
    const nowMs = context.clock.nowMs();
    // Where a replay failed and is tried again, what it has counted stays.
    if (!this.#isTakenUp) {
      const files = await context.transact((transaction) =>
        loadCampaigns(transaction, { sealed, limit: DEFAULT_CAMPAIGN_LIMITS.campaigns }),
      );
      // Calls may be some minutes older than they were received.
      const sinceMs = { records: nowMs - 2 * REPLAY_MS, reports: nowMs - REPORTS_REPLAY_MS - REPLAY_MS };
      const counted = await callsSince(context.database, sinceMs);
      for (const file of files) engine.restore(file);
      engine.known(counted);
      this.#isTakenUp = true;
    }
    await replay(ports, engine, { nowMs, isOver: () => this.#phase !== 'restoring' });
    engine.replayed();
  }

  /** The engine is where it was: what is stored and was not found again is taken up as it is stored. */
  async #caughtUp(): Promise<void> {
    const { context, engine, store } = this.#parts;
    const stored = this.#stored;
    this.#phase = 'ready';
    this.#hearReportsUntil(Infinity);
    engine.expect(new Map());
    if (stored !== undefined) {
      for (const { file, calls } of stored.found) {
        if (engine.campaign(file.campaignId) !== undefined) continue;
        engine.restore(file);
        engine.known(calls);
      }
      engine.replayed();
      engine.tick(context.clock.nowMs());
      store.announced(stored.standings);
    }
    this.#stored = undefined;
    context.log.info('the detector has caught up', { records: this.#heardRecords, reports: this.#heardReports });
    await this.#storeNow();
  }

  /** Stores what was learned. What cannot be stored is tried again with the job, which tells of it, and keeps nothing else waiting. */
  async #storeNow(): Promise<void> {
    await this.#parts.store.flush().catch(() => undefined);
  }

  #hear(calls: number, work: () => void): void {
    if (this.#phase === 'closed') throw closing();
    if (this.#phase === 'restoring' || this.#pause !== undefined) this.#hold(calls, work);
    else work();
  }

  #hearRecords(records: readonly LiveRecord[]): void {
    const { engine, store, changed } = this.#parts;
    if (this.#phase === 'catching-up') this.#hearReportsUntil(records[0]?.receivedAtMs ?? 0);
    for (const live of records) engine.record(live);
    this.#heardRecords += records.length;
    if (this.#phase === 'ready') changed();
    else store.gather();
  }

  #hearReport(appId: string, report: AppReport, receivedAtMs: number): void {
    const work = (): void => {
      this.#parts.engine.report(appId, report, receivedAtMs);
      this.#heardReports += 1;
    };
    if (this.#phase === 'catching-up') this.#reports.push({ receivedAtMs, work });
    else {
      work();
      this.#parts.changed();
    }
  }

  #hearReportsUntil(receivedAtMs: number): void {
    let heard = 0;
    for (; (this.#reports[heard]?.receivedAtMs ?? Infinity) < receivedAtMs; heard += 1) this.#reports[heard]?.work();
    this.#reports.splice(0, heard);
  }

  #hold(calls: number, work: () => void): void {
    if (this.#heldCalls + calls > MAX_HELD) {
      const details = { held: this.#heldCalls, calls };
      throw new HopbackError('unavailable', 'the detector is still restoring its campaigns', {
        retryable: true,
        details,
      });
    }
    this.#heldCalls += calls;
    this.#held.push({ calls, work });
  }

  #hearHeld(): void {
    this.#heldCalls = 0;
    for (const { work } of this.#held.splice(0)) work();
  }

  #inTurn<Result>(work: () => Promise<Result>): Promise<Result> {
    const next = this.#turn.then(work);
    this.#turn = next.catch(() => undefined);
    return next;
  }

  async #makeSnapshot(): Promise<void> {
    const { context, store } = this.#parts;
    if (this.#phase !== 'ready') return;
    // An analyst's word that could not be stored is in the engine already. In a snapshot it would hold without who said it, and why.
    if (store.hasQueuedWork()) return this.#letGoOfOld();
    const startedMs = context.clock.nowMs();
    const [records, reports] = [this.#heardRecords, this.#heardReports];
    const sequence = this.#sequence ?? 0;
    try {
      const packed = await this.#paused(() =>
        packState(this.#state(), this.#parts.maxSnapshotBytes ?? MAX_SNAPSHOT_BYTES),
      );
      const pausedMs = context.clock.nowMs() - startedMs;
      if (packed === undefined) {
        await context.transact(dropSnapshot);
        this.#snapshot = undefined;
        context.log.warn('a snapshot of the detector would be too large: none is kept');
        await store.flush();
      } else {
        await storeSnapshot(context, packed, { version: this.#version, sequence, atMs: startedMs });
        this.#snapshot = { sequence, reports, atMs: startedMs };
        const [tookMs, { sizeBytes }] = [context.clock.nowMs() - startedMs, packed];
        context.log.info('a snapshot of the detector was made', { sizeBytes, pausedMs, tookMs });
      }
    } catch (error) {
      // Packed again after a while only: a database that is away must not cost the detection its time.
      const nowMs = context.clock.nowMs();
      this.#snapshotAt = { ...this.#snapshotAt, atMs: nowMs, tookMs: nowMs - startedMs };
      await this.#letGoOfOld().catch(() => undefined);
      throw error;
    }
    const nowMs = context.clock.nowMs();
    this.#snapshotAt = { records, reports, atMs: nowMs, tookMs: nowMs - startedMs };
  }

  /** A snapshot that is older than what a replay reads is worth no more than that: journal and reports are not kept for it. */
  async #letGoOfOld(): Promise<void> {
    const { context } = this.#parts;
    if (this.#snapshot === undefined || context.clock.nowMs() - this.#snapshot.atMs <= REPLAY_MS) return;
    // Whether it can be dropped or not: without its journal it is found to be of no use.
    this.#snapshot = { ...this.#snapshot, sequence: undefined };
    await context.transact(dropSnapshot);
    this.#snapshot = undefined;
  }

  /** What it has learned outlives a crash with it, whether it could be stored as campaigns or not. */
  #state(): DetectorState {
    const { engine, store } = this.#parts;
    return { unstored: store.unstored(), engine: engine.state() };
  }

  async #paused<Result>(work: () => Promise<Result>): Promise<Result> {
    let resume: () => void = () => undefined;
    this.#pause = new Promise((resolve) => (resume = resolve));
    try {
      return await work();
    } finally {
      this.#pause = undefined;
      this.#hearHeld();
      resume();
    }
  }
}

const closing = (): HopbackError => new HopbackError('unavailable', 'the platform is closing', { retryable: true });

const warming = (): HopbackError =>
  new HopbackError('unavailable', 'the detector of campaigns is warming up', { retryable: true });

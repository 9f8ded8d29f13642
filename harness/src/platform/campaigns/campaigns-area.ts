import type {
  CampaignReader,
  LiveReader,
  OrganizationDirectory,
  PlatformArea,
  PlatformContext,
  ReportReader,
  TracebackDesk,
} from '../core/index.js';
import { createCampaignEngine } from '../domain/campaigns/campaign-engine.js';
import type { CampaignEngine, CampaignEngineOptions } from '../domain/campaigns/campaign-engine.js';
import type { CampaignFile } from '../domain/campaigns/campaign-file.js';
import { workThrough } from '../database/index.js';
import { refreshFindings, traceCampaign } from './trace-campaigns.js';
import { CampaignStore } from './campaign-store.js';
import { CAMPAIGNS_ROUTES } from './campaigns-routes.js';
import {
  CAMPAIGNS_SCHEMAS,
  campaignsOperations,
  currentIdOf,
  describeStored,
  findStored,
} from './campaigns-operations.js';
import { readCalls } from './campaigns-repository.js';
import type { CallHolds } from './old-calls.js';
import { joinOldCalls, removeOldCalls } from './old-calls.js';
import { Detector } from './detector.js';

/** Areas that campaigns stand on. */
export interface CampaignsPorts {
  readonly tracebacks: TracebackDesk;
  readonly live: LiveReader;
  readonly reports: ReportReader;
  /** The first and the last batch of the journal of records; absent where records come from elsewhere. */
  readonly journalRange?: () => { readonly first: number; readonly last: number };
  readonly organizations: OrganizationDirectory;
  readonly holds?: CallHolds;
}

/** How campaigns are detected. */
export type CampaignsOptions = Omit<CampaignEngineOptions, 'newId'> & {
  /** A snapshot of the detector that is larger is not kept. Default 256 MiB. */
  readonly maxSnapshotBytes?: number;
};

/** The area `campaigns`, and what others have of it. */
export type CampaignsArea = ReturnType<typeof createCampaignsArea>;

/** Alerts are raised within ten seconds: most of them may be spent elsewhere. */
const STORE_EVERY_MS = 1_000;
const TICK_EVERY_MS = 30_000;
/** Name of the job, under which failures of campaigns are kept. */
const TRACE_JOB = 'campaigns.trace';
/** A traceback takes minutes at best. */
const TRACE_EVERY_MS = 5_000;
/** Of campaigns without news. */
const TRACE_QUIET_EVERY_MS = 600_000;
/** What concluded is noted before its transaction has committed: the first look may come too early, the second does not. */
const LOOKS_AFTER_CONCLUSION = 2;
/** How often it is looked whether a snapshot is due. */
const SNAPSHOT_LOOK_MS = 2_000;
/** Until a start that failed is tried again: a database that is away. */
const RETRY_MS = 2_000;
const RETENTION_EVERY_MS = 3_600_000;
const JOIN_EVERY_MS = 1_000;

/** Makes the area. */
export function createCampaignsArea(
  context: PlatformContext,
  ports: CampaignsPorts,
  { maxSnapshotBytes, ...options }: CampaignsOptions = {},
) {
  const engine = tolerant(context, createCampaignEngine({ ...options, newId: () => context.newId('c') }));
  const store = new CampaignStore(context, { engine, organizations: ports.organizations });
  const concluded = new Map<string, number>();
  const changes = promptly(engine, store);
  const detector = new Detector({
    context,
    engine,
    store,
    ports,
    changed: changes.store,
    maxSnapshotBytes,
  });
  const area: PlatformArea = {
    name: 'campaigns',
    routes: CAMPAIGNS_ROUTES,
    schemas: CAMPAIGNS_SCHEMAS,
    operations: campaignsOperations({ context, engine, store, detector }),
    jobs: jobsOf(context, ports, { engine, concluded, flush: (which) => store.flush(which), detector }),
    reactions: {
      'traceback.concluded': async (transaction, event) => {
        const { campaignId } = event.data as { readonly campaignId?: string };
        if (campaignId === undefined) return;
        const current = await currentIdOf(transaction, campaignId);
        await refreshFindings(transaction, current, ports.tracebacks);
        concluded.set(current, LOOKS_AFTER_CONCLUSION);
      },
    },
    notices: () => (detector.isWarming() ? [{ text: 'detector: warming', isWarning: false }] : []),
  };
  return {
    ...area,
    engine,
    reader: READER,
    /**
     * Hears of live data. What comes before `start` is done waits for it.
     * @throws HopbackError `unavailable` (retryable) where too much waits: to be told again
     */
    listener: detector.listener,
    /** Resolves when live data may be told, with the batch of the journal behind which that begins: undefined for where it had got to. */
    begun: detector.begun,
    /** Stores what was learned, now. */
    flush: () => store.flush(),
    /** Makes a snapshot of the detector, if one is due. @throws what the database throws */
    keepSnapshot: (nowMs: number) => detector.keepSnapshot(nowMs),
    /**
     * Takes up what was stored: the snapshot of the detector, or, where there is none that can be used, the records of the last half hour and the
     * reports of the last day. Until it is done no campaign is found, and analysts are asked to come back.
     * @throws what the database or the store of records throws
     */
    start: () => detector.start(),
    /** The same in the background, again and again where it fails. */
    begin: () => startSoon(context, detector),
    close: async (): Promise<void> => {
      changes.end();
      await detector.close();
    },
  };
}

/** An engine for which a record or report that it cannot read is logged, and keeps nobody else's from being heard. */
function tolerant({ log }: PlatformContext, engine: CampaignEngine): CampaignEngine {
  const heard =
    <Heard extends readonly unknown[]>(hear: (...heard: Heard) => void) =>
    (...given: Heard): void => {
      try {
        hear(...given);
      } catch (error) {
        log.error('detection could not read a record or report', { error });
      }
    };
  return { ...engine, record: heard(engine.record), report: heard(engine.report) };
}

/** Stores at once what others rest on, and not with the next second. What cannot be stored is tried again with that, which tells of it. */
function promptly(
  engine: CampaignEngine,
  store: CampaignStore,
): { readonly store: () => void; readonly end: () => void } {
  let isBusy = false;
  let isOver = false;
  const begin = (): void => {
    if (isBusy || isOver || !engine.hasChanges()) return;
    isBusy = true;
    void store
      .flushChanges()
      .catch(() => undefined)
      .then(() => {
        isBusy = false;
        begin();
      });
  };
  return { store: begin, end: () => void (isOver = true) };
}

function startSoon(context: PlatformContext, detector: Detector): void {
  void detector.start().catch((error: unknown) => {
    if (!detector.isWarming()) return;
    context.log.error('campaigns cannot be taken up: tried again', { error });
    context.clock.schedule(() => startSoon(context, detector), RETRY_MS);
  });
}

const READER: CampaignReader = {
  campaign: async (reading, campaignId) => {
    const row = await findStored(reading, campaignId);
    return row === undefined || row.is_lawful ? undefined : describeStored(row);
  },
  calls: async (reading, campaignId, options) => readCalls(reading, await currentIdOf(reading, campaignId), options),
};

function jobsOf(
  context: PlatformContext,
  ports: CampaignsPorts,
  by: {
    readonly engine: CampaignEngine;
    /** Campaigns of which a traceback has come to something, and how often they are to be looked at. */
    readonly concluded: Map<string, number>;
    readonly flush: CampaignStore['flush'];
    readonly detector: Detector;
  },
): PlatformArea['jobs'] {
  const { engine, concluded, flush, detector } = by;
  const traced = new Map<string, { readonly calls: number; readonly atMs: number }>();
  return [
    { name: 'campaigns.store', everyMs: STORE_EVERY_MS, run: async () => void (detector.isReady() && (await flush())) },
    { name: 'campaigns.snapshot', everyMs: SNAPSHOT_LOOK_MS, run: (nowMs) => detector.keepSnapshot(nowMs) },
    {
      name: 'campaigns.tick',
      everyMs: TICK_EVERY_MS,
      run: async (nowMs) => {
        if (!detector.isFree()) return;
        engine.tick(nowMs);
        await flush();
      },
    },
    {
      name: TRACE_JOB,
      everyMs: TRACE_EVERY_MS,
      run: async (nowMs) => {
        const isDue = (file: CampaignFile): boolean => {
          if (file.standing.state !== 'live') return false;
          const last = traced.get(file.campaignId);
          // Twice the calls may show a new way in; tracebacks that were answered show where to ask next.
          return (
            last === undefined ||
            (concluded.get(file.campaignId) ?? 0) > 0 ||
            file.observedCalls >= last.calls * 2 ||
            nowMs - last.atMs >= TRACE_QUIET_EVERY_MS
          );
        };
        await workThrough<CampaignFile>({
          context,
          job: TRACE_JOB,
          nowMs,
          idOf: ({ campaignId }) => campaignId,
          page: (after) =>
            Promise.resolve(after === undefined && detector.isReady() ? [...engine.campaigns()].filter(isDue) : []),
          work: async (file) => {
            const { campaignId } = file;
            const looks = concluded.get(campaignId) ?? 0;
            if (looks > 1) concluded.set(campaignId, looks - 1);
            else concluded.delete(campaignId);
            // Calls are read from the database: those that are counted here have to be there.
            const calls = file.observedCalls;
            await flush({ campaignId });
            await traceCampaign(context, ports, file);
            traced.set(campaignId, { calls, atMs: nowMs });
          },
        });
      },
    },
    { name: 'campaigns.join', everyMs: JOIN_EVERY_MS, run: joinOldCalls(context, ports) },
    {
      name: 'campaigns.retention',
      everyMs: RETENTION_EVERY_MS,
      run: (nowMs) => removeOldCalls(context, ports.holds, nowMs),
    },
  ];
}

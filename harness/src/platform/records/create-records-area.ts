import type { HoldPort, LiveReader, PlatformArea, PlatformContext, PlatformJob, ReportReader } from '../core/index.js';
import { createDoNotOriginateOperations } from './do-not-originate.js';
import { importComplaints, importComplaintsByRoute } from './import-complaints.js';
import type { ComplaintFile, ComplaintImportOutcome } from './import-complaints.js';
import { createReportFinder } from './find-reports.js';
import { createHoldPort } from './hold-port.js';
import { openLiveFeed } from './live-feed.js';
import type { LiveFeed, SettlingListener } from './live-feed.js';
import { createLiveHolds } from './live-holds.js';
import type { LiveHolds } from './live-holds.js';
import { RECORDS_SCHEMAS } from './records-bodies.schema.js';
import { RECORDS_ROLES, RECORDS_ROUTES } from './records-routes.js';
import { createReportDesk } from './report-desk.js';
import type { ReportDesk } from './report-desk.js';
import { DEFAULT_LIVE_RETENTION, removeExpired } from './retention.js';
import type { LiveRetention } from './retention.js';

/** Milliseconds between two rounds in which what everybody has passed is removed from the journal: some tens of MB at the full rate. */
const TRIM_EVERY_MS = 30_000;
/** Milliseconds between two rounds in which it is noted which reports were settled. */
const SETTLE_EVERY_MS = 5_000;
/** Milliseconds between two rounds of retention, whose shortest time is counted in days. */
const RETENTION_EVERY_MS = 3_600_000;

/** What the area is made with. */
export interface RecordsAreaOptions {
  /** Folder of live records: the journal and the record store. One process at a time has it open. */
  readonly directory: string;
  readonly retention?: Partial<LiveRetention>;
}

/** The area of live data. */
export interface RecordsArea extends PlatformArea {
  readonly reader: LiveReader;
  readonly reports: ReportReader;
  readonly holds: LiveHolds;
  /** The same, as demands place them. */
  readonly holdPort: HoldPort;
  /**
   * Tells somebody live data once they are durable: what was not settled before, then what comes. To be called before calls are served, and
   * with the same name after a restart.
   * @param name - of the mark of how far it got
   * @param from - resolves when it may be told, with the batch of the journal behind which that begins: undefined for the mark
   * @returns resolves when the reports that were not settled are told
   */
  readonly listen: (name: string, listener: SettlingListener, from?: Promise<number | undefined>) => Promise<void>;
  /** The first and the last batch that the journal of records has. */
  readonly journalRange: LiveFeed['journalRange'];
  /** Brings a file of complaints in, for the command. */
  readonly importComplaints: (file: Omit<ComplaintFile, 'keptMs'>) => Promise<ComplaintImportOutcome>;
  /** Resolves when all records that were acknowledged before are stored and told. */
  readonly told: () => Promise<void>;
  /** Does something while no file of live records changes but the end of the journal: a backup. */
  readonly whilePaused: LiveFeed['whilePaused'];
}

/**
 * Opens the area of live data: batches of records, reports of applications, complaints, and the list of numbers not to originate from.
 * @returns the area, to be closed
 * @throws HopbackError `unavailable` where `@duckdb/node-api` is not installed; `storage-failed` where the folder cannot be used or is open
 * elsewhere
 */
export async function createRecordsArea(context: PlatformContext, options: RecordsAreaOptions): Promise<RecordsArea> {
  const retention: LiveRetention = { ...DEFAULT_LIVE_RETENTION, ...options.retention };
  const feed = await openLiveFeed({ context, directory: options.directory, keptMs: retention.recordsMs });
  const reports = createReportDesk({ context, keptMs: retention.reportsMs });
  const { take, reader, store, caughtUp, told, whilePaused } = feed;
  const close = (): Promise<void> => {
    reports.close();
    return feed.close();
  };
  const holds = createLiveHolds({ context, store, caughtUp });
  return {
    name: 'records',
    routes: RECORDS_ROUTES,
    roles: RECORDS_ROLES,
    schemas: RECORDS_SCHEMAS,
    operations: {
      sendRecordBatch: take,
      reportCall: reports.reportCall,
      ...createDoNotOriginateOperations(context),
      importComplaints: (call) => importComplaintsByRoute(context, call, retention.complaintsMs),
    },
    jobs: jobsOf({ context, feed, reports, retention }),
    reactions: {},
    reader: { ...reader, report: reports.report },
    reports: { findReports: createReportFinder(context) },
    holds,
    holdPort: createHoldPort(holds),
    listen: async (name, listener, from) => {
      // The reports that were not settled come first: they are few, and the records meet them.
      const toldReports = reports.listen(name, listener, from);
      feed.listen(
        name,
        listener,
        toldReports.then(() => from),
      );
      await toldReports;
    },
    journalRange: feed.journalRange,
    importComplaints: (file) => importComplaints(context, { ...file, keptMs: retention.complaintsMs }),
    told,
    whilePaused,
    close,
    [Symbol.asyncDispose]: close,
  };
}

function jobsOf(parts: {
  readonly context: PlatformContext;
  readonly feed: LiveFeed;
  readonly reports: ReportDesk;
  readonly retention: LiveRetention;
}): readonly PlatformJob[] {
  const { context, feed, reports, retention } = parts;
  return [
    { name: 'records.journal', everyMs: TRIM_EVERY_MS, run: () => feed.trim() },
    { name: 'records.settle', everyMs: SETTLE_EVERY_MS, run: () => reports.settle() },
    {
      name: 'records.retention',
      everyMs: RETENTION_EVERY_MS,
      run: async (nowMs) => {
        try {
          const removed = await removeExpired(context, retention, nowMs);
          if (removed > 0) context.log.info('reports and complaints whose time is over were removed', { removed });
        } finally {
          // Whichever of the two fails does not keep the other beyond its time.
          const expired = await feed.store.expire((nowMs - retention.recordsMs) * 1_000);
          if (expired > 0) context.log.info('live records whose time is over were removed', { expired });
        }
      },
    },
  ];
}

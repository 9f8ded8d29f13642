import type { RawBuilder } from 'kysely';
import { sql } from 'kysely';
import type { LiveReader, PlatformArea, PlatformContext, PlatformJob, PlatformTransaction } from '../core/index.js';
import { createDoNotOriginateOperations } from './do-not-originate.js';
import type { ComplaintFile } from './import-complaints.js';
import { importComplaints, importComplaintsByRoute } from './import-complaints.js';
import { LiveFeed, type SettlingListener } from './live-feed.js';
import { createHoldPort } from './live-holds.js';
import { RECORDS_SCHEMAS } from './records-bodies.js';
import { RECORDS_ROUTES } from './records-routes.js';
import type { RecordsTables } from './records-tables.js';
import { createReportFinder, ReportIntake } from './report-intake.js';

const DAY_MS = 86_400_000;

/** How long each kind of live data is kept, milliseconds. */
export interface LiveRetention {
  readonly recordsMs: number;
  readonly reportsMs: number;
  readonly complaintsMs: number;
}

/**
 * - Records, 90 days: a campaign is found while it runs and traced within days, and whoever is asked for a call later asks the carrier, who
 *   has to keep it for 18 months (47 CFR 42.6). The platform is no second archive of everybody's calls.
 * - Reports, 180 days: there are few of them, and they hold what was said; investigations are opened on them.
 * - Complaints, two years: agencies publish them, often months late, and campaigns that come back are known by them.
 */
const DEFAULT_LIVE_RETENTION: LiveRetention = {
  recordsMs: 90 * DAY_MS,
  reportsMs: 180 * DAY_MS,
  complaintsMs: 730 * DAY_MS,
};

/** Rows of one transaction. */
const REMOVED_AT_ONCE = 200;

type Parts = { readonly context: PlatformContext; readonly transaction: PlatformTransaction };

/**
 * Removes reports and complaints whose time is over, and what was sealed of them; what is under a hold stays.
 * @returns how many were removed
 */
async function removeExpired(context: PlatformContext, retention: LiveRetention, nowMs: number): Promise<number> {
  let removed = 0;
  for (const [remove, keptMs] of [
    [removeReports, retention.reportsMs],
    [removeComplaints, retention.complaintsMs],
  ] as const)
    for (;;) {
      const count = await context.transact((transaction) =>
        remove({ context, transaction }, { nowMs, beforeMs: nowMs - keptMs }),
      );
      removed += count;
      if (count < REMOVED_AT_ONCE) break;
    }
  return removed;
}

interface Expiry {
  readonly nowMs: number;
  readonly beforeMs: number;
}

/** Whether no hold that is in force has the time of a row in it. */
function isNotHeld(column: string, nowMs: number): RawBuilder<boolean> {
  const at = sql.ref(column);
  return sql<boolean>`not exists (select 1 from records_holds where released_at_ms is null
    and (until_ms is null or until_ms > ${nowMs}) and from_ms <= ${at} and to_ms > ${at})`;
}

async function removeReports(parts: Parts, { nowMs, beforeMs }: Expiry): Promise<number> {
  const { context, transaction } = parts;
  const tables = transaction.withTables<RecordsTables>();
  const rows = await tables
    .selectFrom('records_reports')
    .select(['app_id', 'report_id', 'report_key'])
    .where('called_at_ms', '<', beforeMs)
    .where(isNotHeld('records_reports.called_at_ms', nowMs))
    .orderBy('called_at_ms')
    .limit(REMOVED_AT_ONCE)
    .execute();
  for (const { app_id: appId, report_id: reportId, report_key: reportKey } of rows) {
    await tables.deleteFrom('records_untold').where('app_id', '=', appId).where('report_id', '=', reportId).execute();
    await tables.deleteFrom('records_reports').where('report_key', '=', reportKey).execute();
    await context.sealed.forget(transaction, `report:${reportKey}`);
  }
  await noteRemoval(parts, 'reports', rows.length);
  return rows.length;
}

async function removeComplaints(parts: Parts, { nowMs, beforeMs }: Expiry): Promise<number> {
  const { context, transaction } = parts;
  const tables = transaction.withTables<RecordsTables>();
  const rows = await tables
    .selectFrom('records_complaints')
    .select('complaint_id')
    .where('at_ms', '<', beforeMs)
    .where(isNotHeld('records_complaints.at_ms', nowMs))
    .orderBy('at_ms')
    .limit(REMOVED_AT_ONCE)
    .execute();
  for (const { complaint_id: complaintId } of rows) {
    await tables.deleteFrom('records_complaints').where('complaint_id', '=', complaintId).execute();
    await context.sealed.forget(transaction, `complaint:${complaintId}`);
  }
  await noteRemoval(parts, 'complaints', rows.length);
  return rows.length;
}

async function noteRemoval({ context, transaction }: Parts, kind: string, count: number): Promise<void> {
  if (count === 0) return;
  await context.audit(transaction, {
    action: 'live-data.expired',
    organizationId: 'platform',
    actor: 'platform',
    object: `live-data:${kind}`,
    details: { count },
  });
}

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
export type RecordsArea = Awaited<ReturnType<typeof createRecordsArea>>;

/**
 * Opens the area of live data: batches of records, reports of applications, complaints, and the list of numbers not to originate from.
 * @returns the area, to be closed
 * @throws HopbackError `unavailable` where `@duckdb/node-api` is not installed; `storage-failed` where the folder cannot be used or is open
 * elsewhere
 */
export async function createRecordsArea(context: PlatformContext, options: RecordsAreaOptions) {
  const retention: LiveRetention = { ...DEFAULT_LIVE_RETENTION, ...options.retention };
  const feed = await LiveFeed.open({ context, directory: options.directory, keptMs: retention.recordsMs });
  const reports = new ReportIntake({ context, keptMs: retention.reportsMs });
  const area: PlatformArea = {
    name: 'records',
    routes: RECORDS_ROUTES,
    schemas: RECORDS_SCHEMAS,
    operations: {
      sendRecordBatch: feed.take,
      reportCall: reports.reportCall,
      ...createDoNotOriginateOperations(context),
      importComplaints: (call) => importComplaintsByRoute(context, call, retention.complaintsMs),
    },
    jobs: jobsOf({ context, feed, reports, retention }),
    reactions: {},
  };
  const reader: LiveReader = { ...feed.reader, report: reports.report };
  return {
    ...area,
    reader,
    reports: { findReports: createReportFinder(context) },
    /** Keeps live data beyond their time. */
    holdPort: createHoldPort({ context, store: feed.store, caughtUp: () => feed.caughtUp() }),
    /**
     * Tells somebody live data once they are durable: what was not settled before, then what comes. To be called before calls are served, and
     * with the same name after a restart.
     * @param name - of the mark of how far it got
     * @param from - resolves when it may be told, with the batch of the journal behind which that begins: undefined for the mark
     * @returns resolves when unsettled reports have been delivered
     */
    listen: async (name: string, listener: SettlingListener, from?: Promise<number | undefined>) => {
      // The reports that were not settled come first: they are few, and the records meet them.
      const toldReports = reports.listen(name, listener, from);
      feed.listen(
        name,
        listener,
        toldReports.then(() => from),
      );
      await toldReports;
    },
    /** The first and the last batch that the journal of records has. */
    journalRange: () => feed.journalRange(),
    /** Brings a file of complaints in, for the command. */
    importComplaints: (file: Omit<ComplaintFile, 'keptMs'>) =>
      importComplaints(context, { ...file, keptMs: retention.complaintsMs }),
    /** Resolves when all records that were acknowledged before are stored and told. */
    told: () => feed.told(),
    /** Does something while no file of live records changes but the end of the journal: a backup. */
    whilePaused: <Result>(work: () => Promise<Result>) => feed.whilePaused(work),
    close: (): Promise<void> => {
      reports.close();
      return feed.close();
    },
  };
}

function jobsOf(parts: {
  readonly context: PlatformContext;
  readonly feed: LiveFeed;
  readonly reports: ReportIntake;
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

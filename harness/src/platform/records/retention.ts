import { sql } from 'kysely';
import type { RawBuilder } from 'kysely';
import type { PlatformContext, PlatformTransaction } from '../core/index.js';
import type { RecordsTables } from './records-tables.js';

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
export const DEFAULT_LIVE_RETENTION: LiveRetention = {
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
export async function removeExpired(
  context: PlatformContext,
  retention: LiveRetention,
  nowMs: number,
): Promise<number> {
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
    ...{ action: 'live-data.expired', organizationId: 'platform', actor: 'platform' },
    ...{ object: `live-data:${kind}`, details: { count } },
  });
}

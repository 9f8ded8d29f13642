import type { DemandRecordClass } from '@hopback/sdk/internal';
import { sql } from 'kysely';
import type { LiveReader, PlatformContext, PlatformTransaction, Reading, ReportReader } from '../core/index.js';
import type { RetentionClass } from '../database/index.js';
import { isUnreadable, removeOverdue } from '../database/index.js';
import type { EvidenceJoiner, JoinedEvidence } from '../domain/campaigns/count-evidence.js';
import { createEvidenceJoiner, recordsOfCalls } from '../domain/campaigns/count-evidence.js';
import { EVIDENCE_GAP_MS } from '../domain/campaigns/placed-call.js';
import { idsOfCampaign } from './campaigns-operations.js';
import { campaignsTables } from './campaigns-repository.js';

/** Where records and reports are read from. */
interface EvidencePorts {
  readonly live: LiveReader;
  readonly reports: ReportReader;
}

/** Rows of one step: below a second of work. */
const STEP_ROWS = 500;
/** Rows that wait for later ones of the same call: about as many as the joiner remembers. */
const WAITING_ROWS = 32_768;
/** Rows that are written in one transaction. */
const WRITTEN_AT_ONCE = 1_000;
/** Reports of the time of a step that are opened together; others of it are opened one by one. */
const REPORTS_OF_A_STEP = 1_000;

/** What a process has read, and not written yet. */
interface Joining {
  readonly joiner: EvidenceJoiner;
  /** The last row that was read. */
  place: { readonly atMs: number; readonly callId: string };
  /** Later rows are of no call of these. */
  readonly untilMs: number;
  waiting: readonly JoinedRow[];
}

interface JoinedRow {
  readonly callId: string;
  readonly atMs: number;
  /** Undefined where its record or report is gone. */
  readonly call: JoinedEvidence | undefined;
}

/**
 * Makes a job of rows that an earlier release stored, and counted as a call each: gives them the call that they are evidence of. It begins when the last of
 * them is an hour old, and goes through all rows by time, one step a run. A row is written when later ones cannot be of its call any more, so that a
 * restart goes on with the first one that was not.
 * @returns one step, that does nothing when all is done. It throws what the database and the store of records throw, and is tried again then
 */
export function joinOldCalls(context: PlatformContext, ports: EvidencePorts): (nowMs: number) => Promise<void> {
  let joining: Joining | undefined;
  let isDone = false;
  return async (nowMs) => {
    if (isDone) return;
    try {
      if (joining === undefined) {
        const range = await unjoinedRange(context);
        isDone = range === undefined;
        // The detection has the latest of these rows as calls of their own, and names what comes late of them so.
        if (range === undefined || range.newestMs > nowMs - EVIDENCE_GAP_MS) return;
        context.log.info('calls that an earlier release stored are being joined', range);
        const place = { atMs: range.oldestMs - EVIDENCE_GAP_MS, callId: '' };
        const untilMs = range.newestMs + EVIDENCE_GAP_MS;
        joining = { joiner: createEvidenceJoiner(), place, untilMs, waiting: [] };
      }
      if (await step(context, ports, joining)) joining = undefined;
    } catch (error) {
      // A row that was read twice would be two calls.
      joining = undefined;
      throw error;
    }
  };
}

/** When the first and the last of these rows are of; undefined where there are none. */
async function unjoinedRange({
  database,
}: PlatformContext): Promise<{ readonly oldestMs: number; readonly newestMs: number } | undefined> {
  const row = await campaignsTables(database)
    .selectFrom('campaigns_calls')
    .select([sql<number | null>`min(at_ms)`.as('oldest'), sql<number | null>`max(at_ms)`.as('newest')])
    .where('placed_call_id', 'is', null)
    .where('is_unjoinable', '=', false)
    .executeTakeFirstOrThrow();
  return row.oldest === null || row.newest === null ? undefined : { oldestMs: row.oldest, newestMs: row.newest };
}

/** @returns whether these were the last rows */
async function step(context: PlatformContext, ports: EvidencePorts, joining: Joining): Promise<boolean> {
  const rows = await rowsBehind(context, joining);
  const joined = await joinedRows(ports, joining.joiner, rows);
  const last = rows.at(-1);
  const isLast = last === undefined || rows.length < STEP_ROWS;
  const waiting = [...joining.waiting, ...joined];
  const open = isLast ? -1 : waiting.findIndex(({ atMs }) => atMs >= last.at_ms - EVIDENCE_GAP_MS);
  const settled = open < 0 ? waiting.length : Math.max(open, waiting.length - WAITING_ROWS);
  for (let at = 0; at < settled; at += WRITTEN_AT_ONCE)
    await write(context, waiting.slice(at, Math.min(at + WRITTEN_AT_ONCE, settled)));
  joining.waiting = waiting.slice(settled);
  if (last !== undefined) joining.place = { atMs: last.at_ms, callId: last.call_id };
  return isLast;
}

/** The next rows by time, those of this release among them: evidence of one call may be of both. */
const rowsBehind = ({ database }: PlatformContext, { place: { atMs, callId }, untilMs }: Joining) =>
  campaignsTables(database)
    .selectFrom('campaigns_calls')
    .select(['call_id', 'placed_call_id', 'at_ms', 'reporter_id', 'record_id', 'report_id'])
    .where((is) => is.or([is('at_ms', '>', atMs), is.and([is('at_ms', '=', atMs), is('call_id', '>', callId)])]))
    .where('at_ms', '<=', untilMs)
    .orderBy('at_ms')
    .orderBy('call_id')
    .limit(STEP_ROWS)
    .execute();

async function joinedRows(
  { live, reports }: EvidencePorts,
  joiner: EvidenceJoiner,
  rows: Awaited<ReturnType<typeof rowsBehind>>,
): Promise<readonly JoinedRow[]> {
  const records = await recordsOfCalls(
    live,
    rows.map((row) => ({
      callId: row.call_id,
      reporterId: row.reporter_id,
      atMs: row.at_ms,
      ...(row.record_id !== null && { recordId: row.record_id }),
    })),
  );
  const reported = rows.filter(({ report_id: reportId }) => reportId !== null);
  const range = { fromMs: reported[0]?.at_ms ?? 0, toMs: (reported.at(-1)?.at_ms ?? 0) + 1 };
  const found = await reports.findReports({ ...range, limit: REPORTS_OF_A_STEP, leavesOutUnreadable: true });
  const opened = new Map(found.reports.map(({ appId, report }) => [`${appId} ${report.reportId}`, report]));
  const joined: JoinedRow[] = [];
  for (const row of rows) {
    const { call_id: callId, reporter_id: reporterId, report_id: reportId } = row;
    const record = records.get(callId);
    let call = record === undefined ? undefined : joiner.record(record);
    if (reportId !== null) {
      const report = opened.get(`${reporterId} ${reportId}`) ?? (await reportOf(live, reporterId, reportId));
      if (report !== undefined) call = joiner.report(reporterId, report);
    }
    if (row.placed_call_id !== null) call?.placedCallId(row.placed_call_id);
    else joined.push({ callId, atMs: row.at_ms, call });
  }
  return joined;
}

const reportOf = (live: LiveReader, appId: string, reportId: string) =>
  live.report(appId, reportId).catch((error: unknown) => {
    if (!isUnreadable(error)) throw error;
    return undefined;
  });

/** Those that the detection has written meanwhile stay as it wrote them. */
async function write(context: PlatformContext, rows: readonly JoinedRow[]): Promise<void> {
  const callIds = rows.map(({ callId }) => callId);
  const placed = rows.map(({ call }) => call?.placedCallId() ?? '');
  await context.transact((transaction) =>
    sql`update campaigns_calls set placed_call_id = nullif(joined.placed, ''), is_unjoinable = (joined.placed = '')
      from unnest(${callIds}::text[], ${placed}::text[]) as joined(call_id, placed)
      where campaigns_calls.call_id = joined.call_id and campaigns_calls.placed_call_id is null`.execute(transaction),
  );
}

/** Says whether legal process asks for something. Carried out by the area `demands`; nothing is held where there is none. */
export interface CallHolds {
  readonly isHeld: (
    reading: Reading,
    item: {
      readonly recordClass: DemandRecordClass;
      readonly fromMs: number;
      readonly toMs: number;
      readonly campaignId: string;
    },
  ) => Promise<boolean>;
}

/** How long a call of a campaign is on its list: the retention of live records, after which there is nothing behind it. */
const CALLS_KEPT_MS = 90 * 86_400_000;
/** Classes that demands find by the list of calls of a campaign. */
const CLASSES_BY_CALLS: readonly DemandRecordClass[] = ['call-records', 'app-reports', 'recordings'];

/**
 * Removes calls of campaigns whose time is over, but for those of campaigns that a demand holds: under the id that they have now, or under one that they
 * had before a merger.
 */
export async function removeOldCalls(
  context: PlatformContext,
  holds: CallHolds | undefined,
  nowMs: number,
): Promise<void> {
  const beforeMs = nowMs - CALLS_KEPT_MS;
  const held = async (transaction: PlatformTransaction, ids: readonly string[]) => {
    const kept = new Set<string>();
    for (const id of ids)
      if (holds !== undefined && (await areHeld(transaction, holds, { campaignId: id, beforeMs }))) kept.add(id);
    return kept;
  };
  await removeOverdue(context, { ...callsClass(beforeMs), held }, nowMs);
}

/** Of a campaign that is over its calls before a time: what is due is the campaign, what is removed are they. */
const callsClass = (beforeMs: number): Omit<RetentionClass, 'held'> => ({
  name: 'campaigns.calls',
  keepMs: CALLS_KEPT_MS,
  due: async (transaction, { after, limit }) => {
    let query = campaignsTables(transaction)
      .selectFrom('campaigns_calls')
      .select('campaign_id')
      .distinct()
      .where('at_ms', '<', beforeMs);
    if (after !== undefined) query = query.where('campaign_id', '>', after);
    return (await query.orderBy('campaign_id').limit(limit).execute()).map(({ campaign_id }) => campaign_id);
  },
  remove: async (transaction, campaignIds) => {
    await campaignsTables(transaction)
      .deleteFrom('campaigns_calls')
      .where('campaign_id', 'in', campaignIds)
      .where('at_ms', '<', beforeMs)
      .execute();
  },
});

async function areHeld(
  transaction: PlatformTransaction,
  holds: CallHolds,
  { campaignId, beforeMs }: { readonly campaignId: string; readonly beforeMs: number },
): Promise<boolean> {
  const { oldest } = await campaignsTables(transaction)
    .selectFrom('campaigns_calls')
    .select(sql<number>`min(at_ms)`.as('oldest'))
    .where('campaign_id', '=', campaignId)
    .executeTakeFirstOrThrow();
  for (const id of await idsOfCampaign(transaction, campaignId)) {
    for (const recordClass of CLASSES_BY_CALLS) {
      const item = {
        recordClass,
        fromMs: oldest,
        toMs: beforeMs,
        campaignId: id,
      };
      if (await holds.isHeld(transaction, item)) return true;
    }
  }
  return false;
}

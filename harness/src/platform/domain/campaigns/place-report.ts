import type { AppReport } from '@hopback/sdk/platform';
import { exchangeText, npaNxxOfTn, numberKey, reportCallId } from './call-note.js';
import type { ReportedCall } from './call-note.js';
import type { ContentCluster } from './content-cluster.js';
import { addReport, callOfReport, createPlacedCall } from './placed-call.js';
import type { PlacedCalls } from './placed-call.js';

/** A report with the application that sent it. */
export interface ReceivedReport {
  readonly appId: string;
  readonly report: AppReport;
  readonly receivedAtMs: number;
}

/** What is known of a report beside what it says. */
export interface PlacedReportFacts {
  readonly reasons: readonly string[];
  /** What was heard in it. */
  readonly cluster: ContentCluster | undefined;
}

/**
 * Makes a report evidence of the call that it is about, which may be known already by records or by what another application reported. Where there is
 * no record of it yet, the report waits for one. Never throws.
 */
export function placeReport(
  calls: PlacedCalls,
  received: ReceivedReport,
  { reasons, cluster }: PlacedReportFacts,
): ReportedCall {
  const unplaced = { ...reportedCall(received), reasons };
  const { call } = unplaced;
  const npaNxx = calledNpaNxxOf(received.report);
  const placed = callOfReport(calls, unplaced, npaNxx) ?? createPlacedCall(call.atMs);
  const reported: ReportedCall = { ...unplaced, placed };
  addReport(placed, reported);
  waitForRecord(calls, { reported, cluster }, npaNxx);
  return reported;
}

/** Has a report be found by a record that is still to come. Never throws. */
export function waitForRecord(
  { waiting }: PlacedCalls,
  { reported, cluster }: { readonly reported: ReportedCall; readonly cluster: ContentCluster | undefined },
  calledNpaNxx: number,
): void {
  const { callingKey, placed, call } = reported;
  if (callingKey < 0 || placed.records.length > 0) return;
  waiting.put(callingKey, calledNpaNxx, { atMs: call.atMs, cluster, reported, isMet: false });
}

/** A report as evidence, before it is known of which call. Never throws. */
export function reportedCall({
  appId,
  report,
  receivedAtMs,
}: ReceivedReport): Omit<ReportedCall, 'placed' | 'reasons'> {
  const atMs = Date.parse(report.calledAt);
  const exchange = exchangeText(calledNpaNxxOf(report));
  return {
    call: {
      callId: reportCallId(appId, report.reportId),
      atMs: Number.isFinite(atMs) ? Math.min(atMs, receivedAtMs) : receivedAtMs,
      reporterId: appId,
      reportId: report.reportId,
      ...(exchange !== undefined && { calledNpaNxx: exchange }),
      ...(report.durationSeconds !== undefined && { durationSeconds: report.durationSeconds }),
    },
    callingKey: report.calling === undefined ? -1 : numberKey(report.calling),
    calledKey: report.called.shown === 'number' ? numberKey(report.called.tn) : -1,
    isCounted: false,
  };
}

/** Area code and exchange of the number called, -1 where they are not known. Never throws. */
export function calledNpaNxxOf({ called }: AppReport): number {
  if (called.shown === 'number') return npaNxxOfTn(called.tn);
  return called.npaNxx === undefined ? -1 : Number(called.npaNxx);
}

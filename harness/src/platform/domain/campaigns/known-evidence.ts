import type { CampaignCall, LiveRecord } from '../../core/index.js';
import { callNote, recordCallId, reportCallId } from './call-note.js';
import type { PlacedCall, ReportedCall } from './call-note.js';
import {
  addRecord,
  addReport,
  calledNpaNxxOf,
  createPlacedCall,
  isJoinable,
  numbersKey,
  putByNumbers,
  rememberedCalls,
  rememberRecord,
  reportedCall,
  reportsOfRecord,
  waitForRecord,
} from './placed-call.js';
import type { PlacedCalls, ReceivedReport, WaitingReport } from './placed-call.js';

/** A record or report that was counted before a restart. */
export type KnownEvidence = Pick<CampaignCall, 'callId' | 'placedCallId' | 'reporterId' | 'recordId' | 'reportId'> & {
  readonly campaignId: string;
};

/** Puts what was counted before a restart back to the calls that it is evidence of, when it is read again. */
export interface KnownEvidenceTable {
  readonly note: (counted: KnownEvidence) => void;
  /** Nothing happens for a record that is not known, or was read again before. Never throws. */
  readonly placeRecord: (live: LiveRecord) => void;
  /** The same of a report. */
  readonly placeReport: (received: ReceivedReport) => void;
  /** Marks what was heard before it was noted, and forgets what was neither read again nor heard. Never throws. */
  readonly settle: () => void;
}

/** Makes the table; it is empty again when it is settled. */
export function createKnownEvidence(calls: PlacedCalls): KnownEvidenceTable {
  const counted = new Map<string, KnownEvidence>();
  const placed = new Map<string, PlacedCall>();
  const take = (callId: string): KnownEvidence | undefined => {
    const known = counted.get(callId);
    counted.delete(callId);
    return known;
  };
  const callOf = ({ placedCallId, campaignId }: KnownEvidence, atMs: number): PlacedCall => {
    const call = placed.get(placedCallId) ?? createPlacedCall(atMs, placedCallId);
    placed.set(placedCallId, call);
    call.campaignId = campaignId;
    return call;
  };
  return {
    note: (one) => void counted.set(one.callId, one),
    placeRecord: (live) => {
      const known = counted.size === 0 ? undefined : take(recordCallId(live.providerId, live.record.recordId));
      if (known === undefined) return;
      const note = callNote(live, calls.policy);
      note.campaignId = known.campaignId;
      const call = callOf(known, note.atMs);
      addRecord(call, note);
      rememberRecord(calls, note, call, live);
      if (isJoinable(note)) putByNumbers(calls.counted, numbersKey(note), call);
      for (const waiting of reportsOfRecord(calls, note, call)) takeUncounted(call, waiting);
    },
    placeReport: (received) => {
      const { appId, report } = received;
      const known = counted.size === 0 ? undefined : take(reportCallId(appId, report.reportId));
      if (known === undefined) return;
      const unplaced = reportedCall(received);
      const { atMs } = unplaced.call;
      const reported: ReportedCall = { ...unplaced, reasons: [], placed: callOf(known, atMs), isCounted: true };
      addReport(reported.placed, reported);
      waitForRecord(calls, { reported, cluster: undefined }, calledNpaNxxOf(report));
    },
    settle: () => {
      if (counted.size > 0) for (const call of rememberedCalls(calls)) markCounted(calls, call, take);
      counted.clear();
      placed.clear();
    },
  };
}

/** Reports that were read again before a record of their call: those that were counted for another call stay there until a record ties the two. */
function takeUncounted(call: PlacedCall, waiting: WaitingReport): void {
  const { placed: other } = waiting.reported;
  if (other === call) return;
  if (other.campaignId !== undefined) {
    waiting.isMet = false;
    return;
  }
  for (const reported of other.reports) addReport(call, reported);
  other.reports = [];
}

/** A call that was heard, of which records or reports turn out to be counted: what comes later of it is counted with them. */
function markCounted(
  { counted }: PlacedCalls,
  call: PlacedCall,
  take: (callId: string) => KnownEvidence | undefined,
): void {
  const mark = ({ placedCallId, campaignId }: KnownEvidence): void => {
    call.name ??= placedCallId;
    call.campaignId ??= campaignId;
  };
  for (const note of call.records) {
    const known = note.campaignId === undefined ? take(recordCallId(note.reporterId, note.recordId)) : undefined;
    if (known === undefined) continue;
    mark(known);
    note.campaignId = known.campaignId;
    if (isJoinable(note)) putByNumbers(counted, numbersKey(note), call);
  }
  for (const reported of call.reports) {
    const known = reported.isCounted ? undefined : take(reported.call.callId);
    if (known === undefined) continue;
    mark(known);
    reported.isCounted = true;
  }
}

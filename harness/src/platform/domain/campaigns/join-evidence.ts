import type { AppReport } from '@hopback/sdk/platform';
import type { LiveRecord } from '../../core/index.js';
import { callNote } from './call-note.js';
import { createCampaignBook } from './campaign-book.js';
import { DEFAULT_CAMPAIGN_POLICY } from './campaign-policy.js';
import { createPlacedCalls, placedCallId, placeReport } from './placed-call.js';
import { placeRecord } from './count-evidence.js';

/** Says of which call records and reports are, without looking for campaigns. */
export interface EvidenceJoiner {
  /** Id of the placed call. Never throws. */
  readonly record: (live: LiveRecord) => string;
  /** The same of a report. Never throws. */
  readonly report: (appId: string, report: AppReport) => string;
}

/** Calls that are remembered: those of some minutes, where records and reports come by time. */
const REMEMBERED = 65_536;

/**
 * Makes a joiner, which joins as the detection of campaigns does. It remembers the latest calls: records and reports of one call have to come within
 * minutes of each other, in any order.
 */
export function createEvidenceJoiner(): EvidenceJoiner {
  const policy = DEFAULT_CAMPAIGN_POLICY;
  const limits = { calls: REMEMBERED, reports: REMEMBERED };
  // Nothing is counted for a campaign, so that the book stays empty.
  const counting = {
    book: createCampaignBook({ newId: () => '', limit: 1 }),
    calls: createPlacedCalls(policy, limits),
  };
  return {
    record: (live) => {
      const note = callNote(live, policy);
      placeRecord(counting, note, live);
      return note.placed === undefined ? '' : placedCallId(note.placed);
    },
    report: (appId, report) => {
      const received = { appId, report, receivedAtMs: Number.MAX_SAFE_INTEGER };
      return placedCallId(placeReport(counting.calls, received, { reasons: [], cluster: undefined }).placed);
    },
  };
}

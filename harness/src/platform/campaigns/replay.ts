import type { AppReport } from '@hopback/sdk/platform';
import { nextTurn } from '@hopback/sdk/internal';
import type { LiveReader, ReportReader } from '../core/index.js';
import type { CampaignEngine } from '../domain/campaigns/index.js';

/** Where live data are read again from. */
export interface ReplayPorts {
  readonly live: Pick<LiveReader, 'find'>;
  readonly reports: ReportReader;
}

/** What is gathered of records that are no campaign yet is not stored: it is gathered again from so much of the past. */
export const REPLAY_MS = 1_800_000;
/** The same of reports, which are few: five people hear a swindle in a day rather than in half an hour. */
export const REPORTS_REPLAY_MS = 86_400_000;
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
export async function replay(
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
      ...{ fromMs: toMs - REPORT_SLICE_MS, toMs, limit: REPORT_SLICE_LIMIT, leavesOutUnreadable: true },
    });
    slices.push(found.reports.map((one) => ({ ...one, atMs: Date.parse(one.report.calledAt) })));
    count += found.reports.length;
    if (count >= MAX_REPORTS) break;
  }
  return slices.toReversed().flat();
}

import type { AppReport } from '@hopback/sdk/platform';
import { finalNumber } from '../node/index.js';
import type { NetworkPlan, PlannedCall } from '../plan/index.js';
import type { ReachedCall } from './callees.js';
import type { PlatformMember } from './world-platform.js';

const REPORT_ID = /^call-(\d+)$/;
const SECOND_MS = 1_000;
const MS_DIGITS = 1_000;

/** Id of the report of a call. */
export const reportIdOf = ({ index }: PlannedCall): string => `call-${String(index)}`;

/** Index of the call that a report is of; undefined for those of others. */
export function callOfReport(reportId: string): number | undefined {
  const index = REPORT_ID.exec(reportId)?.[1];
  return index === undefined ? undefined : Number(index);
}

/** What a call-blocking app heard of a call, and says of it. */
export function reportOf({ call, atMs, calling, verstat, isRejected }: ReachedCall, plan: NetworkPlan): AppReport {
  const servedBy = plan.providers.find(({ id }) => id === call.way.at(-1))?.name;
  return {
    ...{ format: 'hopback.app-report.1', reportId: reportIdOf(call), app: { name: 'Call guard' } },
    ...{ calledAt: new Date(atMs).toISOString(), called: { shown: 'number', tn: finalNumber(call) } },
    ...(calling !== undefined && isNumber(calling) && { calling }),
    ...(verstat !== undefined && { verstat }),
    ...(servedBy !== undefined && { servedBy }),
    ...{ action: isRejected ? 'blocked' : 'answered-by-app', reason: 'content' },
    ...(call.isAnswered && { durationSeconds: Math.round(call.durationMs / MS_DIGITS) }),
    ...(call.transcript !== undefined && { transcript: { text: call.transcript, language: 'en' } }),
  };
}

/** As E.164 has them: what a caller shows that is none is left out. */
const isNumber = (digits: string): boolean => /^[1-9]\d{6,14}$/.test(digits);

/** Sends reports to the platform when their calls are over. */
export interface ReportDesk {
  readonly report: (reached: ReachedCall) => void;
  /** Resolves when all that was reported is with the platform. */
  readonly sent: () => Promise<void>;
}

/** Opens the desk of the network's app. What cannot be reported is a trouble of the network. */
export function openReportDesk(
  plan: NetworkPlan,
  { client }: PlatformMember,
  onTrouble: (what: string) => void,
): ReportDesk {
  const pending = new Set<Promise<void>>();
  const reported = new Set<number>();
  const send = async (reached: ReachedCall): Promise<void> => {
    // What was said is known when it was heard.
    const { call } = reached;
    const heardMs = call.isAnswered && !call.isRejected ? call.durationMs : 0;
    await new Promise((resolve) => setTimeout(resolve, heardMs + SECOND_MS / 10));
    try {
      await client.appReports.create(reportOf(reached, plan));
    } catch (error) {
      onTrouble(`a report was not taken: ${String(error)}`);
    }
  };
  return {
    report: (reached) => {
      // A call that was forked rings twice, and is one.
      if (reported.has(reached.call.index)) return;
      reported.add(reached.call.index);
      const sending = send(reached).finally(() => pending.delete(sending));
      pending.add(sending);
    },
    sent: async () => {
      while (pending.size > 0) await Promise.all(pending);
    },
  };
}

import { SeededRandom } from '../../harness/src/faults/index.js';
import { recordCallId, reportCallId } from '../../harness/src/platform/domain/campaigns/call-note.js';
import type { LiveRecord } from '../../harness/src/platform/core/index.js';
import type { AppReport } from '../../sdk/src/platform/index.js';
import { appReport, liveCall, LIVE_START_MS, SSA_TRANSCRIPT, type LiveCall } from './itg-live-calls.js';

// Calls with records of several carriers and reports, of which it is known by how they are made which are of one call.

/** A record or report with the call that it was made of. */
export type MadeEvidence = { readonly callIndex: number; readonly callId: string; readonly atMs: number } & (
  | { readonly kind: 'record'; readonly live: LiveRecord }
  | { readonly kind: 'report'; readonly appId: string; readonly report: AppReport }
);

export interface HopPlan {
  readonly seed: number;
  readonly calls: number;
  /** Share of records and reports that arrive. */
  readonly arriving: number;
  /** Milliseconds that clocks of carriers and telephones may be off, either way. */
  readonly carrierSkewMs: number;
  readonly phoneSkewMs: number;
  /** Seconds after which every fifth call is placed again between the same numbers; such calls are not reported. */
  readonly againAfterSeconds: number;
  /** Whether carriers say of which PASSporT they verified the signature. */
  readonly hasPassports: boolean;
}

const CARRIERS = ['prv-1', 'prv-2', 'prv-3', 'prv-4'] as const;
const HOP_MS = 150;

export function makeEvidence(plan: HopPlan): readonly MadeEvidence[] {
  const random = new SeededRandom(plan.seed, 'hops');
  const skews = new Map(CARRIERS.map((carrier) => [carrier, spread(random, plan.carrierSkewMs)]));
  return Array.from({ length: plan.calls }, (_, index) => index).flatMap((index) => {
    const isAgain = index % 5 === 4;
    const pair = isAgain ? index - 1 : index;
    const exchange = `1390${String(200 + (pair % 700))}`;
    const startMs = LIVE_START_MS + pair * 3_000 + (isAgain ? plan.againAfterSeconds * 1_000 : 0);
    const isReported = !isAgain && index % 5 !== 3 && random.chance(0.5);
    const talked = random.chance(0.5) ? { seconds: 1 + random.int(8) } : {};
    const calling = `${exchange}${String(1_000 + (pair % 4_000))}`;
    const called = `${exchange}${String(6_000 + (pair % 4_000))}`;
    // Who calls again calls by the same way.
    const way = new SeededRandom(plan.seed, `way ${pair}`);
    const route = CARRIERS.slice(way.int(2), 2 + way.int(3));
    const passport = plan.hasPassports && { origId: `orig-${index % 3}`, iatSeconds: Math.floor(startMs / 1_000) };
    const records = route.flatMap((providerId, hop) => {
      const atMs = startMs + hop * HOP_MS + (skews.get(providerId) ?? 0);
      const legs = random.chance(0.2) ? 2 : 1;
      return Array.from({ length: legs }, (_none, leg) =>
        hopRecord(
          { index, leg, providerId, atMs, calling, called, ...talked, isWhole: providerId === 'prv-3' },
          passport,
        ),
      );
    });
    const made: MadeEvidence[] = records.map((live) => ({
      ...{ kind: 'record', live, callIndex: index, atMs: live.record.inviteAtUs / 1_000 },
      callId: recordCallId(live.providerId, live.record.recordId),
    }));
    const reportAtMs = startMs + 3_000 + spread(random, plan.phoneSkewMs);
    const report = appReport(index, {
      ...{ calling, reportId: `report-${index}`, calledAt: new Date(reportAtMs).toISOString() },
      called: random.chance(0.5)
        ? { shown: 'number', tn: called }
        : { shown: 'pseudonym', pseudonym: 'a'.repeat(32), npaNxx: called.slice(1, 7) },
      transcript: { text: SSA_TRANSCRIPT, language: 'en' },
    });
    if (isReported)
      made.push({
        ...{ kind: 'report', appId: 'app-1', report, callIndex: index, atMs: reportAtMs },
        callId: reportCallId('app-1', report.reportId),
      });
    return made.filter(() => random.chance(plan.arriving));
  });
}

/** The record of one leg of a call, as a carrier that hides nothing but the called number makes it. */
function hopRecord(
  call: { index: number; leg: number; isWhole: boolean; called: string } & Omit<LiveCall, 'at'>,
  passport: { readonly origId: string; readonly iatSeconds: number } | false,
): LiveRecord {
  const { index, leg, isWhole, atMs = 0, called, providerId = '' } = call;
  const live = liveCall({
    ...{ ...call, at: index * 2 + leg, atMs: atMs + leg * 20, spc: '333C', attestation: 'C' },
    ...{ upstream: 'Cedar Gateway Corp.', trunk: `trunk-${providerId}` },
  });
  const { record } = live;
  return {
    ...live,
    // It may come hours after the call.
    receivedAtMs: LIVE_START_MS + 86_400_000,
    record: {
      ...record,
      callGroupId: `group-${index}`,
      ...(isWhole && { called: { shown: 'whole', asWritten: called, tn: called } }),
      received: { ...record.received, ...passport },
    },
  };
}

const spread = (random: SeededRandom, mostMs: number): number => random.int(2 * mostMs + 1) - mostMs;

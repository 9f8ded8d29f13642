import { SeededRandom } from '../../harness/src/faults/index.js';
import type { LiveRecord } from '../../harness/src/platform/core/index.js';
import type { CallRecord, ReceivedVerification } from '../../sdk/src/contract/call-record.js';
import type { AppReport } from '../../sdk/src/platform/index.js';
import { recordIdOf } from '../../sdk/src/records/record-id.js';
import { SharingPolicy, DEFAULT_SHARING_POLICY } from '../../sdk/src/records/redaction/sharing-policy.js';
import type { SendingLevel } from '../../sdk/src/records/redaction/sharing-policy.js';
import { SuspicionTracker } from '../../sdk/src/records/suspicion/suspicion-tracker.js';
import { ALLOCATED, CARRIERS, type PlannedCall } from './itg-planned-call.js';
import { planOrdinary, type Burst } from './itg-ordinary.js';
import { planCampaign, type PlantedCampaign } from './itg-planted.js';

// Calls of many carriers and reports of applications of which it is known who made them and why, as the platform gets them: each carrier
// judges its own calls by the sdk's policy and shares them by the sdk's policy. Numbers are in area codes that nobody has.

/** What reaches the platform, in the order of time. */
export type TrafficItem =
  | { readonly kind: 'record'; readonly live: LiveRecord; readonly campaign: string | undefined }
  | {
      readonly kind: 'report';
      readonly report: AppReport;
      readonly atMs: number;
      readonly campaign: string | undefined;
    }
  /** The call was made; what the platform gets of it is another thing. */
  | { readonly kind: 'call'; readonly atMs: number; readonly campaign: string | undefined };

export interface TrafficOptions {
  readonly seed: number;
  readonly seconds: number;
  /** Ordinary calls a second. */
  readonly perSecond: number;
  readonly share: SendingLevel;
  readonly campaigns?: readonly PlantedCampaign[];
  /** Ordinary callers beside those of every day. */
  readonly kinds?: readonly Burst[];
}

/** Makes traffic second by second, so that a million calls need no memory. */
export function* itgTraffic(options: TrafficOptions): Generator<TrafficItem> {
  const { seed, seconds, campaigns = [] } = options;
  const random = new SeededRandom(seed, 'itg-traffic');
  const ordinary = planOrdinary(random.fork('ordinary'), options.perSecond, options.kinds);
  const planted = campaigns.map((campaign) => planCampaign(random.fork(campaign.name), campaign));
  const carriers = sharingCarriers(options.share);
  for (let second = 0; second < seconds; second += 1) {
    const calls = [...ordinary(second), ...planted.flatMap((plan) => plan(second))];
    calls.sort((a, b) => a.atMs - b.atMs);
    for (const call of calls) yield* itemsOf(call, carriers, random);
  }
}

let index = 0;

function* itemsOf(call: PlannedCall, share: ShareCall, random: SeededRandom): Generator<TrafficItem> {
  index += 1;
  yield { kind: 'call', atMs: call.atMs, campaign: call.campaign };
  const live = share(recordOf(call, index), call);
  if (live !== undefined) yield { kind: 'record', live, campaign: call.campaign };
  if (call.heard === undefined) return;
  yield { kind: 'report', report: reportOf(call, index, random), atMs: call.atMs, campaign: call.campaign };
}

type ShareCall = (record: CallRecord, call: PlannedCall) => LiveRecord | undefined;

function sharingCarriers(share: SendingLevel): ShareCall {
  const carriers = Array.from({ length: CARRIERS }, (_, at) => ({
    providerId: `prv-${String(at)}`,
    tracker: new SuspicionTracker({ allocated: ALLOCATED }),
    policy: new SharingPolicy({
      data: { ...DEFAULT_SHARING_POLICY, share },
      ...{ key: new Uint8Array(32).fill(at + 1), rotationId: '2026-11', tenantId: `prv-${String(at)}` },
    }),
  }));
  return (record, call) => {
    const carrier = carriers[call.carrier];
    if (carrier === undefined) throw new Error('there is no such carrier');
    const outcome = carrier.policy.share(record, carrier.tracker.judge(record));
    if (outcome.status !== 'shared') return undefined;
    // Records are sent in batches when calls have ended; here at once, so that what is measured is the platform.
    return { providerId: carrier.providerId, record: outcome.record, receivedAtMs: call.atMs + 500 };
  };
}

function recordOf(call: PlannedCall, at: number): CallRecord {
  const inviteAtUs = Math.floor(call.atMs * 1_000);
  const answeredAtUs = inviteAtUs + 8_000_000;
  const legId = `leg-${String(at)}`;
  const { seconds, upstream } = call;
  return {
    format: 'hopback.call-record.1',
    recordId: recordIdOf({ sourceId: `switch-${String(call.carrier)}`, legId, inviteAtUs }),
    source: { id: 'switch-1', format: 'hopback', readerVersion: 1, sha256: 'a'.repeat(64) },
    legId,
    callGroupId: `call-${String(at)}`,
    inviteAtUs,
    ...(seconds === undefined ? {} : { answeredAtUs }),
    endedAtUs: seconds === undefined ? answeredAtUs : answeredAtUs + Math.round(seconds * 1_000_000),
    time: { written: 'utc', resolutionUs: 1 },
    calling: { asWritten: call.calling, tn: call.calling },
    called: { asWritten: call.called, tn: call.called },
    ingress: { trunk: call.trunk, ...(upstream === undefined ? {} : { provider: upstream }) },
    egress: { trunk: 'own-subscribers' },
    disposition: seconds === undefined ? 'no-answer' : 'answered',
    received: receivedOf(call, inviteAtUs),
  };
}

function receivedOf({ spc, attestation, verstat }: PlannedCall, inviteAtUs: number): ReceivedVerification {
  if (spc === undefined) return { verstat: 'No-TN-Validation' };
  return {
    verstat: verstat ?? 'TN-Validation-Passed',
    spc,
    iatSeconds: Math.floor(inviteAtUs / 1_000_000),
    ...(attestation === undefined ? {} : { attestation }),
  };
}

function reportOf(call: PlannedCall, at: number, random: SeededRandom): AppReport {
  const { heard } = call;
  const verstat = call.verstat ?? (call.spc === undefined ? undefined : 'TN-Validation-Passed');
  return {
    format: 'hopback.app-report.1',
    reportId: `report-${String(at)}`,
    app: { name: 'Call guard' },
    calledAt: new Date(call.atMs + random.int(20_000)).toISOString(),
    called: {
      shown: 'pseudonym',
      pseudonym: `${call.called.slice(1)}${'0'.repeat(22)}`,
      npaNxx: call.called.slice(1, 7),
    },
    calling: call.calling,
    ...(verstat === undefined ? {} : { verstat }),
    servedBy: `prv-${String(call.carrier)}`,
    action: 'answered-by-app',
    reason: heard?.reason ?? 'other',
    ...(heard?.transcript === undefined ? {} : { transcript: { text: heard.transcript, language: 'en' } }),
    ...(heard?.fingerprint === undefined
      ? {}
      : { audioFingerprint: { algorithm: 'chromaprint-2', value: heard.fingerprint, durationMs: 30_000 } }),
  };
}

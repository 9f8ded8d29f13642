import type { LiveRecord } from '../../harness/src/platform/core/index.js';
import { createCampaignEngine } from '../../harness/src/platform/domain/campaigns/campaign-engine.js';
import type { CampaignEngine } from '../../harness/src/platform/domain/campaigns/campaign-engine.js';
import type { SharedRecord } from '../../sdk/src/contract/call-record.js';
import type { AppReport } from '../../sdk/src/platform/index.js';

export const LIVE_START_MS: number = Date.UTC(2026, 10, 16, 15);

/** What a live record is made of; the rest is the same for all. */
export interface LiveCall {
  readonly at: number;
  readonly providerId?: string;
  readonly atMs?: number;
  readonly calling?: string;
  readonly called?: string;
  readonly trunk?: string;
  readonly upstream?: string;
  readonly spc?: string;
  readonly attestation?: 'A' | 'B' | 'C';
  readonly seconds?: number;
  readonly told?: readonly string[];
  /** Whether its carrier suspects it: default true. A carrier that shares calls that it does not suspect shares all. */
  readonly isSuspected?: boolean;
}

/** A record as a carrier shares it, its called number under a pseudonym. */
export function liveCall(call: LiveCall): LiveRecord {
  const { at, providerId = 'prv-1', atMs = LIVE_START_MS + at * 200 } = call;
  const { calling = `1290345${line(at)}`, called = `1390456${line(at)}` } = call;
  const { seconds, spc, told, upstream } = call;
  const record: SharedRecord = {
    format: 'hopback.shared-record.1',
    recordId: at.toString(16).padStart(32, '0'),
    sharing: {
      policyId: 'test',
      form: 'pseudonymous',
      rotationId: '2026-11',
      suspicion:
        call.isSuspected === false
          ? { score: 0, level: 'none', signals: [] }
          : { score: 0.7, level: 'suspicious', signals: told ?? [] },
    },
    source: { format: 'hopback', readerVersion: 1 },
    callGroupId: `group-${String(at)}`,
    inviteAtUs: atMs * 1_000,
    ...(seconds !== undefined && { answeredAtUs: atMs * 1_000, endedAtUs: (atMs + seconds * 1_000) * 1_000 }),
    time: { written: 'utc', resolutionUs: 1 },
    calling: { shown: 'number', tn: calling },
    called: { shown: 'pseudonym', pseudonym: called.padStart(32, '0'), npaNxx: called.slice(1, 7) },
    ingress: { trunk: call.trunk ?? 'trunk-1', ...(upstream !== undefined && { provider: upstream }) },
    egress: {},
    disposition: seconds === undefined ? 'no-answer' : 'answered',
    received:
      spc === undefined
        ? { verstat: 'No-TN-Validation' }
        : { verstat: 'TN-Validation-Passed', spc, attestation: call.attestation ?? 'A' },
  };
  return { providerId, record, receivedAtMs: atMs + 1_000 };
}

/** Calls that show a number of the exchange that they call: a campaign by way of calling. */
export const neighbourCalls = (count: number, rest: Partial<LiveCall> & { readonly from?: number } = {}) =>
  Array.from({ length: count }, (_, index) => {
    const at = (rest.from ?? 0) + index;
    const exchange = `1390${String(200 + (at % 50))}`;
    return liveCall({
      ...{ spc: '333C', attestation: 'C', upstream: 'Cedar Gateway Corp.' },
      ...rest,
      ...{
        at,
        calling: `${exchange}${String(1_000 + (at % 4_000))}`,
        called: `${exchange}${String(6_000 + (at % 4_000))}`,
      },
    });
  });

/** Another way of calling than that of `neighbourCalls` by themselves. */
export const DUNE = { spc: '444D', upstream: 'Dune', trunk: 'trunk-2' };

/** The same calls as another carrier on their way records them, a second and a half later. */
export const secondRecords = (records: readonly LiveRecord[]): readonly LiveRecord[] =>
  records.map(({ record, receivedAtMs }) => ({
    ...{ providerId: 'prv-9', receivedAtMs: receivedAtMs + 2_000 },
    record: {
      ...record,
      inviteAtUs: record.inviteAtUs + 1_500_000,
      ingress: { trunk: 'from-cedar', provider: 'Alder' },
      received: { verstat: 'No-TN-Validation' as const },
    },
  }));

/** An engine that has read some records. Its campaigns are `c-1`, `c-2` and so on. */
export function testEngine(
  records: readonly LiveRecord[] = [],
  options: Partial<Parameters<typeof createCampaignEngine>[0]> = {},
): CampaignEngine {
  let made = 0;
  const newId = (): string => `c-${String((made += 1))}`;
  const engine = createCampaignEngine({ newId, allocated: new Set(['290', '390']), ...options });
  for (const live of records) engine.record(live);
  return engine;
}

export const SSA_TRANSCRIPT =
  'This call is from the Social Security Administration. Your social security number has been suspended because of suspicious activity in the state of Texas. Press one now to speak to an officer or a warrant for your arrest will be issued.';

export function appReport(at: number, rest: Partial<AppReport> = {}): AppReport {
  return {
    format: 'hopback.app-report.1',
    reportId: `report-${String(at)}`,
    app: { name: 'Call guard' },
    calledAt: new Date(LIVE_START_MS + at * 200).toISOString(),
    called: { shown: 'number', tn: `1390456${line(at)}` },
    calling: `1290345${line(at)}`,
    servedBy: 'Alder Telephone',
    action: 'answered-by-app',
    reason: 'content',
    transcript: { text: SSA_TRANSCRIPT, language: 'en' },
    ...rest,
  };
}

const line = (at: number): string => String(1_000 + (at % 9_000));

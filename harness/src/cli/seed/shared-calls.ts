import { createHash } from 'node:crypto';
import { gzipSync } from 'node:zlib';
import type { AppReport, CallRecord, RecordBatch, SharedRecord } from '@hopback/sdk/platform';
import { RECORD_BATCH_TYPE } from '@hopback/sdk/platform';
import {
  createSharingPolicy,
  createSuspicionTracker,
  DEFAULT_SHARING_POLICY,
  recordIdOf,
  shareRecord,
  sourceSha256,
} from '@hopback/sdk/records';
import type { SharingPolicy } from '@hopback/sdk/records';
import { demoProvider } from './demo-world.js';
import type { DemoCall } from './planned-calls.js';

// What carriers and the application make of the calls of the demo, as carriers and applications do.

/**
 * Calls that a carrier finds suspicious leave with their caller, all others under pseudonyms. To the policy of the sdk every number of 555-01XX is
 * suspicious, since nobody has one, so that here it is planned which calls are.
 */
const [ORDINARY, SUSPICIOUS] = [
  DEFAULT_SHARING_POLICY.members['all-pseudonymous'],
  DEFAULT_SHARING_POLICY.members.suspicious,
];

const SOURCE = 'demo-switch';
/** Milliseconds until somebody answers. */
const RINGING_MS = 6_000;

/** Id of the record of a call at the carrier that serves the subscriber. */
export function recordIdOfCall(call: DemoCall): string {
  return recordIdOf({ sourceId: SOURCE, legId: `leg-${call.index}`, inviteAtUs: call.atMs * 1_000 });
}

/**
 * The batch that a carrier sends of its calls.
 * @param word - of the carrier
 * @param nowMs - when it is made
 */
export function batchOfCarrier(word: string, calls: readonly DemoCall[], nowMs: number): RecordBatch {
  const { providerId } = demoProvider(word);
  const key = createHash('sha256').update(`demo ${providerId}`).digest();
  const [ordinary, suspicious] = [ORDINARY, SUSPICIOUS].map((members) =>
    createSharingPolicy({
      ...{ key, rotationId: 'demo-1', tenantId: providerId },
      data: {
        ...{ ...DEFAULT_SHARING_POLICY, id: 'demo-sharing-1', share: 'all-pseudonymous' },
        members: { ...DEFAULT_SHARING_POLICY.members, 'all-pseudonymous': members },
      },
    }),
  ) as [SharingPolicy, SharingPolicy];
  const tracker = createSuspicionTracker();
  const records: SharedRecord[] = [];
  for (const call of calls) {
    if (call.way.providers[0] !== word) continue;
    const record = recordOf(call);
    const outcome = call.isOfCampaign
      ? shareRecord(suspicious, record, tracker.judge(record))
      : shareRecord(ordinary, record, undefined);
    if (outcome.status === 'shared') records.push(outcome.record);
  }
  const body = gzipSync(records.map((record) => `${JSON.stringify(record)}\n`).join(''));
  const id = createHash('sha256').update(body).digest('hex').slice(0, 32);
  const source = `urn:hopback:demo:${word}`;
  return { id, source, type: RECORD_BATCH_TYPE, timeMs: nowMs, count: records.length, encoding: 'gzip', body };
}

function recordOf(call: DemoCall): CallRecord {
  const { atMs, way, seconds } = call;
  const upstream = way.providers[1];
  const signer = way.signed === undefined ? undefined : demoProvider(way.signed.by).spc;
  const answeredAtUs = (atMs + RINGING_MS) * 1_000;
  return {
    format: 'hopback.call-record.1',
    recordId: recordIdOfCall(call),
    source: { id: SOURCE, format: 'hopback', readerVersion: 1, sha256: sourceSha256(`leg-${call.index} ${atMs}`) },
    ...{ legId: `leg-${call.index}`, callGroupId: `call-${call.index}`, inviteAtUs: atMs * 1_000 },
    ...(seconds !== undefined && { answeredAtUs }),
    endedAtUs: answeredAtUs + (seconds ?? 0) * 1_000_000,
    time: { written: 'utc', resolutionUs: 1_000 },
    calling: { asWritten: call.calling, tn: call.calling },
    called: { asWritten: call.called, tn: call.called },
    ingress: upstream === undefined ? {} : { trunk: `from-${upstream}`, provider: demoProvider(upstream).name },
    egress: { trunk: 'subscribers' },
    disposition: seconds === undefined ? 'no-answer' : 'answered',
    received:
      signer === undefined || way.signed === undefined
        ? { verstat: 'No-TN-Validation' }
        : {
            ...{ verstat: 'TN-Validation-Passed', attestation: way.signed.attestation, spc: signer },
            iatSeconds: Math.floor(atMs / 1_000),
          },
  };
}

/** The report of a call in which something was heard; undefined for others. */
export function reportOfCall(call: DemoCall): AppReport | undefined {
  const { heard, way, called, calling, atMs, seconds } = call;
  const carrier = demoProvider(way.providers[0] ?? 'ivy');
  if (heard === undefined) return undefined;
  return {
    ...{ format: 'hopback.app-report.1', reportId: `demo-${call.index}`, app: { name: 'Call Guard', version: '4.2' } },
    calledAt: new Date(atMs + RINGING_MS / 2).toISOString(),
    // Of subscribers whose carrier streams the application says no more than the exchange; others have said that their number may be told.
    called:
      carrier.exchange === undefined
        ? { shown: 'number', tn: called }
        : {
            shown: 'pseudonym',
            pseudonym: createHash('sha256').update(called).digest('hex').slice(0, 32),
            npaNxx: called.slice(1, 7),
          },
    ...{ calling, servedBy: carrier.name, action: 'answered-by-app', reason: 'content' },
    ...(seconds !== undefined && { durationSeconds: seconds }),
    transcript: { text: heard, language: 'en' },
  };
}

import type { CallRecord, SharedRecord } from '../../sdk/src/contract/call-record.js';
import { SharingPolicy, DEFAULT_SHARING_POLICY } from '../../sdk/src/records/redaction/sharing-policy.js';
import type { SendingLevel } from '../../sdk/src/records/redaction/sharing-policy.js';
import type { Suspicion } from '../../sdk/src/records/suspicion/suspicion.js';

/** Levels at which records leave. */
export const SENDING_LEVELS: readonly SendingLevel[] = ['suspicious', 'all-pseudonymous', 'all'];

const SUSPICIOUS: Suspicion = {
  ...{ score: 0.75, level: 'suspicious', policyId: 'test', notJudged: [] },
  signals: [
    {
      ...{ name: 'fan-out', about: 'calling-number', strength: 0.5, observed: 900, threshold: 300 },
      evidence: { recordIds: ['c'.repeat(32)] },
    },
  ],
};

const POLICIES = new Map(
  SENDING_LEVELS.map((share) => [
    share,
    new SharingPolicy({
      data: { ...DEFAULT_SHARING_POLICY, share },
      ...{ key: new Uint8Array(32).fill(0x5a), rotationId: '2026-11', tenantId: 'carrier-1' },
    }),
  ]),
);

/** What leaves of a record at a level, by the policy that holds where none is given; the call is suspicious. */
export function sharedRecord(record: CallRecord, level: SendingLevel): SharedRecord {
  const outcome = POLICIES.get(level)!.share(record, SUSPICIOUS);
  if (outcome.status !== 'shared') throw new Error('the record was not shared');
  return outcome.record;
}

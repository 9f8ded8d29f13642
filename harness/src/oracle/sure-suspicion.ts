import { createSuspicionTracker, DEFAULT_SHARING_POLICY, DEFAULT_SUSPICION_POLICY } from '@hopback/sdk/records';
import type { CallRecord } from '@hopback/sdk/records';
import type { TrueHop } from '../network/truth/index.js';

/** What a record of a call says whatever else is known of it: refused calls are judged, and say nothing of those after them. */
const BARE: Omit<CallRecord, 'calling' | 'called'> = {
  format: 'hopback.call-record.1',
  recordId: '0'.repeat(32),
  source: { id: 'oracle', format: 'hopback', readerVersion: 1, sha256: '0'.repeat(64) },
  ...{ legId: '', callGroupId: '', inviteAtUs: 0, time: { written: 'utc', resolutionUs: 1 } },
  ...{ ingress: {}, egress: {}, disposition: 'blocked' },
};
/** Nothing is to be remembered. */
const LIMITS = { numbers: 16, trunks: 16, signers: 16, calls: 16, rows: 16 };
/** Country code 1 and ten digits: numbers that every switch writes down in the same form. */
const WRITTEN_ALIKE = /^1\d{10}$/;

/**
 * Tells which records a carrier shares that shares what is suspicious, as far as that is certain. Signals add up, and none takes away from another: where the
 * calling number alone is enough, nothing that other calls say changes it. What is suspicious is said by the judgement that carriers use.
 * @returns tells it of a hop: the number that came and the one that left may each stand in its record
 */
export function createSureSuspicion(): (hop: Pick<TrueHop, 'receives' | 'sends'>) => boolean {
  const tracker = createSuspicionTracker({ policy: { ...DEFAULT_SUSPICION_POLICY, limits: LIMITS } });
  const isEnough = (calling: string): boolean => {
    if (!WRITTEN_ALIKE.test(calling)) return false;
    const { level } = tracker.judge({ ...BARE, calling: { asWritten: calling, tn: calling } });
    return level === 'suspicious' || level === DEFAULT_SHARING_POLICY.suspiciousFrom;
  };
  return ({ receives, sends }) =>
    isEnough(receives.calling) && (receives.calling === sends.calling || isEnough(sends.calling));
}

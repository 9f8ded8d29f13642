import type { CallRecord } from '../../sdk/src/contract/call-record.js';
import { SharingPolicy, DEFAULT_SHARING_POLICY } from '../../sdk/src/records/redaction/sharing-policy.js';
import type { SharingLevel } from '../../sdk/src/records/redaction/sharing-policy.js';
import type { RecordStream, RecordRefusal } from '../../sdk/src/records/stream/record-stream.js';
import { sampleRecord } from './stream-lab.js';

/** A record of a leg, shown under a number that nobody doubts, or another. */
export function feedRecord(leg: number, callingTn = '12012014567'): CallRecord {
  return { ...sampleRecord(leg), calling: { asWritten: `+${callingTn}`, tn: callingTn } };
}

/** A policy of a level. */
export function sharing(share: SharingLevel): SharingPolicy {
  return new SharingPolicy({
    data: { ...DEFAULT_SHARING_POLICY, share },
    ...{ key: new Uint8Array(32).fill(7), rotationId: '2026-11', tenantId: 'carrier-1' },
  });
}

/**
 * A stream that goes wrong as a test has it, and tells what is on its disk. `refuse` is asked for each record, `onFlush` before each flush, which
 * fails when it throws.
 */
export function pickyStream({
  refuse = () => undefined,
  onFlush = () => undefined,
}: {
  readonly refuse?: () => RecordRefusal | undefined;
  readonly onFlush?: () => void;
} = {}) {
  const pending: string[] = [];
  const durable = new Set<string>();
  let offered = 0;
  return {
    record({ recordId }: Pick<CallRecord, 'recordId'>): ReturnType<RecordStream['record']> {
      offered += 1;
      const reason = refuse();
      if (reason !== undefined) return { accepted: false, reason };
      pending.push(recordId);
      return { accepted: true, sequence: offered };
    },
    async flush() {
      await Promise.resolve();
      onFlush();
      for (const recordId of pending.splice(0)) durable.add(recordId);
      return durable.size;
    },
    /** Ids of the records that a flush has made durable. */
    durable: (): ReadonlySet<string> => durable,
    /** How often a record was handed in. */
    offered: () => offered,
  };
}

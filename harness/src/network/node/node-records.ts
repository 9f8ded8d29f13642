import { join } from 'node:path';
import { createHttpsRecordTransport } from '@hopback/sdk/platform';
import type { RequestAuthorization } from '@hopback/sdk/platform';
import {
  createMemoryRecordStore,
  createRecordFeed,
  createSharingPolicy,
  DEFAULT_SHARING_POLICY,
  openRecordStream,
} from '@hopback/sdk/records';
import type { CallRecord, OpenRecordStream, RecordFeed, RecordStore, SharingPolicyData } from '@hopback/sdk/records';
import type { ScenarioSharing } from '../../scenario/index.js';

/** The records of a provider, and the stream of what it shares. */
export interface NodeRecords {
  /** What answers are found in. */
  readonly store: RecordStore;
  /** Where the call tracker hands records in. */
  readonly sink: Pick<RecordStore, 'insert'>;
  /** Records written, and those that left for the platform. */
  readonly counts: () => { readonly stored: number; readonly streamed: number };
  /** Resolves when all that may leave has left. @returns what kept it from that; undefined: nothing */
  readonly drain: () => Promise<string | undefined>;
  readonly close: () => Promise<void>;
}

/** Settings of {@link openNodeRecords}. */
export interface NodeRecordsOptions {
  readonly providerId: string;
  readonly directory: string;
  readonly shares: ScenarioSharing;
  /** Whether a record is never written. */
  readonly isLost: (record: CallRecord) => boolean;
  /** Without it nothing is streamed. */
  readonly platform?: { readonly baseUrl: string; readonly authorization: RequestAuthorization };
}

const KEY_BYTES = 32;

/**
 * What a batch costs is the journal, the transaction and the answer rather than its records, and a network has the streams of all its carriers on one
 * machine: one batch at a time of half a second of records is a tenth of the batches of the defaults, and nobody notices a campaign later for it.
 */
const STREAM_POLICY = { lingerMs: 500, maxInFlight: 1 } as const;

/** Policies of what leaves a carrier, by the words of scenarios. */
function policyOf(shares: Exclude<ScenarioSharing, 'nothing'>): SharingPolicyData {
  const { members } = DEFAULT_SHARING_POLICY;
  return {
    ...DEFAULT_SHARING_POLICY,
    ...{ id: `network-${shares}`, share: shares },
    // Without the calling number nobody finds a campaign with several carriers: so those agree who share all calls.
    members: { ...members, 'all-pseudonymous': { ...members['all-pseudonymous'], calling: 'kept' } },
  };
}

/** Opens the store of a provider and, where it shares something and there is a platform, the stream. */
export async function openNodeRecords(options: NodeRecordsOptions): Promise<NodeRecords> {
  const { providerId, directory, shares, isLost, platform } = options;
  const store = createMemoryRecordStore({ clock: { nowMs: Date.now } });
  let stream: OpenRecordStream | undefined;
  let feed: RecordFeed | undefined;
  if (shares !== 'nothing' && platform !== undefined) {
    stream = await openRecordStream({
      ...{ directory: join(directory, 'stream'), source: `/carriers/${providerId}/switches/1` },
      policy: STREAM_POLICY,
      transport: createHttpsRecordTransport({
        ...{ url: `${platform.baseUrl}/v1/record-batches`, authorization: platform.authorization },
      }),
    });
    const key = new Uint8Array(KEY_BYTES).fill(providerId.length);
    const policy = createSharingPolicy({ data: policyOf(shares), key, rotationId: '1', tenantId: providerId });
    feed = createRecordFeed({ store, stream, policy });
  }
  const into = feed ?? store;
  let stored = 0;
  return {
    store,
    sink: {
      insert: async (records) => {
        const kept = records.some(isLost) ? records.filter((record) => !isLost(record)) : records;
        const inserted = await into.insert(kept);
        stored += inserted.inserted;
        return inserted;
      },
    },
    counts: () => ({ stored, streamed: feed?.counts().shared ?? 0 }),
    drain: async () => {
      const drained = await stream?.drain();
      return drained === undefined || drained.status === 'drained' ? undefined : `the stream is ${drained.status}`;
    },
    close: async () => {
      await stream?.close();
      await store.close();
    },
  };
}

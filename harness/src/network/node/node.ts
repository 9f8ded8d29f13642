import { createPrivateKey } from 'node:crypto';
import { mkdir } from 'node:fs/promises';
import { join } from 'node:path';
import { createHttpsRecordTransport, privateKeyJwt } from '@hopback/sdk/platform';
import type { RequestAuthorization } from '@hopback/sdk/platform';
import {
  DEFAULT_SHARING_POLICY,
  createMemoryRecordStore,
  RecordFeed,
  SharingPolicy,
  RecordStream,
} from '@hopback/sdk/records';
import type { CallRecord, RecordStore, SharingPolicyData } from '@hopback/sdk/records';
import type { TracebackResponder } from '@hopback/sdk/traceback';
import type { SeenAnswering, SeenRecords } from '../../oracle/index.js';
import type { ScenarioSharing } from '../../scenario/index.js';
import type { HopPart } from './call-route.js';
import { answerManners, openNodeAnswers } from './node-answers.js';
import { createNodeClock, isDownNow, openNodeSigning, openNodeVerification } from './node-material.js';
import type { NodeOptions } from './node-material.js';
import { createNodeCoverage, NodeSwitch } from './node-switch.js';
import type { RecordedCall } from './node-switch.js';

/** Settings of {@link openNodeRecords}. */
interface NodeRecordsOptions {
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
async function openNodeRecords(options: NodeRecordsOptions) {
  const { providerId, directory, shares, isLost, platform } = options;
  const store = createMemoryRecordStore({ clock: { nowMs: Date.now } });
  let stream: RecordStream | undefined;
  let feed: RecordFeed | undefined;
  if (shares !== 'nothing' && platform !== undefined) {
    stream = await RecordStream.open({
      ...{ directory: join(directory, 'stream'), source: `/carriers/${providerId}/switches/1` },
      policy: STREAM_POLICY,
      transport: createHttpsRecordTransport({
        ...{ url: `${platform.baseUrl}/v1/record-batches`, authorization: platform.authorization },
      }),
    });
    const key = new Uint8Array(KEY_BYTES).fill(providerId.length);
    const policy = new SharingPolicy({ data: policyOf(shares), key, rotationId: '1', tenantId: providerId });
    feed = new RecordFeed({ store, stream, policy });
  }
  const into = feed ?? store;
  let stored = 0;
  const sink: Pick<RecordStore, 'insert'> = {
    insert: async (records) => {
      const kept = records.some(isLost) ? records.filter((record) => !isLost(record)) : records;
      const inserted = await into.insert(kept);
      stored += inserted.inserted;
      return inserted;
    },
  };
  return {
    /** What answers are found in. */
    store,
    /** Where the call tracker hands records in. */
    sink,
    /** Records written, and those that left for the platform. */
    counts: () => ({ stored, streamed: feed?.counts().shared ?? 0 }),
    /** Resolves when all that may leave has left. @returns what kept it from that; undefined: nothing */
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

/** Where calls go: addresses without `sip:`. */
export interface NodePeers {
  /** Providers by id. */
  readonly providers: Readonly<Record<string, string>>;
  /** Who answers for called numbers, by their id: a sink. */
  readonly destinations: Readonly<Record<string, string>>;
}

/** What a provider has written down. */
export interface NodeBooks {
  readonly records: Omit<SeenRecords, 'received'>;
  /** Which call of the plan each record is of, of those that may have left. */
  readonly recorded: readonly RecordedCall[];
}

/** How a provider has answered requests. */
export interface NodeAnswering {
  readonly answers: Pick<SeenAnswering, 'automatic' | 'byPerson'>;
  /** What still waits for a person: why, in words. */
  readonly waiting: readonly string[];
}

/** A provider of the network: its switch, its records, and whoever answers for it. */
export type NetworkNode = Awaited<ReturnType<typeof openNode>>;

/**
 * Opens a provider: a drachtio-srf application on a server of its own that verifies, signs, carries, records, streams and answers with the SDK as a
 * carrier would, and beside it does what its behaviours say.
 * @param options - the plan, the provider, and what it works with
 * @returns the provider, which takes calls once it knows its peers; to be closed
 * @throws HopbackError where an address cannot be bound or a directory not used
 */
export async function openNode(options: NodeOptions) {
  const { plan, provider, material, directory, clock, start } = options;
  const { behaviours, id } = provider;
  const folder = join(directory, id);
  await mkdir(folder, { recursive: true });
  const nodeClock = createNodeClock(behaviours, start);
  const membership = material.platform?.members[id];
  const closers: (() => Promise<void>)[] = [];
  const close = async (): Promise<void> => {
    for (const one of closers.splice(0).reverse()) await one();
  };
  const onTrouble = (error: unknown): void => options.onTrouble(error instanceof Error ? error.message : String(error));
  try {
    const verification = await openNodeVerification(material, nodeClock);
    closers.push(verification.close);
    const coverage = createNodeCoverage(options);
    const records = await openNodeRecords({
      ...{ providerId: id, directory: folder, shares: provider.shares, isLost: coverage.isLost },
      ...(material.platform !== undefined &&
        membership !== undefined && {
          platform: {
            baseUrl: material.platform.baseUrl,
            authorization: await privateKeyJwt({
              ...{ tokenUrl: material.platform.tokenUrl, clientId: membership.clientId, clock },
              ...{ key: createPrivateKey(membership.privateKeyPem), keyId: membership.keyId },
            }),
          },
        }),
    });
    closers.push(records.close);
    await coverage.begin(records.store);
    const sink = coverage.sinkOf(records);
    const peers: { current: NodePeers } = { current: { providers: {}, destinations: {} } };
    const nodeSwitch = await NodeSwitch.open({
      ...{ ...options, nodeClock, sink, onTrouble, coverage },
      service: verification.service,
      signing: await openNodeSigning(id, material.credentials, nodeClock),
      addressOf: (next) =>
        'provider' in next && isDownNow(next.provider.behaviours, start) ? undefined : addressOf(next, peers.current),
    });
    closers.push(() => nodeSwitch.close());
    let answering: TracebackResponder | undefined;
    const manners = answerManners(plan, provider, options.routes);
    if (material.platform !== undefined && membership !== undefined && manners.isAnswering) {
      const responder = await openNodeAnswers({
        ...{ plan, provider, directory: join(folder, 'responder'), store: coverage.lookedUp(records.store) },
        ...{ platform: material.platform, membership, clock, manners, onTrouble, indexOf: coverage.indexOf },
      });
      closers.push(() => responder.close());
      answering = responder;
    }
    return {
      ...{ id, close },
      /** Where it takes calls: `127.0.0.1:5060`. */
      address: nodeSwitch.address,
      /** Where its phones register, `ws://127.0.0.1:5066`; absent where it serves none. */
      ...(nodeSwitch.phones !== undefined && { phones: nodeSwitch.phones }),
      connect: (known: NodePeers) => {
        peers.current = known;
      },
      /** The run has begun: what holds for stretches of time holds from now on. */
      begin: () => nodeSwitch.begin(),
      /** How it has answered so far, and what nobody has answered since a person would have to. */
      answering: () => answeringOf(answering),
      /** Writes down and streams all that it carried. */
      drain: async (): Promise<NodeBooks> => {
        await nodeSwitch.drain();
        await coverage.complete(records.store);
        const kept = await records.drain();
        if (kept !== undefined) options.onTrouble(kept);
        return { records: { provider: id, ...records.counts() }, recorded: coverage.recorded() };
      },
    };
  } catch (error) {
    await close();
    throw error;
  }
}

const addressOf = (next: HopPart['next'], { providers, destinations }: NodePeers): string | undefined =>
  'provider' in next ? providers[next.provider.id] : destinations[next.destination];

function answeringOf(responder: TracebackResponder | undefined): NodeAnswering {
  if (responder === undefined) return { answers: { automatic: 0, byPerson: 0 }, waiting: [] };
  const { automatic, byPerson } = responder.statistics();
  const waiting = responder.list().filter(({ state }) => state === 'review');
  return {
    answers: { automatic, byPerson },
    waiting: waiting.map(({ requestId, tracebackId }) => {
      const reasons = responder.review(requestId)?.reasons ?? [];
      return `${tracebackId} waits for a person: ${reasons.join('; ')}`;
    }),
  };
}

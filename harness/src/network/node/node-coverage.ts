import type { CallRecord, RecordStore } from '@hopback/sdk/records';
import type { Behaviour } from '../../scenario/index.js';
import { activeBehaviours } from './carry-call.js';
import { doingOf } from './behaviours.js';
import type { HopInHand } from './node-hops.js';
import type { NodeRecords } from './node-records.js';
import type { NodeOptions } from './node.js';
import { SWITCH_ID } from './trunk-table.js';

/** Knows of which times a provider has all records, and which of them it has lost. */
export interface NodeCoverage {
  /** A call has come in: until its record is written what is known of its numbers is not complete. */
  readonly taken: (hop: HopInHand) => void;
  readonly isLost: (record: CallRecord) => boolean;
  /** The store for answers: a look-up waits until what is in hand of the number is written down, so that it finds all. */
  readonly lookedUp: (store: RecordStore) => RecordStore;
  /** The switch is about to run: until now there was no call. */
  readonly begin: (store: RecordStore) => Promise<void>;
  /** Hands records in, and says until when there are no others. */
  readonly sinkOf: (records: NodeRecords) => Pick<RecordStore, 'insert'>;
  /** Which call of the plan each record is of, of those that may have left. */
  readonly recorded: () => readonly RecordedCall[];
  /** Index of the call that a record is of, whether it may leave or not. */
  readonly indexOf: (recordId: string) => number | undefined;
  /** Calls of which there is no record yet. */
  readonly open: () => readonly HopInHand[];
  /** Everything is written down: until now all is complete. Removes what is to be gone by the time that somebody asks. */
  readonly complete: (store: RecordStore) => Promise<void>;
}

/** Id of a record, and index of the call that it is of. */
export type RecordedCall = readonly [recordId: string, index: number];

/** Makes it. */
export function createNodeCoverage({
  provider,
  plan,
  start,
}: Pick<NodeOptions, 'provider' | 'plan' | 'start'>): NodeCoverage {
  /** By ingress Call-ID, in the order of arrival. */
  const open = new Map<string, HopInHand>();
  const gaps = provider.behaviours.filter((behaviour) => doingOf(behaviour).losesRecords === true);
  const isPurged = provider.behaviours.some((behaviour) => doingOf(behaviour).purgesRecords === true);
  const lost = new Set<string>();
  const recorded = new Map<string, number>();
  const cover = async (store: RecordStore, untilMs: number): Promise<void> => {
    await store.cover({ sourceId: SWITCH_ID, fromUs: 0, toUs: Math.max(0, untilMs) * US_PER_MS });
    for (const gap of gaps) await uncover(store, gap, start.startMs ?? 0);
  };
  return {
    begin: (store) => cover(store, Date.now() + MARGIN_MS),
    taken: (hop) => {
      open.set(hop.ingressCallId, hop);
      if (gaps.length === 0) return;
      const active = activeBehaviours({ provider, plan }, hop.route.call);
      if (active.some((behaviour) => doingOf(behaviour).losesRecords === true)) lost.add(hop.ingressCallId);
    },
    isLost: ({ callGroupId }) => lost.has(callGroupId),
    sinkOf: ({ sink, store }) => ({
      insert: async (records) => {
        const inserted = await sink.insert(records);
        for (const { callGroupId, recordId } of records) {
          const hop = open.get(callGroupId);
          if (hop !== undefined) recorded.set(recordId, hop.route.call.index);
        }
        for (const { callGroupId } of records) open.delete(callGroupId);
        await cover(store, Date.now() + MARGIN_MS);
        return inserted;
      },
    }),
    lookedUp: (store) => ({
      ...store,
      find: async (query) => {
        const isInHand = ({ route: { call } }: HopInHand): boolean =>
          query.calledTn === undefined || call.called === query.calledTn;
        const untilMs = Date.now() + WRITING_MS;
        while ([...open.values()].some(isInHand) && Date.now() < untilMs)
          await new Promise((resolve) => setTimeout(resolve, LOOK_MS));
        return store.find(query);
      },
    }),
    open: () => [...open.values()],
    recorded: () => (provider.shares === 'nothing' ? [] : [...recorded]),
    indexOf: (recordId) => recorded.get(recordId),
    complete: async (store) => {
      open.clear();
      await cover(store, Date.now() + MARGIN_MS);
      // As far as anybody looks for calls of now: part of a time that is looked through would be missing otherwise, and not over.
      if (isPurged) await store.expire((Date.now() + MARGIN_MS) * US_PER_MS);
    },
  };
}

const US_PER_MS = 1_000;
/** A look-up waits for calls that are up at most so long, milliseconds; how often it looks. */
const WRITING_MS = 30_000;
const LOOK_MS = 50;
const SECOND_MS = 1_000;
/** Whoever asks widens the time of the call by clocks that are off. What comes until then is waited for where it is looked up. */
const MARGIN_MS = 7_200_000;

/** Of a stretch without records it is known that they are missing. */
async function uncover(store: RecordStore, gap: Behaviour, startMs: number): Promise<void> {
  const { fromSeconds = 0, untilSeconds } = gap;
  // A run that was shortened has parts of a microsecond.
  const usOf = (seconds: number): number => Math.round((startMs + seconds * SECOND_MS) * US_PER_MS);
  const [fromUs, toUs] = [usOf(fromSeconds), untilSeconds === undefined ? Number.MAX_SAFE_INTEGER : usOf(untilSeconds)];
  await store.uncover({ sourceId: SWITCH_ID, fromUs, toUs });
}

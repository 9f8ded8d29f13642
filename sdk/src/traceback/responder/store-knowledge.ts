import type { CallRecord } from '../../core/call-record.js';
import type { LegalHold, RecordLookup, RecordQuery, RecordStore } from '../../records/store/record-store.js';
import { findMatch } from '../match/index.js';
import type { MatchOptions } from '../match/index.js';
import type { TrunkDirectory } from '../trunk-directory.js';
import type { TracebackResponderOptions } from './responder-contract.js';

/** What a responder asks of a store. */
export type StoreKnowledge = Required<Pick<TracebackResponderOptions, 'findMatch' | 'sources' | 'isHeld'>>;

/**
 * What a responder has to know, out of a store of call records: the call that is meant, the sources that have to be complete, and what is under
 * a legal hold. A store that is only looked up, such as a PostgreSQL table, knows no holds: whoever answers from one says with `isHeld` that
 * there are none.
 * @param store - of the provider's own records
 * @param options - the trunk directory, how requests are read, and `isHeld` for a store without holds
 * @returns for {@link createTracebackResponder}; making it never throws, what it asks rejects as the store does
 * @see 47 CFR 64.1200(n)(1)
 * @example
 * ```ts
 * await using store = createMemoryRecordStore({ clock: { nowMs: () => 1_793_000_000_000 } });
 * const trunks = createTrunkDirectory({ directoryId: 'trunks-7', providers: [], entries: [] });
 * const knowledge = storeKnowledge(store, { trunks });
 * console.log(await knowledge.sources()); // []
 * ```
 */
export function storeKnowledge(
  store: RecordStore | RecordLookup,
  options: {
    readonly trunks: TrunkDirectory;
    readonly match?: MatchOptions;
    readonly isHeld?: StoreKnowledge['isHeld'];
  },
): StoreKnowledge {
  const { trunks, match, isHeld } = options;
  return {
    findMatch: (request) =>
      findMatch(request, { store, directory: trunks, ...(match === undefined ? {} : { options: match }) }),
    sources: async () => (await store.scope()).sources,
    isHeld:
      isHeld ??
      (async ({ legs, ingressLeg }) => {
        // Not known is treated as held: a person looks.
        if (!('holds' in store)) return true;
        const holds = await store.holds();
        return [ingressLeg, ...legs].some((leg) => holds.some((hold) => isUnderHold(leg, hold)));
      }),
  };
}

/** Whether a record is one that the query of a hold finds: records that came later are meant as well. */
function isUnderHold(record: CallRecord, { query }: LegalHold): boolean {
  const { fromUs, toUs } = query.window;
  const times = [
    record.inviteAtUs,
    ...(record.time.otherInviteAtUs === undefined ? [] : [record.time.otherInviteAtUs]),
  ];
  return times.some((atUs) => atUs >= fromUs && atUs <= toUs) && hasKeys(record, query);
}

function hasKeys(record: CallRecord, query: RecordQuery): boolean {
  const { calledTn, callingTn, callId, origId, trunk, recordId } = query;
  const { called, calling, asserted, ingress, egress, received } = record;
  const isOneOf = (wanted: string | undefined, values: readonly (string | undefined)[]): boolean =>
    wanted === undefined || values.includes(wanted);
  return (
    isOneOf(calledTn, [called?.tn, called?.translatedTn, called?.lrn]) &&
    isOneOf(callingTn, [calling?.tn, asserted?.tn]) &&
    isOneOf(callId, [ingress.callId, egress.callId]) &&
    isOneOf(origId, [received?.origId, record.signed?.origId]) &&
    isOneOf(trunk, [ingress.trunk, egress.trunk]) &&
    isOneOf(recordId, [record.recordId])
  );
}

import { hash } from 'node:crypto';
import { HopbackError } from '@hopback/sdk/errors';
import type { CallRecord, RecordQuery, RecordStore, SharedRecord } from '@hopback/sdk/records';
import { MAX_QUERY_LIMIT } from '@hopback/sdk/records';
import type { LiveReader, LiveRecord } from '../core/index.js';

/**
 * A live record as the record store keeps it: the shared record whole, and around it a call record that holds nothing but what it is looked
 * up by. The store says a text that a record has twice in one octet, so that the keys cost next to nothing.
 *
 * - `recordId` is made of provider and record id: no carrier can be in the way of another's records
 * - `ingress.trunk` is the provider, `egress.trunk` the same for all rows, by which a stretch of time is read
 * - `called` and `calling` are numbers, or pseudonyms where the carrier shows no more
 */
export interface LiveRow extends CallRecord {
  readonly live: { readonly receivedAtMs: number; readonly record: SharedRecord };
}

/** The trunk that every row has. */
export const EVERY_ROW = 'live';

/** The row's own times say nothing: those of the call are in the shared record. */
const ROW_TIME: CallRecord['time'] = { written: 'observed', resolutionUs: 1 };

/**
 * Under which id a provider's record is kept. Never throws.
 * @returns 32 lower-case hexadecimal digits of SHA-256
 */
function rowIdOf(providerId: string, recordId: string): string {
  // The record id has a fixed length: no two pairs make the same text.
  return hash('sha256', `${recordId}${providerId}`, 'hex').slice(0, 32);
}

/** Makes the row of a record. Never throws. */
export function liveRow(providerId: string, record: SharedRecord, receivedAtMs: number): LiveRow {
  const { called } = record;
  const calling = callingKey(record.calling);
  const asserted = callingKey(record.asserted);
  const [first] = calledKeys(called);
  const row: Written<LiveRow> = {
    format: 'hopback.call-record.1',
    recordId: rowIdOf(providerId, record.recordId),
    source: { id: providerId, format: 'hopback', readerVersion: 1, sha256: '' },
    legId: '',
    callGroupId: '',
    inviteAtUs: record.inviteAtUs,
    time: ROW_TIME,
    ingress: { trunk: providerId },
    egress: { trunk: EVERY_ROW },
    disposition: 'answered',
    live: { receivedAtMs, record },
  };
  // One after the other: to spread what may not be there takes longer than all the rest.
  if (calling !== undefined) row.calling = { asWritten: '', tn: calling };
  if (asserted !== undefined) row.asserted = { asWritten: '', tn: asserted };
  if (first !== undefined) row.called = calledOf(called, first);
  return row;
}

type Written<Value> = { -readonly [Key in keyof Value]: Value[Key] };

function calledOf(called: SharedRecord['called'], tn: string): NonNullable<CallRecord['called']> {
  const keys: Written<NonNullable<CallRecord['called']>> = { asWritten: '', tn };
  if (called?.shown !== 'whole') return keys;
  if (called.translatedTn !== undefined) keys.translatedTn = called.translatedTn;
  if (called.lrn !== undefined) keys.lrn = called.lrn;
  return keys;
}

/**
 * Reads a row of the store.
 * @returns undefined for what no {@link liveRow} is: a store that somebody else has written to
 */
export function liveRecordOf(row: CallRecord): LiveRecord | undefined {
  const { live, ingress } = row as Partial<LiveRow>;
  if (live === undefined || ingress?.trunk === undefined) return undefined;
  return { providerId: ingress.trunk, record: live.record, receivedAtMs: live.receivedAtMs };
}

/** Records that one look-up may ask for: what a production holds, and some 150 MB. */
export const MAX_FOUND_RECORDS = 50_000;
/** Numbers, providers or ids that one look-up may name in one list: each of the list that is looked up by is a search of its own. */
export const MAX_LOOKED_UP = 10_000;
/** Records of one id: as often as a provider gave it to another call. */
const MAX_OF_ID = 100;

/** What records are looked up in. */
export interface LiveReaderParts {
  readonly store: RecordStore;
  /** Resolves when everything that was acknowledged before is in the store. */
  readonly caughtUp: () => Promise<void>;
}

type Query = Parameters<LiveReader['find']>[0];
type Key = Omit<RecordQuery, 'window' | 'limit'>;

/** Looks live records up, those that were acknowledged a moment ago among them. */
export function createRecordReader({ store, caughtUp }: LiveReaderParts): Pick<LiveReader, 'record' | 'find'> {
  return {
    record: async (providerId, recordId) => {
      await caughtUp();
      const window = { fromUs: 0, toUs: Number.MAX_SAFE_INTEGER };
      const { records } = await store.find({ window, recordId: rowIdOf(providerId, recordId), limit: MAX_OF_ID });
      // Whoever gives the id of a record to another call does not get the first one out of the way.
      return records
        .map(liveRecordOf)
        .filter((one) => one !== undefined)
        .reduce<LiveRecord | undefined>(
          (first, one) => (first !== undefined && first.receivedAtMs <= one.receivedAtMs ? first : one),
          undefined,
        );
    },
    find: async (query) => {
      const keys = keysOf(checked(query));
      const filter = createLiveFilter(query);
      await caughtUp();
      const found = new Map<string, { readonly row: CallRecord; readonly live: LiveRecord }>();
      for (const key of keys)
        for (const row of await rowsOf(store, key, query, (live) => filter(live.providerId, live.record))) {
          const live = liveRecordOf(row);
          if (live !== undefined) found.set(`${row.recordId} ${row.inviteAtUs}`, { row, live });
        }
      const sorted = [...found.values()].sort((one, other) => byTime(one.row, other.row)).map(({ live }) => live);
      return { records: sorted.slice(0, query.limit), isCut: sorted.length > query.limit };
    },
  };
}

function byTime(one: CallRecord, other: CallRecord): number {
  return one.inviteAtUs - other.inviteAtUs || (one.recordId < other.recordId ? -1 : 1);
}

function checked(query: Query): Query {
  const { fromMs, toMs, limit, providerIds = [], callingTns = [], calledTns = [], recordIds = [] } = query;
  if (!Number.isSafeInteger(fromMs * 1_000) || !Number.isSafeInteger(toMs * 1_000) || fromMs > toMs)
    throw new HopbackError(
      'invalid-argument',
      'a time range must begin before it ends, and be given in whole milliseconds',
    );
  if (!Number.isInteger(limit) || limit < 1 || limit > MAX_FOUND_RECORDS)
    throw new HopbackError('invalid-argument', `limit is a whole number from 1 to ${MAX_FOUND_RECORDS}`);
  if ([providerIds, callingTns, calledTns, recordIds].some(({ length }) => length > MAX_LOOKED_UP))
    throw new HopbackError('invalid-argument', `a look-up names ${MAX_LOOKED_UP} of a kind at most`);
  return query;
}

/** What the store is searched by: the list that fewest records have something of; the rest is held against what is found. */
function keysOf({ recordIds, calledTns, callingTns, providerIds }: Query): readonly Key[] {
  const unique = (values: readonly string[]): readonly string[] => [...new Set(values)];
  if (recordIds !== undefined)
    return unique(recordIds.map((one) => rowIdOf(one.providerId, one.recordId))).map((recordId) => ({ recordId }));
  if (calledTns !== undefined) return unique(calledTns).map((calledTn) => ({ calledTn }));
  if (callingTns !== undefined) return unique(callingTns).map((callingTn) => ({ callingTn }));
  if (providerIds !== undefined) return unique(providerIds).map((trunk) => ({ trunk }));
  return [{ trunk: EVERY_ROW }];
}

/** Rows of a key that fit, earliest first: one more than are asked for where there are more. */
async function rowsOf(
  store: RecordStore,
  key: Key,
  { fromMs, toMs, limit }: Query,
  fits: (live: LiveRecord) => boolean,
): Promise<readonly CallRecord[]> {
  const rows: CallRecord[] = [];
  const toUs = toMs * 1_000 - 1;
  let fromUs = fromMs * 1_000;
  let size = Math.min(limit + 1, MAX_QUERY_LIMIT);
  /** Of the microsecond with which the last page ended. */
  let seen = new Set<string>();
  while (fromUs <= toUs) {
    const { records, isCut } = await store.find({ ...key, window: { fromUs, toUs }, limit: size });
    for (const row of records) {
      if (row.inviteAtUs === fromUs && seen.has(row.recordId)) continue;
      const live = liveRecordOf(row);
      if (live !== undefined && fits(live)) rows.push(row);
      if (rows.length > limit) return rows;
    }
    const lastUs = records.at(-1)?.inviteAtUs;
    if (!isCut || lastUs === undefined) return rows;
    if (lastUs === fromUs && size === MAX_QUERY_LIMIT)
      throw new HopbackError('invalid-argument', `more than ${MAX_QUERY_LIMIT} live records have the same microsecond`);
    // A page that is filled by one microsecond is asked for larger.
    size = lastUs === fromUs ? MAX_QUERY_LIMIT : size;
    seen = new Set(records.filter(({ inviteAtUs }) => inviteAtUs === lastUs).map(({ recordId }) => recordId));
    fromUs = lastUs;
  }
  return rows;
}

/** What is looked for beside the time: all that is stated has to fit. Numbers are canonical, or pseudonyms as carriers send them. */
export interface LiveKeys {
  readonly providerIds?: readonly string[];
  readonly callingTns?: readonly string[];
  readonly calledTns?: readonly string[];
  readonly recordIds?: readonly { readonly providerId: string; readonly recordId: string }[];
}

/** Whether a record of a provider is what is looked for. */
export type LiveFilter = (providerId: string, record: SharedRecord) => boolean;

/**
 * Makes of what is looked for a filter that takes the same time however much is stated. Never throws.
 * @param keys - an empty list fits nothing
 * @returns the filter
 */
export function createLiveFilter({ providerIds, callingTns, calledTns, recordIds }: LiveKeys): LiveFilter {
  const providers = providerIds && new Set(providerIds);
  const calling = callingTns && new Set(callingTns);
  const called = calledTns && new Set(calledTns);
  const ids = recordIds && new Set(recordIds.map((one) => `${one.recordId} ${one.providerId}`));
  return (providerId, record) => {
    if (providers !== undefined && !providers.has(providerId)) return false;
    if (ids !== undefined && !ids.has(`${record.recordId} ${providerId}`)) return false;
    if (called !== undefined && !calledKeys(record.called).some((one) => called.has(one))) return false;
    if (calling === undefined) return true;
    return [callingKey(record.calling), callingKey(record.asserted)].some(
      (one) => one !== undefined && calling.has(one),
    );
  };
}

/** By what a calling number is found: the number, or its pseudonym. Never throws. */
export function callingKey(number: SharedRecord['calling'] | undefined): string | undefined {
  if (number === undefined || number.shown === 'no-number') return undefined;
  return number.shown === 'pseudonym' ? number.pseudonym : number.tn;
}

/** By what a called number is found: as written, translated, the routing number, or the pseudonym. Never throws. */
export function calledKeys(number: SharedRecord['called'] | undefined): readonly string[] {
  if (number === undefined) return [];
  if (number.shown === 'pseudonym') return [number.pseudonym];
  return [number.tn, number.translatedTn, number.lrn].filter((one) => one !== undefined);
}

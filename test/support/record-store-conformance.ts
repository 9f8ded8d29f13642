import { expect, test } from 'vitest';
import type { CallRecord, CoverageInterval, RawRow } from '../../sdk/src/contract/call-record.js';
import { MAX_RAW_BYTES } from '../../sdk/src/contract/call-record.js';
import { joinedSha256, rawEvidence, sourceSha256 } from '../../sdk/src/records/record-id.js';
import { byTime, DAY_US } from '../../sdk/src/records/store/record-store.js';
import type {
  RecordLookup,
  RecordPageQuery,
  RecordQuery,
  RecordStore,
} from '../../sdk/src/records/store/record-store.js';
import { ManualClock } from '../../sdk/src/testing/manual-clock.js';
import { codeOf } from './code-of.js';
import { NOON_US, sampleRecord, sparseRecord } from './stored-records.js';

/** How the claims about look-ups get a store that holds what they ask for. */
export interface LookupUnderTest {
  /** Names it in the titles. */
  readonly name: string;
  /**
   * A store with these records and this coverage; the claims close it. A store that reads a carrier's own tables may make
   * records of its own of them: only `legId` and the order are compared.
   */
  readonly holding: (records: readonly CallRecord[], coverage: readonly CoverageInterval[]) => Promise<RecordLookup>;
}

/** How the claims about stores that write get one. */
export interface StoreUnderTest {
  readonly name: string;
  /** An empty store by a clock; the claims close it. */
  readonly empty: (clock: ManualClock) => Promise<RecordStore>;
  /** Opens again what a claim has closed, where the store outlives that. */
  readonly reopened?: (clock: ManualClock) => Promise<RecordStore>;
}

const CALLED = '12155550112';
const CALLING = '13125550143';
const HOUR_US = 3_600_000_000;
const NOON = { fromUs: NOON_US - HOUR_US, toUs: NOON_US + HOUR_US };

const legs = async (store: RecordLookup, query: RecordQuery): Promise<readonly string[]> =>
  (await store.find(query)).records.map(({ legId }) => legId);

/** One call with a value in every field that is looked up by. */
const FULL = sparseRecord('full', NOON_US, {
  callGroupId: 'both legs',
  calling: { asWritten: `+${CALLING}`, tn: CALLING },
  asserted: { asWritten: '+13125550144', tn: '13125550144' },
  called: {
    asWritten: '1234#18005550199',
    tn: '18005550199',
    translatedTn: CALLED,
    lrn: '12155550100',
    techPrefix: '1234#',
  },
  ingress: { trunk: 'east-1', provider: 'upstream-a', address: '192.0.2.1:5060', callId: 'in@192.0.2.1' },
  egress: { trunk: 'west-9', provider: 'downstream-b', callId: 'out@203.0.113.5' },
  received: { attestation: 'B', origId: '5b0a2a4f-8d3b-4b7e-9a53-0a8f9f1b6c11' },
  signed: { attestation: 'A', origId: '0c1d2e3f-0000-4000-8000-1234567890ab' },
});

/** Claims that every look-up keeps, whoever wrote the records. */
export function lookupClaims({ name, holding }: LookupUnderTest): void {
  const places: readonly [string, Omit<RecordQuery, 'window'>][] = [
    ['the number called', { calledTn: '18005550199' }],
    ['the number a call was translated to', { calledTn: CALLED }],
    ['the location routing number', { calledTn: '12155550100' }],
    ['the number of From', { callingTn: CALLING }],
    ['the asserted number', { callingTn: '13125550144' }],
    ['the pair of numbers', { calledTn: CALLED, callingTn: CALLING }],
    ['the Call-ID it came in with', { callId: 'in@192.0.2.1' }],
    ['the Call-ID it left with', { callId: 'out@203.0.113.5' }],
    ['the origid it came with', { origId: '5b0a2a4f-8d3b-4b7e-9a53-0a8f9f1b6c11' }],
    ['the origid it was signed with', { origId: '0c1d2e3f-0000-4000-8000-1234567890ab' }],
    ['the group of its legs', { callGroupId: 'both legs' }],
    ['the trunk it came by', { trunk: 'east-1' }],
    ['the trunk it left by', { trunk: 'west-9' }],
  ];
  test.each(places)(`${name} finds a call by %s`, async (_place, keys) => {
    await using store = await holding([FULL, sampleRecord(1, NOON_US), sparseRecord('bare', NOON_US)], []);
    expect(await legs(store, { window: NOON, ...keys })).toEqual(['full']);
  });

  test(`${name} finds a record by its id`, async () => {
    await using store = await holding([FULL, sparseRecord('bare', NOON_US)], []);
    const { records } = await store.find({ window: NOON, trunk: 'east-1' });
    expect(await legs(store, { window: NOON, recordId: records[0]!.recordId })).toEqual(['full']);
    expect(await legs(store, { window: NOON, recordId: '0'.repeat(32) })).toEqual([]);
  });

  test(`${name} wants all that a query names to match`, async () => {
    await using store = await holding([FULL], []);
    expect(await legs(store, { window: NOON, calledTn: CALLED, callingTn: '13125550199' })).toEqual([]);
    expect(await legs(store, { window: NOON, calledTn: '12155550113' })).toEqual([]);
    expect(await legs(store, { window: NOON, trunk: 'east' })).toEqual([]);
  });

  test(`${name} takes both ends of a window in, and nothing outside it`, async () => {
    const at = (seconds: number): CallRecord =>
      sparseRecord(`at ${seconds}`, NOON_US + seconds * 1_000_000, { called: { asWritten: CALLED, tn: CALLED } });
    await using store = await holding([at(3), at(0), at(1), at(2), at(4)], []);
    const window = { fromUs: NOON_US + 1_000_000, toUs: NOON_US + 3_000_000 };
    expect(await legs(store, { window, calledTn: CALLED })).toEqual(['at 1', 'at 2', 'at 3']);
  });

  test(`${name} finds the calls of a window that spans days, in the order of time`, async () => {
    const days = [2, 0, 1, -1, 3];
    const records = days.map((day) =>
      sparseRecord(`day ${day}`, NOON_US + day * DAY_US, { calling: { asWritten: CALLING, tn: CALLING } }),
    );
    await using store = await holding(records, []);
    const window = { fromUs: NOON_US, toUs: NOON_US + 2 * DAY_US };
    expect(await legs(store, { window, callingTn: CALLING })).toEqual(['day 0', 'day 1', 'day 2']);
  });

  test(`${name} cuts what it finds at the limit, earliest first, and says so`, async () => {
    const records = [4, 2, 0, 3, 1].map((second) =>
      sparseRecord(`at ${second}`, NOON_US + second * 1_000_000, { ingress: { trunk: 'east-1' } }),
    );
    await using store = await holding(records, []);
    const all = await store.find({ window: NOON, trunk: 'east-1', limit: 5 });
    const some = await store.find({ window: NOON, trunk: 'east-1', limit: 3 });
    expect(all.isCut).toBe(false);
    expect(some.isCut).toBe(true);
    expect(some.records.map(({ legId }) => legId)).toEqual(['at 0', 'at 1', 'at 2']);
  });

  test(`${name} refuses a query that names nothing, a window that ends before it begins and a limit out of bounds`, async () => {
    await using store = await holding([], []);
    expect(await codeOf(store.find({ window: NOON }))).toBe('invalid-argument');
    expect(await codeOf(store.find({ window: { fromUs: 2, toUs: 1 }, trunk: 'east-1' }))).toBe('invalid-argument');
    expect(await codeOf(store.find({ window: NOON, trunk: 'east-1', limit: 0 }))).toBe('invalid-argument');
    expect(await codeOf(store.find({ window: NOON, trunk: 'east-1', limit: 10_001 }))).toBe('invalid-argument');
  });

  test(`${name} finds nothing for hostile text, and does not break on it`, async () => {
    await using store = await holding([FULL], []);
    for (const text of ["'; DROP TABLE records; --", '\0', '\u{1F4DE}', 'x'.repeat(100_000), '%', '']) {
      expect(await legs(store, { window: NOON, callId: text })).toEqual([]);
      expect(await legs(store, { window: NOON, calledTn: text, trunk: text })).toEqual([]);
    }
  });

  test(`${name} tells for which times it is complete, cut to the window`, async () => {
    await using store = await holding([], [{ sourceId: 'sbc-1', fromUs: NOON_US - 2 * HOUR_US, toUs: NOON_US }]);
    expect(await store.coverage(NOON)).toEqual([{ sourceId: 'sbc-1', fromUs: NOON.fromUs, toUs: NOON_US }]);
    expect(await store.coverage({ fromUs: NOON_US + 1, toUs: NOON_US + 2 })).toEqual([]);
  });

  test(`${name} tells how many records it holds and of which times`, async () => {
    await using store = await holding([FULL, sparseRecord('later', NOON_US + DAY_US)], []);
    expect(await store.statistics()).toMatchObject({ records: 2, oldestUs: NOON_US, newestUs: NOON_US + DAY_US });
  });

  test(`${name} refuses every call after it was closed, and can be closed twice`, async () => {
    const store = await holding([FULL], []);
    await store.close();
    await store.close();
    expect(await codeOf(store.find({ window: NOON, trunk: 'east-1' }))).toBe('closed');
    expect(await codeOf(store.statistics())).toBe('closed');
  });
}

/** States a claim about an empty store. */
type Claim = (title: string, check: (store: RecordStore, clock: ManualClock) => Promise<void>) => void;

/** Claims that every store that takes records keeps, beside {@link lookupClaims}. */
export function storeClaims(subject: StoreUnderTest): void {
  const claim: Claim = (title, check) =>
    test(`${subject.name} ${title}`, async () => {
      const clock = new ManualClock();
      await using store = await subject.empty(clock);
      await check(store, clock);
    });
  insertClaims(claim);
  pageClaims(claim);
  rawClaims(claim);
  otherInstantClaims(subject, claim);
  coverageClaims(claim);
  retentionClaims(claim);
  holdClaims(claim);
  if (subject.reopened !== undefined) reopeningClaims(subject, subject.reopened);
}

function insertClaims(claim: Claim): void {
  claim('gives back exactly what it was given', async (store) => {
    const records = [
      FULL,
      sparseRecord('bare', NOON_US + 1),
      sampleRecord(0, NOON_US + 2),
      sampleRecord(1, NOON_US + 3),
    ];
    await store.insert(records);
    for (const record of records)
      expect((await store.find({ window: NOON, recordId: record.recordId })).records).toEqual([record]);
  });

  claim('leaves a record as it is that is handed in again, also within one call', async (store) => {
    const first = sampleRecord(7, NOON_US);
    const again = { ...first, customerId: 'changed' };
    expect(await store.insert([first, again])).toEqual({ inserted: 1, repeated: 1, expired: 0 });
    expect(await store.insert([again, sampleRecord(8, NOON_US)])).toEqual({ inserted: 1, repeated: 1, expired: 0 });
    expect((await store.find({ window: NOON, recordId: first.recordId })).records).toEqual([first]);
    expect((await store.statistics()).records).toBe(2);
  });

  claim('takes records of many callers at once, each counted for its own', async (store) => {
    const batches = Array.from({ length: 20 }, (_, batch) =>
      Array.from({ length: 30 }, (_unused, index) =>
        sampleRecord(batch * 25 + index, NOON_US + (batch * 25 + index) * 1_000),
      ),
    );
    const results = await Promise.all(batches.map((batch) => store.insert(batch)));
    const total = results.reduce((sum, result) => sum + result.inserted, 0);
    expect(total).toBe(505);
    expect(results.reduce((sum, result) => sum + result.repeated, 0)).toBe(600 - 505);
    expect((await store.statistics()).records).toBe(505);
  });

  claim('puts each record of a call into its day', async (store) => {
    const midnightUs = Math.floor(NOON_US / DAY_US) * DAY_US + DAY_US;
    const records = [-1, 0, 1].map((us) => sampleRecord(us + 1, midnightUs + us));
    expect(await store.insert(records)).toEqual({ inserted: 3, repeated: 0, expired: 0 });
    const window = { fromUs: midnightUs - 1, toUs: midnightUs };
    expect(
      (await store.find({ window, trunk: records[0]!.ingress.trunk! })).records.every(
        (record) => record.inviteAtUs <= midnightUs,
      ),
    ).toBe(true);
    for (const record of records)
      expect((await store.find({ window: NOON_TO_MIDNIGHT, recordId: record.recordId })).records).toEqual([record]);
  });

  claim('takes none of a call that has a record without a proper id or time', async (store) => {
    const good = sampleRecord(1, NOON_US);
    for (const wrong of [{ recordId: 'x' }, { recordId: 'A'.repeat(32) }, { inviteAtUs: 0.5 }, { inviteAtUs: -1 }])
      expect(await codeOf(store.insert([good, { ...good, ...wrong }]))).toBe('invalid-argument');
    expect((await store.statistics()).records).toBe(0);
    expect(await store.insert([])).toEqual({ inserted: 0, repeated: 0, expired: 0 });
  });
}

/** Records with all kinds of raw rows. */
function rawRecords(): readonly CallRecord[] {
  const rows: readonly (readonly RawRow[])[] = [
    [{ text: '"","12025550101","12025550143",answered' }],
    [{ text: 'INVITE sip:12155550112@example.net SIP/2.0\r\nVia: \u0000\u0016"\\' }, { text: 'é\u{1F4DE}' }],
    [{ base64: Buffer.from('Sm\xf8rrebr\xf8d,12025550101', 'latin1').toString('base64') }],
    Array.from({ length: 40 }, (_, at) => ({
      base64: Buffer.from([0x48, 0x45, 0x50, 0x33, 0xff, at]).toString('base64'),
    })),
    [{ text: 'the same' }, { text: 'the same' }, { text: '\ud800 half' }, { base64: 'bm90IGNhbm9uaWNhbB==' }],
    [{ text: 'x'.repeat(MAX_RAW_BYTES) }],
  ];
  return rows.map((raw, index) => {
    const record = sampleRecord(index, NOON_US + index);
    const hashes = raw.map((row) => sourceSha256('text' in row ? row.text : Buffer.from(row.base64, 'base64')));
    return { ...record, source: { ...record.source, sha256: joinedSha256(hashes), raw } };
  });
}

/** All pages of a window, each record as it came. */
async function paged(store: RecordStore, window: RecordPageQuery['window'], limit: number) {
  const pages: (readonly CallRecord[])[] = [];
  let query: RecordPageQuery = { window, limit };
  for (;;) {
    const { records, isCut } = await store.page(query);
    pages.push(records);
    const last = records.at(-1);
    if (!isCut || last === undefined) return pages;
    query = { window, limit, after: { inviteAtUs: last.inviteAtUs, recordId: last.recordId } };
  }
}

function pageClaims(claim: Claim): void {
  claim('pages through all records of a window, each once and in order', async (store) => {
    // Three days, and seven records of one microsecond.
    const times = [
      ...[-1, 0, 1].flatMap((day) => [0, 1, 2_000, HOUR_US].map((us) => NOON_US + day * DAY_US + us)),
      ...Array.from({ length: 7 }, () => NOON_US + 5),
    ];
    const records = times.map((atUs, index) => sampleRecord(index, atUs));
    await store.insert(records);
    const all = records.toSorted(byTime);
    const whole = { fromUs: -Infinity, toUs: Infinity };
    for (const limit of [1, 2, 3, 100]) {
      const pages = await paged(store, whole, limit);
      expect(pages.flat()).toEqual(all);
      expect(pages.every(({ length }, index) => length === limit || index === pages.length - 1)).toBe(true);
    }
    const some = { fromUs: NOON_US + 1, toUs: NOON_US + 2_000 };
    expect((await paged(store, some, 2)).flat()).toEqual(
      all.filter(({ inviteAtUs }) => inviteAtUs >= some.fromUs && inviteAtUs <= some.toUs),
    );
  });

  claim('pages through what a hold alone keeps, beside the others', async (store) => {
    const records = Array.from({ length: 6 }, (_, index) => sampleRecord(index, NOON_US + index * HOUR_US));
    await store.insert(records);
    for (const { recordId } of records.slice(0, 3))
      await store.hold({ query: { window: NOON_TO_MIDNIGHT, recordId }, reason: 'subpoena 17' });
    await store.expire(NOON_US + 2 * HOUR_US);
    for (const limit of [1, 2, 10]) expect((await paged(store, NOON_TO_MIDNIGHT, limit)).flat()).toEqual(records);
  });

  claim('refuses pages that cannot be', async (store) => {
    expect(await codeOf(store.page({ window: { fromUs: 2, toUs: 1 } }))).toBe('invalid-argument');
    expect(await codeOf(store.page({ window: NOON, limit: 0 }))).toBe('invalid-argument');
    const after = { inviteAtUs: NOON_US, recordId: "' OR 1" };
    expect(await codeOf(store.page({ window: NOON, after }))).toBe('invalid-argument');
  });
}

function rawClaims(claim: Claim): void {
  claim('gives raw rows back exactly, of which each record is verified', async (store) => {
    const records = rawRecords();
    // Twice more under other ids: what is kept may differ when its form is known.
    const others = records.flatMap((record, index) =>
      [1, 2].map((round) => ({ ...sampleRecord(100 * round + index, NOON_US + 50 * round), source: record.source })),
    );
    await store.insert(records);
    await store.insert(others);
    for (const record of [...records, ...others]) {
      const [found] = (await store.find({ window: NOON, recordId: record.recordId })).records;
      expect(JSON.stringify(found)).toBe(JSON.stringify(record));
      const { source } = found as CallRecord;
      const isCanonical = source.raw?.every((row) => !('base64' in row) || !row.base64.endsWith('B=='));
      expect(rawEvidence(found as CallRecord)).toMatchObject({ status: 'kept', matches: isCanonical });
    }
  });

  claim('keeps the raw rows of what is under a hold, and lets go of others with their records', async (store) => {
    const records = rawRecords();
    await store.insert(records);
    const query = { window: NOON, recordId: records[3]!.recordId };
    const { holdId } = await store.hold({ query, reason: 'subpoena 17' });
    expect(await store.expire(NOON_US + HOUR_US)).toBe(records.length);
    expect((await store.find(query)).records).toEqual([records[3]]);
    expect((await store.find({ window: NOON, recordId: records[0]!.recordId })).records).toEqual([]);
    await store.release(holdId, 'matter closed');
    await store.expire(NOON_US + HOUR_US);
    expect((await store.find(query)).records).toEqual([]);
  });

  claim('takes more raw rows at once than one transaction has room for', async (store) => {
    const raw: readonly RawRow[] = [{ text: `{"variables":{"uuid":"${'é'.repeat(MAX_RAW_BYTES / 2 - 64)}"}}` }];
    const records = Array.from({ length: 400 }, (_, index) => {
      const record = sampleRecord(index, NOON_US + index);
      return { ...record, source: { ...record.source, raw } };
    });
    expect(await store.insert(records)).toEqual({ inserted: 400, repeated: 0, expired: 0 });
    expect((await store.find({ window: NOON, recordId: records[399]!.recordId })).records).toEqual([records[399]]);
  });
}

const NOON_TO_MIDNIGHT = { fromUs: NOON_US, toUs: NOON_US + DAY_US };

function coverageClaims(claim: Claim): void {
  claim('joins what it is complete for, source by source, and takes gaps out', async (store) => {
    await store.cover({ sourceId: 'sbc-1', fromUs: 100, toUs: 199 });
    await store.cover({ sourceId: 'sbc-1', fromUs: 200, toUs: 299 });
    await store.cover({ sourceId: 'sbc-2', fromUs: 150, toUs: 160 });
    await store.uncover({ sourceId: 'sbc-1', fromUs: 240, toUs: 249 });
    expect(await store.coverage({ fromUs: 0, toUs: 1_000 })).toEqual([
      { sourceId: 'sbc-1', fromUs: 100, toUs: 239 },
      { sourceId: 'sbc-1', fromUs: 250, toUs: 299 },
      { sourceId: 'sbc-2', fromUs: 150, toUs: 160 },
    ]);
    expect(await codeOf(store.cover({ sourceId: 'sbc-1', fromUs: 2, toUs: 1 }))).toBe('invalid-argument');
    expect(await codeOf(store.cover({ sourceId: '', fromUs: 1, toUs: 1 }))).toBe('invalid-argument');
  });

  claim('names every source that anything came from, also where nothing of it is complete', async (store) => {
    expect(await store.scope()).toEqual({ sources: [] });
    const { source } = sparseRecord('leg', NOON_US);
    await store.insert([
      sparseRecord('one', NOON_US, { source: { ...source, id: 'sbc-3' } }),
      sparseRecord('two', NOON_US, { source: { ...source, id: 'sbc-1' } }),
    ]);
    await store.uncover({ sourceId: 'sbc-4', fromUs: 0, toUs: 0 });
    await store.cover({ sourceId: 'sbc-2', fromUs: NOON_US, toUs: NOON_US });
    await store.expire(NOON_US + DAY_US);
    expect(await store.scope()).toEqual({
      sources: ['sbc-1', 'sbc-2', 'sbc-3', 'sbc-4'],
      retainedFromUs: NOON_US + DAY_US,
    });
    expect(await store.coverage({ fromUs: 0, toUs: 2 * NOON_US })).toEqual([]);
  });
}

function otherInstantClaims({ name, empty, reopened }: StoreUnderTest, claim: Claim): void {
  const MIDNIGHT_US = NOON_US + DAY_US / 2;
  const twice = (legId: string, inviteAtUs: number, otherInviteAtUs: number): CallRecord =>
    sparseRecord(legId, inviteAtUs, {
      time: { written: 'local', zone: 'Example/Zone', resolutionUs: 1_000_000, otherInviteAtUs },
      called: { asWritten: CALLED, tn: CALLED },
      ingress: { trunk: 'east-1' },
    });
  const once = (legId: string, inviteAtUs: number): CallRecord =>
    sparseRecord(legId, inviteAtUs, { called: { asWritten: CALLED, tn: CALLED }, ingress: { trunk: 'east-1' } });
  const around = (atUs: number): RecordQuery['window'] => ({ fromUs: atUs - 1_000_000, toUs: atUs + 1_000_000 });
  const records = [
    once('before', NOON_US - HOUR_US),
    twice('earlier', NOON_US, NOON_US + HOUR_US),
    twice('later', NOON_US, NOON_US - HOUR_US),
    once('after', NOON_US + HOUR_US),
    twice('over midnight', MIDNIGHT_US - 9, MIDNIGHT_US - 9 + HOUR_US),
    twice('back over midnight', MIDNIGHT_US + 9, MIDNIGHT_US + 9 - 2 * HOUR_US),
  ];
  const expectAll = async (store: RecordLookup): Promise<void> => {
    for (const keys of [{ calledTn: CALLED }, { trunk: 'east-1', calledTn: CALLED }]) {
      const at = (us: number): Promise<readonly string[]> => legs(store, { window: around(us), ...keys });
      expect((await at(NOON_US)).toSorted()).toEqual(['earlier', 'later']);
      expect(await at(NOON_US + HOUR_US)).toEqual(['earlier', 'after']);
      expect((await at(NOON_US - HOUR_US)).toSorted()).toEqual(['before', 'later']);
      expect(await at(NOON_US + HOUR_US / 2)).toEqual([]);
      expect(await at(MIDNIGHT_US + HOUR_US)).toEqual(['over midnight']);
      expect(await at(MIDNIGHT_US - 2 * HOUR_US)).toEqual(['back over midnight']);
    }
    const window = { fromUs: NOON_US - 2 * HOUR_US, toUs: MIDNIGHT_US + 2 * HOUR_US };
    expect(await legs(store, { window, calledTn: CALLED })).toHaveLength(records.length);
  };

  claim(
    'finds a call of a local time that comes twice by either instant, once, also in the day beside',
    async (store) => {
      await store.insert(records);
      await expectAll(store);
    },
  );

  claim('holds what either instant puts into the window', async (store) => {
    await store.insert(records);
    const query = { window: around(NOON_US + HOUR_US), calledTn: CALLED };
    expect(await store.hold({ query, reason: 'demand' })).toMatchObject({ count: 2 });
    await store.expire(NOON_US + DAY_US);
    expect(await legs(store, query)).toEqual(['earlier', 'after']);
    expect(await legs(store, { ...query, window: around(NOON_US) })).toEqual(['earlier']);
  });

  if (reopened === undefined) return;
  test(`${name} finds what is held by either instant when it is opened again`, async () => {
    const clock = new ManualClock();
    const first = await empty(clock);
    await first.insert(records);
    const query = { window: around(NOON_US + HOUR_US), calledTn: CALLED };
    await first.hold({ query, reason: 'demand' });
    await first.hold({ query, reason: 'another demand' });
    await first.expire(NOON_US + DAY_US);
    await first.close();
    await using store = await reopened(clock);
    expect(await legs(store, query)).toEqual(['earlier', 'after']);
    expect(await legs(store, { ...query, window: around(NOON_US) })).toEqual(['earlier']);
  });

  test(`${name} finds by either instant when it is opened again, whatever the number of such calls`, async () => {
    const clock = new ManualClock();
    const first = await empty(clock);
    await first.insert(records);
    await first.insert(
      Array.from({ length: 40 }, (_, at) => twice(`more ${at}`, NOON_US + at, NOON_US + at + HOUR_US)),
    );
    await first.close();
    await using store = await reopened(clock);
    expect(await legs(store, { window: around(NOON_US + HOUR_US), calledTn: CALLED })).toHaveLength(42);
  });
}

function retentionClaims(claim: Claim): void {
  claim('removes what began before a time, and what it was complete for', async (store) => {
    const records = [-2 * DAY_US, -DAY_US, -1, 0, 1].map((us, index) => sampleRecord(index, NOON_US + us));
    await store.insert(records);
    await store.cover({ sourceId: 'sbc-1', fromUs: NOON_US - 3 * DAY_US, toUs: NOON_US + 9 });
    expect(await store.expire(NOON_US)).toBe(3);
    expect(await store.statistics()).toMatchObject({ records: 2, oldestUs: NOON_US, newestUs: NOON_US + 1 });
    expect(await store.coverage({ fromUs: 0, toUs: 2 * NOON_US })).toEqual([
      { sourceId: 'sbc-1', fromUs: NOON_US, toUs: NOON_US + 9 },
    ]);
    expect(await store.expire(NOON_US)).toBe(0);
  });

  claim('does not take records older than retention, and counts them', async (store) => {
    await store.expire(NOON_US);
    const result = await store.insert([sampleRecord(1, NOON_US - 1), sampleRecord(2, NOON_US)]);
    expect(result).toEqual({ inserted: 1, repeated: 0, expired: 1 });
  });

  claim('is not complete for what is older than retention, whoever says so afterwards', async (store) => {
    await store.expire(NOON_US);
    await store.cover({ sourceId: 'sbc-1', fromUs: NOON_US - HOUR_US, toUs: NOON_US + HOUR_US });
    await store.cover({ sourceId: 'sbc-1', fromUs: NOON_US - 3 * HOUR_US, toUs: NOON_US - 2 * HOUR_US });
    expect(await store.coverage({ fromUs: 0, toUs: 2 * NOON_US })).toEqual([
      { sourceId: 'sbc-1', fromUs: NOON_US, toUs: NOON_US + HOUR_US },
    ]);
  });
}

function holdClaims(claim: Claim): void {
  claim('keeps what is under a hold beyond retention, and finds each record once', async (store) => {
    const records = [0, 1, 2, 3].map((index) => sampleRecord(index, NOON_US + index));
    await store.insert(records);
    const query = { window: NOON, calledTn: records[1]!.called!.tn! };
    const hold = await store.hold({ query, reason: 'subpoena 17', by: 'counsel' });
    expect(hold).toMatchObject({ reason: 'subpoena 17', count: 1, query });
    expect((await store.find(query)).records).toEqual([records[1]]);
    await store.expire(NOON_US + HOUR_US);
    expect((await store.find(query)).records).toEqual([records[1]]);
    expect(await store.holds()).toEqual([hold]);
  });

  claim('lets what was held go with the next expiry after its release', async (store, clock) => {
    const record = sampleRecord(1, NOON_US);
    await store.insert([record]);
    const query = { window: NOON, recordId: record.recordId };
    const first = await store.hold({ query, reason: 'subpoena 17', by: 'counsel' });
    const second = await store.hold({ query, reason: 'demand 4' });
    await store.expire(NOON_US + HOUR_US);
    clock.advance(5_000);
    expect(await store.release(first.holdId, 'matter closed', 'counsel')).toBe(true);
    expect(await store.release(first.holdId, 'again')).toBe(false);
    expect(await store.release('no such hold', 'none')).toBe(false);
    await store.expire(NOON_US + HOUR_US);
    expect((await store.find(query)).records).toEqual([record]);
    await store.release(second.holdId, 'answered');
    await store.expire(NOON_US + HOUR_US);
    expect((await store.find(query)).records).toEqual([]);
    expect(await store.holds()).toEqual([]);
  });

  claim('writes down who held and released what, when and why', async (store, clock) => {
    await store.insert([sampleRecord(1, NOON_US)]);
    const atUs = clock.nowMs() * 1_000;
    const query = { window: NOON, recordId: sampleRecord(1, NOON_US).recordId };
    const { holdId } = await store.hold({ query, reason: 'subpoena 17', by: 'counsel' });
    clock.advance(5_000);
    await store.release(holdId, 'matter closed');
    expect(await store.holdAudit()).toEqual([
      { action: 'held', holdId, atUs, reason: 'subpoena 17', count: 1, by: 'counsel' },
      { action: 'released', holdId, atUs: atUs + 5_000_000, reason: 'matter closed', count: 1 },
    ]);
  });

  claim('ends a hold whose time is over at the next expiry, and writes it down', async (store, clock) => {
    const record = sampleRecord(1, NOON_US);
    await store.insert([record]);
    const query = { window: NOON, recordId: record.recordId };
    const untilUs = clock.nowMs() * 1_000 + 1_000_000;
    const { holdId } = await store.hold({ query, reason: 'subpoena 17', untilUs });
    await store.expire(NOON_US + HOUR_US);
    expect((await store.find(query)).records).toEqual([record]);
    clock.advance(2_000);
    await store.expire(NOON_US + HOUR_US);
    expect((await store.find(query)).records).toEqual([]);
    expect(await store.holds()).toEqual([]);
    expect((await store.holdAudit()).at(-1)).toMatchObject({ action: 'ended', holdId });
  });

  claim('refuses a hold without a reason or of a query that names nothing', async (store) => {
    expect(await codeOf(store.hold({ query: { window: NOON, trunk: 'east-1' }, reason: ' ' }))).toBe(
      'invalid-argument',
    );
    expect(await codeOf(store.hold({ query: { window: NOON }, reason: 'why' }))).toBe('invalid-argument');
    expect(await store.holdAudit()).toEqual([]);
  });
}

function reopeningClaims({ name, empty }: StoreUnderTest, reopened: NonNullable<StoreUnderTest['reopened']>): void {
  test(`${name} has everything when it is opened again`, async () => {
    const clock = new ManualClock();
    const records = Array.from({ length: 50 }, (_, index) => sampleRecord(index, NOON_US + index * 1_000));
    const first = await empty(clock);
    await first.insert(records);
    await first.cover({ sourceId: 'sbc-1', fromUs: NOON_US, toUs: NOON_US + 9 });
    const query = { window: NOON, recordId: records[3]!.recordId };
    const hold = await first.hold({ query, reason: 'subpoena 17' });
    await first.close();

    await using store = await reopened(clock);
    expect(await store.insert(records)).toEqual({ inserted: 0, repeated: 50, expired: 0 });
    expect(await store.holds()).toEqual([hold]);
    expect(await store.scope()).toEqual({ sources: ['sbc-1'] });
    await store.expire(NOON_US + HOUR_US);
    expect((await store.find(query)).records).toEqual([records[3]]);
    expect(await store.insert(records)).toEqual({ inserted: 0, repeated: 0, expired: 50 });
    expect((await store.holdAudit()).map(({ action }) => action)).toEqual(['held']);
  });

  test(`${name} remembers how far retention went, and what it is complete for, when it is opened again`, async () => {
    const clock = new ManualClock();
    const first = await empty(clock);
    await first.cover({ sourceId: 'sbc-1', fromUs: NOON_US - 9, toUs: NOON_US + 9 });
    await first.expire(NOON_US);
    await first.close();
    await using store = await reopened(clock);
    expect(await store.coverage(NOON)).toEqual([{ sourceId: 'sbc-1', fromUs: NOON_US, toUs: NOON_US + 9 }]);
    expect(await store.insert([sampleRecord(1, NOON_US - 1)])).toEqual({ inserted: 0, repeated: 0, expired: 1 });
  });
}

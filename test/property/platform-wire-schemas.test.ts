import * as fc from 'fast-check';
import { expect, test } from 'vitest';
import { CallRecord, SharedRecord, VerdictEvidence } from '../../sdk/src/platform/index.js';
import { anyCallRecord } from '../support/any-call-record.js';
import { changed, places, type Place } from '../support/json-places.js';
import { SENDING_LEVELS, sharedRecord } from '../support/shared-records.js';

/** Any record within the bounds of its schema: names are not empty. */
const boundedRecord = anyCallRecord().map(
  (record) =>
    JSON.parse(JSON.stringify(record), (name, value: unknown) =>
      value === '' && name !== 'base64' ? 'x' : value,
    ) as CallRecord,
);
const anyLevel = fc.constantFrom(...SENDING_LEVELS);
const anyShared = fc.tuple(boundedRecord, anyLevel).map(([record, level]) => sharedRecord(record, level));

test('whatever leaves of a record that is one is read as it is, at every level', () => {
  fc.assert(
    fc.property(boundedRecord, (record) => {
      expect(CallRecord.safeParse(record)).toEqual({ success: true, data: record });
      for (const level of SENDING_LEVELS) {
        const shared = sharedRecord(record, level);
        expect(SharedRecord.safeParse(shared)).toEqual({ success: true, data: shared });
      }
    }),
    { numRuns: 500 },
  );
});

test('a shared record in which any one place holds what cannot be there is refused', () => {
  const wrong = fc.constantFrom(null, Number.NaN, Symbol('none'), () => 'none', 1n);
  fc.assert(
    fc.property(anyShared, fc.nat(), wrong, (shared, pick, by) => {
      const all = places(shared);
      const mutated = changed(shared, all[pick % all.length]!, by);
      expect(SharedRecord.safeParse(mutated).success).toBe(false);
    }),
    { numRuns: 2_000 },
  );
});

test('a shared record with a text or number out of its bounds is refused', () => {
  const out = fc.constantFrom('x'.repeat(5_000), '\u0000'.repeat(4_097), -0.5, 2 ** 53, Number.POSITIVE_INFINITY);
  // A time or a count of a verification may be any number.
  const isFree = (place: Place): boolean => /Seconds$|Ms$|^(?:expected|actual)$/.test(String(place.at(-1)));
  fc.assert(
    fc.property(anyShared, fc.nat(), out, (shared, pick, by) => {
      const all = places(shared).filter((place) => !isFree(place));
      expect(SharedRecord.safeParse(changed(shared, all[pick % all.length]!, by)).success).toBe(false);
    }),
    { numRuns: 2_000 },
  );
});

test('a shared record that lacks what every one has is refused', () => {
  const needed = ['format', 'recordId', 'sharing', 'source', 'callGroupId', 'inviteAtUs', 'time', 'ingress', 'egress'];
  const inner: readonly Place[] = [
    ...[
      ['sharing', 'policyId'],
      ['sharing', 'form'],
      ['sharing', 'rotationId'],
      ['source', 'format'],
    ],
    ...[['source', 'readerVersion'], ['time', 'written'], ['time', 'resolutionUs'], ['disposition']],
  ];
  fc.assert(
    fc.property(anyShared, fc.constantFrom(...needed.map((name) => [name]), ...inner), (shared, place) => {
      expect(SharedRecord.safeParse(changed(shared, place, undefined)).success).toBe(false);
    }),
    { numRuns: 500 },
  );
});

test('reads anything, never throws', () => {
  fc.assert(
    fc.property(fc.oneof(fc.anything(), fc.anything({ withNullPrototype: true, withDate: true })), (value) => {
      for (const schema of [SharedRecord, CallRecord, VerdictEvidence])
        expect(schema.safeParse(value).success).toBe(false);
    }),
  );
});

import { expect, test } from 'vitest';
import { readBySchema } from '../../sdk/src/core/schema-findings.js';
import { CallRecord } from '../../sdk/src/contract/call-record.js';
import { sampleRecord } from '../support/stream-lab.js';

const record = sampleRecord(1);
/** JSON that anybody can write: its length cannot be compared with a number. */
const ODD: unknown = JSON.parse('{"length":{"valueOf":1,"toString":1},"size":{"valueOf":1}}');

const placesOf = (value: unknown): readonly string[] | undefined =>
  readBySchema(CallRecord, value).error?.issues.map(({ path }) => path.join('.'));

test.each([
  [{ ...record, legId: ODD }, ['legId']],
  [{ ...record, egress: { ...record.egress, callId: ODD } }, ['egress.callId']],
  [{ ...record, legId: ODD, callGroupId: [ODD] }, ['legId', 'callGroupId']],
])('an object with a length that cannot be compared is not thrown at where a text should be: %#', (value, places) => {
  const before = JSON.stringify(value);
  expect(placesOf(value)).toEqual(places);
  expect(JSON.stringify(value)).toBe(before);
});

test('what is in its form is read as by the schema itself', () => {
  expect(readBySchema(CallRecord, record)).toEqual(CallRecord.safeParse(record));
});

test('a value of any depth beside it costs no stack, and a member __proto__ changes nothing', () => {
  const deep = `${'['.repeat(100_000)}${']'.repeat(100_000)}`;
  const whole = JSON.stringify({ ...record, legId: ODD }).slice(0, -1);
  expect(placesOf(JSON.parse(`${whole},"__proto__":{"legId":"a"},"deep":${deep}}`))).toContain('legId');
});

test('what a schema itself does wrong is not hidden', () => {
  const broken = {
    safeParse: (): never => {
      throw new RangeError('of ours');
    },
  };
  expect(() => readBySchema(broken, ODD)).toThrow(RangeError);
});

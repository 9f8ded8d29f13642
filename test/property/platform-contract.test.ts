import type { WireBodyName } from '../../sdk/src/contract/bodies.js';
import * as fc from 'fast-check';
import { expect, test } from 'vitest';
import { WIRE_EXAMPLES, WIRE_SCHEMAS } from '../../sdk/src/platform/index.js';
import { contractValidators } from '../support/contract-schemas.js';
import { changed, places } from '../support/json-places.js';
import { forAll } from '../support/for-all.js';

const NAMES = Object.keys(WIRE_SCHEMAS) as WireBodyName[];
const anyName = fc.constantFrom(...NAMES);
const anyExample = fc
  .constantFrom(...NAMES.flatMap((name) => WIRE_EXAMPLES[name].map(({ value }) => ({ name, value: value as unknown }))))
  .chain(({ name, value }) =>
    fc.record({ name: fc.constant(name), value: fc.constant(value), place: fc.constantFrom(...places(value)) }),
  );

test('every body is read from anything, without a throw', () => {
  forAll(
    [anyName, fc.oneof(fc.jsonValue(), fc.anything({ withNullPrototype: true, withDate: true }))],
    5_000,
    (name, value) => {
      expect(typeof WIRE_SCHEMAS[name].safeParse(value).success).toBe('boolean');
    },
  );
});

test('of a body with anything in any one place the schemas and the OpenAPI document say the same', () => {
  const validatorOf = contractValidators();
  forAll([anyExample, fc.jsonValue({ maxDepth: 2 })], 5_000, ({ name, value, place }, by) => {
    const other = changed(value, place, by);
    const reading = WIRE_SCHEMAS[name].safeParse(other);
    expect([reading.success, name, place]).toEqual([validatorOf(name)(other), name, place]);
  });
});

test('a body that was read is read again unchanged', () => {
  forAll([anyExample, fc.jsonValue({ maxDepth: 2 })], 5_000, ({ name, value, place }, by) => {
    const reading = WIRE_SCHEMAS[name].safeParse(changed(value, place, by));
    if (reading.success)
      expect(WIRE_SCHEMAS[name].safeParse(reading.data)).toEqual({ success: true, data: reading.data });
  });
});

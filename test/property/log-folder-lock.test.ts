import fc from 'fast-check';
import { expect, test } from 'vitest';
import { readHolder } from '../../sdk/src/log/log-files.js';

test('any text is a lock or none', () => {
  const json = fc.json().map((text) => `${text}\n`);
  fc.assert(
    fc.property(fc.oneof(fc.string({ unit: 'binary' }), json), (text) => {
      expect(['object', 'undefined']).toContain(typeof readHolder(text));
    }),
  );
});

import fc from 'fast-check';
import { expect, test } from 'vitest';
import { formDocument } from '../../sdk/src/sidecar/intake/record-intake-app.js';

const encoding = fc.constantFrom('percent', 'base64');
/** Octets of which forms are made, and any others. */
const octets = fc
  .array(fc.oneof({ weight: 4, arbitrary: fc.constantFrom(...Buffer.from('cdr=&%+2bB7{"}')) }, fc.nat(255)), {
    maxLength: 200,
  })
  .map((values) => Uint8Array.from(values));

test('any body makes a document that is no longer than it, or none, and never throws', () => {
  fc.assert(
    fc.property(octets, encoding, (body, form) => {
      const reading = formDocument(body, form);
      if (reading.status === 'read') expect(reading.octets.length).toBeLessThanOrEqual(body.length);
      else expect(reading.detail).not.toBe('');
    }),
  );
});

test('a document comes out of the form that it was put into, whatever stands beside it', () => {
  fc.assert(
    fc.property(fc.json(), fc.string({ unit: 'grapheme' }), encoding, (document, other, form) => {
      const value = form === 'percent' ? encodeURIComponent(document) : Buffer.from(document).toString('base64');
      const body = `first=${encodeURIComponent(other)}&cdr=${value}&last=1`;
      const reading = formDocument(new TextEncoder().encode(body), form);
      expect(reading.status === 'read' && new TextDecoder().decode(reading.octets)).toBe(document);
    }),
  );
});

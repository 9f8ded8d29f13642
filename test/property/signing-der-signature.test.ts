import { createPublicKey, generateKeyPairSync, sign, verify } from 'node:crypto';
import fc from 'fast-check';
import { expect, test } from 'vitest';
import { derToRawSignature, rawToDerSignature } from '../../sdk/src/stir/signing/index.js';

const { privateKey } = generateKeyPairSync('ec', { namedCurve: 'P-256' });
const publicKey = createPublicKey(privateKey);

/** Octets that look like a signature more often than chance would have it. */
const derLike = fc
  .tuple(
    fc.uint8Array({ minLength: 0, maxLength: 36 }),
    fc.uint8Array({ minLength: 0, maxLength: 36 }),
    fc.integer({ min: -2, max: 2 }),
  )
  .map(([r, s, off]) =>
    Uint8Array.of(0x30, (r.length + s.length + 4 + off) & 0xff, 0x02, r.length, ...r, 0x02, s.length, ...s),
  );

test('never throws, and takes one spelling of a DER signature only', () => {
  fc.assert(
    fc.property(fc.oneof(fc.uint8Array({ maxLength: 100 }), derLike), (octets) => {
      const raw = derToRawSignature(octets);
      if (raw.status === 'malformed') return;
      const again = rawToDerSignature(raw.signature);
      expect(again).toEqual({ status: 'converted', signature: octets });
    }),
    { numRuns: 20_000 },
  );
});

test('never throws, whatever is to be a raw signature', () => {
  fc.assert(
    fc.property(fc.uint8Array({ minLength: 60, maxLength: 68 }), (octets) => {
      const der = rawToDerSignature(octets);
      if (der.status === 'converted')
        expect(derToRawSignature(der.signature)).toEqual({ status: 'converted', signature: octets });
    }),
    { numRuns: 5_000 },
  );
});

test('converts what OpenSSL signs, both ways, into what OpenSSL verifies', () => {
  fc.assert(
    fc.property(fc.uint8Array({ maxLength: 64 }), (message) => {
      const raw = derToRawSignature(sign('sha256', message, privateKey));
      expect(
        raw.status === 'converted' &&
          verify('sha256', message, { key: publicKey, dsaEncoding: 'ieee-p1363' }, raw.signature),
      ).toBe(true);
      const der = rawToDerSignature(sign('sha256', message, { key: privateKey, dsaEncoding: 'ieee-p1363' }));
      expect(der.status === 'converted' && verify('sha256', message, publicKey, der.signature)).toBe(true);
    }),
    { numRuns: 2_000 },
  );
});

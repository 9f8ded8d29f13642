import { createTestPki } from '@hopback/sdk/testing';
import fc from 'fast-check';
import { expect, test } from 'vitest';
import { readTrustStoreRecord, writeTrustStoreRecord } from '../../sdk/src/stir/certificates/trust-store-renewal.js';
import { parsed, parsedCrl } from '../unit/certificates-parsed.js';

test('reading a record returns, for any JSON and any damage to a good one', async () => {
  const pki = await createTestPki();
  const good = writeTrustStoreRecord({
    jws: pki.trustList().jws,
    signerChain: [parsed(pki.stiPaSigner)],
    crls: [parsedCrl(pki.crl())],
    crlSigners: [parsed(pki.stiPaCrlIssuer)],
  });
  const returns = (text: string): void => {
    const read = readTrustStoreRecord(text);
    expect(read === undefined || typeof read.jws === 'string').toBe(true);
  };
  fc.assert(fc.property(fc.oneof(fc.string(), fc.json()), returns), { numRuns: 500 });
  const damage = fc.tuple(fc.nat(good.length - 1), fc.nat(40), fc.string({ maxLength: 8 }));
  fc.assert(
    fc.property(damage, ([at, cut, put]) => returns(good.slice(0, at) + put + good.slice(at + cut))),
    { numRuns: 500 },
  );
});

import { expect, test } from 'vitest';
import { createTestKey } from '@hopback/sdk/testing';
import { describePeer } from '../peers.js';
import { startLibsecsipidLoop } from './libsecsipid/loop.js';
import { signWithSecsipidx } from './secsipidx.js';

const key = createTestKey();

describePeer(['libsecsipid', 'secsipidx'], 'the libsecsipid loop', () => {
  const signed = (): Promise<string> =>
    signWithSecsipidx({
      ...{ privateKeyPem: key.privateKeyPem, orig: '12025550101', dest: '12025550199', attestation: 'A' },
      x5u: 'https://certificates.example/sp.pem',
    });

  test('measures verifications and signatures in turn, on no more than one core', async () => {
    await using loop = await startLibsecsipidLoop({ identityHeader: await signed(), ...key });
    for (const round of [await loop?.verify(200), await loop?.sign(200), await loop?.verify(200)]) {
      expect(round?.perSecond).toBeGreaterThan(100);
      // CPU time is counted in ticks, so a round of 200 ms may read a little over 1.
      expect(round?.cores).toBeLessThan(1.2);
    }
  });

  test('gives no rate for a header that libsecsipid refuses', async () => {
    await using loop = await startLibsecsipidLoop({
      ...{
        identityHeader: await signed(),
        publicKeyPem: createTestKey().publicKeyPem,
        privateKeyPem: key.privateKeyPem,
      },
    });
    // Its code of an invalid signature.
    await expect(loop?.verify(200)).rejects.toThrow('-251');
  });
});

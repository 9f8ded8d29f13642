import { afterAll, beforeAll, expect, test } from 'vitest';
import { createTestKey } from '@hopback/sdk/testing';
import { describePeer } from '../peers.js';
import { type OurEnd, startOurEnd } from './our-end.js';
import { isAcceptedBySecsipidx, signWithSecsipidx } from './secsipidx.js';
import { inviteText } from './sip-datagrams.js';

// Which headers secsipidx takes and which it signs, case by case, is in the conformance matrix. Here the other end is our own.

const call = { orig: '12025550101', dest: '12025550199' };

describePeer('secsipidx', 'secsipidx', () => {
  let our: OurEnd;
  beforeAll(async () => {
    our = await startOurEnd();
  });
  afterAll(() => our.close());

  test('accepts a header signed here by its public key, and not by another key', async () => {
    const identityHeader = await our.sign(call);
    expect(await isAcceptedBySecsipidx(identityHeader, { publicKeyPem: our.publicKeyPem })).toBe(true);
    expect(await isAcceptedBySecsipidx(identityHeader, createTestKey())).toBe(false);
  });

  test('accepts a header signed here by the certificate that it fetches from x5u', async () => {
    const fetchedBefore = our.fetches();
    const credential = { url: our.x5u, tlsCaPem: our.tlsRootPem };
    expect(await isAcceptedBySecsipidx(await our.sign(call), credential)).toBe(true);
    expect(our.fetches() - fetchedBefore).toBe(1);
  });

  test.each(['A', 'B', 'C'])('signs a header with attestation %s that is verified here', async (attestation) => {
    const { privateKeyPem, x5u } = our;
    const identityHeader = await signWithSecsipidx({ ...call, attestation, privateKeyPem, x5u });
    const verdict = await our.verify(inviteText({ ...call, headers: [`Identity: ${identityHeader}`] }));
    expect(verdict).toMatchObject({ status: 'passed', attestation, signer: { spc: '1234', x5u } });
  });
});

import { existsSync } from 'node:fs';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { createTestKey } from '@hopback/sdk/testing';
import { describePeer } from '../peers.js';
import { startKamailio, type SigningKamailio, type VerifyingKamailio } from './kamailio.js';
import { LIBSECSIPID_CODES } from './libsecsipid/return-codes.js';
import { type OurEnd, startOurEnd } from './our-end.js';
import { headerValues, inviteText } from './sip-datagrams.js';

const call = { orig: '12025550101', dest: '12025550199' };
const invite = (...identityHeaders: readonly string[]): string =>
  inviteText({ ...call, headers: identityHeaders.map((value) => `Identity: ${value}`) });

describePeer('kamailio', 'Kamailio with its secsipid module', () => {
  let our: OurEnd;
  beforeAll(async () => {
    our = await startOurEnd();
  });
  afterAll(() => our.close());

  describe('checks INVITEs signed here', () => {
    let kamailio: VerifyingKamailio;
    beforeAll(async () => {
      kamailio = await startKamailio({ mode: 'verify', credential: { publicKeyPem: our.publicKeyPem } });
    });
    afterAll(() => kamailio.close());

    test('and accepts one by the bare public key', async () => {
      expect(await kamailio.check(invite(await our.sign(call)))).toEqual({ ok: true, code: 1 });
    });

    test('and accepts one whose Identity header is folded', async () => {
      const identityHeader = (await our.sign(call)).replace(';', '\r\n ;');
      expect(await kamailio.check(invite(identityHeader))).toEqual({ ok: true, code: 1 });
    });

    test('and refuses one that is 62 s old, one with another signature and one without Identity', async () => {
      const stale = await our.sign({ ...call, ageSeconds: 62 });
      expect(await kamailio.check(invite(stale))).toEqual({ ok: false, code: LIBSECSIPID_CODES.iatExpired });
      const identityHeader = await our.sign(call);
      const payloadOf = (value: string): string => value.split('.')[1] ?? '';
      const another = payloadOf(await our.sign({ ...call, orig: '12025550150' }));
      const forged = identityHeader.replace(payloadOf(identityHeader), another);
      expect(await kamailio.check(invite(forged))).toEqual({ ok: false, code: LIBSECSIPID_CODES.signatureInvalid });
      expect(await kamailio.check(invite())).toEqual({ ok: false, code: LIBSECSIPID_CODES.error });
    });
  });

  test('fetches the certificate from x5u, follows it to the trust anchor and accepts our INVITE', async () => {
    await using kamailio = await startKamailio({
      ...{ mode: 'verify', trustAnchorsPem: our.rootPem },
      credential: { fromInfo: true, tlsCaPem: our.tlsRootPem },
    });
    const fetchedBefore = our.fetches();
    expect(await kamailio.check(invite(await our.sign(call)))).toEqual({ ok: true, code: 1 });
    expect(our.fetches() - fetchedBefore).toBe(1);
  });

  test('refuses our INVITE when its trust anchor is another one', async () => {
    await using kamailio = await startKamailio({
      ...{ mode: 'verify', trustAnchorsPem: our.tlsRootPem },
      credential: { certificatePem: our.chainPem },
    });
    const result = await kamailio.check(invite(await our.sign(call)));
    expect(result).toEqual({ ok: false, code: LIBSECSIPID_CODES.certificateInvalid });
  });

  describe('signs INVITEs that are verified here', () => {
    let kamailio: SigningKamailio;
    beforeAll(async () => {
      kamailio = await startKamailio({
        mode: 'sign',
        privateKeyPem: our.privateKeyPem,
        x5u: our.x5u,
        attestation: 'B',
      });
    });
    afterAll(() => kamailio.close());

    test('as the next hop gets them', async () => {
      const relayed = await kamailio.relay(invite());
      expect(headerValues(relayed, 'Via')).toHaveLength(2);
      expect(await our.verify(relayed)).toMatchObject({
        ...{ status: 'passed', attestation: 'B', signer: { spc: '1234', x5u: our.x5u } },
      });
    });

    test('also when it leaves the + on the numbers', async () => {
      const relayed = await kamailio.relay(inviteText({ orig: '+12025550101', dest: '+12025550199' }));
      expect(await our.verify(relayed)).toMatchObject({ status: 'passed' });
    });

    test('also when another Identity header was there before', async () => {
      const relayed = await kamailio.relay(invite('junk'));
      expect(headerValues(relayed, 'Identity')).toHaveLength(2);
      expect(await our.verify(relayed)).toMatchObject({
        status: 'passed',
        outcomes: [{ status: 'failed' }, { status: 'passed' }],
      });
    });

    test('and not when it had another key', async () => {
      const { privateKeyPem } = createTestKey();
      await using stranger = await startKamailio({ mode: 'sign', privateKeyPem, x5u: our.x5u });
      const verdict = await our.verify(await stranger.relay(invite()));
      expect(verdict).toMatchObject({ status: 'failed', reasons: ['signature-invalid'] });
    });
  });

  test('a Kamailio that cannot sign says so, and one that was closed leaves nothing behind', async () => {
    const kamailio = await startKamailio({ mode: 'sign', privateKeyPem: 'no key', x5u: our.x5u });
    await expect(kamailio.sign(invite())).rejects.toThrow('did not sign');
    await kamailio.close();
    expect(existsSync(kamailio.directory)).toBe(false);
    expect(() => process.kill(kamailio.processId, 0)).toThrow('ESRCH');
  });
});

import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { createTestKey } from '@hopback/sdk/testing';
import { describePeer } from '../peers.js';
import { LIBSECSIPID_CODES } from './libsecsipid/return-codes.js';
import { type OurEnd, startOurEnd } from './our-end.js';
import { checkWithSecsipidx, signJsonWithSecsipidx, signWithSecsipidx } from './secsipidx.js';
import { inviteText } from './sip-datagrams.js';

const call = { orig: '12025550101', dest: '12025550199' };

describePeer('secsipidx', 'secsipidx', () => {
  let our: OurEnd;
  beforeAll(async () => {
    our = await startOurEnd();
  });
  afterAll(() => our.close());

  describe('checks headers signed here', () => {
    test('and accepts one by the bare public key', async () => {
      const identityHeader = await our.sign(call);
      const credential = { publicKeyPem: our.publicKeyPem };
      expect(await checkWithSecsipidx({ identityHeader, credential })).toMatchObject({ ok: true, code: 0 });
    });

    test('and accepts one whose certificate chain it follows to the trust anchor', async () => {
      const identityHeader = await our.sign(call);
      const options = { identityHeader, credential: { certificatePem: our.chainPem } };
      expect(await checkWithSecsipidx({ ...options, trustAnchorsPem: our.rootPem })).toMatchObject({ ok: true });
      expect(await checkWithSecsipidx({ ...options, trustAnchorsPem: our.tlsRootPem })).toMatchObject({
        code: LIBSECSIPID_CODES.certificateInvalid,
      });
    });

    test('and accepts one whose certificate it fetches from x5u', async () => {
      const fetchedBefore = our.fetches();
      const result = await checkWithSecsipidx({
        identityHeader: await our.sign(call),
        credential: { url: our.x5u, tlsCaPem: our.tlsRootPem },
        trustAnchorsPem: our.rootPem,
      });
      expect(result).toMatchObject({ ok: true });
      expect(our.fetches() - fetchedBefore).toBe(1);
    });

    test('and refuses one under another key, one that is 62 s old and one without parameters', async () => {
      const credential = { publicKeyPem: our.publicKeyPem };
      const identityHeader = await our.sign(call);
      const codeOf = async (value: string, key = credential): Promise<unknown> =>
        (await checkWithSecsipidx({ identityHeader: value, credential: key })).code;
      expect(await codeOf(identityHeader, createTestKey())).toBe(LIBSECSIPID_CODES.signatureInvalid);
      expect(await codeOf(await our.sign({ ...call, ageSeconds: 62 }))).toBe(LIBSECSIPID_CODES.iatExpired);
      expect(await codeOf(identityHeader.split(';')[0] ?? '')).toBe(LIBSECSIPID_CODES.parameterParse);
    });
  });

  describe('signs headers that are verified here', () => {
    const invite = (identityHeader: string, parties = call): string =>
      inviteText({ ...parties, headers: [`Identity: ${identityHeader}`] });
    const signed = (attestation: string, parties = call): Promise<string> =>
      signWithSecsipidx({ ...parties, attestation, privateKeyPem: our.privateKeyPem, x5u: our.x5u });
    /** Claims and header of its own choice, which secsipidx signs as they are. */
    const signedWith = async (claims: object, passportHeader: object = {}): Promise<string> => {
      const { orig, dest } = call;
      const iat = Math.floor(Date.now() / 1000);
      const token = await signJsonWithSecsipidx({
        privateKeyPem: our.privateKeyPem,
        passportHeader: JSON.stringify({
          alg: 'ES256',
          ppt: 'shaken',
          typ: 'passport',
          x5u: our.x5u,
          ...passportHeader,
        }),
        passportPayload: JSON.stringify({
          ...{ attest: 'A', dest: { tn: [dest] }, iat, orig: { tn: orig }, origid: 'a', ...claims },
        }),
      });
      return `${token};info=<${our.x5u}>;alg=ES256;ppt=shaken`;
    };
    const secsipidxAccepts = async (identityHeader: string): Promise<boolean> =>
      (await checkWithSecsipidx({ identityHeader, credential: { publicKeyPem: our.publicKeyPem } })).ok;

    test.each(['A', 'B', 'C'])('with attestation %s', async (attestation) => {
      const verdict = await our.verify(invite(await signed(attestation)));
      expect(verdict).toMatchObject({ status: 'passed', attestation, signer: { spc: '1234', x5u: our.x5u } });
    });

    test('with the origid that it was told, and with one of its own', async () => {
      const options = { ...call, attestation: 'A', privateKeyPem: our.privateKeyPem, x5u: our.x5u };
      const told = await signWithSecsipidx({ ...options, origId: 'trunk-7' });
      expect(await our.verify(invite(told))).toMatchObject({ status: 'passed', origId: 'trunk-7' });
      const own = await our.verify(invite(await signWithSecsipidx(options)));
      expect(own.origId).toMatch(/^[0-9a-f]{8}-[0-9a-f]{4}-4/);
    });

    test('and not for another call', async () => {
      const identityHeader = await signed('A');
      const toAnother = invite(identityHeader, { ...call, dest: '12025550150' });
      const fromAnother = invite(identityHeader, { ...call, orig: '12025550150' });
      expect((await our.verify(toAnother)).reasons).toContain('dest-mismatch');
      expect((await our.verify(fromAnother)).reasons).toContain('orig-mismatch');
    });

    test('and not with a claim changed after signing', async () => {
      const identityHeader = await signed('C');
      const payloadOf = (value: string): string => value.split('.')[1] ?? '';
      const raised = identityHeader.replace(payloadOf(identityHeader), payloadOf(await signed('A')));
      const verdict = await our.verify(invite(raised));
      expect(verdict).toMatchObject({ status: 'failed', reasons: ['signature-invalid'] });
    });

    test.each([
      ['a year ahead', { iat: Math.floor(Date.now() / 1000) + 31_536_000 }, {}, 'iat-in-future'],
      ['without ppt in the PASSporT', {}, { ppt: undefined }, 'header-claim-missing'],
      ['without a typ', {}, { typ: undefined }, 'header-claim-missing'],
      ['with an attestation that does not exist', { attest: 'Z' }, {}, 'attest-invalid'],
      ['without a called number', { dest: undefined }, {}, 'claim-missing'],
    ])('which accepts a token %s, refused here', async (_title, claims, header, reason) => {
      const identityHeader = await signedWith(claims, header);
      expect(await secsipidxAccepts(identityHeader)).toBe(true);
      const verdict = await our.verify(invite(identityHeader));
      expect(verdict.status).toBe('failed');
      expect(verdict.reasons).toContain(reason);
    });

    test('which refuses a quoted alg, accepted here', async () => {
      const identityHeader = (await signed('A')).replace('alg=ES256', 'alg="ES256"');
      expect(await secsipidxAccepts(identityHeader)).toBe(false);
      expect(await our.verify(invite(identityHeader))).toMatchObject({ status: 'passed' });
    });
  });
});

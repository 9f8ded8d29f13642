import { createTestKey } from '@hopback/sdk/testing';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { describePeer } from '../peers.js';
import { startKamailioProcess } from './kamailio/process.js';
import { type OurEnd, startOurEnd } from './our-end.js';
import { headerValues, inviteText, openSipDatagrams, statusCode } from './sip-datagrams.js';
import { createTemporaryDirectory } from './temporary-directory.js';

// Which headers Kamailio takes is in the conformance matrix. Here its next hop is our own.

const call = { orig: '12025550101', dest: '12025550199' };

describePeer('kamailio', 'Kamailio with its secsipid module', () => {
  let our: OurEnd;
  beforeAll(async () => {
    our = await startOurEnd();
  });
  afterAll(() => our.close());

  /** The INVITE that Kamailio signs with a key, as its next hop gets it. */
  async function signed(privateKeyPem: string, numbers = call): Promise<string> {
    await using directory = await createTemporaryDirectory();
    await using datagrams = await openSipDatagrams();
    const trusted = await directory.write('root.pem', our.tlsRootPem);
    const kamailio = await startKamailioProcess({
      configuration: 'conformance.cfg',
      definitions: {
        ...{ EXPIRE: '60', ATTEST: '"B"', X5U: `"${our.x5u}"`, NEXT_HOP: `"sip:127.0.0.1:${datagrams.port}"` },
        ...{ CERT_CA_FILE: `"CertCAFile=${trusted}"`, CERT_CRL_FILE: `"CertCRLFile=${trusted}"` },
        KEY_FILE: `"${await directory.write('key.pem', privateKeyPem)}"`,
      },
    });
    try {
      const invite = inviteText(numbers);
      const relayed = datagrams.next(headerValues(invite, 'Call-ID')[0] ?? '', 5_000);
      datagrams.send(invite, kamailio.port);
      return (await relayed) ?? '';
    } finally {
      await kamailio.stop();
    }
  }

  test('signs an INVITE that is verified here, also beside an Identity that is none', async () => {
    for (const plus of ['', '+']) {
      const relayed = await signed(our.privateKeyPem, { orig: `${plus}${call.orig}`, dest: `${plus}${call.dest}` });
      expect([statusCode(relayed), headerValues(relayed, 'Via').length]).toEqual([undefined, 2]);
      const passed = { status: 'passed', attestation: 'B', signer: { spc: '1234', x5u: our.x5u } };
      expect(await our.verify(relayed)).toMatchObject(passed);
      const beside = relayed.replace('Identity: ', 'Identity: junk\r\nIdentity: ');
      expect(await our.verify(beside)).toMatchObject({
        ...passed,
        outcomes: [{ status: 'failed' }, { status: 'passed' }],
      });
    }
  });

  test('signs with another key an INVITE that fails here', async () => {
    const verdict = await our.verify(await signed(createTestKey().privateKeyPem));
    expect(verdict).toMatchObject({ status: 'failed', reasons: ['signature-invalid'] });
  });
});

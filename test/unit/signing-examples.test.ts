import { sign } from 'node:crypto';
import type { CertificateAlarm, SignatureRecord } from '@hopback/sdk/stir';
import { createTestKey, TestPki } from '@hopback/sdk/testing';
import { expect, test } from 'vitest';
import { decideForWholesale, ownPolicy } from '../../examples/sign-attestation-policy.js';
import { headersToAdd, startSigning } from '../../examples/sign-call.js';
import { watchedCertificate } from '../../examples/sign-certificate-alarms.js';
import { forwarded } from '../../examples/sign-diversion.js';
import { signerOf } from '../../examples/sign-external-signer.js';
import { testFolder } from '../support/test-folder.js';
import { verifiedByJose } from './signing-scenarios.js';

const DAY_MS = 86_400_000;
const folder = testFolder();

// The examples run by the clock on the wall, so that the certificates here are valid today.
const pki = new TestPki({ nowMs: Date.now() });
const provider = pki.issueServiceProvider({ spc: '1234' });

test('the example of a call adds Date and an Identity that jose verifies, and keeps the record', async () => {
  const records: SignatureRecord[] = [];
  const headers = headersToAdd(await startSigning(provider, (record) => records.push(record)));
  expect(headers.map((line) => line.split(':', 1)[0])).toEqual(['Date', 'Identity']);
  const token = headers[1]?.slice('Identity: '.length).split(';', 1)[0] ?? '';
  await expect(verifiedByJose(token, provider.publicKeyPem)).resolves.toMatchObject({ claims: { attest: 'A' } });
  expect(records).toHaveLength(1);
});

test('the example of a diversion puts a div behind the Identity of the call, and leaves another call alone', async () => {
  const service = await startSigning(provider, () => undefined);
  const identity = headersToAdd(service)
    .slice(1)
    .map((line) => line.slice('Identity: '.length));
  const headers = await forwarded(service, identity);
  expect(headers).toHaveLength(2);
  expect(headers[1]).toMatch(/;ppt=div$/);
  expect(await forwarded(service, [])).toEqual([]);
});

test('the example of an external signer signs by a service', async () => {
  const key = createTestKey();
  const signer = await signerOf(
    {
      publicKeyPem: async () => key.publicKeyPem,
      sign: async (_keyId, message) => sign('sha256', message, key.privateKey),
    },
    'key-1',
  );
  expect((await signer.sign('a.b')).length).toBe(64);
});

test('the example of a policy attests A for a delegated number and nothing for the laboratory', () => {
  expect(decideForWholesale(ownPolicy())).toMatchObject({ attestation: 'A', policyId: 'example-2' });
});

test('the example of a certificate file raises the alarm that is due', async () => {
  const { chainPem } = pki.issueServiceProvider({ spc: '1234', notAfterMs: Date.now() + 5 * DAY_MS });
  const path = await folder.write('chain.pem', chainPem);
  const alarms: CertificateAlarm[] = [];
  const { source, watch } = await watchedCertificate(path, (alarm) => alarms.push(alarm));
  expect(alarms).toMatchObject([{ level: 'expiring', days: 7 }]);
  expect((await source.reload()).status).toBe('unchanged');
  watch.close();
});

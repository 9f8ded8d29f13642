import { createServer } from 'node:https';
import type { AddressInfo } from 'node:net';
import type { TLSSocket } from 'node:tls';
import { expect, test } from 'vitest';
import { isHopbackError } from '../../sdk/src/errors.js';
import { bearerToken } from '../../sdk/src/platform/retry.js';
import { createPlatformClient } from '../../sdk/src/platform/client/platform-client.js';
import { createTlsFetch } from '../../sdk/src/platform/http/platform-fetch.js';
import type { TlsFetchOptions } from '../../sdk/src/platform/http/platform-fetch.js';
import { createTestPki } from '../../sdk/src/testing/test-pki.js';
import { sampleStatus } from '../support/platform-samples.js';

const pki = await createTestPki();
const platform = pki.issueTls({ addresses: ['127.0.0.1'] });
const carrier = pki.issueTls({ names: ['carrier.example'], extendedKeyUsage: ['1.3.6.1.5.5.7.3.2'] });
const stranger = (await createTestPki()).issueTls({
  names: ['stranger.example'],
  extendedKeyUsage: ['1.3.6.1.5.5.7.3.2'],
});
const ca = pki.tlsRoot.certificatePem;

/** What the platform saw of one call over mutual TLS, and what became of the call. */
async function called(
  options: TlsFetchOptions,
): Promise<{ readonly seen: readonly string[]; readonly outcome: unknown }> {
  const seen: string[] = [];
  const server = createServer(
    { cert: platform.chainPem, key: platform.privateKeyPem, ca, requestCert: true, rejectUnauthorized: true },
    (request, response) => {
      seen.push(String((request.socket as TLSSocket).getPeerCertificate().subject.CN));
      response.end(JSON.stringify(sampleStatus('1')));
    },
  );
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const tls = createTlsFetch(options);
  const baseUrl = `https://127.0.0.1:${(server.address() as AddressInfo).port}`;
  const client = createPlatformClient({ baseUrl, authorization: bearerToken('x'), fetch: tls.fetch, maxRetries: 0 });
  try {
    const status = await client.tracebackRequests.retrieve({ requestId: 'request-1' }).catch((error: unknown) => error);
    return { seen, outcome: isHopbackError(status) ? status.code : 'read' };
  } finally {
    tls.close();
    server.closeAllConnections();
    await new Promise((resolve) => server.close(resolve));
  }
}

test('shows the certificate of the client, and trusts the platform of a private CA', async () => {
  const { seen, outcome } = await called({
    ca,
    certificate: carrier.certificatePem,
    privateKey: carrier.privateKeyPem,
  });
  expect(outcome).toBe('read');
  expect(seen).toHaveLength(1);
});

test.each<readonly [string, TlsFetchOptions]>([
  ['no certificate', { ca }],
  [
    'a certificate that the platform does not trust',
    { ca, certificate: stranger.certificatePem, privateKey: stranger.privateKeyPem },
  ],
  ['a platform that it does not trust', { certificate: carrier.certificatePem, privateKey: carrier.privateKeyPem }],
])('comes to nothing with %s', async (_name, options) => {
  expect(await called(options)).toEqual({ seen: [], outcome: 'network-failed' });
});

test.each<readonly [string, TlsFetchOptions, string]>([
  ['nothing', {}, 'invalid-configuration'],
  ['a list without a certificate', { ca: [] }, 'invalid-configuration'],
  ['a text that is no certificate', { ca: ['hello'] }, 'invalid-configuration'],
  ['a certificate without its key', { certificate: carrier.certificatePem }, 'invalid-configuration'],
  ['a key without its certificate', { ca, privateKey: carrier.privateKeyPem }, 'invalid-configuration'],
  ['a certificate that is none', { certificate: 'hello', privateKey: carrier.privateKeyPem }, 'invalid-configuration'],
  ['a key that is none', { certificate: carrier.certificatePem, privateKey: 'hello' }, 'key-unusable'],
  ['the key of another', { certificate: carrier.certificatePem, privateKey: stranger.privateKeyPem }, 'key-unusable'],
])('is not made of %s', (_name, options, code) => {
  let caught: unknown;
  try {
    createTlsFetch(options);
  } catch (error) {
    caught = error;
  }
  expect(isHopbackError(caught) && caught.code).toBe(code);
});

test('takes an encrypted key with its passphrase', () => {
  const encrypted = carrier.key.privateKey.export({
    format: 'pem',
    type: 'pkcs8',
    cipher: 'aes-256-cbc',
    passphrase: 'open sesame',
  });
  const identity = { certificate: carrier.certificatePem, privateKey: encrypted.toString() };
  createTlsFetch({ ...identity, passphrase: 'open sesame' }).close();
  expect(() => createTlsFetch({ ...identity, passphrase: 'open barley' })).toThrow();
});

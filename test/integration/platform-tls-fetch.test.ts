import { createServer } from 'node:https';
import type { TLSSocket } from 'node:tls';
import { expect, test } from 'vitest';
import { bearerToken } from '../../sdk/src/platform/retry.js';
import { PlatformClient } from '../../sdk/src/platform/client/platform-client.js';
import { createTlsFetch } from '../../sdk/src/platform/http/platform-fetch.js';
import { TestPki } from '../../sdk/src/testing/test-pki.js';
import { codeOf } from '../support/code-of.js';
import { whileListening } from '../support/http-server.js';
import { sampleStatus } from '../support/platform-samples.js';

type TlsFetchOptions = Parameters<typeof createTlsFetch>[0];

const pki = new TestPki();
const platform = pki.issueTls({ addresses: ['127.0.0.1'] });
const carrier = pki.issueTls({ names: ['carrier.example'], extendedKeyUsage: ['1.3.6.1.5.5.7.3.2'] });
const stranger = new TestPki().issueTls({
  names: ['stranger.example'],
  extendedKeyUsage: ['1.3.6.1.5.5.7.3.2'],
});
const ca = pki.tlsRoot.certificatePem;

/** Makes one call over mutual TLS. @returns the client names that the platform saw, and the outcome */
async function called(options: TlsFetchOptions): Promise<{ seen: readonly string[]; outcome: unknown }> {
  const seen: string[] = [];
  const server = createServer(
    { cert: platform.chainPem, key: platform.privateKeyPem, ca, requestCert: true, rejectUnauthorized: true },
    (request, response) => {
      seen.push(String((request.socket as TLSSocket).getPeerCertificate().subject.CN));
      response.end(JSON.stringify(sampleStatus('1')));
    },
  );
  const tls = createTlsFetch(options);
  return whileListening(server, async (port) => {
    const parts = { baseUrl: `https://127.0.0.1:${port}`, authorization: bearerToken('x'), maxRetries: 0 };
    const { tracebackRequests } = new PlatformClient({ ...parts, fetch: tls.fetch });
    const outcome = await codeOf(tracebackRequests.retrieve({ requestId: 'request-1' }));
    tls.close();
    return { seen, outcome };
  });
}

const identity = { certificate: carrier.certificatePem, privateKey: carrier.privateKeyPem };

test('presents the client certificate, and trusts the platform of a private CA', async () => {
  expect(await called({ ca, ...identity })).toEqual({ seen: [expect.any(String)], outcome: 'fulfilled' });
});

test.each<readonly [string, TlsFetchOptions]>([
  ['without a certificate', { ca }],
  [
    'with a certificate that the platform does not trust',
    { ca, certificate: stranger.certificatePem, privateKey: stranger.privateKeyPem },
  ],
  ['to a platform that the client does not trust', identity],
])('fails to connect %s', async (_name, options) => {
  expect(await called(options)).toEqual({ seen: [], outcome: 'network-failed' });
});

test.each<readonly [string, TlsFetchOptions, string]>([
  ['no options', {}, 'invalid-configuration'],
  ['an empty list of certificates', { ca: [] }, 'invalid-configuration'],
  ['a ca that is not a certificate', { ca: ['hello'] }, 'invalid-configuration'],
  ['a certificate without its key', { certificate: carrier.certificatePem }, 'invalid-configuration'],
  ['a key without its certificate', { ca, privateKey: carrier.privateKeyPem }, 'invalid-configuration'],
  ['an invalid certificate', { ...identity, certificate: 'hello' }, 'invalid-configuration'],
  ['an invalid key', { ...identity, privateKey: 'hello' }, 'key-unusable'],
  ['the key of another certificate', { ...identity, privateKey: stranger.privateKeyPem }, 'key-unusable'],
])('rejects %s', (_name, options, code) => {
  expect(() => createTlsFetch(options)).toThrow(expect.objectContaining({ code }));
});

test('takes an encrypted key with its passphrase', () => {
  const cipher = { format: 'pem', type: 'pkcs8', cipher: 'aes-256-cbc', passphrase: 'open sesame' } as const;
  const encrypted = { ...identity, privateKey: carrier.key.privateKey.export(cipher).toString() };
  createTlsFetch({ ...encrypted, passphrase: 'open sesame' }).close();
  expect(() => createTlsFetch({ ...encrypted, passphrase: 'open barley' })).toThrow();
});

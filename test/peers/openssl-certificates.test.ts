import { createTestPki } from '@hopback/sdk/testing';
import { spawnSync } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { buildCertificatePath } from '../../sdk/src/stir/certificates/build-path.js';
import { parseCrl } from '../../sdk/src/stir/certificates/crl.js';
import { describePeer, peer } from '../peers.js';
import { parsed } from '../unit/certificates-parsed.js';
import { pathScenarios } from '../unit/certificates-scenarios.js';

/** openssl takes the first issuer that fits and does not go back to try another one. */
const OPENSSL_DIFFERS: readonly string[] = ['a cross-signed CA, unknown branch first'];

describePeer('openssl', 'certificates and openssl', () => {
  let folder: string;
  beforeAll(() => {
    folder = mkdtempSync(join(tmpdir(), 'hopback-openssl-'));
  });
  afterAll(() => rmSync(folder, { recursive: true }));

  const file = (name: string, content: string): string => {
    const path = join(folder, name);
    writeFileSync(path, content);
    return path;
  };
  const openssl = (...args: readonly string[]) => spawnSync(peer('openssl').path, args, { encoding: 'utf8' });

  test('openssl verify comes to the same result for every chain that is not among the named differences', async () => {
    const differences: string[] = [];
    for (const { name, chain, anchors, atMs, trusted } of await pathScenarios()) {
      const ours = buildCertificatePath(chain.map(parsed), { trustAnchors: anchors.map(parsed), atMs });
      const [target, ...rest] = chain.map(({ certificatePem }) => certificatePem);
      const theirs = openssl(
        'verify',
        '-attime',
        String(atMs / 1000),
        '-CAfile',
        file('anchors.pem', anchors.map(({ certificatePem }) => certificatePem).join('')),
        ...(rest.length === 0 ? [] : ['-untrusted', file('untrusted.pem', rest.join(''))]),
        file('target.pem', target ?? ''),
      );
      expect([name, ours.status]).toEqual([name, trusted ? 'trusted' : 'untrusted']);
      if ((theirs.status === 0) !== trusted) differences.push(name);
    }
    expect(differences).toEqual(OPENSSL_DIFFERS);
  });

  test('openssl crl reads the same number, dates and entries of the indirect CRL', async () => {
    const pki = await createTestPki();
    const revoked = [pki.issueServiceProvider({ spc: '709J', serialNumber: 0xabcdefn }), pki.intermediate];
    const crl = pki.crl({ revoked, number: 4711 });
    const text = openssl('crl', '-noout', '-text', '-in', file('crl.pem', crl.pem)).stdout;
    const ours = parseCrl(crl.der);
    expect(ours).toMatchObject({ status: 'parsed', crl: { number: 4711n, revokedCount: 2 } });
    expect(text).toMatch(/X509v3 CRL Number:\s+4711/);
    expect(text).toMatch(/Serial Number: ABCDEF/);
    expect(text).toMatch(/Indirect CRL/);
    expect(
      openssl(
        'crl',
        '-noout',
        '-CAfile',
        file('issuer.pem', pki.stiPaCrlIssuer.certificatePem),
        '-in',
        join(folder, 'crl.pem'),
      ).stderr,
    ).toMatch('verify OK');
  });
});

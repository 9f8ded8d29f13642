import { createHash, createPrivateKey, createPublicKey, generateKeyPairSync } from 'node:crypto';
import { readdir, readFile, stat, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { createTestKey, TEST_NOW_MS } from '@hopback/sdk/testing';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { describePeer } from '../peers.js';
import { createCliLab } from '../support/cli-lab.js';
import type { CliLab, CliRun } from '../support/cli-lab.js';
import { openssl } from '../unit/testing-openssl.js';

let lab: CliLab;

beforeAll(async () => {
  lab = await createCliLab();
});

afterAll(() => lab[Symbol.asyncDispose]());

describe('decode', () => {
  test('shows header, claims and the age of iat, and says that nothing is verified', async () => {
    const run = await lab.run(['decode'], {
      stdin: lab.invite({ identityHeaders: [lab.identityHeader({ iatSeconds: TEST_NOW_MS / 1000 - 300 })] }),
    });
    expect(run.exitCode).toBe(0);
    expect(run.stdout).toContain('2026-11-02T11:55:00Z, 5 min ago');
    expect(run.stdout).toContain('! not verified');
    const document = (await lab.run(['decode', '--json', lab.identityHeader()])).json();
    expect(document).toMatchObject({
      format: 'hopback.decode.1',
      verified: false,
      identityHeaders: [{ status: 'read', header: { ppt: 'shaken' }, payload: { attest: 'A' }, signatureOctets: 64 }],
    });
  });

  test('says what is wrong with one that cannot be read', async () => {
    const run = await lab.run(['decode', 'eyJhbGciOiJFUzI1NiJ9.e30=.AA;info=<https://a.example/b>']);
    expect(run.exitCode).toBe(1);
    expect(run.stdout).toContain('base64url-invalid');
  });
});

describe('cert inspect', () => {
  test('describes a chain that follows the profile', async () => {
    const run = await lab.run(['cert', 'inspect', lab.files.chain]);
    expect(run.exitCode).toBe(0);
    expect(run.stdout).toContain('TNAuthList: spc 1234');
    expect(run.stdout).toContain('certificate 2 of 2: intermediate');
  });

  test('shows every deviation, and one that has expired', async () => {
    const odd = lab.pki.issueServiceProvider({
      spc: '1234',
      commonName: 'something',
      keyUsage: { usages: ['digitalSignature', 'keyAgreement'] },
      notAfterMs: TEST_NOW_MS - 1,
    });
    const run = await lab.run(['cert', 'inspect', '--json', await lab.put('odd.pem', odd.certificatePem)]);
    expect(run.exitCode).toBe(1);
    const [certificate] = run.json()['certificates'] as readonly Readonly<
      Record<string, readonly { readonly rule: string }[]>
    >[];
    expect(certificate).toMatchObject({ validity: 'expired', role: 'end-entity' });
    const rules = certificate?.['findings']?.map(({ rule }) => rule);
    expect(rules).toContain('subject-common-name-spc');
    expect(rules).toContain('key-usage-bits');
  });

  test('reads DER, standard input and a URL', async () => {
    expect((await lab.run(['cert', 'inspect', await lab.put('root.der', lab.pki.root.der)])).exitCode).toBe(0);
    expect((await lab.run(['cert', 'inspect', '-'], { stdin: lab.provider.chainPem })).exitCode).toBe(0);
    expect((await lab.run(['cert', 'inspect', lab.x5u, ...lab.allow])).exitCode).toBe(0);
  });

  test('tells a URL that is refused from one that does not answer', async () => {
    expect((await lab.run(['cert', 'inspect', lab.x5u, '--json'])).json()).toMatchObject({
      code: 'certificate-unusable',
      exitCode: 4,
    });
    const gone = await lab.run(['cert', 'inspect', lab.server.url('/gone.pem'), ...lab.allow, '--json']);
    expect(gone.json()).toMatchObject({ code: 'network-failed', exitCode: 4 });
    expect((await lab.run(['cert', 'inspect', 'http://a.example/b'])).exitCode).toBe(2);
  });

  test.each([
    ['nothing', ''],
    ['something else', 'v=0\r\n'],
    ['DER of something else', Buffer.of(0x30, 0x03, 0x02, 0x01, 0x05)],
    ['more than is read', 'x'.repeat(300_000)],
  ])('%s is input that is not understood, from a file and from standard input, as for chain', async (_name, stdin) => {
    const file = await lab.put('input', stdin);
    for (const args of [
      ['inspect', '-'],
      ['inspect', file],
      ['chain', ...lab.trust, '-'],
      ['chain', ...lab.trust, file],
    ]) {
      const run = await lab.run(['cert', ...args, '--json'], { stdin });
      expect(run.json()).toMatchObject({ exitCode: 2, code: 'usage' });
    }
    expect((await lab.run(['cert', 'inspect', lab.path('absent')])).exitCode).toBe(4);
  });
});

describe('cert chain', () => {
  test('shows the path to the anchor', async () => {
    const run = await lab.run(['cert', 'chain', ...lab.trust, lab.files.chain]);
    expect(run.exitCode).toBe(0);
    expect(run.stdout).toMatch(/end entity[^]*issuer[^]*trust anchor/);
    expect(run.stdout).toContain('✓ may speak for SPC 1234');
  });

  test('is indeterminate where nobody knows of revocation, unless that is accepted', async () => {
    const args = ['cert', 'chain', '--trust', lab.files.root, lab.files.chain];
    expect((await lab.run(args)).exitCode).toBe(3);
    expect((await lab.run([...args, '--revocation-unknown', 'accept'])).exitCode).toBe(0);
  });

  test('asks for trust where there is none, and offers nothing that has to do with calls', async () => {
    const run = await lab.run(['cert', 'chain', lab.files.chain]);
    expect(run.exitCode).toBe(2);
    expect(run.stderr).toContain('--trust');
    expect(run.stderr).not.toContain('decode');
    expect((await lab.run(['verify'], { stdin: lab.invite() })).stderr).toContain('hopback decode');
  });

  test('names what is missing, what has expired and what was revoked', async () => {
    const other = await lab.put('other.pem', lab.pki.issueRoot().certificatePem);
    const missing = await lab.run(['cert', 'chain', '--trust', other, lab.files.chain]);
    expect(missing.exitCode).toBe(1);
    expect(missing.stdout).toContain('Look for C=US, O=Test STI-CA, CN=SHAKEN ROOT CA 1');
    const later = await lab.run([
      'cert',
      'chain',
      ...lab.trust,
      '--at',
      '2030-01-01T00:00:00Z',
      '--json',
      lab.files.chain,
    ]);
    expect(later.json()).toMatchObject({ exitCode: 1, failures: [{ reason: 'certificate-expired' }] });
    const crl = await lab.put(
      'revoked.crl',
      lab.pki.crl({ number: 2, revoked: [{ certificate: lab.provider, reason: 'keyCompromise' }] }).der,
    );
    const revoked = await lab.run(['cert', 'chain', ...lab.trust, '--crl', crl, '--json', lab.files.chain]);
    expect(revoked.json()).toMatchObject({ exitCode: 1, failures: [{ reason: 'certificate-revoked' }] });
    const orphan = await lab.run(['cert', 'chain', '--trust', lab.files.root, '--crl', crl, lab.files.chain]);
    expect(orphan.exitCode).toBe(3);
    expect(orphan.stdout).toContain('signer-not-found');
  });
});

test('cert chain shows instants as such, however early, and counts as counts', async () => {
  const run = await lab.run(['cert', 'chain', ...lab.trust, '--at', '1', lab.files.chain]);
  expect(run.exitCode).toBe(1);
  expect(run.stdout).toContain('found 1970-01-01T00:00:01Z');
});

describe('cache', () => {
  test('preloads, exports and imports without fetching twice', async () => {
    const before = lab.server.requests('/1234.pem');
    const [here, there, file] = [lab.path('here'), lab.path('there'), lab.path('export.json')];
    const preload = await lab.run(['cache', 'preload', '--cache', here, '--json', ...lab.allow, lab.x5u]);
    expect(preload.json()).toMatchObject({ exitCode: 0, found: 1, fetches: 1, fromDisk: 0 });
    const again = await lab.run(['cache', 'preload', '--cache', here, '--json', ...lab.allow, '-'], {
      stdin: `# ours\n${lab.x5u}\n\n`,
    });
    expect(again.json()).toMatchObject({ exitCode: 0, found: 1, fetches: 0, fromDisk: 1 });
    const exceptions = lab.allow.slice(0, 4);
    expect((await lab.run(['cache', 'export', '--cache', here, ...exceptions, file])).exitCode).toBe(0);
    expect((await lab.run(['cache', 'import', '--cache', there, ...exceptions, '--json', file])).json()).toMatchObject({
      imported: 1,
      rejected: 0,
    });
    const verified = await lab.run(['verify', ...lab.trust, ...lab.allow, '--cache', there, '--offline'], {
      stdin: lab.invite(),
    });
    expect(verified.exitCode).toBe(0);
    expect(lab.server.requests('/1234.pem')).toBe(before + 1);
  });

  test('exports to standard output, and leaves damaged files out', async () => {
    const directory = lab.path('damaged');
    await lab.run(['cache', 'preload', '--cache', directory, ...lab.allow, lab.x5u]);
    await writeFile(join(directory, `${'0'.repeat(64)}.json`), '{"format":"hopback.certificate-chain.1"');
    await writeFile(join(directory, `${'1'.repeat(64)}.json`), '{"format":"hopback.certificate-chain.1"}');
    const run = await lab.run(['cache', 'export', '--cache', directory, ...lab.allow.slice(0, 4)]);
    expect(run.json()).toMatchObject({ format: 'hopback.certificate-cache.1', entries: [{ url: lab.x5u }] });
    expect(run.json()['entries']).toHaveLength(1);
  });

  test('imports nothing that it would not fetch, and nothing that was tampered with', async () => {
    const directory = lab.path('source');
    await lab.run(['cache', 'preload', '--cache', directory, ...lab.allow, lab.x5u]);
    const { stdout } = await lab.run(['cache', 'export', '--cache', directory, ...lab.allow.slice(0, 4)]);
    const target = ['cache', 'import', '--cache', lab.path('target'), '--json'];
    expect((await lab.run([...target, '-'], { stdin: stdout })).json()).toMatchObject({
      exitCode: 1,
      imported: 0,
      rejected: 1,
    });
    const tampered = stdout.replace('BEGIN CERTIFICATE-----\\nM', 'BEGIN CERTIFICATE-----\\nN');
    const run = await lab.run([...target, ...lab.allow.slice(0, 4), '-'], { stdin: tampered });
    expect(run.json()).toMatchObject({ exitCode: 1, imported: 0, rejected: 1 });
    for (const stdin of ['', '[]', '{"entries":[]}', 'null'])
      expect((await lab.run([...target, '-'], { stdin })).exitCode).toBe(2);
  });

  test('an export without an entry leaves the file that is there, and says why', async () => {
    const directory = lab.path('laboratory');
    await lab.run(['cache', 'preload', '--cache', directory, ...lab.allow, lab.x5u]);
    const file = await lab.put('kept.json', 'kept');
    const run = await lab.run(['cache', 'export', '--cache', directory, file]);
    expect(run.exitCode).toBe(1);
    expect(run.stdout).toContain('not permitted');
    expect(await readFile(file, 'utf8')).toBe('kept');
    const json = await lab.run(['cache', 'export', '--cache', directory, '--json', file]);
    expect(json.json()).toMatchObject({ exitCode: 1, exported: 0, rejected: 1 });
    const piped = await lab.run(['cache', 'export', '--cache', directory]);
    expect(piped).toMatchObject({ exitCode: 1, stderr: expect.stringContaining('not permitted') as string });
    expect(piped.json()).toMatchObject({ entries: [] });
  });

  test('takes URLs from the command line and from standard input together', async () => {
    const preload = ['cache', 'preload', '--cache', lab.path('both'), ...lab.allow, '--json'];
    const other = lab.server.publish('/other.pem', lab.provider.chainPem);
    const run = await lab.run([...preload, '-', lab.x5u], { stdin: `${other}\n` });
    expect(run.json()).toMatchObject({ exitCode: 0, found: 2 });
  });

  test.each([
    ['nothing', '', 'no URL'],
    ['comments alone', '# ours\n\n', 'no URL'],
    ['a key', createTestKey().privateKeyPem, 'not URLs'],
  ])('preloads nothing from %s, and says so', async (_name, stdin, told) => {
    const run = await lab.run(['cache', 'preload', '--cache', lab.path('none'), '-'], { stdin });
    expect(run).toMatchObject({ exitCode: 2, stdout: '' });
    expect(run.stderr).toContain(told);
    expect(run.stderr).not.toContain('BEGIN');
  });

  test('an import of nothing says that there is nothing', async () => {
    const run = await lab.run(['cache', 'import', '--cache', lab.path('none'), '-'], { stdin: '' });
    expect(run.stderr).toContain('standard input is empty');
  });

  test('tells a refused URL from one that cannot be fetched', async () => {
    const preload = ['cache', 'preload', '--cache', lab.path('bad'), ...lab.allow];
    expect((await lab.run([...preload, 'https://10.0.0.1/a.pem'])).exitCode).toBe(1);
    expect((await lab.run([...preload, lab.server.url('/gone.pem')])).exitCode).toBe(4);
    expect((await lab.run(['cache', 'preload', lab.x5u])).exitCode).toBe(2);
    expect((await lab.run(preload)).exitCode).toBe(2);
    expect((await lab.run(['cache', 'export', '--cache', lab.path('nowhere')])).exitCode).toBe(4);
  });

  test('a cache that cannot be written is an error of the environment', async () => {
    const file = await lab.put('file', '');
    const run = await lab.run(['cache', 'preload', '--cache', join(file, 'below'), '--json', ...lab.allow, lab.x5u]);
    expect(run.json()).toMatchObject({ exitCode: 4, code: 'storage-failed' });
  });
});

describe('keygen and csr', () => {
  const DELEGATE = ['--organization', 'Example', '--common-name', 'Delegate'];

  test('a key is P-256, readable by its owner alone, and never overwritten', async () => {
    const path = lab.path('new.key');
    expect((await lab.run(['keygen', '--out', path])).exitCode).toBe(0);
    const pem = await readFile(path, 'utf8');
    expect(createPrivateKey(pem).asymmetricKeyDetails).toEqual({ namedCurve: 'prime256v1' });
    if (process.platform !== 'win32') expect((await stat(path)).mode & 0o777).toBe(0o600);
    expect((await lab.run(['keygen', '--out', path])).exitCode).toBe(4);
    expect(await readFile(path, 'utf8')).toBe(pem);
    expect((await lab.run(['keygen'])).stdout).toMatch(/^-----BEGIN PRIVATE KEY-----\n/);
    expect((await lab.run(['keygen', 'sp.key'])).exitCode).toBe(2);
  });

  test('the JWK of a key holds its public half alone, named by its thumbprint or as it is asked', async () => {
    const { privateKey } = generateKeyPairSync('ec', { namedCurve: 'P-256' });
    const pem = privateKey.export({ type: 'pkcs8', format: 'pem', cipher: 'aes-256-cbc', passphrase: 'secret' });
    const path = await lab.put('encrypted.key', pem);
    expect((await lab.run(['keygen', '--key', path, '--jwk'])).exitCode).not.toBe(0);
    const env = { HOPBACK_KEY_PASSPHRASE: 'secret' };
    const { stdout } = await lab.run(['keygen', '--key', path, '--jwk'], { env });
    const { x, y } = createPublicKey(privateKey).export({ format: 'jwk' });
    const thumbprint = createHash('sha256')
      .update(JSON.stringify({ crv: 'P-256', kty: 'EC', x, y }))
      .digest('base64url');
    expect(JSON.parse(stdout)).toEqual({
      kty: 'EC',
      crv: 'P-256',
      x,
      y,
      kid: `sha256:${thumbprint}`,
      alg: 'ES256',
      use: 'sig',
    });
    const named = await lab.run(['keygen', '--key', '-', '--jwk', '--key-id', 'k-1', '--json'], { stdin: stdout });
    expect(named.json()).toMatchObject({ exitCode: 0, publicKeyJwk: { kid: 'k-1', x } });
    for (const argv of [
      ['--jwk'],
      ['--key', path],
      ['--key', path, '--jwk', '--out', lab.path('o')],
      ['--key-id', 'k'],
    ])
      expect([argv, (await lab.run(['keygen', ...argv])).exitCode]).toEqual([argv, 2]);
  });

  test('a request for a delegate names numbers and ranges', async () => {
    const args = [
      'csr',
      '--key',
      lab.files.key,
      '--organization',
      'Example',
      '--common-name',
      'Delegate',
      '--tn',
      '+1 (202) 555-0101',
    ];
    const run = await lab.run([...args, '--range', '+12025550100:100', '--json', '--out', lab.path('delegate.csr')]);
    expect(run.json()).toMatchObject({
      exitCode: 0,
      subject: 'C=US, O=Example, CN=Delegate',
      tnAuthList: [
        { kind: 'one', tn: '12025550101' },
        { kind: 'range', start: '12025550100', count: 100 },
      ],
    });
    expect(await readFile(lab.path('delegate.csr'), 'utf8')).toBe(run.json()['pem']);
  });

  test('shows what was asked for, beside a request on standard output', async () => {
    const args = ['csr', '--key', lab.files.key, ...DELEGATE, '--tn', '+442079460958'];
    const run = await lab.run(args);
    expect(run.stdout).toMatch(/^-----BEGIN CERTIFICATE REQUEST-----\n[^✓]*-----END CERTIFICATE REQUEST-----\n$/);
    expect(run.stderr).toContain('TNAuthList 442079460958');
    expect((await lab.run([...args, '--out', lab.path('shown.csr')])).stdout).toContain('TNAuthList 442079460958');
  });

  test.each([
    ['no entry', ['--organization', 'Example']],
    ['a code with small letters', ['--spc', 'ab', '--organization', 'Example']],
    ['no organization', ['--spc', '1234']],
    ['a range without a count', ['--range', '12025550100', '--organization', 'Example', '--common-name', 'D']],
    ['a country of three letters', ['--spc', '1234', '--organization', 'Example', '--country', 'USA']],
    ['a name of 65 characters', ['--spc', '1234', '--organization', 'E'.repeat(65)]],
    ['a range beyond the digits of its number', [...DELEGATE, '--range', '999999999999999:5']],
    ['a range beyond its area code', [...DELEGATE, '--range', '12029999999:2']],
    ['a range of a whole country', [...DELEGATE, '--range', '12025559999:999999999']],
    ['a number that may be national or foreign', [...DELEGATE, '--tn', '2079460958']],
    ['a range from such a number', [...DELEGATE, '--range', '2025550100:100']],
    ['a range from a number with a hash', [...DELEGATE, '--range', '#55:5']],
  ])('%s is not understood', async (_name, args) => {
    expect((await lab.run(['csr', '--key', lab.files.key, ...args])).exitCode).toBe(2);
  });

  test('an encrypted key is opened by its passphrase, and else says so', async () => {
    const cipher = { type: 'pkcs8', format: 'pem', cipher: 'aes-256-cbc', passphrase: 'open sesame' } as const;
    const key = await lab.put('encrypted.key', createPrivateKey(lab.provider.privateKeyPem).export(cipher));
    const csr = (env: Readonly<Record<string, string>>): Promise<CliRun> =>
      lab.run(['csr', '--key', key, '--spc', '1234', '--organization', 'E'], { env });
    expect((await csr({ HOPBACK_KEY_PASSPHRASE: 'open sesame' })).exitCode).toBe(0);
    for (const env of [{}, { HOPBACK_KEY_PASSPHRASE: 'please' }]) {
      const run = await csr(env);
      expect(run.exitCode).toBe(4);
      expect(run.stderr).toContain('HOPBACK_KEY_PASSPHRASE');
    }
  });

  test.each([
    ['RSA-2048', 'rsa'],
    ['P-384', 'secp384r1'],
  ] as const)('a key of the type %s is named as such', async (type, told) => {
    const key = await lab.put(`${told}.key`, createTestKey(type).privateKeyPem);
    const run = await lab.run(['csr', '--key', key, '--spc', '1234', '--organization', 'E']);
    expect(run.exitCode).toBe(4);
    expect(run.stderr).toContain(told);
  });

  test('a key that is none is an error of the environment', async () => {
    expect((await lab.run(['csr', '--key', lab.files.chain, '--spc', '1234', '--organization', 'E'])).exitCode).toBe(4);
  });
});

describePeer('openssl', 'openssl', () => {
  test('verifies a request and finds subject and TNAuthList in it', async () => {
    const run = await lab.run(['csr', '--key', lab.files.key, '--spc', '1234', '--organization', 'Téléphone, Example']);
    expect(run.exitCode).toBe(0);
    const { status, output: text } = openssl(
      ['req', '-verify', '-noout', '-text', '-nameopt', 'RFC2253,-esc_msb,utf8', '-in', 'a.csr'],
      { 'a.csr': run.stdout },
    );
    expect(status).toBe(0);
    expect(text).toContain('CN=SHAKEN 1234,O=Téléphone\\, Example,C=US');
    expect(text).toContain('1.3.6.1.5.5.7.1.26');
    expect(text).toContain('ecdsa-with-SHA256');
    const { output: parsed } = openssl(['asn1parse', '-in', 'a.csr'], { 'a.csr': run.stdout });
    // SEQUENCE { [0] { IA5String "1234" } }, explicit tags.
    expect(parsed).toContain('3008A006160431323334');
    expect(parsed).toMatch(/PRINTABLESTRING +:US/);
  });
});

describe('doctor', () => {
  const findingsOf = async (args: readonly string[]): Promise<Readonly<Record<string, string>>> => {
    const run = await lab.run(['doctor', '--json', ...args]);
    const findings = run.json()['findings'] as readonly { readonly name: string; readonly result: string }[];
    const failed = findings.some(({ result }) => result === 'failed');
    expect(run.exitCode).toBe(failed ? 1 : 0);
    return Object.fromEntries(findings.map(({ name, result }) => [name, result]));
  };
  const credentials = (): readonly string[] => ['--key', lab.files.key, '--certificate', lab.files.chain];

  test('contacts nobody and finds a machine in order when nothing is named', async () => {
    const before = lab.server.connections();
    expect(await findingsOf([])).toMatchObject({
      node: 'ok',
      clock: 'ok',
      ES256: 'ok',
      trust: 'skipped',
      x5u: 'skipped',
    });
    expect(lab.server.connections()).toBe(before);
  });

  test('finds a provider in order, with its certificate published', async () => {
    const cache = lab.path('doctor-cache');
    const args = [...lab.trust, ...credentials(), '--spc', '1234', '--x5u', lab.x5u, ...lab.allow, '--cache', cache];
    expect(await findingsOf(args)).toMatchObject({
      trust: 'ok',
      CRL: 'ok',
      cache: 'warning',
      key: 'ok',
      certificate: 'ok',
      validity: 'ok',
      TNAuthList: 'ok',
      profile: 'ok',
      path: 'ok',
      'key and certificate': 'ok',
      signing: 'ok',
      x5u: 'ok',
      // The lab's clock stands at another day than the server's.
      'clock and server': 'warning',
    });
    await expect(readdir(cache)).rejects.toMatchObject({ code: 'ENOENT' });
  });

  test('finds a key of another certificate, another provider and another chain at the x5u', async () => {
    const other = lab.pki.issueServiceProvider({ spc: '5678' });
    const x5u = lab.server.publish('/5678.pem', other.chainPem);
    const key = await lab.put('5678.key', other.privateKeyPem);
    const found = await findingsOf([
      '--key',
      key,
      '--certificate',
      lab.files.chain,
      '--spc',
      '5678',
      '--x5u',
      x5u,
      ...lab.allow,
    ]);
    expect(found).toMatchObject({ 'key and certificate': 'failed', TNAuthList: 'failed', x5u: 'failed' });
  });

  test('finds a certificate whose path does not hold, and one that is revoked', async () => {
    const [leaf = ''] = lab.provider.chainPem.split(/(?<=-----END CERTIFICATE-----\n)/, 1);
    const der = Buffer.from(leaf.replaceAll(/-----.*-----|\n/g, ''), 'base64');
    der.writeUInt8(der.readUInt8(der.length - 1) ^ 1, der.length - 1);
    const corrupt = `-----BEGIN CERTIFICATE-----\n${der.toString('base64')}\n-----END CERTIFICATE-----\n`;
    const certificate = await lab.put('corrupt.pem', lab.provider.chainPem.replace(leaf, corrupt));
    expect(await findingsOf([...lab.trust, '--certificate', certificate])).toMatchObject({ path: 'failed' });
    expect(await findingsOf(['--certificate', certificate])).toMatchObject({ certificate: 'failed' });
    const crl = await lab.put('doctor.crl', lab.pki.crl({ number: 2, revoked: [{ certificate: lab.provider }] }).der);
    expect(await findingsOf([...lab.trust, '--crl', crl, '--certificate', lab.files.chain])).toMatchObject({
      path: 'failed',
    });
    expect(await findingsOf(['--trust', lab.files.root, '--certificate', lab.files.chain])).toMatchObject({
      path: 'warning',
    });
  });

  test('finds a certificate that is for something else than signatures', async () => {
    const odd = lab.pki.issueServiceProvider({ spc: '1234', keyUsage: { usages: ['keyAgreement'] } });
    const files = [
      '--key',
      await lab.put('odd.key', odd.privateKeyPem),
      '--certificate',
      await lab.put('odd.pem', odd.chainPem),
    ];
    expect(await findingsOf(files)).toMatchObject({ 'key and certificate': 'ok', signing: 'failed' });
  });

  test('finds an x5u that serves the certificate with another chain behind it, or with none', async () => {
    const [leaf = '', ...issuers] = lab.provider.chainPem.split(/(?<=-----END CERTIFICATE-----\n)/);
    const x5uOf = (name: string, pems: readonly string[]): readonly string[] => [
      '--x5u',
      lab.server.publish(`/${name}.pem`, pems.join('')),
    ];
    const served = [x5uOf('leaf', [leaf]), x5uOf('foreign', [leaf, lab.pki.root.certificatePem])];
    for (const x5u of served)
      expect(await findingsOf([...credentials(), ...x5u, ...lab.allow])).toMatchObject({ x5u: 'failed' });
    const more = x5uOf('more', [leaf, ...issuers, lab.pki.root.certificatePem]);
    expect(await findingsOf([...credentials(), ...more, ...lab.allow])).toMatchObject({ x5u: 'ok' });
  });

  test('finds certificates that end soon or have ended, and CRLs out of date or of nobody', async () => {
    const DAY_MS = 86_400_000;
    const chainUntil = async (notAfterMs: number): Promise<string> =>
      lab.put('until.pem', lab.pki.issueServiceProvider({ spc: '1234', notAfterMs }).chainPem);
    expect(await findingsOf(['--certificate', await chainUntil(TEST_NOW_MS + 3 * DAY_MS)])).toMatchObject({
      validity: 'warning',
    });
    expect(await findingsOf(['--certificate', await chainUntil(TEST_NOW_MS - DAY_MS)])).toMatchObject({
      validity: 'failed',
    });
    const old = await lab.put(
      'old.crl',
      lab.pki.crl({ thisUpdateMs: TEST_NOW_MS - 9 * DAY_MS, nextUpdateMs: TEST_NOW_MS - DAY_MS }).der,
    );
    const signers = ['--crl-signer', lab.files.crlSigner, '--sti-pa-root', lab.files.stiPaRoot];
    expect(await findingsOf(['--trust', lab.files.root, '--crl', old, ...signers])).toMatchObject({ CRL: 'failed' });
    const orphan = await lab.run(['doctor', '--trust', lab.files.root, '--crl', lab.files.crl]);
    expect(orphan.exitCode).toBe(1);
    expect(orphan.stdout).toContain('signer-not-found');
  });

  test('finds files that are not what they should be, and goes on', async () => {
    const found = await findingsOf([
      '--trust',
      lab.files.key,
      '--key',
      lab.files.crl,
      '--certificate',
      lab.path('absent'),
      '--cache',
      lab.files.key,
    ]);
    expect(found).toMatchObject({
      trust: 'failed',
      key: 'failed',
      certificate: 'failed',
      cache: 'failed',
      ES256: 'ok',
    });
    expect(await findingsOf(['--x5u', 'https://127.0.0.1/a.pem'])).toMatchObject({ x5u: 'failed' });
  });

  test('finds an x5u that verifiers do not fetch, and nothing wrong with the certificate for it', async () => {
    expect(await findingsOf([...credentials(), '--x5u', 'https://localhost:1/x'])).toMatchObject({
      certificate: 'ok',
      signing: 'ok',
      x5u: 'failed',
    });
  });

  test('shows no telephone number of a delegate certificate', async () => {
    const parent = lab.pki.issueServiceProvider({ spc: '1234', canDelegate: true });
    const delegate = lab.pki.issueDelegate({ parent, tnAuthList: [{ kind: 'one', tn: '12025550101' }] });
    const run = await lab.run(['doctor', '--certificate', await lab.put('delegate.pem', delegate.chainPem)]);
    expect(run.stdout).toContain('1 number or range');
    expect(run.stdout).not.toContain('2025550101');
  });
});

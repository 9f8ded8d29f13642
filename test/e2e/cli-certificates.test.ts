import { createHash, createPrivateKey, createPublicKey, generateKeyPairSync } from 'node:crypto';
import { readdir, readFile, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { createTestKey, TEST_NOW_MS } from '@hopback/sdk/testing';
import { afterAll, describe, expect, test } from 'vitest';
import { describePeer } from '../peers.js';
import { argv, createCliLab, type CliLab, type CliRun } from '../support/cli-lab.js';
import { openssl } from '../unit/testing-openssl.js';

const lab = await createCliLab();
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
    const root = await lab.put('root.der', lab.pki.root.der);
    for (const args of [[root], ['-'], [lab.x5u, ...lab.allow]])
      expect((await lab.run(['cert', 'inspect', ...args], { stdin: lab.provider.chainPem })).exitCode).toBe(0);
  });

  test('tells a URL that is refused from one that does not answer, and both from a file that is absent', async () => {
    const inspect = async (args: readonly string[]): Promise<unknown> =>
      (await lab.run(argv`cert inspect --json ${args}`)).json();
    expect(await inspect([lab.x5u])).toMatchObject({ code: 'certificate-unusable', exitCode: 4 });
    const gone = [lab.server.url('/gone.pem'), ...lab.allow];
    expect(await inspect(gone)).toMatchObject({ code: 'network-failed', exitCode: 4 });
    expect(await inspect([lab.path('absent')])).toMatchObject({ exitCode: 4 });
    expect(await inspect(['http://a.example/b'])).toMatchObject({ exitCode: 2 });
  });

  test.each([
    ['an empty input', ''],
    ['a text', 'v=0\r\n'],
    ['DER of something else', Buffer.of(0x30, 0x03, 0x02, 0x01, 0x05)],
    ['more than is read', 'x'.repeat(300_000)],
  ])('refuses %s, from a file and from standard input, as cert chain does', async (_name, stdin) => {
    const file = await lab.put('input', stdin);
    for (const args of [['inspect'], ['chain', ...lab.trust]])
      for (const place of ['-', file]) {
        const run = await lab.run(argv`cert ${args} ${place} --json`, { stdin });
        expect(run.json()).toMatchObject({ exitCode: 2, code: 'usage' });
      }
  });
});

describe('cert chain', () => {
  test('shows the path to the anchor', async () => {
    const run = await lab.run(argv`cert chain ${lab.trust} ${lab.files.chain}`);
    expect(run.exitCode).toBe(0);
    expect(run.stdout).toMatch(/end entity[^]*issuer[^]*trust anchor/);
    expect(run.stdout).toContain('✓ may speak for SPC 1234');
  });

  test('is indeterminate where revocation is unknown, unless that is accepted', async () => {
    const args = argv`cert chain --trust ${lab.files.root} ${lab.files.chain}`;
    expect((await lab.run(args)).exitCode).toBe(3);
    expect((await lab.run([...args, '--revocation-unknown', 'accept'])).exitCode).toBe(0);
  });

  test('asks for trust where there is none, and offers nothing that has to do with calls', async () => {
    const run = await lab.run(argv`cert chain ${lab.files.chain}`);
    expect(run.exitCode).toBe(2);
    expect(run.stderr).toContain('--trust');
    expect(run.stderr).not.toContain('decode');
    expect((await lab.run(['verify'], { stdin: lab.invite() })).stderr).toContain('hopback decode');
  });

  test('names the missing issuer, the instant of an early --at, the revocation and the CRL without its signer', async () => {
    const other = await lab.put('other.pem', lab.pki.issueRoot().certificatePem);
    const revocation = { number: 2, revoked: [{ certificate: lab.provider, reason: 'keyCompromise' as const }] };
    const crl = await lab.put('revoked.crl', lab.pki.crl(revocation).der);
    for (const [args, exitCode, text] of [
      [argv`--trust ${other}`, 1, 'Look for C=US, O=Test STI-CA, CN=SHAKEN ROOT CA 1'],
      [argv`${lab.trust} --at 1`, 1, 'found 1970-01-01T00:00:01Z'],
      [argv`${lab.trust} --crl ${crl}`, 1, 'certificate-revoked'],
      [argv`--trust ${lab.files.root} --crl ${crl}`, 3, 'signer-not-found'],
    ] as const)
      expect(await lab.run(argv`cert chain ${args} ${lab.files.chain}`)).toMatchObject({
        ...{ exitCode, stdout: expect.stringContaining(text) as string },
      });
    const later = await lab.run(argv`cert chain ${lab.trust} --at 2030-01-01T00:00:00Z --json ${lab.files.chain}`);
    expect(later.json()).toMatchObject({ exitCode: 1, failures: [{ reason: 'certificate-expired' }] });
  });
});

describe('cache', () => {
  const cache = (args: readonly string[], options?: Parameters<CliLab['run']>[1]): Promise<CliRun> =>
    lab.run(['cache', ...args], options);
  /** A new cache with the chain of the lab's provider. */
  const preloaded = async (name: string): Promise<string> => {
    await cache(argv`preload --cache ${lab.path(name)} ${lab.allow} ${lab.x5u}`);
    return lab.path(name);
  };
  /** Without which a cache does not export, or import, what is of the lab's server. */
  const exceptions = (): readonly string[] => lab.allow.slice(0, 4);

  test('preloads, exports and imports without fetching twice', async () => {
    const before = lab.server.requests('/1234.pem');
    const [here, there, file] = [lab.path('here'), lab.path('there'), lab.path('export.json')];
    const preload = argv`preload --cache ${here} --json ${lab.allow}`;
    expect((await cache([...preload, lab.x5u])).json()).toMatchObject({
      exitCode: 0,
      found: 1,
      fetches: 1,
      fromDisk: 0,
    });
    const again = await cache([...preload, '-'], { stdin: `# ours\n${lab.x5u}\n\n` });
    expect(again.json()).toMatchObject({ exitCode: 0, found: 1, fetches: 0, fromDisk: 1 });
    expect((await cache(argv`export --cache ${here} ${exceptions()} ${file}`)).exitCode).toBe(0);
    const imported = await cache(argv`import --cache ${there} ${exceptions()} --json ${file}`);
    expect(imported.json()).toMatchObject({ imported: 1, rejected: 0 });
    const verify = argv`verify ${lab.trust} ${lab.allow} --cache ${there} --offline`;
    expect((await lab.run(verify, { stdin: lab.invite() })).exitCode).toBe(0);
    expect(lab.server.requests('/1234.pem')).toBe(before + 1);
  });

  test('imports nothing that it would not fetch, and nothing that was tampered with', async () => {
    const { stdout } = await cache(argv`export --cache ${await preloaded('source')} ${exceptions()}`);
    const target = argv`import --cache ${lab.path('target')} --json`;
    const tampered = stdout.replace('BEGIN CERTIFICATE-----\\nM', 'BEGIN CERTIFICATE-----\\nN');
    for (const [args, stdin] of [
      [target, stdout],
      [[...target, ...exceptions()], tampered],
    ] as const)
      expect((await cache([...args, '-'], { stdin })).json()).toMatchObject({ exitCode: 1, imported: 0, rejected: 1 });
    for (const stdin of ['', '[]', '{"entries":[]}', 'null'])
      expect((await cache([...target, '-'], { stdin })).exitCode).toBe(2);
    const empty = await cache(argv`import --cache ${lab.path('target')} -`, { stdin: '' });
    expect(empty.stderr).toContain('standard input is empty');
  });

  test('an export without an entry leaves the file that is there, and says why', async () => {
    const directory = await preloaded('laboratory');
    const file = await lab.put('kept.json', 'kept');
    const run = await cache(argv`export --cache ${directory} ${file}`);
    expect(run).toMatchObject({ exitCode: 1, stdout: expect.stringContaining('not permitted') as string });
    expect(await readFile(file, 'utf8')).toBe('kept');
    const json = await cache(argv`export --cache ${directory} --json ${file}`);
    expect(json.json()).toMatchObject({ exitCode: 1, exported: 0, rejected: 1 });
    const piped = await cache(argv`export --cache ${directory}`);
    expect(piped).toMatchObject({ exitCode: 1, stderr: expect.stringContaining('not permitted') as string });
    expect(piped.json()).toMatchObject({ entries: [] });
  });

  test('takes URLs from the command line and from standard input together', async () => {
    const other = lab.server.publish('/other.pem', lab.provider.chainPem);
    const args = argv`preload --cache ${lab.path('both')} ${lab.allow} --json - ${lab.x5u}`;
    expect((await cache(args, { stdin: `${other}\n` })).json()).toMatchObject({ exitCode: 0, found: 2 });
  });

  test.each([
    ['an empty input', '', 'no URL'],
    ['comments alone', '# ours\n\n', 'no URL'],
    ['a key', createTestKey().privateKeyPem, 'not URLs'],
  ])('preloads nothing from %s, and says so', async (_name, stdin, reason) => {
    const run = await cache(argv`preload --cache ${lab.path('none')} -`, { stdin });
    expect(run).toMatchObject({ exitCode: 2, stdout: '' });
    expect(run.stderr).toContain(reason);
    expect(run.stderr).not.toContain('BEGIN');
  });

  test('tells a refused URL from one that cannot be fetched, and both from what the environment lacks', async () => {
    const file = await lab.put('file', '');
    for (const [args, exitCode] of [
      [argv`preload --cache ${lab.path('bad')} ${lab.allow} https://10.0.0.1/a.pem`, 1],
      [argv`preload --cache ${lab.path('bad')} ${lab.allow} ${lab.server.url('/gone.pem')}`, 4],
      [argv`preload ${lab.x5u}`, 2],
      [argv`preload --cache ${lab.path('bad')} ${lab.allow}`, 2],
      [argv`export --cache ${lab.path('nowhere')}`, 4],
    ] as const)
      expect([args, (await cache(args)).exitCode]).toEqual([args, exitCode]);
    const unwritable = await cache(argv`preload --cache ${join(file, 'below')} --json ${lab.allow} ${lab.x5u}`);
    expect(unwritable.json()).toMatchObject({ exitCode: 4, code: 'storage-failed' });
  });
});

describe('keygen and csr', () => {
  const DELEGATE = argv`--organization Example --common-name Delegate`;
  const csr = (args: readonly string[], env: Readonly<Record<string, string>> = {}): Promise<CliRun> =>
    lab.run(['csr', ...args], { env });

  test('a key is P-256, readable by its owner alone, and never overwritten', async () => {
    const path = lab.path('new.key');
    expect((await lab.run(['keygen', '--out', path])).exitCode).toBe(0);
    const pem = await readFile(path, 'utf8');
    expect(createPrivateKey(pem).asymmetricKeyDetails).toEqual({ namedCurve: 'prime256v1' });
    if (process.platform !== 'win32') expect((await stat(path)).mode & 0o777).toBe(0o600);
    expect((await lab.run(['keygen', '--out', path])).exitCode).toBe(4);
    expect(await readFile(path, 'utf8')).toBe(pem);
    expect((await lab.run(['keygen'])).stdout).toMatch(/^-----BEGIN PRIVATE KEY-----\n/);
  });

  test('the JWK of a key holds its public half alone, named by its thumbprint or as it is asked', async () => {
    const { privateKey } = generateKeyPairSync('ec', { namedCurve: 'P-256' });
    const pem = privateKey.export({ type: 'pkcs8', format: 'pem', cipher: 'aes-256-cbc', passphrase: 'secret' });
    const path = await lab.put('encrypted.key', pem);
    const args = argv`keygen --key ${path} --jwk`;
    expect((await lab.run(args)).exitCode).not.toBe(0);
    const { stdout } = await lab.run(args, { env: { HOPBACK_KEY_PASSPHRASE: 'secret' } });
    const { x, y } = createPublicKey(privateKey).export({ format: 'jwk' });
    const thumbprint = createHash('sha256')
      .update(JSON.stringify({ crv: 'P-256', kty: 'EC', x, y }))
      .digest('base64url');
    expect(JSON.parse(stdout)).toEqual({
      ...{ kty: 'EC', crv: 'P-256', x, y, kid: `sha256:${thumbprint}`, alg: 'ES256', use: 'sig' },
    });
    const named = await lab.run(argv`keygen --key - --jwk --key-id k-1 --json`, { stdin: stdout });
    expect(named.json()).toMatchObject({ exitCode: 0, publicKeyJwk: { kid: 'k-1', x } });
    for (const wrong of [
      ...[argv`--jwk`, argv`--key ${path}`, argv`--key-id k`],
      argv`--key ${path} --jwk --out ${lab.path('o')}`,
    ])
      expect([wrong, (await lab.run(['keygen', ...wrong])).exitCode]).toEqual([wrong, 2]);
  });

  test('a request for a delegate names numbers and ranges', async () => {
    const out = lab.path('delegate.csr');
    const numbers = argv`--tn ${'+1 (202) 555-0101'} --range +12025550100:100`;
    const run = await csr(argv`--key ${lab.files.key} ${DELEGATE} ${numbers} --json --out ${out}`);
    expect(run.json()).toMatchObject({
      exitCode: 0,
      subject: 'C=US, O=Example, CN=Delegate',
      tnAuthList: [
        { kind: 'one', tn: '12025550101' },
        { kind: 'range', start: '12025550100', count: 100 },
      ],
    });
    expect(await readFile(out, 'utf8')).toBe(run.json()['pem']);
  });

  test('shows what was asked for, beside a request on standard output', async () => {
    const args = argv`--key ${lab.files.key} ${DELEGATE} --tn +442079460958`;
    const run = await csr(args);
    expect(run.stdout).toMatch(/^-----BEGIN CERTIFICATE REQUEST-----\n[^✓]*-----END CERTIFICATE REQUEST-----\n$/);
    expect(run.stderr).toContain('TNAuthList 442079460958');
    expect((await csr([...args, '--out', lab.path('shown.csr')])).stdout).toContain('TNAuthList 442079460958');
  });

  test.each([
    ['no entry', argv`--organization Example`],
    ['a code with small letters', argv`--spc ab --organization Example`],
    ['no organization', argv`--spc 1234`],
    ['a range without a count', argv`${DELEGATE} --range 12025550100`],
    ['a country of three letters', argv`--spc 1234 --organization Example --country USA`],
    ['a name of 65 characters', argv`--spc 1234 --organization ${'E'.repeat(65)}`],
    ['a range beyond the digits of its number', argv`${DELEGATE} --range 999999999999999:5`],
    ['a range beyond its area code', argv`${DELEGATE} --range 12029999999:2`],
    ['a range of a whole country', argv`${DELEGATE} --range 12025559999:999999999`],
    ['a number that may be national or foreign', argv`${DELEGATE} --tn 2079460958`],
    ['a range from such a number', argv`${DELEGATE} --range 2025550100:100`],
    ['a range from a number with a hash', argv`${DELEGATE} --range #55:5`],
  ])('a request with %s is refused', async (_name, args) => {
    expect((await csr(argv`--key ${lab.files.key} ${args}`)).exitCode).toBe(2);
  });

  test('an encrypted key is opened by its passphrase, and else the error names the variable', async () => {
    const cipher = { type: 'pkcs8', format: 'pem', cipher: 'aes-256-cbc', passphrase: 'open sesame' } as const;
    const key = await lab.put('encrypted.key', createPrivateKey(lab.provider.privateKeyPem).export(cipher));
    const args = argv`--key ${key} --spc 1234 --organization E`;
    expect((await csr(args, { HOPBACK_KEY_PASSPHRASE: 'open sesame' })).exitCode).toBe(0);
    for (const env of [{}, { HOPBACK_KEY_PASSPHRASE: 'please' }])
      expect(await csr(args, env)).toMatchObject({
        ...{ exitCode: 4, stderr: expect.stringContaining('HOPBACK_KEY_PASSPHRASE') as string },
      });
  });

  test.each([
    ['RSA-2048', () => createTestKey('RSA-2048').privateKeyPem, 'rsa'],
    ['P-384', () => createTestKey('P-384').privateKeyPem, 'secp384r1'],
    ['a certificate', () => lab.provider.chainPem, ''],
  ])('a key that is %s is an error of the environment', async (_what, pem, type) => {
    const run = await csr(argv`--key ${await lab.put('wrong.key', pem())} --spc 1234 --organization E`);
    expect(run.exitCode).toBe(4);
    expect(run.stderr).toContain(type);
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
  const DAY_MS = 86_400_000;
  const findingsOf = async (args: readonly string[]): Promise<Readonly<Record<string, string>>> => {
    const run = await lab.run(['doctor', '--json', ...args]);
    const findings = run.json()['findings'] as readonly { readonly name: string; readonly result: string }[];
    const failed = findings.some(({ result }) => result === 'failed');
    expect(run.exitCode).toBe(failed ? 1 : 0);
    return Object.fromEntries(findings.map(({ name, result }) => [name, result]));
  };
  const credentials = (): readonly string[] => argv`--key ${lab.files.key} --certificate ${lab.files.chain}`;

  test('contacts nobody and finds a machine in order when nothing is named', async () => {
    const before = lab.server.connections();
    expect(await findingsOf([])).toMatchObject({
      ...{ node: 'ok', clock: 'ok', ES256: 'ok', trust: 'skipped', x5u: 'skipped' },
    });
    expect(lab.server.connections()).toBe(before);
  });

  test('finds a provider in order, with its certificate published', async () => {
    const cache = lab.path('doctor-cache');
    const args = argv`${lab.trust} ${credentials()} --spc 1234 --x5u ${lab.x5u} ${lab.allow} --cache ${cache}`;
    expect(await findingsOf(args)).toMatchObject({
      ...{ trust: 'ok', CRL: 'ok', cache: 'warning', key: 'ok', certificate: 'ok', validity: 'ok', TNAuthList: 'ok' },
      ...{ profile: 'ok', path: 'ok', 'key and certificate': 'ok', signing: 'ok', x5u: 'ok' },
      // The lab's clock stands at another day than the server's.
      'clock and server': 'warning',
    });
    await expect(readdir(cache)).rejects.toMatchObject({ code: 'ENOENT' });
  });

  test('finds a key of another certificate, another provider and another chain at the x5u', async () => {
    const other = lab.pki.issueServiceProvider({ spc: '5678' });
    const x5u = lab.server.publish('/5678.pem', other.chainPem);
    const key = await lab.put('5678.key', other.privateKeyPem);
    const args = argv`--key ${key} --certificate ${lab.files.chain} --spc 5678 --x5u ${x5u} ${lab.allow}`;
    expect(await findingsOf(args)).toMatchObject({
      ...{ 'key and certificate': 'failed', TNAuthList: 'failed', x5u: 'failed' },
    });
  });

  test('finds a certificate that is corrupt, revoked or of unknown revocation', async () => {
    const [leaf = ''] = lab.provider.chainPem.split(/(?<=-----END CERTIFICATE-----\n)/, 1);
    const der = Buffer.from(leaf.replaceAll(/-----.*-----|\n/g, ''), 'base64');
    der.writeUInt8(der.readUInt8(der.length - 1) ^ 1, der.length - 1);
    const corrupt = `-----BEGIN CERTIFICATE-----\n${der.toString('base64')}\n-----END CERTIFICATE-----\n`;
    const certificate = await lab.put('corrupt.pem', lab.provider.chainPem.replace(leaf, corrupt));
    expect(await findingsOf(argv`${lab.trust} --certificate ${certificate}`)).toMatchObject({ path: 'failed' });
    expect(await findingsOf(argv`--certificate ${certificate}`)).toMatchObject({ certificate: 'failed' });
    const crl = await lab.put('doctor.crl', lab.pki.crl({ number: 2, revoked: [{ certificate: lab.provider }] }).der);
    const revoked = argv`${lab.trust} --crl ${crl} --certificate ${lab.files.chain}`;
    expect(await findingsOf(revoked)).toMatchObject({ path: 'failed' });
    const unknown = argv`--trust ${lab.files.root} --certificate ${lab.files.chain}`;
    expect(await findingsOf(unknown)).toMatchObject({ path: 'warning' });
  });

  test('finds a certificate that is for something else than signatures', async () => {
    const odd = lab.pki.issueServiceProvider({ spc: '1234', keyUsage: { usages: ['keyAgreement'] } });
    const key = await lab.put('odd.key', odd.privateKeyPem);
    const args = argv`--key ${key} --certificate ${await lab.put('odd.pem', odd.chainPem)}`;
    expect(await findingsOf(args)).toMatchObject({ 'key and certificate': 'ok', signing: 'failed' });
  });

  test('finds an x5u that serves the certificate with another chain behind it, or with none', async () => {
    const [leaf = '', ...issuers] = lab.provider.chainPem.split(/(?<=-----END CERTIFICATE-----\n)/);
    const root = lab.pki.root.certificatePem;
    for (const [name, pems, x5u] of [
      ['leaf', [leaf], 'failed'],
      ['foreign', [leaf, root], 'failed'],
      ['more', [leaf, ...issuers, root], 'ok'],
    ] as const) {
      const url = lab.server.publish(`/${name}.pem`, pems.join(''));
      expect(await findingsOf(argv`${credentials()} --x5u ${url} ${lab.allow}`)).toMatchObject({ x5u });
    }
  });

  test('finds certificates that end soon or have ended, and CRLs out of date or without their signer', async () => {
    for (const [days, validity] of [
      [3, 'warning'],
      [-1, 'failed'],
    ] as const) {
      const { chainPem } = lab.pki.issueServiceProvider({ spc: '1234', notAfterMs: TEST_NOW_MS + days * DAY_MS });
      expect(await findingsOf(['--certificate', await lab.put('until.pem', chainPem)])).toMatchObject({ validity });
    }
    const past = { thisUpdateMs: TEST_NOW_MS - 9 * DAY_MS, nextUpdateMs: TEST_NOW_MS - DAY_MS };
    const old = await lab.put('old.crl', lab.pki.crl(past).der);
    const { root, crl, crlSigner, stiPaRoot } = lab.files;
    const args = argv`--trust ${root} --crl ${old} --crl-signer ${crlSigner} --sti-pa-root ${stiPaRoot}`;
    expect(await findingsOf(args)).toMatchObject({ CRL: 'failed' });
    const orphan = await lab.run(argv`doctor --trust ${root} --crl ${crl}`);
    expect(orphan).toMatchObject({ exitCode: 1, stdout: expect.stringContaining('signer-not-found') as string });
  });

  test('finds files that are not what they should be, and goes on', async () => {
    const { key, crl } = lab.files;
    const args = argv`--trust ${key} --key ${crl} --certificate ${lab.path('absent')} --cache ${key}`;
    expect(await findingsOf(args)).toMatchObject({
      ...{ trust: 'failed', key: 'failed', certificate: 'failed', cache: 'failed', ES256: 'ok' },
    });
  });

  test('finds an x5u that verifiers do not fetch, and nothing wrong with the certificate for it', async () => {
    expect(await findingsOf([...credentials(), '--x5u', 'https://localhost:1/x'])).toMatchObject({
      ...{ certificate: 'ok', signing: 'ok', x5u: 'failed' },
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

import assert from 'node:assert';
import { readdir, readFile } from 'node:fs/promises';
import { CertificateRepository, TrustStoreRefresh, VerificationService, loadTrustStore } from '@hopback/sdk/stir';
import type { TrustStoreFiles, TrustStoreStartOptions, VerificationRequest } from '@hopback/sdk/stir';
import { afterAll, beforeAll, expect, onTestFinished, test } from 'vitest';
import { campaign, withCampaigns } from '../../examples/custom-passport-type.js';
import { compileErrors, printedBy, removeReferenceExamples } from '../house/reference.js';
import { createCliLab, type CliLab } from '../support/cli-lab.js';

// That each example is a program that prints what it says is tested in test/package, where they run as with a user.

// The examples go by the clock on the wall, so that everything here is made for today.
const NOW_MS = Date.now();
const CLOCK = { nowMs: Date.now };

const AsyncFunction = (async () => undefined).constructor as new (
  ...parts: string[]
) => (...values: unknown[]) => Promise<unknown>;

let lab: CliLab;
let files: TrustStoreFiles;
let laboratory: { readonly allow: { readonly addresses: string[]; readonly ports: number[] }; readonly ca: string };

beforeAll(async () => {
  lab = await createCliLab(NOW_MS);
  files = {
    anchors: { kind: 'files', paths: [lab.files.root] },
    crls: [lab.files.crl],
    crlSigners: [lab.files.crlSigner],
    stiPaRoots: [lab.files.stiPaRoot],
  };
  laboratory = { allow: { addresses: ['127.0.0.0/8'], ports: [lab.server.ports.https] }, ca: lab.server.tlsRootPem };
});

afterAll(() => lab[Symbol.asyncDispose]());

const request = (identity: string | readonly string[]): VerificationRequest => ({
  identity,
  from: '<sip:+12025550101@originating.example>',
  to: '<sip:+12025550199@terminating.example>',
});

const REQUEST_VALUES = {
  pAssertedIdentity: [] as readonly string[],
  requestUri: 'sip:+12025550199@terminating.example',
  date: new Date(NOW_MS).toUTCString(),
};

test.each(['README.md', 'sdk/README.md', 'docs/guides/getting-started.md'])(
  'the first verify of %s compiles and passes',
  async (path) => {
    const [, block = ''] = /^```ts\n(.*?)^```$/ms.exec(await readFile(path, 'utf8')) ?? [];
    const names = Object.keys({ ...request(''), ...REQUEST_VALUES });
    const declared = [...names, 'listUrl'].map((name) => `declare const ${name}: string;`).join(' ');
    await expect(compileErrors(path, `${declared} declare const crlUrls: string[];\n${block}`)).resolves.toEqual([]);
    await removeReferenceExamples();
    const crlSignerUrl = lab.server.publish('/crl-signer.pem', lab.pki.stiPaCrlIssuer.certificatePem);
    const scope = {
      VerificationService,
      loadTrustStore,
      // The one thing that a laboratory has otherwise: nobody fetches from loopback, unless told to.
      CertificateRepository: class extends CertificateRepository {
        constructor() {
          super(laboratory);
        }
      },
      TrustStoreRefresh: {
        start: async (options: TrustStoreStartOptions) => {
          const trust = await TrustStoreRefresh.start({ ...options, ...laboratory });
          onTestFinished(() => trust.close());
          return trust;
        },
      },
      listUrl: lab.server.publish('/list.jws', lab.pki.trustList({ withX5c: true }).jws),
      crlUrls: [lab.server.publish('/sti-pa.crl', lab.pki.crl({ caIssuers: [crlSignerUrl] }).der)],
      ...request(lab.identityHeader()),
      ...REQUEST_VALUES,
    };
    const code = block.replace(/^import [^;]*;$/m, '');
    const program = new AsyncFunction(...Object.keys(scope), `${code}; return verdict;`);
    // It reads the files that it names: the laboratory has them under these names.
    await lab.put('sti-ca-roots.pem', lab.pki.root.certificatePem);
    const home = process.cwd();
    process.chdir(lab.directory);
    const verdict = program(...Object.values(scope)).finally(() => process.chdir(home));
    await expect(verdict).resolves.toMatchObject({ verstat: 'TN-Validation-Passed', attestation: 'A' });
  },
);

test('custom-passport-type is verified beside shaken, and refused with its own reason', async () => {
  const trustStore = await loadTrustStore(files, { clock: CLOCK });
  await using certificates = new CertificateRepository({ clock: CLOCK, ...laboratory });
  const service = withCampaigns({ certificates, trustStore, clock: CLOCK, timeBudgetMs: 5_000 });
  const withCampaign = (name: unknown): string =>
    lab.identityHeader({ ppt: 'x-campaign', claims: { campaign: name, attest: undefined, origid: undefined } });
  const verdict = await service.verify(request([lab.identityHeader(), withCampaign('reminders-7')]));
  expect(verdict.outcomes).toMatchObject([
    { status: 'passed' },
    { status: 'passed', passport: { extension: { campaign: 'reminders-7' } } },
  ]);
  const spoilt = await service.verify(request([lab.identityHeader(), withCampaign(7)]));
  expect(spoilt).toMatchObject({ status: 'passed', outcomes: [{}, { failures: [{ reason: 'claim-malformed' }] }] });
  const broken = { ...campaign, readClaims: (payload: object) => assert.fail(Object.keys(payload).join()) };
  const careless = new VerificationService({ certificates, trustStore, clock: CLOCK, passportTypes: [broken] });
  expect((await careless.verify(request([withCampaign('a')]))).outcomes).toMatchObject([{ status: 'failed' }]);
});

const names = (await readdir('examples')).filter((name) => name.endsWith('.ts'));

test.each(names)(
  '%s has at most sixty lines, imports nothing but the packages, drachtio-srf, Node and its neighbours, and states its output',
  async (name) => {
    const text = await readFile(`examples/${name}`, 'utf8');
    expect(text.split('\n').length).toBeLessThanOrEqual(60);
    const imported = [...text.matchAll(/ from '([^']+)'/g)].map(([, from]) => from);
    const allowed = /^(?:@hopback\/sdk\/|@hopback\/harness(?:\/|$)|drachtio-srf$|node:|\.\/[a-z-]+\.js$)/;
    expect(imported.filter((from) => !allowed.test(from ?? ''))).toEqual([]);
    // Node 20 does not parse it in JavaScript.
    expect(text).not.toMatch(/\busing\b/);
    if (name !== 'lab.ts') expect(printedBy(text).length).toBeGreaterThan(0);
  },
);

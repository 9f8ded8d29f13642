import { appendFile, readdir, readFile } from 'node:fs/promises';
import type { RecordTransport } from '@hopback/sdk/platform';
import { createSharingPolicy } from '@hopback/sdk/records';
import { createPassport } from '@hopback/sdk/testing';
import type { CrlOptions } from '@hopback/sdk/testing';
import {
  createCertificateRepository,
  createVerificationService,
  loadTrustStore,
  parseCertificateChain,
} from '@hopback/sdk/stir';
import type {
  CallVerdict,
  CertificateRepositoryOptions,
  TrustStoreFiles,
  TrustStoreProblem,
  VerificationRequest,
} from '@hopback/sdk/stir';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { withCampaigns } from '../../examples/custom-passport-type.js';
import { kept, shown, whyNot } from '../../examples/explain-verdict.js';
import { followAndStream } from '../../examples/follow-and-stream.js';
import { takeOver, warmUp } from '../../examples/preload-certificates.js';
import { startTrusting } from '../../examples/refresh-trust-store.js';
import { reload } from '../../examples/reload-trust-store.js';
import { headersFor, startVerifying, verdictOf } from '../../examples/verify-invite.js';
import { verifyOffline } from '../../examples/verify-offline-core.js';
import { compileErrors, printedBy, removeReferenceExamples } from '../house/reference.js';
import { createCliLab } from '../support/cli-lab.js';
import type { CliLab } from '../support/cli-lab.js';
import { ASTERISK_SOURCE, asteriskRow } from '../support/cli-records-lab.js';

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

async function verdictOn(invite: string): Promise<CallVerdict> {
  const { service, close } = await startVerifying(files, laboratory);
  const verdict = await verdictOf(service, invite);
  await close();
  if (verdict === undefined) throw new Error('the INVITE of the test is none');
  return verdict;
}

function chain() {
  const parsed = parseCertificateChain(lab.provider.chainPem);
  if (parsed.status === 'malformed') throw new Error(parsed.detail);
  return parsed.chain;
}

const request = (identity: string | readonly string[]): VerificationRequest => ({
  identity,
  from: '<sip:+12025550101@originating.example>',
  to: '<sip:+12025550199@terminating.example>',
});

describe('verify-invite', () => {
  test('passes a signed INVITE whose certificate it fetches over HTTPS', async () => {
    const verdict = await verdictOn(lab.invite());
    expect(verdict).toMatchObject({ status: 'passed', attestation: 'A', signer: { spc: '1234' } });
    // A verstat that the caller brought along is gone.
    expect(headersFor(verdict, '<sip:+12025550101;verstat=No-TN-Validation@originating.example>')).toEqual([
      'P-Asserted-Identity: <sip:+12025550101;verstat=TN-Validation-Passed@originating.example;user=phone>',
    ]);
  });

  test('lets a spoofed call go on with verstat and a Reason', async () => {
    const verdict = await verdictOn(lab.invite({ origTn: '12025550166' }));
    expect(verdict.reasons).toEqual(['orig-mismatch']);
    expect(headersFor(verdict, '<tel:+12025550166>')).toEqual([
      'P-Asserted-Identity: <tel:+12025550166;verstat=No-TN-Validation>',
      expect.stringMatching(/^Reason: STIR;cause=438;/),
    ]);
  });

  test('gives no verdict on a text that is no SIP request', async () => {
    const { service, close } = await startVerifying(files, laboratory);
    await expect(verdictOf(service, 'hello')).resolves.toBeUndefined();
    await close();
  });
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
    const declared = names.map((name) => `declare const ${name}: string;`).join(' ');
    await expect(compileErrors(path, `${declared}\n${block}`)).resolves.toEqual([]);
    await removeReferenceExamples();
    const scope = {
      createVerificationService,
      loadTrustStore,
      // The one thing that a laboratory has otherwise: nobody fetches from loopback, unless told to.
      createCertificateRepository: (options: CertificateRepositoryOptions) =>
        createCertificateRepository({ ...options, ...laboratory }),
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

test('verify-offline-core passes with the chain in its map and is indeterminate without', async () => {
  const trustStore = await loadTrustStore(files, { clock: CLOCK });
  const options = { trustStore, nowMs: NOW_MS };
  const good = verifyOffline(request(lab.identityHeader()), new Map([[lab.x5u, chain()]]), options);
  expect(good).toMatchObject({ status: 'passed', verstat: 'TN-Validation-Passed' });
  const without = verifyOffline(request(lab.identityHeader()), new Map(), options);
  expect(without).toMatchObject({ status: 'indeterminate', reasons: ['x5u-unreachable'] });
});

test('custom-passport-type is verified beside shaken, and refused with its own reason', async () => {
  const trustStore = await loadTrustStore(files, { clock: CLOCK });
  await using certificates = createCertificateRepository({ clock: CLOCK, ...laboratory });
  const service = withCampaigns({ certificates, trustStore, clock: CLOCK, timeBudgetMs: 5_000 });
  const withCampaign = (campaign: unknown): string =>
    createPassport({
      signer: lab.provider,
      x5u: lab.x5u,
      ppt: 'x-campaign',
      iatSeconds: Math.floor(NOW_MS / 1000),
      claims: { campaign, attest: undefined, origid: undefined },
    }).identityHeader;
  const verdict = await service.verify(request([lab.identityHeader(), withCampaign('reminders-7')]));
  expect(verdict.outcomes).toMatchObject([{ status: 'passed' }, { status: 'passed', passport: { ppt: 'x-campaign' } }]);
  const spoilt = await service.verify(request([lab.identityHeader(), withCampaign(7)]));
  expect(spoilt).toMatchObject({ status: 'passed', outcomes: [{}, { failures: [{ reason: 'claim-malformed' }] }] });
});

test('preload-certificates fetches once, and the next machine takes it over without fetching', async () => {
  const before = lab.server.requests('/1234.pem');
  const options = { clock: CLOCK, ...laboratory };
  const { report, handOn } = await warmUp([lab.x5u, 'https://10.0.0.1/x.pem'], {
    ...options,
    directory: lab.path('a'),
  });
  expect(report).toMatchObject({ found: 1, failures: [{ status: 'refused', reason: 'address-special-purpose' }] });
  await expect(takeOver(JSON.parse(JSON.stringify(handOn)), { ...options, directory: lab.path('b') })).resolves.toBe(1);
  await expect(takeOver('rubbish', options)).resolves.toBe(0);
  expect(lab.server.requests('/1234.pem')).toBe(before + 1);
});

test('explain-verdict tells the same from the verdict and, later, from its evidence alone', async () => {
  const verdict = await verdictOn(lab.invite({ origTn: '12025550166' }));
  expect(shown(verdict)).toContain('request 12025550166, token 12025550101');
  const why = whyNot(kept(verdict));
  expect(why).toHaveLength(1);
  expect(why[0]).toContain('expected 12025550166, found 12025550101');
});

test('reload-trust-store swaps a good store in and keeps the last good one when a file is spoilt', async () => {
  const trustStore = await loadTrustStore(files, { clock: CLOCK });
  const { service, close } = await startVerifying(files, laboratory);
  const complaints: string[] = [];
  const report = (why: string): void => void complaints.push(why);
  const revoked = lab.pki.crl({ number: 2, revoked: [{ certificate: lab.provider, reason: 'keyCompromise' }] });
  const next = await reload(service, trustStore, {
    files: { ...files, crls: [await lab.put('newer.crl', revoked.der)] },
    report,
  });
  expect(next.version).not.toBe(trustStore.version);
  await expect(verdictOf(service, lab.invite())).resolves.toMatchObject({ reasons: ['certificate-revoked'] });
  const spoilt = { ...files, crls: [await lab.put('spoilt.crl', 'nothing')] };
  await expect(reload(service, next, { files: spoilt, report })).resolves.toBe(next);
  await close();
  expect(complaints).toEqual([expect.stringContaining('trust-list-rejected')]);
});

test('refresh-trust-store verifies by what is published, takes up a revocation, and starts from its cache without network', async () => {
  const { pki, server, provider } = lab;
  const stiPaRoot = parseCertificateChain(pki.stiPaRoot.certificatePem);
  const problems: string[] = [];
  const options = {
    listUrl: server.publish(
      '/list.jws',
      pki.trustList({ x5u: server.publish('/pa.pem', pki.stiPaSigner.chainPem) }).jws,
    ),
    crlUrls: [server.url('/pa.crl')],
    stiPaRoots: stiPaRoot.status === 'parsed' ? stiPaRoot.chain : [],
    cachePath: lab.path('sti-pa-list.json'),
    onProblem: ({ part, reason }: TrustStoreProblem): void => void problems.push(`${part} ${reason}`),
    ...laboratory,
  };
  const publishCrl = (crl: CrlOptions): string =>
    server.publish('/pa.crl', pki.crl({ caIssuers: [server.url('/pa-crl.crt')], ...crl }).der);
  server.publish('/pa-crl.crt', pki.stiPaCrlIssuer.der);
  publishCrl({ number: 1 });
  await using certificates = createCertificateRepository({ clock: CLOCK, ...laboratory });
  const online = await startTrusting(certificates, options);
  const verdict = async ({ service }: typeof online) => service && (await verdictOf(service, lab.invite()));
  await expect(verdict(online)).resolves.toMatchObject({ status: 'passed' });
  publishCrl({ number: 2, revoked: [{ certificate: provider, reason: 'keyCompromise' }] });
  await online.trust.refresh();
  await expect(verdict(online)).resolves.toMatchObject({ reasons: ['certificate-revoked'] });
  await online.trust.close();
  expect(problems).toEqual([]);
  server.withdraw('/list.jws');
  server.withdraw('/pa.crl');
  const offline = await startTrusting(certificates, options);
  await expect(verdict(offline)).resolves.toMatchObject({ reasons: ['certificate-revoked'] });
  await offline.trust.close();
  expect(problems).toEqual(['list http-status', 'crl http-status']);
});

test('follow-and-stream goes on where it was when it is begun again on the same directory', async () => {
  const path = await lab.put('Master.csv', `${asteriskRow(1)}\n${asteriskRow(2)}\n`);
  const sent: number[] = [];
  const transport: RecordTransport = {
    deliver: async ({ count }) => {
      sent.push(count);
      return { status: 'acknowledged', rejected: [] };
    },
    close: async () => undefined,
  };
  const policy = createSharingPolicy({ key: new Uint8Array(32).fill(7), rotationId: '2026-11', tenantId: 'example' });
  for (const rows of [2, 1]) {
    const options = { directory: lab.path('follow'), policy, transport };
    const { follower, stream, close } = await followAndStream({ ...ASTERISK_SOURCE, path }, options);
    await follower.look();
    await stream.drain();
    expect(follower.statistics()).toMatchObject({ rows, inserted: rows });
    await close();
    await appendFile(path, `${asteriskRow(3)}\n`);
  }
  expect(sent.reduce((sum, count) => sum + count, 0)).toBe(3);
});

const names = (await readdir('examples')).filter((name) => name.endsWith('.ts'));

test.each(names)(
  '%s has at most sixty lines and imports nothing but the packages, drachtio-srf, Node and its neighbours',
  async (name) => {
    const text = await readFile(`examples/${name}`, 'utf8');
    expect(text.split('\n').length).toBeLessThanOrEqual(60);
    const imported = [...text.matchAll(/ from '([^']+)'/g)].map(([, from]) => from);
    const allowed = /^(?:@hopback\/sdk\/|@hopback\/harness(?:\/|$)|drachtio-srf$|node:|\.\/[a-z-]+\.js$)/;
    expect(imported.filter((from) => !allowed.test(from ?? ''))).toEqual([]);
  },
);

// That each of them is a program that prints it is for test/package, where they run as with a user.
test.each(names.filter((name) => name !== 'lab.ts'))('%s says what it prints', async (name) => {
  expect(printedBy(await readFile(`examples/${name}`, 'utf8')).length).toBeGreaterThan(0);
});

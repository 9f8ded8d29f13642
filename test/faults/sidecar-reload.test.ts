import { rm } from 'node:fs/promises';
import { expect, test } from 'vitest';
import { startCallLoad, type LoadedCall } from '../support/call-load.js';
import { faultCount, reportFault } from '../support/fault-counts.js';
import { FAILED, PASSED, usualCalls, verificationBody } from '../support/loaded-calls.js';
import { createSidecarFolder, type SidecarFolder } from '../support/sidecar-folder.js';
import type { SidecarProcess } from '../support/sidecar-process.js';

const ROUNDS = faultCount({ short: 1, full: 20 });
/** Requests that are answered after each reload. */
const AFTER_EACH = 100;
const TAKEN = /^(?:in force|nothing has changed)$/;

/** Reloads; resolves with what it said of it. */
async function reloaded(sidecar: SidecarProcess): Promise<string> {
  const said = sidecar.said(({ part }) => part === 'reload');
  sidecar.signal('SIGHUP');
  return String((await said)['msg']);
}

/** Calls whose verdict a reload changes. */
function changingCalls(folder: SidecarFolder) {
  // Between the change and the word that it is in force either may be right.
  const state = { revoked: [PASSED], below: [FAILED] };
  const [revoked, other] = [folder.pki.issueServiceProvider({ spc: '2000' }), folder.pki.issueRoot()];
  const below = folder.pki.issueServiceProvider({ spc: '3000', issuer: folder.pki.issueCa({ issuer: other }) });
  const [revokedUrl, belowUrl] = [
    folder.server.publish('/2000.pem', revoked.chainPem),
    folder.server.publish('/3000.pem', below.chainPem),
  ];
  const calls: readonly LoadedCall[] = [
    {
      name: 'of a provider that is revoked',
      body: () => verificationBody(folder.identity({ signer: revoked, x5u: revokedUrl })),
      verstats: () => state.revoked,
    },
    {
      name: 'below a root that becomes trusted',
      body: () => verificationBody(folder.identity({ signer: below, x5u: belowUrl })),
      verstats: () => state.below,
    },
  ];
  return { state, calls, revoked, other };
}

const TRUSTING_ANOTHER = {
  trust: {
    ...{ roots: ['root.pem', 'other-root.pem'], stiPaRoots: ['sti-pa-root.pem'] },
    ...{ crls: ['sti-pa.crl'], crlSigners: ['crl-signer.pem'] },
  },
};

/** Each is tried under load: its name, what is done before the reload, and what is true after it. */
type Step = readonly [name: string, change: () => Promise<unknown>, after?: () => void];

function goodSteps(
  folder: SidecarFolder,
  { state, revoked, other }: ReturnType<typeof changingCalls>,
): readonly Step[] {
  const next = folder.pki.issueServiceProvider({ spc: '1000' });
  const x5u = folder.server.publish('/1000-next.pem', next.chainPem);
  return [
    ['another configuration', () => folder.configure({ answers: { attestation: true }, workers: 1 })],
    ['another policy', () => folder.configure({ verification: { freshnessSeconds: 45, timeBudgetMs: 2_000 } })],
    [
      'another key and certificate',
      async () => {
        await folder.put('key.pem', next.privateKeyPem);
        await folder.put('chain.pem', next.chainPem);
        await folder.configure({ signing: { key: 'key.pem', certificate: 'chain.pem', x5u } });
      },
    ],
    [
      'a root more',
      async () => {
        state.below = [FAILED, PASSED];
        await folder.put('other-root.pem', other.certificatePem);
        await folder.configure(TRUSTING_ANOTHER);
      },
      () => (state.below = [PASSED]),
    ],
    [
      'another CRL',
      () => {
        state.revoked = [PASSED, FAILED];
        return folder.put('sti-pa.crl', folder.pki.crl({ revoked: [revoked], number: 2 }).der);
      },
      () => (state.revoked = [FAILED]),
    ],
    ['nothing', () => Promise.resolve()],
  ];
}

function badSteps(folder: SidecarFolder): readonly Step[] {
  return [
    ['no YAML', () => folder.put('hopback.yaml', 'trust: { roots: [')],
    ['a member that there is not', () => folder.configure({ ...TRUSTING_ANOTHER, tusrt: {} })],
    [
      'a key of somebody else',
      () =>
        folder
          .put('key.pem', folder.pki.issueServiceProvider({ spc: '7' }).privateKeyPem)
          .then(() => folder.configure(TRUSTING_ANOTHER)),
    ],
    ['an invalid CRL', () => folder.put('sti-pa.crl', 'nothing')],
    ['a root that is gone', () => rm(folder.path('other-root.pem'))],
    ['a configuration that is gone', () => rm(folder.path('hopback.yaml'))],
  ];
}

test(
  'no reload of anything, good or bad, costs one of 500 requests/s its verdict, and what cannot be used leaves all as it was',
  { timeout: 60_000 + 30_000 * ROUNDS },
  async () => {
    let [asked, reloads, kept] = [0, 0, 0];
    for (let round = 0; round < ROUNDS; round += 1) {
      await using folder = await createSidecarFolder();
      const changing = changingCalls(folder);
      await folder.configure({ verification: { timeBudgetMs: 10_000 } });
      await using sidecar = await folder.start();
      await using load = startCallLoad(sidecar.port, [...usualCalls(folder), ...changing.calls]);
      await load.more(AFTER_EACH);
      for (const [name, change, after] of goodSteps(folder, changing)) {
        await change();
        expect([name, TAKEN.test(await reloaded(sidecar))]).toEqual([name, true]);
        after?.();

        await load.more(AFTER_EACH);
        reloads += 1;
      }
      for (const [name, change] of badSteps(folder)) {
        await change();
        expect([name, TAKEN.test(await reloaded(sidecar))]).toEqual([name, false]);
        await load.more(AFTER_EACH);
        kept += 1;
      }
      await load.stop();

      expect(load.counts()).toMatchObject({ wrong: [], broken: 0, refused: 0 });
      expect(load.counts().right).toBe(load.counts().asked);
      asked += load.counts().asked;
    }
    reportFault('sidecar-reload', { requests: asked, reloads, kept, wrong: 0, broken: 0 });
  },
);

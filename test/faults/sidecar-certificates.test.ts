import { mkdir } from 'node:fs/promises';
import { expect, test } from 'vitest';
import { testPeer } from '../peers.js';
import { startCallLoad, type LoadedCall } from '../support/call-load.js';
import { faultCount, reportFault } from '../support/fault-counts.js';
import { PASSED, UNDECIDED, usualCalls, verificationBody } from '../support/loaded-calls.js';
import { createSidecarFolder, type SidecarFolder } from '../support/sidecar-folder.js';
import { fillUp, smallDisk } from '../support/small-disk.js';

const REQUESTS = faultCount({ short: 1_000, full: 20_000 });
const BUDGET_MS = 300;
/** What a machine with other work may add to a timer. */
const LATE_MS = 2_000;

const median = (values: readonly number[]): number =>
  values.toSorted((a, b) => a - b)[values.length >> 1] ?? Number.NaN;

/** Calls that refer to a certificate server which cannot be reached, one that never answers, and one that has no such file. */
function callsOfTroubledServers({ server, identity, providers }: SidecarFolder): readonly LoadedCall[] {
  const chain = providers[0].provider.chainPem;
  const urls = {
    refused: server.namedFault('refused', chain),
    silent: server.namedFault('stall', chain),
    absent: server.url('/absent.pem'),
  };
  return Object.entries(urls).map(([name, x5u]) => ({
    name,
    body: () => verificationBody(identity({ x5u })),
    verstats: () => [UNDECIDED],
  }));
}

test(
  'certificate servers that are unreachable, silent or empty leave calls of known certificates their verdict and their time, and others wait no longer than they may',
  { timeout: 120_000 },
  async () => {
    await using folder = await createSidecarFolder();
    await folder.configure({ verification: { timeBudgetMs: BUDGET_MS } });
    await using sidecar = await folder.start();
    await sidecar.heard(({ part }) => part === 'certificates');
    const usual = usualCalls(folder);
    await using before = startCallLoad(sidecar.port, usual);
    await before.more(REQUESTS / 2);
    await before.stop();
    await using load = startCallLoad(sidecar.port, [...usual, ...usual, ...callsOfTroubledServers(folder)]);
    await load.more(REQUESTS);
    await load.stop();
    expect(load.counts()).toMatchObject({ wrong: [], broken: 0, refused: 0 });
    const quiet = median(before.counts('good').latenciesMs);
    const troubled = median(load.counts('good').latenciesMs);
    expect(troubled).toBeLessThan(BUDGET_MS / 3);
    const waited = ['refused', 'silent', 'absent'].flatMap((name) => load.counts(name).latenciesMs);
    expect(Math.max(...waited)).toBeLessThan(BUDGET_MS + LATE_MS);
    reportFault('sidecar-certificate-servers', {
      ...{
        requests: load.counts().asked,
        wrong: 0,
        medianMsBefore: quiet.toFixed(1),
        medianMsMeanwhile: troubled.toFixed(1),
      },
      longestMsOfTheTroubled: Math.max(...waited).toFixed(0),
    });
  },
);

testPeer(
  'tmpfs',
  'a full disk for certificates costs no call its verdict: new ones are fetched and used all the same',
  async () => {
    await using disk = await smallDisk();
    await using folder = await createSidecarFolder();
    const directory = `${disk.path}/certificates`;
    await mkdir(directory);
    fillUp(disk.path);
    await folder.configure({
      certificates: {
        ...{ ca: 'web-root.pem', directory },
        allow: { addresses: ['127.0.0.0/8'], ports: Object.values(folder.server.ports) },
      },
      verification: { timeBudgetMs: 10_000 },
    });
    await using sidecar = await folder.start();
    let next = 0;
    const news: LoadedCall = {
      name: 'new certificate',
      body: () => {
        next += 1;
        const x5u = folder.server.publish(`/new-${String(next % 50)}.pem`, folder.providers[0].provider.chainPem);
        return verificationBody(folder.identity({ x5u }));
      },
      verstats: () => [PASSED],
    };
    await using load = startCallLoad(sidecar.port, [...usualCalls(folder), news]);
    await load.more(REQUESTS);
    await load.stop();
    expect(load.counts()).toMatchObject({ wrong: [], broken: 0, refused: 0 });
    reportFault('sidecar-full-disk', { requests: load.counts().asked, newCertificates: Math.min(next, 50), wrong: 0 });
  },
  { timeout: 120_000 },
);

test(
  'a log that nobody reads any further costs no call its verdict, and the sidecar ends when it is told to',
  { timeout: 120_000 },
  async () => {
    await using folder = await createSidecarFolder();
    await folder.configure({
      log: { level: 'debug', calls: 'all' },
      verification: { timeBudgetMs: 10_000 },
      drainSeconds: 5,
    });
    await using sidecar = await folder.start({ stallsLog: true });
    await using load = startCallLoad(sidecar.port, usualCalls(folder));
    await load.more(REQUESTS * 2);
    await load.stop();
    expect(load.counts()).toMatchObject({ wrong: [], broken: 0, refused: 0 });
    sidecar.signal('SIGTERM');
    expect(await sidecar.ended).toEqual({ code: 0, signal: null });
    reportFault('sidecar-stalled-log', { requests: load.counts().asked, wrong: 0, broken: 0 });
  },
);

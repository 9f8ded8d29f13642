import { once } from 'node:events';
import { mkdir, readFile, rm, writeFile } from 'node:fs/promises';
import { createDrachtioServer, type DrachtioServer } from '@hopback/harness/drachtio';
import { createMemoryRecordStore } from '@hopback/sdk/records';
import Srf from 'drachtio-srf';
import { afterAll, beforeAll, expect, test, vi } from 'vitest';
import { openGuardedLine } from '../../examples/blocking-phone.js';
import { openLab, type Lab } from '../../examples/lab.js';
import { callOver, openLossyLink } from '../../examples/lossy-link.js';
import { answerTo, openRedirect, redirectServerOf } from '../../examples/redirect-in-drachtio.js';
import { startSigning } from '../../examples/sign-call.js';
import { hangUp, openCarrier, SDP } from '../../examples/sip-lab.js';
import { ladder } from '../../examples/sip-ladder.js';
import * as track from '../support/track-calls.js';
import { callAcross, openTwoCarriers } from '../../examples/two-carriers.js';
import { openTerminating, policyOfSource, statusOfCall } from '../../examples/verify-in-drachtio.js';
import { startVerifying } from '../../examples/verify-invite.js';
import { compileErrors, printedBy, removeReferenceExamples } from '../house/reference.js';
import { ROOT, run } from '../house/run.js';

let lab: Lab;

beforeAll(async () => {
  lab = await openLab();
});

afterAll(() => lab[Symbol.asyncDispose]());

/** Waits until a server holds nothing of its calls any more. */
async function nothingLeft(server: DrachtioServer): Promise<void> {
  await vi.waitFor(() => {
    const { applications: _, ...held } = server.inUse();
    expect(Object.values(held).every((count) => count === 0)).toBe(true);
  }, WAIT);
}

/** Longer than the transactions of lossy-link linger. */
const WAIT = { timeout: 20_000, interval: 50 };

test('two-carriers brings an Identity header across, and the terminating carrier verifies it', async () => {
  const { service, close } = await startVerifying(lab.trust, lab.repository);
  const carriers = await openTwoCarriers(service);
  await using originating = carriers.originating;
  await using terminating = carriers.terminating;
  await callAcross(carriers, lab.identityHeader);
  await callAcross(carriers, `${lab.identityHeader.slice(0, 300)}x${lab.identityHeader.slice(301)}`);
  await close();
  expect(carriers.verdicts).toMatchObject([{ status: 'passed', attestation: 'A' }, { status: 'failed' }]);
  const invites = carriers.seen.filter(({ text }) => text.startsWith('INVITE '));
  // Each is seen where it leaves and where it comes.
  expect(invites).toHaveLength(4);
  expect(invites[1]?.text).toContain(`\r\nIdentity: ${lab.identityHeader}\r\n`);
  expect([originating.server.inUse().dialogs, terminating.server.inUse().dialogs]).toEqual([0, 0]);
});

test('redirect-in-drachtio signs what comes unsigned, verifies the rest, and keeps what it decided', async () => {
  const { service, close } = await startVerifying(lab.trust, lab.repository);
  const kept: object[] = [];
  const signing = await startSigning(lab.provider, () => undefined);
  await using server = redirectServerOf(signing, service, (record) => void kept.push(record));
  await using redirect = await openRedirect(server);
  await using sbc = await openCarrier();
  const ask = async (number: string, more: Record<string, string>, field: string): Promise<readonly [number, string]> =>
    answerTo(sbc, redirect, { headers: { From: `<sip:+${number}@localhost>`, ...more }, field });
  const carried = { Identity: lab.identityHeader };
  expect(await ask('12025550101', {}, 'Identity')).toEqual([302, expect.stringContaining(';info=<https://')]);
  expect(await ask('12025550101', carried, 'P-Asserted-Identity')).toEqual([
    302,
    expect.stringContaining(';verstat=TN-Validation-Passed@'),
  ]);
  expect(await ask('12025550166', carried, 'Reason')).toEqual([603, expect.stringContaining('STIR;cause=438')]);
  expect(kept).toMatchObject([{ ppt: 'shaken' }, { outcome: 'verified' }, { outcome: 'blocked' }]);
  await close();
});

test('verify-in-drachtio lets a signed call through, and refuses a spoofed one', async () => {
  const { service, close } = await startVerifying(lab.trust, lab.repository);
  await using originating = await openCarrier();
  await using terminating = await openTerminating(service);
  const call = (number: string): Promise<number> =>
    statusOfCall(originating, terminating, { From: `<sip:+${number}@localhost>`, Identity: lab.identityHeader });
  expect([await call('12025550101'), await call('12025550166')]).toEqual([486, 438]);
  expect(policyOfSource('192.0.2.40').role).toBe('gateway');
  await close();
});

test('track-calls puts every call on record, and tells the caller what the callee said', async () => {
  const { service, close } = await startVerifying(lab.trust, lab.repository);
  const store = createMemoryRecordStore({ clock: { nowMs: Date.now } });
  const present = track.openFilings('number,business_name,frn\nRMD0001234,Example LLC,123456\n', 1);
  const absent = track.openFilings('number,business_name,frn\nRMD0000002,Another LLC,000002\n', 1);
  await using callee = await track.openCallee('12025550166');
  await using caller = await openCarrier();
  const statuses: number[] = [];
  for (const filings of [present, absent]) {
    const { carrier, tracker } = await track.openMiddle(callee, { service, store, filings });
    await using middle = carrier;
    for (const number of ['12025550101', '12025550166']) {
      const headers = { From: `<sip:+${number}@localhost>`, Identity: lab.identityHeader };
      statuses.push(await track.statusOfCall(caller, middle, headers));
    }
    await tracker.close();
    await vi.waitFor(() => expect(middle.server.inUse().dialogs).toBe(0), WAIT);
  }
  expect(statuses).toEqual([200, 607, 403, 403]);
  const { records } = await store.find({ calledTn: '12025550199', window: track.ANY_TIME });
  expect(records.map(track.storyOf)).toEqual([
    'Example LLC, answered, calling',
    'Example LLC, blocked, called party (607 Unwanted)',
    'Example LLC, blocked, policy of the trunk (upstream-not-filed)',
    'Example LLC, blocked, policy of the trunk (upstream-not-filed)',
  ]);
  await close();
});

test('sip-ladder draws what passed three servers, each message once', async () => {
  const seen: Parameters<typeof ladder>[0][number][] = [];
  const onMessage = (message: (typeof seen)[number]): void => void seen.push(message);
  await using last = await openCarrier((srf) => srf.invite((_req, res) => res.send(486)), { onMessage });
  await using middle = await openCarrier(
    (srf) => srf.invite((req) => srf.proxyRequest(req, last.server.uri(), { remainInDialog: true })),
    { onMessage },
  );
  await using first = await openCarrier(undefined, { onMessage });
  const call = first.srf.createUAC(middle.server.uri(), { localSdp: SDP });
  await expect(call).rejects.toMatchObject({ status: 486 });
  await vi.waitFor(() => expect(seen.filter(({ text }) => text.startsWith('ACK '))).toHaveLength(4), WAIT);
  const drawn = ladder(seen, { first: first.server, middle: middle.server, last: last.server }).split('\n');
  expect(drawn[0]?.split(/ +/)).toEqual(['first', 'middle', 'last']);
  expect(drawn).toHaveLength(9);
  expect(drawn.slice(1).every((line) => line.length === 57)).toBe(true);
  expect(drawn.filter((line) => line.includes(' 486 Busy Here |'))).toHaveLength(2);
});

test('blocking-phone blocks what its rule blocks, reports it, and lets the rest through', async () => {
  await using line = await openGuardedLine({ blockedNumbers: ['12025550166'], blockAnonymous: true });
  const asserted = (number: string): Record<string, string> => ({
    'P-Asserted-Identity': `<sip:+${number}@a.example>`,
    Identity: lab.identityHeader,
  });
  await expect(line.offer(asserted('12025550101'))).resolves.toBe(200);
  await expect(line.offer(asserted('12025550166'))).resolves.toBe(607);
  expect(line.reports).toMatchObject([
    { callingNumber: '12025550166', blockReason: 'blocked-number', identityHeaders: [lab.identityHeader], status: 607 },
  ]);
});

test('lossy-link ends every call right, and leaves nothing at either end', async () => {
  await using link = await openLossyLink(11, { lossRate: 0.1, duplicationRate: 0.1, reorderRate: 0.1, jitterMs: 5 });
  await Promise.all(Array.from({ length: 15 }, () => callOver(link)));
  expect(link.endedFar()).toBe(15);
  const { received, duplicated, delivered, dropped, inFlight } = link.relay.counters().toTarget;
  expect(received + duplicated).toBe(delivered + dropped + inFlight);
  expect(dropped).toBeGreaterThan(0);
  await nothingLeft(link.near.server);
  await nothingLeft(link.far.server);
});

test('sip-lab hangs up once the other side has answered the BYE', async () => {
  await using callee = await openCarrier((srf) =>
    srf.invite((req, res) => void srf.createUAS(req, res, { localSdp: SDP })),
  );
  await using caller = await openCarrier();
  await hangUp(await caller.srf.createUAC(callee.server.uri(), { localSdp: SDP }));
  expect(callee.server.counters().sent.responses).toEqual({ 100: 1, 200: 2 });
  expect(caller.server.counters().received.responses).toEqual({ 100: 1, 200: 2 });
});

// The test of the guide, word for word.
test('refuses a call without an Identity header', async () => {
  await using server = await createDrachtioServer();
  // The application as it is: what changes is where it connects.
  const srf = new Srf();
  srf.invite((req, res) => res.send(req.has('Identity') ? 486 : 428));
  void srf.connect(server.control);
  await once(srf, 'connect');

  // Whoever calls it is an application with a server of its own.
  await using elsewhere = await createDrachtioServer();
  const caller = new Srf();
  void caller.connect(elsewhere.control);
  await once(caller, 'connect');
  const call = caller.createUAC(server.uri(), { localSdp: 'v=0\r\n' });
  await expect(call).rejects.toMatchObject({ status: 428 });

  for (const app of [caller, srf]) app.disconnect();
});

/** The blocks of a guide: those that are tests, and all others as one program. */
async function blocksOf(guide: string): Promise<{ readonly tests: readonly string[]; readonly program: string }> {
  const text = await readFile(guide, 'utf8');
  const blocks = [...text.matchAll(/^```ts\n(.*?)^```$/gms)].map(([, block]) => block ?? '');
  const isTest = (block: string): boolean => block.includes(" from 'vitest'");
  return {
    tests: blocks.filter(isTest),
    program: `${blocks.filter((block) => !isTest(block)).join('\n')}\nexport {};\n`,
  };
}

test('the test that drachtio-server.md shows is the one above', async () => {
  const { tests } = await blocksOf('docs/guides/drachtio-server.md');
  expect(tests).toHaveLength(1);
  const body = tests.join('').slice(tests.join('').indexOf('\ntest('));
  expect(await readFile('test/e2e/examples-sip.test.ts', 'utf8')).toContain(body);
});

test.each(['docs/guides/drachtio-server.md', 'docs/guides/phones-and-faults.md', 'harness/README.md'])(
  'the blocks of %s are a program that compiles and prints what it says',
  async (guide) => {
    const { program } = await blocksOf(guide);
    await expect(compileErrors(guide, program)).resolves.toEqual([]);
    await removeReferenceExamples();
    const folder = `${ROOT}.cache/guides/${process.pid}`;
    await mkdir(folder, { recursive: true });
    const file = `${folder}/program.ts`;
    await writeFile(file, program);
    const { code, output } = await run(process.execPath, ['--import', 'tsx', file]);
    await rm(folder, { recursive: true, force: true });
    expect({ code, output }).toMatchObject({ code: 0 });
    const said = printedBy(program);
    expect(said.length).toBeGreaterThan(1);
    const printed = output.split('\n');
    expect(said.filter((line) => !printed.includes(line))).toEqual([]);
  },
);

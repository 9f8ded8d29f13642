import { createSocket } from 'node:dgram';
import { once } from 'node:events';
import { openConformanceTarget, runConformance } from '@hopback/harness/conformance';
import type { CaseResult, ConformanceTarget, SentCall } from '@hopback/harness/conformance';
import { expect, test } from 'vitest';
import { headerValues, openSipDatagrams } from '../peers/sip-datagrams.js';
import { freePorts } from '../support/recipe.js';
import { openConformanceLab } from '../support/conformance-lab.js';
import { startStirService, verdict } from '../support/stir-service.js';

const CALL: SentCall = { identity: ['a.b.c;info=<x>'], origTn: '12025550101', destTn: '12025550199', dateSeconds: 1 };
const http = (url: string, timeoutMs = 5_000): Promise<ConformanceTarget> =>
  openConformanceTarget({ kind: 'atis', url, timeoutMs });

test('a service that is absent, hangs up, is silent or answers nonsense over HTTP is observed as such', async () => {
  const [nobody = 0] = await freePorts(1);
  await using absent = await http(`http://127.0.0.1:${nobody}`);
  expect(await absent.verify(CALL)).toMatchObject({ kind: 'no-answer', why: 'refused' });
  expect(await absent.sign({ destTn: [] })).toMatchObject({ kind: 'no-answer', why: 'refused' });
  const observed = async (answer: Parameters<typeof startStirService>[0], timeoutMs?: number): Promise<unknown> => {
    await using service = await startStirService(answer);
    await using target = await http(service.url, timeoutMs);
    return await target.verify(CALL);
  };
  const cut = await observed((_request, response) => void response.destroy());
  expect(cut).toMatchObject({ kind: 'no-answer', why: 'cut' });
  expect(await observed(() => undefined, 100)).toMatchObject({ kind: 'no-answer', why: 'timeout' });
  const babble = await observed((_request, response) => void response.end('<html>'.repeat(100_000)));
  expect(babble).toMatchObject({ kind: 'not-understood' });
});

test('a path in the URL stands in front of the two resources', async () => {
  await using service = await startStirService((_request, response) => void response.end('{}'));
  await using target = await http(`${service.url}/StirShakenWeb/resources/v1/`);
  await target.verify(CALL);
  await target.sign({ ...CALL, destTn: ['12025550199'], attestation: 'A' });
  expect(service.heard.map(({ path }) => path)).toEqual([
    '/StirShakenWeb/resources/v1/verification',
    '/StirShakenWeb/resources/v1/signing',
  ]);
  expect(JSON.parse(service.heard[0]?.body ?? '')).toEqual({
    verificationRequest: {
      ...{ from: { tn: '12025550101' }, to: { tn: ['12025550199'] } },
      ...{ time: 1, identity: 'a.b.c;info=<x>' },
    },
  });
});

/** Answers requests by what the test makes of them, header fields that a response needs copied. */
async function startDevice(answer: (request: string, count: number) => readonly string[] | undefined) {
  const socket = createSocket('udp4');
  const heard: string[] = [];
  socket.on('message', (octets, from) => {
    const text = octets.toString();
    heard.push(text);
    const lines = answer(text, heard.length);
    if (lines === undefined) return;
    const copied = ['Via', 'From', 'To', 'Call-ID', 'CSeq'].map(
      (name) => `${name}: ${headerValues(text, name)[0] ?? ''}`,
    );
    const [status = '', ...more] = lines;
    socket.send([status, ...copied, ...more, '', ''].join('\r\n'), from.port, from.address);
  });
  socket.bind(0, '127.0.0.1');
  await once(socket, 'listening');
  return {
    ...{ url: `sip:127.0.0.1:${socket.address().port}`, heard },
    [Symbol.asyncDispose]: async () => {
      socket.close();
      await once(socket, 'close');
    },
  };
}

test('an INVITE that is lost goes out again, and its answer is acknowledged', async () => {
  await using device = await startDevice((_request, count) =>
    count === 2
      ? ['SIP/2.0 302 Moved Temporarily', 'P-Asserted-Identity: <sip:+12025550101;verstat=TN-Validation-Passed@a>']
      : undefined,
  );
  await using target = await openConformanceTarget({ kind: 'redirect', url: device.url, timeoutMs: 1_500 });
  expect(await target.verify(CALL)).toMatchObject({ kind: 'verified', isPassed: true });
  expect(await target.sign({ ...CALL, destTn: [CALL.destTn] })).toMatchObject({ kind: 'no-answer', why: 'timeout' });
  const [first = '', second, ack = ''] = device.heard;
  expect(second).toBe(first);
  expect(ack).toMatch(/^ACK sip:\+12025550199@127\.0\.0\.1/);
  expect(headerValues(ack, 'Via')).toEqual(headerValues(first, 'Via'));
});

test('a device that is absent is silent, and a wrong URL is an error of the caller', async () => {
  const [nobody = 0] = await freePorts(1);
  await using target = await openConformanceTarget({ kind: 'sip', url: `sip:127.0.0.1:${nobody}`, timeoutMs: 100 });
  expect(await target.verify(CALL)).toMatchObject({ kind: 'no-answer', why: 'timeout' });
  await expect(openConformanceTarget({ kind: 'sip', url: 'http://127.0.0.1' })).rejects.toMatchObject({
    code: 'invalid-argument',
  });
});

test('what a device sends to the callee is its verdict, or its signature', async () => {
  const [callee = 0] = await freePorts(1);
  await using onward = await openSipDatagrams();
  await using device = await startDevice((request) => {
    if (!request.startsWith('INVITE')) return undefined;
    const isSigned = request.includes('\r\nIdentity:');
    const passed = request.replace(/(From: <sip:\+\d+)@/, '$1;verstat=TN-Validation-Failed@');
    onward.send(isSigned ? passed : request.replace('\r\nFrom', '\r\nIdentity: d.e.f;info=<x>\r\nFrom'), callee);
    return undefined;
  });
  await using target = await openConformanceTarget({
    ...{ kind: 'sip', url: device.url, timeoutMs: 500 },
    sip: { callee: `127.0.0.1:${callee}` },
  });
  expect(target.capabilities.has('verstat')).toBe(true);
  expect(await target.verify(CALL)).toMatchObject({ isPassed: false, verstat: 'TN-Validation-Failed' });
  expect(await target.sign({ ...CALL, destTn: [CALL.destTn] })).toMatchObject({
    ...{ kind: 'signed', identity: ['d.e.f;info=<x>'] },
  });
});

test('repositories that keep connections open are asked for last, and results come by number all the same', async () => {
  await using lab = await openConformanceLab();
  await using service = await startStirService(verdict('No-TN-Validation'));
  await using target = await http(service.url);
  const asked: string[] = [];
  const outcome = await runConformance({
    ...{ target, environment: lab.environment, only: ['V-50*', 'V-551'], concurrency: 1 },
    onResult: ({ number }) => asked.push(number),
  });
  expect(asked.slice(-4)).toEqual(['V-506', 'V-507', 'V-508', 'V-509']);
  expect(outcome.status === 'ran' && outcome.run.results.map(({ number }) => number)).toEqual([...asked].sort());
});

const VERDICT_CASES = ['V-821', 'V-822', 'V-823', 'V-824', 'V-831', 'V-832', 'V-833', 'V-834'];

async function passedBy(target: ConformanceTarget, only: readonly string[]): Promise<readonly CaseResult[]> {
  await using lab = await openConformanceLab();
  const outcome = await runConformance({ target, environment: lab.environment, only });
  if (outcome.status !== 'ran') throw new Error(outcome.status);
  return outcome.run.results.filter(({ status }) => status === 'pass');
}

test('a device that answers every call with a bare 438 passes no case about what a verdict shows', async () => {
  await using device = await startDevice(() => ['SIP/2.0 438 Invalid Identity Header']);
  for (const kind of ['redirect', 'sip'] as const) {
    await using target = await openConformanceTarget({ kind, url: device.url });
    expect(await passedBy(target, VERDICT_CASES)).toEqual([]);
  }
});

test('a service over HTTP that sends no verstat passes no case about verstat', async () => {
  const answer = JSON.stringify({ verificationResponse: { reasonCode: '438', reasonText: 'Invalid Identity Header' } });
  await using service = await startStirService((_request, response) => void response.end(answer));
  await using target = await http(service.url);
  expect(await passedBy(target, ['V-008', ...VERDICT_CASES])).toEqual([]);
});

import { WIRE_EXAMPLES } from '@hopback/sdk/platform';
import { ManualClock, TestPlatform, TEST_PROVIDERS, type TestProvider } from '@hopback/sdk/testing';
import type { TracebackFinding } from '@hopback/sdk/traceback';
import { expect, test } from 'vitest';
import { codeOf, withCode } from '../support/code-of.js';

const ABROAD: TestProvider = { providerId: 'prv-dune', name: 'Dune Telefonia S.A.', cannotBeAsked: 'foreign' };
const SILENT: TestProvider = { providerId: 'prv-elm', name: 'Elm Wholesale', cannotBeAsked: 'no-contact' };

const nameOf = ({ providerId, name }: TestProvider) => ({ providerId, name });

// Each kind of outcome once; all of them are proved for the lifecycle (traceback-lifecycle).
const FINDINGS: readonly [TracebackFinding, string, string][] = [
  [{ arm: 'point-of-entry', upstream: { name: 'Dune' } }, 'closed', 'point-of-entry'],
  [{ arm: 'received-from', upstream: nameOf(ABROAD) }, 'closed', 'foreign-provider'],
  [{ arm: 'received-from', upstream: nameOf(SILENT) }, 'open', 'not-askable'],
  [{ arm: 'received-from-unlisted', upstream: { name: 'Elm Wholesale' } }, 'open', 'not-askable'],
  [{ arm: 'received-from', upstream: { name: 'Alder Voice LLC' } }, 'open', 'loop'],
  [{ arm: 'not-retained', retainedFrom: '2026-10-24T00:00:00Z' }, 'closed', 'not-retained'],
  [{ arm: 'refused', reason: 'Counsel asks for a subpoena.' }, 'open', 'refused'],
];

test.each(FINDINGS)('after %j a traceback is %s, and has come to %s', async (finding, state, outcome) => {
  await using platform = new TestPlatform({ providers: [...TEST_PROVIDERS, ABROAD, SILENT] });
  const tracebackId = platform.openTraceback();
  const { requestId } = await platform.requestTo('prv-birch', tracebackId);
  await platform.answerAs(requestId, finding);
  await platform.until(() => platform.traceback(tracebackId).outcome);
  expect(platform.traceback(tracebackId)).toMatchObject({ state, outcome });
});

test('a number is traced forward to the provider that serves it', async () => {
  await using platform = new TestPlatform();
  const forward = WIRE_EXAMPLES.TracebackOpening.find(({ name }) => name === 'forward')?.value;
  const { requestId, tracebackId } = platform.issueRequest('prv-birch', forward);
  await platform.answerAs(requestId, { arm: 'serves-number', customer: {} });
  expect(await platform.closed(tracebackId)).toMatchObject({ direction: 'forward', outcome: 'serves-number' });
});

test('the default providers answer in either direction', async () => {
  await using platform = new TestPlatform();
  const tracebackId = platform.openTraceback({ direction: 'forward' });
  const { requestId } = await platform.requestTo('prv-birch', tracebackId);
  await platform.answerAs(requestId, { arm: 'number-served-by', provider: { name: 'Cedar Gateway Corp.' } });
  const { outcome, hops } = await platform.closed(tracebackId);
  expect(outcome).toBe('serves-number');
  expect(hops.map(({ provider }) => provider.providerId)).toEqual(['prv-alder', 'prv-birch', 'prv-cedar']);
});

test('answers come one after the other, those of automatic providers among them', async () => {
  const platform = new TestPlatform();
  const tracebackId = platform.openTraceback();
  const seen: string[] = [];
  const reading = (async () => {
    for await (const { providerId, answer } of platform.answers()) seen.push(`${providerId} ${answer.finding.arm}`);
  })();
  const { requestId } = await platform.requestTo('prv-birch', tracebackId);
  await platform.answerAs(requestId, { arm: 'not-found' });
  await platform.answerAs(requestId, { arm: 'received-from', upstream: { name: 'Cedar Gateway Corp.' } });
  expect((await platform.answered(requestId, 2)).answer.amends?.answerId).toBe(
    (await platform.answered(requestId)).answer.answerId,
  );
  await platform.closed(tracebackId);
  await platform.close();
  await reading;
  expect(seen).toEqual([
    'prv-alder received-from',
    'prv-birch not-found',
    'prv-birch received-from',
    'prv-cedar point-of-entry',
  ]);
});

test('closing the platform rejects what a test still waits for', async () => {
  const platform = new TestPlatform();
  const waiting = codeOf(platform.requestTo('prv-birch'));
  await platform.close();
  expect(await waiting).toBe('closed');
  expect(await codeOf(platform.until(() => 1))).toBe('closed');
});

test('the input of a test is checked against the contract, too', () => {
  const platform = new TestPlatform();
  const campaign = WIRE_EXAMPLES.Campaign[0].value;
  expect(() => platform.putCampaign({ ...campaign, observedCalls: -1 })).toThrow(withCode('invalid-argument'));
  expect(() => platform.openTraceback({ firstProvider: 'nobody' })).toThrow(withCode('invalid-argument'));
  expect(() => platform.traceback('none')).toThrow(withCode('invalid-argument'));
  expect(() => platform.credentials('none')).toThrow(withCode('invalid-argument'));
  expect(() => platform.issueNotice('prv-birch', { noticeId: 'a b' })).toThrow(withCode('invalid-argument'));
  const [alder] = TEST_PROVIDERS;
  expect(() => new TestPlatform({ providers: [alder!, alder!] })).toThrow(withCode('invalid-configuration'));
});

test('a provider with an invalid answer fails the test', async () => {
  const platform = new TestPlatform({
    providers: [{ providerId: 'prv-a', name: 'A', answers: () => ({ arm: 'serves-number', customer: {} }) }],
  });
  platform.openTraceback();
  expect(await codeOf(platform.close())).toBe('request-refused');
  expect(platform.violations()).toMatchObject([{ operationId: 'answerTracebackRequest', side: 'response' }]);
});

test('the same seed strikes with the same faults', async () => {
  const struck = async (seed: number): Promise<readonly number[]> => {
    const platform = new TestPlatform({ seed, clock: new ManualClock() });
    platform.injectFault({ fault: { kind: 'server-error' }, probability: 0.5 });
    const { token } = platform.credentials('prv-birch');
    for (let call = 0; call < 20; call += 1) {
      const headers = { authorization: `Bearer ${token}` };
      await platform.handle(new Request(`${platform.baseUrl}/v1/traceback-requests`, { headers }));
    }
    await platform.close();
    return platform.calls().map(({ status }) => status);
  };
  expect(await struck(1)).toEqual(await struck(1));
  expect(await struck(1)).not.toEqual(await struck(2));
  expect(new Set(await struck(1))).toEqual(new Set([200, 503]));
});

import fc from 'fast-check';
import {
  bearerToken,
  PlatformClient,
  WebhookReceiver,
  createWebhookRequestSource,
  mergeTracebackRequestSources,
  pollTracebackRequests,
  streamTracebackRequests,
} from '@hopback/sdk/platform';
import type { PlatformFetch } from '@hopback/sdk/platform';
import { createMemoryRecordStore } from '@hopback/sdk/records';
import { ManualClock, TestPlatform, sampleCallRecord, TEST_TRUNKS } from '@hopback/sdk/testing';
import type { CallFaultRule, EventFaultRule, TestPlatformOptions } from '@hopback/sdk/testing';
import {
  createClientAnswerTransport,
  createLocalAnswerSigner,
  createReceiptVerifier,
  TracebackResponder,
  TrunkDirectory,
  DEFAULT_TRACEBACK_POLICY,
  officeDeadline,
  readTrunkDirectory,
  storeKnowledge,
} from '@hopback/sdk/traceback';
import { expect, test } from 'vitest';
import { createSimulatedLogFiles } from '../support/simulated-log-files.js';
import { forAllAsync } from '../support/for-all.js';

type WebhookFetch = NonNullable<TestPlatformOptions['fetch']>;

const frequency = { times: fc.integer({ min: 1, max: 4 }), after: fc.integer({ min: 0, max: 2 }) };

const eventFault: fc.Arbitrary<EventFaultRule> = fc.record({
  fault: fc.constantFrom('duplicate', 'late', 'lost', 'forged'),
  via: fc.constantFrom('webhook', 'event-stream'),
  probability: fc.constantFrom(0.5, 1),
  ...frequency,
});

const callFault: fc.Arbitrary<CallFaultRule> = fc.record({
  fault: fc.constantFrom(
    { kind: 'rate-limited', retryAfterSeconds: 2 } as const,
    { kind: 'server-error', isCarriedOut: true } as const,
    { kind: 'server-error', status: 502 } as const,
    { kind: 'connection-reset', isCarriedOut: true } as const,
    { kind: 'connection-reset' } as const,
    { kind: 'truncated' } as const,
    { kind: 'unknown-members' } as const,
    { kind: 'missing-member' } as const,
    { kind: 'forged-receipt' } as const,
  ),
  ...frequency,
});

/** Requests to the platform without a socket between. */
const fetchOf =
  (platform: TestPlatform): PlatformFetch =>
  async (url, { body, ...request }) => {
    const response = await platform.handle(new Request(url, { ...request, ...(body && { body: Buffer.from(body) }) }));
    if (response.type === 'error') throw new TypeError('fetch failed');
    return response;
  };

/** Far beyond what a run takes by its clock: what is waited for here is work, not time. */
const PATIENCE_MS = 500_000;

/** A carrier that hears of requests in all three ways at once. */
async function startCarrier(platform: TestPlatform, clock: ManualClock, posted: { fetch?: WebhookFetch }) {
  const { token, answerKey } = platform.credentials('prv-birch');
  const parts = { clock, random: () => 0.5 };
  const client = new PlatformClient({
    ...{ ...parts, baseUrl: platform.baseUrl, fetch: fetchOf(platform), authorization: bearerToken(token) },
    timeoutMs: PATIENCE_MS,
  });
  const webhooks = createWebhookRequestSource({ client, clock });
  const { secret } = platform.addWebhookEndpoint('prv-birch', { url: 'https://birch.example/hooks' });
  const receiver = new WebhookReceiver({ secrets: [secret], clock, consume: webhooks.consume });
  posted.fetch = async (_url, { headers, body }) => {
    const { status } = await receiver.receive({ headers: headers as Record<string, string>, body: body as string });
    return new Response(null, { status });
  };
  const store = createMemoryRecordStore({ clock });
  await store.insert([sampleCallRecord()]);
  await store.cover({ sourceId: 'sbc-1', fromUs: 0, toUs: clock.nowMs() * 1_000 });
  const trunks = new TrunkDirectory(readTrunkDirectory(TEST_TRUNKS));
  const responder = await TracebackResponder.open({
    ...{ directory: 'responder', files: createSimulatedLogFiles(), policy: DEFAULT_TRACEBACK_POLICY, trunks },
    provider: { providerId: 'prv-birch', name: 'Birch Carrier Services Inc.' },
    ...storeKnowledge(store, { trunks }),
    deadlineOf: officeDeadline({ zone: 'America/New_York' }),
    signer: await createLocalAnswerSigner(answerKey),
    platform: { transport: createClientAnswerTransport(client), verifyReceipt: createReceiptVerifier(platform.keys) },
    requests: mergeTracebackRequestSources([
      webhooks,
      streamTracebackRequests({ client, clock }),
      pollTracebackRequests({ client, ...parts }),
    ]),
    ...parts,
    clock: { nowMs: clock.nowMs, schedule: clock.schedule, monotonicMs: clock.nowMs },
    limits: { matchTimeoutMs: PATIENCE_MS },
  });
  return responder;
}

/** Turns of the loop between two steps of the clock, so that work goes on while time does. */
const TURNS = 10;
const MOST_STEPS = 5_000;

async function untilAnswered(clock: ManualClock, isDone: () => boolean): Promise<void> {
  for (let step = 0; step < MOST_STEPS && !isDone(); step += 1) {
    for (let turn = 0; turn < TURNS; turn += 1) await new Promise(setImmediate);
    clock.advance(1_000);
  }
}

const isAcknowledged = (responder: TracebackResponder, requestId: string): boolean =>
  responder.entry(requestId)?.answers[0]?.delivery.state === 'acknowledged';

test('whatever is lost, doubled, late, forged or broken, each request has one answer, in the same bytes', async () => {
  await forAllAsync(
    [
      fc.array(eventFault, { maxLength: 5 }),
      fc.array(callFault, { maxLength: 5 }),
      fc.integer({ min: 1, max: 4 }),
      fc.nat(),
    ],
    20,
    async (eventFaults, callFaults, requests, seed) => {
      const clock = new ManualClock();
      const posted: { fetch?: WebhookFetch } = {};
      const fetch: WebhookFetch = (url, init) => posted.fetch?.(url, init) ?? Promise.reject(new TypeError('nobody'));
      const platform = new TestPlatform({ clock, fetch, seed, tokenLifetimeSeconds: 1_000_000 });
      const responder = await startCarrier(platform, clock, posted);
      for (const rule of eventFaults) platform.injectEventFault(rule);
      for (const rule of callFaults) platform.injectFault({ ...rule, providerId: 'prv-birch' });
      const tracebackIds = Array.from({ length: requests }, () => platform.openTraceback());
      const requestIds = await Promise.all(
        tracebackIds.map(async (id) => (await platform.requestTo('prv-birch', id)).requestId),
      );
      await untilAnswered(clock, () => requestIds.every((id) => isAcknowledged(responder, id)));
      platform.releaseEvents();
      for (const requestId of requestIds) platform.remind(requestId);
      const afterwards = clock.nowMs() + 120_000;
      await untilAnswered(clock, () => clock.nowMs() >= afterwards);

      for (const requestId of requestIds) {
        const { answers } = platform.request(requestId);
        expect(answers.map(({ revision }) => revision)).toEqual([1]);
        const [signed] = responder.entry(requestId)?.answers ?? [];
        expect(signed?.delivery.state).toBe('acknowledged');
        expect((await platform.answered(requestId)).jws).toBe(signed?.jws);
      }
      // No answer was ever refused as another than the one before.
      const statuses = platform.calls('answerTracebackRequest').map(({ status }) => status);
      expect(statuses.filter((status) => status === 409 || status === 422)).toEqual([]);
      await responder.close();
      await platform.close();
    },
  );
});

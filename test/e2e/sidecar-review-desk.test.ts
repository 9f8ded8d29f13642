import { afterEach, beforeEach, expect, test } from 'vitest';
import { createMemoryRecordStore } from '@hopback/sdk/records';
import { signWebhook, WIRE_EXAMPLES, type PlatformFetch } from '@hopback/sdk/platform';
import { sampleCallRecord, TestPlatform, TEST_TRUNKS } from '@hopback/sdk/testing';
import { TracebackDesk, type TracebackDeskOptions } from '../../sdk/src/sidecar/review/review-app.js';
import { accountEntry, readAccounts } from '../../sdk/src/sidecar/review/sessions.js';
import type { ReviewAuditEntry } from '../../sdk/src/sidecar/review/review-parts.js';
import { NAME, PASSWORD, reviewBrowser } from '../support/review-lab.js';
import { testFolder } from '../support/test-folder.js';

const SECRET = 'whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw';

const folder = testFolder();
let platform: TestPlatform;
beforeEach(async () => {
  platform = await TestPlatform.start();
});
afterEach(() => platform.close());

/** Two calls of the minute that is asked about, from two carriers: nobody but a person can tell them apart. */
async function deskWith(options: Partial<TracebackDeskOptions> = {}): Promise<TracebackDesk> {
  const store = createMemoryRecordStore({ clock: { nowMs: Date.now } });
  const other = { trunk: 'oak-1', address: '198.51.100.9:5060', callId: 'leg-2@198.51.100.9' };
  await store.insert([sampleCallRecord(), sampleCallRecord({ legId: 'leg-2', callGroupId: 'leg-2', ingress: other })]);
  await store.cover({ sourceId: 'sbc-1', fromUs: 0, toUs: Date.now() * 1_000 });
  const { client, answerKey } = platform.credentials('prv-birch');
  return TracebackDesk.open({
    ...{ directory: folder.at('responder'), store, answerKey, zone: 'America/New_York', trunks: TEST_TRUNKS },
    provider: { providerId: 'prv-birch', name: 'Birch Carrier Services Inc.' },
    platform: { baseUrl: platform.baseUrl, receiptKeys: platform.keys, ...client },
    webhooks: { secrets: [SECRET] },
    ...options,
  });
}

test('a request that comes from the platform and fits two calls is chosen on the page, signed, and taken by the platform', async () => {
  const accounts = readAccounts(await accountEntry({ name: NAME, password: PASSWORD }));
  const audit: ReviewAuditEntry[] = [];
  await using desk = await deskWith({
    review: { accounts: () => accounts, audit: async (entry) => void audit.push(entry) },
  });
  const tracebackId = platform.openTraceback();
  const { requestId } = await platform.requestTo('prv-birch', tracebackId);
  for (let state = ''; state !== 'review';) {
    await new Promise((resolve) => setImmediate(resolve));
    state = desk.responder.list().find((one) => one.requestId === requestId)?.state ?? '';
  }
  const browser = reviewBrowser(desk.app);
  await browser.logIn();
  const { candidates } = desk.responder.review(requestId)!;
  const candidate = candidates.find(({ upstream }) => upstream.includes('Cedar'))?.candidate ?? '';
  const choice = { step: 'send', arm: 'received-from', candidate, despite: 'another-fits-as-well' };
  expect(await browser.answer(choice, `/review/requests/${requestId}`)).toMatchObject({ status: 303 });
  const { answer } = await platform.answered(requestId);
  expect(answer).toMatchObject({
    finding: { arm: 'received-from' },
    answeredBy: { kind: 'person', name: NAME },
  });
  expect(audit.map(({ event, outcome }) => outcome ?? event)).toEqual(['login', 'decision', 'accepted']);
});

test('a webhook with a request is acknowledged when the request is in the journal, and one that nobody signed is not taken', async () => {
  // Stream and polling hear nothing: the platform is asked for tokens alone.
  const fetch: PlatformFetch = (input, init) =>
    input.includes('/oauth/') ? globalThis.fetch(input, init) : Promise.reject(new TypeError('no way'));
  const { client } = platform.credentials('prv-birch');
  await using desk = await deskWith({
    platform: { baseUrl: platform.baseUrl, receiptKeys: platform.keys, ...client, fetch },
  });
  const event = WIRE_EXAMPLES.PlatformEvent.find(
    ({ value }) => value.type === 'org.hopback.traceback-request.created.1',
  )?.value;
  if (event?.type !== 'org.hopback.traceback-request.created.1') throw new Error('no example of such an event');
  const body = JSON.stringify(event);
  const timestampSeconds = Math.floor(Date.now() / 1_000);
  const signed = signWebhook({ id: event.id, timestampSeconds, body, secrets: [SECRET] });
  const hook = (headers: object): Response | Promise<Response> =>
    desk.app.request('/v1/webhooks/platform', { method: 'POST', headers: { ...headers }, body });
  expect((await hook({ ...signed, 'webhook-signature': 'v1,AAAA' })).status).toBe(401);
  expect(desk.responder.list()).toEqual([]);
  expect((await hook(signed)).status).toBe(204);
  expect(desk.responder.entry(event.data.request.requestId)?.via).toBe('webhook');
  expect((await hook(signed)).status).toBe(204);
  expect(desk.responder.list().length).toBe(1);
});

test('an invalid secret and an invalid base path are refused, and leave the folder free', async () => {
  const review = { accounts: () => new Map(), audit: async () => undefined, base: 'none' };
  await expect(deskWith({ webhooks: { secrets: ['none'] } })).rejects.toMatchObject({ code: 'invalid-configuration' });
  await expect(deskWith({ review })).rejects.toMatchObject({ code: 'invalid-configuration' });
  await (await deskWith()).close();
});

import { createHash, createPublicKey } from 'node:crypto';
import { gzipSync } from 'node:zlib';
import { compactVerify } from 'jose';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { isHopbackError } from '../../sdk/src/errors.js';
import {
  createHttpsRecordTransport,
  createRouteMatcher,
  PLATFORM_ROUTES,
  privateKeyJwt,
  RECORD_BATCH_TYPE,
} from '../../sdk/src/platform/index.js';
import type {
  AppReport,
  FccNotice,
  PlatformClient,
  PlatformFetch,
  StreamedEvent,
  TracebackOpening,
} from '../../sdk/src/platform/index.js';
import type { TracebackFinding } from '../../sdk/src/traceback/index.js';
import { testEntry } from './itg-calls.js';
import type { TestServer } from './itg-database.js';
import { smallPdf, submissionAt } from './itg-demands.js';
import { liveSample } from './itg-live-records.js';
import type { TestMember } from './itg-platform.js';
import { signAnswer, startReferenceLab } from './itg-reference.js';

/** Milliseconds that a platform may take to start where ten others share the processor. */
const STARTING_MS = 240_000;
/** For what the platform does by itself: seconds, on a machine that has nothing else to do. */
const PATIENT = { timeout: 60_000, interval: 100 };

/** A reference platform with members of all kinds, whose clients note which operations of the contract succeeded. */
async function openWorld(server?: TestServer) {
  // Receivers have no address: endpoints are registered, and nothing is posted to them.
  const lab = await startReferenceLab({
    webhooks: { resolve: async () => [] },
    ...(server !== undefined && { server }),
  });
  const succeeded = new Set<string>();
  const match = createRouteMatcher(PLATFORM_ROUTES);
  const notingFetch: PlatformFetch = async (url, request) => {
    const response = await fetch(url, request);
    const operationId = match(request.method, new URL(url).pathname)?.route.operationId;
    if (operationId !== undefined && response.ok) succeeded.add(operationId);
    return response;
  };
  const clients = new Map<string, Promise<PlatformClient>>();
  return {
    ...{ lab, succeeded, fetch: notingFetch },
    /** It serves the subscribers who are called; `birch` and `cedar` are upstream of one another. */
    alder: await lab.joinCarrier('alder', { businessName: 'Alder Telephone', spcs: ['101A'] }),
    birch: await lab.joinCarrier('birch', { businessName: 'Birch Wholesale' }),
    cedar: await lab.joinCarrier('cedar', { businessName: 'Cedar Gateway', isGatewayProvider: true }),
    app: await lab.join('app', 'guard', { name: 'Call guard' }),
    texas: await lab.join('agency', 'texas', { name: 'Attorney General of Texas' }),
    reviewer: await lab.join('staff', 'reviewers', { name: 'Reviewers', roles: ['reviewer'] }),
    /** The client of a member: the same each time. */
    as: (member: TestMember): Promise<PlatformClient> => {
      const made = clients.get(member.clientId) ?? lab.clientOf(member, notingFetch);
      clients.set(member.clientId, made);
      return made;
    },
  };
}

type World = Awaited<ReturnType<typeof openWorld>>;

/**
 * Every operation of the contract, called on a whole reference platform by clients of the SDK, with every answer checked against its schema. What an
 * operation does in detail is tested with its area. Tests rest on those before them, as the calls of a day do.
 */
export function contractClaims(engine: string, serverOf: () => TestServer | undefined = () => undefined): void {
  let world: World | undefined;
  beforeAll(async () => {
    world = await openWorld(serverOf());
  }, STARTING_MS);
  afterAll(() => world?.lab[Symbol.asyncDispose]());
  const claim = (name: string, check: (opened: World) => Promise<void> | void): void =>
    test(`${engine}: ${name}`, () => {
      if (world === undefined) throw new Error('the platform has not been started');
      return check(world);
    });

  claim('records and app reports are stored, and become campaigns and alerts', checkLive);
  claim('the registry is listed, searched, and has scorecards', checkRegistry);
  claim('the do-not-originate list shows additions and withdrawals since a time', checkDoNotOriginate);
  claim('a traceback is opened, and nobody but staff names a report or another requester', checkTracebacks);
  claim('a request is acknowledged, answered and receipted, and the traceback goes on', checkRequests);
  claim('a provider responds to a notice of the Commission', checkNotices);
  claim('a demand is submitted, decided, produced and fetched', checkDemands);
  claim('webhook endpoints are created, replayed, rotated and deleted', checkWebhooks);
  claim('the event stream goes on behind the last event that was read', checkStream);
  claim('no operation of the contract was left out', ({ succeeded, lab }) => {
    const left = PLATFORM_ROUTES.map(({ operationId }) => operationId).filter((one) => !succeeded.has(one));
    expect(left).toEqual([]);
    expect(lab.platform.metrics.text()).not.toContain('hopback_http_answer_faults_total{');
  });
}

/** The code of the problem with which a call is refused. */
async function refusal(call: Promise<unknown>): Promise<unknown> {
  const outcome = await call.then(
    () => new Error('no refusal'),
    (error: unknown) => error,
  );
  if (!isHopbackError(outcome)) throw outcome;
  return outcome.details['problemCode'] ?? outcome.code;
}

interface PageOf<Item> {
  readonly items: readonly Item[];
  readonly nextCursor?: string;
}

/** Goes through a list in pages of one size: it has every item once, in more than one page. */
async function expectPaged<Item>(
  list: (page: { readonly cursor?: string; readonly limit: number }) => Promise<PageOf<Item>>,
  limit: number,
  keyOf: (item: Item) => string,
): Promise<readonly Item[]> {
  const items: Item[] = [];
  let pages = 0;
  for (let cursor: string | undefined, isMore = true; isMore;) {
    const page = await list({ limit, ...(cursor !== undefined && { cursor }) });
    expect(page.items.length).toBeLessThanOrEqual(limit);
    items.push(...page.items);
    pages += 1;
    cursor = page.nextCursor;
    isMore = cursor !== undefined;
  }
  expect(pages).toBeGreaterThan(1);
  expect(new Set(items.map(keyOf)).size).toBe(items.length);
  return items;
}

/** Calls of each script: as many as the rules require, and a few. */
const CALLS_HEARD = 24;
const SCRIPTS = [
  'This call is from the Social Security Administration. Your number has been suspended because of suspicious activity. Press one now to speak to an officer or a warrant for your arrest will be issued.',
  'A parcel in your name was held by customs with something illegal inside. To be connected with the agent in charge of your case stay on the line, or your bank accounts will be frozen today.',
];

const heardCall = (call: number, script: number): AppReport => ({
  ...{ format: 'hopback.app-report.1', reportId: `${script}-${call}`, app: { name: 'Call guard', version: '4.2' } },
  calledAt: new Date(Date.now() - 60_000 + call * 1_000).toISOString(),
  ...{ called: { shown: 'number', tn: `12145550${100 + call}` }, calling: `14695550${100 + call}` },
  ...{ servedBy: 'Alder Telephone', action: 'answered-by-app', reason: 'content', durationSeconds: 14 },
  transcript: { text: SCRIPTS[script] ?? '', language: 'en' },
});

async function checkLive({ lab, alder, app, texas, fetch, as }: World): Promise<void> {
  const { key, clientId } = alder;
  const { tokenUrl, url } = lab.platform;
  const authorization = await privateKeyJwt({ tokenUrl, clientId, key: key.privateKey, keyId: key.keyId, fetch });
  const transport = createHttpsRecordTransport({ url: `${url}/v1/record-batches`, fetch, authorization });
  const records = Array.from({ length: 12 }, (_, leg) => ({
    ...liveSample(leg),
    inviteAtUs: Date.now() * 1_000 + leg,
  }));
  const broken = { ...records[0]!, recordId: 'f'.repeat(32), inviteAtUs: 'yesterday' };
  const body = gzipSync([...records, broken].map((line) => `${JSON.stringify(line)}\n`).join(''));
  const id = createHash('sha256').update(body).digest('hex').slice(0, 32);
  const batch = {
    ...{ id, source: '/alder/records', type: RECORD_BATCH_TYPE, timeMs: Date.now(), count: records.length + 1 },
    ...({ encoding: 'gzip', body } as const),
  };
  const delivered = await transport.deliver(batch, new AbortController().signal);
  expect(delivered).toMatchObject({ status: 'acknowledged', rejected: [{ recordId: 'f'.repeat(32) }] });
  await transport.close();

  const { appReports } = await as(app);
  for (let call = 0; call < CALLS_HEARD; call += 1)
    for (const script of SCRIPTS.keys())
      expect(await appReports.create(heardCall(call, script))).toMatchObject({ isRepeat: false });
  const { campaigns, alerts } = await as(texas);
  const live = async () => (await campaigns.list({ state: 'live' })).items.map(({ observedCalls }) => observedCalls);
  await expect.poll(live, PATIENT).toEqual([CALLS_HEARD, CALLS_HEARD]);
  for (const { campaignId } of await expectPaged(
    (page) => campaigns.list(page),
    1,
    (one) => one.campaignId,
  ))
    expect(await campaigns.retrieve({ campaignId })).toMatchObject({ campaignId, state: 'live' });
  await expect.poll(async () => (await alerts.list()).items.length, PATIENT).toBe(2 * SCRIPTS.length);
  const [alert] = await expectPaged(
    (page) => alerts.list(page),
    3,
    (one) => one.alertId,
  );
  const acknowledgement = { acknowledgedBy: 'Duty desk', intends: 'investigate' } as const;
  const seen = await alerts.acknowledge({ alertId: alert!.alertId, ...acknowledgement });
  expect(seen.acknowledged).toMatchObject(acknowledgement);
  expect((await alerts.list({ state: 'acknowledged' })).items).toEqual([seen]);
}

async function checkRegistry({ lab, birch, texas, as }: World): Promise<void> {
  const before = new Date().toISOString();
  for (let index = 0; index < 7; index += 1) {
    const codes = { ocns: [`9${index}A1`], spcs: [`9${index}A1`], frn: `000000010${index}` };
    const entry = testEntry(`filer-${index}`, { businessName: `Filer ${index}, LLC`, ...codes });
    await lab.asOperator('POST', `/v1/registry/providers/filer-${index}`, entry);
  }
  const { providers } = await as(texas);
  const filers = await expectPaged(
    (page) => providers.list({ ...page, name: 'fILER' }),
    3,
    (one) => one.providerId,
  );
  const ids = Array.from({ length: 7 }, (_, index) => `filer-${index}`);
  expect(filers.map(({ providerId }) => providerId)).toEqual(ids);
  const changed: string[] = [];
  for await (const { providerId } of providers.iterate({ limit: 2, changedSince: before })) changed.push(providerId);
  expect(changed).toEqual(ids);
  for (const by of [{ frn: '0000000104' }, { ocn: '94A1' }, { spc: '94A1' }, { spc: '94A1', name: 'filer' }])
    expect((await providers.list(by)).items.map(({ providerId }) => providerId)).toEqual(['filer-4']);
  expect((await providers.list({ frn: '0000000104', ocn: '93A1' })).items).toEqual([]);
  const { updatedAt: _, ...registered } = birch.entry;
  expect(await (await as(birch)).providers.retrieve({ providerId: 'birch' })).toMatchObject(registered);
  expect(await refusal(providers.list({ frn: '12' }))).toBe('invalid-parameter');
  const range = { from: '2026-01-01T00:00:00.000Z', to: '2026-02-01T00:00:00.000Z' };
  const scorecard = await providers.scorecard({ providerId: 'birch', ...range });
  expect(scorecard).toMatchObject({ providerId: 'birch', ...range });
  const reversed = { from: range.to, to: range.from };
  expect(await refusal(providers.scorecard({ providerId: 'birch', ...reversed }))).toBe('invalid-parameter');
}

async function checkDoNotOriginate({ lab, alder, app, as }: World): Promise<void> {
  const entries = Array.from({ length: 5 }, (_, index) => ({
    ...{ entryId: `line-${index}`, numbers: { tn: `1800555010${index}` }, reason: 'subscriber-request' },
    ...{ subscriber: 'Example Bank', validFrom: '2026-01-01T00:00:00Z' },
  }));
  await lab.asOperator('POST', '/v1/do-not-originate-imports', { entries });
  const { doNotOriginate } = await as(alder);
  const listed = await expectPaged(
    (page) => doNotOriginate.list(page),
    2,
    (one) => one.entryId,
  );
  expect(listed).toMatchObject(entries);
  // Another millisecond than that of the import.
  await expect.poll(() => new Date().toISOString()).not.toBe(listed.at(-1)!.updatedAt);
  const changedSince = new Date().toISOString();
  await lab.asOperator('POST', '/v1/do-not-originate/line-3/withdrawal');
  const fresh = [];
  for await (const entry of (await as(app)).doNotOriginate.iterate({ changedSince })) fresh.push(entry);
  expect(fresh).toMatchObject([{ entryId: 'line-3', validTo: expect.stringMatching(/Z$/) }]);
}

/** Tracebacks that staff opens. */
const TRACED = 3;
const START_MS = Date.now() - 3_600_000;

/** Of a call to a subscriber of birch. */
function callAt(call: number): TracebackOpening {
  const local = new Date(START_MS + call * 60_000).toISOString().slice(0, 16);
  const at = { asWritten: `${local} UTC`, local, zone: 'UTC', precision: 'minute' } as const;
  return {
    ...{ direction: 'back', call: { called: `1202555015${call}`, calling: '13035550199', at } },
    campaign: { campaignId: 'c-contract', name: 'SSA-Suspended-P2' },
    firstProvider: { providerId: 'birch', name: 'Birch Wholesale' },
  };
}

async function checkTracebacks({ lab, birch, texas, as }: World): Promise<void> {
  const staff = (await as(lab.operator)).tracebacks;
  const first = await staff.create(callAt(0), { idempotencyKey: 'opening-0' });
  const hop = { hop: 1, provider: { providerId: 'birch' }, state: 'asked' };
  expect(first).toMatchObject({ state: 'open', hops: [hop] });
  expect(await staff.create(callAt(0), { idempotencyKey: 'opening-0' })).toEqual(first);
  expect(await refusal(staff.create(callAt(1), { idempotencyKey: 'opening-0' }))).toBe('idempotency-key-reused');
  for (let call = 1; call < TRACED; call += 1) await staff.create(callAt(call));
  const own = await (await as(texas)).tracebacks.create(callAt(TRACED));
  const keyOf = ({ tracebackId }: { readonly tracebackId: string }): string => tracebackId;
  const ofCampaign = (page: object) => staff.list({ ...page, campaignId: 'c-contract', state: 'open' });
  expect(await expectPaged(ofCampaign, 2, keyOf)).toHaveLength(TRACED + 1);
  const asked = (await as(birch)).tracebacks;
  expect(await expectPaged((page) => asked.list(page), 2, keyOf)).toHaveLength(TRACED + 1);
  expect((await (await as(texas)).tracebacks.list()).items.map(keyOf)).toEqual([own.tracebackId]);
  expect(await asked.retrieve({ tracebackId: first.tracebackId })).toMatchObject({ tracebackId: first.tracebackId });
  // Whether an application reported a call is for staff alone, and providers answer the requester: nobody names another one.
  const requester = { kind: 'fcc', name: 'Federal Communications Commission' } as const;
  for (const member of [birch, texas])
    for (const more of [{ reportId: 'guard/ssa-1' }, { requester }])
      expect(await refusal((await as(member)).tracebacks.create({ ...callAt(0), ...more }))).toBe('invalid-body');
}

async function checkRequests({ lab, birch, cedar, as }: World): Promise<void> {
  const { tracebackRequests } = await as(birch);
  const list = (page: object) => tracebackRequests.list({ ...page, state: 'open' });
  const open = await expectPaged(list, 2, ({ request }) => request.requestId);
  expect(open).toHaveLength(TRACED + 1);
  const { request } = open[0]!;
  const { requestId, tracebackId } = request;
  const receivedAt = new Date().toISOString();
  const acknowledged = await tracebackRequests.acknowledge({ requestId, receivedAt });
  expect(acknowledged).toMatchObject({ state: 'acknowledged', acknowledgedAt: expect.stringMatching(/Z$/) });
  expect(await tracebackRequests.retrieve({ requestId })).toEqual(acknowledged);

  const upstream = { providerId: 'cedar', name: 'Cedar Gateway' };
  const finding: TracebackFinding = { arm: 'received-from', upstream };
  const answerId = `${requestId}.1`;
  expect(await refusal(tracebackRequests.receipt({ requestId, answerId }))).toBe('not-found');
  const answer = await signAnswer(birch, request, { finding });
  const receipt = await tracebackRequests.answer({ requestId, answer });
  const [jwk] = lab.platform.receiptKeys.keys;
  const verified = await compactVerify(receipt.receipt, createPublicKey({ key: jwk!, format: 'jwk' }));
  expect(verified.protectedHeader).toMatchObject({ typ: 'answer-receipt+jws', kid: jwk!['kid'] });
  expect(JSON.parse(Buffer.from(verified.payload).toString())).toMatchObject({
    ...{ requestId, tracebackId, answerId, revision: 1, isLate: false },
  });
  expect(await tracebackRequests.answer({ requestId, answer }, { idempotencyKey: 'another-key' })).toEqual(receipt);
  expect(await tracebackRequests.receipt({ requestId, answerId })).toEqual(receipt);

  const next = (await as(cedar)).tracebackRequests;
  const [asked] = (await next.list()).items;
  expect(asked).toMatchObject({ request: { tracebackId, hop: 2, downstream: { providerId: 'birch' } } });
  const customer = { customerId: 'cust-1', contact: { name: 'Example Leads LLC' } };
  const last = await signAnswer(cedar, asked!.request, { finding: { arm: 'origin', customer } });
  await next.answer({ requestId: asked!.request.requestId, answer: last });
  const traced = await (await as(lab.operator)).tracebacks.retrieve({ tracebackId });
  expect(traced).toMatchObject({ outcome: 'origin', hops: [{ arm: 'received-from' }, { arm: 'origin' }] });
}

const noticeOf = (reference: string): object => ({
  ...{ providerId: 'birch', reference, description: 'Suspected illegal traffic.' },
  ...{ calls: [callAt(0).call], tracebackIds: [] },
});

async function checkNotices({ lab, birch, as }: World): Promise<void> {
  const references = ['EB-26-0', 'EB-26-1', 'EB-26-2'];
  for (const reference of references) await lab.asOperator('POST', '/v1/notices', noticeOf(reference));
  const { notices } = await as(birch);
  const listed: readonly FccNotice[] = await expectPaged(
    (page) => notices.list(page),
    2,
    (one) => one.noticeId,
  );
  expect(listed.map(({ reference }) => reference)).toEqual(references.toReversed());
  const at = new Date().toISOString();
  const responded = await notices.respond({
    ...{ noticeId: listed[0]!.noticeId, responseId: 'first', kind: 'mitigation', finding: 'under-investigation' },
    ...{ respondedAt: at, statement: 'The trunk was closed.', sources: [] },
    measures: [{ action: 'traffic-blocked', takenAt: at, detail: 'At the gateway.' }],
  });
  expect(responded).toMatchObject({ state: 'mitigation-stated', responses: [{ responseId: 'first' }] });
}

async function checkDemands({ texas, reviewer, as }: World): Promise<void> {
  const { demands, productions } = await as(texas);
  const { documentSha256: _, scope, ...submission } = submissionAt(Date.now());
  const ofCampaign = { ...scope, recordClasses: ['traceback-records'], campaignIds: ['c-contract'] } as const;
  const demand = (reference: string) => ({ ...submission, scope: ofCampaign, reference, document: smallPdf() });
  const submitted = await demands.create(demand('CID-0'));
  expect(submitted).toMatchObject({ state: 'under-review', reference: 'CID-0', decisions: [], productionIds: [] });
  const scrap = { ...demand('CID-1'), document: Buffer.from('no document') };
  expect(await refusal(demands.create(scrap))).toBe('document-unreadable');
  for (const reference of ['CID-1', 'CID-2']) await demands.create(demand(reference));
  const list = (page: object) => demands.list({ ...page, state: 'under-review' });
  const listed = await expectPaged(list, 2, (one) => one.demandId);
  expect(listed.map(({ reference }) => reference)).toEqual(['CID-2', 'CID-1', 'CID-0']);
  const { demandId } = submitted;
  const decision = { demandId, decision: 'approve', reason: 'It fits its kind of process.' } as const;
  const decided = await (await as(reviewer)).demands.decide(decision);
  expect(decided).toMatchObject({ state: 'approved', decisions: [{ decision: 'approve', decidedBy: 'Test' }] });
  const [productionId = ''] = decided.productionIds;
  await expect.poll(async () => (await productions.retrieve({ productionId })).state, PATIENT).toBe('ready');
  const { files, ...production } = await productions.retrieve({ productionId });
  expect(production).toMatchObject({ demandId, decisionId: decided.decisions[0]!.decisionId });
  const traced = files.find(({ name }) => name.startsWith('traceback-records') && name.endsWith('.csv'));
  const chunks: Uint8Array[] = [];
  for await (const chunk of productions.file({ productionId, file: traced! })) chunks.push(chunk);
  expect(Buffer.concat(chunks).toString()).toContain('cedar');
  expect((await demands.retrieve({ demandId })).state).toBe('produced');
}

async function checkWebhooks({ birch, as }: World): Promise<void> {
  const { webhookEndpoints } = await as(birch);
  const order = { url: 'https://receiver.example/hook', description: 'Tracebacks.' } as const;
  const created = await webhookEndpoints.create(order);
  const secret = expect.stringMatching(/^whsec_/) as string;
  expect(created).toMatchObject({ ...order, state: 'active', secret });
  expect(await refusal(webhookEndpoints.create({ url: 'https://10.0.0.1/hook' }))).toBe('webhook-url-refused');
  for (const path of ['a', 'b']) await webhookEndpoints.create({ url: `https://receiver.example/${path}` });
  const listed = await expectPaged(
    (page) => webhookEndpoints.list(page),
    2,
    (one) => one.endpointId,
  );
  expect(listed).toHaveLength(3);
  expect(JSON.stringify(listed)).not.toContain('whsec_');
  const { endpointId } = created;
  const rotated = await webhookEndpoints.rotateSecret({ endpointId });
  expect(rotated).toMatchObject({ endpointId, secret });
  expect(rotated.secret).not.toBe(created.secret);
  const ago = (days: number): string => new Date(Date.now() - days * 86_400_000).toISOString();
  // Requests, tracebacks and notices of the tests before.
  expect((await webhookEndpoints.replay({ endpointId, since: ago(0.01) })).events).toBeGreaterThan(5);
  expect(await refusal(webhookEndpoints.replay({ endpointId, since: ago(40) }))).toBe('gone');
  for (const one of listed) await webhookEndpoints.delete({ endpointId: one.endpointId });
  expect(await refusal(webhookEndpoints.delete({ endpointId }))).toBe('not-found');
}

async function checkStream({ lab, birch, as }: World): Promise<void> {
  const client = await as(birch);
  const seen: StreamedEvent[] = [];
  let read: Promise<void> = Promise.resolve();
  await new Promise<void>((resolve) => {
    read = (async () => {
      for await (const event of client.events({ onConnection: () => resolve() })) if (seen.push(event) === 2) break;
    })();
  });
  for (const reference of ['EB-S-1', 'EB-S-2']) await lab.asOperator('POST', '/v1/notices', noticeOf(reference));
  await read;
  for await (const event of client.events({ lastEventId: seen[0]!.lastEventId })) {
    expect(event).toMatchObject({ event: { data: { notice: { reference: 'EB-S-2' } } } });
    break;
  }
}

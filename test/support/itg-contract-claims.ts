import { createPublicKey, hash } from 'node:crypto';
import { gzipSync } from 'node:zlib';
import { compactVerify } from 'jose';
import { sql } from 'kysely';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { isHopbackError } from '../../sdk/src/errors.js';
import { RECORD_BATCH_TYPE } from '../../sdk/src/contract/record-batch.js';
import type { TracebackHop } from '../../sdk/src/contract/traceback.js';
import { createHttpsRecordTransport, type FccNotice, type PagedList } from '../../sdk/src/platform/index.js';
import { casesAccess, demandsAccess, hearCampaigns } from './itg-access-cases.js';
import { accessMatrix, type AccessFixture } from './itg-access-matrix.js';
import { AUDIT_ACCESS, eventsAccess, providersAccess, recordsAccess, trustAccess } from './itg-access-registry.js';
import { tracebacksAccess } from './itg-access-tracebacks.js';
import { openAccessWorld, openingOf, type AccessWorld } from './itg-access-world.js';
import { testEntry } from './itg-calls.js';
import type { TestServer } from './itg-database.js';
import { smallPdf, submissionAt } from './itg-demands.js';
import { liveSample } from './itg-live-records.js';
import { signAnswer } from './itg-reference.js';

/** A whole reference platform, and what its areas bring to the matrix. */
export interface ContractWorld extends AccessWorld {
  readonly fixtures: readonly AccessFixture[];
}

/**
 * Every route of a whole reference platform, called by everybody, with every answer checked against its schema; then clients of the SDK. What an
 * operation does in detail is tested with its area. Tests rest on those before them. @returns the world, once it is open
 */
export function contractClaims(engine: string, serverOf: () => TestServer | undefined = noServer) {
  let world: ContractWorld;
  beforeAll(async () => {
    const server = serverOf();
    const opened = await openAccessWorld({ ...(server !== undefined && { server }) });
    const fixtures = [
      ...[trustAccess(opened), eventsAccess(opened), AUDIT_ACCESS, providersAccess(opened), recordsAccess(opened)],
      ...[tracebacksAccess(opened), demandsAccess(opened), casesAccess(opened, await hearCampaigns(opened))],
    ];
    world = { ...opened, fixtures };
  }, 240_000);
  afterAll(() => world[Symbol.asyncDispose]());
  const claim = (name: string, check: (opened: ContractWorld) => Promise<void>): void =>
    test(`${engine}: ${name}`, { timeout: 900_000 }, () => check(world));

  // Who is refused does not depend on the database; what answers are made of does.
  if (serverOf === noServer)
    claim(
      'every route answers its callers, strangers with 401, those without scope or role with 403, and about what belongs to others with 404',
      (opened) => checkAccess(opened, 'everybody'),
    );
  else claim('every route answers its callers', (opened) => checkAccess(opened, 'those-allowed'));
  claim('a client goes through each list in pages, and has every item once', checkPages);
  claim('pages of a list with a filter have what the whole list has of it', checkFilters);
  claim('the registry is searched by each code, by name and by the time of a change', checkRegistry);
  claim('a traceback is opened once under its key, and only staff names a report or another requester', checkOpening);
  claim('an answer has a signed receipt, and the traceback goes on with the provider that it names', checkRequests);
  claim(
    'the data of a demand over all years that can be written are held, and one that ends before it begins is refused',
    checkLongestHold,
  );
  claim('a carrier responds to a notice, and reads which numbers were taken back', checkNotices);
  claim('a record that the platform cannot read is rejected alone of its batch', checkBatch);
  claim('a webhook endpoint shows its secret when it is made or rotated alone', checkWebhooks);
  return () => world;
}

const noServer = (): undefined => undefined;

async function checkAccess(
  { lab, fixtures, members }: ContractWorld,
  asks: Parameters<typeof accessMatrix>[3],
): Promise<void> {
  const { cells, leaks, untried } = await accessMatrix(lab, fixtures, members, asks);
  console.log(`access matrix: ${cells.length} cells over ${lab.platform.routes.length} routes, ${leaks.length} leaks`);
  expect(leaks).toEqual([]);
  expect(untried).toEqual([]);
  expect(lab.platform.metrics.text()).not.toContain('hopback_http_answer_faults_total{');
}

async function checkPages({ lab, members: { own } }: ContractWorld): Promise<void> {
  const carrier = await lab.clientOf(own.carrier);
  const staff = await lab.clientOf(lab.operator);
  const { webhookEndpoints } = await lab.clientOf(own.app);
  const { alerts } = await lab.clientOf(own.agency);
  const { tracebacks, providers, doNotOriginate, campaigns, demands } = staff;
  const { tracebackRequests, notices } = carrier;
  for (const [name, { list, iterate }] of Object.entries({
    ...{ tracebackRequests, notices, tracebacks, providers, doNotOriginate, campaigns, alerts, demands },
    webhookEndpoints,
  })) {
    const { items, nextCursor } = await list({ limit: 500 });
    expect([name, items.length > 1, nextCursor]).toEqual([name, true, undefined]);
    const paged: unknown[] = [];
    for await (const item of iterate({ limit: Math.floor(items.length / 2) })) paged.push(item);
    expect(paged).toEqual(items);
  }
}

/** Walks a list with a filter an item at a time. */
async function walked<Item, Filter>({ iterate }: PagedList<Item, Filter>, filter: Filter) {
  const items: Item[] = [];
  for await (const item of iterate({ ...filter, limit: 1 })) items.push(item);
  return items;
}

async function checkFilters({ lab, third, members: { own } }: ContractWorld): Promise<void> {
  const { campaigns, tracebacks, providers, demands } = await lab.clientOf(lab.operator);
  const asked = await lab.clientOf(third.carrier);
  const opened: string[] = [];
  for (let count = 0; count < 3; count += 1) {
    const opening = openingOf(lab.operator, own.carrier.organizationId);
    const campaign = { ...opening.campaign!, campaignId: 'c-pages' };
    opened.push((await tracebacks.create({ ...opening, campaign })).tracebackId);
  }
  await lab.asOperator('POST', `/v1/tracebacks/${opened[1]}/withdrawal`, { reason: 'Opened twice.' });
  const check = async <Item, Filter>(
    list: PagedList<Item, Filter>,
    [filter, isMeant, whole]: readonly [NoInfer<Filter>, (item: Item) => boolean, NoInfer<Filter>?],
  ): Promise<void> => {
    const { items } = await list.list({ ...(whole as Filter), limit: 500 });
    const meant = items.filter(isMeant);
    const isPart = meant.length < items.length || filter === whole;
    expect([filter, meant.length > 1, isPart]).toEqual([filter, true, true]);
    expect([filter, await walked(list, filter)]).toEqual([filter, meant]);
  };
  const [quiet] = (await campaigns.list()).items;
  const lawful = { decision: 'lawful', reason: 'A school calls.' };
  await lab.asOperator('POST', `/v1/campaigns/${quiet!.campaignId}/decisions`, lawful);
  await lab.platform.opened.campaigns.flush();
  await check(campaigns, [{ state: 'live' }, ({ state }) => state === 'live']);
  const leftOpen = new Set(opened.filter((_id, index) => index !== 1));
  await check(tracebacks, [{ campaignId: 'c-pages', state: 'open' }, ({ tracebackId }) => leftOpen.has(tracebackId)]);
  const all = { state: 'all' } as const;
  const isUnanswered = (state: string): boolean => ['open', 'acknowledged'].includes(state);
  await check(asked.tracebackRequests, [{ state: 'open' }, ({ state }) => isUnanswered(state), all]);
  await check(asked.tracebackRequests, [{ state: 'answered' }, ({ state }) => state === 'answered', all]);
  await check(asked.tracebackRequests, [all, () => true, all]);
  await check(demands, [{ state: 'under-review' }, ({ state }) => state === 'under-review']);
  const times = (await providers.list({ limit: 500 })).items.map(({ updatedAt }) => updatedAt).toSorted();
  const changedSince = times[times.length >> 1]!;
  await check(providers, [{ changedSince }, ({ updatedAt }) => updatedAt >= changedSince]);

  // A carrier that opens none sees those in which it is asked.
  const { organizationId } = third.carrier;
  const isAsked = (hops: readonly TracebackHop[]): boolean =>
    hops.some(({ provider }) => provider.providerId === organizationId);
  const { items } = await tracebacks.list({ limit: 500 });
  const ids = items.filter(({ hops }) => isAsked(hops)).map(({ tracebackId }) => tracebackId);
  expect((await walked(asked.tracebacks, {})).map(({ tracebackId }) => tracebackId)).toEqual(ids);
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

async function checkRegistry({ lab, third, members: { own } }: ContractWorld): Promise<void> {
  const changedSince = new Date().toISOString();
  const ids = Array.from({ length: 7 }, (_, index) => `filer-${index}`);
  for (const [index, id] of ids.entries()) {
    const codes = { ocns: [`9${index}A1`], spcs: [`9${index}A1`], frn: `000000010${index}` };
    const entry = testEntry(id, { businessName: `Filer ${index}, LLC`, ...codes });
    await lab.asOperator('POST', `/v1/registry/providers/${id}`, entry);
  }
  const { providers } = await lab.clientOf(own.agency);
  const found = async (by: Parameters<typeof providers.list>[0]) =>
    (await providers.list(by)).items.map(({ providerId }) => providerId);
  for (const by of [{ name: 'fILER', changedSince }, { changedSince }]) expect(await found(by)).toEqual(ids);
  for (const by of [{ frn: '0000000104' }, { ocn: '94A1' }, { spc: '94A1' }, { spc: '94A1', name: 'filer' }])
    expect(await found(by)).toEqual(['filer-4']);
  expect(await found({ frn: '0000000104', ocn: '93A1' })).toEqual([]);
  expect(await refusal(providers.list({ frn: '12' }))).toBe('invalid-parameter');
  const { updatedAt: _, ...registered } = third.carrier.entry;
  const { providerId } = registered;
  expect(await providers.retrieve({ providerId })).toMatchObject(registered);
  const range = { from: '2026-01-01T00:00:00.000Z', to: '2026-02-01T00:00:00.000Z' };
  expect(await providers.scorecard({ providerId, ...range })).toMatchObject({ providerId, ...range });
  const reversed = { from: range.to, to: range.from };
  expect(await refusal(providers.scorecard({ providerId, ...reversed }))).toBe('invalid-parameter');
}

async function checkOpening({ lab, third, members: { own } }: ContractWorld): Promise<void> {
  const { tracebacks } = await lab.clientOf(lab.operator);
  const opening = () => openingOf(lab.operator, third.carrier.organizationId);
  const [order, options] = [opening(), { idempotencyKey: 'opening-0' }];
  const first = await tracebacks.create(order, options);
  const hop = { hop: 1, provider: { providerId: third.carrier.organizationId }, state: 'asked' };
  expect(first).toMatchObject({ state: 'open', hops: [hop] });
  expect(await tracebacks.create(order, options)).toEqual(first);
  expect(await refusal(tracebacks.create(opening(), options))).toBe('idempotency-key-reused');
  const requester = { kind: 'fcc', name: 'Federal Communications Commission' } as const;
  for (const member of [own.carrier, own.agency])
    for (const more of [{ reportId: 'guard/ssa-1' }, { requester }])
      expect(await refusal((await lab.clientOf(member)).tracebacks.create({ ...opening(), ...more }))).toBe(
        'invalid-body',
      );
}

async function checkRequests({ lab, third: { carrier: birch }, carriers }: ContractWorld): Promise<void> {
  const cedar = carriers.get('carrier-other')!;
  const { tracebacks } = await lab.clientOf(lab.operator);
  const { tracebackId, hops } = await tracebacks.create(openingOf(lab.operator, birch.organizationId));
  const { requestId } = hops[0]!;
  const { tracebackRequests } = await lab.clientOf(birch);
  const acknowledged = await tracebackRequests.acknowledge({ requestId, receivedAt: new Date().toISOString() });
  expect(acknowledged).toMatchObject({ state: 'acknowledged', acknowledgedAt: expect.stringMatching(/Z$/) });
  expect(await tracebackRequests.retrieve({ requestId })).toEqual(acknowledged);

  const upstream = { providerId: cedar.organizationId, name: cedar.entry.businessName };
  const answerId = `${requestId}.1`;
  expect(await refusal(tracebackRequests.receipt({ requestId, answerId }))).toBe('not-found');
  const answer = await signAnswer(birch, acknowledged.request, { finding: { arm: 'received-from', upstream } });
  const receipt = await tracebackRequests.answer({ requestId, answer });
  const [jwk] = lab.platform.receiptKeys.keys;
  const verified = await compactVerify(receipt.receipt, createPublicKey({ key: jwk!, format: 'jwk' }));
  expect(verified.protectedHeader).toMatchObject({ typ: 'answer-receipt+jws', kid: jwk!['kid'] });
  expect(JSON.parse(Buffer.from(verified.payload).toString())).toMatchObject({
    ...{ requestId, tracebackId, answerId, revision: 1, isLate: false },
  });
  expect(await tracebackRequests.answer({ requestId, answer }, { idempotencyKey: 'another-key' })).toEqual(receipt);
  expect(await tracebackRequests.receipt({ requestId, answerId })).toEqual(receipt);

  const next = (await tracebacks.retrieve({ tracebackId })).hops[1]!;
  const asCedar = (await lab.clientOf(cedar)).tracebackRequests;
  const { request } = await asCedar.retrieve({ requestId: next.requestId });
  expect(request).toMatchObject({ tracebackId, hop: 2, downstream: { providerId: birch.organizationId } });
  const customer = { customerId: 'cust-1', contact: { name: 'Example Leads LLC' } };
  const last = await signAnswer(cedar, request, { finding: { arm: 'origin', customer } });
  await asCedar.answer({ requestId: next.requestId, answer: last });
  const traced = await tracebacks.retrieve({ tracebackId });
  expect(traced).toMatchObject({ outcome: 'origin', hops: [{ arm: 'received-from' }, { arm: 'origin' }] });
}

async function checkLongestHold({ lab, third }: ContractWorld): Promise<void> {
  const { demands } = await lab.clientOf(third.agency);
  const { documentSha256: _, ...submission } = submissionAt(Date.now());
  const scope = { ...submission.scope, from: '0000-01-01T00:00:00Z', to: '9999-12-31T23:59:59Z' };
  const { demandId } = await demands.create({ ...submission, scope, document: smallPdf() });
  await lab.runJob('demands.holds');
  const held = sql`select 1 from records_holds where hold_id like ${`${demandId}%`} and released_at_ms is null`;
  expect((await held.execute(lab.platform.context.database)).rows.length).toBeGreaterThan(0);
  const exchanged = { ...scope, from: scope.to, to: scope.from };
  await expect(demands.create({ ...submission, scope: exchanged, document: smallPdf() })).rejects.toMatchObject({
    details: { httpStatus: 422 },
  });
}

async function checkNotices({ lab, third: { carrier } }: ContractWorld): Promise<void> {
  const { notices, doNotOriginate } = await lab.clientOf(carrier);
  const { noticeId } = (await lab.asOperator('POST', '/v1/notices', {
    ...{ providerId: carrier.organizationId, reference: 'EB-26-7', description: 'Suspected illegal traffic.' },
    ...{ calls: [], tracebackIds: [] },
  })) as FccNotice;
  const at = new Date(lab.platform.context.clock.nowMs()).toISOString();
  const responded = await notices.respond({
    ...{ noticeId, responseId: 'first', kind: 'mitigation', finding: 'under-investigation' },
    ...{ respondedAt: at, statement: 'The trunk was closed.', sources: [] },
    measures: [{ action: 'traffic-blocked', takenAt: at, detail: 'At the gateway.' }],
  });
  expect(responded).toMatchObject({ state: 'mitigation-stated', responses: [{ responseId: 'first' }] });

  const entries = [0, 1, 2].map((index) => ({
    ...{ entryId: `line-${index}`, numbers: { tn: `1800555010${index}` }, reason: 'subscriber-request' },
    ...{ subscriber: 'Example Bank', validFrom: '2026-01-01T00:00:00Z' },
  }));
  await lab.asOperator('POST', '/v1/do-not-originate-imports', { entries });
  await lab.asOperator('POST', '/v1/do-not-originate/line-2/withdrawal');
  const { items } = await doNotOriginate.list({ limit: 500 });
  const { updatedAt: changedSince, ...last } = items.at(-1)!;
  expect(last).toMatchObject({ entryId: 'line-2', validTo: expect.stringMatching(/Z$/) });
  const changed = items.filter(({ updatedAt }) => updatedAt >= changedSince);
  expect(await walked(doNotOriginate, { changedSince })).toEqual(changed);
}

async function checkBatch({ lab, third: { carrier } }: ContractWorld): Promise<void> {
  const timeMs = lab.platform.context.clock.nowMs();
  const records = [0, 1, 2].map((leg) => ({ ...liveSample(leg), inviteAtUs: timeMs * 1_000 + leg }));
  const recordId = 'f'.repeat(32);
  const broken = { ...records[0], recordId, inviteAtUs: 'yesterday' };
  const body = gzipSync([...records, broken].map((line) => `${JSON.stringify(line)}\n`).join(''));
  const url = `${lab.platform.url}/v1/record-batches`;
  const transport = createHttpsRecordTransport({ url, authorization: await lab.authorization(carrier) });
  const batch = {
    ...{ id: hash('sha256', body, 'hex').slice(0, 32), source: '/third/records', type: RECORD_BATCH_TYPE, timeMs },
    ...({ count: records.length + 1, encoding: 'gzip', body } as const),
  };
  const delivered = await transport.deliver(batch, new AbortController().signal);
  expect(delivered).toMatchObject({ status: 'acknowledged', rejected: [{ recordId }] });
  await transport.close();
}

async function checkWebhooks({ lab, third }: ContractWorld): Promise<void> {
  const { webhookEndpoints } = await lab.clientOf(third.carrier);
  const order = { url: 'https://receiver.example/hook', description: 'Tracebacks.' } as const;
  const created = await webhookEndpoints.create(order);
  const secret = expect.stringMatching(/^whsec_/) as string;
  expect(created).toMatchObject({ ...order, state: 'active', secret });
  expect(await refusal(webhookEndpoints.create({ url: 'https://10.0.0.1/hook' }))).toBe('webhook-url-refused');
  expect(JSON.stringify((await webhookEndpoints.list()).items)).not.toContain('whsec_');
  const { endpointId } = created;
  const rotated = await webhookEndpoints.rotateSecret({ endpointId });
  expect(rotated).toMatchObject({ endpointId, secret });
  expect(rotated.secret).not.toBe(created.secret);
  const ago = (days: number): string => new Date(Date.now() - days * 86_400_000).toISOString();
  // The requests of the tests before.
  expect((await webhookEndpoints.replay({ endpointId, since: ago(0.01) })).events).toBeGreaterThan(5);
  expect(await refusal(webhookEndpoints.replay({ endpointId, since: ago(40) }))).toBe('gone');
  await webhookEndpoints.delete({ endpointId });
  expect(await refusal(webhookEndpoints.delete({ endpointId }))).toBe('not-found');
}

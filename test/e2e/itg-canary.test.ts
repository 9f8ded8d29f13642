import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test, vi } from 'vitest';
import { privateKeyJwt } from '../../sdk/src/platform/index.js';
import type { PlatformClient, RouteCallParams } from '../../sdk/src/platform/index.js';
import { ORDINARY_WAY, STORY_PROVIDERS } from '../support/itg-story-calls.js';
import { createCanaries, fileTexts, leaksIn, said, tableTexts, written } from '../support/itg-story-canary.js';
import type { SearchedText } from '../support/itg-story-canary.js';
import {
  campaignCalls,
  demandOf,
  fetchProduction,
  hopsOf,
  PATIENT,
  producedUnder,
  ssaScript,
  tracebacksOf,
} from '../support/itg-story-steps.js';
import { startStoryWorld } from '../support/itg-story-world.js';
import type { StoryMember, StoryWorld } from '../support/itg-story-world.js';

// All that there is to do is done with telephone numbers that are nowhere else, and put wherever somebody may write one.

/** Tuesday 10:30 in New York. */
const START_MS = Date.UTC(2026, 10, 17, 15, 30);
const MINUTE_MS = 60_000;
const HOUR_MS = 3_600_000;
vi.setConfig({ testTimeout: 300_000, hookTimeout: 300_000 });

const canaries = createCanaries();
const numbersOf = (count: number, place: string): readonly string[] =>
  Array.from({ length: count }, () => canaries.number(place));
const [called, calling] = [numbersOf(24, 'called'), numbersOf(24, 'calling')];
const [ordinaryCalled, ordinaryCalling] = [numbersOf(6, 'ordinary called'), numbersOf(6, 'ordinary calling')];
const CALLS = campaignCalls(24, START_MS - 8 * MINUTE_MS, {
  called: (index) => called[index] ?? '',
  calling: (index) => calling[index] ?? '',
});
const ORDINARY = campaignCalls(6, START_MS - 8 * MINUTE_MS + 3_000, {
  called: (index) => ordinaryCalled[index] ?? '',
  calling: (index) => ordinaryCalling[index] ?? '',
}).map((call) => ({ ...call, index: call.index + 500, way: ORDINARY_WAY }));
/** What is heard names a number to call back in each way in which recognizers write one, and numbers that are none of those. */
const HEARD = [
  ssaScript(written(canaries.number('call-back number'))),
  ssaScript(canaries.number('call-back number in a row')),
  ssaScript(said(canaries.number('call-back number in words'))),
  `${ssaScript('the number on your screen')} Your case is ${said(canaries.number('case number in words'))}.`,
  `${ssaScript('the number on your screen')} Your case is ${canaries.number('case number').replaceAll(/(\d)(?=\d)/g, '$1 ')}.`,
];

/** Published with each filing: docs/platform/limits.md. */
const OFFICE = 'office of a filing';
/** Where an organization has events posted to is its own affair, and stands as it registered it. */
const WEBHOOK = 'address of a webhook';
/** Every text in which one was found that may not be there. */
const leaks = (texts: readonly SearchedText[]): readonly string[] =>
  leaksIn(canaries, texts).filter((leak) => !PUBLIC.includes(leak));
const PUBLIC = [
  ...['providers_entries.entry', 'providers_history.entry'].map((column) => `${OFFICE} in ${column}`),
  `${WEBHOOK} in events_endpoints.url`,
];

const isPublic = (leak: string): boolean => [OFFICE, WEBHOOK].some((place) => leak.startsWith(`${place} in `));

let world: StoryWorld;
const problems: SearchedText[] = [];
beforeAll(async () => {
  world = await startStoryWorld({ startMs: START_MS, officeTelephone: written(canaries.number(OFFICE)) });
});
afterAll(async () => world[Symbol.asyncDispose]());

const staff = (): PlatformClient => world.story.operator;
const texas = (): PlatformClient => world.members.texas.client;
/** Something in which somebody writes a number. */
const say = (place: string): string =>
  `Please call ${written(canaries.number(place))}, or ${said(canaries.number(`${place} in words`))}.`;
const ask = <Value>(client: PlatformClient, operationId: string, params?: RouteCallParams): Promise<Value> =>
  world.story.ask<Value>(client, operationId, params);

type Credentials = Pick<StoryMember, 'clientId'> & { readonly key: Pick<StoryMember['key'], 'keyId' | 'privateKey'> };

/** Sends a request as it is, with a token of a member or a bad one, and keeps the problem that it is answered with. */
async function send(by: Credentials | 'bad', method: string, path: string, body?: string): Promise<void> {
  const { url, tokenUrl } = world.story.platform;
  const { clock } = world.story;
  let fields: Readonly<Record<string, string>> = { authorization: `Bearer ${canaries.number('bearer token')}` };
  if (by !== 'bad') {
    const { clientId, key } = by;
    const authorization = await privateKeyJwt({ tokenUrl, clientId, key: key.privateKey, keyId: key.keyId, clock });
    fields = await authorization.fields({ method: 'GET', url }, new AbortController().signal);
  }
  const response = await fetch(`${url}${path}`, {
    method,
    headers: {
      ...{ ...fields, 'content-type': 'application/json', 'x-request-id': canaries.number('request id') },
      'idempotency-key': `key-${canaries.number('idempotency key')}`,
    },
    ...(body !== undefined && { body }),
  });
  if (response.ok) throw new Error(`${path} was not refused`);
  const where = `problem of ${method} ${path.split('?')[0] ?? ''} ${String(response.status)}`;
  problems.push({ where, text: (await response.text()) + JSON.stringify([...response.headers]) });
}

test('the whole story runs on numbers that are nowhere else', async () => {
  await world.carry([...CALLS, ...ORDINARY]);
  await world.report(CALLS, ({ index }) => HEARD[index % HEARD.length] ?? '');
  const { members } = world;
  const found = async () => (await staff().campaigns.list({})).items;
  await expect.poll(async () => (await found())[0]?.estimatedVolume?.reported, PATIENT).toBe(24);
  const [{ campaignId } = { campaignId: '' }] = await found();
  const parameters = { campaignId };
  await expect.poll(async () => (await texas().alerts.list({})).items.length, PATIENT).toBe(2);
  const closed = async () => (await tracebacksOf(staff(), campaignId)).filter(({ state }) => state === 'closed').length;
  await expect.poll(closed, PATIENT).toBeGreaterThan(0);
  const [alert] = (await texas().alerts.list({})).items;

  // Agencies.
  const acknowledgement = { acknowledgedBy: say('acknowledged by'), note: say('acknowledgement') };
  await texas().alerts.acknowledge({ alertId: alert?.alertId ?? '', ...acknowledgement, intends: 'investigate' });
  const counsel = members.reviewer.client;
  const scope = {
    recordClasses: ['traceback-records', 'call-records', 'customer-records', 'app-reports'],
    ...{ from: '2026-11-17T00:00:00Z', to: '2026-11-18T00:00:00Z', campaignIds: [campaignId] },
  } as const;
  const { demandId } = await demandOf(texas(), scope, say('comment of a demand'));
  const byNumber = { ...scope, callingNumbers: calling.slice(0, 12) };
  await counsel.demands.decide({ demandId, decision: 'narrow', reason: say('reason of a decision'), scope: byNumber });
  const production = await producedUnder(texas(), demandId);
  const folder = join(world.directory, 'production');
  await fetchProduction(texas(), production, folder);
  const { productionId } = production;
  const second = await demandOf(texas(), {
    ...{ ...scope, callingNumbers: calling.slice(0, 2), calledNumbers: called.slice(0, 2) },
  });

  // Staff.
  const { alder, birch: birchEntry, flint } = STORY_PROVIDERS;
  const { providerId } = birchEntry;
  const opened = await staff().tracebacks.create({
    direction: 'back',
    call: {
      ...{ called: canaries.number('called of an opening'), calling: canaries.number('calling of an opening') },
      at: { asWritten: '11/17/2026 10:00 EST', local: '2026-11-17T10:00', zone: '-05:00', precision: 'minute' },
    },
    campaign: { campaignId, name: 'SSA', description: say('description of a campaign') },
    comment: say('comment of an opening'),
    firstProvider: { name: alder.name, providerId: alder.providerId },
  });
  const at = { asWritten: 'yesterday', local: '2026-11-16T10:00', zone: 'UTC', precision: 'minute' };
  const complaint = `2026-11-16,${written(canaries.number('complaint'))},"${say('subject of a complaint')}","${say('comment of a complaint')}"`;
  const entry = {
    ...{ entryId: 'dno-1', numbers: { tn: canaries.number('do not originate') }, reason: 'subscriber-request' },
    ...{ validFrom: '2026-01-01T00:00:00Z', subscriber: say('subscriber of an entry') },
  };
  const columns = { date: 'Date', callerNumber: 'Number', subject: 'Subject', comment: 'Comment' };
  const [outageFrom, outageTo] = ['2026-11-16T00:00:00Z', '2026-11-16T00:10:00Z'];
  const calls: readonly (readonly [PlatformClient, string, Readonly<Record<string, string>>, object])[] = [
    [texas(), 'shareCase', parameters, { with: ['ag-oh'], note: say('note of a share') }],
    [
      counsel,
      'extendProduction',
      { productionId },
      { until: '2027-01-30T00:00:00Z', reason: say('reason of an extension') },
    ],
    [counsel, 'reissueProduction', { productionId }, { reason: say('reason of a re-issue') }],
    [texas(), 'withdrawDemand', { demandId: second.demandId }, { reason: say('reason of a withdrawal') }],
    [
      staff(),
      'decideCampaign',
      parameters,
      { decision: 'rename', name: 'SSA-Suspended-P2', reason: say('reason of a name') },
    ],
    [staff(), 'decideCampaign', parameters, { decision: 'close', reason: say('reason of a close') }],
    [staff(), 'decideCampaign', parameters, { decision: 'reopen', reason: say('reason of a re-opening') }],
    [
      staff(),
      'withdrawTraceback',
      { tracebackId: opened.tracebackId },
      { reason: say('reason of a withdrawn traceback') },
    ],
    [
      ...([staff(), 'issueNotice', {}] as const),
      {
        ...{ providerId: flint.providerId, reference: 'DA-26-1', description: say('notice'), tracebackIds: [] },
        calls: [{ called: canaries.number('call of a notice'), at }],
      },
    ],
    [
      ...([staff(), 'importComplaints', {}] as const),
      { source: 'ftc-dnc', columns, text: `Date,Number,Subject,Comment\n${complaint}\n` },
    ],
    [staff(), 'importDoNotOriginate', {}, { entries: [entry] }],
    [staff(), 'setProviderOffice', { providerId }, { contact: { name: say('name of an office').slice(0, 250) } }],
    [staff(), 'noteOutage', {}, { from: outageFrom, to: outageTo, reason: say('reason of an outage') }],
  ];
  for (const [client, operationId, named, body] of calls) await ask(client, operationId, { parameters: named, body });
  const birch = members.birch.client;
  const counted = await ask<{ items: readonly { requestId: string }[] }>(birch, 'listCountedRequests', {
    parameters: { providerId },
  });
  const { contestId } = await ask<{ contestId: string }>(birch, 'contestRequest', {
    parameters: { providerId },
    body: { requestId: counted.items[0]?.requestId, reason: say('reason of a contest') },
  });
  const decision = { decision: 'reject', reason: say('reason against a contest') };
  await ask(staff(), 'decideContest', { parameters: { contestId }, body: decision });

  // One who is silent, and webhooks that nobody takes.
  await texas().webhookEndpoints.create({
    url: `https://127.0.0.1:9/hook/${canaries.number(WEBHOOK)}`,
    description: say('description of a webhook').slice(0, 250),
  });
  world.story.clock.advance(24 * HOUR_MS + MINUTE_MS);
  const silent = async () => {
    // Its neighbours are looked for every half minute.
    world.story.clock.advance(MINUTE_MS / 2);
    return (await tracebacksOf(staff(), campaignId))
      .filter((one) => hopsOf(one).includes(STORY_PROVIDERS.flint.providerId))
      .map(({ state }) => state);
  };
  await expect.poll(silent, PATIENT).toContain('closed');

  // What is wrong.
  const operator = { clientId: 'itg-operator', key: world.story.platform.home.operatorKey };
  const wrong = canaries.number('wrong');
  await send('bad', 'GET', `/v1/tracebacks/${wrong}`);
  await send(operator, 'GET', `/v1/tracebacks/${wrong}`);
  await send(operator, 'GET', `/v1/nothing/${wrong}?number=${wrong}`);
  await send(operator, 'GET', `/v1/providers?frn=${wrong}x&cursor=${wrong}`);
  await send(operator, 'GET', `/v1/alerts?state=${wrong}`);
  await send(operator, 'POST', '/v1/tracebacks', `{"direction":"back","call":{"called":"${wrong}"`);
  await send(operator, 'POST', '/v1/tracebacks', `{"direction":"${wrong}","call":{"${wrong}":"${wrong}"}}`);
  const report = { format: wrong, called: { shown: 'number', tn: `${wrong}x` } };
  await send(members.guard, 'POST', '/v1/app-reports', JSON.stringify(report));
  await send(members.alder, 'POST', '/v1/record-batches', `{"recordId":"${wrong}"}`);
  await send(members.alder, 'POST', `/v1/traceback-requests/${wrong}/answers`, `{"answer":"${wrong}"}`);
  await send(members.texas, 'POST', '/v1/demands', `{"scope":{"callingNumbers":["${wrong}"]}}`);
  const renamed = { decision: 'rename', name: `SSA-${wrong}`, reason: 'It is called so.' };
  await send(operator, 'POST', `/v1/campaigns/${campaignId}/decisions`, JSON.stringify(renamed));
  const rejected = { csv: `business_name,frn\n"${wrong}",${wrong}5`, source: wrong };
  problems.push({
    where: 'an import of filings that are none',
    text: JSON.stringify(await ask(staff(), 'importRegistry', { body: rejected })),
  });

  const productionText = await readFile(join(folder, 'call-records-0001.json'), 'utf8');
  expect(canaries.in(productionText)).toContain('calling');
  expect(canaries.in(productionText).filter((place) => !['calling', 'called'].includes(place))).toEqual([]);
});

test('no table but that of what is sealed has one of them', async () => {
  const { context } = world.story.platform;
  const texts = await tableTexts(context.database);
  expect(texts.filter(({ where }) => where === 'core_sealed.ciphertext').length).toBeGreaterThan(50);
  expect(leaks(texts)).toEqual([]);
});

test('no line of the log, metric, problem document or entry of the audit has one of them', async () => {
  const { platform, lines } = world.story;
  const metrics = await (await fetch(`${platform.url}/metrics`)).text();
  expect(metrics).toContain('hopback_http_requests_total');
  expect(problems.length).toBeGreaterThan(10);
  const audit = await fileTexts(platform.home.folders.audit);
  expect(audit.some(({ text }) => text.includes('demand.decided'))).toBe(true);
  expect(
    leaksIn(canaries, [
      ...lines.map(({ message, details }) => ({ where: `log: ${message}`, text: JSON.stringify(details ?? {}) })),
      { where: 'metrics', text: metrics },
      ...problems,
      ...audit.map(({ text }) => ({ where: 'audit on the disk', text })),
    ]),
  ).toEqual([]);
});

test('no file of the database or of demands has one of them that can be read', async () => {
  const { folders } = world.story.platform.home;
  for (const folder of [join(world.directory, 'database'), folders.files])
    expect(leaksIn(canaries, await fileTexts(folder)).filter((leak) => !isPublic(leak))).toEqual([]);
});

import type { KeyObject } from 'node:crypto';
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
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
import type { StoryWorld } from '../support/itg-story-world.js';

// All that there is to do is done with telephone numbers that are nowhere else, and put wherever somebody may write one.

/** Tuesday 10:30 in New York. */
const START_MS = Date.UTC(2026, 10, 17, 15, 30);
const MINUTE_MS = 60_000;
const HOUR_MS = 3_600_000;
const PATIENCE_MS = 300_000;

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
}, PATIENCE_MS);
afterAll(async () => world[Symbol.asyncDispose](), PATIENCE_MS);

const staff = (): PlatformClient => world.story.operator;
const texas = (): PlatformClient => world.members.texas.client;
/** Something in which somebody writes a number. */
const say = (place: string): string =>
  `Please call ${written(canaries.number(place))}, or ${said(canaries.number(`${place} in words`))}.`;
const ask = <Value>(client: PlatformClient, operationId: string, params?: RouteCallParams): Promise<Value> =>
  world.story.ask<Value>(client, operationId, params);

/** Posts something as it is, by somebody or nobody, and keeps what is answered where it is a problem. */
async function post(
  by: { readonly clientId: string; readonly key: { readonly keyId: string; readonly privateKey: KeyObject } } | 'bad',
  method: string,
  path: string,
  body?: string,
): Promise<void> {
  const { url, tokenUrl } = world.story.platform;
  const authorization =
    by === 'bad'
      ? { authorization: `Bearer ${canaries.number('bearer token')}` }
      : await (
          await privateKeyJwt({
            ...{
              tokenUrl,
              clientId: by.clientId,
              key: by.key.privateKey,
              keyId: by.key.keyId,
              clock: world.story.clock,
            },
          })
        ).fields({ method: 'GET', url }, new AbortController().signal);
  const response = await fetch(`${url}${path}`, {
    method,
    headers: {
      ...authorization,
      'content-type': 'application/json',
      'idempotency-key': `key-${canaries.number('idempotency key')}`,
      'x-request-id': canaries.number('request id'),
    },
    ...(body !== undefined && { body }),
  });
  const text = await response.text();
  if (response.ok) throw new Error(`${path} was not refused`);
  const fields = JSON.stringify([...response.headers]);
  problems.push({
    where: `problem of ${method} ${path.split('?')[0] ?? ''} ${String(response.status)}`,
    text: text + fields,
  });
}

test('the whole story runs on numbers that are nowhere else', { timeout: PATIENCE_MS }, async () => {
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
  const acknowledgement = {
    acknowledgedBy: say('acknowledged by'),
    note: say('acknowledgement'),
    intends: 'investigate',
  };
  await texas().alerts.acknowledge({ alertId: alert?.alertId ?? '', ...acknowledgement } as never);
  await ask(texas(), 'shareCase', { parameters, body: { with: ['ag-oh'], note: say('note of a share') } });
  const scope = {
    recordClasses: ['traceback-records', 'call-records', 'customer-records', 'app-reports'],
    ...{ from: '2026-11-17T00:00:00Z', to: '2026-11-18T00:00:00Z', campaignIds: [campaignId] },
  } as const;
  const demand = await demandOf(texas(), scope, say('comment of a demand'));
  const counsel = members.reviewer.client;
  const byNumber = { ...scope, callingNumbers: calling.slice(0, 12) };
  const { demandId } = demand;
  await ask(counsel, 'claimDemand', { parameters: { demandId } });
  await counsel.demands.decide({ demandId, decision: 'narrow', reason: say('reason of a decision'), scope: byNumber });
  const production = await producedUnder(texas(), demandId);
  const folder = join(world.directory, 'production');
  await fetchProduction(texas(), production, folder);
  const { productionId } = production;
  await ask(counsel, 'extendProduction', {
    ...{ parameters: { productionId }, body: { until: '2027-01-30T00:00:00Z', reason: say('reason of an extension') } },
  });
  await ask(counsel, 'reissueProduction', {
    parameters: { productionId },
    body: { reason: say('reason of a re-issue') },
  });
  const second = await demandOf(texas(), {
    ...scope,
    callingNumbers: calling.slice(0, 2),
    calledNumbers: called.slice(0, 2),
  });
  await ask(texas(), 'withdrawDemand', {
    ...{ parameters: { demandId: second.demandId }, body: { reason: say('reason of a withdrawal') } },
  });

  // Staff.
  const decisions = [
    { decision: 'rename', name: 'SSA-Suspended-P2', reason: say('reason of a name') },
    { decision: 'close', reason: say('reason of a close') },
    { decision: 'reopen', reason: say('reason of a re-opening') },
  ];
  for (const body of decisions) await ask(staff(), 'decideCampaign', { parameters, body });
  const opened = await staff().tracebacks.create({
    direction: 'back',
    call: {
      ...{ called: canaries.number('called of an opening'), calling: canaries.number('calling of an opening') },
      at: { asWritten: '11/17/2026 10:00 EST', local: '2026-11-17T10:00', zone: '-05:00', precision: 'minute' },
    },
    campaign: { campaignId, name: 'SSA', description: say('description of a campaign') },
    comment: say('comment of an opening'),
    firstProvider: { name: STORY_PROVIDERS.alder.name, providerId: STORY_PROVIDERS.alder.providerId },
  });
  await ask(staff(), 'withdrawTraceback', {
    ...{ parameters: { tracebackId: opened.tracebackId }, body: { reason: say('reason of a withdrawn traceback') } },
  });
  await ask(staff(), 'issueNotice', {
    body: {
      ...{ providerId: STORY_PROVIDERS.flint.providerId, reference: 'DA-26-1', description: say('notice') },
      tracebackIds: [],
      calls: [
        {
          called: canaries.number('call of a notice'),
          at: { asWritten: 'yesterday', local: '2026-11-16T10:00', zone: 'UTC', precision: 'minute' },
        },
      ],
    },
  });
  await ask(staff(), 'importComplaints', {
    body: {
      ...{
        source: 'ftc-dnc',
        columns: { date: 'Date', callerNumber: 'Number', subject: 'Subject', comment: 'Comment' },
      },
      text: `Date,Number,Subject,Comment\n2026-11-16,${written(canaries.number('complaint'))},"${say('subject of a complaint')}","${say('comment of a complaint')}"\n`,
    },
  });
  const entry = {
    entryId: 'dno-1',
    numbers: { tn: canaries.number('do not originate') },
    reason: 'subscriber-request',
  };
  const validFrom = '2026-01-01T00:00:00Z';
  await ask(staff(), 'importDoNotOriginate', {
    body: { entries: [{ ...entry, validFrom, subscriber: say('subscriber of an entry') }] },
  });
  const { providerId } = STORY_PROVIDERS.birch;
  await ask(staff(), 'setProviderOffice', {
    ...{ parameters: { providerId }, body: { contact: { name: say('name of an office').slice(0, 250) } } },
  });
  await ask(staff(), 'noteOutage', {
    body: { from: '2026-11-16T00:00:00Z', to: '2026-11-16T00:10:00Z', reason: say('reason of an outage') },
  });
  const counted = await ask<{ items: readonly { requestId: string }[] }>(members.birch.client, 'listCountedRequests', {
    parameters: { providerId },
  });
  const { requestId = '' } = counted.items[0] ?? {};
  const contest = await ask<{ contestId: string }>(members.birch.client, 'contestRequest', {
    ...{ parameters: { providerId }, body: { requestId, reason: say('reason of a contest') } },
  });
  await ask(staff(), 'decideContest', {
    parameters: { contestId: contest.contestId },
    body: { decision: 'reject', reason: say('reason against a contest') },
  });

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
  await post('bad', 'GET', `/v1/tracebacks/${wrong}`);
  await post(operator, 'GET', `/v1/tracebacks/${wrong}`);
  await post(operator, 'GET', `/v1/nothing/${wrong}?number=${wrong}`);
  await post(operator, 'GET', `/v1/providers?frn=${wrong}x&cursor=${wrong}`);
  await post(operator, 'GET', `/v1/alerts?state=${wrong}`);
  await post(operator, 'POST', '/v1/tracebacks', `{"direction":"back","call":{"called":"${wrong}"`);
  await post(operator, 'POST', '/v1/tracebacks', `{"direction":"${wrong}","call":{"${wrong}":"${wrong}"}}`);
  await post(
    members.guard,
    'POST',
    '/v1/app-reports',
    JSON.stringify({ format: wrong, called: { shown: 'number', tn: `${wrong}x` } }),
  );
  await post(members.alder, 'POST', '/v1/record-batches', `{"recordId":"${wrong}"}`);
  await post(members.alder, 'POST', `/v1/traceback-requests/${wrong}/answers`, `{"answer":"${wrong}"}`);
  await post(members.texas, 'POST', '/v1/demands', `{"scope":{"callingNumbers":["${wrong}"]}}`);
  const renamed = { decision: 'rename', name: `SSA-${wrong}`, reason: 'It is called so.' };
  await post(operator, 'POST', `/v1/campaigns/${campaignId}/decisions`, JSON.stringify(renamed));
  const rejected = { csv: `business_name,frn\n"${wrong}",${wrong}5`, source: wrong };
  problems.push({
    where: 'an import of filings that are none',
    text: JSON.stringify(await ask(staff(), 'importRegistry', { body: rejected })),
  });

  const productionText = await readFile(join(folder, 'call-records-0001.json'), 'utf8');
  expect(canaries.in(productionText)).toContain('calling');
  expect(canaries.in(productionText).filter((place) => !['calling', 'called'].includes(place))).toEqual([]);
});

test('no table but that of what is sealed has one of them', { timeout: PATIENCE_MS }, async () => {
  const { context } = world.story.platform;
  const texts = await tableTexts(context.database);
  expect(texts.filter(({ where }) => where === 'core_sealed.ciphertext').length).toBeGreaterThan(50);
  expect(leaks(texts)).toEqual([]);
});

test(
  'no line of the log, metric, problem document or entry of the audit has one of them',
  { timeout: PATIENCE_MS },
  async () => {
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
  },
);

test('no file of the database or of demands has one of them that can be read', { timeout: PATIENCE_MS }, async () => {
  const { folders } = world.story.platform.home;
  for (const folder of [folders.database, folders.files])
    expect(leaksIn(canaries, await fileTexts(folder)).filter((leak) => !isPublic(leak))).toEqual([]);
});

import { execFileSync, spawnSync } from 'node:child_process';
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test, vi } from 'vitest';
import { privateKeyJwt } from '../../sdk/src/platform/index.js';
import type { Alert, Campaign, Demand, PlatformClient, Production } from '../../sdk/src/platform/index.js';
import { ORDINARY_WAY, STORY_CUSTOMER, STORY_PROVIDERS } from '../support/itg-story-calls.js';
import { createCanaries, fileTexts, leaksIn, said, tableTexts, written } from '../support/itg-story-canary.js';
import type { SearchedText } from '../support/itg-story-canary.js';
import { startStoryReceiver, type StoryReceiver } from '../support/itg-story-receiver.js';
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
import { startStoryWorld, type StoryMember, type StoryWorld } from '../support/itg-story-world.js';

// On 4 May 2020 the attorneys general of 51 jurisdictions asked for a platform that does what follows, one test after the other. All
// telephone numbers of it are nowhere else: the last tests look for them wherever none may be.

/** Tuesday 10:30 in New York. */
const START_MS = Date.UTC(2026, 10, 17, 15, 30);
const HALF_MINUTE_MS = 30_000;
const MINUTE_MS = 2 * HALF_MINUTE_MS;
const HOUR_MS = 3_600_000;
// A test rests on those before it, and has the machine to share.
vi.setConfig({ testTimeout: 300_000, hookTimeout: 300_000 });
const id = (name: keyof typeof STORY_PROVIDERS): string => STORY_PROVIDERS[name].providerId;

/** Published with each filing: docs/platform/limits.md. */
const OFFICE = 'office of a filing';
/** Where an organization has events posted to is its own affair, and stands as it registered it. */
const WEBHOOK = 'address of a webhook';
const canaries = createCanaries();
/** Something in which somebody writes a number. */
const say = (place: string): string =>
  `Please call ${written(canaries.number(place))}, or ${said(canaries.number(`${place} in words`))}.`;
const CALLS = campaignCalls(24, START_MS - 8 * MINUTE_MS, canaryNumbers(24, ''));
/** What is heard names a number to call back in each way in which recognizers write one, and numbers that are none of those. */
const HEARD = [
  ssaScript(written(canaries.number('call-back number'))),
  ssaScript(canaries.number('call-back number in a row')),
  ssaScript(said(canaries.number('call-back number in words'))),
  `${ssaScript('the number on your screen')} Your case is ${said(canaries.number('case number in words'))}.`,
  `${ssaScript('the number on your screen')} Your case is ${canaries.number('case number').replaceAll(/(\d)(?=\d)/g, '$1 ')}.`,
];
/** All of Alder's records arrive, and those of Grove on every other call; each call is reported. */
const BASE = { carrierRecords: 36, appReports: 24 };
const WITH_BASE = '24 calls (36 carrier records, 24 app reports)';
/** Calls of people with each other, by the same carriers. */
const ORDINARY = campaignCalls(10, START_MS - 8 * MINUTE_MS + 3_000, canaryNumbers(10, 'ordinary ')).map((call) => ({
  ...{ ...call, index: call.index + 500, way: ORDINARY_WAY },
}));

/** Numbers of calls, each another one. */
function canaryNumbers(count: number, kind: string) {
  const numbersOf = (place: string) => Array.from({ length: count }, () => canaries.number(`${kind}${place}`));
  const [calling, called] = [numbersOf('calling'), numbersOf('called')];
  return { called: (index: number) => called[index] ?? '', calling: (index: number) => calling[index] ?? '' };
}

interface Receipts {
  readonly receipts: readonly { readonly name: string; readonly organizationId: string }[];
}
interface CaseSheet {
  readonly volume: { readonly perHour: Counted };
  readonly signers: Counted;
}
type Counted = readonly { readonly calls: number }[];
const sumOf = (counted: Counted = []): number => counted.reduce((total, { calls }) => total + calls, 0);

interface Checklist {
  readonly findings: readonly { readonly step: string; readonly result: string }[];
  readonly reach: Readonly<Record<string, { readonly items: number }>>;
  readonly calls: unknown;
}

let world: StoryWorld;
let toTexas: StoryReceiver;
let toFlint: StoryReceiver;
let campaign: Campaign;
let demand: Demand;
let production: Production;
beforeAll(async () => {
  world = await startStoryWorld({ startMs: START_MS, officeTelephone: written(canaries.number(OFFICE)) });
  const { members, pki, story } = world;
  toTexas = await startStoryReceiver(members.texas.client, { pki, clock: story.clock });
  toFlint = await startStoryReceiver(members.flint.client, { pki, clock: story.clock });
});
afterAll(async () => {
  await toTexas[Symbol.asyncDispose]();
  await toFlint[Symbol.asyncDispose]();
  await world[Symbol.asyncDispose]();
});

const staff = () => world.story.operator;
const texas = () => world.members.texas.client;
const isSilentWay = (hops: readonly (string | undefined)[]): boolean => hops.includes(id('flint'));

test('carriers and blocking apps stream in live data, in which a campaign is found while it calls', async () => {
  // Records and reports in turns, none in the order of the calls: what comes late counts as well.
  for (const isLate of [false, true]) {
    const part = CALLS.filter(({ index }) => (index % 3 === 0) === isLate);
    await world.carry(isLate ? part : [...part, ...ORDINARY]);
    await world.report(part.toReversed(), ({ index }) => HEARD[index % HEARD.length] ?? '');
  }
  const found = async () => (await staff().campaigns.list({})).items;
  // Records and reports come over ways of their own.
  const heard = async () =>
    (await found()).map(({ estimatedVolume }) => [estimatedVolume?.reported, estimatedVolume?.both]);
  await expect.poll(heard, PATIENT).toEqual([[24, 24]]);
  [campaign] = (await found()) as [Campaign];
  expect(campaign).toMatchObject({ state: 'live', class: 'government-impersonation', callingNumbers: 24 });
  expect(campaign.name).toMatch(/^SSA/);
  // Up to four carriers record each of them.
  expect(campaign).toMatchObject({ observedCalls: 24, ...BASE });
  expect(campaign.description).toContain(WITH_BASE);
  const counts = { recorded: 24, reported: 24, both: 24 };
  expect(campaign.estimatedVolume).toMatchObject({ basis: 'capture-recapture', ...counts });
  expect([sumOf(campaign.calledAreas), sumOf(campaign.attestations)]).toEqual([24, 24]);
  expect(campaign.signers?.map(({ spc }) => spc).toSorted()).toEqual(['404D', '707G']);
});

test('the agencies that it concerns are alerted, in their inbox and by a signed webhook, with enough to open an investigation', async () => {
  const { story, members } = world;
  const inbox = async () => (await texas().alerts.list({})).items;
  const kinds = async (): Promise<readonly string[]> => (await inbox()).map(({ kind }) => kind).toSorted();
  await expect.poll(kinds, PATIENT).toEqual(['campaign-suspected', 'live-campaign']);
  const live = (await inbox()).find(({ kind }) => kind === 'live-campaign') as Alert;
  expect(live).toMatchObject({ severity: 'urgent', campaignId: campaign.campaignId });
  // An alert states the calls of its moment.
  const figures = Object.fromEntries(live.figures.map(({ name, value }) => [name, value]));
  const { 'observed-calls': calls = 0, 'carrier-records': records = 0, 'app-reports': reports = 0 } = figures;
  expect(live.summary).toContain(`${calls} calls (${records} carrier records, ${reports} app reports)`);
  expect(calls).toBeLessThan(records + reports);
  expect(figures).toMatchObject({ 'calls-in-jurisdiction': calls, 'share-in-jurisdiction': 1 });
  const posted = () => toTexas.heard.map(({ data }) => (data as { alert?: Alert }).alert?.alertId);
  await expect.poll(posted, PATIENT).toContain(live.alertId);
  expect((await members.ohio.client.alerts.list({})).items).toEqual([]);
  expect((await members.ftc.client.alerts.list({})).items.map(({ campaignId }) => campaignId)).toContain(
    campaign.campaignId,
  );
  const parameters = { alertId: live.alertId };
  const sheet = await story.ask<CaseSheet>(texas(), 'fetchAlertCaseSheet', { parameters });
  expect(sheet).toMatchObject({
    ...{ name: campaign.name, state: 'live' },
    said: expect.stringContaining('Your social security number has been suspended') as string,
    volume: { callingNumbers: 24, observedCalls: 24, sampledCalls: 24, ...BASE },
    jurisdictions: [{ jurisdiction: 'US-TX', calls: 24, share: 1 }],
    ...{ elsewhere: 0, unsigned: 0 },
  });
  expect([sumOf(sheet.volume.perHour), sumOf(sheet.signers)]).toEqual([24, 24]);
  // Before there is legal process nobody is told a number.
  expect(canaries.in(JSON.stringify([sheet, live]))).toEqual([]);
});

test('tracebacks are opened by the platform itself, and lead over four hops to where the calls begin', async () => {
  const traced = async () => {
    const all = await tracebacksOf(staff(), campaign.campaignId);
    const closed = all.filter(({ state }) => state === 'closed');
    return [closed.length >= 1, all.some((one) => isSilentWay(hopsOf(one)))];
  };
  await expect.poll(traced, PATIENT).toEqual([true, true]);
  const all = await tracebacksOf(staff(), campaign.campaignId);
  for (const one of all.filter(({ state }) => state === 'closed')) {
    expect(one.outcome).toBe('origin');
    expect(hopsOf(one)).toEqual([id('alder'), id('birch'), id('cedar'), id('dune')]);
    expect(one.hops.map(({ arm }) => arm)).toEqual([...['received-from', 'received-from', 'received-from'], 'origin']);
  }
  // A provider sees its own hop, and an agency nothing before it has process.
  const closed = all.filter(({ state }) => state === 'closed');
  const asCedar = await Promise.allSettled(
    closed.map(({ tracebackId }) => world.members.cedar.client.tracebacks.retrieve({ tracebackId })),
  );
  // Where it was asked through another traceback it knows of that one alone.
  const seen = asCedar.flatMap((one) => (one.status === 'fulfilled' ? [JSON.stringify(one.value)] : []));
  expect(seen.length).toBeGreaterThan(0);
  for (const one of asCedar)
    if (one.status === 'rejected') expect(one.reason).toMatchObject({ code: 'request-refused' });
  expect(seen.filter((one) => !one.includes(id('birch')) || one.includes(id('alder')))).toEqual([]);
  for (const { tracebackId } of closed)
    await expect(texas().tracebacks.retrieve({ tracebackId })).rejects.toMatchObject({ code: 'request-refused' });
});

test('an agency uploads its demand, which staff sees first since the campaign calls now, goes through, and narrows to what it reaches', async () => {
  const { story, members } = world;
  const counsel = members.reviewer.client;
  const scope = {
    recordClasses: ['traceback-records', 'call-records', 'customer-records', 'recordings'],
    ...{ from: '2026-11-17T00:00:00Z', to: '2026-11-18T00:00:00Z', campaignIds: [campaign.campaignId] },
  } as const;
  const { demandId } = await demandOf(texas(), scope, say('comment of a demand'));
  const parameters = { demandId };
  const queue = await story.ask<{ items: readonly unknown[] }>(counsel, 'listReviewQueue');
  expect(queue.items).toMatchObject([{ demandId, organizationId: 'ag-tx', clock: { priority: 'expedited' } }]);
  const checklist = await story.ask<Checklist>(counsel, 'fetchDemandChecklist', { parameters });
  const barred = checklist.findings.filter(({ result }) => result === 'bars').map(({ step }) => step);
  expect(barred).toEqual(['process']);
  expect(checklist.reach['call-records']?.items).toBe(36);
  expect(checklist.calls).toMatchObject({ calls: 24, carrierRecords: 36, isAtLeast: false });
  await story.ask(counsel, 'claimDemand', { parameters });
  await expect(counsel.demands.decide({ demandId, decision: 'approve', reason: 'As it is.' })).rejects.toMatchObject({
    code: 'request-refused',
  });
  const narrowed = { ...scope, recordClasses: ['traceback-records', 'call-records', 'customer-records'] } as const;
  const reason = say('reason of a decision');
  demand = await counsel.demands.decide({ demandId, decision: 'narrow', reason, scope: narrowed });
  expect(demand.state).toBe('narrowed');
});

test('the production is built at once within the approved scope, fetched with receipts, and whole to openssl and sha256sum', async () => {
  const { story, members, directory } = world;
  production = await producedUnder(texas(), demand.demandId);
  await expect.poll(() => toTexas.heard.map(({ type }) => type), PATIENT).toContain('org.hopback.production.ready.1');
  const { productionId } = production;
  const folder = join(directory, 'production');
  await fetchProduction(texas(), production, folder);
  const read = (name: string): Promise<string> => readFile(join(folder, name), 'utf8');

  const run = (command: string, ...given: readonly string[]): string =>
    execFileSync(command, [...given], { cwd: folder, encoding: 'utf8' });
  expect(run('sha256sum', '--strict', '-c', 'SHA256SUMS')).not.toContain('FAILED');
  const verify = ['dgst', '-sha256', '-verify', 'public-key.pem', '-signature'];
  expect(run('openssl', ...verify, 'manifest.sig', 'manifest.json')).toContain('Verified OK');
  expect(run('openssl', ...verify, 'SHA256SUMS.sig', 'SHA256SUMS')).toContain('Verified OK');
  const script = spawnSync('sh', ['verify.sh'], { cwd: folder, encoding: 'utf8' });
  expect([script.status, script.stdout]).toEqual([0, expect.stringContaining('The pack is whole.')]);
  const sums = await read('SHA256SUMS');
  for (const name of ['custodian-certificate.txt', 'manifest.json']) expect(sums).toContain(`  ${name}\n`);
  const certificate = await read('custodian-certificate.txt');
  for (const part of ['902(11), 902(13) and 902(14)', 'CID-2026-0311']) expect(certificate).toContain(part);

  const classes = new Set(production.files.flatMap(({ recordClass }) => recordClass ?? []));
  expect([...classes].toSorted()).toEqual(['call-records', 'customer-records', 'traceback-records']);
  const callRecords = await read('call-records-0001.json');
  expect(canaries.in(callRecords).toSorted()).toEqual(['called', 'calling']);
  const records = JSON.parse(callRecords) as { record: { calling: { tn: string } } }[];
  expect(new Set(records.map(({ record }) => record.calling.tn))).toEqual(new Set(CALLS.map(({ calling }) => calling)));
  const restraint = JSON.parse(await read('restraint-package.json')) as { volume: unknown };
  expect(restraint.volume).toMatchObject({ calls: 24, carrierRecords: 36 });
  for (const name of ['restraint-days.csv', 'restraint-hours.csv']) {
    const [head = [], ...rows] = (await read(name))
      .trimEnd()
      .split('\r\n')
      .map((line) => line.split(','));
    const ofColumn = (column: string) => sumOf(rows.map((row) => ({ calls: Number(row[head.indexOf(column)]) })));
    expect([name, ofColumn('calls'), ofColumn('carrier_records')]).toEqual([name, 24, 36]);
  }
  const traced = await read('traceback-records-0001.csv');
  expect(traced).toContain(STORY_PROVIDERS.dune.name);
  expect(await read('customer-records-0001.csv')).toContain(STORY_CUSTOMER.name);
  for (const { name } of production.files) expect([name, await read(name)]).not.toContain('warrant for your arrest');

  const parameters = { productionId, limit: '500' };
  const { receipts } = await story.ask<Receipts>(texas(), 'listProductionReceipts', { parameters });
  expect(receipts.map(({ name }) => name)).toEqual(production.files.map(({ name }) => name));
  expect(new Set(receipts.map(({ organizationId }) => organizationId))).toEqual(new Set(['ag-tx']));
  await expect(members.ohio.client.productions.retrieve({ productionId })).rejects.toMatchObject({
    code: 'request-refused',
  });
});

test('a provider that is silent is reminded and told that it is late, and the traceback goes on with what its honest neighbour says', async () => {
  const { clock } = world.story;
  const silent = async () =>
    (await tracebacksOf(staff(), campaign.campaignId)).filter((one) => isSilentWay(hopsOf(one)));
  const [first] = await silent();
  expect(first?.hops.at(-1)).toMatchObject({ provider: { providerId: id('flint') }, state: 'asked' });
  const told = (word: string): number => toFlint.heard.filter(({ type }) => type.includes(word)).length;
  // Asked on Tuesday at 10:30, it has to answer by Wednesday at 10:30.
  clock.advance(20 * HOUR_MS + 30 * MINUTE_MS);
  await expect.poll(() => told('reminded'), PATIENT).toBeGreaterThan(0);
  expect(told('overdue')).toBe(0);
  clock.advance(3 * HOUR_MS);
  clock.advance(HOUR_MS);
  await expect.poll(() => told('overdue'), PATIENT).toBeGreaterThan(0);
  const outcomes = async () => {
    // Its neighbours are looked for every half minute.
    clock.advance(HALF_MINUTE_MS);
    return (await silent()).map((one) => [one.tracebackId === first?.tracebackId, one.state, one.outcome]);
  };
  await expect.poll(outcomes, PATIENT).toContainEqual([true, 'closed', 'origin']);
  const resumed = (await silent()).find(({ tracebackId }) => tracebackId === first?.tracebackId);
  expect(resumed?.hops.map(({ provider, arm }) => [provider.providerId, arm])).toEqual([
    [id('alder'), 'received-from'],
    [id('birch'), 'received-from'],
    [id('flint'), undefined],
    [id('grove'), 'received-from'],
    [id('dune'), 'origin'],
  ]);
  clock.advance(25 * HOUR_MS);
});

test('scorecard and yearly report name the provider that did not answer, per request and with the reason', async () => {
  const { story } = world;
  const { providerId } = STORY_PROVIDERS.flint;
  const scorecard = await texas().providers.scorecard({ providerId });
  expect(scorecard).toMatchObject({ providerId, requests: { answeredInTime: 0, answeredLate: 0 } });
  const counted = await story.ask<{ items: readonly { timeliness: string; findings: unknown }[] }>(
    texas(),
    'listCountedRequests',
    { parameters: { providerId } },
  );
  expect(counted.items.length).toBeGreaterThan(0);
  for (const { timeliness, findings } of counted.items)
    expect([timeliness, findings]).toEqual(['unanswered', [{ concern: 'not-participating', reason: 'unanswered' }]]);
  const parameters = { name: 'participation-2026.csv' };
  const report = Buffer.from(await story.ask<Uint8Array>(staff(), 'fetchParticipationReport', { parameters }));
  const lines = report.toString('utf8').split('\r\n');
  const of = (name: keyof typeof STORY_PROVIDERS) => lines.filter((line) => line.startsWith(`${id(name)},`));
  expect(of('flint').length).toBe(counted.items.length);
  for (const line of of('flint')) {
    expect(line).toContain(`,${STORY_PROVIDERS.flint.name},0000000606,`);
    expect(line).toContain(',did-not-respond,no answer was given,');
  }
  for (const name of ['alder', 'birch', 'cedar', 'dune', 'grove'] as const) {
    expect(of(name).length).toBeGreaterThan(0);
    for (const line of of(name)) expect(line).toContain(',participated,');
  }
});

/** Answers to requests that were refused. */
const problems: SearchedText[] = [];
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

test('people write numbers wherever they may write, also in requests that are refused', async () => {
  const { members, story } = world;
  const counsel = members.reviewer.client;
  const { campaignId } = campaign;
  const { productionId } = production;
  const parameters = { campaignId };
  await texas().webhookEndpoints.create({
    url: `https://127.0.0.1:9/hook/${canaries.number(WEBHOOK)}`,
    description: say('description of a webhook').slice(0, 250),
  });
  const [alert] = (await texas().alerts.list({})).items;
  const acknowledgement = { acknowledgedBy: say('acknowledged by'), note: say('acknowledgement') };
  await texas().alerts.acknowledge({ alertId: alert?.alertId ?? '', ...acknowledgement, intends: 'investigate' });
  const second = await demandOf(texas(), {
    recordClasses: ['traceback-records', 'call-records', 'customer-records', 'app-reports'],
    ...{ from: '2026-11-17T00:00:00Z', to: '2026-11-18T00:00:00Z', campaignIds: [campaignId] },
    callingNumbers: CALLS.slice(0, 12).map(({ calling }) => calling),
    calledNumbers: CALLS.slice(0, 2).map(({ called }) => called),
  });
  // Staff.
  const {
    alder,
    birch: { providerId },
    flint,
  } = STORY_PROVIDERS;
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
  const notice = {
    ...{ providerId: flint.providerId, reference: 'DA-26-1', description: say('notice'), tracebackIds: [] },
    calls: [{ called: canaries.number('call of a notice'), at }],
  };
  const complaint = `2026-11-16,${written(canaries.number('complaint'))},"${say('subject of a complaint')}","${say('comment of a complaint')}"`;
  const entry = {
    ...{ entryId: 'dno-1', numbers: { tn: canaries.number('do not originate') }, reason: 'subscriber-request' },
    ...{ validFrom: '2026-01-01T00:00:00Z', subscriber: say('subscriber of an entry') },
  };
  const complaints = `Date,Number,Subject,Comment\n${complaint}\n`;
  const columns = { date: 'Date', callerNumber: 'Number', subject: 'Subject', comment: 'Comment' };
  const outage = { from: '2026-11-16T00:00:00Z', to: '2026-11-16T00:10:00Z' };
  const because = (why: string) => ({ reason: say(`reason of ${why}`) });
  const calls: readonly (readonly [PlatformClient, string, Readonly<Record<string, string>>, object])[] = [
    [texas(), 'shareCase', parameters, { with: ['ag-oh'], note: say('note of a share') }],
    [counsel, 'extendProduction', { productionId }, { until: '2027-01-30T00:00:00Z', ...because('an extension') }],
    [counsel, 'reissueProduction', { productionId }, because('a re-issue')],
    [texas(), 'withdrawDemand', { demandId: second.demandId }, because('a withdrawal')],
    [staff(), 'decideCampaign', parameters, { decision: 'rename', name: 'SSA-Suspended-P2', ...because('a name') }],
    [staff(), 'decideCampaign', parameters, { decision: 'close', ...because('a close') }],
    [staff(), 'decideCampaign', parameters, { decision: 'reopen', ...because('a re-opening') }],
    [staff(), 'withdrawTraceback', { tracebackId: opened.tracebackId }, because('a withdrawn traceback')],
    [staff(), 'issueNotice', {}, notice],
    [staff(), 'importComplaints', {}, { source: 'ftc-dnc', columns, text: complaints }],
    [staff(), 'importDoNotOriginate', {}, { entries: [entry] }],
    [staff(), 'setProviderOffice', { providerId }, { contact: { name: say('name of an office').slice(0, 250) } }],
    [staff(), 'noteOutage', {}, { ...outage, ...because('an outage') }],
  ];
  for (const [client, operationId, named, body] of calls)
    await story.ask(client, operationId, { parameters: named, body });
  const birch = members.birch.client;
  const provider = { parameters: { providerId } };
  const { items } = await story.ask<{ items: readonly { requestId: string }[] }>(
    birch,
    'listCountedRequests',
    provider,
  );
  const body = { requestId: items[0]?.requestId, ...because('a contest') };
  const { contestId } = await story.ask<{ contestId: string }>(birch, 'contestRequest', { ...provider, body });
  const decision = { decision: 'reject', ...because('a decision on a contest') };
  await story.ask(staff(), 'decideContest', { parameters: { contestId }, body: decision });

  // Webhooks that nobody takes.
  story.clock.advance(HOUR_MS);

  // What is wrong.
  const operator = { clientId: 'itg-operator', key: story.platform.home.operatorKey };
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
    text: JSON.stringify(await story.ask(staff(), 'importRegistry', { body: rejected })),
  });
});

const PUBLIC = [
  ...['providers_entries.entry', 'providers_history.entry'].map((column) => `${OFFICE} in ${column}`),
  `${WEBHOOK} in events_endpoints.url`,
];

test('no table but that of what is sealed has one of them', async () => {
  const { context } = world.story.platform;
  const texts = await tableTexts(context.database);
  expect(texts.filter(({ where }) => where === 'core_sealed.ciphertext').length).toBeGreaterThan(50);
  expect(leaksIn(canaries, texts).filter((leak) => !PUBLIC.includes(leak))).toEqual([]);
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
  const isPublic = (leak: string): boolean => [OFFICE, WEBHOOK].some((place) => leak.startsWith(`${place} in `));
  for (const folder of [join(world.directory, 'database'), folders.files])
    expect(leaksIn(canaries, await fileTexts(folder)).filter((leak) => !isPublic(leak))).toEqual([]);
});

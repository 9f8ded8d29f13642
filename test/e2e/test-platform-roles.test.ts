import { createHash } from 'node:crypto';
import { WIRE_EXAMPLES, type PlatformClient, type PlatformEvent } from '@hopback/sdk/platform';
import { ManualClock, type TestPlatform } from '@hopback/sdk/testing';
import { describe, expect, test } from 'vitest';
import { codeOf } from '../support/code-of.js';
import { clientOf, PLATFORM_BINDINGS, problemOf } from '../support/platform-bindings.js';

const ROLES = { apps: ['app-1'], agencies: ['ag-ohio', 'ag-iowa'], staff: ['staff-1'] } as const;
const PDF = Buffer.from('%PDF-1.7\n% a subpoena\n%%EOF\n');
const { documentSha256: _stated, ...SUBMISSION } = WIRE_EXAMPLES.DemandSubmission[0].value;
const DEMAND: Parameters<PlatformClient['demands']['create']>[0] = { ...SUBMISSION, document: PDF };
const FILES = [
  { name: 'tracebacks.ndjson', mediaType: 'application/x-ndjson', bytes: Buffer.from('{}\n'), records: 1 },
  { name: 'certificate.pdf', mediaType: 'application/pdf', bytes: PDF },
] as const;

const clientsOf = (platform: TestPlatform) => ({
  ohio: clientOf(platform, 'ag-ohio'),
  iowa: clientOf(platform, 'ag-iowa'),
  staff: clientOf(platform, 'staff-1'),
  app: clientOf(platform, 'app-1'),
  carrier: clientOf(platform, 'prv-birch'),
});

/** Reads events of a client until one of this type comes. */
async function eventOf<Type extends PlatformEvent['type']>(client: PlatformClient, type: Type) {
  for await (const item of client.events())
    if (item.status === 'event' && item.event.type === type)
      return item.event as PlatformEvent & { readonly type: Type };
  throw new Error('the stream has ended');
}

async function fileOf(client: PlatformClient, params: Parameters<PlatformClient['productions']['file']>[0]) {
  const chunks: Uint8Array[] = [];
  for await (const chunk of client.productions.file(params)) chunks.push(chunk);
  return Buffer.concat(chunks);
}

const streaming = (platform: TestPlatform, clientId: string): Promise<unknown> =>
  platform.until(() => (platform.openStreams(clientId) > 0 ? true : undefined));

describe.each(PLATFORM_BINDINGS)('a test platform over $name', ({ start }) => {
  test('an agency demands, staff narrows, and the agency fetches what is produced', async () => {
    await using platform = await start(ROLES);
    const { ohio, staff } = clientsOf(platform);
    const told = eventOf(ohio, 'org.hopback.demand.decided.1');
    await streaming(platform, 'ag-ohio');
    const reversed = { ...DEMAND.scope, from: DEMAND.scope.to, to: DEMAND.scope.from };
    expect(await problemOf(ohio.demands.create({ ...DEMAND, scope: reversed }))).toBe('scope-unusable');
    const submitted = await ohio.demands.create(DEMAND);
    expect(submitted).toMatchObject({ state: 'under-review', documentSizeBytes: PDF.length, decisions: [] });
    const { demandId } = submitted;
    expect((await staff.demands.list({ state: 'under-review' })).items).toEqual([submitted]);
    const narrow = { decision: 'narrow', reason: 'One class is enough.', scope: DEMAND.scope } as const;
    const narrowed = { demandId, decision: 'narrow', reason: 'Less.', scope: reversed } as const;
    expect(await problemOf(staff.demands.decide(narrowed))).toBe('scope-unusable');
    const decided = await staff.demands.decide({ demandId, ...narrow });
    expect(decided).toMatchObject({ state: 'narrowed', decisions: [{ ...narrow, decidedBy: 'staff-1' }] });
    expect((await told).data.decision).toEqual(decided.decisions[0]);
    expect(await problemOf(staff.demands.decide({ demandId, decision: 'approve', reason: 'No.' }))).toBe(
      'demand-not-open',
    );

    const { productionId } = platform.prepareProduction(demandId);
    const file = { name: FILES[0].name, sizeBytes: 3, sha256: createHash('sha256').update('{}\n').digest('hex') };
    expect(await problemOf(fileOf(ohio, { productionId, file }))).toBe('production-not-ready');
    platform.produce(productionId, FILES);
    expect(await platform.demanded(demandId, 'produced')).toMatchObject({ productionIds: [productionId] });
    const production = await ohio.productions.retrieve({ productionId });
    expect(production).toMatchObject({
      state: 'ready',
      manifestName: 'manifest.json',
      decisionId: decided.decisions[0]?.decisionId,
    });
    for (const listed of production.files) await fileOf(ohio, { productionId, file: listed });
    const manifest = production.files.find(({ name }) => name === 'manifest.json')!;
    expect(JSON.parse((await fileOf(ohio, { productionId, file: manifest })).toString())).toHaveLength(FILES.length);
    expect(await problemOf(fileOf(ohio, { productionId, file: { ...file, name: 'none' } }))).toBe('not-found');
  });

  test('an agency cannot see the demands and productions of another', async () => {
    await using platform = await start(ROLES);
    const { ohio, iowa, staff } = clientsOf(platform);
    const { demandId } = await ohio.demands.create(DEMAND);
    platform.decideDemand(demandId, { decision: 'approve', reason: 'In order.' });
    const { productionId } = platform.prepareProduction(demandId);
    platform.produce(productionId, FILES);
    expect(await problemOf(iowa.demands.retrieve({ demandId }))).toBe('not-found');
    expect(await problemOf(iowa.productions.retrieve({ productionId }))).toBe('not-found');
    expect(
      await problemOf(fileOf(iowa, { productionId, file: { name: 'manifest.json', sizeBytes: 1, sha256: '' } })),
    ).toBe('not-found');
    expect((await iowa.demands.list()).items).toEqual([]);
    expect((await staff.productions.retrieve({ productionId })).demandId).toBe(demandId);
  });

  test('each role is refused the operations of the others', async () => {
    await using platform = await start(ROLES);
    const { carrier, app, ohio } = clientsOf(platform);
    const refused = [
      carrier.demands.create(DEMAND),
      carrier.demands.list(),
      app.demands.list(),
      app.alerts.list(),
      app.tracebackRequests.list(),
      ohio.tracebackRequests.list(),
      ohio.notices.list(),
      ohio.doNotOriginate.list(),
      ohio.demands.decide({ demandId: 'dmd-000001', decision: 'approve', reason: 'We say so.' }),
      ohio.appReports.create(WIRE_EXAMPLES.AppReport[0].value),
    ];
    expect(new Set(await Promise.all(refused.map(problemOf)))).toEqual(new Set(['forbidden']));
  });

  test('an agency sees whole campaigns, and the hops of a call only where its demand covers it', async () => {
    await using platform = await start(ROLES);
    const { ohio, carrier, staff } = clientsOf(platform);
    const campaign = WIRE_EXAMPLES.Campaign[0].value;
    platform.putCampaign(campaign);
    expect((await ohio.campaigns.retrieve(campaign)).providers).toEqual(campaign.providers);
    expect((await carrier.campaigns.retrieve(campaign)).providers).toEqual([]);
    const { tracebackId } = await ohio.tracebacks.create(WIRE_EXAMPLES.TracebackOpening[0].value);
    await platform.requestTo('prv-birch', tracebackId);
    expect((await ohio.tracebacks.retrieve({ tracebackId })).hops).toEqual([]);
    const { demandId } = await ohio.demands.create({
      ...DEMAND,
      scope: { ...DEMAND.scope, recordClasses: ['traceback-records'], tracebackIds: [tracebackId] },
    });
    expect((await ohio.tracebacks.retrieve({ tracebackId })).hops).toEqual([]);
    platform.decideDemand(demandId, { decision: 'approve', reason: 'In order.' });
    expect((await ohio.tracebacks.retrieve({ tracebackId })).hops).toHaveLength(2);
    expect((await staff.tracebacks.list()).items[0]?.hops).toHaveLength(2);
    expect((await ohio.providers.scorecard({ providerId: 'prv-birch' })).requests.received).toBe(1);
  });

  test('an alert is acknowledged by each organization for itself', async () => {
    await using platform = await start(ROLES);
    const { ohio, iowa } = clientsOf(platform);
    const { acknowledged: _acknowledged, ...alert } = { ...WIRE_EXAMPLES.Alert[0].value, alertId: 'alr-1' };
    platform.raiseAlert(alert, ['ag-ohio', 'ag-iowa']);
    const seen = await ohio.alerts.acknowledge({ alertId: 'alr-1', acknowledgedBy: 'Consumer protection' });
    expect(seen.acknowledged?.acknowledgedBy).toBe('Consumer protection');
    expect((await ohio.alerts.list({ state: 'unacknowledged' })).items).toEqual([]);
    expect((await iowa.alerts.list({ state: 'unacknowledged' })).items).toEqual([alert]);
  });

  test('a document that is no PDF, or another than was stated, is refused', async () => {
    await using platform = await start(ROLES);
    const ohio = clientOf(platform, 'ag-ohio');
    expect(await problemOf(ohio.demands.create({ ...DEMAND, document: Buffer.from('a letter') }))).toBe(
      'document-unreadable',
    );
    const form = new FormData();
    form.set('demand', JSON.stringify({ ...SUBMISSION, documentSha256: '0'.repeat(64) }));
    form.set('document', new Blob([PDF], { type: 'application/pdf' }));
    const headers = { authorization: `Bearer ${platform.credentials('ag-ohio').token}`, 'idempotency-key': 'k' };
    const send = async (body: FormData): Promise<unknown> =>
      (
        (await (await fetch(`${platform.baseUrl}/v1/demands`, { method: 'POST', headers, body })).json()) as {
          code: string;
        }
      ).code;
    expect(await send(form)).toBe('document-unreadable');
    form.delete('document');
    headers['idempotency-key'] = 'l';
    expect(await send(form)).toBe('invalid-body');
    expect(platform.takeViolations()).toMatchObject([
      { operationId: 'submitDemand', pointer: 'document', code: 'missing' },
    ]);
  });
});

test('files of a production can be fetched for thirty days', async () => {
  const clock = new ManualClock();
  await using platform = await PLATFORM_BINDINGS[0]!.start({ ...ROLES, clock, tokenLifetimeSeconds: 100 * 86_400 });
  const ohio = clientOf(platform, 'ag-ohio');
  const { demandId } = await ohio.demands.create(DEMAND);
  expect(await codeOf((async () => platform.prepareProduction(demandId))())).toBe('invalid-argument');
  platform.decideDemand(demandId, { decision: 'approve', reason: 'In order.' });
  const { productionId } = platform.prepareProduction(demandId);
  const [file] = platform.produce(productionId, FILES).files;
  expect((await fileOf(ohio, { productionId, file: file! })).toString()).toBe('{}\n');
  clock.advance(30 * 86_400_000);
  expect((await ohio.productions.retrieve({ productionId })).state).toBe('expired');
  expect(await problemOf(fileOf(ohio, { productionId, file: file! }))).toBe('gone');
  expect(await codeOf((async () => platform.decideDemand(demandId, { decision: 'reject', reason: 'Late.' }))())).toBe(
    'request-refused',
  );
});

import { createHash } from 'node:crypto';
import { gzipSync } from 'node:zlib';
import { expect, test } from 'vitest';
import { createHttpsRecordTransport, privateKeyJwt, RECORD_BATCH_TYPE } from '../../sdk/src/platform/index.js';
import type { AppReport, RecordBatch, RequestAuthorization, SharedRecord } from '../../sdk/src/platform/index.js';
import { liveSample } from './itg-live-records.js';
import { clientTestKey } from './itg-platform.js';
import type { TestMember } from './itg-platform.js';
import { expectPaged, refusal } from './itg-contract-world.js';
import type { ContractWorld } from './itg-contract-world.js';

/** How long something may take that the platform does by itself, milliseconds: seconds, on a machine that has nothing else to do. */
const PATIENCE_MS = 60_000;

const authorizationOf = (
  { lab, fetch }: ContractWorld,
  { clientId, key }: Pick<TestMember, 'clientId' | 'key'>,
): Promise<RequestAuthorization> =>
  privateKeyJwt({
    ...{ tokenUrl: lab.platform.tokenUrl, clientId, key: key.privateKey, keyId: key.keyId, fetch },
  });

/** Tokens, call records, reports of applications, and what the platform finds in them. */
export function liveClaims(engine: string, opened: () => ContractWorld): void {
  test(`${engine}: a client has a token for what it signed, and nobody has one for what another signed`, async () => {
    const world = opened();
    const { signal } = new AbortController();
    const request = { method: 'GET', url: `${world.lab.platform.url}/v1/campaigns` };
    const own = await authorizationOf(world, world.app);
    const fields = await own.fields(request, signal);
    expect(fields['authorization']).toMatch(/^Bearer \S{20,}$/);
    expect(await own.fields(request, signal)).toEqual(fields);
    const forged = await authorizationOf(world, { ...world.app, key: clientTestKey(world.app.key.keyId) });
    await expect(forged.fields(request, signal)).rejects.toMatchObject({ code: 'unauthorized' });
  });

  test(`${engine}: a batch of call records is stored but for what is none, and the same batch again is the same`, async () => {
    const world = opened();
    const { lab, alder, app, fetch } = world;
    const url = `${lab.platform.url}/v1/record-batches`;
    const transport = createHttpsRecordTransport({ url, fetch, authorization: await authorizationOf(world, alder) });
    const { signal } = new AbortController();
    const records = Array.from({ length: 12 }, (_, index) => recentRecord(index));
    const broken = { ...records[0]!, recordId: 'f'.repeat(32), inviteAtUs: 'yesterday' };
    const batch = batchOf([...records, broken]);
    const delivered = await transport.deliver(batch, signal);
    expect(delivered).toMatchObject({ status: 'acknowledged', rejected: [{ recordId: 'f'.repeat(32) }] });
    expect(await transport.deliver(batch, signal)).toEqual(delivered);
    for (const { recordId } of records) {
      const live = await lab.platform.opened.records.reader.record('alder', recordId);
      expect(live?.record.recordId).toBe(recordId);
    }
    const other = createHttpsRecordTransport({ url, fetch, authorization: await authorizationOf(world, app) });
    expect(await other.deliver(batch, signal)).toMatchObject({ status: 'barred' });
    await Promise.all([transport.close(), other.close()]);
  });

  test(`${engine}: a report of an application is stored once, and another under its id is refused`, async () => {
    const { app, alder, as } = opened();
    const { appReports } = await as(app);
    const report = heardCall(0, SCRIPTS[0]);
    expect(await appReports.create(report)).toMatchObject({ reportId: report.reportId, isRepeat: false });
    expect(await appReports.create(report)).toMatchObject({ reportId: report.reportId, isRepeat: true });
    expect(await refusal(appReports.create({ ...report, action: 'blocked' }))).toBe('conflict');
    expect(await refusal((await as(alder)).appReports.create(report))).toBe('forbidden');
    for (let call = 1; call < CALLS_HEARD; call += 1)
      for (const script of SCRIPTS) await appReports.create(heardCall(call, script));
  });

  test(`${engine}: what applications heard becomes campaigns, of which carriers see no providers`, async () => {
    const { app, texas, alder, as } = opened();
    const { campaigns } = await as(texas);
    const heard = async (): Promise<readonly boolean[]> =>
      (await campaigns.list({ state: 'live' })).items.map(({ observedCalls }) => observedCalls >= CALLS_HEARD - 1);
    await expect.poll(heard, { timeout: PATIENCE_MS, interval: 100 }).toEqual(SCRIPTS.map(() => true));
    const all = await expectPaged((page) => campaigns.list(page), { limit: 1, keyOf: ({ campaignId }) => campaignId });
    expect(all).toHaveLength(SCRIPTS.length);
    for (const { campaignId, transcript = '' } of all) {
      const campaign = await campaigns.retrieve({ campaignId });
      expect(campaign).toMatchObject({ state: 'live', transcript });
      expect(SCRIPTS.map(({ words }) => words).some((words) => transcript.includes(words))).toBe(true);
      for (const other of [app, alder])
        expect(await (await as(other)).campaigns.retrieve({ campaignId })).toMatchObject({
          ...{ campaignId, providers: [], tracebackIds: [], signers: [], entryPoints: [] },
        });
    }
    expect((await campaigns.list({ state: 'closed' })).items).toEqual([]);
    expect(await refusal(campaigns.retrieve({ campaignId: 'c-none' }))).toBe('not-found');
    expect(await refusal(campaigns.list({ cursor: 'nowhere' }))).toBe('invalid-parameter');
  });

  test(`${engine}: the agency whose State is called is alerted, and acknowledges once`, async () => {
    const { texas, ohio, app, as } = opened();
    const [{ alerts }, others] = [await as(texas), await as(ohio)];
    const kinds = async (): Promise<readonly string[]> =>
      (await alerts.list()).items.map(({ kind }) => kind).toSorted();
    const each = ['campaign-suspected', 'live-campaign'];
    const expected = each.flatMap((kind) => SCRIPTS.map(() => kind));
    await expect.poll(kinds, { timeout: PATIENCE_MS, interval: 100 }).toEqual(expected);
    const [alert] = await expectPaged((page) => alerts.list(page), { limit: 3, keyOf: ({ alertId }) => alertId });
    const { alertId, campaignId } = alert!;
    expect(campaignId).toMatch(/^c-/);
    expect(alert!.figures.find(({ name }) => name === 'share-in-jurisdiction')?.value).toBeGreaterThan(0.9);
    const seen = await alerts.acknowledge({ alertId, acknowledgedBy: 'Duty desk', intends: 'investigate' });
    expect(seen.acknowledged).toMatchObject({ acknowledgedBy: 'Duty desk', intends: 'investigate' });
    expect(await alerts.acknowledge({ alertId, acknowledgedBy: 'Somebody else' })).toEqual(seen);
    expect((await alerts.list({ state: 'acknowledged' })).items).toEqual([seen]);
    expect((await alerts.list({ state: 'unacknowledged' })).items).toHaveLength(expected.length - 1);
    expect((await others.alerts.list()).items).toEqual([]);
    expect(await refusal(others.alerts.acknowledge({ alertId, acknowledgedBy: 'Ohio' }))).toBe('not-found');
    expect(await refusal((await as(app)).alerts.list())).toBe('forbidden');
  });
}

/** Calls of each script: what rules ask for, and a few. */
const CALLS_HEARD = 24;

const SCRIPTS = [
  {
    name: 'ssa',
    words: 'Social Security',
    text: 'This call is from the Social Security Administration. Your number has been suspended because of suspicious activity. Press one now to speak to an officer or a warrant for your arrest will be issued.',
  },
  {
    name: 'parcel',
    words: 'customs',
    text: 'A parcel in your name was held by customs with something illegal inside. To be connected with the agent in charge of your case stay on the line, or your bank accounts will be frozen today.',
  },
] as const;

function heardCall(call: number, { name, text }: (typeof SCRIPTS)[number]): AppReport {
  const digits = String(100 + call);
  return {
    ...{ format: 'hopback.app-report.1', reportId: `${name}-${call}`, app: { name: 'Call guard', version: '4.2' } },
    calledAt: new Date(Date.now() - 60_000 + call * 1_000).toISOString(),
    ...{
      called: { shown: 'number', tn: `1214555${digits.padStart(4, '0')}` },
      calling: `1469555${digits.padStart(4, '0')}`,
    },
    ...{ servedBy: 'Alder Telephone', action: 'answered-by-app', reason: 'content', durationSeconds: 14 },
    transcript: { text, language: 'en' },
  };
}

/** A record of some seconds ago. */
function recentRecord(leg: number): SharedRecord {
  return { ...liveSample(leg), inviteAtUs: (Date.now() - 30_000 + leg * 100) * 1_000 };
}

/** A batch as the stream of the sdk makes it. */
function batchOf(lines: readonly unknown[]): RecordBatch {
  const body = gzipSync(lines.map((line) => `${JSON.stringify(line)}\n`).join(''));
  const id = createHash('sha256').update(body).digest('hex').slice(0, 32);
  return {
    ...{ id, source: '/alder/records', type: RECORD_BATCH_TYPE, timeMs: Date.now() },
    count: lines.length,
    encoding: 'gzip',
    body,
  };
}

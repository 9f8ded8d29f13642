import { afterAll, beforeAll, beforeEach, expect, test } from 'vitest';
import { AREA_CODES, jurisdictionOfNpa } from '../../harness/src/platform/domain/alerts/area-codes.js';
import { DEFAULT_RULES } from '../../harness/src/platform/domain/alerts/alert-rules.js';
import { maskedTranscript } from '../../harness/src/platform/domain/alerts/case-sheet.js';
import { MAX_ALERTS_PER_HOUR } from '../../harness/src/platform/alerts/evaluate-alerts.js';
import type { AlertTables } from '../../harness/src/platform/alerts/alert-tables.js';
import { alertClaims, FEDERAL, MAINE, openAlerts, TEXAS, texas } from '../support/itg-alert-claims.js';
import type { OpenedAlerts } from '../support/itg-alert-claims.js';
import { STAFF, type Json } from '../support/itg-calls.js';

let alerts: OpenedAlerts;

beforeAll(async () => {
  alerts = await openAlerts();
});
beforeEach(async () => {
  await alerts.reset();
});
afterAll(() => alerts.database.close());

test('agencies are alerted to campaigns that concern them, once, and again when one resumes; cases are shared and unshared', () =>
  alertClaims(alerts));

test('every State, the District and every territory has its area codes, each once and in the form of one', () => {
  const places =
    'AL AK AZ AR CA CO CT DE DC FL GA HI ID IL IN IA KS KY LA ME MD MA MI MN MS MO MT NE NV NH NJ NM NY NC ND OH OK OR PA RI SC SD TN TX UT VT VA WA WV WI WY AS GU MP PR VI';
  expect(Object.keys(AREA_CODES).sort()).toEqual(places.split(' ').sort());
  const codes = Object.values(AREA_CODES).flat();
  expect(new Set(codes).size).toBe(codes.length);
  for (const own of Object.values(AREA_CODES)) expect(own).toEqual([...own].sort((one, other) => one - other));
  for (const code of codes) {
    // [2-9][0-8]X, and neither N11, toll free, personal, nor of Canada or the Caribbean.
    expect(String(code)).toMatch(/^[2-9][0-8]\d$/);
    expect(String(code)).not.toMatch(
      /^.11$|^8(?:00|33|44|55|66|77|88|22)$|^5(?:00|2[1-9]|33|44|66|77|88)$|^900$|^700$/,
    );
  }
  const abroad = [204, 226, 236, 242, 246, 250, 264, 268, 284, 289, 306, 343, 345, 365, 403, 416, 418, 431, 437];
  expect(codes.filter((code) => abroad.includes(code))).toEqual([]);
  expect(codes.length).toBeGreaterThanOrEqual(350);
});

test('an area code has the State that it belongs to, or no jurisdiction', () => {
  const known = { '212': 'US-NY', '512555': 'US-TX', '2025550100': 'US-DC', '787': 'US-PR' };
  for (const [npa, where] of Object.entries(known)) expect([npa, jurisdictionOfNpa(npa)]).toEqual([npa, where]);
  for (const npa of ['416', '800', '']) expect(jurisdictionOfNpa(npa)).toBeUndefined();
});

test('numbers are taken out of a transcript, written or said, and words are not', () => {
  expect(maskedTranscript('Call 1-800-555-0199 now')).toBe('Call [number] now');
  expect(maskedTranscript('Call five five five, oh one two three four today')).toBe('Call [number] today');
  expect(maskedTranscript('Press 1 to speak, or 2 to end; you owe 300 dollars')).toBe(
    'Press 1 to speak, or 2 to end; you owe 300 dollars',
  );
  expect(maskedTranscript('one '.repeat(100_000)).length).toBeLessThan(20);
});

test('a State is told where a share of the calls is to it, or where ten are', async () => {
  const { put, changed, inbox } = alerts;
  put('c-1', [...texas(600), ...Array.from({ length: 9 }, () => '207')]);
  await changed('c-1');
  expect(await inbox(MAINE)).toEqual([]);
  put('c-2', [...texas(600), ...Array.from({ length: 10 }, () => '207')]);
  await changed('c-2');
  expect((await inbox(MAINE)).map(({ campaignId }) => campaignId)).toEqual(['c-2', 'c-2']);
});

test('an agency narrows what it is told, and adds other States', async () => {
  const { put, changed, calls, inbox } = alerts;
  const none = await calls.get(TEXAS, '/v1/alert-subscription');
  await calls.post(TEXAS, '/v1/alert-subscription', { ...none, types: ['autowarranty'] });
  await calls.post(MAINE, '/v1/alert-subscription', { ...none, minSeverity: 'urgent', alsoJurisdictions: ['US-TX'] });
  put('c-1', texas(60));
  await changed('c-1');
  expect(await inbox(TEXAS)).toEqual([]);
  expect((await inbox(MAINE)).map(({ kind }) => kind)).toEqual(['live-campaign']);
});

test('an agency wants what is of a class, whatever the campaign is called', async () => {
  const { put, changed, calls, inbox } = alerts;
  const none = await calls.get(TEXAS, '/v1/alert-subscription');
  await calls.post(TEXAS, '/v1/alert-subscription', { ...none, types: ['government-impersonation'] });
  put('c-1', texas(60), { name: 'Officer-Badge-P1', class: 'government-impersonation' });
  put('c-2', texas(60), { name: 'Officer-Badge-P2', class: 'unknown' });
  for (const campaignId of ['c-1', 'c-2']) await changed(campaignId);
  const told = (await inbox(TEXAS)).map(({ campaignId }) => campaignId);
  expect([...new Set(told)]).toEqual(['c-1']);
});

test('rules are tried on campaigns that there were, and nobody is told', async () => {
  const { put, changed, calls, context } = alerts;
  for (const { ruleId, ...rule } of DEFAULT_RULES)
    await calls.post(STAFF, `/v1/alert-rules/${ruleId}`, { ...rule, ruleId, isEnabled: false });
  put('c-1', texas(60));
  await changed('c-1');
  const rules = [{ ...DEFAULT_RULES[1], ruleId: 'mine', minCalls: 50 }];
  const report = await calls.post(STAFF, '/v1/alert-trials', { rules });
  expect(report.alerts.map((one: Json) => [one.agencyId, one.ruleId])).toEqual([
    ['ag-tx', 'mine'],
    ['fcc', 'mine'],
    ['itg', 'mine'],
  ]);
  expect(await calls.post(TEXAS, '/v1/alert-trials', { rules, campaignIds: ['c-1', 'c-none'] })).toEqual({
    campaigns: 1,
    alerts: [],
  });
  expect(await context.events()).toEqual([]);
});

test('an agency is told of so many campaigns an hour, and of the others later; what is urgent does not wait', async () => {
  const { put, changed, context, area, inbox } = alerts;
  for (let index = 0; index < MAX_ALERTS_PER_HOUR + 5; index += 1) {
    put(`c-${index}`, texas(30), { state: 'dormant' });
    await changed(`c-${index}`);
  }
  expect(await inbox(TEXAS)).toHaveLength(MAX_ALERTS_PER_HOUR);
  put('c-live', texas(60));
  await changed('c-live');
  expect((await inbox(TEXAS)).map(({ kind }) => kind)).toContain('live-campaign');
  context.clock.advance(3_700_000);
  for (const job of area.jobs) await job.run(context.clock.nowMs());
  expect((await inbox(TEXAS)).filter(({ kind }) => kind === 'campaign-suspected')).toHaveLength(
    MAX_ALERTS_PER_HOUR + 6,
  );
});

test('a case sheet has what opens an investigation, and no number', async () => {
  const { put, changed, calls, inbox } = alerts;
  const provider = { name: 'Cedar *Gateway* Corp.', providerId: 'prv-cedar' };
  const counts = { carrierRecords: 80, appReports: 5 };
  const providers = [{ provider, role: 'point-of-entry', tracebacks: 4 }] as const;
  put('c-1', [...texas(60), '207', '416'], { providers, ...counts });
  await changed('c-1');
  const alert = (await inbox(TEXAS)).find(({ kind }) => kind === 'live-campaign');
  const withBase = '62 calls (80 carrier records, 5 app reports)';
  expect(alert.summary).toContain(withBase);
  expect(alert.summary).toContain('60 of the newest 62 calls');
  expect(alert.figures).toEqual(
    expect.arrayContaining([
      { name: 'observed-calls', value: 62 },
      { name: 'carrier-records', value: 80 },
      { name: 'app-reports', value: 5 },
    ]),
  );
  const sheet = await calls.get(TEXAS, `/v1/alerts/${alert.alertId}/case-sheet`);
  expect(sheet).toMatchObject({
    jurisdictions: [
      { jurisdiction: 'US-TX', calls: 60 },
      { jurisdiction: 'US-ME', calls: 1 },
    ],
    elsewhere: 1,
    signers: [{ spc: '903C', calls: 31, attestation: { A: 31, B: 0, C: 0 } }],
    unsigned: 31,
    providers: [{ role: 'point-of-entry', tracebacks: 4, of: 4 }],
    volume: { trend: 'rising', observedCalls: 62, ...counts },
  });
  const text = await calls.file(TEXAS, '/v1/cases/c-1/sheet.md');
  expect(text).toContain(`- ${withBase} observed`);
  expect(text).toContain('Cedar \\*Gateway\\* Corp.');
  expect(text).toContain('\\<b\\>closed');
  for (const given of [text, JSON.stringify(sheet)]) {
    expect(given).not.toMatch(/\b\d{7,}\b(?!-)/);
    expect(given).not.toContain('555 0199');
    expect(given).not.toContain('five five');
  }
  const kinds = (await inbox(FEDERAL)).map(({ kind }) => kind);
  expect(kinds).toContain('point-of-entry');
});

test('a case sheet says how many records an earlier release stored that are not joined, and nothing where there are none', async () => {
  const { put, changed, calls, campaigns } = alerts;
  put('c-1', texas(60));
  await changed('c-1');
  const sheet = () => calls.get(TEXAS, '/v1/cases/c-1/sheet');
  expect((await sheet()).volume).not.toHaveProperty('unjoined');
  const { campaign, calls: joined } = campaigns.get('c-1')!;
  campaigns.set('c-1', { campaign, calls: joined.map((one, at) => (at < 7 ? { ...one, isUnjoined: true } : one)) });
  expect(await sheet()).toMatchObject({ volume: { sampledCalls: 60, unjoined: 7 } });
  expect(await calls.file(TEXAS, '/v1/cases/c-1/sheet.md')).toContain(
    '7 records and reports were stored by an earlier',
  );
});

test('an agency and staff are told of a fault that concerns the agency', async () => {
  const fault = { subject: 'demand:d-9', fault: 'demands.holds', title: 'T', summary: 'S' };
  await alerts.hear({ type: 'platform.fault', subject: fault.subject, data: { ...fault, organizationId: 'ag-tx' } });
  const told = { type: 'org.hopback.platform.fault.1', audience: ['itg', 'ag-tx'], data: fault };
  expect(await alerts.context.events()).toMatchObject([told]);
});

test('a provider that leaves requests unanswered is told of once a quarter, to the United States and staff', async () => {
  const { hear, outcomes, inbox } = alerts;
  const said = {
    type: 'provider.responsiveness',
    subject: 'prv-9',
    data: { providerId: 'prv-9', requestId: 'r-1', isNonResponsive: true },
  } as const;
  const add = (): void => {
    const index = outcomes.length;
    outcomes.push({
      ...{ requestId: `r-${index}`, tracebackId: `t-${index}`, providerId: 'prv-9', hop: 2, issuedAtMs: 0, dueAtMs: 1 },
      ...{ state: 'unanswered', isDisputed: false },
    });
  };
  for (let index = 0; index < 4; index += 1) add();
  await hear(said);
  expect(await inbox(FEDERAL)).toEqual([]);
  add();
  await hear(said);
  await hear(said);
  expect((await inbox(FEDERAL)).map(({ kind }) => kind)).toEqual(['provider-non-responsive']);
  expect(await inbox(STAFF)).toHaveLength(1);
  expect(await inbox(TEXAS)).toEqual([]);
});

test('requests that met an outage of the platform, or were contested with reason, are held against no provider', async () => {
  const { hear, outcomes, outages, contests, inbox } = alerts;
  for (let index = 0; index < 12; index += 1)
    outcomes.push({
      ...{ requestId: `r-${index}`, tracebackId: `t-${index}`, providerId: 'prv-9', hop: 2 },
      ...{ issuedAtMs: index * 1_000, dueAtMs: index * 1_000 + 500, state: 'unanswered', isDisputed: false },
    });
  outages.push({ fromMs: 0, toMs: 6_100 });
  contests.set('r-11', 'upheld').set('r-10', 'rejected').set('r-9', 'pending');
  const data = { providerId: 'prv-9', requestId: 'r-1', isNonResponsive: true };
  const said = { type: 'provider.responsiveness', subject: 'prv-9', data } as const;
  await hear(said);
  expect(await inbox(FEDERAL)).toEqual([]);
  contests.delete('r-11');
  await hear(said);
  const [alert] = await inbox(FEDERAL);
  expect(alert.figures).toEqual([
    { name: 'unanswered', value: 5 },
    { name: 'requests', value: 5 },
  ]);
});

test('what people write beside alerts and cases is kept without telephone numbers', async () => {
  const { put, changed, calls, database, inbox } = alerts;
  put('c-1', texas(60));
  await changed('c-1');
  const [alert] = await inbox(TEXAS);
  const note = 'Since 2026-11-17: (512) 684-1041, or five one two six eight four one oh four one.';
  const path = `/v1/alerts/${alert.alertId}/acknowledgement`;
  await calls.post(TEXAS, path, { acknowledgedBy: 'Duty, 512-684-1041', note });
  const { shares } = await calls.post(TEXAS, '/v1/cases/c-1/shares', { with: ['ag-me'], note });
  expect(shares[0].note).toBe('Since 2026-11-17: ([number], or [number].');
  const kept = await database.database.withTables<AlertTables>().selectFrom('alerts_alerts').selectAll().execute();
  // Ids are drawn, and may have the same digits.
  expect(JSON.stringify(kept.map((row) => row.acknowledged))).not.toMatch(/684|six eight four/);
  expect(JSON.stringify(kept)).not.toMatch(/684-1041|six eight four/);
});

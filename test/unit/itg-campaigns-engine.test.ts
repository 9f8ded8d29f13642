import { expect, test } from 'vitest';
import type { CampaignEngine } from '../../harness/src/platform/domain/campaigns/campaign-engine.js';
import type { CampaignFile } from '../../harness/src/platform/domain/campaigns/campaign-file.js';
import { estimatedVolume } from '../../harness/src/platform/domain/campaigns/describe-campaign.js';
import type { LiveRecord } from '../../harness/src/platform/core/index.js';
import type { AppReport } from '../../sdk/src/platform/index.js';
import {
  appReport,
  DUNE,
  liveCall,
  LIVE_START_MS,
  neighbourCalls,
  secondRecords,
  SSA_TRANSCRIPT,
  testEngine,
} from '../support/itg-live-calls.js';

/** Reports of calls at some places. */
const report = (engine: CampaignEngine, from: number, to: number, more: Partial<AppReport> = {}): void => {
  for (let at = from; at < to; at += 1) engine.report('app-1', appReport(at, more), LIVE_START_MS + 60_000);
};

const standing = (engine: CampaignEngine): CampaignFile[] =>
  [...engine.campaigns()].filter(({ mergedInto }) => mergedInto === undefined);

test('twenty calls that show a neighbour of whom they call, with one signer, are one campaign, and it says why', () => {
  const engine = testEngine(neighbourCalls(20));
  const [campaign, ...others] = standing(engine);
  expect(others).toEqual([]);
  expect(campaign?.observedCalls).toBe(20);
  expect(campaign?.callingNumbers.count()).toBe(20);
  expect(Object.fromEntries(campaign?.reasons ?? [])).toMatchObject({ 'neighbour-spoofing': 20 });
  expect([...(campaign?.signers ?? [])]).toEqual([['333C', 20]]);
  expect([...(campaign?.attestations ?? [])]).toEqual([['C', 20]]);
  expect(engine.take()[0]?.changes).toEqual(['found']);
});

test('a call that two carriers record is counted once, whichever record comes first, and both are told', () => {
  const first = neighbourCalls(34);
  const second = secondRecords(first);
  const inTurns = first.flatMap((live, at) => (at % 2 === 0 ? [live, second[at]] : [second[at], live]));
  for (const records of [[...first, ...second], [...second, ...first], inTurns]) {
    const engine = testEngine(records.filter((live) => live !== undefined));
    const [campaign, ...others] = standing(engine);
    expect(others).toEqual([]);
    expect(campaign).toMatchObject({ observedCalls: 34, recordedCalls: 34, bothCalls: 0 });
    expect([...(campaign?.signers ?? [])]).toEqual([['333C', 34]]);
    expect(Object.fromEntries(campaign?.reporters ?? [])).toEqual({ 'prv-1': 34, 'prv-9': 34 });
    expect(engine.take().flatMap(({ calls }) => calls)).toHaveLength(68);
  }
});

test('two calls of a number to an exchange within seconds, by two carriers, are two where they end otherwise', () => {
  const engine = testEngine();
  for (const live of neighbourCalls(20)) {
    engine.record(live);
    engine.record({
      ...{ providerId: 'prv-2', receivedAtMs: live.receivedAtMs },
      record: {
        ...live.record,
        disposition: 'answered',
        answeredAtUs: live.record.inviteAtUs,
        endedAtUs: live.record.inviteAtUs + 3_000_000,
      },
    });
  }
  expect(standing(engine)[0]?.observedCalls).toBe(40);
});

test('neighbours who talk with each other are no campaign', () => {
  const engine = testEngine(neighbourCalls(400, { seconds: 90 }));
  expect(standing(engine)).toEqual([]);
});

test('a burst of one number with full attestation is no campaign, however few answer', () => {
  const engine = testEngine();
  for (let at = 0; at < 3_000; at += 1) {
    const told = at > 100 ? ['fan-out', 'low-answer-ratio'] : [];
    engine.record(liveCall({ at, calling: '12903456789', spc: '101A', told, ...(at % 4 === 0 && { seconds: 3 }) }));
  }
  expect(standing(engine)).toEqual([]);
});

test('calls of two campaigns of one signer that have a third way of calling in common are no third campaign', () => {
  const engine = testEngine();
  const spc = '333C';
  const twenty = Array.from({ length: 20 }, (_none, at) => at);
  for (const live of neighbourCalls(20, { spc })) engine.record(live);
  for (const at of twenty) engine.record(liveCall({ at: 100 + at, spc, attestation: 'C', told: ['do-not-originate'] }));
  expect(standing(engine).map(({ observedCalls }) => observedCalls)).toEqual([20, 20]);
  for (const at of twenty) {
    for (const live of neighbourCalls(1, { from: 200 + at, spc, told: ['sequential-dialling'] })) engine.record(live);
    const told = ['do-not-originate', 'sequential-dialling'];
    engine.record(liveCall({ at: 300 + at, spc, attestation: 'C', told }));
  }
  expect(standing(engine).map(({ observedCalls }) => observedCalls)).toEqual([40, 40]);
});

test('what the carrier saw before it veiled numbers holds calls together: dialling one after the other', () => {
  const engine = testEngine();
  for (let at = 0; at < 25; at += 1) engine.record(liveCall({ at, told: ['sequential-dialling'] }));
  expect([...(standing(engine)[0]?.reasons.keys() ?? [])]).toContain('sequential-dialling');
});

test('five reports of the same swindle are a campaign with a name in the style of the traceback group', () => {
  const engine = testEngine();
  report(engine, 0, 5);
  const [campaign] = standing(engine);
  expect(campaign?.name).toMatch(/^SSA/);
  expect(campaign?.kind).toBe('government-impersonation');
  expect(campaign?.observedCalls).toBe(5);
  expect(Object.fromEntries(campaign?.reasons ?? [])).toMatchObject({ 'same-script': 5 });
  const counts = { recorded: 0, reported: 5, both: 0 };
  expect(campaign && estimatedVolume(campaign)).toEqual({ calls: 5, basis: 'observed', ...counts });
});

test('many reports of a school that calls from its own number are no campaign', () => {
  const engine = testEngine();
  const text =
    'Hello, this is a message from your school district. Due to the weather all schools will be closed tomorrow. Thank you.';
  const verstat = 'TN-Validation-Passed';
  report(engine, 0, 60, { calling: '12903456789', verstat, reason: 'calling-pattern', transcript: { text } });
  expect(standing(engine)).toEqual([]);
});

test('equal recordings of one method are one campaign, and are not compared with those of another', () => {
  const engine = testEngine();
  const heard = (at: number, algorithm: string) =>
    appReport(at, {
      transcript: { text: at % 2 === 0 ? SSA_TRANSCRIPT : 'press one' },
      audioFingerprint: { algorithm, value: 'AQIDBA==', durationMs: 9_000 },
    });
  for (let at = 0; at < 8; at += 1) engine.report('app-1', heard(at, 'chromaprint-2'), LIVE_START_MS);
  engine.report('app-1', heard(9, 'other-1'), LIVE_START_MS);
  expect(standing(engine)).toHaveLength(1);
  expect(standing(engine)[0]?.observedCalls).toBe(8);
});

test('a report and the record of the same call are one call, and have the script be the campaign by way of calling', () => {
  const records = neighbourCalls(40);
  const engine = testEngine(records);
  const [found] = standing(engine);
  for (const [at, live] of records.slice(-8).entries()) {
    const called = live.record.called as { readonly npaNxx: string };
    const { tn } = live.record.calling as { readonly tn: string };
    const calledAt = new Date(live.record.inviteAtUs / 1_000).toISOString();
    const shown = { shown: 'number', tn: `1${called.npaNxx}${String(7_000 + at)}` } as const;
    engine.report('app-1', appReport(at, { calling: tn, calledAt, called: shown }), LIVE_START_MS + 60_000);
  }
  const [campaign, ...others] = standing(engine);
  expect(others).toEqual([]);
  expect(campaign?.campaignId).toBe(found?.campaignId);
  expect(campaign?.name).toMatch(/^SSA/);
  expect(campaign).toMatchObject({ observedCalls: 40, recordedCalls: 40, reportedCalls: 8, bothCalls: 8 });
  const counts = { recorded: 40, reported: 8, both: 8 };
  expect(campaign && estimatedVolume(campaign)).toEqual({ calls: 40, basis: 'capture-recapture', ...counts });
});

test('a campaign without calls for four hours is dormant, after thirty days closed, and live with the next calls', () => {
  const engine = testEngine(neighbourCalls(20));
  const hourMs = 3_600_000;
  engine.tick(LIVE_START_MS + 3 * hourMs);
  expect(standing(engine)[0]?.standing.state).toBe('live');
  engine.tick(LIVE_START_MS + 5 * hourMs);
  expect(standing(engine)[0]?.standing).toMatchObject({ state: 'dormant', because: 'no-calls' });
  engine.take();
  for (const live of neighbourCalls(20, { from: 6 * 18_000 })) engine.record(live);
  expect(standing(engine)[0]?.standing.state).toBe('live');
  expect(engine.take()[0]?.changes).toEqual(['live']);
  engine.tick(LIVE_START_MS + 20 * hourMs);
  engine.tick(LIVE_START_MS + 32 * 24 * hourMs);
  expect(standing(engine)[0]?.standing).toMatchObject({ state: 'closed', because: 'silent-for-long' });
});

test('what an analyst marks as lawful is counted, and not raised again', () => {
  const engine = testEngine(neighbourCalls(20));
  const campaignId = standing(engine)[0]?.campaignId ?? '';
  engine.take();
  engine.decide({ kind: 'lawful', campaignId, atMs: LIVE_START_MS });
  for (const live of neighbourCalls(200, { from: 100 })) engine.record(live);
  expect(standing(engine)).toHaveLength(1);
  expect(standing(engine)[0]?.standing).toMatchObject({ state: 'closed', because: 'lawful' });
  expect(engine.take().flatMap(({ changes }) => changes)).toEqual([]);
});

test('campaigns that an analyst merged stay one, with the calls to come of both', () => {
  const engine = testEngine([...neighbourCalls(20), ...neighbourCalls(20, { from: 500, ...DUNE })]);
  const [first, second] = standing(engine);
  expect(second).toBeDefined();
  const ids = { campaignId: second?.campaignId ?? '', into: first?.campaignId ?? '' };
  expect(engine.decide({ kind: 'merge', ...ids, atMs: LIVE_START_MS }).status).toBe('done');
  for (const live of neighbourCalls(10, { from: 600, ...DUNE })) engine.record(live);
  expect(standing(engine)).toHaveLength(1);
  expect(standing(engine)[0]?.observedCalls).toBe(50);
  expect(engine.campaign(ids.campaignId)?.campaignId).toBe(ids.into);
});

test('a script that an analyst split off stays a campaign of its own', () => {
  const engine = testEngine();
  const other =
    'Hello this is Amazon support, your order of an iPhone for 900 dollars was charged. Press one to cancel this order.';
  for (let at = 0; at < 8; at += 1) {
    const audioFingerprint = { algorithm: 'chromaprint-2', value: 'AQIDBA==', durationMs: 9_000 };
    const text = at % 2 === 0 ? SSA_TRANSCRIPT : other;
    engine.report('app-1', appReport(at, { transcript: { text, language: 'en' }, audioFingerprint }), LIVE_START_MS);
  }
  const [campaign] = standing(engine);
  const key = [...(campaign?.keys ?? [])].find(
    ([, { kind, ...rest }]) => kind === 'script' && JSON.stringify(rest).includes('Amazon'),
  );
  const done = engine.decide({
    ...{ kind: 'split', campaignId: campaign?.campaignId ?? '', keys: [key?.[0] ?? ''], atMs: LIVE_START_MS },
  });
  expect(done.status).toBe('done');
  expect(standing(engine)).toHaveLength(2);
  report(engine, 20, 26, { transcript: { text: other, language: 'en' } });
  expect(standing(engine)).toHaveLength(2);
  expect(standing(engine)[1]?.observedCalls).toBe(6);
});

test('no two campaigns have the same name', () => {
  const engine = testEngine(neighbourCalls(20));
  report(engine, 500, 506);
  const rename = (file: CampaignFile | undefined) =>
    engine.decide({ kind: 'rename', campaignId: file?.campaignId ?? '', name: 'Cedar-Neighbours' });
  const [first, second] = standing(engine);
  expect(rename(first).status).toBe('done');
  expect(rename(second)).toEqual({ status: 'refused', reason: 'name-taken' });
});

test('a single number that calls one exchange ten times a second is joined hop by hop, however late the second carrier sends', () => {
  const engine = testEngine();
  const calls = Array.from({ length: 300 }, (_none, at) => {
    const called = `1390456${String(1_000 + at)}`;
    const seconds = at % 3 === 0 ? 2 : undefined;
    return liveCall({
      ...{ at, atMs: LIVE_START_MS + at * 100, calling: '12903459999', called, spc: '333C', attestation: 'C' },
      told: ['do-not-originate'],
      ...(seconds !== undefined && { seconds }),
    });
  });
  for (const live of calls) engine.record(live);
  for (const live of calls) engine.record({ ...live, providerId: 'prv-2', receivedAtMs: live.receivedAtMs + 600_000 });
  const rows = engine.take().flatMap(({ calls: told }) => told);
  const placed = new Map(rows.map(({ callId, placedCallId }) => [callId, placedCallId]));
  const total = standing(engine).reduce((sum, { observedCalls }) => sum + observedCalls, 0);
  expect(rows.length).toBeGreaterThan(400);
  expect(total).toBe(new Set(placed.values()).size);
  expect(total).toBe(new Set(rows.map(({ recordId }) => recordId)).size);
});

test('a record that ties two calls together makes them one, in all figures, and what follows is of that one', () => {
  const engine = testEngine();
  const links = (at: number) => ({ near: `near-${String(at)}`, far: `far-${String(at)}` });
  const veiled = (live: LiveRecord): NonNullable<LiveRecord['record']['calling']> => ({
    ...{ shown: 'pseudonym', pseudonym: live.record.recordId },
    npaNxx: (live.record.called as { readonly npaNxx: string }).npaNxx,
  });
  const calls = neighbourCalls(30);
  const hop = (at: number, providerId: string, callIds: { in?: string; out?: string }): LiveRecord => {
    const live = calls[at] as LiveRecord;
    const { record } = live;
    return {
      ...{ ...live, providerId },
      record: {
        ...record,
        // Nobody shows the caller: nothing but Call-IDs says that these are one call.
        calling: veiled(live),
        ingress: { ...record.ingress, ...(callIds.in !== undefined && { callId: callIds.in }) },
        egress: { ...(callIds.out !== undefined && { callId: callIds.out }) },
      },
    };
  };
  for (const at of calls.keys()) {
    engine.record(hop(at, 'prv-last', { in: links(at).near }));
    engine.record(hop(at, 'prv-first', { out: links(at).far }));
  }
  const total = (): number => standing(engine).reduce((sum, { observedCalls }) => sum + observedCalls, 0);
  expect(total()).toBe(60);
  for (const at of calls.keys()) engine.record(hop(at, 'prv-between', { in: links(at).far, out: links(at).near }));
  // A second leg of the last carrier's switch.
  for (const at of calls.keys()) {
    const leg = hop(at, 'prv-last', {});
    engine.record({ ...leg, record: { ...leg.record, recordId: `leg-${String(at)}` } });
  }
  expect(total()).toBe(30);
  const [campaign] = standing(engine);
  expect(campaign).toMatchObject({ observedCalls: 30, carrierRecords: 120, recordedCalls: 30, bothCalls: 0 });
  expect(Object.fromEntries(campaign?.reporters ?? [])).toEqual({ 'prv-last': 30, 'prv-first': 30, 'prv-between': 30 });
  expect([...(campaign?.areas.values() ?? [])]).toEqual([30]);
  const rows = new Map(engine.take().flatMap(({ calls: told }) => told.map((one) => [one.callId, one.placedCallId])));
  expect([rows.size, new Set(rows.values()).size]).toEqual([120, 30]);
});

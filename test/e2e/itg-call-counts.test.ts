import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import type { Alert, Campaign, Production } from '../../sdk/src/platform/index.js';
import { countTruth, planEvidence, plannedRecord, plannedReport } from '../support/itg-planned-evidence.js';
import { STORY_PROVIDERS } from '../support/itg-story-calls.js';
import type { StoryName } from '../support/itg-story-calls.js';
import { demandOf, fetchProduction, PATIENT, producedUnder } from '../support/itg-story-steps.js';
import { SHARES_VEILED, SHARES_WHOLE, startStoryWorld } from '../support/itg-story-world.js';
import type { StoryWorld } from '../support/itg-story-world.js';

// Carriers on the way of a call each have a record of it, and an application may report it. Every figure that agencies and courts see counts the
// calls that were placed, which is known here from the plan alone.

/** Tuesday 10:30 in New York. */
const START_MS = Date.UTC(2026, 10, 17, 15, 30);
const PATIENCE_MS = 300_000;
const SEED = 20_261;

const PLANNED = planEvidence(SEED, 80, START_MS - 8 * 60_000);
const TRUTH = countTruth(PLANNED);
const BASE = { carrierRecords: TRUTH.carrierRecords, appReports: TRUTH.appReports };
/** How texts name the base of a figure. */
const WITH_BASE = `${TRUTH.calls} calls (${TRUTH.carrierRecords} carrier records, ${TRUTH.appReports} app reports)`;

let world: StoryWorld;
let campaign: Campaign;
let alerts: readonly Alert[];
let production: Production;
let folder: string;
beforeAll(async () => {
  world = await startStoryWorld({ startMs: START_MS, shares: { birch: SHARES_VEILED, cedar: SHARES_WHOLE } });
  folder = join(world.directory, 'production');
}, PATIENCE_MS);
afterAll(() => world[Symbol.asyncDispose](), PATIENCE_MS);

const staff = () => world.story.operator;
const texas = () => world.members.texas.client;
const ofFile = (name: string): Promise<string> => readFile(join(folder, name), 'utf8');
const sum = (values: readonly number[]): number => values.reduce((total, value) => total + value, 0);

/** A column of a table, as numbers. */
const column = async (file: string, name: string): Promise<readonly number[]> => {
  const [head = '', ...lines] = (await ofFile(file)).trimEnd().split('\r\n');
  const at = head.split(',').indexOf(name);
  expect([file, head.split(',')]).toEqual([file, expect.arrayContaining([name])]);
  return lines.map((line) => Number(line.split(',')[at]));
};

test(
  'the campaign counts each placed call once, and says how many records and reports that rests on',
  async () => {
    // Nobody is told before everything has come: an alert states the figures of its moment.
    for (const [ruleId, kind, severity] of [
      ['default-live', 'live-campaign', 'urgent'],
      ['default-suspected', 'campaign-suspected', 'warning'],
    ] as const) {
      const rule = {
        ...{ ruleId, kind, severity, isEnabled: true, mustBeLive: false, minCalls: TRUTH.calls, minCallsPerMinute: 0 },
        ...{ types: [], minShare: 0, minCallsThere: 1, agencyIds: [] },
      };
      await world.story.ask(staff(), 'putAlertRule', { parameters: { ruleId }, body: rule });
    }
    // Records and reports in turns, none in the order of the calls.
    const later = PLANNED.filter(({ call }) => call.index % 3 === 0);
    const first = PLANNED.filter((one) => !later.includes(one));
    for (const part of [first, later]) {
      for (const [name, carrier] of Object.entries(world.carriers)) {
        const isArriving = (one: (typeof PLANNED)[number]): boolean =>
          one.recordedBy.includes(name as StoryName) || name === 'dune';
        await carrier.hear(part.filter(isArriving).flatMap((one) => plannedRecord(one, name as StoryName) ?? []));
      }
      for (const one of part.toReversed())
        if (one.isReported) await world.members.guard.client.appReports.create(plannedReport(one));
    }
    const found = async () => (await staff().campaigns.list({})).items;
    await expect
      .poll(async () => (await found()).map(({ estimatedVolume }) => estimatedVolume?.reported), PATIENT)
      .toEqual([TRUTH.reported]);
    [campaign] = (await found()) as [Campaign];
    expect(campaign).toMatchObject({ observedCalls: TRUTH.calls, ...BASE });
    const { recorded, reported, both } = TRUTH;
    expect(campaign.estimatedVolume).toMatchObject({ recorded, reported, both });
    expect(sum((campaign.calledAreas ?? []).map(({ calls }) => calls))).toBe(TRUTH.calls);
    expect(sum((campaign.attestations ?? []).map(({ calls }) => calls))).toBe(TRUTH.recorded);
    expect(campaign.description).toContain(WITH_BASE);
  },
  PATIENCE_MS,
);

test(
  'the alert and the case sheet state the same calls',
  async () => {
    await expect.poll(async () => (await texas().alerts.list({})).items.length, PATIENT).toBe(2);
    alerts = (await texas().alerts.list({})).items;
    for (const { summary, figures } of alerts) {
      expect(summary).toContain(WITH_BASE);
      expect(summary).toContain(`${TRUTH.calls} of the newest ${TRUTH.calls} calls`);
      const named = Object.fromEntries(figures.map(({ name, value }) => [name, value]));
      expect(named).toMatchObject({
        ...{ 'observed-calls': TRUTH.calls, 'calls-in-jurisdiction': TRUTH.calls, 'share-in-jurisdiction': 1 },
        ...{ 'carrier-records': TRUTH.carrierRecords, 'app-reports': TRUTH.appReports },
      });
    }
    const parameters = { campaignId: campaign.campaignId };
    interface Sheet {
      readonly volume: { readonly perHour: readonly { readonly calls: number }[] };
      readonly signers: readonly { readonly calls: number }[];
      readonly unsigned: number;
    }
    const sheet = await world.story.ask<Sheet>(texas(), 'fetchCaseSheet', { parameters });
    expect(sheet).toMatchObject({
      volume: { observedCalls: TRUTH.calls, sampledCalls: TRUTH.calls, ...BASE },
      jurisdictions: [{ jurisdiction: 'US-TX', calls: TRUTH.calls, share: 1 }],
      elsewhere: 0,
    });
    expect(sum(sheet.volume.perHour.map(({ calls }) => calls))).toBe(TRUTH.calls);
    expect(sum(sheet.signers.map(({ calls }) => calls))).toBe(TRUTH.recorded);
    expect(sheet.unsigned).toBe(TRUTH.calls - TRUTH.recorded);
    const text = Buffer.from(await world.story.ask<Uint8Array>(texas(), 'fetchCaseSheetText', { parameters }));
    expect(text.toString('utf8')).toContain(`- ${WITH_BASE} observed`);
  },
  PATIENCE_MS,
);

test(
  'the review of a demand, the package for a court and each of its tables count the same calls',
  async () => {
    const counsel = world.members.reviewer.client;
    const { demandId } = await demandOf(texas(), {
      recordClasses: ['traceback-records', 'call-records', 'app-reports'],
      ...{ from: '2026-11-17T00:00:00Z', to: '2026-11-18T00:00:00Z', campaignIds: [campaign.campaignId] },
    });
    const parameters = { demandId };
    const checklist = await world.story.ask<unknown>(counsel, 'fetchDemandChecklist', { parameters });
    expect(checklist).toMatchObject({
      reach: { 'call-records': { items: TRUTH.carrierRecords }, 'app-reports': { items: TRUTH.appReports } },
      calls: { calls: TRUTH.calls, ...BASE, isAtLeast: false },
    });
    await counsel.demands.decide({ demandId, decision: 'approve', reason: 'In order.' });
    production = await producedUnder(texas(), demandId);
    await fetchProduction(texas(), production, folder);
    const gathered = JSON.parse(await ofFile('restraint-package.json')) as {
      readonly volume: {
        readonly notAnswered: { readonly calls: number };
        readonly withoutDuration: { readonly calls: number };
        readonly byDuration: readonly { readonly calls: number }[];
      };
      readonly latest: readonly unknown[];
    };
    const { recorded, reported, both, notAnswered } = TRUTH;
    expect(gathered.volume).toMatchObject({ calls: TRUTH.calls, ...BASE, recorded, reported, both });
    const { byDuration, ...rest } = gathered.volume;
    expect(rest.notAnswered.calls).toBe(notAnswered);
    expect(rest.withoutDuration.calls).toBe(0);
    expect(sum(byDuration.map(({ calls }) => calls))).toBe(TRUTH.calls - notAnswered);
    expect(gathered.latest).toHaveLength(Math.min(40, TRUTH.calls));
    for (const file of ['restraint-durations.csv', 'restraint-days.csv', 'restraint-hours.csv']) {
      const columns = ['calls', 'carrier_records', 'app_reports'];
      const sums = await Promise.all(columns.map(async (name) => sum(await column(file, name))));
      expect([file, ...sums]).toEqual([file, TRUTH.calls, TRUTH.carrierRecords, TRUTH.appReports]);
    }
  },
  PATIENCE_MS,
);

test(
  'scorecards and the yearly report name of how many calls their requests are',
  async () => {
    const { providerId } = STORY_PROVIDERS.alder;
    const scorecard = await texas().providers.scorecard({ providerId });
    const counted = await world.story.ask<{ items: readonly { tracebackId: string }[] }>(
      ...([texas(), 'listCountedRequests', { parameters: { providerId } }] as const),
    );
    const calls = new Set(counted.items.map(({ tracebackId }) => tracebackId)).size;
    expect(calls).toBeGreaterThan(0);
    expect(scorecard).toMatchObject({ requests: { received: counted.items.length }, tracedCalls: calls });
    const parameters = { name: 'participation-2026.json' };
    const report = JSON.parse(
      Buffer.from(await world.story.ask<Uint8Array>(staff(), 'fetchParticipationReport', { parameters })).toString(),
    ) as { readonly providers: readonly { readonly providerId: string; readonly tracedCalls: number }[] };
    expect(report.providers.find((one) => one.providerId === providerId)?.tracedCalls).toBe(calls);
  },
  PATIENCE_MS,
);

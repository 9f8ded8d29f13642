import { expect, test } from 'vitest';
import type { CampaignEngine } from '../../harness/src/platform/domain/campaigns/campaign-engine.js';
import type { LiveRecord } from '../../harness/src/platform/core/index.js';
import type { AppReport } from '../../sdk/src/platform/index.js';
import { appReport, liveCall, LIVE_START_MS, neighbourCalls, testEngine } from '../support/itg-live-calls.js';

// Callers with every right who are like campaigns in one thing, and campaigns that are like them in all others.

/** Seconds of calls, one after the other; undefined where nobody answers. */
type Endings = readonly (number | undefined)[];
const PEOPLE: Endings = [undefined, 90, undefined, 20, 120, undefined, 3, 80, undefined, 20];
const DEALINGS: Endings = [20, undefined, 15, 20, 3, undefined, 30, 18, undefined, 25];
const RECORDING: Endings = [undefined, undefined, 2, undefined, undefined, 4, undefined, undefined, 15, undefined];

function engineWith(records: readonly LiveRecord[], reports: readonly AppReport[] = []): CampaignEngine {
  const engine = testEngine(records);
  for (const report of reports) engine.report('app-1', report, LIVE_START_MS + 3_600_000);
  return engine;
}

const found = (records: readonly LiveRecord[], reports: readonly AppReport[] = []): readonly string[] =>
  [...engineWith(records, reports).campaigns()].map(({ name }) => name);

/** Fields that only those have that are so: an answered call has seconds. */
const ending = (endings: Endings, at: number): { readonly seconds?: number } => {
  const seconds = endings[at % endings.length];
  return seconds === undefined ? {} : { seconds };
};

const unsuspected = (count: number, of: (at: number) => Partial<Parameters<typeof liveCall>[0]>): LiveRecord[] =>
  Array.from({ length: count }, (_, at) => liveCall({ at, isSuspected: false, ...of(at) }));

const reported = (count: number, of: (at: number) => Partial<AppReport>): AppReport[] =>
  Array.from({ length: count }, (_, at) => appReport(at, { verstat: 'TN-Validation-Passed', ...of(at) }));

test('numbers that are lent out of a large pool, whose calls are taken, are no campaign; those whose calls end as recordings do are one', () => {
  const pool = { spc: '440M', upstream: 'Programmable', trunk: 'programmable' };
  expect(found(unsuspected(3_000, (at) => ({ ...pool, ...ending(DEALINGS, at) })))).toEqual([]);
  expect(found(unsuspected(3_000, (at) => ({ ...pool, ...ending(RECORDING, at) })))).toEqual(['Unidentified-Snowshoe']);
});

test('of who calls from ever new numbers half of the calls are enough where the signer was never heard of', () => {
  const before = unsuspected(1_000, (at) => ({ spc: '909N', upstream: 'Nine', ...ending(PEOPLE, at) }));
  const calls = (count: number, by: { readonly spc: string; readonly upstream: string }): LiveRecord[] => [
    ...before,
    ...unsuspected(count, (at) => ({ ...by, at: 1_000 + at, trunk: 'trunk-2', ...ending(RECORDING, at) })),
  ];
  const stranger = { spc: '707S', upstream: 'Seven' };
  expect(found(calls(30, stranger))).toEqual(['Unidentified-Snowshoe']);
  expect(found(calls(30, { spc: '909N', upstream: 'Nine' }))).toEqual([]);
  expect(found(calls(60, { spc: '909N', upstream: 'Nine' }))).toEqual(['Unidentified-Snowshoe']);
  // To be new is no reason to be watched.
  expect(engineWith(calls(8, stranger)).watched(10)).toEqual([]);
});

test('a hospital that calls next door is talked with, and no campaign; a recording that shows neighbours is one', () => {
  const neighbours = (endings: Endings): LiveRecord[] =>
    Array.from({ length: 1_000 }, (_, at) =>
      neighbourCalls(1, { from: at, isSuspected: false, ...ending(endings, at) }),
    ).flat();
  expect(found(neighbours(PEOPLE))).toEqual([]);
  expect(found(neighbours(RECORDING))).toEqual(['Unidentified-NeighbourSpoof']);
});

test('an exchange that shows a number that cannot be is no campaign while people talk with it', () => {
  const wrong = (endings: Endings): LiveRecord[] =>
    unsuspected(600, (at) => ({ calling: '12900456789', upstream: 'Wholesale', ...ending(endings, at) }));
  expect(found(wrong(PEOPLE))).toEqual([]);
  expect(found(wrong(RECORDING))).toEqual(['Unidentified-InvalidNumber']);
  // Two thirds of the calls with such numbers are the exchange's, the others a campaign's by the same provider.
  const mixed = wrong(PEOPLE).map((live, at) =>
    at % 3 === 0
      ? liveCall({
          ...{ at, isSuspected: false, upstream: 'Wholesale', ...ending(RECORDING, at / 3) },
          calling: `12900${String(100_000 + at)}`,
        })
      : live,
  );
  expect(found(mixed)).toEqual(['Unidentified-InvalidNumber']);
});

test('numbers that cannot be and come again, of many carriers, neither hide a campaign by the same provider nor count for it', () => {
  const wrong = (at: number): string => `129004567${String(10 + (at % 30))}`;
  const calls = unsuspected(1_200, (at) => ({
    upstream: 'Wholesale',
    // A third of the calls with such numbers, once all of the others are known.
    ...(at >= 600 && at % 3 === 0
      ? { calling: `12900${String(100_000 + at)}`, ...ending(RECORDING, at / 3) }
      : { calling: wrong(at), ...ending(PEOPLE, at) }),
  }));
  const engine = engineWith(calls);
  const [campaign, ...others] = [...engine.campaigns()];
  expect(others).toEqual([]);
  expect(campaign).toMatchObject({ name: 'Unidentified-InvalidNumber', observedCalls: 200 });
});

test('a county that calls number by number from its own number is no campaign; who does so from ever other numbers is', () => {
  const told = ['sequential-dialling'];
  const rows = (own: boolean): LiveRecord[] =>
    Array.from({ length: 60 }, (_, at) =>
      liveCall({ at, told, spc: '330E', attestation: 'A', ...(own && { calling: '12903456789' }) }),
    );
  expect(found(rows(true))).toEqual([]);
  expect(found(rows(false))).toEqual(['Unidentified-SequentialDial']);
});

test('a carrier that shares all, and two in three calls of which are suspected for a while, is not taken for one that shares suspected calls alone', () => {
  const calls = Array.from({ length: 900 }, (_, at) =>
    at % 3 === 0
      ? liveCall({ at, isSuspected: false, calling: '12900456789', upstream: 'Wholesale', ...ending(PEOPLE, at / 3) })
      : liveCall({
          ...{ at, told: ['sequential-dialling'], spc: '330E', attestation: 'A' },
          ...{ calling: '12903456789', trunk: 'notify' },
        }),
  );
  expect(found(calls)).toEqual([]);
});

test('a parcel service that many report from its few signed numbers is no campaign, unless they say that it was a robocall', () => {
  const text = 'Hello, your package will be delivered today between nine and noon. To change your delivery press one.';
  const notices = (reason: AppReport['reason']): AppReport[] =>
    reported(60, (at) => ({ calling: `1290345100${String(at % 4)}`, reason, transcript: { text } }));
  expect(found([], notices('calling-pattern'))).toEqual([]);
  expect(found([], notices('content'))).toHaveLength(1);
});

test('each branch of a chain has a number that called before: one script from all of them is no campaign', () => {
  const text =
    'Hi, this is Sunny Home Energy with the solar program for homeowners. If you own your home you may qualify.';
  const branch = (at: number): string => `1290345${String(1_000 + (at % 40))}`;
  const calls = unsuspected(1_200, (at) => ({ calling: branch(at), ...ending(PEOPLE, at) }));
  const calledAt = new Date(LIVE_START_MS + 240_000).toISOString();
  const heard = (calling: (at: number) => string): AppReport[] =>
    reported(30, (at) => ({ calling: calling(at), calledAt, reason: 'calling-pattern', transcript: { text } }));
  expect(found(calls, heard(branch))).toEqual([]);
  const others = heard((at) => `1390777${String(1_000 + at)}`);
  expect(found(calls, others)).toHaveLength(1);
});

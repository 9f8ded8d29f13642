import { expect, test } from 'vitest';
import type { CallRecord, CoverageInterval } from '../../sdk/src/contract/call-record.js';
import { createRowCoverage } from '../../sdk/src/records/ingest/row-intake.js';
import type { CoverageState, RowCoverageOptions } from '../../sdk/src/records/ingest/row-intake.js';
import { coverageGaps, coverageWith } from '../../sdk/src/records/store/record-store.js';
import { NOON_US, sparseRecord } from '../support/stored-records.js';

const MINUTE_US = 60_000_000;
const HOUR_US = 60 * MINUTE_US;

test('rows of the hour that comes twice cover from the later instant of the first to the earlier one of the last', () => {
  const coverage = createRowCoverage({ sourceId: 'sbc-1', longestCallMs: 60_000 });
  const row = (legId: string, atUs: number, otherInviteAtUs: number | undefined): void =>
    coverage.saw(
      sparseRecord(legId, atUs, {
        time: {
          ...{ written: 'local', resolutionUs: 1 },
          ...(otherInviteAtUs === undefined ? {} : { otherInviteAtUs }),
        },
      }),
    );
  row('first', NOON_US, NOON_US + HOUR_US);
  expect(coverage.claims()).toEqual([]);
  for (let minute = 60; minute < 180; minute += 30) row(`plain ${minute}`, NOON_US + minute * MINUTE_US, undefined);
  const lastUs = NOON_US + 180 * MINUTE_US;
  row('last', lastUs, lastUs - HOUR_US);
  expect(coverage.claims()).toEqual([
    { sourceId: 'sbc-1', fromUs: NOON_US + HOUR_US, toUs: NOON_US + 150 * MINUTE_US - MINUTE_US },
  ]);
});

const SECOND_US = 1_000_000;
const written = (us: number): CallRecord => sparseRecord(`leg ${us}`, us);

/** Rows every so many seconds of two stretches, with nothing between them. */
function twoStretches(everySeconds: number, silentSeconds: number, options: Partial<RowCoverageOptions> = {}) {
  const make = (state?: CoverageState) =>
    createRowCoverage({ sourceId: 'sbc-1', longestCallMs: 1_000, ...options }, state);
  let coverage = make();
  for (let row = 0; row < 200; row += 1) coverage.saw(written(NOON_US + row * everySeconds * SECOND_US));
  const lastUs = NOON_US + 199 * everySeconds * SECOND_US;
  const before = coverage.claims();
  coverage = make(coverage.state());
  const nextUs = lastUs + silentSeconds * SECOND_US;
  for (let row = 0; row < 200; row += 1) coverage.saw(written(nextUs + row * everySeconds * SECOND_US));
  const all = [...before, ...coverage.claims()].reduce<readonly CoverageInterval[]>(coverageWith, []);
  return { stretches: all.length, gap: coverageGaps(all, { fromUs: lastUs, toUs: nextUs }) };
}

test.each([
  ['a row a second, quarter of an hour missing', 1, 900, 2],
  ['a row a second, four minutes without a row', 1, 240, 1],
  ['a row in ten seconds, quarter of an hour without a row', 10, 900, 1],
  ['a row in ten seconds, half an hour missing', 10, 1_800, 2],
  ['a row in a minute, fifty minutes without a row', 60, 3_000, 1],
  ['a row in a minute, an hour and a minute missing', 60, 3_660, 2],
])('silence is judged by the pace of a source, over a restart too: %s', (_what, every, silent, stretches) => {
  const { stretches: found, gap } = twoStretches(every, silent);
  expect(found).toBe(stretches);
  expect(gap).toHaveLength(stretches - 1);
});

test('silence that the carrier has declared is borne, whatever the pace', () => {
  expect(twoStretches(1, 3_000, { longestSilenceMs: 3_600_000 }).stretches).toBe(1);
});

test('rows that come late, and one from a clock that is ahead, break nothing', () => {
  const coverage = createRowCoverage({ sourceId: 'sbc-1', longestCallMs: 1_000 });
  for (let row = 0; row < 1_000; row += 1) {
    const atUs = NOON_US + row * SECOND_US;
    coverage.saw(written(row % 3 === 0 ? atUs - 1_200 * SECOND_US : atUs));
    if (row === 500) coverage.saw(written(atUs + 1_800 * SECOND_US));
  }
  const lastUs = NOON_US + 998 * SECOND_US;
  expect(coverage.claims()).toMatchObject([{ toUs: lastUs - SECOND_US }]);
});

import { expect, test } from 'vitest';
import { createRowCoverage } from '../../sdk/src/records/ingest/row-coverage.js';
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

import { columnFormat, columnTimes } from '../../sdk/src/records/ingest/formats/column-format.js';
import {
  addReleaseCause,
  dispositionOfQ850,
  nameOf,
  rejectedRow,
  skippedRow,
} from '../../sdk/src/records/ingest/formats/leg.js';
import type { MadeRelease } from '../../sdk/src/records/ingest/formats/leg.js';

/** Up to the cause. */
const LEAST_COLUMNS = 9;

/**
 * Example switch, release 4: `calls-YYYYMMDD.csv`, one row a leg, local times. Rows of type `I` are interim: a row of type `F` follows.
 * @see Example Switch Operations Manual, chapter 7
 */
export const createExampleSwitchReader = columnFormat({
  version: 1,
  framing: 'csv',
  columns: { type: 0, id: 1, start: 2, answer: 3, end: 4, caller: 5, dialled: 6, trunk_in: 7, cause: 8, trunk_out: 9 },
  layout: { separator: ';' },
  trims: true,
  refuse: (cell, { count }) => {
    if (cell('type') === 'type') return skippedRow('header');
    if (cell('type') === 'I') return skippedRow('interim');
    if (count < LEAST_COLUMNS) return rejectedRow('too-few-fields', `${count} columns, which end before the cause`);
    return cell('id') === '' ? rejectedRow('missing-field', 'a leg without it', 'id') : undefined;
  },
  times: columnTimes({ layout: 'date-time', start: 'start', answer: 'answer', end: 'end' }),
  leg: (cell, { answeredAtUs }) => {
    const release: MadeRelease = {};
    addReleaseCause(release, cell('cause'));
    // `CALL/LEG`: the legs of a call have the first part in common.
    const [call = ''] = cell('id').split('/', 1);
    return {
      legId: cell('id'),
      callGroupId: call,
      calling: cell('caller'),
      called: cell('dialled'),
      ingress: { trunk: nameOf(cell('trunk_in')) },
      egress: { trunk: nameOf(cell('trunk_out')) },
      disposition: answeredAtUs === undefined ? dispositionOfQ850(release.q850Cause) : 'answered',
      release,
    };
  },
});

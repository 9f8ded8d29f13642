import { expect, test } from 'vitest';
import { readComplaint } from '../../harness/src/platform/domain/records/read-complaint.js';
import { RECORDS_ROUTES } from '../../harness/src/platform/records/records-routes.js';
import { RECORDS_SCHEMAS } from '../../harness/src/platform/records/records-bodies.js';
import { WIRE_SCHEMAS } from '../../sdk/src/platform/index.js';
import { SAMPLES_MS } from '../support/itg-live-records.js';
import { openRecordsLab } from '../support/itg-records-area.js';
import { recordsClaims } from '../support/itg-records-claims.js';

recordsClaims(openRecordsLab);

test.each([
  ['2026-09-20', '', '2026-09-20T12:00:00.000Z'],
  ['2026-09-20 23:59:58', '', '2026-09-20T23:59:58.000Z'],
  ['2026-09-20T01:02:03.000Z', '', '2026-09-20T01:02:03.000Z'],
  ['9/2/2026', '12:05 a.m.', '2026-09-02T00:05:00.000Z'],
  ['9/2/2026 12:05 PM', '', '2026-09-02T12:05:00.000Z'],
])('reads the date %s with the time "%s"', (date, time, expected) => {
  const fields = { date, time, callerNumber: '', type: '', subject: '', state: '', comment: '', id: '' };
  const reading = readComplaint(fields, { fromMs: 0, nowMs: SAMPLES_MS * 2 });
  expect(reading.status === 'read' && new Date(reading.complaint.atMs).toISOString()).toBe(expected);
});

test('every route of operators has its operation and the schemas of its bodies', async () => {
  await using lab = await openRecordsLab();
  for (const { operationId, request, response } of RECORDS_ROUTES) {
    expect(lab.area.operations[operationId]).toBeTypeOf('function');
    const bodies = [
      request?.kind === 'json' ? request.body : undefined,
      response.kind === 'json' ? response.body : undefined,
    ];
    for (const body of bodies)
      if (body !== undefined) expect(body in RECORDS_SCHEMAS || body in WIRE_SCHEMAS).toBe(true);
  }
});

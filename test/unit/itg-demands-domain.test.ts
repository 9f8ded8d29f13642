import { expect, test } from 'vitest';
import {
  appReportRow,
  authoritiesIn,
  classesBeyond,
  comparableNumber,
  csvLine,
  gatherRestraintPackage,
  offsetInstant,
  readPdf,
  reviewClock,
  reviewFindings,
  reviewOrder,
  callRecordRow,
  tracedCall,
  type ReviewEstimate,
} from '../../harness/src/platform/domain/demands/index.js';
import { appReport, liveRecord, smallPdf, SUBMISSION, tracedOver } from '../support/itg-demands.js';

const NOW = Date.parse('2026-10-24T12:00:00Z');
const HOUR = 3_600_000;
const ESTIMATE: ReviewEstimate = {
  nowMs: NOW,
  document: { version: '1.7', sizeBytes: 500, notes: [] },
  agencyJurisdiction: 'US-TX',
  unknown: { campaigns: 0, tracebacks: 0, providers: 0 },
  reach: { 'call-records': { items: 7, isAtLeast: false } },
};

const found = (changes: Partial<typeof SUBMISSION>, estimate: Partial<ReviewEstimate> = {}): Record<string, string> =>
  Object.fromEntries(
    reviewFindings({ ...SUBMISSION, ...changes }, { ...ESTIMATE, ...estimate }).map(({ step, result, reason }) => [
      step,
      `${result} ${reason}`,
    ]),
  );

test('each finding of a review has the demand that it is for', () => {
  const { scope } = SUBMISSION;
  const { campaignIds: _, ...wide } = scope;
  expect(found({ authority: 'Some Act, section 3' })['authority']).toBe('look not-known');
  expect(found({ authority: '31 U.S.C. § 3733', kind: 'subpoena' })['authority']).toBe('look other-kind');
  expect(found({ agency: { ...SUBMISSION.agency, jurisdiction: 'US-OH' } })['jurisdiction']).toBe(
    'look other-than-listed',
  );
  expect(found({ authority: 'Ohio Rev. Code 1345.06' })['jurisdiction']).toBe('look law-of-another');
  expect(found({ returnOn: '2026-10-20' })['return-date']).toBe('look passed');
  expect(found({ returnOn: '2026-10-25' })['return-date']).toBe('look near');
  expect(found({ scope: { ...scope, to: scope.from } })['period']).toBe('bars reversed');
  expect(found({ scope: { ...scope, from: '2020-01-01T00:00:00Z' } })['period']).toBe('look long');
  expect(found({ scope: wide })['scope']).toBe('bars everything');
  expect(found({ scope: { ...wide, providers: [{ name: 'Acme', ocn: '0001' }] } })['scope']).toBe(
    'look providers-only',
  );
  expect(found({ scope: { ...scope, recordClasses: ['recordings'] } })['process']).toBe('bars content');
  expect(found({ kind: 'court-order', scope: { ...scope, recordClasses: ['recordings'] } })['process']).toBe(
    'look content-by-order',
  );
  expect(found({ scope: { ...scope, recordClasses: ['customer-records'] } })['process']).toBe('look customers');
  expect(found({}, { unknown: { campaigns: 1, tracebacks: 0, providers: 0 } })['named']).toBe('look unknown');
  expect(found({}, { reach: { 'call-records': { items: 200_000, isAtLeast: false } } })['breadth']).toBe('look broad');
  expect(found({}, { reach: {} })['breadth']).toBe('look nothing');
  expect(found({}, { document: { ...ESTIMATE.document, notes: ['encrypted'] } })['document']).toBe('look encrypted');
  expect(found({}, { document: { ...ESTIMATE.document, notes: ['digital-signature'] } })['signature']).toBe(
    'look digital',
  );
  expect(classesBeyond('subpoena', ['call-records', 'recordings'])).toEqual(['recordings']);
});

test.each([
  ['Tex. Bus. & Com. Code § 17.61', ['US-TX']],
  ['15 U.S.C. § 57b-1', ['US']],
  ['15 USC 491', []],
  ['18 U.S.C. section 2703(d)', ['US']],
  ['Fla. Stat. 501.2061', []],
  ['Minn. Stat. § 8.31, subd. 2', ['US-MN']],
  ['Executive Law 63(12) and CPLR', ['US-NY']],
])('the law that %s names is of %j', (citation, jurisdictions) => {
  expect(authoritiesIn(citation).map(({ jurisdiction }) => jurisdiction)).toEqual(jurisdictions);
});

test('what a PDF is protected by and would do is noted, and what is none is told from one', () => {
  const notes = (extra: string): readonly string[] => {
    const reading = readPdf(smallPdf(extra));
    return reading.status === 'read' ? reading.observations.notes : [reading.reason];
  };
  expect(notes('')).toEqual([]);
  expect(notes('/Encrypt 5 0 R')).toEqual(['encrypted']);
  expect(notes('/EncryptMetadata false')).toEqual([]);
  expect(notes('/OpenAction << /S /JavaScript /JS (app.alert(1)) >>')).toEqual(['active-content']);
  expect(notes('/Names << /EmbeddedFiles 9 0 R >>')).toEqual(['embedded-files']);
  expect(notes('/ByteRange [0 1 2 3]')).toEqual(['digital-signature']);
  expect(notes('/J#61vaScript')).toEqual(['escaped-names']);
  const whole = Buffer.from(smallPdf());
  expect(readPdf(whole.subarray(0, -8))).toEqual({ status: 'unreadable', reason: 'no-end' });
  expect(readPdf(whole.subarray(9))).toEqual({ status: 'unreadable', reason: 'no-header' });
  expect(readPdf(Buffer.from('%PDF-1.7\n%%EOF\n'))).toEqual({ status: 'unreadable', reason: 'no-cross-reference' });
  expect(readPdf(Buffer.concat([whole, Buffer.from('MZ hidden')]))).toMatchObject({
    observations: { notes: ['bytes-behind-end'] },
  });
});

test('a PDF with something in front of its header is noted, since browsers go by the first octets', () => {
  const notes = (front: string): readonly string[] => {
    const reading = readPdf(Buffer.concat([Buffer.from(front, 'latin1'), smallPdf()]));
    return reading.status === 'read' ? reading.observations.notes : [reading.reason];
  };
  expect(notes('<html><script>alert(1)</script></html>\n')).toEqual(['bytes-before-header']);
  expect(notes('MZ\u0090')).toEqual(['bytes-before-header']);
  expect(notes('\u00ef\u00bb\u00bf')).toEqual(['bytes-before-header']);
  expect(notes('\0')).toEqual(['bytes-before-header']);
  expect(notes(' \r\n')).toEqual([]);
  expect(notes('x'.repeat(1_100))).toEqual(['no-header']);
});

test('live campaigns come first in review, urgent demands next, and of each the one that waits longest', () => {
  const demand = (demandId: string, waitedHours: number, isUrgent: boolean, namesLiveCampaign: boolean) => ({
    ...{ demandId, isUrgent, namesLiveCampaign, submittedAtMs: NOW - waitedHours * HOUR, returnOn: '2026-10-30' },
    state: 'under-review' as const,
  });
  const demands = [
    demand('a', 90, false, true),
    demand('b', 1, true, false),
    demand('c', 0.5, true, true),
    demand('d', 2, true, true),
    demand('e', 5, true, false),
  ];
  expect(reviewOrder(demands).map(({ demandId }) => demandId)).toEqual(['d', 'c', 'e', 'b', 'a']);
  expect(reviewClock(demands[3]!, NOW)).toEqual({
    ...{
      priority: 'expedited',
      waitedMs: 2 * HOUR,
      targetMs: HOUR,
      dueAtMs: NOW - HOUR,
      isLate: true,
      daysToReturn: 6,
    },
  });
  expect(reviewClock({ ...demands[3]!, decidedAtMs: NOW - 1.5 * HOUR }, NOW)).toMatchObject({
    waitedMs: 0.5 * HOUR,
    isLate: false,
  });
});

test('numbers in every spelling are compared in one', () => {
  for (const spelling of ['2025550100', '12025550100', '+1 (202) 555-0100', '1-202-555-0100', '01112025550100'])
    expect(comparableNumber(spelling)).toBe('12025550100');
  expect(comparableNumber('+44 20 7946 0000')).toBe('442079460000');
});

test('what a spreadsheet would compute is text in the CSV', () => {
  const line = csvLine('customer-records', { name: '=HYPERLINK("http://x")', customer_id: 'a,b', action: 'warned' });
  expect(line).toBe(`,,,,,,"a,b","'=HYPERLINK(""http://x"")",,,,,,warned,\r\n`);
});

test('a stated time in a zone is an instant, on either side of a change of clocks', () => {
  const at = (local: string, zone?: string): string | undefined => {
    const ms = offsetInstant({ asWritten: local, local, precision: 'minute', ...(zone !== undefined && { zone }) });
    return ms === undefined ? undefined : new Date(ms).toISOString();
  };
  expect(at('2026-10-23T15:41', 'America/New_York')).toBe('2026-10-23T19:41:00.000Z');
  expect(at('2026-11-01T12:00', 'America/New_York')).toBe('2026-11-01T17:00:00.000Z');
  expect(at('2026-10-23T15:41', '-04:00')).toBe('2026-10-23T19:41:00.000Z');
  expect(at('2026-10-23', 'UTC')).toBe('2026-10-23T00:00:00.000Z');
  expect([at('2026-10-23T15:41'), at('2026-10-23T15:41', 'Mars/Olympus'), at('yesterday', 'UTC')]).toEqual([
    undefined,
    undefined,
    undefined,
  ]);
});

test('a call that was not answered is in no bucket of durations', () => {
  const gathering = gatherRestraintPackage();
  const linksOf = (placedCallId: string) => ({ campaignIds: [], tracebackIds: [], placedCallId });
  const answered = liveRecord('a', NOW, { seconds: 0.4 });
  const rung = liveRecord('b', NOW + 1);
  gathering.add(callRecordRow(answered, linksOf('a')));
  gathering.add(callRecordRow({ ...rung, record: { ...rung.record, disposition: 'no-answer' } }, linksOf('b')));
  gathering.add(callRecordRow(liveRecord('c', NOW + 2), linksOf('c')));
  const { volume, latest } = gathering.gathered({ queriedAtMs: NOW, query: {} });
  expect(volume).toMatchObject({ calls: 3, notAnswered: { calls: 1 }, withoutDuration: { calls: 1 } });
  expect(volume.byDuration.map(({ calls }) => calls)).toEqual([1, 0, 0, 0, 0]);
  expect(latest.map(({ id }) => id)).toEqual(['c', 'b', 'a']);
});

test('a call that an answer discloses in place of the traced one puts neither its time nor its numbers into a production', () => {
  const { traceback, answers } = tracedOver('t-1', '2026-10-23T15:41:06Z');
  const own = tracedCall(traceback, answers);
  const [first, second] = answers;
  if (first?.call === undefined || second?.call === undefined) throw new Error('two answers disclose a call');
  const other = { ...second.call, startedAt: '2026-10-23T21:41:06Z', called: '14155550122', calling: '16175550177' };
  expect(tracedCall(traceback, [first, { ...second, call: other }])).toEqual(own);
  // A declared diversion belongs to it, and so does what the next provider says of the number that was called first.
  const diverted = { ...first.call, called: '18005550199', divertedTo: ['12025550123'] };
  const before = { ...second.call, called: '18005550199' };
  expect(
    tracedCall(traceback, [
      { ...first, call: diverted },
      { ...second, call: before },
    ]).called,
  ).toEqual(['12025550123', '18005550199']);
});

test('legs of one call that a transfer puts 45 minutes apart are one call, however many there are', () => {
  const gathering = gatherRestraintPackage();
  const add = (recordId: string, minutes: number, placedCallId: string): void =>
    gathering.add(
      callRecordRow(liveRecord(recordId, NOW + minutes * 60_000), { campaignIds: [], tracebackIds: [], placedCallId }),
    );
  add('first', 0, 'one');
  add('between', 20, 'other');
  add('second', 45, 'one');
  add('third', 90, 'one');
  add('long after', 500, 'one');
  const { volume } = gathering.gathered({ queriedAtMs: NOW, query: {} });
  expect(volume).toMatchObject({ calls: 3, carrierRecords: 5 });
});

test('records and reports of one call are one call in every figure, by the record nearest to who was called', () => {
  const gathering = gatherRestraintPackage();
  const links = { campaignIds: [], tracebackIds: [], placedCallId: 'one' };
  const hops = [
    liveRecord('far', NOW, { seconds: 31, providerId: 'far' }),
    liveRecord('near', NOW + 400, { seconds: 29 }),
  ];
  for (const record of hops) gathering.add(callRecordRow(record, links));
  gathering.add(appReportRow('app', appReport('r', new Date(NOW + 900).toISOString()), links));
  gathering.add(callRecordRow(liveRecord('other', NOW + 500, { seconds: 2 }), { ...links, placedCallId: 'other' }));
  const { volume, latest } = gathering.gathered({ queriedAtMs: NOW, query: {} });
  const base = { calls: 2, carrierRecords: 3, appReports: 1 };
  expect(volume).toMatchObject({ ...base, recorded: 2, reported: 1, both: 1 });
  expect(volume.byDay).toMatchObject([base]);
  expect(volume.byHour).toMatchObject([base]);
  expect(volume.byDuration.map(({ calls }) => calls)).toEqual([0, 1, 1, 0, 0]);
  expect(latest).toMatchObject([
    { id: 'other', durationSeconds: 2, carrierRecords: 1, appReports: 0 },
    { id: 'near', durationSeconds: 29, carrierRecords: 2, appReports: 1 },
  ]);
});

import { expect, test } from 'vitest';
import {
  appReportRow,
  csvLine,
  offsetInstant,
  callRecordRow,
  tracedCall,
} from '../../harness/src/platform/domain/demands/produced-rows.js';
import {
  authoritiesIn,
  classesBeyond,
  readPdf,
  reviewClock,
  reviewFindings,
  reviewOrder,
} from '../../harness/src/platform/domain/demands/review-findings.js';
import type { ReviewEstimate } from '../../harness/src/platform/domain/demands/review-findings.js';
import { comparableNumber } from '../../harness/src/platform/domain/demands/scope.js';
import { gatherRestraintPackage } from '../../harness/src/platform/domain/demands/restraint-package.js';
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

const { scope } = SUBMISSION;
const { campaignIds: _, ...wide } = scope;
const content = { ...scope, recordClasses: ['recordings'] } as const;
const noted = (note: string) => ({ document: { ...ESTIMATE.document, notes: [note] } }) as Partial<ReviewEstimate>;

test.each<[string, string, Partial<typeof SUBMISSION>, Partial<ReviewEstimate>?]>([
  ['authority', 'look not-known', { authority: 'Some Act, section 3' }],
  ['authority', 'look other-kind', { authority: '31 U.S.C. § 3733', kind: 'subpoena' }],
  ['jurisdiction', 'look other-than-listed', { agency: { ...SUBMISSION.agency, jurisdiction: 'US-OH' } }],
  ['jurisdiction', 'look law-of-another', { authority: 'Ohio Rev. Code 1345.06' }],
  ['return-date', 'look passed', { returnOn: '2026-10-20' }],
  ['return-date', 'look near', { returnOn: '2026-10-25' }],
  ['period', 'bars reversed', { scope: { ...scope, to: scope.from } }],
  ['period', 'look long', { scope: { ...scope, from: '2020-01-01T00:00:00Z' } }],
  ['scope', 'bars everything', { scope: wide }],
  ['scope', 'look providers-only', { scope: { ...wide, providers: [{ name: 'Acme', ocn: '0001' }] } }],
  ['process', 'bars content', { scope: content }],
  ['process', 'look content-by-order', { kind: 'court-order', scope: content }],
  ['process', 'look customers', { scope: { ...scope, recordClasses: ['customer-records'] } }],
  ['named', 'look unknown', {}, { unknown: { campaigns: 1, tracebacks: 0, providers: 0 } }],
  ['breadth', 'look broad', {}, { reach: { 'call-records': { items: 200_000, isAtLeast: false } } }],
  ['breadth', 'look nothing', {}, { reach: {} }],
  ['document', 'look encrypted', {}, noted('encrypted')],
  ['signature', 'look digital', {}, noted('digital-signature')],
])('the review of %s finds: %s', (step, finding, changes, estimate = {}) => {
  const findings = reviewFindings({ ...SUBMISSION, ...changes }, { ...ESTIMATE, ...estimate });
  const found = findings.find((one) => one.step === step);
  expect(`${found?.result} ${found?.reason}`).toBe(finding);
});

test('a subpoena does not reach recordings', () => {
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

const notesOf = (octets: Uint8Array): readonly string[] => {
  const reading = readPdf(octets);
  return reading.status === 'read' ? reading.observations.notes : [reading.reason];
};

test.each([
  ['', []],
  ['/Encrypt 5 0 R', ['encrypted']],
  ['/EncryptMetadata false', []],
  ['/OpenAction << /S /JavaScript /JS (app.alert(1)) >>', ['active-content']],
  ['/Names << /EmbeddedFiles 9 0 R >>', ['embedded-files']],
  ['/ByteRange [0 1 2 3]', ['digital-signature']],
  ['/J#61vaScript', ['escaped-names']],
])('a PDF with %j has the notes %j', (extra, notes) => {
  expect(notesOf(smallPdf(extra))).toEqual(notes);
});

test('a file that is not a whole PDF is unreadable, and bytes behind its end are noted', () => {
  const whole = Buffer.from(smallPdf());
  expect(notesOf(whole.subarray(0, -8))).toEqual(['no-end']);
  expect(notesOf(whole.subarray(9))).toEqual(['no-header']);
  expect(notesOf(Buffer.from('%PDF-1.7\n%%EOF\n'))).toEqual(['no-cross-reference']);
  expect(notesOf(Buffer.concat([whole, Buffer.from('MZ hidden')]))).toEqual(['bytes-behind-end']);
});

test.each([
  ['<html><script>alert(1)</script></html>\n', ['bytes-before-header']],
  ['MZ\u0090', ['bytes-before-header']],
  ['\u00ef\u00bb\u00bf', ['bytes-before-header']],
  ['\0', ['bytes-before-header']],
  [' \r\n', []],
  ['x'.repeat(1_100), ['no-header']],
])('%j before the header of a PDF gives %j, since browsers go by the first octets', (front, notes) => {
  expect(notesOf(Buffer.concat([Buffer.from(front, 'latin1'), smallPdf()]))).toEqual(notes);
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
    ...{ priority: 'expedited', waitedMs: 2 * HOUR, targetMs: HOUR, dueAtMs: NOW - HOUR },
    ...{ isLate: true, daysToReturn: 6 },
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

test('a cell that a spreadsheet would compute is text in the CSV', () => {
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
  for (const [local, zone] of [['2026-10-23T15:41'], ['2026-10-23T15:41', 'Mars/Olympus'], ['yesterday', 'UTC']])
    expect(at(local ?? '', zone)).toBeUndefined();
});

const linksOf = (placedCallId: string) => ({ campaignIds: [], tracebackIds: [], placedCallId });

test('a call that was not answered is in no bucket of durations', () => {
  const gathering = gatherRestraintPackage();
  const rung = liveRecord('b', NOW + 1);
  gathering.add(callRecordRow(liveRecord('a', NOW, { seconds: 0.4 }), linksOf('a')));
  gathering.add(callRecordRow({ ...rung, record: { ...rung.record, disposition: 'no-answer' } }, linksOf('b')));
  gathering.add(callRecordRow(liveRecord('c', NOW + 2), linksOf('c')));
  const { volume, latest } = gathering.gathered({ queriedAtMs: NOW, query: {} });
  expect(volume).toMatchObject({ calls: 3, notAnswered: { calls: 1 }, withoutDuration: { calls: 1 } });
  expect(volume.byDuration.map(({ calls }) => calls)).toEqual([1, 0, 0, 0, 0]);
  expect(latest.map(({ id }) => id)).toEqual(['c', 'b', 'a']);
});

test('a call that an answer discloses instead of the traced one adds neither its time nor its numbers to a production', () => {
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
  for (const [minutes, placedCallId] of [
    [0, 'one'],
    [20, 'other'],
    [45, 'one'],
    [90, 'one'],
    [500, 'one'],
  ] as const)
    gathering.add(callRecordRow(liveRecord(`at ${minutes}`, NOW + minutes * 60_000), linksOf(placedCallId)));
  const { volume } = gathering.gathered({ queriedAtMs: NOW, query: {} });
  expect(volume).toMatchObject({ calls: 3, carrierRecords: 5 });
});

test('records and reports of one call are one call in every figure, by the record nearest to the called party', () => {
  const gathering = gatherRestraintPackage();
  const far = liveRecord('far', NOW, { seconds: 31, providerId: 'far' });
  for (const record of [far, liveRecord('near', NOW + 400, { seconds: 29 })])
    gathering.add(callRecordRow(record, linksOf('one')));
  gathering.add(appReportRow('app', appReport('r', new Date(NOW + 900).toISOString()), linksOf('one')));
  gathering.add(callRecordRow(liveRecord('other', NOW + 500, { seconds: 2 }), linksOf('other')));
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

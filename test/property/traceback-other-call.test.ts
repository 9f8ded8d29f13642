import * as fc from 'fast-check';
import { expect, test } from 'vitest';
import { nextAskedCall } from '@hopback/sdk/internal';
import type { AnsweredCall, RequestedCall, TracebackFinding } from '@hopback/sdk/traceback';
import { answerTo, from, provider, traceback } from '../support/traceback-course.js';
import { forAll } from '../support/for-all.js';

// "2 minutes plus the clock tolerance of both sides", written out once more, so that a change of the rule is seen here.
const TOLERANCE_MS = 180_000;
const DAY_MS = 86_400_000;
const ASKED_MS = Date.UTC(2026, 1, 2, 9, 30, 12, 250);
const ASKED: RequestedCall = {
  called: '+12025550143',
  calling: '+13035550199',
  at: { asWritten: '9:30', local: '2026-02-02T09:30:12.250', zone: 'UTC', precision: 'millisecond' },
};

const other = fc.integer({ min: 2_000_000_000, max: 9_999_999_999 }).map((digits) => `+1${digits}`);
const anyNumber = fc.option(fc.oneof(fc.constant('+12025550143'), fc.constant('2025550143'), other), {
  nil: undefined,
});
const apartMs = fc.oneof(
  fc.integer({ min: -TOLERANCE_MS - 2_000, max: TOLERANCE_MS + 2_000 }),
  fc.integer({ min: -30 * DAY_MS, max: 30 * DAY_MS }),
);
const finding = fc.constantFrom<TracebackFinding>(
  from('P'),
  { arm: 'received-from-unlisted', upstream: { name: 'Example P' } },
  { arm: 'point-of-entry', upstream: { name: 'Example P', country: 'GB' } },
  { arm: 'origin', customer: { customerId: 'Example P' } },
);

test('whatever call a liar discloses, nobody is asked or named by an answer about another call', () => {
  const counts = { fits: 0, differs: 0 };
  forAll([finding, apartMs, anyNumber, fc.array(other, { maxLength: 2 })], 500, (said, apart, called, divertedTo) => {
    const numbers = [called, ...divertedTo].filter((number) => number !== undefined);
    const isSameNumber = numbers.length === 0 || numbers.some((number) => number.endsWith('2025550143'));
    const fits = isSameNumber && Math.abs(apart) <= TOLERANCE_MS;
    counts[fits ? 'fits' : 'differs'] += 1;
    const call: AnsweredCall = {
      ...{ startedAt: new Date(ASKED_MS + apart).toISOString(), calling: '+16175550177', disposition: 'answered' },
      ...(called !== undefined && { called }),
      ...(divertedTo.length > 0 && { divertedTo }),
    };
    const course = traceback();
    course.ask();
    const answer = { ...answerTo(course.requestTo('A'), provider('A'), said), call };
    course.happen({ type: 'answer-received', answer, asked: ASKED });
    const next = nextAskedCall(ASKED, answer);
    const { outcome, path } = course.view();
    if (fits) {
      expect(outcome?.kind).not.toBe('disputed');
      expect(next?.calling).toBe(numbers.length === 0 ? ASKED.calling : '+16175550177');
      return;
    }
    expect(outcome?.kind).toBe('disputed');
    expect(path).toHaveLength(1);
    expect(next).toEqual(ASKED);
    expect(JSON.stringify([course.state(), course.view(), course.pending()])).not.toMatch(/Example P|provider-p/);
  });
  expect(Math.min(counts.fits, counts.differs)).toBeGreaterThan(20);
});

test('whatever is disclosed, comparing returns, and the next call has a number that one of both stated', () => {
  const stated = fc.record({
    called: fc.string(),
    local: fc.string(),
    zone: fc.option(fc.string(), { nil: undefined }),
  });
  const disclosed = fc.record({ startedAt: fc.string(), called: fc.string(), divertedTo: fc.array(fc.string()) });
  forAll([stated, disclosed], 500, ({ called, local, zone }, call) => {
    const at = { asWritten: local, local, precision: 'minute', ...(zone !== undefined && { zone }) } as const;
    const next = nextAskedCall({ called, at }, { call: { ...call, disposition: 'answered' } });
    expect([called, call.called]).toContain(next?.called);
  });
});

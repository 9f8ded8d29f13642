import { expect, test } from 'vitest';
import { callDifferences, nextAskedCall } from '@hopback/sdk/traceback';
import type { AnsweredCall, RequestedCall } from '@hopback/sdk/traceback';

const STATED: RequestedCall = {
  called: '(202) 555-0143',
  calling: '+13035550199',
  at: { asWritten: '2/2/2026 9:30 UTC', local: '2026-02-02T09:30', zone: 'UTC', precision: 'minute' },
};
const RECORD: AnsweredCall = { startedAt: '2026-02-02T09:30:12.250Z', called: '12025550143', disposition: 'answered' };

const at = (startedAt: string): AnsweredCall => ({ ...RECORD, startedAt });
const to = (called: string, divertedTo?: readonly string[]): AnsweredCall => ({
  ...RECORD,
  called,
  ...(divertedTo !== undefined && { divertedTo }),
});

test.each<[string, AnsweredCall, readonly string[]]>([
  ['the call itself', RECORD, []],
  ['a call to another number', to('+14155550122'), ['called']],
  ['a call six hours later', at('2026-02-02T15:30:12Z'), ['time']],
  [
    'a call six hours later to another number',
    { ...at('2026-02-02T15:30:12Z'), called: '4155550122' },
    ['called', 'time'],
  ],
  ['a call two minutes and two clocks before the stated minute', at('2026-02-02T09:27:00Z'), []],
  ['a call a second earlier than that', at('2026-02-02T09:26:59Z'), ['time']],
  ['a call two minutes and two clocks after the stated minute', at('2026-02-02T09:33:59.900Z'), []],
  ['a call a second later than that', at('2026-02-02T09:34:01Z'), ['time']],
  ['a declared diversion', to('+18005550199', ['+12025550143']), []],
  ['a diversion to somewhere else', to('+18005550199', ['+14155550122']), ['called']],
  ['a local number', to('5550143'), []],
  ['an extension', to('0143'), ['called']],
  ['a number behind the prefix of a route', to('99912025550143'), []],
  ['no number', { startedAt: RECORD.startedAt, disposition: 'answered' }, []],
  ['no number, six hours later', { startedAt: '2026-02-02T15:30:12Z', disposition: 'answered' }, ['time']],
  ['a time that nobody can read', at('yesterday'), ['time']],
])('an answer about %s', (_name, disclosed, expected) => {
  expect(callDifferences(STATED, disclosed)).toEqual(expected);
});

test('a time without a zone fits in UTC and in the zones of the United States, and in no others', () => {
  const { zone: _zone, ...stated } = STATED.at;
  const unzoned = { ...STATED, at: stated };
  expect(callDifferences(unzoned, at('2026-02-02T09:30:12Z'))).toEqual([]);
  expect(callDifferences(unzoned, at('2026-02-02T14:30:12Z'))).toEqual([]);
  expect(callDifferences(unzoned, at('2026-02-02T15:45:00Z'))).toEqual(['time']);
  expect(callDifferences(unzoned, at('2026-02-02T08:30:12Z'))).toEqual(['time']);
});

test('a local time that comes twice fits at both instants', () => {
  const twice = { ...STATED, at: { ...STATED.at, local: '2026-11-01T01:30', zone: 'America/New_York' } };
  for (const startedAt of ['2026-11-01T05:30:12Z', '2026-11-01T06:30:12Z'])
    expect(callDifferences(twice, at(startedAt))).toEqual([]);
  expect(callDifferences(twice, at('2026-11-01T07:30:12Z'))).toEqual(['time']);
});

test('where a number is traced forward, the number counts and the time does not', () => {
  expect(callDifferences(STATED, at('2025-01-01T00:00:00Z'), 'forward')).toEqual([]);
  expect(callDifferences(STATED, to('+14155550122'), 'forward')).toEqual(['called']);
  expect(nextAskedCall(STATED, { call: at('2025-01-01T00:00:00Z') }, 'forward')?.at).toEqual(STATED.at);
});

test('the next provider is asked about what a fitting call adds, and about nothing of another call', () => {
  const disclosed = { ...RECORD, calling: '+13035550111', ingressCallId: 'in-1@example' };
  expect(nextAskedCall(STATED, { call: disclosed })).toEqual({
    ...{ called: '12025550143', calling: '+13035550111', callId: 'in-1@example' },
    at: {
      ...{ asWritten: '2026-02-02T09:30:12.250Z', local: '2026-02-02T09:30:12.250' },
      ...{ zone: 'UTC', precision: 'millisecond' },
    },
  });
  expect(nextAskedCall(STATED, { call: to('5550143') })?.called).toBe('(202) 555-0143');
  expect(nextAskedCall(STATED, { call: { ...disclosed, called: '+14155550122' } })).toEqual(STATED);
  expect(nextAskedCall({ at: STATED.at, recordId: 'r-1' }, { call: RECORD })?.called).toBe('12025550143');
  expect(nextAskedCall({ at: STATED.at, recordId: 'r-1' }, undefined)).toBeUndefined();
});

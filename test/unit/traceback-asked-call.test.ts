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
const lasting = (from: string, until: string): AnsweredCall => ({
  ...at(`2026-02-02T${from}Z`),
  endedAt: `2026-02-02T${until}Z`,
});
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
  ['a call during whose voicemail the stated minute was', lasting('09:25:00', '09:30:30'), []],
  ['a call that ended three minutes before the stated minute', lasting('09:15:00', '09:27:00'), []],
  ['a call that ended a second earlier than that', lasting('09:15:00', '09:26:59'), ['time']],
  ['a long call that began 18 minutes before the stated minute', lasting('09:12:00', '11:00:00'), []],
  ['a long call that began a second earlier than that', lasting('09:11:59', '11:00:00'), ['time']],
  ['a call that ends before it begins', lasting('09:36:00', '09:30:00'), ['time']],
  ['a call whose end nobody can read', { ...at('2026-02-02T09:25:00Z'), endedAt: 'later' }, ['time']],
  ['a number in letters', to('1-800-FLOWERS'), []],
  ['a number in letters that is diverted to somewhere else', to('1-800-FLOWERS', ['+14155550122']), ['called']],
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

test.each<[string, string, readonly string[]]>([
  ['020 7946 0018', '+442079460018', []],
  ['+442079460018', '020 7946 0018', []],
  ['06 1234 5678', '+390612345678', []],
  ['0495 123 45 67', '+74951234567', []],
  ['020 7946 0018', '+442079460019', ['called']],
  ['0946 0018', '+442079460018', []],
  ['046 0018', '+442079460018', ['called']],
  ['1-800-FLOWERS', '+18003569377', []],
])('%s asked for, %s disclosed', (asked, disclosed, expected) => {
  expect(callDifferences({ ...STATED, called: asked }, to(disclosed))).toEqual(expected);
});

test('a call without a called number passes nothing on unless the calling numbers agree', () => {
  const asked = { ...STATED, callId: 'asked@example', origId: 'asked-origid' };
  const unsure: AnsweredCall = {
    ...{ startedAt: RECORD.startedAt, disposition: 'answered', ingressCallId: 'in-1@example' },
    received: { origId: 'other-origid', attestation: 'A', spc: '0001' },
  };
  for (const call of [
    unsure,
    { ...unsure, calling: '+16175550177' },
    { ...unsure, calling: '+16175550177', called: '1-800-FLOWERS' },
  ]) {
    const { at: _at, ...next } = nextAskedCall(asked, { call }) ?? STATED;
    const { at: _asked, ...before } = asked;
    expect(next).toEqual(before);
  }
  for (const call of [
    { ...unsure, calling: '303-555-0199' },
    { ...unsure, calling: '+16175550177', called: '+12025550143' },
  ]) {
    const expected = { calling: call.calling, callId: 'in-1@example', origId: 'other-origid', attestation: 'A' };
    expect(nextAskedCall(asked, { call })).toMatchObject(expected);
  }
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

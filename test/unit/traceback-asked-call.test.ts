import { readFileSync } from 'node:fs';
import { expect, test } from 'vitest';
import { callDifferences, nextAskedCall } from '@hopback/sdk/internal';
import type { AnsweredCall, RequestedCall } from '@hopback/sdk/traceback';

const STATED: RequestedCall = {
  called: '(202) 555-0143',
  calling: '+13035550199',
  at: { asWritten: '2/2/2026 9:30 UTC', local: '2026-02-02T09:30', zone: 'UTC', precision: 'minute' },
};
const RECORD: AnsweredCall = { startedAt: '2026-02-02T09:30:12.250Z', called: '12025550143', disposition: 'answered' };

const at = (startedAt: string): AnsweredCall => ({ ...RECORD, startedAt });
const to = (called: string): AnsweredCall => ({ ...RECORD, called });

/** Calls that answers disclose, as what differs from RECORD (`null`: it is not there), and numbers asked for and disclosed: what does not fit. */
interface DisclosedVectors {
  readonly answered: readonly (readonly [string, Readonly<Record<string, unknown>>, readonly string[]])[];
  readonly asked: readonly (readonly [asked: string, disclosed: string, readonly string[]])[];
}
const VECTORS = JSON.parse(
  readFileSync(new URL('../vectors/match/disclosed.json', import.meta.url), 'utf8'),
) as DisclosedVectors;

test.each(VECTORS.answered)('an answer about %s', (_name, changes, expected) => {
  const members = Object.entries({ ...RECORD, ...changes }).filter(([, member]) => member !== null);
  expect(callDifferences(STATED, Object.fromEntries(members) as unknown as AnsweredCall)).toEqual(expected);
});

test.each(VECTORS.asked)('%s asked for, %s disclosed', (asked, disclosed, expected) => {
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

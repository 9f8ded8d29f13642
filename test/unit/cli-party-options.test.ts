import { describe, expect, test } from 'vitest';
import {
  instantOption,
  numberToSignOption,
  partyOption,
  telephoneNumberOption,
} from '../../sdk/src/cli/inputs/call-input.js';
import { UsageError } from '../../sdk/src/cli/kit/command.js';

function refusalOf(read: () => unknown): UsageError {
  try {
    read();
  } catch (error) {
    if (error instanceof UsageError) return error;
    throw error;
  }
  throw new Error('nothing was refused');
}

describe('a telephone number', () => {
  // London and Denver have ten national digits both.
  test.each([['2079460958'], ['3035550107'], ['011442079460958']])('%s may be one of two and is refused', (text) => {
    for (const read of [partyOption, telephoneNumberOption, numberToSignOption]) {
      const { message, hints } = refusalOf(() => read('orig', text));
      expect(message).toContain('--orig');
      expect([message, ...hints].join(' ')).toMatch(/\+ .*country code/);
      expect([message, ...hints].join(' ')).not.toContain(text);
    }
  });

  test.each([
    ['+442079460958', '442079460958'],
    ['442079460958', '442079460958'],
    ['+1 (202) 555-0101', '12025550101'],
    ['12025550101', '12025550101'],
    ['+4930123456', '4930123456'],
    ['011 44 20 7946 0958', '442079460958'],
    ['911', '911'],
  ])('%s is %s', (text, tn) => {
    expect(telephoneNumberOption('tn', text)).toBe(tn);
    expect(partyOption('orig', text)).toEqual({ kind: 'tn', value: tn });
  });

  test('that is to be signed goes to the authentication service as typed: what was read once is not read again', () => {
    expect(numberToSignOption('orig', '+49 30 123456')).toBe('+49 30 123456');
  });
});

describe('an instant', () => {
  test.each([
    ['2026-02-30T00:00:00Z'],
    ['2026-02-29T00:00:00Z'],
    ['2026-04-31T12:00:00+02:00'],
    ['2026-13-01T00:00:00Z'],
    ['2026-00-10T00:00:00Z'],
    ['2026-01-00T00:00:00Z'],
    ['2026-02-28T24:30:00Z'],
    ['Mon, 30 Feb 2026 12:00:00 GMT'],
  ])('%s does not exist and is refused', (text) => {
    expect(refusalOf(() => instantOption('at', text)).message).toContain('--at');
  });

  test.each([
    ['2028-02-29T00:00:00Z', Date.UTC(2028, 1, 29)],
    ['2026-11-02T12:00+02:00', Date.UTC(2026, 10, 2, 10)],
    ['2026-01-01T00:30:00.5+01:00', Date.UTC(2025, 11, 31, 23, 30, 0, 500)],
    ['Mon, 02 Nov 2026 12:00:00 GMT', Date.UTC(2026, 10, 2, 12)],
    ['1793620800', Date.UTC(2026, 10, 2, 12)],
  ])('%s is taken', (text, ms) => {
    expect(instantOption('at', text)).toBe(ms);
  });
});

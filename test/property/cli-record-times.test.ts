import fc from 'fast-check';
import { expect, test } from 'vitest';
import { coverageBar } from '../../sdk/src/cli/records/coverage.js';
import { durationOption, localTexts, timeOption, utcText } from '../../sdk/src/cli/inputs/records-query.js';
import { UsageError } from '../../sdk/src/cli/kit/command.js';
import { coverageWith } from '../../sdk/src/records/store/record-store.js';
import { forAll } from '../support/for-all.js';

const ZONES = ['America/New_York', 'Europe/London', 'Australia/Lord_Howe', 'Asia/Kathmandu', 'UTC'];
const seconds = fc.integer({ min: Date.UTC(1995, 0) / 1_000, max: Date.UTC(2199, 0) / 1_000 });

test('a time as the clock of its zone shows it means the instant at which it does', () => {
  forAll([seconds, fc.constantFrom(...ZONES)], 100, (atSeconds, zone) => {
    const atUs = atSeconds * 1_000_000;
    const shown = localTexts(zone)(atUs).slice(0, 19);
    expect(timeOption('at', shown, zone)).toContain(atUs);
  });
});

test('a time that is shown in UTC is read as the same instant, microseconds included', () => {
  forAll([seconds, fc.integer({ min: 0, max: 999_999 })], 100, (atSeconds, us) => {
    const atUs = atSeconds * 1_000_000 + us;
    expect(timeOption('at', utcText(atUs), undefined)).toEqual([atUs]);
  });
});

test('whatever is given for a time or a duration is read or refused as a usage error', () => {
  const anyText = fc.oneof(fc.string(), fc.stringMatching(/^[-0-9T:.Z+ smhd]{0,40}$/));
  forAll([anyText, fc.option(fc.constantFrom(...ZONES, 'Mars/Olympus'), { nil: undefined })], 100, (text, zone) => {
    for (const read of [() => timeOption('at', text, zone), () => durationOption('tolerance', text)]) {
      try {
        const microseconds = [read()].flat();
        expect(microseconds.length).toBeGreaterThan(0);
        expect(microseconds.filter((us) => !Number.isSafeInteger(us))).toEqual([]);
      } catch (error) {
        expect(error).toBeInstanceOf(UsageError);
      }
    }
  });
});

test('a bar is as wide as the terminal, and says of every cell what is covered of it', () => {
  const stretch = fc
    .tuple(fc.nat(10_000), fc.nat(2_000))
    .map(([fromUs, length]) => ({ fromUs, toUs: fromUs + length }));
  forAll(
    [fc.array(stretch, { maxLength: 8 }), stretch, fc.integer({ min: 26, max: 162 })],
    100,
    (covered, window, columns) => {
      const intervals = covered.reduce(
        (sum, { fromUs, toUs }) => coverageWith(sum, { sourceId: 'sbc-1', fromUs, toUs }),
        coverageWith([], { sourceId: 'sbc-1', fromUs: 0, toUs: -1 }),
      );
      const bar = coverageBar(intervals, { window, columns })[0] ?? '';
      expect(bar).toHaveLength(columns);
      const isWhole = intervals.some(({ fromUs, toUs }) => fromUs <= window.fromUs && toUs >= window.toUs);
      const isBare = intervals.every(({ fromUs, toUs }) => toUs < window.fromUs || fromUs > window.toUs);
      expect(/^ {2}█+$/.test(bar)).toBe(isWhole);
      if (isBare) expect(bar).toMatch(/^ {2}░+$/);
    },
  );
});

import { expect, test } from 'vitest';
import { durations, figureLine, interleave, median, type Bar, type Figure } from '../../bench/bench.js';

const figure = (bar: Bar, rest: Partial<Figure> = {}): Figure => ({ figure: 'f', value: 9, unit: 'ms', bar, ...rest });

test.each<[Bar, string, boolean]>([
  [{ ratioAtLeast: 0.9 }, 'ratio >= 0.9', true],
  [{ ratioAtLeast: 0.91 }, 'ratio >= 0.91', false],
  [{ ratioAtMost: 0.9 }, 'ratio <= 0.9', true],
  [{ valueAtMost: 8.9 }, 'value <= 8.9', false],
  [{ valueAtLeast: 9 }, 'value >= 9', true],
])('judges %o against 9 of 10', (bar, text, holds) => {
  expect(figureLine('b', figure(bar, { baseline: 'peer', baselineValue: 10 }))).toMatchObject({
    ratio: 0.9,
    bar: text,
    holds,
  });
});

test('a ratio bar is neither held nor missed when its baseline could not run', () => {
  const line = figureLine('b', figure({ ratioAtLeast: 2 }, { baseline: 'peer', note: 'apt-get install peer' }));
  expect(line).toMatchObject({
    baseline: 'peer',
    baselineValue: null,
    ratio: null,
    holds: null,
    note: 'apt-get install peer',
  });
});

test('a line names processor, cores and Node, and every field of the format', () => {
  const line = figureLine('b', { figure: 'f', value: 1.23456, unit: 'ms' });
  expect(Object.keys(line)).toEqual([
    'bench',
    'figure',
    'value',
    'unit',
    'baseline',
    'baselineValue',
    'ratio',
    'bar',
    'holds',
    'machine',
  ]);
  expect(line.machine).toContain(`Node ${process.versions.node}`);
  expect(line.value).toBe(1.235);
});

test('the median of an even count lies between the two middle values', () => {
  expect(median([4, 1, 3, 2])).toBe(2.5);
  expect(median([3, 1, 2])).toBe(2);
  expect(median([])).toBeNaN();
});

test('percentiles keep three digits from microseconds to minutes', () => {
  const { record, percentiles } = durations();
  for (let index = 1; index <= 1000; index += 1) record(index / 100);
  record(60_000);
  const { count, p50, p99, max } = percentiles();
  expect(count).toBe(1001);
  expect(p50).toBeCloseTo(5, 1);
  expect(p99).toBeCloseTo(9.9, 1);
  expect(max / 60_000).toBeCloseTo(1, 2);
});

test('every contestant gets every counted round, and a call may stand for many operations', async () => {
  const turns = { one: 0, many: 0 };
  const rates = await interleave(
    { one: () => void (turns.one += 1), many: async () => ((turns.many += 1), 100) },
    { rounds: 3, ms: 5 },
  );
  expect(rates.one.rounds).toHaveLength(3);
  expect(rates.many.rounds).toHaveLength(3);
  expect(rates.many.median).toBeGreaterThan(turns.many);
});

test('rounds in which the baseline was slow are made again, whatever the others did in them', async () => {
  const baseline = [50, 100, 40, 99, 98, 30, 97];
  let round = -2;
  const rates = await interleave(
    {
      // One round before the counted ones warms up.
      bare: { measure: async () => baseline[(round += 1)] ?? 100 },
      ours: { measure: async () => round },
    },
    { rounds: 4, ms: 1, steadyBy: 'bare' },
  );
  expect(rates.bare).toEqual({ median: 98.5, rounds: [100, 99, 98, 97], made: 7 });
  expect(rates.ours.rounds).toHaveLength(4);
});

test('a machine that is never steady ends the rounds at three times as many', async () => {
  let rate = 100;
  const rates = await interleave(
    { bare: { measure: async () => (rate *= 1.5) } },
    { rounds: 3, ms: 1, steadyBy: 'bare' },
  );
  expect(rates.bare.made).toBe(9);
  expect(rates.bare.rounds).toHaveLength(3);
});

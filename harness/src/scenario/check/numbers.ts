import { MAX_CALLS, MAX_DNO_NUMBERS, MAX_PHONES, MAX_POOL_NUMBERS } from '../limits.js';
import { numbersUnder, readNumberRange } from '../number-ranges.js';
import type { Scenario, ScenarioCaller } from '../scenario.js';
import type { Complaint } from './complaint.js';

/** Numbers that overlap, ranges that are none, more than can be held. */
export function checkNumbers(scenario: Scenario): readonly Complaint[] {
  return [
    ...checkCalled(scenario),
    ...scenario.callers.flatMap((caller, at) => checkCalling(caller, ['callers', at, 'numbers'])),
    ...checkVolume(scenario),
  ];
}

function checkCalled({ called }: Scenario): readonly Complaint[] {
  const ranges = called
    .map(({ id, first, count = 1 }, at) => ({ id, at, first, from: Number(first), to: Number(first) + count - 1 }))
    .toSorted((a, b) => a.first.length - b.first.length || a.from - b.from || a.at - b.at);
  const overlaps = ranges.flatMap((range, place): readonly Complaint[] => {
    const before = ranges[place - 1];
    const path = ['called', range.at, 'first'];
    if (String(range.to).length > range.first.length && !range.first.startsWith('0'))
      return [{ path: ['called', range.at, 'count'], message: 'goes on to numbers with a digit more' }];
    if (before === undefined || before.first.length !== range.first.length || before.to < range.from) return [];
    return [{ path, message: `${range.first} is one of the numbers of ${before.id}` }];
  });
  const phones = called.reduce((sum, { by, count = 1 }) => sum + (by === 'phones' ? count : 0), 0);
  if (phones <= MAX_PHONES) return overlaps;
  const path = ['called', called.findIndex(({ by }) => by === 'phones'), 'count'];
  const message = `there are ${String(phones)} phones in all: at most ${String(MAX_PHONES)}; a sink answers any number`;
  return [...overlaps, { path, message }];
}

function checkCalling({ numbers }: ScenarioCaller, path: Complaint['path']): readonly Complaint[] {
  if (numbers.kind === 'snowshoe') return checkPrefixes(numbers, path);
  if (numbers.kind === 'neighbour' || numbers.kind === 'invalid') return [];
  let total = 0;
  for (const [place, text] of numbers.numbers.entries()) {
    const range = readNumberRange(text);
    if (range === undefined)
      return [{ path: [...path, 'numbers', place], message: `${text} is no range: first and last, of as many digits` }];
    total += range.count;
  }
  const max = numbers.kind === 'dno' ? MAX_DNO_NUMBERS : MAX_POOL_NUMBERS;
  if (total <= max) return [];
  return [{ path: [...path, 'numbers'], message: `are ${String(total)} numbers: at most ${String(max)}` }];
}

function checkPrefixes(
  { prefixes, count }: { readonly prefixes: readonly string[]; readonly count: number },
  path: Complaint['path'],
): readonly Complaint[] {
  const room = prefixes.reduce((sum, prefix) => sum + numbersUnder(prefix).room, 0);
  // Half of the room: numbers are drawn, and the last ones would be hard to find.
  if (count <= room / 2) return [];
  const message = `is more than half of the ${String(room)} numbers under the prefixes`;
  return [{ path: [...path, 'count'], message }];
}

/** Calls of a phase, on average. */
export function callsOfPhase({ seconds, rate }: Scenario['phases'][number]): number {
  if (rate.shape === 'ramp') return (seconds * (rate.from + rate.to)) / 2;
  if (rate.shape === 'spike') return (seconds * (2 * rate.perSecond + rate.peak)) / 3;
  return seconds * rate.perSecond;
}

function checkVolume({ phases }: Scenario): readonly Complaint[] {
  const total = phases.reduce((sum, phase) => sum + callsOfPhase(phase), 0);
  if (total <= MAX_CALLS) return [];
  return [{ path: ['phases'], message: `have ${String(Math.round(total))} calls: at most ${String(MAX_CALLS)}` }];
}

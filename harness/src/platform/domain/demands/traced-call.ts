import type { Traceback } from '@hopback/sdk/platform';
import { callDifferences, nextAskedCall } from '@hopback/sdk/traceback';
import type { AnsweredCall, RequestedCall, StatedTime, TracebackAnswer } from '@hopback/sdk/traceback';
import type { TracedCall } from './produced-rows.js';

/** Length of the smallest step that was stated, milliseconds. */
const STEP_MS: Readonly<Record<StatedTime['precision'], number>> = {
  day: 86_400_000,
  hour: 3_600_000,
  minute: 60_000,
  second: 1_000,
  millisecond: 1,
  microsecond: 1,
};

/**
 * When the call of a traceback was, and between which numbers: by the records of the providers where one found it, else as it was stated; where
 * it was stated without a zone nobody knows when that is, and the day of the opening stands for it. An answer that discloses another call than the
 * one that is traced adds nothing. Never throws.
 * @param traceback - with what was stated of the call
 * @param answers - to its requests
 * @param instantOf - the instant that a stated time means, milliseconds since the epoch; undefined where that cannot be told
 */
export function tracedCall(
  traceback: Traceback,
  answers: readonly TracebackAnswer[],
  instantOf: (at: StatedTime) => number | undefined = offsetInstant,
): TracedCall {
  const found = fittingCalls(traceback, answers);
  const numbers = {
    calling: unique([traceback.call.calling, ...found.map(({ calling }) => calling)]),
    called: unique([traceback.call.called, ...found.map(({ called }) => called)]),
  };
  const started = found.map(({ startedAt }) => Date.parse(startedAt)).filter((ms) => Number.isFinite(ms));
  if (started.length > 0)
    return { timeBasis: 'answer', fromMs: Math.min(...started), toMs: Math.max(...started), ...numbers };
  const stated = instantOf(traceback.call.at);
  if (stated !== undefined)
    return { timeBasis: 'stated', fromMs: stated, toMs: stated + STEP_MS[traceback.call.at.precision] - 1, ...numbers };
  const openedMs = Date.parse(traceback.openedAt);
  return { timeBasis: 'opened', fromMs: openedMs, toMs: openedMs, ...numbers };
}

/** The disclosed calls that fit the call that is traced, as it is known from hop to hop. */
function fittingCalls({ call, direction }: Traceback, answers: readonly TracebackAnswer[]): readonly AnsweredCall[] {
  const known: RequestedCall[] = [call];
  return answers.flatMap((answer) => {
    const { call: disclosed } = answer;
    if (disclosed === undefined) return [];
    const asked = known.find((one) => callDifferences(one, disclosed, direction).length === 0);
    if (asked === undefined) return [];
    const next = nextAskedCall(asked, answer, direction);
    if (next !== undefined) known.push(next);
    return [disclosed];
  });
}

/** The instant of a stated time whose zone is UTC, an offset or a zone with a name; of an hour that comes twice the former. Never throws. */
export function offsetInstant({ local, zone }: StatedTime): number | undefined {
  if (zone === undefined) return undefined;
  const wall = Date.parse(`${fullLocal(local)}Z`);
  if (!Number.isFinite(wall)) return undefined;
  if (zone === 'UTC' || zone === 'Z') return wall;
  const offset = /^([+-])([0-9]{2}):([0-9]{2})$/.exec(zone);
  if (offset !== null) {
    const minutes = Number(offset[2]) * 60 + Number(offset[3]);
    return wall - (offset[1] === '-' ? -minutes : minutes) * 60_000;
  }
  return instantInZone(wall, zone);
}

/** `2026-10-23T15:41` and `2026-10-23` with what they leave out; fractions beyond milliseconds are cut. */
function fullLocal(local: string): string {
  if (local.length === 10) return `${local}T00:00:00`;
  if (local.length === 13) return `${local}:00:00`;
  if (local.length === 16) return `${local}:00`;
  return local.slice(0, 23);
}

function instantInZone(wall: number, zone: string): number | undefined {
  try {
    // Two rounds: the offset at the wall clock taken for UTC may be that of the other side of a change.
    let instant = wall;
    for (let round = 0; round < 2; round += 1) instant = wall - (wallClock(instant, zone) - instant);
    return instant;
  } catch {
    return undefined;
  }
}

/** What a clock on the wall shows at an instant, as if it were UTC. @throws RangeError for a zone that there is not */
function wallClock(instant: number, zone: string): number {
  const parts = new Intl.DateTimeFormat('en-US', {
    ...{ timeZone: zone, hourCycle: 'h23', year: 'numeric', month: '2-digit', day: '2-digit' },
    ...{ hour: '2-digit', minute: '2-digit', second: '2-digit' },
  }).formatToParts(instant);
  const part = (type: Intl.DateTimeFormatPartTypes): number => Number(parts.find((one) => one.type === type)?.value);
  const seconds = Date.UTC(part('year'), part('month') - 1, part('day'), part('hour'), part('minute'), part('second'));
  return seconds + (((instant % 1_000) + 1_000) % 1_000);
}

function unique(numbers: readonly (string | undefined)[]): readonly string[] {
  return [...new Set(numbers.filter((number) => number !== undefined))];
}

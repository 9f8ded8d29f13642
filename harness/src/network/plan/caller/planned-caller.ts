import type { SeededRandom } from '../../../faults/index.js';
import type { ScenarioCalled, ScenarioCaller, ScenarioCsv, ScenarioDay } from '../../../scenario/index.js';
import type { PlannedCall, PlannedDiversion } from '../plan.js';
import { calledNumbers } from './called-numbers.js';
import { callingNumbers } from './calling-numbers.js';
import { csvRows } from './csv-rows.js';
import { spokenScript } from './spoken-script.js';

/** A call without its place among all of them. */
export type CallerCall = Omit<PlannedCall, 'index'>;

/** A way, and the numbers that a call is for at its end. */
export interface FoundWay {
  readonly way: readonly string[];
  readonly diversions: readonly PlannedDiversion[];
  readonly end: ScenarioCalled;
}

/** What a caller has to know of the network. */
export interface CallerPlace {
  /** Entries of called numbers by id. */
  readonly entries: ReadonlyMap<string, ScenarioCalled>;
  readonly findWay: (
    call: Pick<PlannedCall, 'atMs' | 'caller' | 'calling' | 'called'>,
    to: ScenarioCalled,
    random: SeededRandom,
  ) => FoundWay;
  /** Random numbers of the whole plan: the caller takes streams of its own. */
  readonly random: SeededRandom;
}

/** Makes the next call of a caller; absent where it makes none at that time. */
export type NextCall = (atMs: number, phase: string) => CallerCall | undefined;

/**
 * Calls of one caller. Each choice has random numbers of its own, so that a change of one leaves the others as they were.
 * @param caller - with `durationSeconds`, which {@link scaleScenario} puts in
 */
export function plannedCaller(caller: ScenarioCaller, { entries, findWay, random: all }: CallerPlace): NextCall {
  const { id, kind, durationSeconds = { from: 0, to: 0 }, csv } = caller;
  const campaign = kind === 'robocaller' ? (caller.campaign ?? id) : undefined;
  const stream = (choice: string): SeededRandom => all.fork(`caller/${id}/${choice}`);
  const show = callingNumbers(caller.numbers, stream('calling'));
  const dialled = calledNumbers(
    caller.calls.flatMap((entry) => entries.get(entry) ?? []),
    caller.order,
    stream('called'),
  );
  const rows = csv === undefined ? undefined : csvRows(csv, stream('csv'));
  const speak = spokenScript(caller, all.fork(`campaign/${campaign ?? ''}`), stream('words'));
  const [ways, answers, lengths, apps] = [stream('way'), stream('answers'), stream('duration'), stream('app')];
  const isTime = timeOfDay(caller.daily, stream('daily'));
  const agents = freeAgents(caller.agents);
  return (atMs, phase) => {
    // Drawn for every call, made or not, so that what one decides moves nothing of the next.
    const [answer, length, report] = [answers.next(), lengths.next(), apps.next()];
    if (!isTime(atMs) || !agents.isOneFree(atMs)) return undefined;
    const line = rows?.next(atMs);
    const drawn = dialled.next();
    const called = (csv?.called === undefined ? undefined : line?.row[csv.called]) ?? drawn.called;
    const to = (called === drawn.called ? undefined : dialled.entryOf(called)) ?? drawn.destination;
    const calling = (csv?.calling === undefined ? undefined : line?.row[csv.calling]) ?? show(called);
    const { way, diversions, end } = findWay({ atMs, caller: id, calling, called }, to, ways);
    const wantsReport = kind === 'robocaller' && report < (end.app?.reports ?? 0);
    const isRejected = wantsReport && end.app?.rejects === true;
    const isAnswered = !isRejected && answer < (end.answers ?? 1);
    const isReported = wantsReport && (isRejected || isAnswered);
    const { from, to: most } = durationSeconds;
    const durationMs = isAnswered ? Math.round((from + length * (most - from)) * 1_000) : 0;
    line?.isUsedUntil(atMs + durationMs);
    agents.isBusyUntil(atMs + durationMs);
    const isHeard = isAnswered || isReported;
    const transcript = isHeard ? speak?.(wordsOf(csv, line?.row ?? [])) : undefined;
    return {
      ...{
        atMs,
        phase,
        caller: id,
        calling,
        called,
        destination: to.id,
        way,
        isAnswered,
        durationMs,
        isReported,
        isRejected,
      },
      ...(campaign === undefined ? {} : { campaign }),
      ...(diversions.length === 0 ? {} : { diversions }),
      ...(transcript === undefined ? {} : { transcript }),
    };
  };
}

const wordsOf = (csv: ScenarioCsv | undefined, row: readonly string[]): Readonly<Record<string, string>> =>
  Object.fromEntries(Object.entries(csv?.words ?? {}).map(([word, field]) => [word, row[field] ?? '']));

/** How many of the calls of the busiest hour each hour of a working day has, from midnight on. */
const HOURS = [
  ...[0.05, 0.03, 0.02, 0.02, 0.03, 0.08, 0.2, 0.4, 0.7, 0.9, 1, 1],
  ...[0.95, 0.95, 1, 1, 0.95, 0.85, 0.7, 0.55, 0.4, 0.3, 0.2, 0.1],
];

function timeOfDay(day: ScenarioDay | undefined, random: SeededRandom): (atMs: number) => boolean {
  if (day === undefined) return () => true;
  const { startHour, hoursPerSecond = 1 / 3_600 } = day;
  return (atMs) => {
    const hour = startHour + (atMs / 1_000) * hoursPerSecond;
    const before = HOURS[Math.floor(hour) % 24] ?? 0;
    const after = HOURS[Math.floor(hour + 1) % 24] ?? 0;
    return random.next() < before + (after - before) * (hour % 1);
  };
}

interface Agents {
  readonly isOneFree: (atMs: number) => boolean;
  readonly isBusyUntil: (endMs: number) => void;
}

function freeAgents(count: number | undefined): Agents {
  if (count === undefined) return { isOneFree: () => true, isBusyUntil: () => undefined };
  let busy: number[] = [];
  return {
    isOneFree: (atMs) => {
      busy = busy.filter((endMs) => endMs > atMs);
      return busy.length < count;
    },
    isBusyUntil: (endMs) => void busy.push(endMs),
  };
}

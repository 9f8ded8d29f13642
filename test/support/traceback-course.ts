import type { ProviderReference } from '../../sdk/src/contract/common.js';
import type { TracebackAnswer, TracebackFinding } from '../../sdk/src/contract/traceback-exchange.js';
import { pendingEffects, viewTraceback } from '../../sdk/src/traceback/lifecycle/traceback-view.js';
import type { TracebackEffect, TracebackView } from '../../sdk/src/traceback/lifecycle/traceback-view.js';
import { startTraceback, stepTraceback } from '../../sdk/src/traceback/lifecycle/step-traceback.js';
import type { TracebackStart, TracebackStep } from '../../sdk/src/traceback/lifecycle/step-traceback.js';
import type { TracebackEvent, TracebackState } from '../../sdk/src/traceback/lifecycle/traceback-state.js';

/** Tuesday 10:00 in New York: requests of the first hours are due on Wednesday. */
export const COURSE_START_MS = Date.UTC(2026, 1, 3, 15);
export const HOUR_MS = 3_600_000;

/** Providers by letters, as people draw tracebacks. */
export function provider(letter: string): ProviderReference {
  return { providerId: `provider-${letter.toLowerCase()}`, name: `Example ${letter}` };
}

/** An answer to a request as far as a traceback looks at it. */
export function answerTo(
  requestId: string,
  from: ProviderReference,
  finding: TracebackFinding,
  {
    revision = 1,
    answerId = `${requestId}:${revision}`,
  }: { readonly revision?: number; readonly answerId?: string } = {},
): TracebackAnswer {
  return {
    format: 'hopback.traceback-answer.1',
    answerId,
    requestId,
    tracebackId: 'tb-1',
    revision,
    ...(revision > 1 && {
      amends: { answerId: `${requestId}:${revision - 1}`, reason: 'a wrong trunk was looked up' },
    }),
    answeredAt: new Date(COURSE_START_MS).toISOString(),
    provider: from,
    answeredBy: { kind: 'automatic', policyId: 'example-1' },
    finding,
    searched: { windows: [], keys: ['called'], coverage: [], recordsConsidered: 1 },
  };
}

type WithoutFrame<Event> = Event extends unknown ? Omit<Event, 'tracebackId' | 'atMs'> : never;

/** A traceback in a test, which carries out effects and hands in events. */
export interface TracebackCourse {
  state(): TracebackState;
  view(): TracebackView;
  /** Where it stands, `A answered > B asked`. */
  path(): string;
  /** Hands in an event as of now, which moves on by a minute. */
  happen(event: WithoutFrame<TracebackEvent>): TracebackStep;
  /** The request to a provider: the one on the path, else the last before. */
  requestTo(letter: string): string;
  /** Has all providers asked that are to be asked. */
  ask(): void;
  /** Has them asked and the last one answer. */
  answer(letter: string, finding: TracebackFinding, revision?: number): TracebackStep;
  /** Reports that everything that is pending has been done. */
  finish(): void;
  /** Lets time pass. */
  pass(hours: number): TracebackStep;
  pending(): readonly TracebackEffect[];
  /** What is pending of a type. */
  effects<Type extends TracebackEffect['type']>(
    type: Type,
  ): readonly Extract<TracebackEffect, { readonly type: Type }>[];
  /** Letters of the providers that are to be asked, or whose requests are to be cancelled. */
  asks(): string;
  cancels(): string;
}

/** Starts a traceback with provider A. */
export function traceback(start: Partial<TracebackStart> = {}): TracebackCourse {
  let { state } = startTraceback({ tracebackId: 'tb-1', atMs: COURSE_START_MS, first: provider('A'), ...start });
  let nowMs = COURSE_START_MS;
  const view = (): TracebackView => viewTraceback(state);
  const happen: TracebackCourse['happen'] = (event) => {
    nowMs += 60_000;
    const framed = { tracebackId: 'tb-1', atMs: nowMs, ...event } as TracebackEvent;
    const step = stepTraceback(state, framed);
    state = step.state;
    return step;
  };
  const pending = (): readonly TracebackEffect[] => pendingEffects(state);
  const effects: TracebackCourse['effects'] = (type) =>
    pending().filter(
      (effect): effect is Extract<TracebackEffect, { readonly type: typeof type }> => effect.type === type,
    );
  const ask = (): void => {
    for (const { requestId } of effects('ask-provider')) {
      happen({ type: 'request-sent', requestId, zone: 'America/New_York' });
    }
  };
  const requestTo = (letter: string): string => {
    const { path, left } = view();
    const isAsked = (hop: TracebackView['path'][number]): boolean =>
      hop.provider?.providerId === provider(letter).providerId;
    const found = path.findLast(isAsked) ?? left.findLast(isAsked);
    if (found === undefined) throw new Error(`there is no request to ${letter}`);
    return found.requestId;
  };
  return {
    state: () => state,
    view,
    path: () =>
      view()
        .path.map((hop) => `${hop.provider?.name.slice(-1) ?? '?'} ${hop.state}`)
        .join(' > '),
    happen,
    requestTo,
    ask,
    answer: (letter, finding, revision = 1) => {
      ask();
      const answer = answerTo(requestTo(letter), provider(letter), finding, { revision });
      return happen({ type: 'answer-received', answer });
    },
    finish: () => {
      for (const { effectId } of pending()) happen({ type: 'effect-done', effectId });
    },
    pass: (hours) => {
      nowMs += hours * HOUR_MS;
      return happen({ type: 'time-passed' });
    },
    pending,
    effects,
    asks: () => letters(effects('ask-provider')),
    cancels: () => letters(effects('cancel-request')),
  };
}

/**
 * Plays a course in short: `A>B` (A answers that it received the call from B; once more, it amends its answer), `B:origin`, `B!A` (B denies that
 * it sent the call to A), `C~B` (C reports that it sent the call to B), `B=C~B` (a person chooses that report), `B?foreign` (B cannot be asked),
 * `ask`, `finish` (all that is pending is done), `+25h`.
 */
export function played(script: string, course: TracebackCourse = traceback()): TracebackCourse {
  for (const word of script.split(' ')) {
    const [, first = '', sign = '', second = ''] = /^(\w*)([>:!~?+=]?)([\w.~-]*)$/.exec(word) ?? [];
    if (word === 'finish') course.finish();
    else if (sign === '') course.ask();
    else if (sign === '+') course.pass(Number.parseFloat(second));
    else if (sign === '~')
      course.happen({
        ...{ type: 'neighbour-reported', reportId: word },
        ...{ provider: provider(first), sentTo: provider(second) },
      });
    else if (sign === '=')
      course.happen({
        ...{ type: 'neighbour-chosen', requestId: course.requestTo(first) },
        ...{ reportId: second, by: 'reviewer' },
      });
    else if (sign === '?')
      course.happen({
        ...{ type: 'provider-not-askable', requestId: course.requestTo(first) },
        reason: second as 'foreign' | 'no-contact',
      });
    else {
      const { path, left } = course.view();
      const requestId = course.requestTo(first);
      const revision = [...path, ...left].find((hop) => hop.requestId === requestId)?.statements.length ?? 0;
      course.answer(first, findingIn(sign, second), revision + 1);
    }
  }
  return course;
}

/** Findings by their word in a script; `not-found` is any other. */
const FINDINGS: Readonly<Record<string, TracebackFinding>> = {
  origin: { arm: 'origin', customer: {} },
  'not-retained': { arm: 'not-retained', retainedFrom: '2026-01-01T00:00:00Z' },
  'point-of-entry': { arm: 'point-of-entry', upstream: { name: 'Beispiel Telekom', country: 'DE' } },
  ambiguous: { arm: 'ambiguous', candidates: 2 },
  refused: { arm: 'refused', reason: 'a court order was asked for' },
  unlisted: { arm: 'received-from-unlisted', upstream: { name: 'Nobody Knows LLC' } },
  'not-our-number': { arm: 'not-our-number' },
};

function findingIn(sign: string, word: string): TracebackFinding {
  if (sign === '>') return from(word);
  if (sign === '!') return { arm: 'not-sent-to-downstream', downstream: provider(word) };
  return FINDINGS[word] ?? { arm: 'not-found' };
}

/** The finding that names a provider. */
export function from(letter: string): TracebackFinding {
  return { arm: 'received-from', upstream: provider(letter) };
}

const letters = (effects: readonly { readonly provider?: ProviderReference }[]): string =>
  effects.map((effect) => effect.provider?.name.slice(-1) ?? '?').join(' ');

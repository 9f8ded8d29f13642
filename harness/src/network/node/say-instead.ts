import type { TracebackAnswer, TracebackRequest } from '@hopback/sdk/traceback';
import type { Behaviour } from '../../scenario/index.js';
import { behaviourHolds } from '../plan/index.js';
import type { NetworkPlan, PlannedCall, PlannedProvider } from '../plan/index.js';
import { doingOf } from './behaviours.js';
import type { CallRoutes } from './call-route.js';
import { saidInstead } from './behaviours.js';

/** How a provider deals with requests. */
export interface AnswerManners {
  /** Whether it has a responder at all. */
  readonly isAnswering: boolean;
  /** How long a request lies, milliseconds of the platform's clock; Infinity: for ever. Undefined where none ever does. */
  readonly liesMs?: (request: TracebackRequest) => number;
  /** What is said in place of what was found; undefined where it always says that. */
  readonly says?: (answer: TracebackAnswer, request: TracebackRequest | undefined) => TracebackAnswer;
}

/** Finds out how a provider deals with requests: by its behaviours, and by those who count on it. */
export function answerManners(plan: NetworkPlan, provider: PlannedProvider, routes: CallRoutes): AnswerManners {
  const { behaviours } = provider;
  const doings = behaviours.map(doingOf);
  const allies = plan.providers.filter((one) => one.id !== provider.id && alliances(one, provider.id).length > 0);
  const isAlwaysSilent = behaviours.some((one) => doingOf(one).isSilent === true && isUnbounded(one));
  const lies = doings.some(({ says }) => says !== undefined);
  const waits = doings.some(({ answersAfterMs, isSilent }) => answersAfterMs !== undefined || isSilent === true);
  const callOf = (request: TracebackRequest | undefined): PlannedCall | undefined => calledFor(request, plan, routes);
  const active = (of: PlannedProvider, call: PlannedCall | undefined): readonly Behaviour[] =>
    of.behaviours.filter((one, place) =>
      call === undefined ? isUnbounded(one) : behaviourHolds(one, call, { seed: plan.seed, provider: of.id, place }),
    );
  return {
    isAnswering: provider.answersTracebacks && !isAlwaysSilent,
    ...(waits && {
      liesMs: (request) =>
        active(provider, callOf(request)).reduce((ms, one) => {
          const { isSilent, answersAfterMs } = doingOf(one);
          return Math.max(ms, isSilent === true ? Infinity : (answersAfterMs?.(one) ?? 0));
        }, 0),
    }),
    ...((lies || allies.length > 0) && {
      says: (answer, request) => {
        const call = callOf(request);
        const lie = active(provider, call).findLast((one) => doingOf(one).says !== undefined);
        // Who lies does so too about a call that never came to it.
        if (lie !== undefined)
          return doingOf(lie).says?.(withCall(answer, call, request), lie, { provider: named(plan) }) ?? answer;
        const isCounted =
          call !== undefined &&
          !call.way.includes(provider.id) &&
          allies.some((one) => call.way.includes(one.id) && active(one, call).some((b) => isAlliance(b, provider.id)));
        return isCounted ? colluded(withCall(answer, call, request), call, { plan, provider }) : answer;
      },
    }),
  };
}

const isUnbounded = ({ fromSeconds, untilSeconds, share }: Behaviour): boolean =>
  fromSeconds === undefined && untilSeconds === undefined && share === undefined;

const isAlliance = (behaviour: Behaviour, ally: string): boolean =>
  behaviour.kind === 'names-another' && behaviour.colludes === true && behaviour.provider === ally;

const alliances = ({ behaviours }: PlannedProvider, ally: string): readonly Behaviour[] =>
  behaviours.filter((one) => isAlliance(one, ally));

const named =
  ({ providers }: NetworkPlan) =>
  (id: string): { readonly providerId: string; readonly name: string } => {
    const found = providers.find((one) => one.id === id);
    return { providerId: found?.providerId ?? id, name: found?.name ?? id };
  };

/**
 * What an ally says of a call that it never had: that it came from the first of those that send it calls and was not on the way, since to name itself
 * would be no use to it; where there is none it takes the call upon itself.
 */
function colluded(
  answer: TracebackAnswer,
  call: PlannedCall,
  { plan, provider }: { readonly plan: NetworkPlan; readonly provider: PlannedProvider },
): TracebackAnswer {
  const framed = provider.upstream.find((id) => id !== provider.id && !call.way.includes(id));
  return framed === undefined
    ? saidInstead(answer, { arm: 'origin', customer: {} })
    : saidInstead(answer, { arm: 'received-from', upstream: named(plan)(framed) });
}

/** The answer with a call: if none was found, an invented record that fits the request. */
function withCall(
  answer: TracebackAnswer,
  call: PlannedCall | undefined,
  request: TracebackRequest | undefined,
): TracebackAnswer {
  if (answer.call !== undefined || call === undefined) return answer;
  const { local, zone } = request?.call.at ?? {};
  const startedAt = zone === 'UTC' ? new Date(`${local ?? ''}Z`).toISOString() : answer.answeredAt;
  const { calling, called, isAnswered } = call;
  return { ...answer, call: { startedAt, calling, called, disposition: isAnswered ? 'answered' : 'no-answer' } };
}

/** The call of the plan that a request is about: of those with its numbers the one nearest in time is as good as any. */
function calledFor(
  request: TracebackRequest | undefined,
  { calls }: NetworkPlan,
  routes: CallRoutes,
): PlannedCall | undefined {
  const called = request?.call.called?.replace(/\D/g, '');
  const calling = request?.call.calling?.replace(/\D/g, '');
  if (called === undefined) return undefined;
  if (calling !== undefined) return routes.find(undefined, { calling, called })?.call;
  return calls.find((call) => call.called === called);
}

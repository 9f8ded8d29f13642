import type { Verstat } from '@hopback/sdk/stir';
import { connectExchange, createDrachtioServer, valuesByName } from '../../drachtio/index.js';
import type { ArrivedInvite } from '../../drachtio/index.js';
import { createPhone, verstatOf } from '../../phones/index.js';
import type { AnswerPolicy, IncomingCall, Phone } from '../../phones/index.js';
import type { ScenarioCalled } from '../../scenario/index.js';
import { CALL_FIELD, createCallRoutes, SILENT_SDP, TRYING_HOLD_MS } from '../node/index.js';
import type { CallRoutes } from '../node/index.js';
import type { NetworkPlan, PlannedCall } from '../plan/index.js';
import { endsOf } from './callers.js';
import type { WorldOptions } from './world.js';

/** A call as it reached the callee. */
export interface ReachedCall {
  readonly call: PlannedCall;
  readonly atMs: number;
  /** Digits, as they are shown. */
  readonly calling?: string;
  readonly verstat?: Verstat;
  /** Whether the callee's app rejected it. */
  readonly isRejected: boolean;
}

/** All who are called. */
export interface Callees {
  /** Address of whoever answers for called numbers, by the id of these, without `sip:`. */
  readonly sinkOf: (destination: string) => string;
  /** Registers the phones with their providers: `ws:` addresses by id of the provider. */
  readonly register: (phones: Readonly<Record<string, string>>) => Promise<void>;
  readonly close: () => Promise<void>;
}

/** RFC 8197 */
const UNWANTED = 607;
const BUSY = 486;
/** Nobody came to the telephone. */
const UNAVAILABLE = 480;
const RINGING = 180;
/** Phones of a network at most. */
const MAX_PHONES = 50;

/** Opens the sink, and the phones of the plan once their providers are there. */
export async function openCallees(
  plan: NetworkPlan,
  {
    listen,
    onReached,
  }: { readonly listen: NonNullable<WorldOptions['listen']>; readonly onReached: (reached: ReachedCall) => void },
): Promise<Callees> {
  const routes = createCallRoutes(plan);
  const told = plan.scenario.called.flatMap(({ id }) => listen[id] ?? []);
  const server = await createDrachtioServer({
    ...{
      tryingHoldMs: TRYING_HOLD_MS,
      listen: [{ host: '127.0.0.1', port: 0 }, ...told].map((at) => ({ transport: 'udp', ...at })),
    },
  });
  const isEndedByCaller = endsOf(plan);
  const exchange = connectExchange(server, (invite) => sink({ invite, routes, isEndedByCaller, onReached }));
  const phones: Phone[] = [];
  return {
    sinkOf: (id) => {
      const at = listen[id];
      return at === undefined ? server.uri('udp').slice('sip:'.length) : `${at.host}:${String(at.port)}`;
    },
    register: async (places) => {
      for (const called of plan.scenario.called)
        if (called.by === 'phones')
          for (const number of numbersOf(called).slice(0, MAX_PHONES - phones.length)) {
            const phone = await createPhone({
              ...{ server: places[called.at] ?? '', number, domain: `${called.at}.example` },
              onIncoming: (call) => answerOf(call, { routes, number, isEndedByCaller, onReached }),
            });
            phones.push(phone);
            await phone.register();
          }
    },
    close: async () => {
      await Promise.all(phones.map((phone) => phone.close()));
      exchange.close();
      await server.close();
    },
  };
}

function numbersOf({ first, count = 1 }: ScenarioCalled): readonly string[] {
  return Array.from({ length: count }, (_, index) => String(BigInt(first) + BigInt(index)));
}

interface SinkParts {
  readonly invite: ArrivedInvite;
  readonly routes: CallRoutes;
  readonly isEndedByCaller: (call: PlannedCall) => boolean;
  readonly onReached: (reached: ReachedCall) => void;
}

const digits = (number: string): string => number.replace(/\D/g, '');

/** User part of the first SIP URI in a header field, without parameters, or the number of a tel URI; empty where it has none. */
function userIn(text: string): string {
  // Behind a display name the URI stands in angle brackets, and they are the last ones. @see RFC 3261 section 25.1, name-addr
  const [, scheme = '', rest = ''] = /^\s*(sips?|tel):([^>]*)/i.exec(text.slice(text.lastIndexOf('<') + 1)) ?? [];
  const user = scheme.toLowerCase() === 'tel' ? rest : rest.slice(0, Math.max(0, rest.indexOf('@')));
  return user.split(';', 1)[0] ?? '';
}

function sink({ invite: { request, respond, answer }, routes, isEndedByCaller, onReached }: SinkParts): void {
  const headerOf = (name: string): string => valuesByName(request, name)[0] ?? '';
  const [asserted, from] = [headerOf('P-Asserted-Identity'), headerOf('From')];
  const numbers = {
    calling: digits(userIn(asserted === '' ? from : asserted)),
    called: digits(userIn(request.requestUri)),
  };
  const field = headerOf(CALL_FIELD);
  const call = routes.arriving(field === '' ? undefined : field, numbers)?.call;
  if (call === undefined) {
    respond(BUSY);
    return;
  }
  const verstat = verstatOf(asserted) ?? verstatOf(from);
  onReached({
    ...{ call, atMs: Date.now(), isRejected: call.isRejected },
    ...(numbers.calling !== '' && { calling: numbers.calling }),
    ...(verstat !== undefined && { verstat }),
  });
  if (call.isRejected) respond(UNWANTED);
  else if (call.isAnswered) {
    const up = answer(SILENT_SDP);
    if (isEndedByCaller(call)) return;
    const timer = setTimeout(() => void up.hangUp(), call.durationMs);
    up.onOver(() => clearTimeout(timer));
  } else {
    respond(RINGING);
    respond(UNAVAILABLE);
  }
}

function answerOf(
  { invite }: IncomingCall,
  { routes, number, isEndedByCaller, onReached }: Omit<SinkParts, 'invite'> & { readonly number: string },
): AnswerPolicy {
  const { callingNumber, verstat } = invite;
  const call = routes.arriving(undefined, { calling: callingNumber ?? '', called: number })?.call;
  if (call === undefined) return { action: 'busy' };
  onReached({
    ...{ call, atMs: Date.now(), isRejected: call.isRejected },
    ...(callingNumber !== undefined && { calling: callingNumber }),
    ...(verstat !== undefined && { verstat }),
  });
  if (call.isRejected) return { action: 'reject', status: UNWANTED };
  if (!call.isAnswered) return { action: 'reject', status: UNAVAILABLE, ringMs: 1 };
  return isEndedByCaller(call) ? { action: 'answer' } : { action: 'answer', hangUpAfterMs: call.durationMs };
}

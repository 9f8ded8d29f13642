import type { Verstat } from '@hopback/sdk/stir';
import { schedule } from '@hopback/sdk/internal/runtime';
import { Exchange, DrachtioServer, valuesByName } from '../../drachtio/index.js';
import type { ArrivedInvite, ExchangeCall, SipMessage } from '../../drachtio/index.js';
import type { SeenCall, SeenHop } from '../../oracle/index.js';
import { Phone, verstatOf } from '../../phones/index.js';
import type { AnswerPolicy, IncomingCall } from '../../phones/index.js';
import type { ScenarioCalled } from '../../scenario/index.js';
import { CALL_FIELD, createCallRoutes } from '../node/call-route.js';
import { SILENT_SDP, TRYING_HOLD_MS } from '../node/srf-face.js';
import { UNAVAILABLE } from '../node/node-switch.js';
import type { CallRoutes } from '../node/call-route.js';
import type { HopNote } from '../node/srf-face.js';
import type { NetworkPlan, PlannedCall } from '../plan/index.js';
import type { WorldOptions } from './world.js';

/** What the caller's side saw of a call. */
export type CallerView = Omit<SeenCall, 'hops' | 'shownVerstat'>;

/** A caller who hears nothing gives up, milliseconds: after as many seconds nobody rings any longer. */
const CALLER_PATIENCE_MS = 10_000;
/** Whoever is to hang up and does not is hung up on, so much later, milliseconds. */
const LATE_HANG_UP_MS = 3_000;
/** Time for the answer to a CANCEL or BYE, milliseconds. */
const GOODBYE_MS = 2_000;

/** Whether the caller hangs up, or the callee does. Callers that are somebody else's programs always do. */
function endsOf({ externalCallers = [] }: Pick<NetworkPlan, 'externalCallers'>): (call: PlannedCall) => boolean {
  const external = new Set(externalCallers);
  return ({ index, caller }) => index % 2 === 0 || external.has(caller);
}

/** Of calls that we place. */
const endsByCaller = endsOf({});

/** Opens the exchanges of all customers as one. */
async function openCallers() {
  const server = await DrachtioServer.open();
  const exchange = new Exchange(server);
  /** Places a call at an address, and stays with it until it is over; undefined: nobody is there. Never rejects. */
  const place = async (call: PlannedCall, address: string | undefined): Promise<CallerView> => {
    const placedAtMs = Date.now();
    const startedAt = performance.now();
    let reasons: readonly string[] = [];
    const hear = (message: SipMessage): void => {
      const said = valuesByName(message, 'Reason');
      if (said.length > 0) reasons = [...new Set([...reasons, ...said])];
    };
    const seen = (finalStatus: number | undefined): CallerView => ({
      index: call.index,
      placedAtMs,
      setupMs: performance.now() - startedAt,
      reasons,
      ...(finalStatus !== undefined && { finalStatus }),
    });
    if (address === undefined) return seen(UNAVAILABLE);
    const uri = `sip:+${call.called}@${address}`;
    const placed = exchange.place({ uri, headers: headersOf(call), sdp: SILENT_SDP, onProvisional: hear });
    const cancelPatience = schedule(placed.cancel, CALLER_PATIENCE_MS);
    const { response, call: up } = await placed.outcome;
    cancelPatience();
    if (response !== undefined) hear(response);
    const view = seen(response?.status);
    if (up !== undefined) await over(up, call);
    return view;
  };
  return {
    place,
    close: async () => {
      exchange.close();
      await server.close();
    },
  };
}

const headersOf = ({ index, calling, called }: PlannedCall): Record<string, string> => ({
  From: `<sip:+${calling}@pbx.example>`,
  To: `<sip:+${called}@pbx.example>`,
  [CALL_FIELD]: `${String(index)} 0`,
});

/** Hangs up when it is time, or waits until the other side has. */
function over(up: ExchangeCall, call: PlannedCall): Promise<void> {
  return new Promise((resolve) => {
    let isHangingUp = false;
    const hangUp = (): void => {
      isHangingUp = true;
      const cancelPatience = schedule(resolve, GOODBYE_MS);
      void up.hangUp().then(() => {
        cancelPatience();
        resolve();
      });
    };
    const cancel = schedule(hangUp, call.durationMs + (endsByCaller(call) ? 0 : LATE_HANG_UP_MS));
    up.onOver(() => {
      cancel();
      if (!isHangingUp) resolve();
    });
  });
}

/** What is known of a call at all its providers, the first hop first. */
export function hopsInOrder(notes: readonly { readonly hop: number; readonly seen: SeenHop }[]): readonly SeenHop[] {
  return notes.toSorted((one, other) => one.hop - other.hop || one.seen.atMs - other.seen.atMs).map(({ seen }) => seen);
}

/** Whoever places calls is started beside the run, and is late: how long after its time a call is waited for, milliseconds. */
const PATIENCE_MS = 30_000;
const ANSWERED = 200;

/** Waits for the calls of callers that are somebody else's programs. */
export function createAwaitedCalls({ externalCallers = [] }: NetworkPlan) {
  const callers = new Set(externalCallers);
  const come = new Map<number, CallerView>();
  const waiting = new Map<number, (view: CallerView) => void>();
  const timers = new Set<() => void>();
  return {
    isAwaited: ({ caller }: PlannedCall) => callers.has(caller),
    /** Tells of a call at one of its providers. */
    hop: ({ index, hop, seen, status, answeredMs }: HopNote) => {
      if (hop !== 0 || callers.size === 0) return;
      const view: CallerView = {
        // Of what the caller was sent the first provider tells the status; Reason header fields are seen in its captures.
        index,
        placedAtMs: seen.atMs,
        setupMs: answeredMs - seen.atMs,
        reasons: [],
        ...(status !== undefined && { finalStatus: status }),
      };
      come.set(index, view);
      waiting.get(index)?.(view);
    },
    /** What became of a call, by its first provider; without a time where it did not come. Never rejects. */
    come: ({ index, durationMs }: PlannedCall): Promise<CallerView> =>
      new Promise((resolve) => {
        const after = (ms: number, then: () => void): (() => void) => {
          const cancel = schedule(() => {
            timers.delete(cancel);
            then();
          }, ms);
          timers.add(cancel);
          return cancel;
        };
        const done = (view: CallerView): void => {
          waiting.delete(index);
          // One that was answered is up for as long as the plan says.
          if (view.finalStatus === ANSWERED) after(durationMs, () => resolve(view));
          else resolve(view);
        };
        const known = come.get(index);
        if (known !== undefined) {
          done(known);
          return;
        }
        const cancel = after(PATIENCE_MS, () => done({ index, reasons: [] }));
        waiting.set(index, (view) => {
          cancel();
          timers.delete(cancel);
          done(view);
        });
      }),
    close: async () => {
      for (const cancel of timers) cancel();
    },
  };
}

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

/** RFC 8197 */
const UNWANTED = 607;
const BUSY = 486;
/** Nobody came to the telephone. */
const NO_ANSWER = 480;
const RINGING = 180;
/** Phones of a network at most. */
const MAX_PHONES = 50;

/** Opens the sink, and the phones of the plan once their providers are there. */
async function openCallees(
  plan: NetworkPlan,
  {
    listen,
    onReached,
  }: { readonly listen: NonNullable<WorldOptions['listen']>; readonly onReached: (reached: ReachedCall) => void },
) {
  const routes = createCallRoutes(plan);
  const told = plan.scenario.called.flatMap(({ id }) => listen[id] ?? []);
  const server = await DrachtioServer.open({
    tryingHoldMs: TRYING_HOLD_MS,
    listen: [{ host: '127.0.0.1', port: 0 }, ...told].map((at) => ({ transport: 'udp', ...at })),
  });
  const isEndedByCaller = endsOf(plan);
  const exchange = new Exchange(server, (invite) => sink({ invite, routes, isEndedByCaller, onReached }));
  const phones: Phone[] = [];
  return {
    /** Address that answers each group of called numbers, by the group's id, without `sip:`. */
    sinkOf: (id: string) => {
      const at = listen[id];
      return at === undefined ? server.uri('udp').slice('sip:'.length) : `${at.host}:${String(at.port)}`;
    },
    /** Registers the phones with their providers: `ws:` addresses by id of the provider. */
    register: async (places: Readonly<Record<string, string>>) => {
      for (const called of plan.scenario.called)
        if (called.by === 'phones')
          for (const number of numbersOf(called).slice(0, MAX_PHONES - phones.length)) {
            const phone = await Phone.open({
              server: places[called.at] ?? '',
              number,
              domain: `${called.at}.example`,
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
  onReached(reached(call, numbers.calling, verstat));
  if (call.isRejected) respond(UNWANTED);
  else if (call.isAnswered) {
    const up = answer(SILENT_SDP);
    if (isEndedByCaller(call)) return;
    const cancel = schedule(() => void up.hangUp(), call.durationMs);
    up.onOver(cancel);
  } else {
    respond(RINGING);
    respond(NO_ANSWER);
  }
}

function answerOf(
  { invite }: IncomingCall,
  { routes, number, isEndedByCaller, onReached }: Omit<SinkParts, 'invite'> & { readonly number: string },
): AnswerPolicy {
  const { callingNumber, verstat } = invite;
  const call = routes.arriving(undefined, { calling: callingNumber ?? '', called: number })?.call;
  if (call === undefined) return { action: 'busy' };
  onReached(reached(call, callingNumber, verstat));
  if (call.isRejected) return { action: 'reject', status: UNWANTED };
  if (!call.isAnswered) return { action: 'reject', status: NO_ANSWER, ringMs: 1 };
  return isEndedByCaller(call) ? { action: 'answer' } : { action: 'answer', hangUpAfterMs: call.durationMs };
}

/** A call that has reached its callee now. */
const reached = (call: PlannedCall, calling: string = '', verstat?: Verstat): ReachedCall => ({
  call,
  atMs: Date.now(),
  isRejected: call.isRejected,
  ...(calling !== '' && { calling }),
  ...(verstat !== undefined && { verstat }),
});

/** A call that is to be placed, and where; without an address nobody is there. */
export interface PlacedCall {
  readonly call: PlannedCall;
  readonly address: string | undefined;
}

/** Who is to be called, and where. */
export interface CallEndsOrder {
  readonly plan: NetworkPlan;
  /** Where whoever answers for called numbers takes calls; default any free port. */
  readonly listen: NonNullable<WorldOptions['listen']>;
}

/** Whoever calls, and whoever is called, in this process or another. */
export interface CallEnds {
  /** Addresses of those who answer for called numbers, by the id of these, without `sip:`. */
  readonly sinks: Readonly<Record<string, string>>;
  /** Registers the phones with their providers: `ws:` addresses by id of the provider. */
  readonly register: (phones: Readonly<Record<string, string>>) => Promise<void>;
  /** Places a call, and stays with it until it is over. */
  readonly place: (placed: PlacedCall) => Promise<CallerView>;
  /** Never rejects. */
  readonly close: () => Promise<void>;
}

/** Opens both in this process. */
export async function openCallEnds(
  { plan, listen }: CallEndsOrder,
  onReached: (reached: ReachedCall) => void,
): Promise<CallEnds> {
  const callees = await openCallees(plan, { listen, onReached });
  const callers = await openCallers().catch(async (error: unknown) => {
    await callees.close();
    throw error;
  });
  return {
    sinks: Object.fromEntries(plan.scenario.called.map(({ id }) => [id, callees.sinkOf(id)])),
    register: callees.register,
    place: ({ call, address }) => callers.place(call, address),
    close: async () => {
      await callers.close();
      await callees.close();
    },
  };
}

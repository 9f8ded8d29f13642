import type { VerificationService } from '@hopback/sdk/stir';
import { createCallTracker, everyStatus, trunkPolicy, verifyIdentity } from '@hopback/sdk/switch';
import type { CallRecordSink, CallTracker, TrunkPolicy } from '@hopback/sdk/switch';
import { createDrachtioServer } from '../../drachtio/index.js';
import type { DrachtioServer, ListenAddress } from '../../drachtio/index.js';
import type { Behaviour } from '../../scenario/index.js';
import { doingOf } from './behaviours.js';
import { CALL_FIELD, hopPart } from './call-route.js';
import { carryCall, userOf } from './carry-call.js';
import type { CarriedLocals, Carrying } from './carry-call.js';
import { isNow } from './node-clock.js';
import type { NodeClock } from './node-clock.js';
import type { NodeCoverage } from './node-coverage.js';
import { letGo, noteOf, takeInHand } from './node-hops.js';
import type { HopInHand } from './node-hops.js';
import type { NodeSigning } from './node-signing.js';
import type { NodeOptions } from './node.js';
import { registrar } from './registrar.js';
import { connectSrf, TRYING_HOLD_MS } from './srf-face.js';
import type { ConnectedSrf, SrfFace, SrfHandler, SrfRequest } from './srf-face.js';
import { SWITCH_ID, trunkFrom, trunkOfCaller, trunkTo } from './trunk-table.js';

/** Settings of {@link openNodeSwitch}. */
export interface NodeSwitchOptions extends Omit<NodeOptions, 'onTrouble'> {
  readonly nodeClock: NodeClock;
  readonly sink: CallRecordSink;
  readonly coverage: NodeCoverage;
  readonly service: VerificationService;
  readonly signing: NodeSigning | undefined;
  readonly addressOf: Carrying['addressOf'];
  readonly onTrouble: (error: unknown) => void;
}

/** The switch of a provider. */
export interface NodeSwitch {
  readonly address: string;
  readonly phones?: string;
  readonly begin: () => void;
  /** Resolves when no call is up any more, or is up for longer than anybody waits, and all are on record. */
  readonly drain: () => Promise<void>;
  readonly close: () => Promise<void>;
}

/** Opens the switch of a provider: server, application, middleware of the sdk in the order of its guide. */
export async function openNodeSwitch(options: NodeSwitchOptions): Promise<NodeSwitch> {
  const { provider, plan, start, coverage, onTrouble } = options;
  const providers = new Map(plan.providers.map((one) => [one.id, one]));
  const servesPhones = plan.scenario.called.some(({ at, by }) => at === provider.id && by === 'phones');
  const phones = registrar();
  const carrying: Carrying = {
    ...{ provider, providers, plan, signing: options.signing, memory: new Map(), onTrouble },
    addressOf: (next, called) =>
      ('destination' in next ? phones.find(called) : undefined) ?? options.addressOf(next, called),
  };
  const policies = policiesOf(options);
  /** Calls that have no final response yet. */
  const inHand = new Map<HopInHand, SrfRequest>();
  const finish = (hop: HopInHand, request: SrfRequest, status?: number): void => {
    if (!inHand.delete(hop)) return;
    letGo(hop);
    const { identity } = request.locals as CarriedLocals;
    options.onHop(noteOf(hop, provider.id, { identity, status }));
  };
  const arrivedMs: number[] = [];
  const arrive: SrfHandler = (req, res, next) => {
    const numbers = { calling: digits(req.callingNumber), called: digits(userOf(req.uri)), provider: provider.id };
    const route = options.routes.arriving(req.get(CALL_FIELD), numbers);
    if (route !== undefined) {
      const hop = takeInHand(route, req);
      req.locals = { ...req.locals, hop };
      coverage.taken(hop);
      inHand.set(hop, req);
      res.once('end', (ended: { readonly status: number }) => finish(hop, req, ended.status));
    }
    next();
  };
  const admit: SrfHandler = (req, res, next) => {
    const { hop, call } = req.locals as CarriedLocals;
    if (hop !== undefined && call !== undefined) hop.tracked = call;
    const full = provider.behaviours.some(
      (behaviour) =>
        isNow(behaviour, start) && doingOf(behaviour).isTooMuch?.(arrivedMs, Date.now(), behaviour) === true,
    );
    if (!full) return next();
    res.send(SERVICE_UNAVAILABLE, { headers: { 'Retry-After': RETRY_AFTER } });
  };
  const setUp = (srf: SrfFace, tracker: CallTracker): void => {
    if (servesPhones) srf.use('register', phones.handle);
    srf.use('invite', arrive);
    srf.use('invite', tracker.middleware);
    srf.use('invite', everyStatus);
    srf.use('invite', admit);
    if (provider.stir) srf.use('invite', verifyIdentity(policies));
    srf.invite((req, res) => void carryCall(carrying, srf, { req, res }).catch(onTrouble));
  };
  let running = await run(options, { setUp, listen: listenAddresses(servesPhones, options.listen) });
  const timers: NodeJS.Timeout[] = [];
  let moving: Promise<void> = Promise.resolve();
  const down = async (): Promise<void> => {
    for (const [hop, req] of inHand) finish(hop, req);
    await running.close();
  };
  const up = async (): Promise<void> => {
    running = await run(options, { setUp, listen: running.listening });
  };
  const schedule = (crash: Behaviour): void => {
    const { fromSeconds = 0, untilSeconds } = crash;
    const move = (step: () => Promise<void>) => () => {
      moving = moving.then(step).catch(onTrouble);
    };
    timers.push(setTimeout(move(down), fromSeconds * SECOND_MS));
    if (untilSeconds !== undefined) timers.push(setTimeout(move(up), untilSeconds * SECOND_MS));
  };
  return {
    address: running.address,
    ...(running.phones !== undefined && { phones: running.phones }),
    begin: () => {
      if (options.drachtio !== undefined) return;
      for (const behaviour of provider.behaviours) if (doingOf(behaviour).isDown === true) schedule(behaviour);
    },
    drain: async () => {
      if (await isDrained(() => running.tracker)) return;
      // Whoever had the other side is gone.
      for (const { tracked } of coverage.open()) tracked?.end({ party: 'network', cause: 'nobody ended it' });
      await isDrained(() => running.tracker);
    },
    close: async () => {
      for (const timer of timers) clearTimeout(timer);
      await moving;
      await running.close();
    },
  };
}

const SERVICE_UNAVAILABLE = 503;
const RETRY_AFTER = '1';
const SECOND_MS = 1_000;

const digits = (number: string): string => number.replace(/^\+/, '');

/** Verification by the trunk that a call came in by. */
function policiesOf({ provider, plan, service, onTrouble }: NodeSwitchOptions): Parameters<typeof verifyIdentity>[0] {
  const providers = new Map(plan.providers.map((one) => [one.id, one]));
  const byRole = new Map<string, TrunkPolicy>();
  const doNotOriginate = new Set(plan.doNotOriginate);
  return {
    ...{ service, onTrouble },
    ...(doNotOriginate.size > 0 && { doNotOriginate: { has: (number) => doNotOriginate.has(number) } }),
    policyOf: (request) => {
      const { hop } = (request.locals ?? {}) as CarriedLocals;
      if (hop === undefined) return undefined;
      const { role } = hopPart(hop.route, providers);
      const policy = byRole.get(role) ?? trunkPolicy({ role, failureAction: provider.failureAction });
      byRole.set(role, policy);
      return policy;
    },
  };
}

interface Running {
  readonly address: string;
  readonly phones?: string;
  readonly listening: readonly ListenAddress[];
  readonly tracker: CallTracker;
  readonly close: () => Promise<void>;
}

const HOST = '127.0.0.1';
const ANYWHERE = { host: HOST, port: 0 } as const;

const listenAddresses = (
  servesPhones: boolean,
  { host, port }: NonNullable<NodeOptions['listen']> = ANYWHERE,
): readonly ListenAddress[] => [
  { transport: 'udp', host, port },
  ...(servesPhones ? [{ transport: 'ws', host: HOST, port: 0 } as const] : []),
];

/** Starts server and application with a tracker of their own. */
async function run(
  { provider, plan, nodeClock, sink, onTrouble, onMessage, drachtio }: NodeSwitchOptions,
  {
    setUp,
    listen,
  }: { readonly setUp: (srf: SrfFace, tracker: CallTracker) => void; readonly listen: readonly ListenAddress[] },
): Promise<Running> {
  const names = plan.providers.flatMap(({ id, name }) => [
    [trunkFrom(id), name] as const,
    [trunkTo(id), name] as const,
  ]);
  const tracker = createCallTracker({
    source: { id: SWITCH_ID, providers: Object.fromEntries(names) },
    ...{ sink, onTrouble, clock: nodeClock },
    trunkOf: ({ locals }) => trunkOfHop((locals as CarriedLocals | undefined)?.hop),
    customerOf: ({ locals }) => {
      const { route } = (locals as CarriedLocals | undefined)?.hop ?? {};
      return route?.hop === 0 ? route.call.caller : undefined;
    },
  });
  let server: DrachtioServer | undefined;
  let app: ConnectedSrf | undefined;
  const close = async (): Promise<void> => {
    // The application goes first: one that loses its server tries to come back.
    await app?.close();
    await server?.close();
    await tracker.close();
  };
  try {
    if (drachtio === undefined)
      server = await createDrachtioServer({
        listen,
        tryingHoldMs: TRYING_HOLD_MS,
        ...(onMessage !== undefined && { onMessage }),
      });
    app = await connectSrf(drachtio ?? (server as DrachtioServer), (srf) => setUp(srf, tracker));
  } catch (error) {
    onTrouble(`the switch of ${provider.id} could not be started`);
    await close();
    throw error;
  }
  const listening = server?.listening ?? [];
  const ws = listening.find(({ transport }) => transport === 'ws');
  return {
    address: server?.uri('udp').slice('sip:'.length) ?? addressIn(app.hostPorts),
    ...(ws !== undefined && { phones: `ws://${ws.host}:${String(ws.port)}` }),
    ...{ listening, tracker, close },
  };
}

/** Of a drachtio-server, which says `udp/127.0.0.1:5060,tcp/127.0.0.1:5060`. */
const addressIn = (hostPorts: string): string => /udp\/([^,]+)/.exec(hostPorts)?.[1] ?? '';

function trunkOfHop(hop: HopInHand | undefined): string | undefined {
  if (hop === undefined) return undefined;
  const { call, hop: place } = hop.route;
  return place === 0 ? trunkOfCaller(call.caller) : trunkFrom(call.way[place - 1] ?? '');
}

/** A call that nobody ends keeps nobody waiting for longer, milliseconds. */
const DRAIN_PATIENCE_MS = 10_000;
const DRAIN_STEP_MS = 20;

async function isDrained(current: () => CallTracker): Promise<boolean> {
  const untilMs = Date.now() + DRAIN_PATIENCE_MS;
  const isBusy = (): boolean => {
    const { open, pending } = current().statistics();
    return open > 0 || pending > 0;
  };
  while (isBusy() && Date.now() < untilMs) await new Promise((resolve) => setTimeout(resolve, DRAIN_STEP_MS));
  return !isBusy();
}

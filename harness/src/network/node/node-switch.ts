import type { Clock } from '@hopback/sdk/platform';
import type { CallRecord, RecordStore } from '@hopback/sdk/records';
import type { VerificationService } from '@hopback/sdk/stir';
import {
  CallTracker,
  everyStatus,
  outboundHeaders,
  relayFailure,
  relayedHeaders,
  trunkPolicy,
  verifyIdentity,
} from '@hopback/sdk/switch';
import type { CallIdentity, CallRecordSink, TrackedCall, TrunkPolicy } from '@hopback/sdk/switch';
import { schedule, wait } from '@hopback/sdk/internal/runtime';
import { DrachtioServer } from '../../drachtio/index.js';
import type { ListenAddress } from '../../drachtio/index.js';
import type { Behaviour } from '../../scenario/index.js';
import { behaviourHolds } from '../plan/index.js';
import type { NetworkPlan, PlannedProvider } from '../plan/index.js';
import { behaviourOf } from './behaviours.js';
import type { Leg } from './behaviours.js';
import {
  CALL_FIELD,
  SUBSCRIBERS,
  SWITCH_ID,
  callField,
  factsOf,
  hopPart,
  trunkFrom,
  trunkOfCaller,
  trunkTo,
} from './call-route.js';
import type { CallRoute, HopPart } from './call-route.js';
import { isNow } from './node-material.js';
import type { NodeOptions, NodeSigning } from './node-material.js';
import { TRYING_HOLD_MS, connectSrf, forkCall, joinEnds, letGo, noteOf, takeInHand } from './srf-face.js';
import type { ConnectedSrf, HopInHand, SrfFace, SrfHandler, SrfMessage, SrfRequest, SrfResponse } from './srf-face.js';

/** What a provider carries calls with. */
interface Carrying {
  readonly provider: PlannedProvider;
  readonly providers: ReadonlyMap<string, PlannedProvider>;
  readonly plan: Pick<NetworkPlan, 'seed'>;
  readonly signing: NodeSigning;
  readonly memory: Map<Behaviour, unknown>;
  /** Address of whoever is next, without `sip:`; undefined where nobody is. */
  readonly addressOf: (next: HopPart['next'], called: string) => string | undefined;
  readonly onTrouble: (error: unknown) => void;
}

/** What the middleware leaves with a request. */
interface CarriedLocals {
  readonly call?: TrackedCall;
  readonly identity?: CallIdentity;
  readonly hop?: HopInHand;
}

/** Behaviours of a provider that hold for a call. */
function activeBehaviours(
  { provider, plan }: Pick<Carrying, 'provider' | 'plan'>,
  call: CallRoute['call'],
): readonly Behaviour[] {
  const { behaviours, id } = provider;
  if (behaviours.length === 0) return behaviours;
  return behaviours.filter((one, place) => behaviourHolds(one, call, { seed: plan.seed, provider: id, place }));
}

/** The plan says at which hop a call is forwarded: not where a provider only hands it on. */
function isPlannedHere(behaviour: Behaviour, { call, hop }: CallRoute, { behaviours }: PlannedProvider): boolean {
  if (behaviour.kind !== 'diverts') return true;
  return (call.diversions ?? []).some((one) => one.hop === hop && behaviours[one.behaviour] === behaviour);
}

/** Sends a call on as the provider does. Never rejects. */
async function carryCall(
  carrying: Carrying,
  srf: SrfFace,
  { req, res }: { readonly req: SrfRequest; readonly res: SrfResponse },
): Promise<void> {
  const { call: tracked, identity, hop } = (req.locals ?? {}) as CarriedLocals;
  if (hop === undefined) {
    res.send(NOT_FOUND);
    tracked?.end();
    return;
  }
  const { route } = hop;
  const part = hopPart(route, carrying.providers);
  const active = activeBehaviours(carrying, route.call).filter((one) => isPlannedHere(one, route, carrying.provider));
  const leg = await legOf(carrying, { req, identity, route, part, active });
  const address = carrying.addressOf(part.next, leg.target);
  if (address === undefined) {
    res.send(UNAVAILABLE);
    tracked?.end();
    return;
  }
  const trunk = 'provider' in part.next ? trunkTo(part.next.provider.id) : SUBSCRIBERS;
  const uri = `sip:${leg.target}@${address}`;
  // Telephones are not told what they are part of.
  const headers: Record<string, string> = { ...leg.headers };
  if (!address.endsWith(WEB_SOCKET)) headers[CALL_FIELD] = callField(route);
  const onSent = (request: SrfRequest): void => {
    letGo(hop);
    hop.egressCallIds.push(request.get('Call-ID') ?? '');
  };
  if (leg.branches > 1) {
    await forkCall(
      srf,
      { req, res },
      {
        uri,
        headers,
        trunk,
        tracked,
        identity,
        onSent,
        branches: leg.branches,
      },
    );
    return;
  }
  const reasonHeaders = identity?.treatment.reasonHeaders ?? [];
  const responseHeaders = (answer: SrfMessage): Record<string, string> => relayedHeaders(answer, { reasonHeaders });
  const branch = tracked?.branch({ trunk, signing: leg.signing });
  const cbRequest = (...parts: readonly unknown[]): void => {
    branch?.cbRequest(...parts);
    if (parts[1] !== undefined && parts[1] !== null) onSent(parts[1] as SrfRequest);
  };
  try {
    const options = { headers, responseHeaders, passFailure: false };
    const dialogs = await srf.createB2BUA(req, res, uri, options, { cbRequest });
    tracked?.connected(dialogs);
    joinEnds(dialogs.uas, dialogs.uac);
  } catch (error) {
    relayFailure(res, error, { reasonHeaders });
    tracked?.end();
  }
}

/** Behind the address of a phone. */
const WEB_SOCKET = ';transport=ws';
const NOT_FOUND = 404;
/** There is nobody to send it to. RFC 3261 section 21.5.4 */
export const UNAVAILABLE = 503;

interface LegParts {
  readonly req: SrfRequest;
  readonly identity: CallIdentity | undefined;
  readonly route: CallRoute;
  readonly part: HopPart;
  readonly active: readonly Behaviour[];
}

/** What leaves: as the sdk makes it, and then what the behaviours make of it. */
async function legOf(carrying: Carrying, { req, identity, route, part, active }: LegParts): Promise<Leg> {
  const { provider, signing, onTrouble } = carrying;
  const facts = active.reduce(
    (known, behaviour) => behaviourOf(behaviour).facts?.(known, behaviour) ?? known,
    factsOf(route, part, provider),
  );
  const isFaulty = active.some((behaviour) => behaviourOf(behaviour).hasFaultyCredential === true);
  const service = isFaulty ? signing?.faulty : signing?.own;
  const made = await outboundHeaders(req, {
    facts,
    onTrouble,
    sign: provider.stir,
    ...(identity !== undefined && { identity }),
    ...(service !== undefined && provider.stir && { service }),
  });
  let leg: Leg = {
    headers: { from: addressIn(req.get('From')), to: addressIn(req.get('To')), ...made.headers },
    target: userOf(req.uri),
    ...(made.signing !== undefined && { signing: made.signing }),
    branches: 1,
  };
  for (const behaviour of active)
    leg =
      (await behaviourOf(behaviour).sends?.(leg, behaviour, {
        call: route.call,
        memory: carrying.memory,
        signAs: async (parties, { attestation, provider: name = provider.id }) =>
          (await signing?.as(parties, { attestation, provider: name })) ?? UNSIGNED,
        divert: async (values, { from, to }) => {
          const outcome = await signing?.own.signDiversion({ identity: values, divertingTn: from, newTargetTn: to });
          return outcome?.status === 'signed' ? outcome.identityHeaders : values;
        },
      })) ?? leg;
  return leg;
}

/** Of a provider that has no certificate. */
const UNSIGNED = { status: 'not-signed', reason: 'switched-off', detail: 'The provider has no certificate.' } as const;

/** Name and address of a From or To, without the parameters behind it: its tag is of another leg. */
const addressIn = (field: string | undefined): string => /^[^<]*<[^>]*>/.exec(field ?? '')?.[0] ?? '';

/** User part of a Request-URI. */
const userOf = (uri: string): string => /^sips?:([^@]*)@/i.exec(uri)?.[1] ?? '';

/** Makes the registrar of a provider: whoever is there is believed. */
function registrar() {
  const addresses = new Map<string, string>();
  const digits = (number: string): string => number.replace(/^\+/, '');
  return {
    handle: (req: SrfRequest, res: SrfResponse) => {
      const number = /sips?:\+?([^@;>:]{1,64})@/i.exec(req.get('To') ?? '')?.[1];
      const contact = req.get('Contact') ?? '';
      if (number !== undefined)
        addresses.set(digits(number), `${req.source_address}:${String(req.source_port)}${WEB_SOCKET}`);
      res.send(OK, { headers: { Contact: contact } });
    },
    /** Address of the phone with a number, digits with or without `+`; undefined where none has registered. */
    find: (number: string): string | undefined => addresses.get(digits(number)),
  };
}

const OK = 200;

/** Knows of which times a provider has all records, and which of them it has lost. */
type NodeCoverage = ReturnType<typeof createNodeCoverage>;

/** Id of a record, and index of the call that it is of. */
export type RecordedCall = readonly [recordId: string, index: number];

interface RecordParts {
  readonly sink: Pick<RecordStore, 'insert'>;
  readonly store: RecordStore;
}

/** Makes it. */
export function createNodeCoverage({ provider, plan, start }: Pick<NodeOptions, 'provider' | 'plan' | 'start'>) {
  /** By ingress Call-ID, in the order of arrival. */
  const open = new Map<string, HopInHand>();
  const gaps = provider.behaviours.filter((behaviour) => behaviourOf(behaviour).losesRecords === true);
  const isPurged = provider.behaviours.some((behaviour) => behaviourOf(behaviour).purgesRecords === true);
  const lost = new Set<string>();
  const recorded = new Map<string, number>();
  const cover = async (store: RecordStore, untilMs: number): Promise<void> => {
    await store.cover({ sourceId: SWITCH_ID, fromUs: 0, toUs: Math.max(0, untilMs) * US_PER_MS });
    for (const gap of gaps) await uncover(store, gap, start.startMs ?? 0);
  };
  return {
    /** The switch is about to run: until now there was no call. */
    begin: (store: RecordStore) => cover(store, Date.now() + MARGIN_MS),
    /** A call has come in: until its record is written what is known of its numbers is not complete. */
    taken: (hop: HopInHand) => {
      open.set(hop.ingressCallId, hop);
      if (gaps.length === 0) return;
      const active = activeBehaviours({ provider, plan }, hop.route.call);
      if (active.some((behaviour) => behaviourOf(behaviour).losesRecords === true)) lost.add(hop.ingressCallId);
    },
    isLost: ({ callGroupId }: CallRecord) => lost.has(callGroupId),
    /** Hands records in, and says until when there are no others. */
    sinkOf: ({ sink, store }: RecordParts): Pick<RecordStore, 'insert'> => ({
      insert: async (records) => {
        const inserted = await sink.insert(records);
        for (const { callGroupId, recordId } of records) {
          const hop = open.get(callGroupId);
          if (hop !== undefined) recorded.set(recordId, hop.route.call.index);
        }
        for (const { callGroupId } of records) open.delete(callGroupId);
        await cover(store, Date.now() + MARGIN_MS);
        return inserted;
      },
    }),
    /** The store for answers: a look-up waits until what is in hand of the number is written down, so that it finds all. */
    lookedUp: (store: RecordStore): RecordStore => ({
      ...store,
      find: async (query) => {
        const isInHand = ({ route: { call } }: HopInHand): boolean =>
          query.calledTn === undefined || call.called === query.calledTn;
        const untilMs = Date.now() + WRITING_MS;
        while ([...open.values()].some(isInHand) && Date.now() < untilMs) await wait(LOOK_MS);
        return store.find(query);
      },
    }),
    /** Calls of which there is no record yet. */
    open: (): readonly HopInHand[] => [...open.values()],
    /** Which call of the plan each record is of, of those that may have left. */
    recorded: (): readonly RecordedCall[] => (provider.shares === 'nothing' ? [] : [...recorded]),
    /** Index of the call that a record is of, whether it may leave or not. */
    indexOf: (recordId: string): number | undefined => recorded.get(recordId),
    /** Everything is written down: until now all is complete. Removes what is to be gone by the time that somebody asks. */
    complete: async (store: RecordStore) => {
      open.clear();
      await cover(store, Date.now() + MARGIN_MS);
      // As far as anybody looks for calls of now: part of a time that is looked through would be missing otherwise, and not over.
      if (isPurged) await store.expire((Date.now() + MARGIN_MS) * US_PER_MS);
    },
  };
}

const US_PER_MS = 1_000;
/** A look-up waits for calls that are up at most so long, milliseconds; how often it looks. */
const WRITING_MS = 30_000;
const LOOK_MS = 50;
const SECOND_MS = 1_000;
/** Whoever asks widens the time of the call by clocks that are off. What comes until then is waited for where it is looked up. */
const MARGIN_MS = 7_200_000;

/** Of a stretch without records it is known that they are missing. */
async function uncover(store: RecordStore, gap: Behaviour, startMs: number): Promise<void> {
  const { fromSeconds = 0, untilSeconds } = gap;
  // A run that was shortened has parts of a microsecond.
  const usOf = (seconds: number): number => Math.round((startMs + seconds * SECOND_MS) * US_PER_MS);
  const [fromUs, toUs] = [usOf(fromSeconds), untilSeconds === undefined ? Number.MAX_SAFE_INTEGER : usOf(untilSeconds)];
  await store.uncover({ sourceId: SWITCH_ID, fromUs, toUs });
}

/** Settings of {@link NodeSwitch}. */
interface NodeSwitchOptions extends Omit<NodeOptions, 'onTrouble'> {
  readonly nodeClock: Clock;
  readonly sink: CallRecordSink;
  readonly coverage: NodeCoverage;
  readonly service: VerificationService;
  readonly signing: NodeSigning;
  readonly addressOf: Carrying['addressOf'];
  readonly onTrouble: (error: unknown) => void;
}

/** Calls of a provider that have no final response yet, and what they meet on their way through its switch. */
class CallsInHand {
  readonly #options: NodeSwitchOptions;
  readonly #carrying: Carrying;
  readonly #phones = registrar();
  readonly #requests = new Map<HopInHand, SrfRequest>();
  readonly #arrivedMs: number[] = [];

  constructor(options: NodeSwitchOptions) {
    const { provider, plan, signing, onTrouble } = options;
    const providers = new Map(plan.providers.map((one) => [one.id, one]));
    this.#options = options;
    this.#carrying = {
      provider,
      providers,
      plan,
      signing,
      memory: new Map(),
      onTrouble,
      addressOf: (next, called) =>
        ('destination' in next ? this.#phones.find(called) : undefined) ?? options.addressOf(next, called),
    };
  }

  /** The middleware of the sdk in the order of its guide. */
  setUp(srf: SrfFace, tracker: CallTracker): void {
    const { provider, plan, onTrouble } = this.#options;
    if (servesPhones(plan, provider)) srf.use('register', this.#phones.handle);
    srf.use('invite', this.#arrive);
    srf.use('invite', tracker.middleware);
    srf.use('invite', everyStatus);
    srf.use('invite', this.#admit);
    if (provider.stir) srf.use('invite', verifyIdentity(policiesOf(this.#options)));
    srf.invite((req, res) => void carryCall(this.#carrying, srf, { req, res }).catch(onTrouble));
  }

  finishAll(): void {
    for (const [hop, req] of this.#requests) this.#finish(hop, req);
  }

  readonly #arrive: SrfHandler = (req, res, next) => {
    const { provider, routes, coverage } = this.#options;
    const numbers = { calling: digits(req.callingNumber), called: digits(userOf(req.uri)), provider: provider.id };
    const route = routes.arriving(req.get(CALL_FIELD), numbers);
    if (route !== undefined) {
      const hop = takeInHand(route, req);
      req.locals = { ...req.locals, hop };
      coverage.taken(hop);
      this.#requests.set(hop, req);
      res.once('end', (ended: { readonly status: number }) => this.#finish(hop, req, ended.status));
    }
    next();
  };

  readonly #admit: SrfHandler = (req, res, next) => {
    const { provider, start } = this.#options;
    const { hop, call } = req.locals as CarriedLocals;
    if (hop !== undefined && call !== undefined) hop.tracked = call;
    const isFull = provider.behaviours.some(
      (behaviour) =>
        isNow(behaviour, start) && behaviourOf(behaviour).isTooMuch?.(this.#arrivedMs, Date.now(), behaviour) === true,
    );
    if (!isFull) return next();
    res.send(SERVICE_UNAVAILABLE, { headers: { 'Retry-After': RETRY_AFTER } });
  };

  #finish(hop: HopInHand, request: SrfRequest, status?: number): void {
    if (!this.#requests.delete(hop)) return;
    letGo(hop);
    const { identity } = request.locals as CarriedLocals;
    this.#options.onHop(noteOf(hop, this.#options.provider.id, { identity, status }));
  }
}

/** The switch of a provider: server and application. */
export class NodeSwitch {
  readonly address: string;
  readonly phones: string | undefined;
  readonly #options: NodeSwitchOptions;
  readonly #calls: CallsInHand;
  #running: Running;
  readonly #timers: (() => void)[] = [];
  #moving: Promise<void> = Promise.resolve();

  static async open(options: NodeSwitchOptions): Promise<NodeSwitch> {
    const calls = new CallsInHand(options);
    const listen = listenAddresses(servesPhones(options.plan, options.provider), options.listen);
    return new NodeSwitch(options, calls, await run(options, { calls, listen }));
  }

  private constructor(options: NodeSwitchOptions, calls: CallsInHand, running: Running) {
    this.#options = options;
    this.#calls = calls;
    this.#running = running;
    this.address = running.address;
    this.phones = running.phones;
  }

  begin(): void {
    const { provider, drachtio } = this.#options;
    if (drachtio !== undefined) return;
    for (const behaviour of provider.behaviours) if (behaviourOf(behaviour).isDown === true) this.#planCrash(behaviour);
  }

  /** Resolves when no call is up any more, or is up for longer than anybody waits, and all are on record. */
  async drain(): Promise<void> {
    if (await isDrained(() => this.#running.tracker)) return;
    // Whoever had the other side is gone.
    for (const { tracked } of this.#options.coverage.open())
      tracked?.end({ party: 'network', cause: 'nobody ended it' });
    await isDrained(() => this.#running.tracker);
  }

  async close(): Promise<void> {
    for (const cancel of this.#timers) cancel();
    await this.#moving;
    await this.#running.close();
  }

  #planCrash({ fromSeconds = 0, untilSeconds }: Behaviour): void {
    this.#moveAfter(fromSeconds, async () => {
      this.#calls.finishAll();
      await this.#running.close();
    });
    if (untilSeconds === undefined) return;
    this.#moveAfter(untilSeconds, async () => {
      this.#running = await run(this.#options, { calls: this.#calls, listen: this.#running.listening });
    });
  }

  #moveAfter(seconds: number, step: () => Promise<void>): void {
    const move = (): void => {
      this.#moving = this.#moving.then(step).catch(this.#options.onTrouble);
    };
    this.#timers.push(schedule(move, seconds * SECOND_MS));
  }
}

function servesPhones({ scenario }: NetworkPlan, { id }: PlannedProvider): boolean {
  return scenario.called.some(({ at, by }) => at === id && by === 'phones');
}

const SERVICE_UNAVAILABLE = 503;
const RETRY_AFTER = '1';

const digits = (number: string): string => number.replace(/^\+/, '');

/** Verification by the trunk that a call came in by. */
function policiesOf({ provider, plan, service, onTrouble }: NodeSwitchOptions): Parameters<typeof verifyIdentity>[0] {
  const providers = new Map(plan.providers.map((one) => [one.id, one]));
  const byRole = new Map<string, TrunkPolicy>();
  const doNotOriginate = new Set(plan.doNotOriginate);
  return {
    service,
    onTrouble,
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

type Running = Awaited<ReturnType<typeof run>>;

const HOST = '127.0.0.1';
const ANYWHERE = { host: HOST, port: 0 } as const;

const listenAddresses = (
  hasPhones: boolean,
  { host, port }: NonNullable<NodeOptions['listen']> = ANYWHERE,
): readonly ListenAddress[] => [
  { transport: 'udp', host, port },
  ...(hasPhones ? [{ transport: 'ws', host: HOST, port: 0 } as const] : []),
];

/** Starts server and application with a tracker of their own. */
async function run(
  { provider, plan, nodeClock, sink, onTrouble, onMessage, drachtio }: NodeSwitchOptions,
  { calls, listen }: { readonly calls: CallsInHand; readonly listen: readonly ListenAddress[] },
) {
  const names = plan.providers.flatMap(({ id, name }) => [
    [trunkFrom(id), name] as const,
    [trunkTo(id), name] as const,
  ]);
  const tracker = new CallTracker({
    source: { id: SWITCH_ID, providers: Object.fromEntries(names) },
    sink,
    onTrouble,
    clock: nodeClock,
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
      server = await DrachtioServer.open({
        listen,
        tryingHoldMs: TRYING_HOLD_MS,
        ...(onMessage !== undefined && { onMessage }),
      });
    app = await connectSrf(drachtio ?? (server as DrachtioServer), (srf) => calls.setUp(srf, tracker));
  } catch (error) {
    onTrouble(`the switch of ${provider.id} could not be started`);
    await close();
    throw error;
  }
  const listening = server?.listening ?? [];
  const ws = listening.find(({ transport }) => transport === 'ws');
  return {
    address: server?.uri('udp').slice('sip:'.length) ?? addressOf(app.hostPorts),
    ...(ws !== undefined && { phones: `ws://${ws.host}:${String(ws.port)}` }),
    listening,
    tracker,
    close,
  };
}

/** Of a drachtio-server, which says `udp/127.0.0.1:5060,tcp/127.0.0.1:5060`. */
const addressOf = (hostPorts: string): string => /udp\/([^,]+)/.exec(hostPorts)?.[1] ?? '';

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
  while (isBusy() && Date.now() < untilMs) await wait(DRAIN_STEP_MS);
  return !isBusy();
}

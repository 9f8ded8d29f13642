import { randomBytes } from 'node:crypto';
import type { SharedRecord } from '../../contract/call-record.js';
import type { TracebackAnswer, TracebackFinding } from '../../contract/traceback-exchange.js';
import { BACKGROUND_CLOCK } from '../../core/runtime/clock.js';
import type { TimerClock } from '../../core/runtime/clock.js';
import { HopbackError } from '../../errors.js';
import type { PlatformAnswer } from '../../contract/platform-answer.js';
import type { LifecycleRules } from '../../traceback/index.js';
import { lifecycleRules } from '../../traceback/lifecycle/traceback-state.js';
import { KitDemands } from './kit-demands.js';
import { createEventHub, createWebhookSender } from './event-hub.js';
import { createExchange } from './exchange.js';
import type { ContractViolation, ServedCall } from './exchange.js';
import { createEndpointShelf, kitHandlers } from './kit-handlers.js';
import type { HandlerParts } from './kit-handlers.js';
import { createFaultPlan, seededDice } from './platform-faults.js';
import type { CallFaultRule, EventFaultRule } from './platform-faults.js';
import {
  createKitTokens,
  DEFAULT_TOKEN_LIFETIME_SECONDS,
  referenceOf,
  registerClients,
  TEST_PROVIDERS,
} from './registered-clients.js';
import type { TestProvider } from './registered-clients.js';
import { createKitRecords, createShelf } from './kit-registry.js';
import type { RequestRecord } from './kit-tracebacks.js';
import { createAnswerCounter, createKitAnswers, KitTracebacks, signedAnswer } from './kit-tracebacks.js';

/** Settings of a {@link TestPlatform}. */
export interface TestPlatformOptions {
  /** Address in front of `/v1`. Default `https://itg.example`. */
  readonly baseUrl?: string;
  /** Deadlines, tokens, retries and pauses go by it: {@link ManualClock} where a test moves it. Default that of the machine. */
  readonly clock?: TimerClock;
  /** Who is in the registry; the first one is asked first where an opening names nobody. Default {@link TEST_PROVIDERS}. */
  readonly providers?: readonly TestProvider[];
  /** Ids of clients that are robocall-blocking applications. Default none. */
  readonly apps?: readonly string[];
  /** Ids of clients that are agencies: they submit demands and fetch what is produced. Default none. */
  readonly agencies?: readonly string[];
  /** Ids of clients that are staff of the traceback group: they see everything, and decide about demands. Default none. */
  readonly staff?: readonly string[];
  /** By which tracebacks are conducted: what differs from the defaults. */
  readonly rules?: Partial<LifecycleRules>;
  /** Sends webhooks. Default `globalThis.fetch`. */
  readonly fetch?: (url: string, init: RequestInit) => Promise<Response>;
  /** Of the dice that faults with a probability go by. Default 1. */
  readonly seed?: number;
  /** Default 300. */
  readonly tokenLifetimeSeconds?: number;
  /** Why the platform does not want a record of a batch, as a word; undefined where it does. Default it wants all. */
  readonly refuseRecord?: (record: SharedRecord) => string | undefined;
}

/** Lets a test wait for what is going to be, without a clock: every change has all conditions looked at anew. */
function createWatch() {
  const waiting = new Set<() => void>();
  const ending = new Set<() => void>();
  let isEnded = false;
  const closed = (): HopbackError =>
    new HopbackError('closed', 'the test platform was closed while something was waited for');
  return {
    /** Something has changed. */
    changed: (): void => {
      for (const look of [...waiting]) look();
    },
    /**
     * Resolves with what the condition returns once it returns something; rejects with {@link HopbackError} `closed` when that can no longer
     * be.
     */
    until: <Value>(condition: () => Value | undefined): Promise<Value> =>
      new Promise((resolve, reject) => {
        const look = (): void => {
          const value = condition();
          if (value === undefined) return;
          waiting.delete(look);
          ending.delete(giveUp);
          resolve(value);
        };
        const giveUp = (): void => reject(closed());
        if (isEnded) return giveUp();
        waiting.add(look);
        ending.add(giveUp);
        look();
      }),
    end: (): void => {
      isEnded = true;
      for (const giveUp of ending) giveUp();
      ending.clear();
      waiting.clear();
    },
  };
}

/** Every part of a platform, put together. */
export type Assembly = ReturnType<typeof assemble>;

/** Answers a request in the place of the provider that was asked. */
type AnswerFor = (
  record: RequestRecord,
  finding: TracebackFinding,
  rest: Partial<TracebackAnswer>,
) => Promise<PlatformAnswer>;

/** Where a platform is that nobody has given an address. */
const DEFAULT_BASE_URL = 'https://itg.example';

/** Puts the parts together. */
export function assemble(options: TestPlatformOptions) {
  const clock = options.clock ?? BACKGROUND_CLOCK;
  const baseUrl = (options.baseUrl ?? DEFAULT_BASE_URL).replace(/\/$/, '');
  const register = registerClients(options.providers ?? TEST_PROVIDERS, {
    ...{ app: options.apps ?? [], agency: options.agencies ?? [], staff: options.staff ?? [] },
  });
  const dice = seededDice(options.seed ?? 1);
  const watch = createWatch();
  const { changed } = watch;
  const newId = createIds();
  const newPlace = createPlaces();
  const callFaults = createFaultPlan<CallFaultRule>(dice);
  const eventFaults = createFaultPlan<EventFaultRule>(dice);
  const violations: ContractViolation[] = [];
  const calls: ServedCall[] = [];
  /** What providers are about to say of themselves. */
  const tasks = new Set<Promise<void>>();
  const endpoints = createEndpointShelf({ clock, newId, newPlace, newSecret });
  const sender = createWebhookSender({ clock, changed, fetch: options.fetch ?? ((url, init) => fetch(url, init)) });
  const hub = createEventHub({
    ...{ clock, newId, sender, changed, source: `${baseUrl}/`, faults: eventFaults },
    endpoints: endpoints.all,
  });
  const answers = createKitAnswers();
  const tracebacks = new KitTracebacks({
    ...{ clock, register, hub, newId, newPlace },
    asked: (record) => startScript(record, { answerFor, violations, tasks }),
    rules: lifecycleRules(options.rules),
  });
  const counter = createAnswerCounter({
    ...{ answers, tracebacks, hub, changed },
    ...{ meaning: register.meaning, staff: register.clientsOf('staff') },
  });
  const tokens = createKitTokens({
    ...{ register, clock, newId, tokenUrl: `${baseUrl}/oauth/token` },
    lifetimeSeconds: options.tokenLifetimeSeconds ?? DEFAULT_TOKEN_LIFETIME_SECONDS,
  });
  const answerFor: AnswerFor = async (record, finding, rest) => {
    const answer = answerOf(record, finding, { answerId: newId('ans'), nowMs: clock.nowMs(), rest });
    return counter.submit(record, { answer: await signedAnswer(answer, record.provider) });
  };
  const handlers: HandlerParts = {
    ...{ clock, register, tokens, tracebacks, counter, endpoints, hub, changed },
    records: createKitRecords(options.refuseRecord ?? (() => undefined)),
    demands: new KitDemands({ clock, register, hub, newId, newPlace }),
    shelf: createShelf(),
    reports: new Map(),
    startedAt: new Date(clock.nowMs()).toISOString(),
  };
  const handle = createExchange({
    ...{ clock, tokens, newId, violations, calls, faults: callFaults, forged: answers.forged },
    basePath: new URL(baseUrl).pathname.replace(/\/$/, ''),
    handlers: kitHandlers(handlers),
  });
  return {
    ...handlers,
    ...{ baseUrl, answers, sender, watch, callFaults, eventFaults, violations, calls },
    ...{ newId, newPlace, answerFor, tasks },
    handle: async (request: Request): Promise<Response> => {
      const response = await handle(request);
      changed();
      return response;
    },
  };
}

const OF_SCRIPT = { operationId: 'answerTracebackRequest', side: 'response', pointer: '' } as const;

interface ScriptParts {
  readonly answerFor: AnswerFor;
  readonly violations: ContractViolation[];
  readonly tasks: Set<Promise<void>>;
}

/** Lets a provider that has a script answer by itself. */
function startScript(record: RequestRecord, { answerFor, violations, tasks }: ScriptParts): void {
  const task = Promise.resolve()
    .then(() => answerByScript(record, answerFor))
    .catch((error: unknown) => void violations.push({ ...OF_SCRIPT, code: String(error).slice(0, 300) }))
    .finally(() => tasks.delete(task));
  tasks.add(task);
}

async function answerByScript(record: RequestRecord, answerFor: AnswerFor): Promise<void> {
  const finding = record.provider.answers?.(record.request);
  if (finding === undefined) return;
  const answer = await answerFor(record, finding, {});
  // Withdrawn while it was being said: nobody did anything wrong.
  if (answer.kind === 'problem' && answer.code !== 'request-cancelled')
    throw new Error(`the answer of ${record.provider.providerId} is refused: ${answer.code}`);
}

function answerOf(
  { request, provider, answers }: RequestRecord,
  finding: TracebackFinding,
  made: { readonly answerId: string; readonly nowMs: number; readonly rest: Partial<TracebackAnswer> },
): TracebackAnswer {
  const before = answers.at(-1)?.answer;
  return {
    format: 'hopback.traceback-answer.1',
    answerId: made.answerId,
    requestId: request.requestId,
    tracebackId: request.tracebackId,
    revision: (before?.revision ?? 0) + 1,
    ...(before !== undefined && { amends: { answerId: before.answerId, reason: 'Looked at once more.' } }),
    answeredAt: new Date(made.nowMs).toISOString(),
    provider: referenceOf(provider),
    answeredBy: { kind: 'automatic', policyId: 'test-platform' },
    finding,
    searched: { windows: [], keys: ['called'], coverage: [], recordsConsidered: 1 },
    ...made.rest,
  };
}

/** Ids that count: the same test has the same ones each time. */
function createIds(): (kind: string) => string {
  const counts = new Map<string, number>();
  return (kind) => {
    const count = (counts.get(kind) ?? 0) + 1;
    counts.set(kind, count);
    return `${kind}-${String(count).padStart(6, '0')}`;
  };
}

function createPlaces(): () => number {
  let place = 0;
  return () => (place += 1);
}

const newSecret = (): string => `whsec_${randomBytes(24).toString('base64')}`;

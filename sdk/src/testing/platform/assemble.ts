import { randomBytes } from 'node:crypto';
import type { TracebackAnswer, TracebackFinding } from '../../core/traceback-request.js';
import type { PlatformAnswer } from '../../platform/index.js';
import { createAnswerDesk, signedAnswer } from './answer-desk.js';
import type { AnswerDesk } from './answer-desk.js';
import { createDemandDesk } from './demand-desk.js';
import { createEndpointShelf } from './endpoint-handlers.js';
import type { EndpointShelf } from './endpoint-handlers.js';
import { createEventHub } from './event-hub.js';
import type { EventHub } from './event-hub.js';
import { createExchange } from './exchange.js';
import type { ContractViolation, ServedCall } from './exchange.js';
import { kitHandlers } from './kit-handlers.js';
import type { HandlerParts } from './kit-handlers.js';
import { BACKGROUND_CLOCK } from '../../core/runtime/clock.js';
import { createFaultPlan } from './platform-faults.js';
import type { CallFaultRule, EventFaultRule, FaultPlan } from './platform-faults.js';
import { createRecordDesk } from './record-desk.js';
import { registerClients } from './registered-clients.js';
import { createShelf } from './registry-desk.js';
import { seededDice } from './seeded-dice.js';
import { createAnswerCounter } from './submit-answer.js';
import { referenceOf, TEST_PROVIDERS } from './test-provider.js';
import type { TestPlatformOptions } from './test-platform-options.js';
import { createTokenDesk, DEFAULT_TOKEN_LIFETIME_SECONDS } from './token-desk.js';
import type { RequestRecord } from './traceback-book.js';
import { createTracebackDesk } from './traceback-desk.js';
import { createWatch } from './watch.js';
import type { Watch } from './watch.js';
import { createWebhookSender } from './webhook-sender.js';
import type { WebhookSender } from './webhook-sender.js';

/** Every part of a platform, put together. */
export interface Assembly extends HandlerParts {
  readonly baseUrl: string;
  readonly answers: AnswerDesk;
  readonly endpoints: EndpointShelf;
  readonly hub: EventHub;
  readonly sender: WebhookSender;
  readonly watch: Watch;
  readonly callFaults: FaultPlan<CallFaultRule>;
  readonly eventFaults: FaultPlan<EventFaultRule>;
  readonly violations: ContractViolation[];
  readonly calls: ServedCall[];
  readonly newId: (kind: string) => string;
  readonly newPlace: () => number;
  readonly handle: (request: Request) => Promise<Response>;
  /** Answers a request in the place of the provider that was asked. */
  readonly answerFor: (
    record: RequestRecord,
    finding: TracebackFinding,
    rest: Partial<TracebackAnswer>,
  ) => Promise<PlatformAnswer>;
  /** What providers are about to say of themselves. */
  readonly tasks: Set<Promise<void>>;
}

/** Where a platform is that nobody has given an address. */
const DEFAULT_BASE_URL = 'https://itg.example';

/** Puts the parts together. */
export function assemble(options: TestPlatformOptions): Assembly {
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
  const tasks = new Set<Promise<void>>();
  const endpoints = createEndpointShelf({ clock, newId, newPlace, newSecret });
  const sender = createWebhookSender({ clock, changed, fetch: options.fetch ?? ((url, init) => fetch(url, init)) });
  const hub = createEventHub({
    ...{ clock, newId, sender, changed, source: `${baseUrl}/`, faults: eventFaults },
    endpoints: endpoints.all,
  });
  const answers = createAnswerDesk();
  const asked = (record: RequestRecord): void => {
    const task = Promise.resolve()
      .then(() => sayBySelf(record, answerFor))
      .catch((error: unknown) => void violations.push({ ...OF_SCRIPT, code: String(error).slice(0, 300) }))
      .finally(() => tasks.delete(task));
    tasks.add(task);
  };
  const tracebacks = createTracebackDesk({
    ...{ clock, register, hub, newId, newPlace, asked },
    ...(options.rules !== undefined && { rules: options.rules }),
  });
  const counter = createAnswerCounter({
    ...{ answers, tracebacks, hub, changed },
    ...{ meaning: register.meaning, staff: register.clientsOf('staff') },
  });
  const tokens = createTokenDesk({
    ...{ register, clock, newId, tokenUrl: `${baseUrl}/oauth/token` },
    lifetimeSeconds: options.tokenLifetimeSeconds ?? DEFAULT_TOKEN_LIFETIME_SECONDS,
  });
  const answerFor: Assembly['answerFor'] = async (record, finding, rest) => {
    const answer = answerOf(record, finding, { answerId: newId('ans'), nowMs: clock.nowMs(), rest });
    return counter.submit(record, { answer: await signedAnswer(answer, record.provider) });
  };
  const handlers: HandlerParts = {
    ...{ clock, register, tokens, tracebacks, counter, endpoints, hub, changed },
    records: createRecordDesk(options.refuseRecord ?? (() => undefined)),
    demands: createDemandDesk({ clock, register, hub, newId, newPlace }),
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
    ...{
      baseUrl,
      answers,
      sender,
      watch,
      callFaults,
      eventFaults,
      violations,
      calls,
      newId,
      newPlace,
      answerFor,
      tasks,
    },
    handle: async (request) => {
      const response = await handle(request);
      changed();
      return response;
    },
  };
}

const OF_SCRIPT = { operationId: 'answerTracebackRequest', side: 'response', pointer: '' } as const;

/** A provider with words of its own says them. */
async function sayBySelf(record: RequestRecord, answerFor: Assembly['answerFor']): Promise<void> {
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

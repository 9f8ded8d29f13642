import type { Clock } from '../../core/runtime/clock.js';
import type { AlertAcknowledgement } from '../../contract/alert.js';
import type { AppReportReceipt } from '../../contract/campaign.js';
import type { TokenRequest } from '../../contract/common.js';
import type { DemandDecisionRequest } from '../../contract/demand.js';
import type {
  CreatedWebhookEndpoint,
  RotatedWebhookSecret,
  WebhookEndpoint,
  WebhookEndpointCreation,
  WebhookReplay,
  WebhookReplayRequest,
} from '../../contract/event.js';
import { jsonAnswer, problemAnswer } from '../../contract/platform-answer.js';
import type { PlatformAnswer } from '../../contract/platform-answer.js';
import type { ReadPlatformRequest } from '../../contract/read-platform-request.js';
import type { AnswerSubmission } from '../../contract/traceback-exchange.js';
import type {
  Alert,
  AppReport,
  Campaign,
  Demand,
  DemandSubmission,
  NoticeResponse,
  PlatformScope,
  TracebackOpening,
} from '../../platform/index.js';
import type { KitDemands, HeldDemand } from './kit-demands.js';
import { rotateSecret, wants } from './event-hub.js';
import type { EventHub, StoredEndpoint } from './event-hub.js';
import type { ClientRegister, KitTokens } from './registered-clients.js';
import { entryOf, isAsked, pageOf, respondToNotice, scorecardOf } from './kit-registry.js';
import type { HeldAlert, Placed, KitRecords, RegistryShelf } from './kit-registry.js';
import { statusOf, tracebackOf } from './kit-tracebacks.js';
import type { AnswerCounter, KitTracebacks, RequestRecord, TracebackRecord } from './kit-tracebacks.js';

/** A call of the platform that is in the form of the contract, by somebody who may make it. */
interface KitCall {
  /** Empty where the route asks for no token. */
  readonly clientId: string;
  /** How far the token reaches. */
  readonly scopes: readonly PlatformScope[];
  readonly request: ReadPlatformRequest;
  /** Ends with the connection. */
  readonly signal: AbortSignal;
}

/** Carries a call out. */
export type KitHandler = (call: KitCall) => Promise<PlatformAnswer> | PlatformAnswer;

/** A page as an answer, or that the cursor is none. */
function paged<Item>(
  items: readonly Placed<Item>[],
  { request: { parameters } }: KitCall,
  order: 'oldest-first' | 'newest-first',
): PlatformAnswer {
  const page = pageOf(items, parameters, order);
  return page === undefined
    ? problemAnswer('invalid-parameter', { errors: [{ pointer: 'cursor', code: 'unknown' }] })
    : jsonAnswer(page);
}

/** What the platform does at the operations of agencies, and of whoever reviews. */
function demandHandlers({
  demands,
  changed,
}: {
  readonly demands: KitDemands;
  readonly changed: () => void;
}): Readonly<Record<string, KitHandler>> {
  /** Those of others are none to an agency. */
  const demandOf = (call: KitCall): HeldDemand | undefined => {
    const held = demands.demand(call.request.parameters['demandId'] ?? '');
    return held !== undefined && maySee(held, call) ? held : undefined;
  };
  const productionOf = (call: KitCall): ReturnType<KitDemands['production']> => {
    const found = demands.production(call.request.parameters['productionId'] ?? '');
    return found !== undefined && maySee(found.held, call) ? found : undefined;
  };
  return {
    submitDemand: ({ request, clientId }) => {
      const answer = demands.submit(request.body as DemandSubmission, request.document ?? new Uint8Array(), clientId);
      changed();
      return answer;
    },
    listDemands: (call) => {
      const { state } = call.request.parameters;
      const shown = demands
        .demands()
        .filter((held) => maySee(held, call) && (state === undefined || held.item.state === state));
      return paged(
        shown.map(({ place, item }) => ({ place, item })),
        call,
        'newest-first',
      );
    },
    fetchDemand: (call) => {
      const held = demandOf(call);
      return held === undefined ? problemAnswer('not-found') : jsonAnswer(held.item);
    },
    decideDemand: (call) => {
      const { demandId = '' } = call.request.parameters;
      const answer = demands.decide(demandId, call.request.body as DemandDecisionRequest, call.clientId);
      changed();
      return answer;
    },
    fetchProduction: (call) => {
      const found = productionOf(call);
      return found === undefined ? problemAnswer('not-found') : jsonAnswer(found.production);
    },
    fetchProductionFile: (call) => {
      const found = productionOf(call);
      if (found === undefined) return problemAnswer('not-found');
      return demands.file(found.production.productionId, call.request.parameters['name'] ?? '');
    },
  };
}

function maySee({ submittedBy }: HeldDemand, { clientId, scopes }: KitCall): boolean {
  return scopes.includes('staff') || submittedBy === clientId;
}

/** Addresses that events are posted to. */
export type EndpointShelf = ReturnType<typeof createEndpointShelf>;

/** Makes an empty shelf. */
export function createEndpointShelf(parts: {
  readonly clock: Clock;
  readonly newId: (kind: string) => string;
  readonly newPlace: () => number;
  readonly newSecret: () => string;
}) {
  const stored = new Map<string, StoredEndpoint>();
  return {
    add: (providerId: string, creation: WebhookEndpointCreation): CreatedWebhookEndpoint => {
      const secret = parts.newSecret();
      const endpoint: WebhookEndpoint = {
        endpointId: parts.newId('whe'),
        ...creation,
        // Receivers of tests are at http: of this machine, which the contract knows no way to say.
        url: creation.url.replace(/^http:/, 'https:'),
        state: 'active',
        createdAt: new Date(parts.clock.nowMs()).toISOString(),
      };
      stored.set(endpoint.endpointId, {
        endpoint,
        providerId,
        address: creation.url,
        place: parts.newPlace(),
        secrets: [{ secret, endsAtMs: Infinity }],
      });
      return { ...endpoint, secret };
    },
    all: (): readonly StoredEndpoint[] => [...stored.values()],
    of: (clientId: string, endpointId: string): StoredEndpoint | undefined => {
      const found = stored.get(endpointId);
      return found?.providerId === clientId ? found : undefined;
    },
    remove: (endpointId: string) => {
      const found = stored.get(endpointId);
      // What is still to be posted to it is not.
      if (found !== undefined) found.endpoint = { ...found.endpoint, state: 'disabled', disabledReason: 'by-request' };
      stored.delete(endpointId);
    },
    newSecret: parts.newSecret,
  };
}

/** Operations of webhook endpoints. */
function endpointHandlers({
  endpoints,
  hub,
  clock,
}: {
  readonly endpoints: EndpointShelf;
  readonly hub: EventHub;
  readonly clock: Clock;
}): Readonly<Record<string, KitHandler>> {
  const withEndpoint =
    (handler: (stored: StoredEndpoint, call: KitCall) => PlatformAnswer): KitHandler =>
    (call) => {
      const stored = endpoints.of(call.clientId, call.request.parameters['endpointId'] ?? '');
      return stored === undefined ? problemAnswer('not-found') : handler(stored, call);
    };
  return {
    createWebhookEndpoint: ({ request, clientId }) =>
      jsonAnswer(endpoints.add(clientId, request.body as WebhookEndpointCreation)),
    listWebhookEndpoints: (call) => {
      const own = endpoints.all().filter(({ providerId }) => providerId === call.clientId);
      return paged(
        own.map(({ place, endpoint }) => ({ place, item: endpoint })),
        call,
        'oldest-first',
      );
    },
    deleteWebhookEndpoint: withEndpoint(({ endpoint }) => {
      endpoints.remove(endpoint.endpointId);
      return { kind: 'nothing' };
    }),
    rotateWebhookSecret: withEndpoint((stored) => {
      const secret = endpoints.newSecret();
      const endsAtMs = rotateSecret(stored, secret, clock.nowMs());
      const answer: RotatedWebhookSecret = {
        endpointId: stored.endpoint.endpointId,
        secret,
        previousSecretEndsAt: new Date(endsAtMs).toISOString(),
      };
      return jsonAnswer(answer);
    }),
    replayWebhookEvents: withEndpoint((stored, { request, clientId }) => {
      const { since, until, eventTypes } = request.body as WebhookReplayRequest;
      const [fromMs, toMs] = [Date.parse(since), until === undefined ? clock.nowMs() : Date.parse(until)];
      const events = hub
        .log()
        .filter(({ to }) => to.includes(clientId))
        .map(({ event }) => event)
        .filter(({ time, type }) => {
          const atMs = Date.parse(time);
          return (
            atMs >= fromMs && atMs <= toMs && wants(stored, type) && (eventTypes?.some((one) => one === type) ?? true)
          );
        });
      hub.replay(stored, events);
      const answer: WebhookReplay = { endpointId: stored.endpoint.endpointId, events: events.length };
      return jsonAnswer(answer);
    }),
  };
}

/** What handlers work with. */
export interface HandlerParts {
  readonly clock: Clock;
  readonly register: ClientRegister;
  readonly tokens: KitTokens;
  readonly tracebacks: KitTracebacks;
  readonly counter: AnswerCounter;
  readonly records: KitRecords;
  readonly demands: KitDemands;
  readonly shelf: RegistryShelf;
  readonly endpoints: EndpointShelf;
  readonly hub: EventHub;
  readonly reports: Map<string, { readonly report: AppReport; readonly receivedAt: string }>;
  readonly startedAt: string;
  readonly changed: () => void;
}

/** What the platform does at each operation, by `operationId`. */
export function kitHandlers(parts: HandlerParts): Readonly<Record<string, KitHandler>> {
  return {
    issueToken: ({ request }) => parts.tokens.issue(request.body as TokenRequest),
    sendRecordBatch: ({ request, clientId }) => parts.records.take(request, clientId),
    ...requestHandlers(parts),
    ...tracebackHandlers(parts),
    ...registryHandlers(parts),
    ...demandHandlers(parts),
    ...endpointHandlers(parts),
    streamEvents: ({ request: { parameters }, clientId, signal }) => {
      const lastEventId = parameters['Last-Event-ID'];
      const stream = parts.hub.open(clientId, { signal, ...(lastEventId !== undefined && { lastEventId }) });
      return stream === undefined ? problemAnswer('gone') : { kind: 'event-stream', stream };
    },
  };
}

type Handlers = Readonly<Record<string, KitHandler>>;

function requestHandlers({ tracebacks, counter, changed }: HandlerParts): Handlers {
  /** A request of the caller's: those of others are none. */
  const withRequest =
    (handler: (record: RequestRecord, call: KitCall) => Promise<PlatformAnswer> | PlatformAnswer): KitHandler =>
    (call) => {
      const record = tracebacks.requests.get(call.request.parameters['requestId'] ?? '');
      return record?.provider.providerId === call.clientId ? handler(record, call) : problemAnswer('not-found');
    };
  return {
    listTracebackRequests: (call) => {
      const { state = 'open' } = call.request.parameters;
      const own = [...tracebacks.requests.values()]
        .filter(({ provider }) => provider.providerId === call.clientId)
        .map((record) => ({ place: record.place, item: statusOf(record) }))
        .filter(({ item }) => state === 'all' || (state === 'answered') === (item.state === 'answered'))
        .filter(({ item }) => state !== 'open' || item.state !== 'cancelled');
      return paged(own, call, 'oldest-first');
    },
    fetchTracebackRequest: withRequest((record) => jsonAnswer(statusOf(record))),
    acknowledgeTracebackRequest: withRequest((record) => {
      if (record.cancelled !== undefined) return problemAnswer('request-cancelled');
      tracebacks.acknowledge(record);
      changed();
      return jsonAnswer(statusOf(record));
    }),
    answerTracebackRequest: withRequest((record, { request }) =>
      counter.submit(record, request.body as AnswerSubmission),
    ),
    fetchAnswerReceipt: withRequest(async (record, { request }) => {
      const receipt = await counter.receiptOf(record, request.parameters['answerId'] ?? '');
      return receipt === undefined ? problemAnswer('not-found') : jsonAnswer(receipt);
    }),
  };
}

function tracebackHandlers({ tracebacks, demands, changed }: HandlerParts): Handlers {
  const visible = (call: KitCall): readonly Placed<ReturnType<typeof tracebackOf>>[] =>
    [...tracebacks.tracebacks.values()]
      .filter((record) => call.scopes.includes('staff') || isConcerned(record, call))
      .map((record) => ({
        place: record.place,
        item: tracebackOf(record, isShownWhole(record, call, demands.demands()) ? undefined : call.clientId),
      }));
  return {
    openTraceback: ({ request, clientId, scopes }) => {
      const record = tracebacks.open(request.body as TracebackOpening, clientId);
      changed();
      return jsonAnswer(tracebackOf(record, scopes.includes('staff') ? undefined : clientId));
    },
    listTracebacks: (call) => {
      const { state, campaignId } = call.request.parameters;
      const shown = visible(call).filter(
        ({ item }) =>
          (state === undefined || item.state === state) &&
          (campaignId === undefined || item.campaign?.campaignId === campaignId),
      );
      return paged(shown, call, 'newest-first');
    },
    fetchTraceback: (call) => {
      const { tracebackId } = call.request.parameters;
      const found = visible(call).find(({ item }) => item.tracebackId === tracebackId);
      return found === undefined ? problemAnswer('not-found') : jsonAnswer(found.item);
    },
  };
}

function isConcerned({ openedBy, requests }: TracebackRecord, { clientId }: KitCall): boolean {
  return openedBy === clientId || requests.some(({ provider }) => provider.providerId === clientId);
}

/** To staff, and to an agency as far as a reviewed demand of its covers it. */
function isShownWhole({ tracebackId }: TracebackRecord, call: KitCall, demands: readonly HeldDemand[]): boolean {
  if (call.scopes.includes('staff')) return true;
  return demands.some(({ item, submittedBy }) => submittedBy === call.clientId && isCovered(item, tracebackId));
}

/** What was narrowed reaches as far as the decision says. */
function isCovered({ state, scope, decisions }: Demand, tracebackId: string): boolean {
  const last = decisions.at(-1);
  if (last === undefined || last.decision === 'reject' || state === 'withdrawn') return false;
  const { recordClasses, tracebackIds } = last.decision === 'narrow' ? last.scope : scope;
  return recordClasses.includes('traceback-records') && tracebackIds?.includes(tracebackId) === true;
}

function registryHandlers(parts: HandlerParts): Handlers {
  const { register, shelf, clock, startedAt } = parts;
  const entries = register.providers
    .map((provider) => entryOf(provider, startedAt))
    .sort((one, other) => (one.businessName < other.businessName ? -1 : 1))
    .map((item, place) => ({ place, item }));
  return {
    listProviders: (call) =>
      paged(
        entries.filter(({ item }) => isAsked(item, call.request.parameters)),
        call,
        'oldest-first',
      ),
    fetchProvider: ({ request }) => {
      const found = entries.find(({ item }) => item.providerId === request.parameters['providerId']);
      return found === undefined ? problemAnswer('not-found') : jsonAnswer(found.item);
    },
    fetchProviderScorecard: ({ request: { parameters }, clientId, scopes }) => {
      const provider = register.providers.find(({ providerId }) => providerId === parameters['providerId']);
      if (provider === undefined) return problemAnswer('not-found');
      if (scopes.includes('carrier') && provider.providerId !== clientId) return problemAnswer('forbidden');
      const { from, to } = parameters;
      return jsonAnswer(
        scorecardOf(provider, parts.tracebacks.tracebacks.values(), {
          nowMs: clock.nowMs(),
          ...(from !== undefined && { from }),
          ...(to !== undefined && { to }),
        }),
      );
    },
    listDoNotOriginate: (call) => {
      const { changedSince } = call.request.parameters;
      const sinceMs = changedSince === undefined ? -Infinity : Date.parse(changedSince);
      const shown = [...shelf.doNotOriginate.values()].filter(({ item }) => Date.parse(item.updatedAt) >= sinceMs);
      return paged(shown, call, 'oldest-first');
    },
    listCampaigns: (call) => {
      const { state } = call.request.parameters;
      const shown = [...shelf.campaigns.values()]
        .filter(({ item }) => state === undefined || item.state === state)
        .map(({ place, item }) => ({ place, item: campaignFor(call, item) }));
      return paged(shown, call, 'newest-first');
    },
    fetchCampaign: (call) => {
      const found = shelf.campaigns.get(call.request.parameters['campaignId'] ?? '');
      return found === undefined ? problemAnswer('not-found') : jsonAnswer(campaignFor(call, found.item));
    },
    ...noticeHandlers(parts),
    reportCall: ({ request }) => takeReport(parts, request.body as AppReport),
  };
}

const campaignFor = ({ scopes }: KitCall, campaign: Campaign): Campaign =>
  scopes.some((scope) => scope === 'agency' || scope === 'staff') ? campaign : withoutProviders(campaign);

/** Of campaigns carriers and applications see no providers and tracebacks. */
export function withoutProviders(campaign: Campaign): Campaign {
  return { ...campaign, providers: [], tracebackIds: [] };
}

function noticeHandlers({ shelf, clock, changed }: HandlerParts): Handlers {
  return {
    listNotices: (call) =>
      paged(
        [...shelf.notices.values()].filter(({ to }) => call.scopes.includes('staff') || to === call.clientId),
        call,
        'newest-first',
      ),
    respondToNotice: ({ request, clientId }) => {
      const noticeId = request.parameters['noticeId'] ?? '';
      if (shelf.notices.get(noticeId)?.to !== clientId) return problemAnswer('not-found');
      const answer = respondToNotice(shelf, noticeId, request.body as NoticeResponse);
      changed();
      return answer;
    },
    listAlerts: (call) => {
      const { state } = call.request.parameters;
      const shown = [...shelf.alerts.values()]
        .filter(({ to }) => to.includes(call.clientId))
        .map((held) => ({ place: held.place, item: alertFor(held, call.clientId) }))
        .filter(({ item }) => state === undefined || (state === 'acknowledged') === (item.acknowledged !== undefined));
      return paged(shown, call, 'newest-first');
    },
    acknowledgeAlert: ({ request, clientId }) => {
      const held = shelf.alerts.get(request.parameters['alertId'] ?? '');
      if (held === undefined || !held.to.includes(clientId)) return problemAnswer('not-found');
      const acknowledgedAt = new Date(clock.nowMs()).toISOString();
      const said = { ...(request.body as AlertAcknowledgement), acknowledgedAt };
      if (!held.acknowledged.has(clientId)) held.acknowledged.set(clientId, said);
      changed();
      return jsonAnswer(alertFor(held, clientId));
    },
  };
}

/** Each organization sees its own acknowledgement. */
function alertFor({ item, acknowledged }: HeldAlert, clientId: string): Alert {
  const own = acknowledged.get(clientId);
  return own === undefined ? item : { ...item, acknowledged: own };
}

function takeReport({ reports, clock, changed }: HandlerParts, report: AppReport): PlatformAnswer {
  const { reportId } = report;
  const before = reports.get(reportId);
  if (before !== undefined && JSON.stringify(before.report) !== JSON.stringify(report))
    return problemAnswer('conflict');
  const receivedAt = before?.receivedAt ?? new Date(clock.nowMs()).toISOString();
  reports.set(reportId, { report, receivedAt });
  changed();
  const receipt: AppReportReceipt = { reportId, receivedAt, isRepeat: before !== undefined };
  return jsonAnswer(receipt);
}

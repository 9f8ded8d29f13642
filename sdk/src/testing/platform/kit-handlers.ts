import type { Clock } from '../../core/runtime/clock.js';
import { jsonAnswer, problemAnswer } from '../../platform/index.js';
import type {
  Alert,
  AlertAcknowledgement,
  AnswerSubmission,
  AppReport,
  AppReportReceipt,
  Campaign,
  Demand,
  NoticeResponse,
  PlatformAnswer,
  TokenRequest,
  TracebackOpening,
} from '../../platform/index.js';
import type { DemandDesk, HeldDemand } from './demand-desk.js';
import { demandHandlers } from './demand-handlers.js';
import { endpointHandlers } from './endpoint-handlers.js';
import type { EndpointShelf } from './endpoint-handlers.js';
import type { EventHub } from './event-hub.js';
import { paged } from './kit-call.js';
import type { KitCall, KitHandler } from './kit-call.js';
import type { Placed } from './paging.js';
import type { RecordDesk } from './record-desk.js';
import type { ClientRegister } from './registered-clients.js';
import { entryOf, isAsked, respondToNotice, scorecardOf } from './registry-desk.js';
import type { HeldAlert, RegistryShelf } from './registry-desk.js';
import type { AnswerCounter } from './submit-answer.js';
import type { TokenDesk } from './token-desk.js';
import type { RequestRecord, TracebackRecord } from './traceback-book.js';
import { statusOf, tracebackOf } from './traceback-book.js';
import type { TracebackDesk } from './traceback-desk.js';

/** What handlers work with. */
export interface HandlerParts {
  readonly clock: Clock;
  readonly register: ClientRegister;
  readonly tokens: TokenDesk;
  readonly tracebacks: TracebackDesk;
  readonly counter: AnswerCounter;
  readonly records: RecordDesk;
  readonly demands: DemandDesk;
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
    openTraceback: ({ request, clientId }) => {
      const record = tracebacks.open(request.body as TracebackOpening, clientId);
      changed();
      return jsonAnswer(tracebackOf(record, clientId));
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

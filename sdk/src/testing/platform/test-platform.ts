import type { SharedRecord } from '../../contract/call-record.js';
import type {
  RequestedCall,
  TracebackAnswer,
  TracebackFinding,
  TracebackRequest,
} from '../../contract/traceback-exchange.js';
import { HopbackError } from '../../errors.js';
import type { DemandDecisionRequest, DemandState } from '../../contract/demand.js';
import type {
  CreatedWebhookEndpoint,
  PlatformEventEnvelope,
  WebhookEndpoint,
  WebhookEndpointCreation,
} from '../../contract/event.js';
import { WIRE_EXAMPLES } from '../../platform/index.js';
import type {
  Alert,
  AppReport,
  Campaign,
  Demand,
  DoNotOriginateEntry,
  FccNotice,
  PlatformScope,
  Production,
  Traceback,
  TracebackOpening,
  TracebackRequestStatus,
} from '../../platform/index.js';
import { assemble } from './assemble.js';
import type { Assembly, TestPlatformOptions } from './assemble.js';
import type { TestProductionFile } from './kit-demands.js';
import type { LoggedEvent, WebhookAttempt } from './event-hub.js';
import type { ContractViolation, ServedCall } from './exchange.js';
import { withoutProviders } from './kit-handlers.js';
import type { CallFaultRule, EventFaultRule } from './platform-faults.js';
import { referenceOf } from './registered-clients.js';
import type { TestCredentials } from './registered-clients.js';
import { conforming } from './kit-registry.js';
import type { ReceivedBatch } from './kit-registry.js';
import { statusOf, tracebackOf } from './traceback-book.js';
import type { PlatformJwk, RequestRecord, StoredAnswer, TracebackRecord } from './traceback-book.js';
import type { PerformedEffect } from './kit-tracebacks.js';

/** What a test names. @throws {@link HopbackError} `invalid-argument` where it is not there */
function found<Value>(value: Value | undefined, what: string): Value {
  if (value === undefined) throw new HopbackError('invalid-argument', `the test platform has no ${what}`);
  return value;
}

/** Demands, as a test conducts them. What it names and is not there is refused with {@link HopbackError} `invalid-argument`. */
export interface TestDemands {
  /** A demand as staff sees it. */
  readonly demand: (demandId: string) => Demand;
  /** Decides about a demand in the place of staff. @throws {@link HopbackError} `request-refused` where it is decided already */
  readonly decideDemand: (demandId: string, decision: DemandDecisionRequest) => Demand;
  /** Begins a production under a demand that was approved or narrowed; its files are not ready yet. */
  readonly prepareProduction: (demandId: string) => Production;
  /** Ends a production, and tells the agency: these files, and a `manifest.json` that lists them; they can be fetched for thirty days. */
  readonly produce: (productionId: string, files: readonly TestProductionFile[]) => Production;
  /** Waits until a demand stands like this. */
  readonly demanded: (demandId: string, state: DemandState) => Promise<Demand>;
}

/** Demands of a platform, for its tests. */
function demandsOf({ demands, watch, register }: Assembly): TestDemands {
  const demandOf = (demandId: string): Demand => found(demands.demand(demandId), `demand ${demandId}`).item;
  return {
    demand: demandOf,
    decideDemand: (demandId, decision) => {
      demandOf(demandId);
      const [staff = 'Reviewer'] = register.clientsOf('staff');
      const answer = demands.decide(demandId, conforming('DemandDecisionRequest', decision), staff);
      watch.changed();
      if (answer.kind === 'problem')
        throw new HopbackError('request-refused', `the decision is refused: ${answer.code}`, {
          details: { problemCode: answer.code },
        });
      return demandOf(demandId);
    },
    prepareProduction: (demandId) => demands.prepare(demandId),
    produce: (productionId, files) => {
      const production = demands.produce(productionId, files);
      watch.changed();
      return production;
    },
    demanded: (demandId, state) =>
      watch.until(() => {
        const demand = demandOf(demandId);
        return demand.state === state ? demand : undefined;
      }),
  };
}

/** An answer that the platform took in. */
export interface TestAnswer {
  readonly answer: TracebackAnswer;
  /** Compact JWS as it came. */
  readonly jws: string;
  readonly providerId: string;
  /** RFC 3339 in UTC. */
  readonly receivedAt: string;
  readonly isLate: boolean;
}

/** What a traceback is opened with; what is left out is that of {@link WIRE_EXAMPLES}. */
export interface TestOpening extends Partial<Omit<TracebackOpening, 'firstProvider' | 'call'>> {
  readonly call?: RequestedCall;
  /** Id of the provider that is asked first. Default the first one in the registry. */
  readonly firstProvider?: string;
}

/** Tracebacks, as a test conducts them. What it names and is not there is refused with {@link HopbackError} `invalid-argument`. */
export interface TestTracebacks {
  /** @returns its id; by then the first provider has been asked */
  readonly openTraceback: (opening?: TestOpening) => string;
  /** Opens a traceback that begins with this provider. @returns the request to it */
  readonly issueRequest: (providerId: string, opening?: Omit<TestOpening, 'firstProvider'>) => TracebackRequest;
  /** A traceback as staff sees it. */
  readonly traceback: (tracebackId: string) => Traceback;
  /** Waits until a traceback is closed or withdrawn. */
  readonly closed: (tracebackId: string) => Promise<Traceback>;
  /** No answer is wanted any longer, of nobody. */
  readonly cancelTraceback: (tracebackId: string, reason?: string) => void;
  /** Waits for a request to a provider: of this traceback, or the first one that is not answered. */
  readonly requestTo: (providerId: string, tracebackId?: string) => Promise<TracebackRequest>;
  /** A request as its provider sees it. */
  readonly request: (requestId: string) => TracebackRequestStatus;
  /** Waits until its provider says that it has a request. */
  readonly acknowledged: (requestId: string) => Promise<TracebackRequestStatus>;
  /** Waits for an answer to a request. @param revision - default 1 */
  readonly answered: (requestId: string, revision?: number) => Promise<TestAnswer>;
  /** Answers as they are taken in, those that are there already first; ends when the platform is closed. */
  readonly answers: () => AsyncGenerator<TestAnswer, void, undefined>;
  /**
   * Answers in the place of a provider, signed with its key; said again it amends what was said before.
   * @param rest - what else the answer has
   */
  readonly answerAs: (
    requestId: string,
    finding: TracebackFinding,
    rest?: Partial<TracebackAnswer>,
  ) => Promise<TestAnswer>;
  /** Reminds a provider now. By itself the platform does so some hours before an answer is due. */
  readonly remind: (requestId: string) => void;
  /** Tells a provider that its answer is overdue, whatever the clock says. By itself the platform does so when it is. */
  readonly tellOverdue: (requestId: string) => void;
  /** What the lifecycle of tracebacks asked for so far: reminders, escalations, marks, disputes and the rest. */
  readonly effects: () => readonly PerformedEffect[];
}

/** What stands in the platform beside tracebacks, as a test puts it there and looks at it. */
export interface TestRegistry {
  /** Issues a notice of the Commission; what is left out is filled in. */
  readonly issueNotice: (providerId: string, notice?: Partial<FccNotice>) => FccNotice;
  readonly notice: (noticeId: string) => FccNotice;
  /** Puts a campaign there, or another in its place, and tells all clients, each what it may see. */
  readonly putCampaign: (campaign: Campaign) => void;
  readonly putDoNotOriginate: (entry: DoNotOriginateEntry) => void;
  /** @param to - ids of clients */
  readonly raiseAlert: (alert: Alert, to: readonly string[]) => void;
  /** Different records that came in batches. */
  readonly records: () => readonly SharedRecord[];
  readonly batches: () => readonly ReceivedBatch[];
  /** Different reports of applications. */
  readonly reports: () => readonly AppReport[];
}

/** Events, as a test sees them. */
export interface TestEvents {
  /** All events so far, and whom they are for. */
  readonly events: () => readonly LoggedEvent[];
  /** Sends an event as it is, in no form of the contract perhaps. @param to - ids of clients */
  readonly sendEvent: (event: PlatformEventEnvelope, to: readonly string[]) => void;
  /** Brings events that a fault holds back. */
  readonly releaseEvents: () => void;
  /** Streams that are open. */
  readonly openStreams: (clientId?: string) => number;
  /** Ends all streams, as a platform does that restarts. */
  readonly dropStreams: () => void;
  /** Has events posted to an address: `http:` on this machine too, which the contract does not take and lists show as `https:`. */
  readonly addWebhookEndpoint: (clientId: string, creation: WebhookEndpointCreation) => CreatedWebhookEndpoint;
  readonly webhookEndpoint: (endpointId: string) => WebhookEndpoint;
  /** Attempts to post an event, in the order in which they ended. */
  readonly webhookAttempts: () => readonly WebhookAttempt[];
  /** Waits until no attempt is on its way; those to come again wait for the clock. */
  readonly webhooksSettled: () => Promise<void>;
}

/** Whether all is as the contract has it, and what shall not be. */
export interface TestConformity {
  /** @returns takes the fault away */
  readonly injectFault: (rule: CallFaultRule) => () => void;
  /** @returns takes the fault away */
  readonly injectEventFault: (rule: EventFaultRule) => () => void;
  /** Calls that were answered, of one operation or all. */
  readonly calls: (operationId?: string) => readonly ServedCall[];
  /** What was not as the contract has it, and was not taken yet. */
  readonly violations: () => readonly ContractViolation[];
  /** The same, and forgets it: for a test that is about a wrong request. */
  readonly takeViolations: () => readonly ContractViolation[];
  /** @throws {@link HopbackError} `request-refused` where something was not as the contract has it; `close` does so too */
  readonly assertConforming: () => void;
}

/** A traceback platform in memory, with state: everything that its clients see of it. */
export interface TestPlatform
  extends TestTracebacks, TestDemands, TestRegistry, TestEvents, TestConformity, AsyncDisposable {
  /** Address in front of `/v1`. */
  readonly baseUrl: string;
  /** Public keys that receipts are signed with: for `createReceiptVerifier`. */
  readonly keys: { readonly keys: readonly PlatformJwk[] };
  /** Answers one request, whatever brought it here. Never rejects; a connection that is reset is `Response.error()`. */
  readonly handle: (request: Request) => Promise<Response>;
  /** What a program calls the platform with as this provider, application, agency or member of staff. */
  readonly credentials: (clientId: string, scopes?: readonly PlatformScope[]) => TestCredentials;
  /** Waits until a condition returns something; it is looked at after every change. Rejects with `closed` when the platform is closed. */
  readonly until: <Value>(condition: () => Value | undefined) => Promise<Value>;
  /**
   * Ends streams, webhooks and timers.
   * @throws {@link HopbackError} `request-refused` where something was not as the contract has it, and was not taken
   */
  readonly close: () => Promise<void>;
}

/**
 * Makes a traceback platform for tests: everything between a carrier and the platform, by the table of routes and the schemas of the
 * contract, with state, so that a traceback can be walked through hop by hop. What is not as the contract has it is refused as a platform
 * would, and has {@link TestPlatform.close} throw: no test passes on a wrong request. It opens no socket:
 * {@link platformHandlers} binds it to msw, {@link startTestPlatform} to a port.
 * @param options - clock, providers, address; without any the three providers of {@link TEST_PROVIDERS}
 * @returns the platform; close it, or take it with `await using`
 * @throws {@link HopbackError} `invalid-configuration` when two clients have one id
 * @see {@link PLATFORM_ROUTES}; docs/guides/test-against-it.md
 * @example
 * ```ts
 * await using platform = createTestPlatform();
 * const tracebackId = platform.openTraceback();
 * const request = await platform.requestTo('prv-birch', tracebackId);
 * await platform.answerAs(request.requestId, { arm: 'received-from', upstream: { name: 'Cedar Gateway Corp.' } });
 * const { outcome, hops } = await platform.closed(tracebackId);
 * console.log(outcome, hops.length); // point-of-entry 3
 * ```
 */
export function createTestPlatform(options: TestPlatformOptions = {}): TestPlatform {
  const parts = assemble(options);
  const conformity = conformityOf(parts);
  const close = async (): Promise<void> => {
    parts.watch.end();
    parts.tracebacks.close();
    parts.sender.close();
    parts.hub.close();
    await Promise.all(parts.tasks);
    conformity.assertConforming();
  };
  return {
    baseUrl: parts.baseUrl,
    keys: parts.answers.keys,
    handle: parts.handle,
    until: parts.watch.until,
    ...tracebacksOf(parts),
    ...demandsOf(parts),
    ...registryOf(parts),
    ...eventsOf(parts),
    ...conformity,
    credentials: (clientId, scopes) => credentialsOf(parts, clientId, scopes),
    close,
    [Symbol.asyncDispose]: close,
  };
}

function credentialsOf(
  { register, tokens, baseUrl }: Assembly,
  clientId: string,
  scopes: readonly PlatformScope[] | undefined,
): TestCredentials {
  const client = found(register.clients.get(clientId), `client ${clientId}`);
  const { clientKey, clientKeyId, provider } = client;
  return {
    client: { tokenUrl: `${baseUrl}/oauth/token`, clientId, key: clientKey.privateKeyPem, keyId: clientKeyId },
    answerKey: {
      privateKeyPem: (provider?.answerKey ?? clientKey).privateKeyPem,
      keyId: provider?.answerKeyId ?? clientKeyId,
    },
    token: tokens.mint(client, scopes),
  };
}

function tracebacksOf(parts: Assembly): TestTracebacks {
  const { tracebacks, watch, register } = parts;
  const traceOf = (id: string): TracebackRecord => found(tracebacks.tracebacks.get(id), `traceback ${id}`);
  const recordOf = (id: string): RequestRecord => found(tracebacks.requests.get(id), `request ${id}`);
  const open = ({ firstProvider, call = EXAMPLE_CALL, direction = 'back', ...rest }: TestOpening): TracebackRecord => {
    const first = firstProvider === undefined ? {} : { firstProvider: referenceOf(register.provider(firstProvider)) };
    const record = tracebacks.open(conforming('TracebackOpening', { direction, call, ...first, ...rest }));
    watch.changed();
    return record;
  };
  return {
    openTraceback: (opening = {}) => open(opening).tracebackId,
    issueRequest: (providerId, opening = {}) =>
      found(open({ ...opening, firstProvider: providerId }).requests[0]?.request, `way to ask ${providerId}`),
    traceback: (tracebackId) => tracebackOf(traceOf(tracebackId)),
    closed: (tracebackId) =>
      watch.until(() => {
        const traceback = tracebackOf(traceOf(tracebackId));
        return traceback.state === 'open' ? undefined : traceback;
      }),
    cancelTraceback: (tracebackId, reason = 'No answer is wanted any longer.') =>
      tracebacks.cancel(tracebackId, reason),
    requestTo: (providerId, tracebackId) =>
      watch.until(
        () =>
          [...tracebacks.requests.values()].find(
            ({ provider, request, answers }) =>
              provider.providerId === providerId &&
              (tracebackId === undefined ? answers.length === 0 : request.tracebackId === tracebackId),
          )?.request,
      ),
    request: (requestId) => statusOf(recordOf(requestId)),
    acknowledged: (requestId) =>
      watch.until(() => {
        const status = statusOf(recordOf(requestId));
        return status.acknowledgedAt === undefined ? undefined : status;
      }),
    answered: (requestId, revision = 1) =>
      watch.until(() => {
        const stored = recordOf(requestId).answers.find(({ answer }) => answer.revision === revision);
        return stored === undefined ? undefined : shown(stored);
      }),
    answers: () => answersOf(parts),
    answerAs: async (requestId, finding, rest = {}) => {
      const record = recordOf(requestId);
      const answer = await parts.answerFor(record, finding, rest);
      if (answer.kind === 'problem')
        throw new HopbackError('request-refused', `the answer is refused: ${answer.code}`, {
          details: { problemCode: answer.code },
        });
      return shown(found(record.answers.at(-1), 'such answer'));
    },
    remind: (requestId) => tracebacks.remind(recordOf(requestId)),
    tellOverdue: (requestId) => tracebacks.overdue(recordOf(requestId)),
    effects: () => tracebacks.effects(),
  };
}

const EXAMPLE_CALL = WIRE_EXAMPLES.TracebackRequest[0].value.call;

async function* answersOf({ counter, watch }: Assembly): AsyncGenerator<TestAnswer, void, undefined> {
  for (let index = 0; ; index += 1) {
    const next = await watch.until(() => counter.answers()[index]).catch(() => undefined);
    if (next === undefined) return;
    yield shown(next);
  }
}

const shown = ({ answer, jws, provider, receivedAt, isLate }: StoredAnswer): TestAnswer => ({
  answer,
  jws,
  receivedAt,
  isLate,
  providerId: provider.providerId,
});

const HOUR_MS = 3_600_000;

function registryOf(parts: Assembly): TestRegistry {
  const { shelf, register, hub, clock, newId, newPlace, records } = parts;
  return {
    issueNotice: (providerId, notice = {}) => {
      const nowMs = clock.nowMs();
      const item = conforming('FccNotice', {
        format: 'hopback.fcc-notice.1',
        noticeId: newId('ntc'),
        state: 'open',
        reference: 'DA 26-0001',
        provider: referenceOf(register.provider(providerId)),
        issuedAt: new Date(nowMs).toISOString(),
        mitigationDueAt: new Date(nowMs + 48 * HOUR_MS).toISOString(),
        reportDueAt: new Date(nowMs + 14 * 24 * HOUR_MS).toISOString(),
        description: 'Prerecorded calls without consent. 47 USC 227(b)(1)(B)',
        calls: [],
        tracebackIds: [],
        responses: [],
        ...notice,
      });
      shelf.notices.set(item.noticeId, { place: newPlace(), item, to: providerId });
      hub.emit({
        type: 'org.hopback.notice.issued.1',
        subject: item.noticeId,
        data: { notice: item },
        to: [providerId],
      });
      return item;
    },
    notice: (noticeId) => found(shelf.notices.get(noticeId), `notice ${noticeId}`).item,
    putCampaign: (campaign) => {
      const { campaignId } = conforming('Campaign', campaign);
      shelf.campaigns.set(campaignId, { place: shelf.campaigns.get(campaignId)?.place ?? newPlace(), item: campaign });
      const type = 'org.hopback.campaign.updated.1';
      const toldLess = [...register.clientsOf('carrier'), ...register.clientsOf('app')];
      hub.emit({ type, subject: campaignId, data: { campaign: withoutProviders(campaign) }, to: toldLess });
      const toldAll = [...register.clientsOf('agency'), ...register.clientsOf('staff')];
      if (toldAll.length > 0) hub.emit({ type, subject: campaignId, data: { campaign }, to: toldAll });
    },
    putDoNotOriginate: (entry) => {
      const { entryId } = conforming('DoNotOriginateEntry', entry);
      shelf.doNotOriginate.set(entryId, { place: newPlace(), item: entry });
    },
    raiseAlert: (alert, to) => {
      const { alertId } = conforming('Alert', alert);
      shelf.alerts.set(alertId, { place: newPlace(), item: alert, to, acknowledged: new Map() });
      hub.emit({ type: 'org.hopback.alert.raised.1', subject: alertId, data: { alert }, to });
    },
    records: records.records,
    batches: records.batches,
    reports: () => [...parts.reports.values()].map(({ report }) => report),
  };
}

function eventsOf({ hub, endpoints, sender, watch, register }: Assembly): TestEvents {
  return {
    events: hub.log,
    sendEvent: hub.send,
    releaseEvents: hub.release,
    openStreams: hub.streams,
    dropStreams: hub.dropStreams,
    addWebhookEndpoint: (clientId, creation) =>
      endpoints.add(found(register.clients.get(clientId), `client ${clientId}`).clientId, creation),
    webhookEndpoint: (endpointId) =>
      found(
        endpoints.all().find(({ endpoint }) => endpoint.endpointId === endpointId),
        `endpoint ${endpointId}`,
      ).endpoint,
    webhookAttempts: sender.attempts,
    webhooksSettled: () => watch.until(() => (sender.underWay() === 0 ? true : undefined)).then(() => undefined),
  };
}

function conformityOf({ callFaults, eventFaults, calls, violations }: Assembly): TestConformity {
  return {
    injectFault: callFaults.add,
    injectEventFault: eventFaults.add,
    calls: (operationId) => calls.filter((call) => operationId === undefined || call.operationId === operationId),
    violations: () => [...violations],
    takeViolations: () => violations.splice(0),
    assertConforming: () => {
      const [first] = violations;
      if (first === undefined) return;
      const { operationId, side, pointer, code } = first;
      throw new HopbackError(
        'request-refused',
        `not as the contract has it: the ${side} of ${operationId === '' ? 'no operation' : operationId} at "${pointer}": ${code}`,
        { details: { ...first, violations: violations.length } },
      );
    },
  };
}

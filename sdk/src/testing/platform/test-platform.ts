import type { SharedRecord } from '../../contract/call-record.js';
import type {
  RequestedCall,
  TracebackAnswer,
  TracebackFinding,
  TracebackRequest,
} from '../../contract/traceback-exchange.js';
import { HopbackError } from '../../errors.js';
import type { PlatformEventEnvelope } from '../../contract/event.js';
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
  WireBodies,
} from '../../platform/index.js';
import type { TracebackEffect } from '../../traceback/index.js';
import { assemble } from './assemble.js';
import type { Assembly, TestPlatformOptions } from './assemble.js';
import type { TestProductionFile } from './kit-demands.js';
import type { WebhookAttempt } from './event-hub.js';
import type { ContractViolation, ServedCall } from './exchange.js';
import { withoutProviders } from './kit-handlers.js';
import type { CallFaultRule, EventFaultRule } from './platform-faults.js';
import { referenceOf } from './registered-clients.js';
import type { TestCredentials } from './registered-clients.js';
import { conforming } from './kit-registry.js';
import type { ReceivedBatch } from './kit-registry.js';
import { listenLocally } from './start-test-platform.js';
import type { StartTestPlatformOptions } from './start-test-platform.js';
import { statusOf, tracebackOf } from './kit-tracebacks.js';
import type { RequestRecord, StoredAnswer, TracebackRecord } from './kit-tracebacks.js';

/** What a test names. @throws {@link HopbackError} `invalid-argument` where it is not there */
function found<Value>(value: Value | undefined, what: string): Value {
  if (value === undefined) throw new HopbackError('invalid-argument', `the test platform has no ${what}`);
  return value;
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

const EXAMPLE_CALL = WIRE_EXAMPLES.TracebackRequest[0].value.call;

const HOUR_MS = 3_600_000;

/**
 * A traceback platform in memory, for tests: everything between a carrier and the platform, by the table of routes and the schemas of the
 * contract, with state, so that a traceback can be walked through hop by hop. What is not as the contract has it is refused as a platform
 * would, and has {@link TestPlatform.close} throw: no test passes on a wrong request. A new one opens no socket:
 * {@link platformHandlers} binds it to msw; {@link TestPlatform.start} starts one on a port. Close it, or take it with `await using`. What a test names
 * and is not there is refused with {@link HopbackError} `invalid-argument`.
 * @see {@link PLATFORM_ROUTES}; docs/guides/test-against-it.md
 * @example
 * ```ts
 * await using platform = new TestPlatform();
 * const tracebackId = platform.openTraceback();
 * const request = await platform.requestTo('prv-birch', tracebackId);
 * await platform.answerAs(request.requestId, { arm: 'received-from', upstream: { name: 'Cedar Gateway Corp.' } });
 * const { outcome, hops } = await platform.closed(tracebackId);
 * console.log(outcome, hops.length); // point-of-entry 3
 * ```
 */
export class TestPlatform implements AsyncDisposable {
  /** Address in front of `/v1`. */
  readonly baseUrl: string;
  /** Public keys that receipts are signed with, as JWKs (RFC 7517): for `createReceiptVerifier`. */
  readonly keys: { readonly keys: readonly Readonly<Record<string, unknown>>[] };
  readonly #parts: Assembly;
  #listener: Awaited<ReturnType<typeof listenLocally>> | undefined;

  /**
   * @param options - clock, providers, address; without any the three providers of {@link TEST_PROVIDERS}
   * @throws {@link HopbackError} `invalid-configuration` when two clients have one id, or a rule of tracebacks is out of its bounds
   */
  constructor(options: TestPlatformOptions = {}) {
    this.#parts = assemble(options);
    this.baseUrl = this.#parts.baseUrl;
    this.keys = this.#parts.answers.keys;
  }

  /**
   * Starts a test platform on a port of 127.0.0.1: the same, over real sockets.
   * @param options - those of the platform, and how the connection is secured
   * @returns the platform, listening; `baseUrl` has its port
   * @throws node's own error when the port cannot be opened, or a certificate cannot be read
   * @see RFC 9112, RFC 8705
   * @example
   * ```ts
   * await using platform = await TestPlatform.start();
   * const { token } = platform.credentials('prv-birch');
   * const client = new PlatformClient({ baseUrl: platform.baseUrl, authorization: bearerToken(token) });
   * console.log((await client.tracebackRequests.list()).items); // []
   * ```
   */
  static async start(options: StartTestPlatformOptions = {}): Promise<TestPlatform> {
    const listener = await listenLocally(options);
    const platform = new TestPlatform({ ...options, baseUrl: listener.baseUrl });
    platform.#listener = listener;
    listener.serve((request) => platform.handle(request));
    return platform;
  }

  /** Answers one request, whatever brought it here. Never rejects; a connection that is reset is `Response.error()`. */
  handle(request: Request): Promise<Response> {
    return this.#parts.handle(request);
  }

  /** What a program calls the platform with as this provider, application, agency or member of staff. */
  credentials(clientId: string, scopes?: readonly PlatformScope[]): TestCredentials {
    const { register, tokens } = this.#parts;
    const client = found(register.clients.get(clientId), `client ${clientId}`);
    const { clientKey, clientKeyId: keyId, provider } = client;
    const key = clientKey.privateKeyPem;
    return {
      client: { tokenUrl: `${this.baseUrl}/oauth/token`, clientId, key, keyId },
      answerKey: {
        privateKeyPem: provider?.answerKey.privateKeyPem ?? key,
        keyId: provider?.answerKeyId ?? keyId,
      },
      token: tokens.mint(client, scopes),
    };
  }

  /** Waits until a condition returns something; it is looked at after every change. Rejects with `closed` when the platform is closed. */
  until<Value>(condition: () => Value | undefined): Promise<Value> {
    return this.#parts.watch.until(condition);
  }

  /**
   * Ends streams, webhooks and timers.
   * @throws {@link HopbackError} `request-refused` where something was not as the contract has it, and was not taken
   */
  async close(): Promise<void> {
    const { watch, tracebacks, sender, hub, tasks } = this.#parts;
    const cut = this.#listener?.stop();
    try {
      watch.end();
      tracebacks.close();
      sender.close();
      hub.dropStreams();
      await Promise.all(tasks);
      this.assertConforming();
    } finally {
      await cut?.();
    }
  }

  /** As `close`. */
  [Symbol.asyncDispose](): Promise<void> {
    return this.close();
  }

  // Tracebacks.

  /** Opens a traceback. @returns its id; by then the first provider has been asked */
  openTraceback(opening: TestOpening = {}): string {
    return this.#open(opening).tracebackId;
  }

  /** Opens a traceback that begins with this provider. @returns the request to it */
  issueRequest(providerId: string, opening: Omit<TestOpening, 'firstProvider'> = {}): TracebackRequest {
    const { requests } = this.#open({ ...opening, firstProvider: providerId });
    return found(requests[0]?.request, `way to ask ${providerId}`);
  }

  /** A traceback as staff sees it. */
  traceback(tracebackId: string): Traceback {
    return tracebackOf(found(this.#parts.tracebacks.tracebacks.get(tracebackId), `traceback ${tracebackId}`));
  }

  /** Waits until a traceback is closed or withdrawn. */
  closed(tracebackId: string): Promise<Traceback> {
    return this.until(() => {
      const traceback = this.traceback(tracebackId);
      return traceback.state === 'open' ? undefined : traceback;
    });
  }

  /** No answer is wanted any longer, of nobody. */
  cancelTraceback(tracebackId: string, reason = 'No answer is wanted any longer.'): void {
    this.#parts.tracebacks.cancel(tracebackId, reason);
  }

  /** Waits for a request to a provider: of this traceback, or the first one that is not answered. */
  requestTo(providerId: string, tracebackId?: string): Promise<TracebackRequest> {
    const { requests } = this.#parts.tracebacks;
    const isIt = ({ provider, request, answers }: RequestRecord): boolean =>
      provider.providerId === providerId &&
      (tracebackId === undefined ? answers.length === 0 : request.tracebackId === tracebackId);
    return this.until(() => [...requests.values()].find(isIt)?.request);
  }

  /** A request as its provider sees it. */
  request(requestId: string): TracebackRequestStatus {
    return statusOf(this.#recordOf(requestId));
  }

  /** Waits until its provider says that it has a request. */
  acknowledged(requestId: string): Promise<TracebackRequestStatus> {
    return this.until(() => {
      const status = this.request(requestId);
      return status.acknowledgedAt === undefined ? undefined : status;
    });
  }

  /** Waits for an answer to a request. @param revision - default 1 */
  answered(requestId: string, revision = 1): Promise<TestAnswer> {
    return this.until(() => {
      const stored = this.#recordOf(requestId).answers.find(({ answer }) => answer.revision === revision);
      return stored === undefined ? undefined : shown(stored);
    });
  }

  /** Answers as they are taken in, those that are there already first; ends when the platform is closed. */
  async *answers(): AsyncGenerator<TestAnswer, void, undefined> {
    const { counter } = this.#parts;
    for (let index = 0; ; index += 1) {
      const next = await this.until(() => counter.answers()[index]).catch(() => undefined);
      if (next === undefined) return;
      yield shown(next);
    }
  }

  /**
   * Answers in the place of a provider, signed with its key; said again it amends what was said before.
   * @param rest - what else the answer has
   */
  async answerAs(
    requestId: string,
    finding: TracebackFinding,
    rest: Partial<TracebackAnswer> = {},
  ): Promise<TestAnswer> {
    const record = this.#recordOf(requestId);
    const answer = await this.#parts.answerFor(record, finding, rest);
    if (answer.kind === 'problem')
      throw new HopbackError('request-refused', `the answer is refused: ${answer.code}`, {
        details: { problemCode: answer.code },
      });
    return shown(found(record.answers.at(-1), 'such answer'));
  }

  /** Reminds a provider now. By itself the platform does so some hours before an answer is due. */
  remind(requestId: string): void {
    this.#parts.tracebacks.remind(this.#recordOf(requestId));
  }

  /** Tells a provider that its answer is overdue, whatever the clock says. By itself the platform does so when it is. */
  tellOverdue(requestId: string): void {
    this.#parts.tracebacks.overdue(this.#recordOf(requestId));
  }

  /** What the lifecycle of tracebacks asked for so far, and the platform did: reminders, escalations, marks, disputes and the rest. */
  effects(): readonly { readonly tracebackId: string; readonly effect: TracebackEffect }[] {
    return this.#parts.tracebacks.effects();
  }

  // Demands.

  /** A demand as staff sees it. */
  demand(demandId: string): Demand {
    return found(this.#parts.demands.demand(demandId), `demand ${demandId}`).item;
  }

  /** Decides about a demand in the place of staff. @throws {@link HopbackError} `request-refused` where it is decided already */
  decideDemand(demandId: string, decision: WireBodies['DemandDecisionRequest']): Demand {
    this.demand(demandId);
    const { demands, watch, register } = this.#parts;
    const [staff = 'Reviewer'] = register.clientsOf('staff');
    const answer = demands.decide(demandId, conforming('DemandDecisionRequest', decision), staff);
    watch.changed();
    if (answer.kind === 'problem')
      throw new HopbackError('request-refused', `the decision is refused: ${answer.code}`, {
        details: { problemCode: answer.code },
      });
    return this.demand(demandId);
  }

  /** Begins a production under a demand that was approved or narrowed; its files are not ready yet. */
  prepareProduction(demandId: string): Production {
    return this.#parts.demands.prepare(demandId);
  }

  /** Ends a production, and tells the agency: these files, and a `manifest.json` that lists them; they can be fetched for thirty days. */
  produce(productionId: string, files: readonly TestProductionFile[]): Production {
    const production = this.#parts.demands.produce(productionId, files);
    this.#parts.watch.changed();
    return production;
  }

  /** Waits until a demand stands like this. */
  demanded(demandId: string, state: Demand['state']): Promise<Demand> {
    return this.until(() => {
      const demand = this.demand(demandId);
      return demand.state === state ? demand : undefined;
    });
  }

  // What stands in the platform beside tracebacks.

  /** Issues a notice of the Commission; what is left out is filled in. */
  issueNotice(providerId: string, notice: Partial<FccNotice> = {}): FccNotice {
    const { shelf, register, hub, clock, newId, newPlace } = this.#parts;
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
  }

  /** A notice as it stands. */
  notice(noticeId: string): FccNotice {
    return found(this.#parts.shelf.notices.get(noticeId), `notice ${noticeId}`).item;
  }

  /** Puts a campaign there, or another in its place, and tells all clients, each what it may see. */
  putCampaign(campaign: Campaign): void {
    const { shelf, register, hub, newPlace } = this.#parts;
    const { campaignId } = conforming('Campaign', campaign);
    shelf.campaigns.set(campaignId, { place: shelf.campaigns.get(campaignId)?.place ?? newPlace(), item: campaign });
    const type = 'org.hopback.campaign.updated.1';
    const toldLess = [...register.clientsOf('carrier'), ...register.clientsOf('app')];
    hub.emit({ type, subject: campaignId, data: { campaign: withoutProviders(campaign) }, to: toldLess });
    const toldAll = [...register.clientsOf('agency'), ...register.clientsOf('staff')];
    if (toldAll.length > 0) hub.emit({ type, subject: campaignId, data: { campaign }, to: toldAll });
  }

  /** Puts an entry into the list of numbers that nobody calls from. */
  putDoNotOriginate(entry: DoNotOriginateEntry): void {
    const { entryId } = conforming('DoNotOriginateEntry', entry);
    this.#parts.shelf.doNotOriginate.set(entryId, { place: this.#parts.newPlace(), item: entry });
  }

  /** Raises an alert. @param to - ids of clients */
  raiseAlert(alert: Alert, to: readonly string[]): void {
    const { shelf, hub, newPlace } = this.#parts;
    const { alertId } = conforming('Alert', alert);
    shelf.alerts.set(alertId, { place: newPlace(), item: alert, to, acknowledged: new Map() });
    hub.emit({ type: 'org.hopback.alert.raised.1', subject: alertId, data: { alert }, to });
  }

  /** Different records that came in batches. */
  records(): readonly SharedRecord[] {
    return this.#parts.records.records();
  }

  /** Batches as they came. */
  batches(): readonly ReceivedBatch[] {
    return this.#parts.records.batches();
  }

  /** Different reports of applications. */
  reports(): readonly AppReport[] {
    return [...this.#parts.reports.values()].map(({ report }) => report);
  }

  // Events.

  /** All events so far, and whom they are for. */
  events(): readonly { readonly event: PlatformEventEnvelope; readonly to: readonly string[] }[] {
    return this.#parts.hub.log();
  }

  /** Sends an event as it is, in no form of the contract perhaps. @param to - ids of clients */
  sendEvent(event: PlatformEventEnvelope, to: readonly string[]): void {
    this.#parts.hub.send(event, to);
  }

  /** Brings events that a fault holds back. */
  releaseEvents(): void {
    this.#parts.hub.release();
  }

  /** Streams that are open. */
  openStreams(clientId?: string): number {
    return this.#parts.hub.streams(clientId);
  }

  /** Ends all streams, as a platform does that restarts. */
  dropStreams(): void {
    this.#parts.hub.dropStreams();
  }

  /** Has events posted to an address: `http:` on this machine too, which the contract does not take and lists show as `https:`. */
  addWebhookEndpoint(
    clientId: string,
    creation: WireBodies['WebhookEndpointCreation'],
  ): WireBodies['CreatedWebhookEndpoint'] {
    const client = found(this.#parts.register.clients.get(clientId), `client ${clientId}`);
    return this.#parts.endpoints.add(client.clientId, creation);
  }

  /** An endpoint as it stands. */
  webhookEndpoint(endpointId: string): WireBodies['WebhookEndpoint'] {
    const stored = this.#parts.endpoints.all().find(({ endpoint }) => endpoint.endpointId === endpointId);
    return found(stored, `endpoint ${endpointId}`).endpoint;
  }

  /** Attempts to post an event, in the order in which they ended. */
  webhookAttempts(): readonly WebhookAttempt[] {
    return this.#parts.sender.attempts();
  }

  /** Waits until no attempt is on its way; those to come again wait for the clock. */
  async webhooksSettled(): Promise<void> {
    await this.until(() => (this.#parts.sender.underWay() === 0 ? true : undefined));
  }

  // Whether all is as the contract has it, and what shall not be.

  /** @returns takes the fault away */
  injectFault(rule: CallFaultRule): () => void {
    return this.#parts.callFaults.add(rule);
  }

  /** @returns takes the fault away */
  injectEventFault(rule: EventFaultRule): () => void {
    return this.#parts.eventFaults.add(rule);
  }

  /** Calls that were answered, of one operation or all. */
  calls(operationId?: string): readonly ServedCall[] {
    return this.#parts.calls.filter((call) => operationId === undefined || call.operationId === operationId);
  }

  /** What was not as the contract has it, and was not taken yet. */
  violations(): readonly ContractViolation[] {
    return [...this.#parts.violations];
  }

  /** The same, and forgets it: for a test that is about a wrong request. */
  takeViolations(): readonly ContractViolation[] {
    return this.#parts.violations.splice(0);
  }

  /** Says whether all was. @throws {@link HopbackError} `request-refused` where something was not as the contract has it; `close` does so too */
  assertConforming(): void {
    const { violations } = this.#parts;
    const [first] = violations;
    if (first === undefined) return;
    const { operationId, side, pointer, code } = first;
    throw new HopbackError(
      'request-refused',
      `not as the contract has it: the ${side} of ${operationId === '' ? 'no operation' : operationId} at "${pointer}": ${code}`,
      { details: { ...first, violations: violations.length } },
    );
  }

  #open({ firstProvider, call = EXAMPLE_CALL, direction = 'back', ...rest }: TestOpening): TracebackRecord {
    const { tracebacks, watch, register } = this.#parts;
    const first = firstProvider === undefined ? {} : { firstProvider: referenceOf(register.provider(firstProvider)) };
    const record = tracebacks.open(conforming('TracebackOpening', { direction, call, ...first, ...rest }));
    watch.changed();
    return record;
  }

  #recordOf(requestId: string): RequestRecord {
    return found(this.#parts.tracebacks.requests.get(requestId), `request ${requestId}`);
  }
}

const shown = ({ answer, jws, provider, receivedAt, isLate }: StoredAnswer): TestAnswer => ({
  answer,
  jws,
  receivedAt,
  isLate,
  providerId: provider.providerId,
});

/**
 * Binds a test platform to msw: requests of this process to its address are answered by it. Never throws.
 * @param platform - who answers
 * @param options - as much of `http` of msw as is needed, which is handed in, so that the kit loads where there is no msw; the address in place of the
 * platform's own, without a slash at its end
 * @returns handlers for `setupServer`. Never throws
 * @see https://mswjs.io/docs/api/setup-server
 * @example
 * ```ts
 * // import { http } from 'msw'; import { setupServer } from 'msw/node';
 * const http = { all: (path: string) => path };
 * await using platform = new TestPlatform();
 * // setupServer(...platformHandlers(platform, { http })).listen();
 * console.log(platformHandlers(platform, { http })); // [ 'https://itg.example/*' ]
 * ```
 */
export function platformHandlers<Handler>(
  platform: TestPlatform,
  options: {
    readonly http: {
      readonly all: (path: string, resolver: (info: { readonly request: Request }) => Promise<Response>) => Handler;
    };
    readonly baseUrl?: string;
  },
): readonly Handler[] {
  const { http, baseUrl = platform.baseUrl } = options;
  return [http.all(`${baseUrl}/*`, ({ request }) => platform.handle(request))];
}

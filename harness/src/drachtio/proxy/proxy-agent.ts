import { flowToUri, rejectionOf, type AgentContext } from '../agent/agent-context.js';
import type { InboundAgent } from '../agent/inbound.js';
import type { AppConnection } from '../control/app-connection.js';
import type { ProxyCommand } from '../control/command.js';
import { proxyResponse } from '../control/frames.js';
import type { Flow } from '../transport/flow.js';
import { readAppMessage } from '../message/app-message.js';
import { HEADER, headerLines } from '../message/sip-message.js';
import { targetOf } from '../message/via.js';
import { hasNextVia, ownResponse, withoutTopVia, type Received } from '../received.js';
import type { ServerTransaction } from '../transaction/transaction-layer.js';
import { bestResponse, contactUris, forwardedRequest, routeUris, type FlowTokens } from './forwarding.js';
import { ProxyBranch } from './proxy-branch.js';
import { PassingMap } from '../timers.js';

/** One request that is being proxied. */
interface Proxying {
  readonly app: AppConnection;
  readonly command: ProxyCommand;
  readonly received: Received;
  readonly server: ServerTransaction;
  readonly targets: string[];
  readonly tried: Set<string>;
  readonly branches: Set<ProxyBranch>;
  readonly finals: Final[];
  readonly extraLines: string;
  /** Targets whose address is being looked up. */
  starting: number;
  /** Whether there was a way to any target, be it one that led nowhere. */
  hadWay: boolean;
  isStopped: boolean;
  isFinished: boolean;
}

/** A final response of a target, or one in the place of a target that gave none. */
interface Final {
  readonly status: number;
  readonly received?: Received;
}

/** What it stands on. */
export interface ProxyParts {
  readonly inbound: Pick<InboundAgent, 'take'>;
  readonly tokens: FlowTokens;
}

/** The side of the server that forwards requests where applications say. @see RFC 3261 section 16 */
export class ProxyAgent {
  readonly #context: AgentContext;
  readonly #parts: ProxyParts;
  readonly #all = new PassingMap<ServerTransaction, Proxying>();

  constructor(context: AgentContext, parts: ProxyParts) {
    this.#context = context;
    this.#parts = parts;
  }

  count(): number {
    return this.#all.size;
  }

  /** A connection is over, and with it the targets behind it. */
  onFlowClosed(flow: Flow): void {
    if (!flow.isReliable) return;
    for (const { branches } of this.#all.values()) for (const branch of branches) branch.onFlowClosed(flow);
  }

  proxy(app: AppConnection, command: ProxyCommand): void {
    const request = this.#parts.inbound.take(command.transactionId);
    if (request === undefined) {
      this.#context.answer(app, command.messageId, `NOK|Unknown transaction id: ${command.transactionId}`);
      return;
    }
    const { received, transaction: server } = request;
    const { essentials } = received;
    const read = readAppMessage(command.text, this.#context.namesOf(received.flow));
    const proxying: Proxying = {
      app,
      command,
      received,
      server,
      starting: 0,
      hadWay: false,
      isStopped: false,
      isFinished: false,
      finals: [],
      targets: [...command.destinations],
      tried: new Set<string>(),
      branches: new Set<ProxyBranch>(),
      extraLines: read === undefined ? '' : read.headers.others,
    };
    if (essentials.maxForwards === 0) {
      this.#respondOwn(proxying, 483);
      this.#tell(proxying, 'NOK|Rejected with 483 Too Many Hops due to Max-Forwards value of 0');
      return;
    }
    this.#all.set(server, proxying);
    server.user = {
      onEnd: () => {
        if (this.#all.delete(server)) this.#stop(proxying);
      },
    };
    this.#advance(proxying);
  }

  /** The caller gives up; false where the INVITE is not one that is being proxied. */
  cancel(invite: ServerTransaction, cancel: Received): boolean {
    const proxying = this.#all.get(invite);
    if (proxying === undefined) return false;
    const areSilent = [...proxying.branches].every((branch) => !branch.isHeard());
    // Why the caller gave up is for the callee as well. @see RFC 3326 section 2
    this.#stop(proxying, headerLines(cancel.message, HEADER.reason));
    // Who has not been heard cannot be cancelled yet, and the caller need not wait for it.
    if (areSilent) this.#respondOwn(proxying, 487);
    return true;
  }

  #tell(proxying: Proxying, rest: string): void {
    this.#context.answer(proxying.app, proxying.command.messageId, rest);
  }

  #report(proxying: Proxying, received: Received): void {
    if (!proxying.command.wantsResponses) return;
    const { text } = received.message;
    this.#tell(proxying, proxyResponse(this.#context.received(text.length, received.flow), text));
  }

  #finish(proxying: Proxying): void {
    if (proxying.isFinished) return;
    proxying.isFinished = true;
    this.#all.delete(proxying.server);
    this.#tell(proxying, 'OK|done');
  }

  #start(proxying: Proxying, target: string): void {
    const { received, command } = proxying;
    proxying.tried.add(target);
    proxying.starting += 1;
    let isLate = false;
    flowToUri(this.#context.transports, target, (flow) => {
      proxying.starting -= 1;
      if (flow !== 'no-transport' && flow !== 'unroutable') proxying.hadWay = true;
      if (typeof flow === 'string' || proxying.isStopped) {
        proxying.finals.push({ status: flow === 'unroutable' ? 500 : 503 });
        if (isLate) this.#advance(proxying);
        return;
      }
      const branch = this.#context.identifiers.branch();
      const isLocal = this.#isLocalUri(received.message.requestUri);
      const text = forwardedRequest(received, {
        requestUri: isLocal ? target : received.message.requestUri,
        via: this.#context.viaOf(flow, branch),
        routeLines: command.staysInDialog ? this.#routeLines(received, flow) : '',
        dropsTopRoute: this.#isLocalUri(routeUris(received.message)[0] ?? ''),
        extraLines: proxying.extraLines,
      });
      if (received.message.method === 'INVITE') this.#context.cdr.attempt('application', text);
      const made = new ProxyBranch(this.#context, {
        flow,
        branch,
        text,
        method: received.message.method,
        provisionalTimeoutMs: command.provisionalTimeoutMs,
        finalTimeoutMs: command.finalTimeoutMs,
        user: {
          onProvisional: (response) => {
            if (hasNextVia(response)) proxying.server.respond(response.message.status, withoutTopVia(response));
          },
          onSuccess: (response) => {
            if (hasNextVia(response)) this.#onSuccess(proxying, made, response);
            else this.#onFailure(proxying, made, { status: 502 });
          },
          onFailure: (status, response) => this.#onFailure(proxying, made, finalOf(status, response)),
        },
      });
      proxying.branches.add(made);
      made.start();
    });
    isLate = true;
  }

  /** @see RFC 3261 section 16.6 step 4; RFC 3327 section 5.1 for registrations */
  #routeLines({ message, flow: from }: Received, to: Flow): string {
    const userPart = this.#parts.tokens.userPart(from, to);
    // Those who are reached need not reach us; the others have to.
    const own = this.#context.uriOf(to.transport === 'ws' || to.transport === 'wss' ? from : to);
    const uri = userPart === '' ? own : own.replace(':', `:${userPart}`);
    return message.method === 'REGISTER' ? `Path: <${uri};lr>\r\nRequire: path\r\n` : `Record-Route: <${uri};lr>\r\n`;
  }

  #isLocalUri(uri: string): boolean {
    const target = targetOf(uri);
    return target !== undefined && this.#context.isLocal(target.host, target.port === 0 ? 5_060 : target.port);
  }

  /** Starts what is to be started now; with nothing left to wait for, the best response goes back. */
  #advance(proxying: Proxying): void {
    const { targets, command, branches } = proxying;
    const isIdle = (): boolean => branches.size + proxying.starting === 0;
    while (!proxying.isStopped && targets.length > 0 && (command.isSimultaneous || isIdle())) {
      const target = targets.shift();
      if (target !== undefined) this.#start(proxying, target);
    }
    if (isIdle()) this.#giveBest(proxying);
  }

  #giveBest(proxying: Proxying): void {
    const { finals, server, received } = proxying;
    if (proxying.isFinished) return;
    if (!proxying.hadWay) {
      proxying.isFinished = true;
      this.#all.delete(server);
      this.#respondOwn(proxying, 500);
      // The blank is drachtio-server's, which names no target behind it.
      this.#tell(proxying, 'NOK|error proxying request to ');
      return;
    }
    const best = finals[bestResponse(finals.map(({ status }) => status))];
    const isInvite = received.message.method === 'INVITE';
    if (best?.received !== undefined) {
      const text = withoutTopVia(best.received);
      if (isInvite) this.#context.cdr.stop('application', rejectionOf(best.status), text);
      server.respond(best.status, text);
    } else if (isInvite || best?.status !== 408) this.#respondOwn(proxying, best?.status ?? 500);
    // @see RFC 4320 section 4.2: nobody waits any more for what took that long
    else server.end();
    this.#finish(proxying);
  }

  #respondOwn({ server, received }: Proxying, status: number): void {
    const text = ownResponse(received, { status, toTag: this.#context.identifiers.tag() });
    if (received.message.method === 'INVITE') this.#context.cdr.stop('application', 'call-rejected', text);
    server.respond(status, text);
  }

  #onSuccess(proxying: Proxying, branch: ProxyBranch, response: Received): void {
    const { server, received } = proxying;
    const isInvite = received.message.method === 'INVITE';
    if (proxying.branches.delete(branch)) {
      if (isInvite) this.#context.cdr.start('network', 'proxy-uac', response.message.text);
      this.#report(proxying, response);
      this.#stop(proxying);
      this.#finish(proxying);
      if (isInvite) this.#context.cdr.start('application', 'proxy-uas', withoutTopVia(response));
    }
    const text = withoutTopVia(response);
    // A 2xx behind another final response still has to reach the caller: it is a call.
    if (!server.respond(response.message.status, text)) this.#context.send(server.flow, text);
  }

  #onFailure(proxying: Proxying, branch: ProxyBranch, final: Final): void {
    if (!proxying.branches.delete(branch)) return;
    if (final.received !== undefined) {
      if (proxying.received.message.method === 'INVITE') {
        this.#context.cdr.stop('network', rejectionOf(final.status), final.received.message.text);
      }
      this.#report(proxying, final.received);
    }
    const isRedirect = final.status >= 300 && final.status < 400;
    if (isRedirect && proxying.command.followsRedirects && final.received !== undefined && !proxying.isStopped) {
      const { targets, tried } = proxying;
      const known = new Set([...tried, ...targets]);
      const fresh = [...new Set(contactUris(final.received.message))].filter((uri) => !known.has(uri));
      const taken = fresh.slice(0, Math.max(0, MAX_REDIRECTS - known.size));
      targets.unshift(...taken);
      if (taken.length === 0) proxying.finals.push(final);
    } else proxying.finals.push(final);
    if (final.status >= 600) this.#stop(proxying);
    // A challenge is for the caller to meet; asking others first would make it come too late.
    if (final.status === 401 || final.status === 407) proxying.targets.length = 0;
    this.#advance(proxying);
  }

  /** No further targets, and those that ring are told to stop. */
  #stop(proxying: Proxying, reasonLines = ''): void {
    proxying.isStopped = true;
    proxying.targets.length = 0;
    for (const branch of proxying.branches) branch.cancel(reasonLines);
  }
}

/** What a target answered; in the place of a response that says it is for nobody, that the gateway is bad. */
function finalOf(status: number, response: Received | undefined): Final {
  if (response === undefined) return { status };
  return hasNextVia(response) ? { status, received: response } : { status: 502 };
}

/** Targets tried for one request, redirections included: enough for any list, and an end to circles. */
const MAX_REDIRECTS = 32;

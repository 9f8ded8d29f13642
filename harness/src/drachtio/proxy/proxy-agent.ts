import { flowToUri, rejectionOf } from '../agent/agent-context.js';
import { ownResponse } from '../received.js';
import type { AgentContext } from '../agent/agent-context.js';
import type { InboundAgent } from '../agent/inbound.js';
import type { AppConnection } from '../control/app-connection.js';
import type { ProxyCommand } from '../control/command.js';
import { proxyResponse } from '../control/frames.js';
import type { Flow } from '../transport/flow.js';
import { readAppMessage } from '../message/app-message.js';
import { HEADER, headerLines } from '../message/sip-message.js';
import { targetOf } from '../message/via.js';
import { hasNextVia, withoutTopVia, type Received } from '../received.js';
import type { ServerTransaction } from '../transaction/transaction-layer.js';
import type { FlowTokens } from './forwarding.js';
import { bestResponse, contactUris, forwardedRequest, routeUris } from './forwarding.js';
import { createProxyBranch, type ProxyBranch } from './proxy-branch.js';
import { PassingMap } from '../timers.js';

/** The side of the server that forwards requests where applications say. */
export interface ProxyAgent {
  readonly proxy: (app: AppConnection, command: ProxyCommand) => void;
  /** The caller gives up; false where the INVITE is not one that is being proxied. */
  readonly cancel: (invite: ServerTransaction, cancel: Received) => boolean;
  /** A connection is over, and with it the targets behind it. */
  readonly onFlowClosed: (flow: Flow) => void;
  readonly count: () => number;
}

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

/** Makes the agent. @see RFC 3261 section 16 */
export function createProxyAgent(context: AgentContext, { inbound, tokens }: ProxyParts): ProxyAgent {
  const { transports, cdr, identifiers } = context;
  const all = new PassingMap<ServerTransaction, Proxying>();

  const tell = (proxying: Proxying, rest: string): void => {
    context.answer(proxying.app, proxying.command.messageId, rest);
  };
  const report = (proxying: Proxying, received: Received): void => {
    if (!proxying.command.wantsResponses) return;
    const { text } = received.message;
    tell(proxying, proxyResponse(context.received(text.length, received.flow, received.atMs), text));
  };
  const finish = (proxying: Proxying): void => {
    if (proxying.isFinished) return;
    proxying.isFinished = true;
    all.delete(proxying.server);
    tell(proxying, 'OK|done');
  };

  const start = (proxying: Proxying, target: string): void => {
    const { received, command } = proxying;
    proxying.tried.add(target);
    proxying.starting += 1;
    let isLate = false;
    flowToUri(transports, target, (flow) => {
      proxying.starting -= 1;
      if (flow !== 'no-transport' && flow !== 'unroutable') proxying.hadWay = true;
      if (typeof flow === 'string' || proxying.isStopped) {
        proxying.finals.push({ status: flow === 'unroutable' ? 500 : 503 });
        if (isLate) advance(proxying);
        return;
      }
      const branch = identifiers.branch();
      const isLocal = isLocalUri(received.message.requestUri);
      const text = forwardedRequest(received, {
        requestUri: isLocal ? target : received.message.requestUri,
        via: context.viaOf(flow, branch),
        routeLines: command.staysInDialog ? routeLines(received, flow) : '',
        dropsTopRoute: isLocalUri(routeUris(received.message)[0] ?? ''),
        extraLines: proxying.extraLines,
      });
      if (received.message.method === 'INVITE') cdr.attempt('application', text);
      const made = createProxyBranch(context, {
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
            if (hasNextVia(response)) onSuccess(proxying, made, response);
            else onFailure(proxying, made, { status: 502 });
          },
          onFailure: (status, response) => onFailure(proxying, made, finalOf(status, response)),
        },
      });
      proxying.branches.add(made);
      made.start();
    });
    isLate = true;
  };
  /** @see RFC 3261 section 16.6 step 4; RFC 3327 section 5.1 for registrations */
  const routeLines = ({ message, flow: from }: Received, to: Flow): string => {
    const userPart = tokens.userPart(from, to);
    // Those who are reached need not reach us; the others have to.
    const own = context.contactOf(to.transport === 'ws' || to.transport === 'wss' ? from : to).slice(1, -1);
    const uri = userPart === '' ? own : own.replace(':', `:${userPart}`);
    return message.method === 'REGISTER' ? `Path: <${uri};lr>\r\nRequire: path\r\n` : `Record-Route: <${uri};lr>\r\n`;
  };
  const isLocalUri = (uri: string): boolean => {
    const target = targetOf(uri);
    return target !== undefined && context.isLocal(target.host, target.port === 0 ? 5_060 : target.port);
  };
  /** Starts what is to be started now; with nothing left to wait for, the best response goes back. */
  const advance = (proxying: Proxying): void => {
    const { targets, command, branches } = proxying;
    const isIdle = (): boolean => branches.size + proxying.starting === 0;
    while (!proxying.isStopped && targets.length > 0 && (command.isSimultaneous || isIdle())) {
      const target = targets.shift();
      if (target !== undefined) start(proxying, target);
    }
    if (isIdle()) giveBest(proxying);
  };
  const giveBest = (proxying: Proxying): void => {
    const { finals, server, received } = proxying;
    if (proxying.isFinished) return;
    if (!proxying.hadWay) {
      proxying.isFinished = true;
      all.delete(server);
      respondOwn(proxying, 500);
      // The blank is drachtio-server's, which names no target behind it.
      tell(proxying, 'NOK|error proxying request to ');
      return;
    }
    const best = finals[bestResponse(finals.map(({ status }) => status))];
    const isInvite = received.message.method === 'INVITE';
    if (best?.received !== undefined) {
      const text = withoutTopVia(best.received);
      if (isInvite) cdr.stop('application', rejectionOf(best.status), text);
      server.respond(best.status, text);
    } else if (isInvite || best?.status !== 408) respondOwn(proxying, best?.status ?? 500);
    // @see RFC 4320 section 4.2: nobody waits any more for what took that long
    else server.end();
    finish(proxying);
  };
  const respondOwn = ({ server, received }: Proxying, status: number): void => {
    const text = ownResponse(received, { status, toTag: identifiers.tag() });
    if (received.message.method === 'INVITE') cdr.stop('application', 'call-rejected', text);
    server.respond(status, text);
  };

  const onSuccess = (proxying: Proxying, branch: ProxyBranch, response: Received): void => {
    const { server, received } = proxying;
    const isInvite = received.message.method === 'INVITE';
    if (proxying.branches.delete(branch)) {
      if (isInvite) cdr.start('network', 'proxy-uac', response.message.text);
      report(proxying, response);
      stop(proxying);
      finish(proxying);
      if (isInvite) cdr.start('application', 'proxy-uas', withoutTopVia(response));
    }
    const text = withoutTopVia(response);
    // A 2xx behind another final response still has to reach the caller: it is a call.
    if (!server.respond(response.message.status, text)) context.send(server.flow, text);
  };
  const onFailure = (proxying: Proxying, branch: ProxyBranch, final: Final): void => {
    if (!proxying.branches.delete(branch)) return;
    if (final.received !== undefined) {
      if (proxying.received.message.method === 'INVITE') {
        cdr.stop('network', rejectionOf(final.status), final.received.message.text);
      }
      report(proxying, final.received);
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
    if (final.status >= 600) stop(proxying);
    // A challenge is for the caller to meet; asking others first would make it come too late.
    if (final.status === 401 || final.status === 407) proxying.targets.length = 0;
    advance(proxying);
  };
  /** No further targets, and those that ring are told to stop. */
  const stop = (proxying: Proxying, reasonLines = ''): void => {
    proxying.isStopped = true;
    proxying.targets.length = 0;
    for (const branch of proxying.branches) branch.cancel(reasonLines);
  };

  return {
    count: () => all.size,
    onFlowClosed: (flow) => {
      if (!flow.isReliable) return;
      for (const { branches } of all.values()) for (const branch of branches) branch.onFlowClosed(flow);
    },
    proxy: (app, command) => {
      const request = inbound.take(command.transactionId);
      if (request === undefined) {
        context.answer(app, command.messageId, `NOK|Unknown transaction id: ${command.transactionId}`);
        return;
      }
      const { received, transaction: server } = request;
      const { essentials } = received;
      const read = readAppMessage(command.text, context.namesOf(received.flow));
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
        respondOwn(proxying, 483);
        tell(proxying, 'NOK|Rejected with 483 Too Many Hops due to Max-Forwards value of 0');
        return;
      }
      all.set(server, proxying);
      server.user = {
        onEnd: () => {
          if (!all.delete(server)) return;
          stop(proxying);
        },
      };
      advance(proxying);
    },
    cancel: (invite, cancel) => {
      const proxying = all.get(invite);
      if (proxying === undefined) return false;
      const areSilent = [...proxying.branches].every((branch) => !branch.isHeard());
      // Why the caller gave up is for the callee as well. @see RFC 3326 section 2
      stop(proxying, headerLines(cancel.message, HEADER.reason));
      // Who has not been heard cannot be cancelled yet, and the caller need not wait for it.
      if (areSilent) respondOwn(proxying, 487);
      return true;
    },
  };
}

/** What a target answered; in the place of a response that says it is for nobody, that the gateway is bad. */
function finalOf(status: number, response: Received | undefined): Final {
  if (response === undefined) return { status };
  return hasNextVia(response) ? { status, received: response } : { status: 502 };
}

/** Targets tried for one request, redirections included: enough for any list, and an end to circles. */
const MAX_REDIRECTS = 32;

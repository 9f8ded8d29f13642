import { createHash } from 'node:crypto';
import { flowToUri } from '../agent/agent-context.js';
import { ownResponse, withoutTopVia, type Received } from '../received.js';
import type { AgentContext } from '../agent/agent-context.js';
import type { DialogStore } from '../dialog/dialog-store.js';
import { FIELD_SIZE, HEADER, fieldIndex, fieldValue, parameterOf } from '../message/sip-message.js';
import { readVia, targetOf } from '../message/via.js';
import type { Flow, TransportName } from '../transport/flow.js';
import type { FlowTokens } from './forwarding.js';
import { FLOW_PARAMETER, forwardedRequest, routeUris } from './forwarding.js';

/** Hands on what passes through us because we asked to stay in the path. No application sees it, and no state is kept. */
export type StatelessProxy = ReturnType<typeof createStatelessProxy>;

/** What it is made with. */
export interface StatelessProxyOptions {
  /** Tells our own branches from those that a peer invents. */
  readonly secret: string;
  readonly dialogs: DialogStore;
  readonly tokens: FlowTokens;
  /** Answers a request in our own name. */
  readonly respond: (received: Received, text: string) => void;
}

/** Makes it. @see RFC 3261 sections 16.11 and 16.12 */
export function createStatelessProxy(
  context: AgentContext,
  { secret, dialogs, tokens, respond }: StatelessProxyOptions,
) {
  const { transports } = context;
  const prefix = `z9hG4bKsl${createHash('sha256').update(secret).digest('hex').slice(0, 10)}`;
  const isOurs = (uri: string): boolean => {
    const target = targetOf(uri);
    return (
      target !== undefined && target.isLoose && context.isLocal(target.host, target.port === 0 ? 5_060 : target.port)
    );
  };
  const refuse = (received: Received, status: number): void => {
    if (received.message.method === 'ACK') return;
    respond(received, ownResponse(received, { status, toTag: context.identifiers.tag() }));
  };
  const forward = (received: Received, flow: Flow): void => {
    const { message } = received;
    const via = context.viaOf(flow, branchOf(prefix, received)) + tokens.viaParameter(received.flow);
    const text = forwardedRequest(received, {
      requestUri: message.requestUri,
      via,
      routeLines: '',
      dropsTopRoute: true,
      extraLines: '',
    });
    context.send(flow, text);
    if (message.method !== 'BYE') return;
    context.cdr.stop('network', 'normal-release', message.text);
    context.cdr.stop('application', 'normal-release', text);
  };
  return {
    /** Takes a request whose first Route is us and which belongs to no dialog of ours; false where it is not such a one. */
    takesRequest: (received: Received) => {
      const { message, essentials } = received;
      if (essentials.toTag === '' && message.method !== 'CANCEL') return false;
      if (fieldIndex(message, HEADER.route) < 0) return false;
      const [first, second] = routeUris(message);
      if (first === undefined || !isOurs(first) || dialogs.ofRequest(essentials) !== undefined) return false;
      // CANCEL and ACK repeat the Route of their INVITE: what is ours is not forwarded. @see RFC 3261 sections 9.1, 17.1.1.3
      if (context.transactions.isKnown(received)) return false;
      if (essentials.maxForwards === 0) refuse(received, 483);
      else {
        const named = second === undefined ? tokens.otherEnd(userPartOf(first), received.flow) : undefined;
        const pass = (flow: Flow | string | undefined): void => {
          if (flow === undefined || typeof flow === 'string') refuse(received, 503);
          else forward(received, flow);
        };
        if (named === undefined) flowToUri(transports, second ?? message.requestUri, pass);
        else pass(transports.openFlow(named.transport, named.remote));
      }
      return true;
    },
    /** Takes a response to such a request. */
    takesResponse: (received: Received) => {
      if (!received.essentials.via.via.branch.startsWith(prefix)) return false;
      const named = tokens.read(parameterOf(received.essentials.via.value, FLOW_PARAMETER) ?? '');
      const flow = named === undefined ? undefined : transports.openFlow(named.transport, named.remote);
      if (flow === undefined) forwardResponse(context, received);
      else context.send(flow, withoutTopVia(received));
      return true;
    },
  };
}

/** Sends a response to the Via below ours. @see RFC 3261 sections 16.7 step 9 and 18.2.2 */
function forwardResponse(context: AgentContext, received: Received): void {
  const next = secondVia(received);
  if (next === undefined) return;
  const { via, value } = next;
  const params = value.slice(value.indexOf(';'), via.end);
  const host = parameterOf(params, 'received') ?? via.host;
  const rport = Number(parameterOf(params, 'rport') ?? '');
  const port = rport > 0 && rport < 65_536 ? rport : via.port === 0 ? 5_060 : via.port;
  const transport = via.transport.toLowerCase() as TransportName;
  const text = withoutTopVia(received);
  context.transports.flowTo(transport, { host, port }, (flow) => {
    if (typeof flow !== 'string') context.send(flow, text);
  });
}

function userPartOf(uri: string): string {
  const at = uri.indexOf('@');
  return at < 0 ? '' : uri.slice(uri.indexOf(':') + 1, at);
}

function secondVia({ message, essentials }: Received): ReturnType<typeof readVia> {
  const { value, via } = essentials.via;
  const rest = value.slice(via.end).replace(/^[ \t]*,[ \t]*/, '');
  if (rest !== '') return readVia(rest);
  const index = fieldIndex(message, HEADER.via, fieldIndex(message, HEADER.via) + FIELD_SIZE);
  return index < 0 ? undefined : readVia(fieldValue(message, index));
}

/** The same for a request, its repeats and its CANCEL, and different for others. @see RFC 3261 section 16.11 */
function branchOf(prefix: string, { essentials }: Received): string {
  const { via, callId, cseq } = essentials;
  const hash = createHash('sha256').update(`${via.via.branch}|${via.via.host}|${via.via.port}|${callId}|${cseq}`);
  return `${prefix}${hash.digest('hex').slice(0, 20)}`;
}

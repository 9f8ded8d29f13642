import { linesWithout } from '../message/app-message.js';
import { composeRequest } from '../message/compose.js';
import { HEADER } from '../message/header-names.js';
import { targetOf } from '../message/sip-target.js';
import { isReliable, type Flow } from '../transport/flow.js';
import type { Transports } from '../transport/transports.js';
import type { AgentContext } from './agent-context.js';
import { MAX_FORWARDS } from './dialog-request.js';
import { portOf } from './next-hop.js';
import type { OutgoingRequest } from './outgoing-request.js';

/**
 * Writes the CANCEL of an INVITE: everything that identifies it is the INVITE's, and of what an application adds, Reason and headers
 * of its own go along.
 * @see RFC 3261 section 9.1
 */
export function cancelOf(context: AgentContext, invite: OutgoingRequest, others: string): string {
  const { requestUri, flow, branch, routes, from, to, callId, cseq } = invite;
  return composeRequest({
    method: 'CANCEL',
    requestUri,
    via: context.viaOf(flow, branch),
    maxForwards: MAX_FORWARDS,
    routes,
    from,
    to,
    callId,
    cseq,
    contact: undefined,
    contentType: undefined,
    body: '',
    others: linesWithout(others, NOT_IN_CANCEL),
  });
}

const NOT_IN_CANCEL: ReadonlySet<number> = new Set([HEADER.pAssertedIdentity]);

/** Stands for the way to a host that could not be found, so that the request can be written and its failure be told. */
export function fallbackFlow(transports: Transports, uri: string): Flow | undefined {
  const target = targetOf(uri);
  const listening =
    transports.listening.find(({ transport }) => transport === target?.transport) ?? transports.listening[0];
  if (target === undefined || listening === undefined) return undefined;
  const { transport, local } = listening;
  return {
    ...{ transport, local, isReliable: isReliable(transport) },
    remote: { address: target.host, port: portOf(target) },
    isOpen: () => false,
    send: () => undefined,
  };
}

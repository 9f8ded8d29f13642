import { createHash } from 'node:crypto';
import type { Flow, TransportName } from '../transport/flow.js';

/**
 * Names connections in URIs of ours, so that requests find those who can be reached by their own connection alone, as browsers are.
 * A name is a user part, and says both ends of a call where both are of that kind.
 * @see RFC 5626 section 5
 */
export interface FlowTokens {
  /**
   * The user part of our Record-Route for a request that goes from one flow to another, with `@` behind it; empty where both ends can be
   * reached by their addresses.
   */
  readonly userPart: (from: Flow, to: Flow) => string;
  /**
   * Which way a request goes that came by a flow and names us with a user part.
   * @returns the connection's far end; undefined where the request goes by its own target
   */
  readonly otherEnd: (userPart: string, came: Flow) => NamedFlow | undefined;
  /** A parameter of our Via by which a response finds the connection of the request; empty where it needs none. */
  readonly viaParameter: (from: Flow) => string;
  /** What a Via parameter of ours says. */
  readonly read: (token: string) => NamedFlow | undefined;
}

/** A connection by where it leads. */
export interface NamedFlow {
  readonly transport: TransportName;
  readonly remote: { readonly address: string; readonly port: number };
}

/** Name of the Via parameter. */
export const FLOW_PARAMETER = 'hb-flow';

/**
 * Makes them.
 * @param secret - keeps peers from naming connections of others
 */
export function createFlowTokens(secret: string): FlowTokens {
  const seal = (text: string): string => createHash('sha256').update(`${secret}|${text}`).digest('hex').slice(0, 12);
  const write = (flow: Flow): string => {
    const { transport, remote } = flow;
    const text = `${transport}-${remote.port}-${remote.address.replaceAll(':', '_')}`;
    return `${text}-${seal(text)}`;
  };
  const read = (token: string): NamedFlow | undefined => {
    const parts = /^(ws|wss|tcp|tls)-(\d{1,5})-([\w.]{1,45})-[\da-f]{12}$/.exec(token);
    const [, transport = '', port = '', address = ''] = parts ?? [];
    if (parts === null || seal(token.slice(0, -13)) !== token.slice(-12)) return undefined;
    return {
      transport: transport as TransportName,
      remote: { address: address.replaceAll('_', ':'), port: Number(port) },
    };
  };
  return {
    userPart: (from, to) => {
      const [caller, called] = [isOwnWayOnly(from) ? write(from) : '', isOwnWayOnly(to) ? write(to) : ''];
      return caller === '' && called === '' ? '' : `${caller}~${called}@`;
    },
    otherEnd: (userPart, came) => {
      if (!userPart.includes('~')) return undefined;
      const [caller = '', called = ''] = userPart.split('~');
      const own = write(came);
      if (own === caller) return read(called);
      return own === called ? read(caller) : (read(caller) ?? read(called));
    },
    viaParameter: (from) => (from.isReliable ? `;${FLOW_PARAMETER}=${write(from)}` : ''),
    read,
  };
}

/** Whether nobody can open a connection to the other end. */
function isOwnWayOnly({ transport }: Flow): boolean {
  return transport === 'ws' || transport === 'wss';
}

import { createHash } from 'node:crypto';
import type { SipMessage } from '../message/sip-message.js';
import {
  addressOf,
  FIELD_SIZE,
  fieldLine,
  fieldValue,
  HEADER,
  listValues,
  parameterOf,
} from '../message/sip-message.js';
import type { Received } from '../received.js';
import type { Flow, TransportName } from '../transport/flow.js';

/**
 * Which of the final responses that a proxy has gathered goes back to the caller: one of 6xx before all others, then the lowest class;
 * within a class those first from which the caller learns how to do better.
 * @param statuses - at least one, 300 to 699
 * @returns the index of the best
 * @see RFC 3261 section 16.7 step 6
 */
export function bestResponse(statuses: readonly number[]): number {
  let best = 0;
  for (const [index, status] of statuses.entries()) {
    if (rank(status) < rank(statuses[best] ?? 0)) best = index;
  }
  return best;
}

function rank(status: number): number {
  if (status >= 600) return 0;
  const ofClass = Math.floor(status / 100) * 10;
  return HELPFUL.has(status) ? ofClass : ofClass + 1;
}

const HELPFUL: ReadonlySet<number> = new Set([401, 407, 415, 420, 484]);

/** What a proxy changes in a request that it hands on. */
export interface Forwarding {
  readonly requestUri: string;
  /** Via value of this hop. */
  readonly via: string;
  /** Lines to write behind the Via fields, such as Record-Route, each with its end. */
  readonly routeLines: string;
  /** Whether the first Route value is us and has done its work. */
  readonly dropsTopRoute: boolean;
  /** Lines to write behind all header fields, each with its end. */
  readonly extraLines: string;
}

/**
 * Writes a request as it is handed on: everything that is not named in {@link Forwarding} leaves octet for octet as it came.
 * @see RFC 3261 section 16.6
 */
export function forwardedRequest(received: Received, forwarding: Forwarding): string {
  const { message, essentials, viaValue } = received;
  const { requestUri, via, routeLines, dropsTopRoute, extraLines } = forwarding;
  let text = `${message.method} ${requestUri} SIP/2.0\r\nVia: ${via}\r\n`;
  let isFirstVia = true;
  let isFirstRoute = true;
  let areRoutesWritten = false;
  for (let index = 0; index < message.fields.length; index += FIELD_SIZE) {
    const id = message.fields[index];
    // Ours is the first of its kind, even where a proxy before us wrote its own above its Via.
    const isOfKind = id === HEADER.recordRoute || id === HEADER.path;
    if (!areRoutesWritten && (isOfKind || (id !== HEADER.via && !isFirstVia))) {
      text += routeLines;
      areRoutesWritten = true;
    }
    if (id === HEADER.via && isFirstVia) {
      isFirstVia = false;
      text += `Via: ${viaValue}\r\n`;
    } else if (id === HEADER.maxForwards) text += `Max-Forwards: ${Math.max(0, essentials.maxForwards - 1)}\r\n`;
    else if (id === HEADER.route && isFirstRoute && dropsTopRoute) {
      isFirstRoute = false;
      const rest = listValues(fieldValue(message, index)).slice(1).join(', ');
      if (rest !== '') text += `Route: ${rest}\r\n`;
    } else text += `${fieldLine(message, index)}\r\n`;
  }
  if (!areRoutesWritten) text += routeLines;
  if (essentials.maxForwards < 0) text += 'Max-Forwards: 70\r\n';
  return `${text}${extraLines}${message.text.slice(message.headersEnd)}`;
}

/** The URIs of a request's Route fields, in order. */
export function routeUris(message: SipMessage): readonly string[] {
  const uris: string[] = [];
  for (let index = 0; index < message.fields.length; index += FIELD_SIZE) {
    if (message.fields[index] !== HEADER.route) continue;
    for (const value of listValues(fieldValue(message, index))) uris.push(addressOf(value)?.uri ?? '');
  }
  return uris;
}

/** The URIs that a redirecting response names, best first. @see RFC 3261 sections 8.1.3.4 and 20.10 */
export function contactUris(message: SipMessage): readonly string[] {
  const contacts: { readonly uri: string; readonly q: number }[] = [];
  for (let index = 0; index < message.fields.length; index += FIELD_SIZE) {
    if (message.fields[index] !== HEADER.contact) continue;
    for (const value of listValues(fieldValue(message, index))) {
      const address = addressOf(value);
      if (address === undefined || !/^sips?:/i.test(address.uri)) continue;
      const q = Number(parameterOf(address.params, 'q') ?? '1');
      contacts.push({ uri: address.uri, q: Number.isFinite(q) ? q : 1 });
    }
  }
  return contacts.toSorted((a, b) => b.q - a.q).map(({ uri }) => uri);
}

/**
 * Names connections in URIs of ours, so that requests find those who can be reached by their own connection alone, as browsers are.
 * A name is a user part, and says both ends of a call where both are of that kind.
 * @see RFC 5626 section 5
 */
export type FlowTokens = ReturnType<typeof createFlowTokens>;

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
export function createFlowTokens(secret: string) {
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
    /**
     * The user part of our Record-Route for a request that goes from one flow to another, with `@` behind it; empty where both ends can be
     * reached by their addresses.
     */
    userPart: (from: Flow, to: Flow) => {
      const [caller, called] = [isOwnWayOnly(from) ? write(from) : '', isOwnWayOnly(to) ? write(to) : ''];
      return caller === '' && called === '' ? '' : `${caller}~${called}@`;
    },
    /**
     * Which way a request goes that came by a flow and names us with a user part.
     * @returns the connection's far end; undefined where the request goes by its own target
     */
    otherEnd: (userPart: string, came: Flow): NamedFlow | undefined => {
      if (!userPart.includes('~')) return undefined;
      const [caller = '', called = ''] = userPart.split('~');
      const own = write(came);
      if (own === caller) return read(called);
      return own === called ? read(caller) : (read(caller) ?? read(called));
    },
    /** A parameter of our Via by which a response finds the connection of the request; empty where it needs none. */
    viaParameter: (from: Flow) => (from.isReliable ? `;${FLOW_PARAMETER}=${write(from)}` : ''),
    /** What a Via parameter of ours says. */
    read,
  };
}

/** Whether nobody can open a connection to the other end. */
function isOwnWayOnly({ transport }: Flow): boolean {
  return transport === 'ws' || transport === 'wss';
}

import {
  FIELD_SIZE,
  HEADER,
  addressOf,
  fieldLine,
  fieldValue,
  listValues,
  parameterOf,
} from '../message/sip-message.js';
import type { SipMessage } from '../message/sip-message.js';
import type { Received } from '../received.js';

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

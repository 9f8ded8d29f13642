import type { Essentials } from './message/essentials.js';
import { HEADER } from './message/header-names.js';
import { fieldIndex, FIELD_SIZE, fieldLine, type SipMessage } from './message/sip-message.js';
import type { Flow } from './transport/flow.js';

/** A message from the network whose essentials could be read. */
export interface Received {
  readonly message: SipMessage;
  readonly essentials: Essentials;
  /** Where it came from. */
  readonly flow: Flow;
  /** When, milliseconds since the epoch. */
  readonly atMs: number;
  /** The topmost Via field's value with `received` and `rport` written in; for a response, as it came. */
  readonly viaValue: string;
}

/** The text of a received request as everybody behind the transport sees it: with the stamped Via. @see RFC 3261 section 18.2.1 */
export function stampedText({ message, viaValue }: Received): string {
  const index = fieldIndex(message, HEADER.via);
  const start = message.fields[index + 2] ?? 0;
  const end = message.fields[index + 3] ?? 0;
  return message.text.slice(0, start) + viaValue + message.text.slice(end);
}

/** All Via fields of a request as its responses have to carry them, each with its line end. @see RFC 3261 section 8.2.6.2 */
export function viaLines({ message, viaValue }: Received): string {
  let lines = '';
  let index = fieldIndex(message, HEADER.via);
  lines += `Via: ${viaValue}\r\n`;
  for (
    index = fieldIndex(message, HEADER.via, index + FIELD_SIZE);
    index >= 0;
    index = fieldIndex(message, HEADER.via, index + FIELD_SIZE)
  ) {
    lines += `${fieldLine(message, index)}\r\n`;
  }
  return lines;
}

/** Whether a response has a Via below its topmost one: without, it was meant for us alone. @see RFC 3261 section 16.7 step 3 */
export function hasNextVia({ message, essentials }: Received): boolean {
  const { value, via } = essentials.via;
  return value.length > via.end || fieldIndex(message, HEADER.via, fieldIndex(message, HEADER.via) + FIELD_SIZE) >= 0;
}

/** The text without its topmost Via value, as a proxy hands a response on. @see RFC 3261 section 16.7 step 3 */
export function withoutTopVia({ message, essentials }: Received): string {
  const index = fieldIndex(message, HEADER.via);
  const value = essentials.via.value;
  const rest = value.slice(essentials.via.via.end).replace(/^[ \t]*,[ \t]*/, '');
  const lineStart = message.fields[index + 1] ?? 0;
  const nextStart = index + FIELD_SIZE < message.fields.length ? (message.fields[index + 5] ?? 0) : message.headersEnd;
  const kept = rest === '' ? '' : `Via: ${rest}\r\n`;
  return message.text.slice(0, lineStart) + kept + message.text.slice(nextStart);
}

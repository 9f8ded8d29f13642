import { expect } from 'vitest';
import {
  FIELD_SIZE,
  HEADER,
  bodyOf,
  fieldIndex,
  fieldLine,
  fieldName,
  fieldValue,
  headerValues,
} from '../../harness/src/drachtio/message/sip-message.js';
import type { SipMessage } from '../../harness/src/drachtio/message/sip-message.js';
import { MESSAGE_LIMITS, parseMessage } from '../../harness/src/drachtio/message/parse-message.js';
import { stampedText, viaLines, withoutTopVia } from '../../harness/src/drachtio/received.js';
import type { Reading, Received } from '../../harness/src/drachtio/received.js';
import { forwardedRequest } from '../../harness/src/drachtio/proxy/forwarding.js';
import { receivedFrom } from './sip-samples.js';

/** Every offset lies inside the text, in front of the next, and where the message says there is a line there is one. */
export function expectSoundFields(message: SipMessage): void {
  const { text, fields, headersEnd, bodyStart } = message;
  expect(fields.length % FIELD_SIZE).toBe(0);
  let before = text.indexOf('\r\n') + 2;
  for (let index = 0; index < fields.length; index += FIELD_SIZE) {
    const [lineStart = -1, valueStart = -1, valueEnd = -1] = fields.slice(index + 1, index + FIELD_SIZE);
    const isOrdered =
      before <= lineStart && lineStart < valueStart && valueStart <= valueEnd && valueEnd <= headersEnd - 2;
    if (!isOrdered) throw new Error(`field ${index} of ${JSON.stringify(text)} is at ${JSON.stringify(fields)}`);
    const line = fieldLine(message, index);
    const name = fieldName(message, index);
    const isWhole = line.startsWith(name) && /^[^\s:]+$/.test(name) && text.startsWith(`${line}\r\n`, lineStart);
    if (!isWhole || !line.includes(fieldValue(message, index))) throw new Error(`no line: ${JSON.stringify(line)}`);
    before = lineStart + line.length + 2;
  }
  expect(before).toBeLessThanOrEqual(headersEnd);
  expect(text.startsWith('\r\n', headersEnd)).toBe(true);
  expect(bodyStart).toBe(headersEnd + 2);
}

/** A message that was read has all it needs, and written again line by line it is the same. */
export function expectSoundMessage({ message, essentials }: Received): void {
  expectSoundFields(message);
  const { text, fields } = message;
  const lines: string[] = [];
  for (let index = 0; index < fields.length; index += FIELD_SIZE) lines.push(`${fieldLine(message, index)}\r\n`);
  expect(text.slice(text.indexOf('\r\n') + 2)).toBe(`${lines.join('')}\r\n${bodyOf(message)}`);
  if (/\r(?!\n)|(?<!\r)\n/.test(text.slice(0, message.headersEnd))) throw new Error(`a lone line end: ${text}`);
  expect(essentials.callId).toMatch(/^[^ \t\r\n]+$/);
  expect(essentials.cseq).toBeLessThan(2 ** 31);
  expect(essentials.maxForwards).toBeLessThan(256);
  if (message.status === 0) expect(essentials.method).toBe(message.method);
  if (essentials.contentLength >= 0) expect(bodyOf(message)).toHaveLength(essentials.contentLength);
}

/** A refusal can be read, says what it should, and goes to nobody who must not get one. */
export function expectSoundRefusal(reading: Reading): void {
  if (reading.status !== 'refused' || reading.response === undefined) return;
  const parsed = parseMessage(reading.response, { ...MESSAGE_LIMITS, maxHeaders: MESSAGE_LIMITS.maxHeaders + 9 });
  if (parsed.status === 'unreadable') throw new Error(`the refusal is ${parsed.fault}: ${reading.response}`);
  expect([400, 505]).toContain(parsed.message.status);
  expect(fieldIndex(parsed.message, HEADER.via)).toBeGreaterThanOrEqual(0);
  expect(bodyOf(parsed.message)).toBe('');
}

const OUR_VIA = 'SIP/2.0/UDP 192.0.2.1:5060;branch=z9hG4bKproxy';

/** What is handed on of a message that was read can be read as well, and differs in what it has to. */
export function expectSoundForwarding(received: Received): void {
  const { message, essentials } = received;
  expect(stampedText(received)).toContain(received.viaValue);
  if (message.status !== 0) {
    const rest = parseMessage(withoutTopVia(received));
    expect(rest.status).toBe('parsed');
    return;
  }
  // A field more, and a Via that has grown, may break a limit.
  if (message.fields.length > 250 * FIELD_SIZE || received.viaValue.length > 8_000) return;
  const text = forwardedRequest(received, {
    ...{ requestUri: 'sip:next@example.net', via: OUR_VIA, routeLines: 'Record-Route: <sip:192.0.2.1;lr>\r\n' },
    ...{ dropsTopRoute: false, extraLines: 'X-Extra: 1\r\n' },
  });
  const again = receivedFrom(text, received.flow);
  expectSoundMessage(again);
  const lines = viaLines(received);
  expect(headerValues(again.message, HEADER.via)).toHaveLength(headerValues(message, HEADER.via).length + 1);
  expect(again.essentials.via.value).toBe(OUR_VIA);
  if (!text.includes(lines.slice(0, lines.indexOf('\r\n')))) throw new Error('the stamped Via is lost');
  const left = essentials.maxForwards < 0 ? 70 : Math.max(0, essentials.maxForwards - 1);
  const { via: _via, maxForwards, ...rest } = again.essentials;
  const { via: _oldVia, maxForwards: _oldMaxForwards, ...before } = essentials;
  expect(maxForwards).toBe(left);
  expect(rest).toEqual(before);
  expect(bodyOf(again.message)).toBe(bodyOf(message));
}

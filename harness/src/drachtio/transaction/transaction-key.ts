import { flat } from '../flat-text.js';
import { HEADER } from '../message/header-names.js';
import { isMagic } from '../message/via.js';
import type { Received } from '../received.js';
import { headerValue } from '../message/sip-message.js';

/**
 * The key under which a request and its repeats, its ACK (other than to a 2xx) and, for `INVITE`, its CANCEL meet.
 * @param method - of the transaction that is looked for: `INVITE` for an ACK or CANCEL
 * @see RFC 3261 section 17.2.3
 */
export function serverKey({ essentials, message }: Received, method: string): string {
  const { via, value } = essentials.via;
  if (isMagic(via.branch)) return flat(`${via.branch}|${via.host}:${via.port}|${method}`);
  // Elements of RFC 2543 make no branches of their own; the To tag is left out, since an ACK has one that its INVITE had not.
  const { callId, cseq, fromTag } = essentials;
  const top = value.slice(0, via.end);
  return flat(
    `${message.requestUri}|${fromTag}|${callId}|${cseq}|${top}|${headerValue(message, HEADER.from)}|${method}`,
  );
}

/** The key under which a response meets its request. @see RFC 3261 section 17.1.3 */
export function clientKey(branch: string, method: string): string {
  return flat(`${branch}|${method}`);
}

import type { Endpoint } from '../transport/flow.js';

/** Longest payload that five digits can announce, octets. */
export const MAX_FRAME_BYTES = 99_999;

/** Reads the frames of one connection: a decimal length of at most five digits, `#`, and that many octets, as drachtio-server reads them. */
export function createFrameReader() {
  let pending = '';
  return {
    /**
     * Takes the next octets; never throws.
     * @param chunk - one character per octet
     * @returns the payloads that are complete now, or undefined when the stream cannot be read on
     */
    push: (chunk: string): readonly string[] | undefined => {
      const text = pending === '' ? chunk : pending + chunk;
      const frames: string[] = [];
      let at = 0;
      while (at < text.length) {
        const hash = text.indexOf('#', at);
        const digits = (hash < 0 ? text.length : hash) - at;
        if (digits > MAX_LENGTH_DIGITS || (hash >= 0 && digits === 0)) return undefined;
        const length = lengthOf(text, at, at + digits);
        if (length === undefined) return undefined;
        if (hash < 0 || text.length < hash + 1 + length) break;
        frames.push(text.slice(hash + 1, hash + 1 + length));
        at = hash + 1 + length;
      }
      pending = at === text.length ? '' : text.slice(at);
      return frames;
    },
  };
}

const MAX_LENGTH_DIGITS = 5;

function lengthOf(text: string, start: number, end: number): number | undefined {
  let length = 0;
  for (let at = start; at < end; at += 1) {
    const digit = text.charCodeAt(at) - 0x30;
    if (digit < 0 || digit > 9) return undefined;
    length = length * 10 + digit;
  }
  return length;
}

/** Where a message came from or went to, and when, as frames to applications tell it. */
export interface FrameMeta {
  readonly source: 'network' | 'application';
  readonly bytes: number;
  /** `udp`, `tcp` or `tls`; WebSockets are `tcp`, as drachtio-server has it. */
  readonly protocol: string;
  readonly remote: Endpoint;
  /** `HH:MM:SS.uuuuuu`, UTC. */
  readonly time: string;
}

/** A frame as it goes over the connection: `payload` has one character per octet. */
export function framed(payload: string): string {
  return `${payload.length}#${payload}`;
}

/** `<frame id>|response|<message id>|…`: how a command went. */
export function responsePayload(frameId: string, messageId: string, rest: string): string {
  return `${frameId}|response|${messageId}|${rest}`;
}

function metaTokens({ source, bytes, protocol, remote, time }: FrameMeta): string {
  return `${source}|${bytes}|${protocol}|${remote.address}|${remote.port}|${time}`;
}

/** Behind `OK`, for a request that was sent. */
export function requestSent(meta: FrameMeta, transactionId: string, text: string): string {
  return `OK|${metaTokens(meta)}|${transactionId}|Msg sent:|\r\n${text}`;
}

/** Behind `OK`, for a response that was sent. */
export function responseSent(
  meta: FrameMeta,
  ids: { readonly transactionId: string; readonly dialogId: string },
  text: string,
): string {
  return `OK|${metaTokens(meta)}|${ids.transactionId}|${ids.dialogId}||Msg sent:|\r\n${text}`;
}

/** Behind `OK`, for a final response that a proxied request got from one target. */
export function proxyResponse(meta: FrameMeta, text: string): string {
  return `OK|${metaTokens(meta)}|||continue\r\n${text}`;
}

/** What comes from the network: a request outside dialogs, with the address it arrived at. */
export function newRequestPayload(
  frameId: string,
  meta: FrameMeta,
  request: {
    readonly transactionId: string;
    readonly local: Endpoint;
    readonly text: string;
  },
): string {
  const { transactionId, local, text } = request;
  return `${frameId}|sip|${metaTokens(meta)}|${transactionId}||${local.address}|${local.port}|\r\n${text}`;
}

/** What comes from the network: a request within a dialog, an ACK, a CANCEL, or a response. */
export function messagePayload(
  frameId: string,
  meta: FrameMeta,
  message: {
    readonly transactionId: string;
    readonly dialogId: string;
    readonly text: string;
  },
): string {
  const { transactionId, dialogId, text } = message;
  return `${frameId}|sip|${metaTokens(meta)}|${transactionId}|${dialogId}|\r\n${text}`;
}

/** A call detail record: `attempt` without, `start` and `stop` with a role or reason. */
export function cdrPayload(
  frameId: string,
  record: {
    readonly event: 'attempt' | 'start' | 'stop';
    readonly source: 'network' | 'application';
    readonly time: string;
    readonly detail: string;
    readonly text: string;
  },
): string {
  const { event, source, time, detail, text } = record;
  return `${frameId}|cdr:${event}|${source}|${time}${detail === '' ? '' : `|${detail}`}\r\n${text}`;
}

/** Writes times of day in UTC with six digits of a second; what the same second has in common is written once. */
export function createTimeOfDay(): (nowMs: number) => string {
  let second = -1;
  let written = '';
  return (nowMs) => {
    const now = Math.floor(nowMs / 1_000);
    if (now !== second) {
      second = now;
      written = new Date(now * 1_000).toISOString().slice(11, 19);
    }
    return `${written}.${String(nowMs - now * 1_000).padStart(3, '0')}000`;
  };
}

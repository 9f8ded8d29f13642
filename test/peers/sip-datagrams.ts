import { createSocket } from 'node:dgram';
import { once } from 'node:events';
import { randomUUID } from 'node:crypto';
import { readSip, writeSip } from '../support/drachtio-sip-text.js';

/** SIP over one UDP socket on loopback: text out, text in, matched by Call-ID. */
export type SipDatagrams = Awaited<ReturnType<typeof openSipDatagrams>>;

/** Opens a socket on a port that the system chooses. */
export async function openSipDatagrams() {
  const socket = createSocket('udp4');
  const waiting = new Map<string, (message: string) => void>();
  socket.on('message', (bytes) => {
    const message = bytes.toString('utf8');
    waiting.get(headerValues(message, 'Call-ID')[0] ?? '')?.(message);
  });
  socket.bind(0, '127.0.0.1');
  await once(socket, 'listening');

  /** The next message with this Call-ID, or `undefined` when none came in time. */
  const next = (callId: string, timeoutMs: number): Promise<string | undefined> =>
    new Promise((resolve) => {
      const settle = (message: string | undefined): void => {
        clearTimeout(timer);
        waiting.delete(callId);
        resolve(message);
      };
      const timer = setTimeout(() => settle(undefined), timeoutMs);
      waiting.set(callId, settle);
    });
  const close = async (): Promise<void> => {
    socket.close();
    await once(socket, 'close');
  };
  return {
    port: socket.address().port,
    /** Sends text as one datagram to a port of 127.0.0.1. */
    send: (text: string, port: number): void => socket.send(text, port, '127.0.0.1'),
    next,
    close,
    [Symbol.asyncDispose]: close,
  };
}

/** The values of a header field in their order, folded lines joined. Names are compared without case. */
export function headerValues(message: string, name: string): readonly string[] {
  return readSip(message)
    .values(name)
    .map((value) => value.replaceAll(/\r\n[ \t]+/g, ' '));
}

/** The status code of a response, `undefined` for a request. */
export function statusCode(message: string): number | undefined {
  const { status } = readSip(message);
  return status === 0 ? undefined : status;
}

/** What a plain request is made of. Numbers go in as they are. */
export interface SipRequestOptions {
  readonly orig: string;
  readonly dest: string;
  /** Whole header lines, without the line end: `Identity: eyJ…`. */
  readonly headers?: readonly string[];
}

/** An INVITE without a body, as a phone that knows nothing of STIR would send it. */
export function inviteText(options: SipRequestOptions): string {
  return requestText('INVITE', options);
}

/** An OPTIONS request, to ask whether somebody is there. */
export function optionsText(): string {
  return requestText('OPTIONS', { orig: 'probe', dest: 'probe' });
}

function requestText(method: string, { orig, dest, headers = [] }: SipRequestOptions): string {
  const id = randomUUID();
  return writeSip(`${method} sip:${dest}@127.0.0.1 SIP/2.0`, [
    `Via: SIP/2.0/UDP 127.0.0.1;rport;branch=z9hG4bK${id}`,
    'Max-Forwards: 70',
    `From: <sip:${orig}@127.0.0.1>;tag=${id.slice(0, 8)}`,
    `To: <sip:${dest}@127.0.0.1>`,
    `Call-ID: ${id}`,
    `CSeq: 1 ${method}`,
    ...headers,
  ]);
}

import { createSocket } from 'node:dgram';
import { once } from 'node:events';
import { randomUUID } from 'node:crypto';

/** SIP over one UDP socket on loopback: text out, text in, matched by Call-ID. */
export interface SipDatagrams extends AsyncDisposable {
  /** The socket's port, on 127.0.0.1. */
  readonly port: number;
  /** Sends text as one datagram to a port of 127.0.0.1. */
  readonly send: (text: string, port: number) => void;
  /** The next message with this Call-ID, or `undefined` when none came in time. */
  readonly next: (callId: string, timeoutMs: number) => Promise<string | undefined>;
  readonly close: () => Promise<void>;
}

/** Opens a socket on a port that the system chooses. */
export async function openSipDatagrams(): Promise<SipDatagrams> {
  const socket = createSocket('udp4');
  const waiting = new Map<string, (message: string) => void>();
  socket.on('message', (bytes) => {
    const message = bytes.toString('utf8');
    waiting.get(headerValues(message, 'Call-ID')[0] ?? '')?.(message);
  });
  socket.bind(0, '127.0.0.1');
  await once(socket, 'listening');

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
    send: (text, port) => socket.send(text, port, '127.0.0.1'),
    next,
    close,
    [Symbol.asyncDispose]: close,
  };
}

/** The values of a header field in the order they stand in, folded lines joined. Names are compared without case. */
export function headerValues(message: string, name: string): readonly string[] {
  const head = message.split('\r\n\r\n', 1)[0] ?? '';
  const prefix = `${name.toLowerCase()}:`;
  return head
    .replaceAll(/\r\n[ \t]+/g, ' ')
    .split('\r\n')
    .filter((line) => line.toLowerCase().startsWith(prefix))
    .map((line) => line.slice(prefix.length).trim());
}

/** The status code of a response, `undefined` for a request. */
export function statusCode(message: string): number | undefined {
  const digits = /^SIP\/2\.0 ([1-6]\d\d) /.exec(message)?.[1];
  return digits === undefined ? undefined : Number(digits);
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
  return [
    `${method} sip:${dest}@127.0.0.1 SIP/2.0`,
    `Via: SIP/2.0/UDP 127.0.0.1;rport;branch=z9hG4bK${id}`,
    'Max-Forwards: 70',
    `From: <sip:${orig}@127.0.0.1>;tag=${id.slice(0, 8)}`,
    `To: <sip:${dest}@127.0.0.1>`,
    `Call-ID: ${id}`,
    `CSeq: 1 ${method}`,
    ...headers,
    'Content-Length: 0',
    '\r\n',
  ].join('\r\n');
}

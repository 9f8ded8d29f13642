import { connect } from 'node:net';
import { onMessages, readSip, sdp, tagIn, uriIn, writeSip, type SipText } from './drachtio-sip-text.js';
import { ignore, LOOPBACK, openDatagramWire } from './sip-load-wires.js';

/** What became of a call. */
export interface CallResult {
  /** Answered and hung up, told 503 when to come again, told something else, or left without a final answer. */
  readonly outcome: 'completed' | 'refused' | 'failed' | 'lost';
  /** From the INVITE to its final response, milliseconds. */
  readonly answeredMs: number;
  /** Requests that were sent again. */
  readonly repeats: number;
}

/** Calls the server that it was opened for: INVITE, ACK, BYE at once. Over UDP requests are repeated as RFC 3261 has it. */
export interface Caller extends AsyncDisposable {
  readonly call: () => Promise<CallResult>;
}

/** Longest wait for a final response: by then the transaction has timed out. */
const PATIENCE_MS = 32_000;
const T1_MS = 500;
const T2_MS = 4_000;

/** Opens a caller that has one UDP socket for all its calls. */
export async function openUdpCaller(port: number): Promise<Caller> {
  const listeners = new Map<string, (message: SipText) => void>();
  const wire = await openDatagramWire(port, (text) => {
    const message = readSip(text);
    listeners.get(message.value('Call-ID'))?.(message);
  });
  return {
    call: async () => {
      const name = nextName();
      const hear = (listener: (message: SipText) => void): void => void listeners.set(name, listener);
      try {
        return await converse({ name, port, own: wire.port, transport: 'udp', send: wire.send, hear });
      } finally {
        listeners.delete(name);
      }
    },
    [Symbol.asyncDispose]: wire[Symbol.asyncDispose],
  };
}

/** Opens a caller that makes a TCP connection for each call. */
export function openTcpCaller(port: number): Caller {
  return {
    call: async () => {
      const socket = connect({ port, host: LOOPBACK, noDelay: true });
      socket.on('error', ignore);
      let listener: (message: SipText) => void = ignore;
      onMessages(socket, (text) => listener(readSip(text)));
      const send = (text: string): void => void socket.write(text, 'latin1');
      const hear = (next: (message: SipText) => void): void => {
        listener = next;
      };
      try {
        return await converse({ name: nextName(), port, own: DISCARD_PORT, transport: 'tcp', send, hear });
      } finally {
        socket.destroy();
      }
    },
    [Symbol.asyncDispose]: () => Promise.resolve(),
  };
}

/** Nobody connects back to a caller that has a connection already. */
const DISCARD_PORT = 9;

let calls = 0;
function nextName(): string {
  calls += 1;
  return `load-${process.pid}-${calls}`;
}

interface Way {
  /** Call-ID, and tag, and what branches begin with. */
  readonly name: string;
  readonly port: number;
  /** Port that the caller is seen with. */
  readonly own: number;
  readonly transport: 'udp' | 'tcp';
  readonly send: (text: string) => void;
  /** Names who hears the responses. */
  readonly hear: (listener: (message: SipText) => void) => void;
}

/** A request to be sent, and the response that it waits for. */
interface Exchange {
  readonly method: string;
  readonly text: string;
}

async function converse(way: Way): Promise<CallResult> {
  let repeats = 0;
  let hearFinal: (message: SipText) => void = ignore;
  let stopRepeating: () => void = ignore;
  let awaited = '';
  const sent: { acknowledgement?: string } = {};
  way.hear((message) => {
    const [, method = ''] = message.value('CSeq').split(' ');
    // A 200 that comes again has not seen its ACK.
    if (method === 'INVITE' && message.status >= 200 && sent.acknowledgement !== undefined) {
      way.send(sent.acknowledgement);
    }
    if (method !== awaited) return;
    if (message.status >= 200 || method === 'INVITE') stopRepeating();
    if (message.status >= 200) hearFinal(message);
  });
  const ask = ({ method, text }: Exchange): Promise<SipText | undefined> =>
    new Promise((resolve) => {
      awaited = method;
      let repeat: NodeJS.Timeout | undefined;
      const again = (waitMs: number): void => {
        repeat = setTimeout(() => {
          repeats += 1;
          way.send(text);
          again(method === 'INVITE' ? 2 * waitMs : Math.min(2 * waitMs, T2_MS));
        }, waitMs);
      };
      stopRepeating = () => clearTimeout(repeat);
      const end = (message: SipText | undefined): void => {
        stopRepeating();
        clearTimeout(patience);
        resolve(message);
      };
      const patience = setTimeout(() => end(undefined), PATIENCE_MS);
      hearFinal = end;
      way.send(text);
      if (way.transport === 'udp') again(T1_MS);
    });

  const startMs = performance.now();
  const final = await ask({ method: 'INVITE', text: requestOf(way, 'INVITE', undefined) });
  const answeredMs = performance.now() - startMs;
  if (final === undefined) return { outcome: 'lost', answeredMs, repeats };
  sent.acknowledgement = requestOf(way, 'ACK', final);
  way.send(sent.acknowledgement);
  if (final.status >= 300) {
    const isRefused = final.status === 503 && /^[1-9]\d*$/.test(final.value('Retry-After'));
    return { outcome: isRefused ? 'refused' : 'failed', answeredMs, repeats };
  }
  const gone = await ask({ method: 'BYE', text: requestOf(way, 'BYE', final) });
  const outcome = gone === undefined ? 'lost' : gone.status === 200 ? 'completed' : 'failed';
  return { outcome, answeredMs, repeats };
}

/** A request of a call; behind its INVITE with what the final response has told. */
function requestOf({ name, port, own, transport }: Way, method: string, final: SipText | undefined): string {
  const parameter = transport === 'udp' ? '' : ';transport=tcp';
  const uri = `sip:callee@${LOOPBACK}:${port}${parameter}`;
  const isUp = final !== undefined && final.status < 300;
  const branch = method === 'INVITE' || (method === 'ACK' && !isUp) ? name : `${name}-${method}`;
  const contact = isUp ? uriIn(final.value('Contact')) : uri;
  const tag = final === undefined ? '' : tagIn(final.value('To'));
  const isInvite = method === 'INVITE';
  return writeSip(
    `${method} ${contact} SIP/2.0`,
    [
      `Via: SIP/2.0/${transport.toUpperCase()} ${LOOPBACK}:${own};rport;branch=z9hG4bK-${branch}`,
      'Max-Forwards: 70',
      `From: <sip:caller@${LOOPBACK}>;tag=${name}`,
      `To: <${uri}>${tag === '' ? '' : `;tag=${tag}`}`,
      `Call-ID: ${name}`,
      `CSeq: ${method === 'BYE' ? 2 : 1} ${method}`,
      ...(isInvite ? [`Contact: <sip:caller@${LOOPBACK}:${own}${parameter}>`, 'Content-Type: application/sdp'] : []),
    ],
    isInvite ? sdp() : '',
  );
}

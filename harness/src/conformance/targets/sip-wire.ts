import { createSocket } from 'node:dgram';
import type { Socket } from 'node:dgram';
import { once } from 'node:events';
import type { SentCall } from '../case.js';
import type { SipExchange } from './sip-answers.js';
import { ackText, byeText, calleeResponse, inviteText, readSipMessage } from './sip-text.js';
import type { SipMessage } from './sip-text.js';

/** Where something listens. */
interface Place {
  readonly host: string;
  readonly port: number;
}

/** Caller and callee of the tests, over UDP. */
export interface SipWire {
  /** Sends an INVITE, and gives what came of it; never rejects. */
  readonly call: (
    call: SentCall,
    to: Place & { readonly domain: string; readonly callId: string; readonly lines: readonly string[] },
  ) => Promise<SipExchange>;
  readonly close: () => Promise<void>;
}

/** First wait before an INVITE goes out again; each one after it is twice as long. @see RFC 3261 section 17.1.1.2 (timer A) */
const TIMER_A_MS = 500;

interface OpenCall {
  readonly heard: (message: SipMessage) => void;
  readonly delivered: (message: SipMessage) => void;
}

/**
 * Opens the sockets.
 * @param options - where the device is, how long its answer is waited for, and where the callee is to listen
 * @throws node's own error when a port cannot be opened
 */
export async function openSipWire(options: {
  readonly peer: Place;
  readonly timeoutMs: number;
  readonly callee?: Place;
}): Promise<SipWire> {
  const open = new Map<string, OpenCall>();
  const caller = await listening({ host: await localAddress(options.peer), port: 0 });
  const callee =
    options.callee === undefined
      ? undefined
      : await listening(options.callee).catch(async (error) => {
          await closed(caller);
          throw error;
        });
  caller.on('message', (octets: Buffer) => {
    const message = readSipMessage(octets.toString('utf8'));
    if (message !== undefined && message.status > 0 && message.method === 'INVITE')
      open.get(callIdOf(message))?.heard(message);
  });
  callee?.on('message', (octets: Buffer, from) => {
    const message = readSipMessage(octets.toString('utf8'));
    if (message === undefined || message.method !== 'INVITE' || message.status > 0) return;
    callee.send(calleeResponse(message, 'callee'), from.port, from.address);
    open.get(callIdOf(message))?.delivered(message);
  });
  const { address, port } = caller.address();
  const send = (text: string, to: Place): void => caller.send(text, to.port, to.host, () => undefined);
  return {
    call: (call, to) =>
      exchange({ call, to, sentBy: `${address}:${String(port)}`, send, open, timeoutMs: options.timeoutMs }),
    close: async () => {
      await closed(caller);
      if (callee !== undefined) await closed(callee);
    },
  };
}

interface Exchange {
  readonly call: SentCall;
  readonly to: Parameters<SipWire['call']>[1];
  readonly sentBy: string;
  readonly send: (text: string, to: Place) => void;
  readonly open: Map<string, OpenCall>;
  readonly timeoutMs: number;
}

function exchange({ call, to, sentBy, send, open, timeoutMs }: Exchange): Promise<SipExchange> {
  const { callId, domain, lines } = to;
  const branch = `z9hG4bK${callId}`;
  const invite = inviteText(call, { domain, sentBy, callId, branch, tag: callId.slice(0, 8), lines });
  const responses: SipMessage[] = [];
  let delivered: SipMessage | undefined;
  let again: NodeJS.Timeout | undefined;
  return new Promise((resolve) => {
    const repeat = (waitMs: number): void => {
      again = setTimeout(() => {
        send(invite, to);
        repeat(2 * waitMs);
      }, waitMs);
    };
    const end = (): void => {
      clearTimeout(again);
      clearTimeout(overtime);
      open.delete(callId);
      resolve({ responses, ...(delivered !== undefined && { delivered }) });
    };
    const overtime = setTimeout(end, timeoutMs);
    open.set(callId, {
      heard: (response) => {
        clearTimeout(again);
        responses.push(response);
        if (response.status < 200) return;
        send(ackText(invite, response, `${branch}a`), to);
        if (response.status < 300) send(byeText(invite, response, `${branch}b`), to);
        end();
      },
      delivered: (request) => {
        delivered ??= request;
      },
    });
    send(invite, to);
    repeat(TIMER_A_MS);
  });
}

const callIdOf = (message: SipMessage): string => message.values('call-id')[0] ?? '';

async function listening({ host, port }: Place): Promise<Socket> {
  const socket = createSocket('udp4');
  socket.bind(port, host);
  await once(socket, 'listening');
  // ICMP may say that nobody listens; that nothing comes says the same.
  socket.on('error', () => undefined);
  return socket;
}

/** The address by which the device sees this machine. */
async function localAddress({ host, port }: Place): Promise<string> {
  const socket = createSocket('udp4');
  socket.connect(port, host);
  await once(socket, 'connect');
  const { address } = socket.address();
  await closed(socket);
  return address;
}

async function closed(socket: Socket): Promise<void> {
  const closing = once(socket, 'close');
  socket.close();
  await closing;
}

import { readFileSync, readdirSync } from 'node:fs';
import { createStreamFramer, parseMessage } from '../../harness/src/drachtio/message/parse-message.js';
import type { StreamEvent } from '../../harness/src/drachtio/message/parse-message.js';
import { FIELD_SIZE, bodyOf, fieldLine, type SipMessage } from '../../harness/src/drachtio/message/sip-message.js';
import { readDatagram, readParsed } from '../../harness/src/drachtio/received.js';
import type { Arrival, Reading, Received } from '../../harness/src/drachtio/received.js';
import { isReliable, type Endpoint, type Flow, type TransportName } from '../../harness/src/drachtio/transport/flow.js';
import { writeSip } from './drachtio-sip-text.js';
import { VECTOR_FOLDER } from './vectors.js';

/** Where the messages of the tests come from and go to. */
export const PEER: Endpoint = { address: '192.0.2.9', port: 5099 };
/** Where the server of the tests listens. */
export const HERE: Endpoint = { address: '192.0.2.1', port: 5060 };

/** A flow that leads nowhere. */
export interface FakeFlow extends Flow {
  /** What was sent, in order. */
  readonly sent: string[];
  /** Tells the sender of the last message that it could not be delivered. */
  readonly fail: () => void;
}

/** Makes a flow that keeps what is sent. */
export function fakeFlow(transport: TransportName = 'udp', remote: Endpoint = PEER): FakeFlow {
  const sent: string[] = [];
  let onLastError: ((error: Error) => void) | undefined;
  return {
    ...{ transport, remote, sent, isReliable: isReliable(transport), local: HERE, isOpen: () => true },
    send: (text, onError) => {
      sent.push(text);
      onLastError = onError;
    },
    fail: () => onLastError?.(new Error('unreachable')),
  };
}

/** What a message arrives with. */
export function arrivalOn(flow: Flow): Arrival {
  return { flow, tag: () => 'ours' };
}

/** A message as it arrives on a flow; an error of the test where it is refused. */
export function receivedFrom(text: string, flow: Flow = fakeFlow()): Received {
  const reading = readDatagram(text, arrivalOn(flow));
  if (reading.status === 'read') return reading.received;
  throw new Error(`the sample cannot be read: ${JSON.stringify(reading)}`);
}

/** A message from its text; an error of the test where it is faulty. */
export function messageFrom(text: string): SipMessage {
  const parsed = parseMessage(text);
  if (parsed.status === 'parsed') return parsed.message;
  throw new Error(`the sample cannot be parsed: ${parsed.fault}`);
}

/** The message written again from its parts. */
export function rebuilt(message: SipMessage): string {
  const { status, reason, method, requestUri, fields } = message;
  const startLine = status === 0 ? `${method} ${requestUri} SIP/2.0` : `SIP/2.0 ${status} ${reason}`;
  const lines: string[] = [];
  for (let index = 0; index < fields.length; index += FIELD_SIZE) lines.push(fieldLine(message, index));
  return `${[startLine, ...lines].join('\r\n')}\r\n\r\n${bodyOf(message)}`;
}

/** What a stream of octets gives, in chunks. */
export function framed(chunks: readonly string[]): {
  readonly events: readonly StreamEvent[];
  readonly isWaiting: boolean;
} {
  const framer = createStreamFramer();
  const events = chunks.flatMap((chunk) => framer.push(chunk));
  return { events, isWaiting: framer.isInMessage() };
}

/** The messages of a stream, read as a server reads them. */
export function readStream(chunks: readonly string[], flow: Flow): readonly (Reading | StreamEvent)[] {
  return framed(chunks).events.map((event) =>
    event.kind === 'message' ? readParsed(event.parsed, arrivalOn(flow)) : event,
  );
}

/** What a request differs in from the plain one. */
export interface RequestSample {
  readonly requestUri?: string;
  readonly branch?: string;
  /** Via value in place of one with `branch`. */
  readonly via?: string;
  readonly from?: string;
  readonly to?: string;
  readonly callId?: string;
  readonly cseq?: number;
  readonly contact?: string;
  readonly maxForwards?: string;
  /** Further lines. */
  readonly lines?: readonly string[];
  readonly body?: string;
}

/** A request that is as it should be. */
export function requestText(method = 'INVITE', sample: RequestSample = {}): string {
  const { requestUri = 'sip:bob@example.com', branch = 'z9hG4bKone', body = '', lines = [] } = sample;
  const { via = `SIP/2.0/UDP 192.0.2.9:5099;rport;branch=${branch}`, from = '"Alice" <sip:alice@example.org>;tag=a1' } =
    sample;
  const { to = '<sip:bob@example.com>', callId = 'call-1@192.0.2.9', cseq = 1, maxForwards = '70' } = sample;
  const fields = [
    `Via: ${via}`,
    `Max-Forwards: ${maxForwards}`,
    `From: ${from}`,
    `To: ${to}`,
    `Call-ID: ${callId}`,
    `CSeq: ${cseq} ${method}`,
    `Contact: ${sample.contact ?? '<sip:alice@192.0.2.9:5099>'}`,
  ];
  return writeSip(`${method} ${requestUri} SIP/2.0`, [...fields, ...lines], body);
}

/** What a response differs in from the plain one. */
export interface ResponseSample {
  readonly reason?: string;
  readonly method?: string;
  readonly branch?: string;
  readonly from?: string;
  readonly to?: string;
  readonly cseq?: number;
  readonly lines?: readonly string[];
}

/** A response that is as it should be. */
export function responseText(status: number, sample: ResponseSample = {}): string {
  const { reason = 'Reason', method = 'INVITE', branch = 'z9hG4bKours', cseq = 1, lines = [] } = sample;
  const { from = '<sip:here@192.0.2.1>;tag=h1', to = '<sip:bob@example.com>;tag=b1' } = sample;
  return writeSip(`SIP/2.0 ${status} ${reason}`, [
    `Via: SIP/2.0/UDP 192.0.2.1:5060;rport=5060;branch=${branch};received=192.0.2.1`,
    `From: ${from}`,
    `To: ${to}`,
    'Call-ID: call-1@192.0.2.1',
    `CSeq: ${cseq} ${method}`,
    ...lines,
  ]);
}

/** A torture message and what has to come of it; described in test/vectors/README.md. */
export interface TortureVector {
  readonly suite: string;
  readonly name: string;
  readonly text: string;
  readonly kind: 'request' | 'response' | 'none';
  readonly valid: boolean;
  readonly layer: 'framing' | 'parse' | 'message' | 'transaction' | 'dialog' | 'core' | 'application' | 'none';
  readonly outcome: 'deliver' | 'answer' | 'drop';
  readonly status: number | null;
  readonly anyOf?: readonly number[];
  readonly liberal?: boolean;
  readonly roundTrip: boolean;
  readonly messageSizeBytes?: number;
  readonly onStream?: 'wait' | 'close' | 'two-messages';
  readonly why: string;
}

/** The torture messages of RFC 4475 and RFC 5118 that lie below test/vectors/sip. */
export function tortureVectors(): readonly TortureVector[] {
  return ['rfc4475', 'rfc5118'].flatMap((suite) => {
    const folder = `${VECTOR_FOLDER}sip/${suite}/`;
    const all = JSON.parse(readFileSync(`${folder}expectations.json`, 'utf8')) as Record<string, object>;
    return readdirSync(folder)
      .filter((file) => file.endsWith('.dat'))
      .map((file) => {
        const name = file.slice(0, -4);
        return { suite, name, text: readFileSync(folder + file, 'latin1'), ...all[name] } as TortureVector;
      });
  });
}

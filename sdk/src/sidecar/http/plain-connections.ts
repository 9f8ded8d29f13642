import type { Socket } from 'node:net';
import { STATUS_CODES } from 'node:http';
import type { Answer } from './answer.js';
import { readPlainRequest } from './plain-request.js';
import type { PlainRequest } from './plain-request.js';

/** An answer, and what is said with it. */
export interface PlainAnswer {
  readonly answer: Answer;
  readonly requestId: string;
  /** Whether the connection is given up. */
  readonly isLast: boolean;
}

/** What plain requests are answered by. */
export interface PlainHandler {
  /** Undefined for a request that is not for here; never rejects. */
  readonly answer: (request: PlainRequest, remoteAddress: string) => Promise<PlainAnswer> | undefined;
  readonly maxBodyBytes: number;
}

/** Connections on which nothing but plain requests has come so far. */
export interface PlainConnections {
  /** Takes a connection. @param handOver - has a whole parser go on with it, from its first unread octet */
  readonly take: (socket: Socket, handOver: () => void) => void;
  /** Ends those on which nothing is under way. */
  readonly closeIdle: () => void;
  readonly closeAll: () => void;
}

/** How long connections are kept. */
export interface PlainTimes {
  /** Without a request. */
  readonly keepAliveMs: number;
  /** For the rest of a body. */
  readonly bodyMs: number;
}

/** Beyond what the other side is told, so that no request meets a connection that is just being given up. */
const MARGIN_MS = 1_000;

/** Each piece has the head looked at again: a body that drips in is the whole parser's. */
const MAX_PIECES = 8;

interface Connection {
  readonly socket: Socket;
  readonly remoteAddress: string;
  readonly handOver: () => void;
  /** What came and was not answered yet. */
  octets: Buffer | undefined;
  /** In how many pieces that came. */
  pieces: number;
  isBusy: boolean;
  /** The other side sends no more. */
  hasEnded: boolean;
  /** Given to a whole parser. */
  isGone: boolean;
  /** Nothing more is answered: the process ends. */
  isClosing: boolean;
}

/**
 * Answers plain requests without what makes HTTP slow: a request object, a response object and their streams take longer than a signature does. The
 * first request that is anything else takes its connection to the whole parser, for good.
 * @param handler - answers requests
 * @param times - how long connections are kept
 * @returns where connections are given to
 */
export function createPlainConnections(handler: PlainHandler, times: PlainTimes): PlainConnections {
  const connections = new Set<Connection>();
  return {
    take(socket, handOver) {
      const remoteAddress = socket.remoteAddress ?? 'unknown';
      const connection: Connection = {
        ...{ socket, remoteAddress, octets: undefined, pieces: 0 },
        ...{ isBusy: false, hasEnded: false, isGone: false, isClosing: false },
        handOver: () => {
          connections.delete(connection);
          givenUp(connection, listeners);
          handOver();
        },
      };
      const listeners = listenersOf(connection, { handler, times, connections });
      connections.add(connection);
      socket.setTimeout(times.keepAliveMs + MARGIN_MS);
      for (const [event, listener] of listeners) socket.on(event, listener);
    },
    closeIdle() {
      for (const connection of connections) {
        const { socket, isBusy, isClosing, octets } = connection;
        if (isBusy || isClosing || octets !== undefined) continue;
        connection.isClosing = true;
        socket.destroySoon();
      }
    },
    closeAll() {
      for (const { socket } of connections) socket.destroy();
    },
  };
}

type Listeners = readonly (readonly [event: string, listener: (chunk: Buffer) => void])[];

interface Surroundings {
  readonly handler: PlainHandler;
  readonly times: PlainTimes;
  readonly connections: Set<Connection>;
}

function listenersOf(connection: Connection, { handler, times, connections }: Surroundings): Listeners {
  const { socket } = connection;
  return [
    [
      'data',
      (chunk: Buffer) => {
        if (connection.isClosing) return;
        connection.octets = connection.octets === undefined ? chunk : Buffer.concat([connection.octets, chunk]);
        connection.pieces += 1;
        if (connection.isBusy) socket.pause();
        else work(connection, { handler, times });
      },
    ],
    [
      'end',
      () => {
        connection.hasEnded = true;
        if (!connection.isBusy) socket.end();
      },
    ],
    ['timeout', () => void socket.destroy()],
    ['error', () => void socket.destroy()],
    ['close', () => void connections.delete(connection)],
  ];
}

/** Takes all listeners off, and puts back what was not read. */
function givenUp(connection: Connection, listeners: Listeners): void {
  const { socket, octets } = connection;
  connection.isGone = true;
  socket.setTimeout(0);
  for (const [event, listener] of listeners) socket.off(event, listener);
  socket.pause();
  if (octets !== undefined) socket.unshift(octets);
  // The parser listens by then.
  process.nextTick(() => socket.resume());
}

type Means = Pick<Surroundings, 'handler' | 'times'>;

/** Looks at what has come, and answers it where it is a whole plain request. */
function work(connection: Connection, { handler, times }: Means): void {
  const { socket, octets } = connection;
  if (octets === undefined) return;
  const read = readPlainRequest(octets, handler.maxBodyBytes);
  if (read.status === 'partial' && connection.pieces < MAX_PIECES) {
    socket.setTimeout(times.bodyMs);
    return;
  }
  const answer = read.status === 'read' ? handler.answer(read.request, connection.remoteAddress) : undefined;
  if (answer === undefined) {
    connection.handOver();
    return;
  }
  if (connection.pieces > 1) socket.setTimeout(times.keepAliveMs + MARGIN_MS);
  connection.octets = undefined;
  connection.pieces = 0;
  connection.isBusy = true;
  void answer.then((given) => send(connection, given, { handler, times }));
}

function send(connection: Connection, given: PlainAnswer, means: Means): void {
  const { socket } = connection;
  if (socket.destroyed) return;
  const isLast = given.isLast || connection.hasEnded;
  const { body } = given.answer;
  const octets = Buffer.byteLength(body);
  const text = headOf(given, { octets, isLast, keepAliveMs: means.times.keepAliveMs }) + body;
  const isTaken = socket.write(text, octets === body.length ? 'latin1' : 'utf8');
  if (isLast) socket.destroySoon();
  else if (isTaken) goOn(connection, means);
  else socket.once('drain', () => goOn(connection, means));
}

function goOn(connection: Connection, means: Means): void {
  connection.isBusy = false;
  if (connection.octets === undefined) {
    if (connection.hasEnded) connection.socket.end();
    return;
  }
  work(connection, means);
  if (!connection.isGone) connection.socket.resume();
}

function headOf(
  { answer: { status, contentType, headers }, requestId }: PlainAnswer,
  { octets, isLast, keepAliveMs }: { readonly octets: number; readonly isLast: boolean; readonly keepAliveMs: number },
): string {
  let head = `HTTP/1.1 ${String(status)} ${STATUS_CODES[status] ?? ''}\r\nContent-Type: ${contentType}\r\nContent-Length: ${String(octets)}\r\nX-RequestID: ${requestId}\r\n`;
  if (headers !== undefined)
    for (let at = 0; at + 1 < headers.length; at += 2) head += `${headers[at] ?? ''}: ${headers[at + 1] ?? ''}\r\n`;
  const connection = isLast ? 'close' : `keep-alive\r\nKeep-Alive: timeout=${String(keepAliveMs / 1_000)}`;
  return `${head}Date: ${date()}\r\nConnection: ${connection}\r\n\r\n`;
}

let dateText = '';
let dateSecond = 0;

/** Written once a second. */
function date(): string {
  const second = Math.floor(Date.now() / 1_000);
  if (second !== dateSecond) {
    dateSecond = second;
    dateText = new Date(second * 1_000).toUTCString();
  }
  return dateText;
}

import { readFile } from 'node:fs/promises';
import { STATUS_CODES, createServer } from 'node:http';
import type { RequestListener, Server } from 'node:http';
import { createServer as createTlsServer } from 'node:https';
import type { Server as TlsServer, ServerOptions } from 'node:https';
import { Server as NetServer } from 'node:net';
import type { AddressInfo, Socket } from 'node:net';
import { createSecureContext } from 'node:tls';
import { every, schedule } from '../../core/runtime/clock.js';
import { HopbackError } from '../../errors.js';
import type { ListenerConfiguration } from '../config/configuration.schema.js';
import { causeText, pathFrom } from '../services/files.js';
import type { Answer } from './call-context.js';

/** A request in the plainest form of HTTP/1.1, which is what clients that keep a connection send: nothing in it can be read in two ways. */
interface PlainRequest {
  readonly path: string;
  /** Behind the question mark. */
  readonly query: string;
  /** Those of {@link HEARD}, in lower case. */
  readonly headers: Readonly<Partial<Record<HeardHeader, string>>>;
  readonly body: Buffer;
}

/** What was read. */
type PlainRead =
  | { readonly status: 'read'; readonly request: PlainRequest }
  /** The head is there, the body not yet. */
  | { readonly status: 'partial' }
  /** Anything else: for a whole parser. */
  | { readonly status: 'other' };

type HeardHeader = 'accept' | 'authorization' | 'content-type' | 'x-request-id' | 'x-requestid';

/** Header fields that an answer depends on. */
const HEARD: ReadonlySet<string> = new Set<HeardHeader>([
  'accept',
  'authorization',
  'content-type',
  'x-request-id',
  'x-requestid',
]);
/** Header fields that change how a message is read, or what becomes of its connection. @see RFC 9110 section 7.6, RFC 9112 section 6 */
const GOVERNING: ReadonlySet<string> = new Set([
  'expect',
  'te',
  'trailer',
  'transfer-encoding',
  'upgrade',
  'content-encoding',
]);
/** A head of a switch has some two hundred octets, one with a token some eight hundred. */
const MAX_HEAD_BYTES = 4_096;

const POST = Buffer.from('POST /', 'latin1');
const END_OF_HEAD = Buffer.from('\r\n\r\n', 'latin1');
/** Visible characters alone, and exactly the one version that keeps connections by itself. */
const REQUEST_LINE = /^POST (\/[\x21-\x7e]*) HTTP\/1\.1$/;
/** No space before the colon, no folded line, no control character. @see RFC 9112 section 5.1 */
const FIELD_LINE = /^([A-Za-z0-9-]+):([\t\x20-\x7e]*)$/;
const LENGTH = /^[1-9]\d{0,7}$/;

/**
 * Reads a POST whose octets allow one reading only, and leaves everything else to a whole parser: other methods and versions, header fields that
 * change how a message is read, any of those that count twice, octets behind the body.
 * @param octets - all that came since the last request
 * @param maxBodyBytes - a larger body is something else
 * @returns the request, or why it is none; never throws for peer input
 * @see RFC 9112
 */
export function readPlainRequest(octets: Buffer, maxBodyBytes: number): PlainRead {
  if (octets.compare(POST, 0, POST.length, 0, Math.min(POST.length, octets.length)) !== 0) return OTHER;
  const headEnd = octets.subarray(0, MAX_HEAD_BYTES).indexOf(END_OF_HEAD);
  if (headEnd < 0) return OTHER;
  const lines = octets.toString('latin1', 0, headEnd).split('\r\n');
  const target = REQUEST_LINE.exec(lines[0] ?? '')?.[1];
  const fields = target === undefined ? undefined : readFields(lines);
  if (target === undefined || fields === undefined || fields.length > maxBodyBytes) return OTHER;
  const bodyStart = headEnd + END_OF_HEAD.length;
  const missing = bodyStart + fields.length - octets.length;
  if (missing !== 0) return missing > 0 ? PARTIAL : OTHER;
  const at = target.indexOf('?');
  return {
    status: 'read',
    request: {
      path: at < 0 ? target : target.slice(0, at),
      query: at < 0 ? '' : target.slice(at + 1),
      headers: fields.heard,
      body: octets.subarray(bodyStart),
    },
  };
}

const OTHER: PlainRead = { status: 'other' };
const PARTIAL: PlainRead = { status: 'partial' };

interface Fields {
  /** Octets of the body. */
  readonly length: number;
  readonly heard: PlainRequest['headers'];
}

/** Undefined where one of them makes the message anything but plain. */
function readFields(lines: readonly string[]): Fields | undefined {
  const heard: Partial<Record<string, string>> = {};
  let length: number | undefined;
  let hosts = 0;
  for (let index = 1; index < lines.length; index += 1) {
    const [, name, written] = FIELD_LINE.exec(lines[index] ?? '') ?? [];
    if (name === undefined || written === undefined) return undefined;
    const value = written.trim();
    const field = name.toLowerCase();
    if (field === 'content-length') {
      if (length !== undefined || !LENGTH.test(value)) return undefined;
      length = Number(value);
    } else if (field === 'host') {
      hosts += 1;
    } else if (field === 'connection') {
      if (value.toLowerCase() !== 'keep-alive') return undefined;
    } else if (HEARD.has(field)) {
      if (heard[field] !== undefined) return undefined;
      heard[field] = value;
    } else if (GOVERNING.has(field)) {
      return undefined;
    }
  }
  return length === undefined || hosts !== 1 ? undefined : { length, heard };
}

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

/** Longer than the seconds for which load balancers and switches keep a connection: they end it, so that no request meets one that closes. */
const KEEP_ALIVE_MS = 75_000;
/** For the header of a request: whoever needs longer is no switch. */
const HEADERS_MS = 10_000;
/** Beyond what the other side is told, so that no request meets a connection that is just being given up. */
const MARGIN_MS = 1_000;

/** Each piece has the head looked at again: a body that drips in is the whole parser's. */
const MAX_PIECES = 8;

/**
 * A connection on which nothing but plain requests has come so far. It answers them without what makes HTTP slow: a request object, a response
 * object and their streams take longer than a signature does. The first request that is anything else takes it to the whole parser, for good.
 */
class PlainConnection {
  private readonly socket: Socket;
  private readonly remoteAddress: string;
  private readonly handler: PlainHandler;
  private readonly giveUp: () => void;
  private readonly listeners: readonly (readonly [event: string, listener: (chunk: Buffer) => void])[];
  /** What came and was not answered yet, and in how many pieces. */
  private octets: Buffer | undefined;
  private pieces = 0;
  private isBusy = false;
  /** The other side sends no more. */
  private hasEnded = false;
  /** Given to a whole parser. */
  private isGone = false;
  /** Nothing more is answered: the process ends. */
  private isClosing = false;

  /**
   * @param forget - is called when the connection is closed, or given up
   * @param parse - has a whole parser go on with it, from its first unread octet
   */
  constructor(socket: Socket, handler: PlainHandler, forget: (one: PlainConnection) => void, parse: () => void) {
    this.socket = socket;
    this.remoteAddress = socket.remoteAddress ?? 'unknown';
    this.handler = handler;
    this.giveUp = () => {
      forget(this);
      this.release();
      parse();
    };
    this.listeners = [
      ['data', (chunk) => this.take(chunk)],
      ['end', () => this.end()],
      ['timeout', () => void socket.destroy()],
      ['error', () => void socket.destroy()],
      ['close', () => forget(this)],
    ];
    socket.setTimeout(KEEP_ALIVE_MS + MARGIN_MS);
    for (const [event, listener] of this.listeners) socket.on(event, listener);
  }

  /** Ends it where nothing is under way. */
  closeIdle(): void {
    if (this.isBusy || this.isClosing || this.octets !== undefined) return;
    this.isClosing = true;
    this.socket.destroySoon();
  }

  destroy(): void {
    this.socket.destroy();
  }

  private take(chunk: Buffer): void {
    if (this.isClosing) return;
    this.octets = this.octets === undefined ? chunk : Buffer.concat([this.octets, chunk]);
    this.pieces += 1;
    if (this.isBusy) this.socket.pause();
    else this.work(this.octets);
  }

  private end(): void {
    this.hasEnded = true;
    if (!this.isBusy) this.socket.end();
  }

  /** Takes all listeners off, and puts back what was not read. */
  private release(): void {
    const { socket, octets } = this;
    this.isGone = true;
    socket.setTimeout(0);
    for (const [event, listener] of this.listeners) socket.off(event, listener);
    socket.pause();
    if (octets !== undefined) socket.unshift(octets);
    // The parser listens by then.
    process.nextTick(() => socket.resume());
  }

  /** Looks at what has come, and answers it where it is a whole plain request. */
  private work(octets: Buffer): void {
    const { socket, handler } = this;
    const read = readPlainRequest(octets, handler.maxBodyBytes);
    if (read.status === 'partial' && this.pieces < MAX_PIECES) {
      socket.setTimeout(HEADERS_MS);
      return;
    }
    const answer = read.status === 'read' ? handler.answer(read.request, this.remoteAddress) : undefined;
    if (answer === undefined) {
      this.giveUp();
      return;
    }
    if (this.pieces > 1) socket.setTimeout(KEEP_ALIVE_MS + MARGIN_MS);
    this.octets = undefined;
    this.pieces = 0;
    this.isBusy = true;
    void answer.then((given) => this.send(given));
  }

  private send(given: PlainAnswer): void {
    const { socket } = this;
    if (socket.destroyed) return;
    const isLast = given.isLast || this.hasEnded;
    const { body } = given.answer;
    const octets = Buffer.byteLength(body);
    const isTaken = socket.write(headOf(given, octets, isLast) + body, octets === body.length ? 'latin1' : 'utf8');
    if (isLast) socket.destroySoon();
    else if (isTaken) this.goOn();
    else socket.once('drain', () => this.goOn());
  }

  private goOn(): void {
    this.isBusy = false;
    if (this.octets !== undefined) {
      this.work(this.octets);
      if (!this.isGone) this.socket.resume();
    } else if (this.hasEnded) this.socket.end();
  }
}

function headOf(
  { answer: { status, contentType, headers }, requestId }: PlainAnswer,
  octets: number,
  isLast: boolean,
): string {
  let head = `HTTP/1.1 ${String(status)} ${STATUS_CODES[status] ?? ''}\r\nContent-Type: ${contentType}\r\nContent-Length: ${String(octets)}\r\nX-RequestID: ${requestId}\r\n`;
  if (headers !== undefined)
    for (let at = 0; at + 1 < headers.length; at += 2) head += `${headers[at] ?? ''}: ${headers[at + 1] ?? ''}\r\n`;
  const connection = isLast ? 'close' : `keep-alive\r\nKeep-Alive: timeout=${String(KEEP_ALIVE_MS / 1_000)}`;
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

/** One address that is listened at. */
export type Listener = Awaited<ReturnType<typeof listen>>;

/** For a whole request, a large batch of records over a slow line included. */
const REQUEST_MS = 120_000;

/**
 * Listens.
 * @param configuration - where
 * @param directory - that its paths begin at
 * @returns the listener, once it listens
 * @throws {@link HopbackError} `invalid-configuration` when the certificate cannot be used, `unavailable` when the address cannot be bound
 */
export async function listen(
  configuration: ListenerConfiguration,
  directory: string,
  handler: RequestListener,
  plain?: PlainHandler,
) {
  const { host, port, tls } = configuration;
  const timeouts = { keepAliveTimeout: KEEP_ALIVE_MS, headersTimeout: HEADERS_MS, requestTimeout: REQUEST_MS };
  const server: Server | TlsServer =
    tls === undefined
      ? createServer({ ...timeouts, noDelay: true }, handler)
      : createTlsServer(
          { ...timeouts, noDelay: true, handshakeTimeout: HEADERS_MS, ...(await usableTls(tls, directory)) },
          handler,
        );
  server.maxRequestsPerSocket = 0;
  const connections =
    plain === undefined
      ? new Set<never>()
      : takePlain(server, plain, tls === undefined ? 'connection' : 'secureConnection');
  await listening(server, host, port);
  const address = server.address() as AddressInfo;
  return {
    host,
    port: address.port,
    isTls: tls !== undefined,
    /** Files of its certificate. */
    files: tls === undefined ? [] : filesOf(tls).map((path) => pathFrom(directory, path)),
    /**
     * Reads the certificate and key anew; connections that are there stay.
     * @returns puts them in force
     * @throws {@link HopbackError} when they cannot be used
     */
    async prepare(): Promise<() => void> {
      if (tls === undefined || !('setSecureContext' in server)) return () => undefined;
      const next = await usableTls(tls, directory);
      return () => server.setSecureContext(next);
    },
    /** Takes no more connections, lets requests under way end, and closes what is left after the time. */
    close: (drainMs: number) => closed(server, connections, drainMs),
  };
}

const filesOf = ({ certificate, key, clientCa }: NonNullable<ListenerConfiguration['tls']>): readonly string[] =>
  clientCa === undefined ? [certificate, key] : [certificate, key, clientCa];

/**
 * Reads the files of a TLS listener and tries them out.
 * @throws {@link HopbackError} `invalid-configuration` when they cannot be used
 */
export async function usableTls(
  tls: NonNullable<ListenerConfiguration['tls']>,
  directory: string,
): Promise<Awaited<ReturnType<typeof tlsOptions>>> {
  const options = await tlsOptions(tls, directory);
  try {
    createSecureContext(options);
  } catch (cause) {
    throw unusable(causeText(cause), cause);
  }
  return options;
}

async function tlsOptions(
  tls: NonNullable<ListenerConfiguration['tls']>,
  directory: string,
): Promise<Pick<ServerOptions, 'cert' | 'key' | 'ca' | 'requestCert' | 'rejectUnauthorized' | 'minVersion'>> {
  const [cert, key, ca] = await Promise.all(
    filesOf(tls).map((path) =>
      readFile(pathFrom(directory, path)).catch((cause: unknown) => {
        throw unusable(`${path} cannot be read`, cause);
      }),
    ),
  );
  if (cert === undefined || key === undefined) throw unusable('no certificate', undefined);
  const own = { cert, key, minVersion: 'TLSv1.2' } as const;
  return ca === undefined ? own : { ...own, ca, requestCert: true, rejectUnauthorized: true };
}

const unusable = (detail: string, cause: unknown): HopbackError =>
  new HopbackError('invalid-configuration', `the TLS certificate of a listener cannot be used: ${detail}`, { cause });

function listening(server: Server | TlsServer, host: string, port: number): Promise<void> {
  return new Promise((resolve, reject) => {
    const fail = (cause: Error): void =>
      reject(
        new HopbackError('unavailable', `cannot listen on ${host} port ${String(port)}: ${cause.message}`, {
          cause,
          retryable: true,
        }),
      );
    server.once('error', fail);
    server.listen({ host, port }, () => {
      server.off('error', fail);
      // From here on an error is one of a single connection that could not be accepted, such as for want of descriptors: others can.
      server.on('error', () => undefined);
      resolve();
    });
  });
}

/** Connections begin with plain requests; Node's parser gets those on which anything else comes. */
function takePlain(
  server: Server | TlsServer,
  plain: PlainHandler,
  event: 'connection' | 'secureConnection',
): ReadonlySet<PlainConnection> {
  const connections = new Set<PlainConnection>();
  const forget = (connection: PlainConnection): void => void connections.delete(connection);
  const parsers = server.listeners(event) as ((this: typeof server, socket: Socket) => void)[];
  server.removeAllListeners(event);
  server.on(event, (socket: Socket) => {
    const parse = (): void => parsers.forEach((parser) => parser.call(server, socket));
    connections.add(new PlainConnection(socket, plain, forget, parse));
  });
  return connections;
}

/**
 * New connections are refused at once. Those that are there are told with their next answer; those on which none is asked for are ended once
 * they have had the time for it, since a request that is on its way to an end that closes is lost.
 */
function closed(server: Server | TlsServer, connections: ReadonlySet<PlainConnection>, drainMs: number): Promise<void> {
  return new Promise((resolve) => {
    const closeIdle = (): void => {
      for (const connection of connections) connection.closeIdle();
      server.closeIdleConnections();
    };
    let endIdle = (): void => undefined;
    const cancelNotice = schedule(
      () => {
        closeIdle();
        // A connection is idle as soon as its answer has gone out, which nobody tells.
        endIdle = every(closeIdle, IDLE_CHECK_MS);
      },
      Math.min(NOTICE_MS, drainMs / 2),
    );
    const cancelEnd = schedule(() => {
      for (const connection of connections) connection.destroy();
      server.closeAllConnections();
    }, drainMs);
    // That of http.Server would end idle connections now.
    NetServer.prototype.close.call(server, () => {
      for (const cancel of [cancelEnd, cancelNotice, endIdle]) cancel();
      // Stops its looking at connections; that it is closed already is no news.
      server.close(() => undefined);
      resolve();
    });
  });
}

/** In which a connection of a switch that is in use sees another request. */
const NOTICE_MS = 1_000;
const IDLE_CHECK_MS = 50;

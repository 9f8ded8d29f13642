import { once } from 'node:events';
import { connect } from 'node:net';
import type { Controlled } from './drachtio-app.js';
import { createInbox } from './drachtio-inbox.js';

/** A frame from the server, one character per octet. */
export interface Frame {
  /** The length that it was announced with. */
  readonly length: number;
  readonly payload: string;
  /** The first line, split at `|`. */
  readonly tokens: readonly string[];
  /** What follows the first line; empty where nothing does. */
  readonly sip: string;
}

export type RawApp = Awaited<ReturnType<typeof connectRawApp>>;

/** Settings of {@link connectRawApp}. */
export interface RawAppOptions {
  /** Default true. */
  readonly isAuthenticated?: boolean;
  readonly routes?: readonly string[];
}

/** A frame as it goes over the connection. */
export function frameOf(payload: string): string {
  return `${payload.length}#${payload}`;
}

/** The octets of a text in UTF-8, one character each. */
export function octetsOf(text: string): string {
  return Buffer.from(text, 'utf8').toString('latin1');
}

/** Connects an application that writes the control protocol itself; by default it also authenticates. */
export async function connectRawApp({ control }: Controlled, options: RawAppOptions = {}) {
  const socket = connect({ port: control.port, host: control.host });
  await once(socket, 'connect');
  const frames = createInbox<Frame>((frame) => frame.payload.slice(0, 200));
  let pending = '';
  socket.on('data', (octets: Buffer) => {
    pending += octets.toString('latin1');
    for (let frame = takeFrame(pending); frame !== undefined; frame = takeFrame(pending)) {
      pending = pending.slice(`${frame.length}#`.length + frame.length);
      frames.push(frame);
    }
  });
  socket.on('error', () => undefined);
  const closed = new Promise<void>((resolve) => void socket.once('close', () => resolve()));
  let count = 0;
  /** Writes a frame: `<id>|<rest>`, and after a line end the SIP part. Returns the id. */
  const send = (rest: string, sip?: string): string => {
    count += 1;
    const id = `m${count}`;
    socket.write(frameOf(`${id}|${rest}${sip === undefined ? '' : `\r\n${sip}`}`), 'latin1');
    return id;
  };
  const answer = (id: string): Promise<Frame> =>
    frames.next(`answer to ${id}`, ({ tokens }) => tokens[1] === 'response' && tokens[2] === id);
  const close = async (): Promise<void> => {
    socket.destroy();
    await closed;
  };
  const app = {
    ...{ send, answer, closed, close, untaken: frames.untaken, [Symbol.asyncDispose]: close },
    /** Writes octets, one character each, as they are. */
    write: (octets: string): void => void socket.write(octets, 'latin1'),
    ask: (rest: string, sip?: string): Promise<Frame> => answer(send(rest, sip)),
    /** The next frame of a type: `sip`, `cdr:start`, … */
    next: (type: string, matches: (frame: Frame) => boolean = () => true): Promise<Frame> =>
      frames.next(`${type} frame`, (frame) => frame.tokens[1] === type && matches(frame)),
  };
  if (options.isAuthenticated ?? true) await app.ask(`authenticate|${control.secret}|`);
  for (const verb of options.routes ?? []) await app.ask(`route|${verb}`);
  return app;
}

function takeFrame(octets: string): Frame | undefined {
  const hash = octets.indexOf('#');
  if (hash < 0) return undefined;
  const length = Number(octets.slice(0, hash));
  if (octets.length < hash + 1 + length) return undefined;
  const payload = octets.slice(hash + 1, hash + 1 + length);
  const lineEnd = payload.indexOf('\r\n');
  const line = lineEnd < 0 ? payload : payload.slice(0, lineEnd);
  return { length, payload, tokens: line.split('|'), sip: lineEnd < 0 ? '' : payload.slice(lineEnd + 2) };
}

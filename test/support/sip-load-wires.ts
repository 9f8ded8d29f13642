import { isUtf8 } from 'node:buffer';
import { createSocket } from 'node:dgram';
import { once } from 'node:events';
import { connect, type Socket } from 'node:net';
import { WebSocket } from 'ws';
import type { SeededRandom } from '../../harness/src/faults/index.js';

/** Where everything happens. */
export const LOOPBACK = '127.0.0.1';

/** As much as the kernel gives. */
const BUFFER_BYTES = 4 * 1_048_576;

/** Opens a UDP socket that sends what it is told, one character per octet, and hands on what it hears. */
export async function openDatagramWire(port: number, onText: (text: string) => void = ignore) {
  const socket = createSocket({ type: 'udp4', recvBufferSize: BUFFER_BYTES, sendBufferSize: BUFFER_BYTES });
  let heard = 0;
  socket.on('message', (octets) => {
    heard += 1;
    onText(octets.toString('latin1'));
  });
  socket.bind(0, LOOPBACK);
  await once(socket, 'listening');
  return {
    port: socket.address().port,
    send: (text: string): void => socket.send(Buffer.from(text, 'latin1'), port, LOOPBACK, ignore),
    /** How many datagrams came back. */
    heard: (): number => heard,
    [Symbol.asyncDispose]: async (): Promise<void> => {
      socket.close();
      await once(socket, 'close');
    },
  };
}

/** Cuts octets into 1 to `most` pieces. */
export function pieces(random: SeededRandom, text: string, most: number): readonly string[] {
  const cuts = Array.from({ length: random.int(most) }, () => random.int(text.length + 1)).toSorted((a, b) => a - b);
  return [...cuts, text.length].map((end, index) => text.slice(index === 0 ? 0 : cuts[index - 1], end));
}

/**
 * Sends pieces by a TCP connection of their own, each as soon as the one before has left, and ends it.
 * @returns octets that came back, when the other side has closed
 */
export async function sendStream(port: number, chunks: readonly string[]): Promise<number> {
  const socket = connect(port, LOOPBACK);
  const closed = closing(socket);
  let heard = 0;
  socket.on('data', ({ length }: Buffer) => (heard += length));
  for (const chunk of chunks) {
    if (socket.destroyed || !socket.writable) break;
    await new Promise((resolve) => void socket.write(chunk, 'latin1', resolve));
  }
  socket.end();
  await closed;
  return heard;
}

/**
 * Sends messages as frames of a WebSocket, and last something that is no frame at all.
 * @returns when the other side has closed
 */
export async function sendFrames(port: number, texts: readonly string[], rubbish: string): Promise<void> {
  const socket = new WebSocket(`ws://${LOOPBACK}:${port}`, 'sip');
  let raw: Socket | undefined;
  socket.on('upgrade', (response) => {
    raw = response.socket;
  });
  socket.on('error', ignore);
  const closed = once(socket, 'close');
  await once(socket, 'open');
  for (const text of texts) {
    const octets = Buffer.from(text, 'latin1');
    await new Promise((resolve) => {
      socket.send(octets, { binary: !isUtf8(octets) }, resolve);
    });
  }
  raw?.write(rubbish, 'latin1');
  raw?.end();
  await closed;
}

/** Waits for the end of a socket, whatever the end is. */
export async function closing(socket: Socket): Promise<void> {
  socket.on('error', ignore);
  if (!socket.closed) await new Promise<void>((resolve) => void socket.once('close', () => resolve()));
}

/** For what does not matter. */
export function ignore(): void {
  // Lost, or reset by the other side: both are what is expected here.
}

/** The beginning of an INVITE of a peer that means harm. */
export const HOSTILE_INVITE = [
  'INVITE sip:app@127.0.0.1 SIP/2.0',
  'Via: SIP/2.0/TCP 127.0.0.1:9;branch=z9hG4bKhostile',
  'From: <sip:hostile@127.0.0.1>;tag=h',
  'To: <sip:app@127.0.0.1>',
  'Call-ID: hostile',
  'CSeq: 1 INVITE',
  'Contact: <sip:hostile@127.0.0.1:9;transport=tcp>',
].join('\r\n');

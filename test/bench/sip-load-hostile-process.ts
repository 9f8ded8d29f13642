import { connect, type Socket } from 'node:net';
import { createInterface } from 'node:readline';
import { setTimeout as sleep } from 'node:timers/promises';
import { HOSTILE_INVITE } from '../support/sip-load-wires.js';

// Peers that mean harm, against a TCP port: `sip-load-hostile-process.ts PORT SILENT SLOW`. Silent ones say nothing; slow ones send an
// octet a second of an INVITE; one sends a header that never ends, one announces 2^31 octets of body. Whoever is cut off comes back a
// second later. Says `ready` when all are connected, and what has become of them when it is sent a line.

const [port = 0, silentCount = 0, slowCount = 0] = process.argv.slice(2).map(Number);
const HOST = '127.0.0.1';
const SECOND_MS = 1_000;
/** A connection is attempted so often, so that the kernel's queue of them has room. */
const CONNECTIONS_AT_A_TIME = 50;

const story = {
  silent: { open: 0, cutOff: 0 },
  slow: { open: 0, cutOff: 0 },
  endlessHeader: { cutOff: 0, octets: 0 },
  hugeBody: { cutOff: 0, told: '' },
};

/** Connects; `onEnd` is called when the server has ended the connection. */
function open(onOpen: (socket: Socket) => void, onEnd: () => void): void {
  const socket = connect(port, HOST);
  socket.on('error', () => undefined);
  socket.once('connect', () => onOpen(socket));
  socket.once('close', onEnd);
}

/** Keeps one peer connected, and counts. */
function keep(counts: { open: number; cutOff: number }, behave: (socket: Socket) => void): void {
  let isOpen = false;
  open(
    (socket) => {
      isOpen = true;
      counts.open += 1;
      behave(socket);
    },
    () => {
      if (isOpen) {
        counts.open -= 1;
        counts.cutOff += 1;
      }
      setTimeout(() => keep(counts, behave), SECOND_MS);
    },
  );
}

/** An octet a second, without an end: first the header fields, then one that goes on and on. */
function trickle(socket: Socket): void {
  socket.resume();
  let at = 0;
  const timer = setInterval(() => {
    socket.write(at < HOSTILE_INVITE.length ? HOSTILE_INVITE.charAt(at) : 'x');
    at += 1;
  }, SECOND_MS);
  socket.once('close', () => clearInterval(timer));
}

function endlessHeader(): void {
  open(
    (socket) => {
      socket.resume();
      socket.write(`${HOSTILE_INVITE}\r\n`);
      const timer = setInterval(() => {
        const line = `X-More: ${'x'.repeat(1_000)}\r\n`;
        socket.write(line);
        story.endlessHeader.octets += line.length;
      }, 10);
      socket.once('close', () => clearInterval(timer));
    },
    () => {
      story.endlessHeader.cutOff += 1;
      setTimeout(endlessHeader, SECOND_MS);
    },
  );
}

function hugeBody(): void {
  open(
    (socket) => {
      socket.on('data', (octets: Buffer) => {
        story.hugeBody.told = octets.toString('latin1').slice(8, 11);
      });
      socket.write(`${HOSTILE_INVITE}\r\nContent-Length: ${2 ** 31}\r\n\r\n${'x'.repeat(1_000_000)}`);
    },
    () => {
      story.hugeBody.cutOff += 1;
      setTimeout(hugeBody, SECOND_MS);
    },
  );
}

for (let count = 0; count < Math.max(silentCount, slowCount); count += 1) {
  if (count < silentCount) keep(story.silent, (socket) => void socket.resume());
  if (count < slowCount) keep(story.slow, trickle);
  if (count % CONNECTIONS_AT_A_TIME === 0) await sleep(20);
}
endlessHeader();
hugeBody();
while (story.silent.open < silentCount || story.slow.open < slowCount) await sleep(20);
process.stdout.write('ready\n');
createInterface({ input: process.stdin }).on('line', () => process.stdout.write(`${JSON.stringify(story)}\n`));

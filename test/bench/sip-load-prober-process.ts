import { createSocket } from 'node:dgram';
import { once } from 'node:events';
import { connect } from 'node:net';
import { setPriority } from 'node:os';
import { createInterface } from 'node:readline';
import { setTimeout as sleep } from 'node:timers/promises';
import { WebSocket } from 'ws';
import { durations } from './bench.js';

// Asks a server with OPTIONS every 20 ms, by UDP, TCP and WebSocket in turn: `sip-load-prober-process.ts UDP_PORT TCP_PORT WS_PORT`.
// Says `ready` when each has been answered; begins when it is sent `begin`, and says how long the answers took when it is sent `stop`.

const [udpPort = 0, tcpPort = 0, wsPort = 0] = process.argv.slice(2).map(Number);
const HOST = '127.0.0.1';
const EVERY_MS = 20;
/** A datagram is sent again after T1, and the answer counts from the first. @see RFC 3261 section 17.1.2.2 */
const T1_MS = 500;
const PROBER_NICENESS = -15;
/** What is not answered by then is not answered. */
const PATIENCE_MS = 5_000;

try {
  // What is measured is how long the server takes, not how long the prober waits for a processor to hear the answer.
  setPriority(PROBER_NICENESS);
} catch {
  // Only root may.
}

let took = durations();
let late = durations();
const waiting = new Map<string, { readonly sentMs: number; readonly repeat: NodeJS.Timeout | undefined }>();
let wrong: string[] = [];
let count = 0;

function hear(text: string): void {
  for (const [, status = '', id = ''] of text.matchAll(/SIP\/2\.0 (\d{3})[^]*?call-id:[ ]*(probe-\d+)/gi)) {
    const one = waiting.get(id);
    if (one === undefined) continue;
    waiting.delete(id);
    clearTimeout(one.repeat);
    took.record(performance.now() - one.sentMs);
    if (status !== '200') wrong.push(status);
  }
}

function optionsOf(transport: string, id: string): string {
  return [
    `OPTIONS sip:probe@${HOST} SIP/2.0`,
    `Via: SIP/2.0/${transport} ${HOST}:9;rport;branch=z9hG4bK-${id}`,
    'Max-Forwards: 70',
    `From: <sip:prober@${HOST}>;tag=${id}`,
    `To: <sip:probe@${HOST}>`,
    `Call-ID: ${id}`,
    'CSeq: 1 OPTIONS',
    'Content-Length: 0',
    '',
    '',
  ].join('\r\n');
}

const udp = createSocket('udp4');
udp.on('message', (octets) => hear(octets.toString('latin1')));
udp.bind(0, HOST);
const tcp = connect({ port: tcpPort, host: HOST, noDelay: true });
tcp.on('data', (octets: Buffer) => hear(octets.toString('latin1')));
const ws = new WebSocket(`ws://${HOST}:${wsPort}`, 'sip');
ws.on('message', (data: Buffer) => hear(data.toString('latin1')));
await Promise.all([once(udp, 'listening'), once(tcp, 'connect'), once(ws, 'open')]);

const SEND: Readonly<Record<string, (text: string) => void>> = {
  UDP: (text) => udp.send(text, udpPort, HOST),
  TCP: (text) => void tcp.write(text),
  WS: (text) => ws.send(text),
};
const NAMES = Object.keys(SEND);

function ask(): void {
  count += 1;
  const transport = NAMES[count % NAMES.length] ?? 'UDP';
  const text = optionsOf(transport, `probe-${count}`);
  const again = (): NodeJS.Timeout | undefined =>
    transport === 'UDP' ? setTimeout(() => SEND['UDP']?.(text), T1_MS) : undefined;
  waiting.set(`probe-${count}`, { sentMs: performance.now(), repeat: again() });
  SEND[transport]?.(text);
}

/** Each transport is answered, and the application is there: what is told before does not count. */
async function warmUp(): Promise<void> {
  for (let answered = 0; answered < 50 * NAMES.length; answered += 1) {
    ask();
    while (waiting.size > 0) await sleep(1);
  }
}

await warmUp();
process.stdout.write('ready\n');
let timer: NodeJS.Timeout | undefined;
createInterface({ input: process.stdin }).on('line', (line) => {
  if (line === 'begin') begin();
  else void stop();
});

function begin(): void {
  took = durations();
  late = durations();
  wrong = [];
  let lastMs = performance.now();
  timer = setInterval(() => {
    const nowMs = performance.now();
    late.record(Math.max(0, nowMs - lastMs - EVERY_MS));
    lastMs = nowMs;
    ask();
  }, EVERY_MS);
}

async function stop(): Promise<void> {
  clearInterval(timer);
  const stopMs = performance.now();
  while (waiting.size > 0 && performance.now() - stopMs < PATIENCE_MS) await sleep(EVERY_MS);
  const result = { ...took.percentiles(), unanswered: waiting.size, wrong, lateMs: late.percentiles().max };
  process.stdout.write(`${JSON.stringify(result)}\n`);
}

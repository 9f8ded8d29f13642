/**
 * Asks a sidecar to verify calls that come when they come: due instants at random (exponential gaps), made beforehand, whatever becomes of earlier
 * requests. Gets port, file of calls, how many, how many a second; its one line says what came of them.
 */
import { readFile } from 'node:fs/promises';
import { connect, type Socket } from 'node:net';
import { setImmediate } from 'node:timers/promises';
import { SeededRandom } from '../../harness/src/faults/seeded-random.js';
import { durations } from './bench.js';

/** More than are ever under way at a time: a request that is due finds a connection that is free. */
const CONNECTIONS = 128;
const SEED = 20_261_128;
/** Of those behind the compiler's and the connections' first steps. */
const WARM_UP_REQUESTS = 2_000;

const [port = '0', path = '', count = '0', perSecond = '0'] = process.argv.slice(2);
const requests = await requestsOf(path, Number(count));
const random = new SeededRandom(SEED);
const free: Socket[] = [];
const dueOf = new Map<Socket, number>();
const latency = durations();
const late = durations();
let [answered, wrong] = [0, 0];

for (let index = 0; index < CONNECTIONS; index += 1) free.push(await connected());
let dueMs = performance.now() + 100;
for (const [index, request] of requests.entries()) {
  dueMs += (-Math.log(1 - random.next()) * 1_000) / Number(perSecond);
  while (performance.now() < dueMs) await setImmediate();
  const socket = free.pop() ?? (await connected());
  if (index >= WARM_UP_REQUESTS) late.record(performance.now() - dueMs);
  dueOf.set(socket, dueMs);
  socket.write(request);
}
while (answered < requests.length) await setImmediate();
process.stdout.write(
  `${JSON.stringify({ answered, wrong, ...latency.percentiles(), lateP99: late.percentiles().p99 })}\n`,
);
for (const socket of free) socket.destroy();

function connected(): Promise<Socket> {
  return new Promise((resolve, reject) => {
    const socket = connect({ port: Number(port), host: '127.0.0.1', noDelay: true }, () => resolve(socket));
    socket.on('error', reject);
    socket.on('data', (chunk) => {
      const due = dueOf.get(socket) ?? Number.NaN;
      answered += 1;
      // An answer is one small piece; another form of it is none of a good call.
      if (!chunk.includes('"verstat":"TN-Validation-Passed"')) wrong += 1;
      if (answered > WARM_UP_REQUESTS) latency.record(performance.now() - due);
      free.push(socket);
    });
  });
}

async function requestsOf(file: string, wanted: number): Promise<readonly Buffer[]> {
  const lines = (await readFile(file, 'latin1')).split('\n').slice(0, wanted);
  return lines.map((line) => {
    const [identity = '', from = '', to = ''] = line.split('\t');
    const verificationRequest = { identity, from: { tn: from }, to: { tn: [to] } };
    const body = JSON.stringify({ verificationRequest });
    const head = `POST /stir/v1/verification HTTP/1.1\r\nHost: 127.0.0.1:${port}\r\nContent-Type: application/json\r\n`;
    return Buffer.from(`${head}Content-Length: ${body.length}\r\n\r\n${body}`, 'latin1');
  });
}

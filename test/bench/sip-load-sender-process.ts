import { createInterface } from 'node:readline';
import { SeededRandom } from '../../harness/src/faults/index.js';
import { createMutantSource } from '../support/sip-load-mutants.js';
import { openDatagramWire, pieces, sendFrames, sendStream } from '../support/sip-load-wires.js';

// Sends mutants at a steady rate, three of five as datagrams, one by TCP and one by WebSocket:
// `sip-load-sender-process.ts SEED COUNT PER_SECOND UDP_PORT TCP_PORT WS_PORT`. To every
// line that it is sent it sends COUNT more, and says what it has sent so far when they have gone.

const [seed = 0, count = 0, perSecond = 1, udpPort = 0, tcpPort = 0, wsPort = 0] = process.argv.slice(2).map(Number);
/** How often it sends: so much in between that a burst is a few messages. */
const TICK_MS = 4;
/** Connections at a time; what would be one more is a datagram. */
const MOST_CONNECTIONS = 64;
const MOST_PER_STREAM = 6;
const MOST_PER_WEB_SOCKET = 20;

const mutants = createMutantSource(seed);
const random = new SeededRandom(seed, 'sender');
const wire = await openDatagramWire(udpPort);
const sent = { udp: 0, tcp: 0, ws: 0 };
let open = 0;
let seconds = 0;
const under = new Set<Promise<unknown>>();

let goal = 0;

const total = (): number => sent.udp + sent.tcp + sent.ws;
const take = (most: number): readonly string[] =>
  Array.from({ length: Math.min(goal - total(), 1 + random.int(most)) }, () => mutants.next());
const keep = (connection: Promise<unknown>): void => {
  open += 1;
  const done = connection.finally(() => {
    open -= 1;
    under.delete(done);
  });
  under.add(done);
};

function sendSome(): void {
  // Connections carry several messages: they are opened that much less often.
  const draw = open < MOST_CONNECTIONS ? random.next() : 0;
  if (draw < 0.886) {
    wire.send(mutants.next());
    sent.udp += 1;
  } else if (draw < 0.972) {
    const messages = take(MOST_PER_STREAM);
    sent.tcp += messages.length;
    keep(sendStream(tcpPort, pieces(random, messages.join(''), 5)));
  } else {
    const messages = take(MOST_PER_WEB_SOCKET);
    sent.ws += messages.length;
    keep(sendFrames(wsPort, messages, mutants.next()));
  }
}

/** One round. */
async function sendAll(): Promise<void> {
  const before = total();
  goal = before + count;
  const startMs = performance.now();
  await new Promise<void>((resolve) => {
    const timer = setInterval(() => {
      const due = before + Math.min(count, ((performance.now() - startMs) * perSecond) / 1_000);
      // Whoever is late does not make up for it with a burst that nobody asked for.
      const most = total() + Math.ceil((4 * TICK_MS * perSecond) / 1_000);
      while (total() < Math.min(due, most)) sendSome();
      if (total() < goal) return;
      clearInterval(timer);
      resolve();
    }, TICK_MS);
  });
  seconds += (performance.now() - startMs) / 1_000;
  await Promise.all(under);
}

process.stdout.write('ready\n');
createInterface({ input: process.stdin }).on('line', () => {
  void sendAll().then(() => {
    process.stdout.write(`${JSON.stringify({ sent, heard: wire.heard(), seconds })}\n`);
  });
});

import { once } from 'node:events';
import { connect, type Socket } from 'node:net';
import { expect, onTestFinished, test } from 'vitest';
import { SeededRandom } from '../../harness/src/faults/index.js';
import { callWorks } from '../support/drachtio-calls.js';
import { app, lab, peer, useLab } from '../support/drachtio-lab.js';
import { frameOf } from '../support/drachtio-raw-app.js';
import { createMutantSource } from '../support/sip-load-mutants.js';
import { closing, pieces } from '../support/sip-load-wires.js';
import { eventually } from '../support/waits.js';

useLab({ methods: ['invite'] });

const SEED = Date.now() % 2 ** 31;
const CONNECTIONS = 300;
const COMMANDS = 5_000;

/** A connection to the port of the applications. */
async function stranger(): Promise<Socket> {
  const { port, host } = lab.server.control;
  const socket = connect(port, host);
  void closing(socket);
  onTestFinished(() => void socket.destroy());
  socket.resume();
  await once(socket, 'connect');
  return socket;
}

function noise(random: SeededRandom, most: number): string {
  return Array.from({ length: random.int(most) }, () => String.fromCharCode(random.int(256))).join('');
}

/** Octets that break the protocol. */
const RUBBISH: Readonly<Record<string, (random: SeededRandom) => string>> = {
  'random octets': (random) => noise(random, 2_000),
  'six digits': () => `100000#${'x'.repeat(100_000)}`,
  'no length': () => `#a|ping${'x'.repeat(1_000)}`,
  'only digits': () => '9'.repeat(5_000),
  'a frame that never ends': () => `99999#a|ping|${'x'.repeat(50_000)}`,
  'frames of random octets': (random) => frameOf(noise(random, 90_000)).repeat(1 + random.int(3)),
  'a wrong secret': () => `${frameOf('a|authenticate|wrong|')}${frameOf('b|sip||\r\nOPTIONS sip:x SIP/2.0\r\n\r\n')}`,
  'a frame too long behind good ones': () => `${frameOf('a|ping').repeat(100)}123456#`,
  'pipes alone': (random) => frameOf('|'.repeat(random.int(9_000))),
  'SIP in place of frames': (random) => createMutantSource(random.int(2 ** 31)).next(),
};

test(`${CONNECTIONS} connections of rubbish to the port of the applications: each call of another application goes through, and nothing is left of them`, async () => {
  const random = new SeededRandom(SEED, 'rubbish');
  const kinds = Object.values(RUBBISH);
  for (let index = 0; index < CONNECTIONS; index += 1) {
    const socket = await stranger();
    const rubbish = (kinds[index % kinds.length] ?? kinds[0])?.(random) ?? '';
    for (const piece of pieces(random, rubbish, 4)) if (socket.writable) socket.write(piece, 'latin1');
    // Some go, some stay until they are sent away, some break off.
    if (index % 3 === 1) socket.end();
    if (index % 10 === 0) await callWorks(app, peer);
    if (index % 3 === 2) setImmediate(() => socket.resetAndDestroy());
  }
  await callWorks(app, peer);
  const { applications } = lab.server.inUse();
  // Those that have begun a frame may still end it.
  expect({ SEED, applications }).toEqual({ SEED, applications: expect.any(Number) });
  expect(applications).toBeLessThanOrEqual(1 + CONNECTIONS / 3);
  await callWorks(app, peer);
});

test(`${COMMANDS} commands that make no sense, from an application that has authenticated: those of another work on, and its own connection lives as long as its frames do`, async () => {
  const random = new SeededRandom(SEED, 'commands');
  const mutants = createMutantSource(SEED, 'commands');
  const discard = 'sip:127.0.0.1:9';
  const ids = ['', 'unknown', 'a;from-tag=b', '||', '\0', 'x'.repeat(3_000)];
  /** A command whose SIP part goes to the discard port only, whatever is wrong with it. */
  const command = (): string => {
    const id = random.pick(ids);
    switch (random.int(6)) {
      case 0:
        return `sip||${id}|${discard}|`;
      case 1:
        return `sip|${id}||${discard}|`;
      case 2:
        return `sip|||${discard}|`;
      case 3:
        return `proxy|${id}|remainInDialog|fullResponse|followRedirects|simultaneous|1s|9999999ms|${discard}`;
      case 4:
        return `route|${noise(random, 40).replaceAll('|', '')}`;
      default:
        return `remove_route|${id}`;
    }
  };
  let bad = await lab.rawApp();
  const ends = { answered: 0, closed: 0 };
  for (let count = 0; count < COMMANDS; count += 1) {
    const answered = bad.ask(command(), mutants.next().slice(0, 90_000)).then(() => 'answered' as const);
    const end = await Promise.race([answered, bad.closed.then(() => 'closed' as const)]);
    ends[end] += 1;
    if (end === 'closed') bad = await lab.rawApp();
    if (count % 250 === 0) await callWorks(app, peer);
  }
  // Nearly all are answered, and the connection goes on; what is no command at all ends it.
  expect({ SEED, ...ends, isGood: ends.answered > COMMANDS * 0.8 }).toMatchObject({ SEED, isGood: true });
  await bad.close();
  await eventually(() => lab.server.inUse().applications === 1);
  await callWorks(app, peer);
  // What it asked for is given up after 32 s, and what of it the peer has not answered is cancelled.
  await lab.pass(40_000);
  await lab.pass(40_000);
});

test('an application that answers every request with rubbish spoils its own calls only', async () => {
  const bad = await lab.rawApp({ routes: ['options'] });
  const mutants = createMutantSource(SEED, 'answers');
  for (let count = 0; count < 500; count += 1) {
    const call = peer.call('OPTIONS');
    const { tokens } = await bad.next('sip', ({ sip }) => sip.includes(call.callId));
    const text = mutants.next().slice(0, 90_000);
    const startLine = count % 2 === 0 ? '' : `SIP/2.0 ${count} X\r\n`;
    await bad.ask(`sip|${tokens[8]}||\r\n${startLine}${text}`);
    if (count % 50 === 0) await callWorks(app, peer);
  }
  await lab.pass(70_000);
});

import { openTcpCaller, openUdpCaller } from '../support/sip-load-caller.js';
import { sized, type BenchContext, type Figure } from './bench.js';
import { asked, startHelper } from './line-process.js';
import { flow, inTurns, untilTaken } from './sip-load-overload.js';
import { largest, startLoadedServer } from './sip-load-server.js';

const PEERS = 1_000;
const CALLS_PER_SECOND = 10;
const SECONDS = { quick: 5, short: 20, full: 120 };
/** So long the hostile peers have been there before the calls begin: the slow ones are cut off after 32 s, in the middle of the flow. */
const LEAD_MS = 15_000;

interface Story {
  readonly silent: Readonly<Record<'open' | 'cutOff', number>>;
  readonly slow: Readonly<Record<'open' | 'cutOff', number>>;
  readonly endlessHeader: Readonly<Record<'cutOff' | 'octets', number>>;
  readonly hugeBody: { readonly cutOff: number; readonly told: string };
}

/** A normal flow of calls beside peers that hold connections, send slowly or without end: the calls that do not complete. */
export async function hostilePeersLost(context: BenchContext): Promise<Figure> {
  const seconds = sized(context, SECONDS);
  await using server = await startLoadedServer(['udp', 'tcp']);
  const { control } = server;
  const argv = ['uas', control.host, String(control.port), control.secret];
  await using app = await startHelper('sip-app-process.ts', argv);
  // Where the application was told that SIP is spoken.
  const port = (transport: string): number => Number(new RegExp(`${transport}/[^:,]+:(\\d+)`).exec(app.firstLine)?.[1]);
  await using udp = await openUdpCaller(port('udp'));
  const callers = [udp, openTcpCaller(port('tcp'))];
  await untilTaken(udp);
  await using hostile = await startHelper('sip-load-hostile-process.ts', [
    String(port('tcp')),
    ...[PEERS, PEERS].map(String),
  ]);
  context.progress(
    `hostile-peers-lost: ${2 * PEERS} connected; ${CALLS_PER_SECOND} calls/s for ${seconds} s begin in ${LEAD_MS / 1_000} s`,
  );
  await new Promise((resolve) => void setTimeout(resolve, LEAD_MS));
  const results = await flow(inTurns(callers), { calls: CALLS_PER_SECOND * seconds, perSecond: CALLS_PER_SECOND });
  const { silent, slow, endlessHeader, hugeBody } = await asked<Story>(hostile, 'what has become of them');
  const { faults } = await server.end();
  const lost = results.filter(({ outcome }) => outcome !== 'completed').length;
  const slowest = Math.max(...results.map(({ answeredMs }) => answeredMs));
  const repeats = results.reduce((total, one) => total + one.repeats, 0);
  const notes = [
    `${results.length} calls by UDP and TCP in turn, slowest answer ${slowest.toFixed(0)} ms, ${repeats} requests repeated`,
    `${PEERS} silent: ${silent.open} still open, ${silent.cutOff} cut off (idle after 10 min)`,
    `${PEERS} with an octet a second: ${slow.cutOff} cut off (after 32 s), and back again`,
    `endless header cut off ${endlessHeader.cutOff} times after ${Math.round(endlessHeader.octets / Math.max(1, endlessHeader.cutOff) / 1_024)} KiB`,
    `2^31 octets of body told ${hugeBody.told} and cut off ${hugeBody.cutOff} times; faults: ${largest(faults, 5)}`,
  ];
  return {
    ...{ figure: 'hostile-peers-lost', value: lost, unit: 'calls', bar: { valueAtMost: 0 } },
    note: notes.join('; '),
  };
}

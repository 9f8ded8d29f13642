import { setTimeout as sleep } from 'node:timers/promises';
import { STEADY_CLOCK } from '../../sdk/src/core/runtime/clock.js';
import type { DatagramFaults } from '../../harness/src/faults/index.js';
import { createChaosCalls, type ChaosCalls } from '../support/sip-load-calls.js';
import type { BenchContext, Figure } from './bench.js';
import { flow } from './sip-load-overload.js';

const CALLS = 2_000;
const FULL_CALLS = 10_000;
const PER_SECOND = 50;
const FULL_PER_SECOND = 80;
const FAULTS: DatagramFaults = { lossRate: 0.05, duplicationRate: 0.05, jitterMs: 20, reorderRate: 0.05 };
/** Every transaction and every repeated 200 is given up by then. */
const PATIENCE_MS = 70_000;
/** Time for late copies to do harm. */
const AFTERWARDS_MS = 3_000;
/** As Node's own, in whole milliseconds as SIP counts them. */
const CLOCK = { ...STEADY_CLOCK, nowMs: (): number => Math.floor(STEADY_CLOCK.nowMs()) };
/** What a server holds for calls that go on; transactions linger, and dialogs do not. */
const OF_CALLS = ['dialogs', 'pendingRequests', 'unacknowledged', 'outgoing', 'owedAcknowledgements'] as const;

/** Calls from one server to another through relays that lose, double, delay and reorder what passes, in all directions. */
export async function chaosWrong(context: BenchContext): Promise<Figure> {
  const seed = Date.now() % 2 ** 31;
  const [calls, perSecond] = context.full ? [FULL_CALLS, FULL_PER_SECOND] : [CALLS, PER_SECOND];
  context.progress(`chaos-wrong: ${calls} calls at ${perSecond}/s, seed ${seed}`);
  await using chaos = await createChaosCalls({ seed, faults: FAULTS, clock: CLOCK });
  const startMs = performance.now();
  const patienceMs = (1_000 * calls) / perSecond + PATIENCE_MS;
  await Promise.race([flow(chaos.call, { calls, perSecond }), sleep(patienceMs, undefined, { ref: false })]);
  const seconds = (performance.now() - startMs) / 1_000;
  await sleep(AFTERWARDS_MS);
  const wrong = [...chaos.wrong(), ...leftBy(chaos)];
  for (const line of wrong.slice(0, 20)) context.progress(line);
  const { cancelled, ended, hungUp } = chaos.crossed();
  const counts = chaos.servers.map((server) => server.counters());
  const relays = chaos.relays.flatMap((relay) => Object.values(relay.counters()));
  const all = (name: 'received' | 'dropped' | 'duplicated' | 'reordered'): number =>
    relays.reduce((total, relay) => total + relay[name], 0);
  const notes = [
    `seed ${seed}, ${calls} calls in ${seconds.toFixed(0)} s: of ten 7 hung up by the caller, 1 by the callee, 1 rejected, 1 cancelled`,
    `of ${calls / 20} whose CANCEL and answer cross ${cancelled} were cancelled, ${ended} answered and ended by the server, ${hungUp} hung up`,
    `relays: ${all('received')} datagrams, ${all('dropped')} lost, ${all('duplicated')} doubled, ${all('reordered')} overtaken`,
    `${counts.map(({ retransmissions }) => retransmissions).join(' and ')} messages repeated by caller's and callee's server`,
    wrong.length === 0 ? 'nothing told or recorded twice' : wrong.slice(0, 3).join('; '),
  ];
  return {
    ...{ figure: 'chaos-wrong', value: wrong.length, unit: 'calls', bar: { valueAtMost: 0 } },
    note: notes.join('; '),
  };
}

function leftBy(chaos: ChaosCalls): readonly string[] {
  return chaos.servers.flatMap((server, index) =>
    OF_CALLS.filter((name) => server.inUse()[name] > 0).map(
      (name) => `${server.inUse()[name]} ${name} left at the ${index === 0 ? 'caller' : 'callee'}'s server`,
    ),
  );
}

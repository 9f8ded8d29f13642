import { setImmediate as turn } from 'node:timers/promises';
import { createManualClock, type ManualClock } from '@hopback/sdk/testing';
import { expect, test } from 'vitest';
import { createDatagramPlanner } from '../../harness/src/faults/datagram-relay.js';
import { NO_DATAGRAM_FAULTS } from '../../harness/src/faults/fault-settings.js';
import type { DatagramFaults, RelayDirection, RelayPacket } from '../../harness/src/faults/index.js';
import { untilQuiet } from '../support/drachtio-lab.js';
import { createChaosCalls, type ChaosCalls } from '../support/sip-load-calls.js';

const FAULTS: DatagramFaults = { lossRate: 0.05, duplicationRate: 0.05, jitterMs: 20, reorderRate: 0.05 };
const CALLS = 200;
const DIRECTIONS: readonly RelayDirection[] = ['toTarget', 'toSource'];

/** One call more every so often, by the clock of the test. */
const BETWEEN_CALLS_MS = 20;
const STEP_MS = 5;
/** Turns of the event loop in which what was sent over loopback arrives; what does not is under way a step longer. */
const TURNS = 12;
/** No timer of a call that fails runs longer. */
const PATIENCE_MS = 300_000;

/** Makes calls under a clock that moves when nothing else does: 64 s of retransmissions take as long as they need. */
async function callsOf(chaos: ChaosCalls, clock: ManualClock, count: number): Promise<void> {
  let over = 0;
  let begun = 0;
  const startMs = clock.nowMs();
  // oxlint-disable-next-line eslint/no-unmodified-loop-condition -- the calls below count
  while (over < count && clock.nowMs() < startMs + PATIENCE_MS) {
    if (begun < count && clock.nowMs() - startMs >= begun * BETWEEN_CALLS_MS) {
      void chaos.call(begun).then(() => (over += 1));
      begun += 1;
    }
    for (let turns = 0; turns < TURNS; turns += 1) await turn();
    clock.advance(STEP_MS);
  }
}

test(`${CALLS} calls through loss, duplication, jitter and reordering: each ends as it should on both sides, nothing is told or recorded twice, and nothing is left`, async () => {
  const seed = Date.now() % 2 ** 31;
  const clock = createManualClock(0);
  await using chaos = await createChaosCalls({ seed, clock, faults: FAULTS });
  await callsOf(chaos, clock, CALLS);
  // Late copies have their time to do harm, and every timer to run out.
  for (let second = 0; second < 80; second += 1) {
    await untilQuiet(chaos.servers);
    clock.advance(1_000);
  }
  await untilQuiet(chaos.servers);
  expect({ seed, wrong: chaos.wrong() }).toEqual({ seed, wrong: [] });
  const { cancelled, ended, hungUp } = chaos.crossed();
  expect(cancelled + ended + hungUp).toBe(CALLS / 20);
  for (const server of chaos.servers) {
    const { applications, ...inUse } = server.inUse();
    expect(applications).toBe(1);
    expect(inUse).toEqual(Object.fromEntries(Object.keys(inUse).map((name) => [name, 0])));
    expect(server.counters().retransmissions).toBeGreaterThan(0);
  }
  const [toCallee] = chaos.relays.map((relay) => relay.counters());
  for (const direction of DIRECTIONS) {
    const counts = toCallee?.[direction];
    expect([counts?.dropped, counts?.duplicated, counts?.reordered].every((count) => Number(count) > 5)).toBe(true);
  }
});

test('what the relays did is what their seed says about the packets that came, whatever the calls were', async () => {
  const clock = createManualClock(0);
  const seed = 20_261_125;
  await using chaos = await createChaosCalls({ seed, clock, faults: FAULTS, recordLimit: 100_000 });
  await callsOf(chaos, clock, 50);
  for (const [index, relay] of chaos.relays.entries()) {
    const { packets, omitted } = relay.record();
    expect([packets.length > 5, omitted]).toEqual([true, 0]);
    for (const direction of DIRECTIONS) {
      const recorded = packets.filter((packet) => packet.direction === direction);
      expect(replayed(recorded, seed + index)).toEqual(recorded.map(fateOf));
    }
  }
});

test('the same seed loses the same packets of other calls, and another seed others', async () => {
  const lost = async (seed: number): Promise<readonly (readonly number[])[]> => {
    const clock = createManualClock(0);
    await using chaos = await createChaosCalls({ seed, clock, faults: FAULTS, recordLimit: 100_000 });
    await callsOf(chaos, clock, 40);
    const [toCallee] = chaos.relays.map((relay) => relay.record().packets);
    return DIRECTIONS.map((direction) =>
      (toCallee ?? [])
        .filter((packet) => packet.direction === direction && packet.action === 'lost')
        .map(({ number }) => number)
        .filter((number) => number < FIRST_PACKETS),
    );
  };
  const [first, again, other] = [await lost(7), await lost(7), await lost(8)];
  expect(first.flat().length).toBeGreaterThan(3);
  expect(again).toEqual(first);
  expect(other).not.toEqual(first);
});

/** So many there are in each direction of the relay to the callee, whatever gets lost. */
const FIRST_PACKETS = 100;

interface Fate {
  readonly number: number;
  readonly action: string;
  readonly deliveriesMs: readonly number[];
}

function fateOf({ number, action, deliveriesMs }: RelayPacket): Fate {
  return { number, action, deliveriesMs };
}

/** What a planner with the seed alone makes of the same arrivals. */
function replayed(recorded: readonly RelayPacket[], seed: number): readonly Fate[] {
  const [first] = recorded;
  if (first === undefined) return [];
  const planner = createDatagramPlanner(seed, first.direction);
  const settings = { ...NO_DATAGRAM_FAULTS, ...FAULTS };
  const fates: Fate[] = [];
  for (const { sizeBytes, atMs } of recorded) {
    const plan = planner.plan({ sizeBytes, nowMs: atMs }, settings);
    const { number, action } = plan;
    fates.push({ number, action, deliveriesMs: plan.deliveries.map((delivery) => delivery.atMs) });
    for (const release of plan.releases) {
      const held = fates[release.number];
      if (held !== undefined)
        fates[release.number] = { ...held, deliveriesMs: held.deliveriesMs.map(() => release.atMs) };
    }
  }
  return fates;
}

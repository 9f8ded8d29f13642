import { setImmediate as turn } from 'node:timers/promises';
import { ManualClock } from '@hopback/sdk/testing';
import { expect, test } from 'vitest';
import type { DatagramFaults, RelayDirection } from '../../harness/src/faults/index.js';
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
async function callsOf(chaos: ChaosCalls, clock: ManualClock): Promise<void> {
  let over = 0;
  let begun = 0;
  const startMs = clock.nowMs();
  // oxlint-disable-next-line eslint/no-unmodified-loop-condition -- the calls below count
  while (over < CALLS && clock.nowMs() < startMs + PATIENCE_MS) {
    if (begun < CALLS && clock.nowMs() - startMs >= begun * BETWEEN_CALLS_MS) {
      void chaos.call(begun).then(() => (over += 1));
      begun += 1;
    }
    for (let turns = 0; turns < TURNS; turns += 1) await turn();
    clock.advance(STEP_MS);
  }
}

test(`${CALLS} calls through loss, duplication, jitter and reordering: each ends as it should on both sides, no event or record comes twice, and the servers hold nothing`, async () => {
  const seed = Date.now() % 2 ** 31;
  const clock = new ManualClock(0);
  await using chaos = await createChaosCalls({ seed, clock, faults: FAULTS });
  await callsOf(chaos, clock);
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

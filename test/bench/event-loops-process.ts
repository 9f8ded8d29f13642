/** One event loop of `event-loops`: signs calls of its own, says so, then verifies for as many milliseconds as each line asks for. */
import { createInterface } from 'node:readline';
import type { TurnResult } from './event-loops.js';
import { createSignedWorld, createWarmService, inTurn, requireFirstSight, signCalls } from './signed-calls.js';

const CALLS = 10_000;
/** At the clock: some milliseconds of work. */
const CALLS_BETWEEN_LOOKS = 64;

const nowMs = Date.now();
const world = await createSignedWorld(nowMs);
const calls = signCalls(world, CALLS, (index) => Math.floor(nowMs / 1000) - (index % 30));
// The clock stands still: every call is fresh, whenever its turn comes.
const { service, forgetCalls } = await createWarmService(world, { nowMs: () => nowMs });
const next = inTurn(calls, forgetCalls);

process.stdout.write('ready\n');
for await (const ms of createInterface({ input: process.stdin }))
  process.stdout.write(`${JSON.stringify(await work(Number(ms)))}\n`);

async function work(ms: number): Promise<TurnResult> {
  const start = performance.now();
  let verdicts = 0;
  let elapsedMs = 0;
  for (; elapsedMs < ms; elapsedMs = performance.now() - start) {
    for (let batch = 0; batch < CALLS_BETWEEN_LOOKS; batch += 1) {
      requireFirstSight(await service.verify(next().request));
    }
    verdicts += CALLS_BETWEEN_LOOKS;
  }
  return { verdicts, elapsedMs };
}

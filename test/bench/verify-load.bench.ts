import { loadavg } from 'node:os';
import { monitorEventLoopDelay } from 'node:perf_hooks';
import { arrivals, monotonicMs, type Arrival } from './arrivals.js';
import { durations, sized, type Bench, type BenchContext, type Figure, type Percentiles } from './bench.js';
import { createSignedWorld, createWarmService, signCalls } from './signed-calls.js';

/**
 * A verifier inside a switch at a steady load. Open loop: calls come when they come. The service runs as it does by default, with
 * its signature checks in the event loop, and under the real clock; the time of a call
 * begins when the other side has sent it, so that whatever keeps the event loop busy is counted against us.
 */
export const bench: Bench = {
  name: 'verify-load',
  description: '1,000 verifications a second, at random moments: what they add to a call and to the event loop',
  figures: ['p99-added', 'event-loop-lag-p99'],
  quick: { seconds: 15 },
  run: measureLoad,
};

const CALLS_PER_SECOND = 1_000;
const SECONDS = { quick: 5, short: 20, full: 60 };
/** The compiler has seen the code before a switch is at full load. */
const WARM_UP_CALLS = 5_000;
/** The finest that there is. A sample is the whole time between two ticks, this one millisecond included. */
const LAG_RESOLUTION_MS = 1;
/** From the order to the first call: time for a process to start. */
const LEAD_MS = 1_000;

async function measureLoad(context: BenchContext): Promise<readonly Figure[]> {
  const seconds = sized(context, SECONDS);
  const count = seconds * CALLS_PER_SECOND;
  context.progress(`signing ${count + WARM_UP_CALLS} calls`);
  const clock = { nowMs: Date.now };
  const world = await createSignedWorld(clock.nowMs());
  // Each call is signed in the second in which it will arrive, roughly: signing them all takes some seconds itself.
  const firstSecond = Math.floor(clock.nowMs() / 1000);
  const calls = signCalls(world, count + WARM_UP_CALLS, (index) =>
    index < count ? firstSecond + Math.floor(index / CALLS_PER_SECOND) : firstSecond,
  );
  await using warm = await createWarmService(world, clock);
  for (const { request } of calls.slice(count)) await warm.service.verify(request);

  context.progress(`${CALLS_PER_SECOND} calls/s for ${seconds} s; load average ${loadavg()[0]?.toFixed(2) ?? '?'}`);
  const added = durations();
  const inside = durations();
  const lateness = durations();
  const statuses = new Map<string, number>();
  const answer = async ({ index, sentMs, latenessMs }: Arrival): Promise<void> => {
    const call = calls[index];
    if (call === undefined) throw new Error(`call ${index} was not signed`);
    const beginMs = monotonicMs();
    const { status } = await warm.service.verify(call.request);
    const endMs = monotonicMs();
    added.record(endMs - sentMs);
    inside.record(endMs - beginMs);
    lateness.record(latenessMs);
    statuses.set(status, (statuses.get(status) ?? 0) + 1);
  };
  const lag = monitorEventLoopDelay({ resolution: LAG_RESOLUTION_MS });
  const schedule = { count, perSecond: CALLS_PER_SECOND, startMs: monotonicMs() + LEAD_MS };
  const pending: Promise<void>[] = [];
  lag.enable();
  await arrivals(schedule, (arrival) => void pending.push(answer(arrival)));
  lag.disable();
  await Promise.all(pending);
  if (statuses.get('passed') !== count) {
    throw new Error(`not every call passed: ${JSON.stringify(Object.fromEntries(statuses))}`);
  }
  const [all, alone, late] = [added, inside, lateness].map(({ percentiles }) => percentiles());
  if (all === undefined || alone === undefined || late === undefined) throw new Error('nothing was measured');
  return [addedFigure(all, alone, late), lagFigure(lag)];
}

function addedFigure(added: Percentiles, inside: Percentiles, lateness: Percentiles): Figure {
  const { count, p50, p999, max } = added;
  const verify = `verify() alone p50 ${inside.p50.toFixed(2)}, p99 ${inside.p99.toFixed(2)}`;
  const late = `not counted: the sender was late by p99 ${lateness.p99.toFixed(2)}`;
  return {
    ...{ figure: 'p99-added', value: added.p99, unit: 'ms', bar: { valueAtMost: 2 } },
    note: `from sent to verdict, ${count} calls; p50 ${p50.toFixed(2)}, p99.9 ${p999.toFixed(2)}, max ${max.toFixed(2)}; ${verify}; ${late}`,
  };
}

function lagFigure(lag: ReturnType<typeof monitorEventLoopDelay>): Figure {
  const ms = (nanoseconds: number): string => (nanoseconds / 1e6).toFixed(2);
  return {
    ...{ figure: 'event-loop-lag-p99', value: lag.percentile(99) / 1e6, unit: 'ms', bar: { valueAtMost: 5 } },
    note: `between two ticks of a ${LAG_RESOLUTION_MS} ms timer, that millisecond included; p50 ${ms(lag.percentile(50))}, max ${ms(lag.max)}`,
  };
}

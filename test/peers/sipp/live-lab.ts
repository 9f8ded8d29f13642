import { ManualClock } from '@hopback/sdk/testing';
import { createLab, type DrachtioLab, type LabOptions } from '../../support/drachtio-lab.js';

/** How often a laboratory's clock is put right. It is the resolution of the server's timers, of which the shortest has 6 ms. */
const TICK_MS = 2;
/**
 * Most that the clock goes on at once: what peers sent while this process did not get to run is read before more of the time passes in
 * which they were waited for. Without that the server repeats what has long been answered, wherever the machine is busy.
 */
const MAX_STEP_MS = 20;

/**
 * A laboratory whose clock goes as others do while this process runs, for peers that have clocks of their own. At the end of a test it may still be moved:
 * `nothingLeft` does not wait the 32 s that a server remembers a call for.
 */
export async function createLiveLab(options: Omit<LabOptions, 'clock'> = {}): Promise<DrachtioLab> {
  const clock = new ManualClock(Date.now());
  const lab = await createLab({ ...options, clock });
  let last = performance.now();
  const timer = setInterval(() => {
    const passedMs = Math.floor(performance.now() - last);
    last += passedMs;
    clock.advance(Math.min(passedMs, MAX_STEP_MS));
  }, TICK_MS);
  return {
    ...lab,
    [Symbol.asyncDispose]: async () => {
      clearInterval(timer);
      await lab[Symbol.asyncDispose]();
    },
  };
}

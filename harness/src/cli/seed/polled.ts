import { HopbackError } from '@hopback/sdk/errors';
import { wait } from '@hopback/sdk/internal';

/** How often is looked whether the platform has found what was planted. */
const POLL_MS = 250;
/** How long the platform may take for each of its steps: seconds on a machine of its own, more on one that does other things. */
const PATIENCE_MS = 180_000;

/**
 * Looks until something is there.
 * @throws HopbackError `unavailable` where it is not there in time; the reason of the signal
 */
export async function polled<Value>(
  signal: AbortSignal,
  what: string,
  look: () => Promise<Value | undefined>,
): Promise<Value> {
  const endMs = performance.now() + PATIENCE_MS;
  for (;;) {
    const found = await look();
    if (found !== undefined) return found;
    if (performance.now() > endMs) throw new HopbackError('unavailable', `the platform does not have ${what} yet`);
    await wait(POLL_MS, signal);
  }
}

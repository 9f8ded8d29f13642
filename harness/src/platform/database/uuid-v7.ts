import type { Clock } from '@hopback/sdk/platform';
import { createRandomPool } from './random-pool.js';

/** Twelve bits that count ids of one millisecond. RFC 9562 section 6.2, method 1 */
const COUNTER_LIMIT = 0x1000;

/**
 * Makes UUIDs of version 7, which sort by the time at which they were made; those of one millisecond by their order. A clock that is set
 * back does not make it give one that sorts before those it gave.
 * @see RFC 9562 sections 5.7 and 6.2
 */
export function createUuidV7(clock: Clock, random: (bytes: number) => Uint8Array = createRandomPool()): () => string {
  let lastMs = -1;
  let counter = 0;
  return () => {
    const nowMs = clock.nowMs();
    if (nowMs > lastMs) {
      lastMs = nowMs;
      // A quarter of the range, so that there is room to count in.
      counter = ((random(2)[0] ?? 0) << 2) | 0;
    } else {
      counter += 1;
      if (counter === COUNTER_LIMIT) {
        lastMs += 1;
        counter = 0;
      }
    }
    const time = lastMs.toString(16).padStart(12, '0');
    const tail = Buffer.from(random(8));
    tail[0] = ((tail[0] ?? 0) & 0x3f) | 0x80;
    const hex = tail.toString('hex');
    const middle = (0x7000 | counter).toString(16);
    return `${time.slice(0, 8)}-${time.slice(8)}-${middle}-${hex.slice(0, 4)}-${hex.slice(4)}`;
  };
}

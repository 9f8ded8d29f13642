import { randomBytes } from 'node:crypto';

/** Octets that are fetched at once: the kernel's take microseconds each time. */
const POOL_BYTES = 4_096;

/** Random octets, each given once. */
export function createRandomPool(): (bytes: number) => Uint8Array {
  let pool: Buffer = Buffer.alloc(0);
  let at = 0;
  return (bytes) => {
    if (at + bytes > pool.length) {
      pool = randomBytes(Math.max(POOL_BYTES, bytes));
      at = 0;
    }
    at += bytes;
    return pool.subarray(at - bytes, at);
  };
}

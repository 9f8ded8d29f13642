import { hash } from 'node:crypto';

/** Octets of a SHA-256. */
export const HASH_BYTES = 32;

const LEAF = 0x00;
const NODE = 0x01;

/** Root of a tree without leaves: the hash of nothing. RFC 9162 section 2.1.1 */
export function emptyRoot(): Buffer {
  return sha256(Buffer.alloc(0));
}

/** Hash of a leaf. The octet before it keeps a leaf from passing for a node. RFC 9162 section 2.1.1 */
export function hashOfLeaf(entry: Uint8Array): Buffer {
  const octets = Buffer.allocUnsafe(1 + entry.length);
  octets[0] = LEAF;
  octets.set(entry, 1);
  return sha256(octets);
}

/** Hash of what is above two nodes. RFC 9162 section 2.1.1 */
export function hashOfNode(left: Uint8Array, right: Uint8Array): Buffer {
  const octets = Buffer.allocUnsafe(1 + 2 * HASH_BYTES);
  octets[0] = NODE;
  octets.set(left, 1);
  octets.set(right, 1 + HASH_BYTES);
  return sha256(octets);
}

/** The greatest power of two that is smaller. RFC 9162 section 2.1.1 */
export function splitOf(size: number): number {
  let split = 1;
  while (2 * split < size) split *= 2;
  return split;
}

function sha256(bytes: Uint8Array): Buffer {
  return hash('sha256', bytes, 'buffer');
}

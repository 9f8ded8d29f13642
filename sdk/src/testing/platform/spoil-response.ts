import { memberNames, withoutMember, withUnknownMembers, withWrongType } from './json-members.js';
import type { PlatformFault } from './platform-faults.js';

/** How a right value is spoilt before it is written. */
export function spoiltValue(value: unknown, fault: PlatformFault): unknown {
  if (fault.kind === 'unknown-members') return withUnknownMembers(value);
  if (fault.kind !== 'missing-member' && fault.kind !== 'wrong-type') return value;
  const member = fault.member ?? memberNames(value)[0];
  if (member === undefined) return value;
  return fault.kind === 'missing-member' ? withoutMember(value, member) : withWrongType(value, member);
}

/**
 * The first octets of a body, and then the connection breaks; its length was said to be that of the whole.
 * @param bytes - the whole body
 * @param keptBytes - how much of it comes; default half
 */
export function truncated(
  bytes: Uint8Array,
  keptBytes: number = Math.floor(bytes.length / 2),
): ReadableStream<Uint8Array> {
  let isBegun = false;
  return new ReadableStream({
    pull: (controller) => {
      // In two pulls: a reader gets what came before it hears that there is no more.
      if (isBegun) return controller.error(new TypeError('terminated'));
      isBegun = true;
      controller.enqueue(bytes.slice(0, Math.max(1, Math.min(keptBytes, bytes.length - 1))));
    },
  });
}

// What the harness shares with this package. Unsupported: it may change with every release.
export { backoffBoundMs, valueWithin } from '../core/runtime/deadline.js';
export { syncFolder, writeWholeFile } from '../core/runtime/whole-file.js';
export {
  abortedAfter,
  every,
  MACHINE_CLOCK,
  nextTurn,
  schedule,
  scheduleInBackground,
  STEADY_CLOCK,
  wait,
} from '../core/runtime/clock.js';
export type { TimerClock } from '../core/runtime/clock.js';
export { IDEMPOTENCY_KEY, inPath, inQuery, PAGING } from '../contract/route.js';
export { embedsIpv4, isSpecialPurposeAddress } from '../stir/certificates/x5u-url-policy.js';

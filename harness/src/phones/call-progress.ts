import type { TimerClock } from '@hopback/sdk/internal';
import { deferred } from './deferred.js';
import type { CallEnd, CallState } from './phone-call.js';

/** The state of one call, its promises and its timers. */
export interface CallProgress {
  readonly state: () => CallState;
  readonly ringing: Promise<boolean>;
  readonly established: Promise<boolean>;
  readonly ended: Promise<CallEnd>;
  readonly ring: () => void;
  readonly answer: () => void;
  /** The first end counts; timers of the call are cancelled. */
  readonly end: (end: CallEnd) => void;
  /** Runs `callback` after `delayMs` unless the call has ended by then. */
  readonly after: (delayMs: number, callback: () => void) => () => void;
}

/** Makes the state of a new call. */
export function createCallProgress(
  clock: TimerClock,
  onChange: (state: CallState, end?: CallEnd) => void,
): CallProgress {
  let state: CallState = 'calling';
  const timers = new Set<() => void>();
  const ringing = deferred<boolean>();
  const established = deferred<boolean>();
  const ended = deferred<CallEnd>();
  return {
    state: () => state,
    ...{ ringing: ringing.promise, established: established.promise, ended: ended.promise },
    ring: () => {
      if (state !== 'calling') return;
      state = 'ringing';
      ringing.resolve(true);
      onChange(state);
    },
    answer: () => {
      if (state === 'answered' || state === 'ended') return;
      state = 'answered';
      ringing.resolve(false);
      established.resolve(true);
      onChange(state);
    },
    end: (end) => {
      if (state === 'ended') return;
      state = 'ended';
      for (const cancel of timers) cancel();
      timers.clear();
      ringing.resolve(false);
      established.resolve(false);
      ended.resolve(end);
      onChange(state, end);
    },
    after: (delayMs, callback) => {
      if (state === 'ended') return () => undefined;
      const cancel = clock.schedule(() => {
        timers.delete(cancel);
        callback();
      }, delayMs);
      timers.add(cancel);
      return () => {
        if (timers.delete(cancel)) cancel();
      };
    },
  };
}

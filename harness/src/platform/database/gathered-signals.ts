import { EventEmitter } from 'node:events';
import { scheduleInBackground } from '@hopback/sdk/internal';

/**
 * How long signals are gathered where nothing else is said: a hundred commits a second would have every reader look a hundred times for
 * what it finds in forty.
 */
const GATHERED_MS = 25;

/** Signals that something was committed. */
export interface GatheredSignals {
  readonly signal: () => void;
  readonly onSignal: (listener: () => void) => () => void;
  /** How many there were: counted at once, whenever they are passed on. */
  readonly count: () => number;
  readonly close: () => void;
}

/**
 * Passes signals on to those who listen: the first at once, those that follow soon together.
 * @param gatherMs - after a signal the next one is passed on no sooner
 */
export function createGatheredSignals(gatherMs: number = GATHERED_MS): GatheredSignals {
  const emitter = new EventEmitter().setMaxListeners(0);
  let signals = 0;
  let isUnsaid = false;
  let cancel: (() => void) | undefined;
  const pass = (): void => {
    isUnsaid = false;
    cancel = scheduleInBackground(() => {
      cancel = undefined;
      if (isUnsaid) pass();
    }, gatherMs);
    emitter.emit('signal');
  };
  return {
    signal: () => {
      signals += 1;
      if (cancel === undefined) pass();
      else isUnsaid = true;
    },
    onSignal: (listener) => {
      emitter.on('signal', listener);
      return () => void emitter.off('signal', listener);
    },
    count: () => signals,
    close: () => cancel?.(),
  };
}

import { garbageCollector } from '../support/garbage-collector.js';

const MEGABYTE = 1_048_576;
/** A full collection takes some tens of milliseconds. */
const LOOK_INTERVAL_MS = 2_000;

/** Looks at resident memory over time, each time after a full collection: what is kept, not what V8 is in no hurry to give back. */
export function watchMemory() {
  const collect = garbageCollector();
  const residentMb = (): number => {
    collect();
    return process.memoryUsage.rss() / MEGABYTE;
  };
  const beforeMb = residentMb();
  const growth: number[] = [];
  const look = (): void => void growth.push(residentMb() - beforeMb);
  const timer = setInterval(look, LOOK_INTERVAL_MS);
  return {
    /** MiB above what there was in the beginning: highest of all looks, and of those in the first half. */
    stop: () => {
      clearInterval(timer);
      look();
      return { peakMb: Math.max(...growth), firstHalfMb: Math.max(...growth.slice(0, growth.length >> 1), 0) };
    },
  };
}

import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';

/** Resident memory over time, each time after a full collection: what is kept, not what V8 is in no hurry to give back. */
export interface MemoryWatch {
  /** MiB above what there was in the beginning: highest of all looks, and of those in the first half. */
  readonly stop: () => { readonly peakMb: number; readonly firstHalfMb: number };
}

/** Starts looking. */
export function watchMemory(): MemoryWatch {
  const collect = collector();
  const residentMb = (): number => {
    collect();
    return process.memoryUsage.rss() / MEGABYTE;
  };
  const beforeMb = residentMb();
  const growth: number[] = [];
  const look = (): void => void growth.push(residentMb() - beforeMb);
  const timer = setInterval(look, LOOK_INTERVAL_MS);
  return {
    stop: () => {
      clearInterval(timer);
      look();
      return { peakMb: Math.max(...growth), firstHalfMb: Math.max(...growth.slice(0, growth.length >> 1), 0) };
    },
  };
}

const MEGABYTE = 1_048_576;
/** A full collection takes some tens of milliseconds. */
const LOOK_INTERVAL_MS = 2_000;

/** Node hides the collector unless it was started with a flag, which `npm run bench` is not. */
function collector(): () => void {
  setFlagsFromString('--expose-gc');
  return runInNewContext('gc') as () => void;
}

import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';

/** Node hides the collector unless it was started with a flag. */
export function garbageCollector(): () => void {
  setFlagsFromString('--expose-gc');
  return runInNewContext('gc') as () => void;
}

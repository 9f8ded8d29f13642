import { PerformanceObserver } from 'node:perf_hooks';
import { getHeapSpaceStatistics, setFlagsFromString } from 'node:v8';

/**
 * V8 lets the heap grow to four times what is live before it collects, where the machine has the memory: at thousands of records a second
 * that is several hundred MB of garbage. By a third costs a few per cent of the processor.
 */
const HEAP_GROWTH = '--heap-growing-percent=30';
/** Two halves of 8 MB for new objects; V8 would take two of 16, and a third while it copies. */
const YOUNG_BYTES = 16 * 1_048_576;
const GIVEN = /--max[-_]semi[-_]space[-_]size/;

/** Keeps the heap of a platform small. Where whoever starts the process says how large its young generation is, that holds. */
export function boundHeap(): void {
  setFlagsFromString(HEAP_GROWTH);
  if (GIVEN.test(`${process.env['NODE_OPTIONS'] ?? ''} ${process.execArgv.join(' ')}`)) return;
  // It doubles after collections, and shrinks when little is made. The flag that bounds it is read when the process starts, the one that stops it each time.
  let isBounded = false;
  const observer = new PerformanceObserver(() => {
    const young = getHeapSpaceStatistics().find((space) => space.space_name === 'new_space');
    const isLarge = young !== undefined && young.space_size >= YOUNG_BYTES;
    if (isLarge === isBounded) return;
    isBounded = isLarge;
    setFlagsFromString(`--semi-space-growth-factor=${isLarge ? '1' : '2'}`);
  });
  observer.observe({ entryTypes: ['gc'] });
}

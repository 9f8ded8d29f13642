import { PerformanceObserver } from 'node:perf_hooks';
import { getHeapSpaceStatistics, setFlagsFromString } from 'node:v8';

/**
 * V8 lets the heap grow to four times what is live before it collects, where the machine has the memory: at thousands of records a second
 * that is several hundred MB of garbage. By a third costs a few per cent of the processor.
 */
const HEAP_GROWTH = '--heap-growing-percent=30';
/** Two semi-spaces of 8 MiB each. V8's own limit is 16 MiB each, on newer releases more. */
const YOUNG_BYTES = 16 * 1_048_576;
const GIVEN = /--max[-_]semi[-_]space[-_]size/;

/** Limits how the heap grows from now on. To be called when the code is loaded: before, the collections alone take a third of a second. */
export const setV8AfterLoading = (): void => setFlagsFromString(HEAP_GROWTH);

/**
 * How much of a WebAssembly function runs before V8 compiles it again, optimized: a hundred times the default of Node 20. Else that takes a third of
 * the processor time of a start, for functions that run then only.
 */
const WASM_BUDGET = '--wasm-tiering-budget=180000000';

/**
 * To be called before the code is loaded: defers the optimization of PGlite, and limits the young generation. A semi-space size given on the command
 * line or in `NODE_OPTIONS` takes precedence.
 */
export function setV8BeforeLoading(): void {
  setFlagsFromString(WASM_BUDGET);
  if (GIVEN.test(`${process.env['NODE_OPTIONS'] ?? ''} ${process.execArgv.join(' ')}`)) return;
  // V8 reads the flag that limits the semi-space only at start, but the growth factor at every collection. It also shrinks an idle one, which must grow again.
  let isBounded = false;
  const setGrowth = (): void => setFlagsFromString(`--semi-space-growth-factor=${isBounded ? '1' : '2'}`);
  const observer = new PerformanceObserver(() => {
    const young = getHeapSpaceStatistics().find((space) => space.space_name === 'new_space');
    const isLarge = young !== undefined && young.space_size >= YOUNG_BYTES;
    if (isLarge === isBounded) return;
    isBounded = isLarge;
    setGrowth();
  });
  observer.observe({ entryTypes: ['gc'] });
  // The heap of a new thread, of a tool that was loaded first for example, sets a factor of 1 back to 2 for all threads.
  process.on('worker', (worker) => worker.once('online', setGrowth));
}

import type { TimerClock } from '@hopback/sdk/internal/runtime';

/** Things that fall due, handed out in order of their instant and, within one instant, of their being added. */
export type DeliverySchedule<Item> = ReturnType<typeof createDeliverySchedule<Item>>;

interface Entry<Item> {
  readonly atMs: number;
  readonly order: number;
  readonly item: Item;
}

/**
 * Makes a schedule with one timer, for the first thing that falls due, however many wait.
 * @param deliver - takes what is due; it may add more
 */
export function createDeliverySchedule<Item>(clock: TimerClock, deliver: (item: Item) => void) {
  const heap: Entry<Item>[] = [];
  let order = 0;
  let timer: { readonly atMs: number; readonly cancel: () => void } | undefined;
  let isDelivering = false;
  let isClosed = false;

  const deliverDue = (): void => {
    isDelivering = true;
    try {
      // The clock is asked again only when it seems that nothing is due: a burst costs one question.
      for (let nowMs = clock.nowMs(), first = heap[0]; first !== undefined; first = heap[0]) {
        if (first.atMs > nowMs && first.atMs > (nowMs = clock.nowMs())) break;
        takeFirst(heap);
        deliver(first.item);
      }
    } finally {
      isDelivering = false;
      setTimer();
    }
  };

  const setTimer = (): void => {
    const [first] = heap;
    // A timer that is early finds nothing due and sets the next one: cheaper than to set it anew with every change.
    if (isClosed || first === undefined || (timer !== undefined && timer.atMs <= first.atMs)) return;
    timer?.cancel();
    const fire = (): void => {
      timer = undefined;
      deliverDue();
    };
    timer = { atMs: first.atMs, cancel: clock.schedule(fire, Math.max(0, first.atMs - clock.nowMs())) };
  };

  return {
    /** Hands out at once what is due already. */
    add: (atMs: number, item: Item) => {
      if (isClosed) return;
      put(heap, { atMs, order: order++, item });
      if (isDelivering) return;
      if (atMs > clock.nowMs()) setTimer();
      else deliverDue();
    },
    /** How many wait. */
    waiting: () => heap.length,
    /** Hands out nothing any more; what waits is forgotten. */
    close: () => {
      isClosed = true;
      heap.length = 0;
      timer?.cancel();
      timer = undefined;
    },
  };
}

function isBefore(one: Entry<unknown>, other: Entry<unknown>): boolean {
  return one.atMs < other.atMs || (one.atMs === other.atMs && one.order < other.order);
}

/** A binary heap: the first is at 0, and what follows i is at 2i + 1 and 2i + 2. */
function put<Item>(heap: Entry<Item>[], entry: Entry<Item>): void {
  let index = heap.length;
  heap.push(entry);
  while (index > 0) {
    const parent = (index - 1) >> 1;
    const above = heap[parent];
    if (above === undefined || isBefore(above, entry)) break;
    heap[index] = above;
    index = parent;
  }
  heap[index] = entry;
}

function takeFirst<Item>(heap: Entry<Item>[]): void {
  const last = heap.pop();
  if (last === undefined || heap.length === 0) return;
  let index = 0;
  for (;;) {
    const left = 2 * index + 1;
    const [one, other] = [heap[left], heap[left + 1]];
    const next = one !== undefined && other !== undefined && isBefore(other, one) ? left + 1 : left;
    const below = heap[next];
    if (below === undefined || isBefore(last, below)) break;
    heap[index] = below;
    index = next;
  }
  heap[index] = last;
}

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
  const heap = new Heap<Entry<Item>>(isBefore);
  let order = 0;
  let timer: { readonly atMs: number; readonly cancel: () => void } | undefined;
  let isDelivering = false;
  let isClosed = false;

  const deliverDue = (): void => {
    isDelivering = true;
    try {
      // The clock is asked again only when it seems that nothing is due: a burst costs one question.
      for (let nowMs = clock.nowMs(), first = heap.first; first !== undefined; first = heap.first) {
        if (first.atMs > nowMs && first.atMs > (nowMs = clock.nowMs())) break;
        heap.take();
        deliver(first.item);
      }
    } finally {
      isDelivering = false;
      setTimer();
    }
  };

  const setTimer = (): void => {
    const { first } = heap;
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
      heap.put({ atMs, order: order++, item });
      if (isDelivering) return;
      if (atMs > clock.nowMs()) setTimer();
      else deliverDue();
    },
    /** How many wait. */
    waiting: () => heap.size,
    /** Hands out nothing any more; what waits is forgotten. */
    close: () => {
      isClosed = true;
      heap.clear();
      timer?.cancel();
      timer = undefined;
    },
  };
}

function isBefore(one: Entry<unknown>, other: Entry<unknown>): boolean {
  return one.atMs < other.atMs || (one.atMs === other.atMs && one.order < other.order);
}

/** A binary heap: the first is at 0, and what follows i is at 2i + 1 and 2i + 2. */
export class Heap<Item> {
  readonly #items: Item[] = [];
  readonly #isBefore: (one: Item, other: Item) => boolean;

  constructor(before: (one: Item, other: Item) => boolean) {
    this.#isBefore = before;
  }

  get size(): number {
    return this.#items.length;
  }

  get first(): Item | undefined {
    return this.#items[0];
  }

  put(item: Item): void {
    const items = this.#items;
    let index = items.length;
    items.push(item);
    while (index > 0) {
      const parent = (index - 1) >> 1;
      const above = items[parent];
      if (above === undefined || this.#isBefore(above, item)) break;
      items[index] = above;
      index = parent;
    }
    items[index] = item;
  }

  take(): Item | undefined {
    const items = this.#items;
    const [first] = items;
    const last = items.pop();
    if (last === undefined || items.length === 0) return first;
    let index = 0;
    for (;;) {
      const left = 2 * index + 1;
      const [one, other] = [items[left], items[left + 1]];
      const next = one !== undefined && other !== undefined && this.#isBefore(other, one) ? left + 1 : left;
      const below = items[next];
      if (below === undefined || this.#isBefore(last, below)) break;
      items[index] = below;
      index = next;
    }
    items[index] = last;
    return first;
  }

  clear(): void {
    this.#items.length = 0;
  }
}

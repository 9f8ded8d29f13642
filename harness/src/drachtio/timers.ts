import type { TimerClock } from '@hopback/sdk/internal/runtime';

/**
 * A map of things that are there for moments, thousands a second. V8 chains each table of a Map to the larger or cleaned one that
 * follows it; once one of them is old garbage, all that came later looks alive to the collector of young objects, with the calls in
 * them, and is kept until the next full collection. This one starts a map that is chained to nothing as often as V8 would clean up.
 */
export class PassingMap<Key, Value> {
  #entries = new Map<Key, Value>();
  #removed = 0;

  get size(): number {
    return this.#entries.size;
  }

  get(key: Key): Value | undefined {
    return this.#entries.get(key);
  }

  has(key: Key): boolean {
    return this.#entries.has(key);
  }

  set(key: Key, value: Value): void {
    if (this.#removed > Math.max(LEAST_REMOVED, this.#entries.size)) {
      this.#entries = new Map(this.#entries);
      this.#removed = 0;
    }
    this.#entries.set(key, value);
  }

  /** @returns whether it was there */
  delete(key: Key): boolean {
    const wasThere = this.#entries.delete(key);
    if (wasThere) this.#removed += 1;
    return wasThere;
  }

  clear(): void {
    this.#entries = new Map();
    this.#removed = 0;
  }

  /** What there is now. It may be changed meanwhile: what is removed is not walked over any more, and what is set not either. */
  *entries(): Generator<[Key, Value], void> {
    for (const entry of [...this.#entries]) if (this.#entries.get(entry[0]) === entry[1]) yield entry;
  }

  /** The values of {@link entries}. */
  *values(): Generator<Value, void> {
    for (const [, value] of this.entries()) yield value;
  }
}

const LEAST_REMOVED = 16;

/** Whose timer it is: told by name when it has run out. */
export interface TimerTarget<Event extends string = string> {
  readonly onTimer: (event: Event) => void;
}

/** A timer that runs. */
export interface Timer {
  /** Stops it; without effect once it has run out. */
  readonly cancel: () => void;
}

/**
 * The timers of one server. SIP starts many of few different lengths and cancels nearly all of them: those of one length stand in a
 * row, the next to run out in front, so that starting and cancelling cost the same however many there are, and one timer of the
 * clock serves each row.
 */
export type Timers = ReturnType<typeof createTimers>;

/** Makes timers on a clock. */
export function createTimers(clock: TimerClock) {
  const rows = new PassingMap<number, Row>();
  const start = <Event extends string>(delayMs: number, target: TimerTarget<Event>, event: Event): Timer => {
    let row = rows.get(delayMs);
    if (row === undefined) {
      row = new Row(delayMs, clock, () => void rows.delete(delayMs));
      rows.set(delayMs, row);
    }
    return row.add(target as TimerTarget, event);
  };
  return {
    nowMs: clock.nowMs,
    /** Starts a timer without a closure: `target.onTimer(event)` is called once, `delayMs` from now. */
    start,
    schedule: (callback: () => void, delayMs: number) => {
      const timer = start(delayMs, { onTimer: callback }, '');
      return () => timer.cancel();
    },
    /** How many run. */
    pendingTimers: () => [...rows.values()].reduce((sum, { size }) => sum + size, 0),
    cancelAll: () => {
      for (const row of rows.values()) row.clear();
      rows.clear();
    },
  };
}

class Entry implements Timer {
  readonly dueMs: number;
  readonly event: string;
  target: TimerTarget | undefined;
  row: Row;
  previous: Entry | undefined;
  next: Entry | undefined;

  constructor(row: Row, dueMs: number, target: TimerTarget, event: string) {
    this.row = row;
    this.dueMs = dueMs;
    this.target = target;
    this.event = event;
  }

  cancel(): void {
    if (this.target === undefined) return;
    this.target = undefined;
    this.row.remove(this);
  }
}

/** Timers of one length, in the order in which they run out. */
class Row {
  size = 0;
  readonly #delayMs: number;
  readonly #clock: TimerClock;
  readonly #onEmpty: () => void;
  #first: Entry | undefined;
  #last: Entry | undefined;
  #cancelWake: (() => void) | undefined;

  constructor(delayMs: number, clock: TimerClock, onEmpty: () => void) {
    this.#delayMs = delayMs;
    this.#clock = clock;
    this.#onEmpty = onEmpty;
  }

  add(target: TimerTarget, event: string): Entry {
    const nowMs = this.#clock.nowMs();
    // A clock that was set back must not put a timer in front of older ones.
    const dueMs = Math.max(nowMs + this.#delayMs, this.#last?.dueMs ?? 0);
    const entry = new Entry(this, dueMs, target, event);
    entry.previous = this.#last;
    if (this.#last === undefined) this.#first = entry;
    else this.#last.next = entry;
    this.#last = entry;
    this.size += 1;
    this.#cancelWake ??= this.#clock.schedule(() => this.#wake(), this.#delayMs);
    return entry;
  }

  remove(entry: Entry): void {
    const { previous, next } = entry;
    if (previous === undefined) this.#first = next;
    else previous.next = next;
    if (next === undefined) this.#last = previous;
    else next.previous = previous;
    entry.previous = undefined;
    entry.next = undefined;
    this.size -= 1;
    if (this.size > 0) return;
    this.clear();
    this.#onEmpty();
  }

  clear(): void {
    this.#cancelWake?.();
    this.#cancelWake = undefined;
    for (let entry = this.#first; entry !== undefined; entry = entry.next) entry.target = undefined;
    this.#first = undefined;
    this.#last = undefined;
    this.size = 0;
  }

  #wake(): void {
    const nowMs = this.#clock.nowMs();
    for (let entry = this.#first; entry !== undefined && entry.dueMs <= nowMs; entry = this.#first) {
      const { target } = entry;
      entry.cancel();
      target?.onTimer(entry.event);
    }
    if (this.#first === undefined) {
      this.#cancelWake = undefined;
      return;
    }
    this.#cancelWake = this.#clock.schedule(() => this.#wake(), Math.max(1, this.#first.dueMs - nowMs));
  }
}

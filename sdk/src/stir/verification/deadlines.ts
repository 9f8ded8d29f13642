/** Calls that wait, each for the same time at most. */
export interface Deadlines {
  /** Starts the clock for a call; `onOver` is called once, unless the call is closed before. */
  readonly open: (onOver: () => void) => OpenDeadline;
  /** Says whether the call was still waiting. */
  readonly close: (deadline: OpenDeadline) => boolean;
}

/** A call that waits, in the order of arrival; what is closed is in no list any more. */
export interface OpenDeadline {
  readonly atMs: number;
  readonly onOver: () => void;
  isOpen: boolean;
  previous: OpenDeadline | undefined;
  next: OpenDeadline | undefined;
}

/**
 * Makes deadlines that share one timer. They are over in the order in which they were opened, so the timer follows the oldest; with
 * hundreds of calls waiting, a timer for each would be a good part of what such a call costs the event loop.
 * @param budgetMs - how long each may last, milliseconds
 */
export function createDeadlines(budgetMs: number): Deadlines {
  let oldest: OpenDeadline | undefined;
  let youngest: OpenDeadline | undefined;
  let timer: NodeJS.Timeout | undefined;
  const remove = (deadline: OpenDeadline): void => {
    deadline.isOpen = false;
    if (deadline.previous === undefined) oldest = deadline.next;
    else deadline.previous.next = deadline.next;
    if (deadline.next === undefined) youngest = deadline.previous;
    else deadline.next.previous = deadline.previous;
    deadline.previous = undefined;
    deadline.next = undefined;
  };
  const ring = (): void => {
    timer = undefined;
    const nowMs = performance.now();
    for (let due = oldest; due !== undefined && due.atMs <= nowMs; due = oldest) {
      remove(due);
      due.onOver();
    }
    if (oldest !== undefined) timer = setTimeout(ring, oldest.atMs - nowMs);
  };
  return {
    open(onOver) {
      const deadline = {
        atMs: performance.now() + budgetMs,
        onOver,
        isOpen: true,
        previous: youngest,
        next: undefined,
      };
      if (youngest === undefined) oldest = deadline;
      else youngest.next = deadline;
      youngest = deadline;
      timer ??= setTimeout(ring, budgetMs);
      return deadline;
    },
    close(deadline) {
      if (!deadline.isOpen) return false;
      remove(deadline);
      if (oldest === undefined) {
        clearTimeout(timer);
        timer = undefined;
      }
      return true;
    },
  };
}

/** Resolves to undefined when the time is up. */
export type Deadline = Promise<undefined>;

/** Works with a deadline that leaves no timer behind, however the work ends. */
export async function withDeadline<T>(budgetMs: number, work: (deadline: Deadline) => Promise<T>): Promise<T> {
  let timer: NodeJS.Timeout | undefined;
  const deadline = new Promise<undefined>((resolve) => {
    timer = setTimeout(() => {
      resolve(undefined);
    }, budgetMs);
  });
  try {
    return await work(deadline);
  } finally {
    clearTimeout(timer);
  }
}

/** Waits for work as long as there is time; then for nothing. */
export async function inTime<T>(work: T | Promise<T>, deadline: Deadline, otherwise: T): Promise<T> {
  return work instanceof Promise ? ((await Promise.race([work, deadline])) ?? otherwise) : work;
}

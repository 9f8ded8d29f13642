import type { PlatformContext } from '../core/index.js';
import type { EventSource } from './event-source.js';

/** After trouble with the database it is read again after this, milliseconds. */
const RETRY_MS = 500;
/** Events that are looked at together. */
const READ_EVENTS = 500;

/** Says whom something has happened for: one reader for all streams and endpoints, since most events are for one or two of thousands. */
export interface EventTail {
  /** Calls when there is something for an organization. @returns how to stop */
  readonly listen: (organizationId: string, listener: () => void) => () => void;
  /** Calls with everybody for whom there is something. */
  readonly listenAll: (listener: (organizationIds: ReadonlySet<string>) => void) => () => void;
  readonly close: () => Promise<void>;
}

/** Begins to read from now on. */
export function createEventTail({
  source,
  context,
}: {
  readonly source: EventSource;
  readonly context: PlatformContext;
}): EventTail {
  const byOrganization = new Map<string, Set<() => void>>();
  const all = new Set<(organizationIds: ReadonlySet<string>) => void>();
  const ending = new AbortController();
  const { signal } = ending;

  const tell = (organizationIds: ReadonlySet<string>): void => {
    if (organizationIds.size === 0) return;
    for (const listener of all) listener(organizationIds);
    for (const id of organizationIds) for (const listener of byOrganization.get(id) ?? []) listener();
  };
  const follow = async (): Promise<void> => {
    let position: number | undefined;
    while (!signal.aborted) {
      try {
        position ??= await source.newestPosition();
        await source.wait(position, { signal });
        if (signal.aborted) return;
        const { events, throughPosition } = await source.read(position, { limit: READ_EVENTS });
        position = throughPosition;
        tell(new Set(events.flatMap(({ audience }) => audience)));
      } catch {
        await pause(context, RETRY_MS, signal);
      }
    }
  };
  const following = follow();
  return {
    listen: (organizationId, listener) => {
      const listeners = byOrganization.get(organizationId) ?? new Set();
      byOrganization.set(organizationId, listeners);
      listeners.add(listener);
      return () => {
        listeners.delete(listener);
        if (listeners.size === 0 && byOrganization.get(organizationId) === listeners)
          byOrganization.delete(organizationId);
      };
    },
    listenAll: (listener) => {
      all.add(listener);
      return () => void all.delete(listener);
    },
    close: async () => {
      ending.abort();
      await following;
    },
  };
}

/** Waits by the clock, or until a signal. */
export function pause({ clock }: Pick<PlatformContext, 'clock'>, delayMs: number, signal: AbortSignal): Promise<void> {
  if (signal.aborted) return Promise.resolve();
  return new Promise((resolve) => {
    const done = (): void => {
      cancel();
      signal.removeEventListener('abort', done);
      resolve();
    };
    const cancel = clock.schedule(done, delayMs);
    signal.addEventListener('abort', done, { once: true });
  });
}

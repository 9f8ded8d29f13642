import type { StoredEvent } from '../database/index.js';

/** Where events are read from. Carried out by `createEventFeed`. */
export interface EventSource {
  readonly read: (
    afterPosition: number,
    options?: { readonly limit?: number; readonly organizationId?: string },
  ) => Promise<{ readonly events: readonly StoredEvent[]; readonly throughPosition: number }>;
  readonly wait: (
    afterPosition: number,
    options?: { readonly signal?: AbortSignal; readonly timeoutMs?: number },
  ) => Promise<boolean>;
  readonly newestPosition: () => Promise<number>;
}

import pg from 'pg';
import { scheduleInBackground } from '@hopback/sdk/internal';
import { createGatheredSignals } from './gathered-signals.js';
import type { GatheredSignals } from './gathered-signals.js';

/** Channel of LISTEN and NOTIFY; it carries nothing but that there is something to read. */
const CHANNEL = 'hopback_platform';
/**
 * At most one NOTIFY in this time. It is sent after the commit and not within: commits that notify wait for each other, all of a server. A
 * process that dies before it sent one is made up for by whoever reads at intervals.
 */
const NOTIFY_EVERY_MS = 20;
/** Until a connection is tried again. */
const RECONNECT_MS = 1_000;

/** Says to this process and others that something was committed. */
export interface PostgresSignals extends Omit<GatheredSignals, 'close'> {
  readonly close: () => Promise<void>;
}

/** Makes signals over a connection of its own, which is made when it is first needed, and anew where it breaks. Never throws. */
export function createPostgresSignals(config: pg.ClientConfig): PostgresSignals {
  const gathered = createGatheredSignals();
  let client: pg.Client | undefined;
  let cancelReconnect: (() => void) | undefined;
  let cancelNotify: (() => void) | undefined;
  /** Whether something was committed since the NOTIFY that is under way. */
  let isUnsent = false;
  let connecting: Promise<void> | undefined;
  let isClosed = false;

  const again = (): void => {
    client = undefined;
    if (isClosed || cancelReconnect !== undefined) return;
    cancelReconnect = scheduleInBackground(() => {
      cancelReconnect = undefined;
      begin();
    }, RECONNECT_MS);
  };
  const connect = async (): Promise<void> => {
    const made = new pg.Client(config);
    made.on('error', () => undefined);
    made.on('end', again);
    made.on('notification', ({ processId }) => {
      // What this process says it has heard already.
      if (processId !== (made as unknown as { readonly processID: number }).processID) gathered.signal();
    });
    try {
      await made.connect();
      await made.query(`listen ${CHANNEL}`);
      client = made;
      // What was committed while nobody listened.
      gathered.signal();
    } catch {
      await made.end().catch(() => undefined);
      again();
    }
  };
  const begin = (): void => {
    if (isClosed || client !== undefined || connecting !== undefined) return;
    connecting = connect().finally(() => (connecting = undefined));
  };

  const notifySoon = (): void => {
    if (isClosed) return;
    if (cancelNotify !== undefined) {
      isUnsent = true;
      return;
    }
    isUnsent = false;
    begin();
    cancelNotify = scheduleInBackground(() => {
      // The next one is sent when the server has answered this one: under load that is how often it can be.
      void (client?.query(`notify ${CHANNEL}`) ?? Promise.resolve())
        .catch(() => undefined)
        .then(() => {
          cancelNotify = undefined;
          if (isUnsent) notifySoon();
        });
    }, NOTIFY_EVERY_MS);
  };

  return {
    signal: () => {
      gathered.signal();
      notifySoon();
    },
    onSignal: (listener) => {
      begin();
      return gathered.onSignal(listener);
    },
    count: gathered.count,
    close: async () => {
      isClosed = true;
      gathered.close();
      cancelReconnect?.();
      cancelNotify?.();
      await connecting;
      await client?.end().catch(() => undefined);
    },
  };
}

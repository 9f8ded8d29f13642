import { createHash } from 'node:crypto';
import pg from 'pg';

/** How a process learns whether it is the one of several that does something. */
export interface Leadership {
  /** Whether it is; tries to become it where nobody is. Never rejects: where the server is away, nobody is. */
  readonly isLeader: () => Promise<boolean>;
  readonly close: () => Promise<void>;
}

/** First half of the keys of locks by which processes of a platform know each other. */
export const LEADERSHIP_LOCKS = 7_236_652;

/** Second half of the key of a lock. */
export const advisoryKey = (name: string): number =>
  createHash('sha256').update(`hopback-platform ${name}`).digest().readInt32BE(0);

/** The only process that has the database. */
export const SOLE_LEADER: Leadership = { isLeader: async () => true, close: async () => undefined };

/**
 * Leadership by a lock of a session of PostgreSQL: it ends with the connection, so that another process takes over from one that died as soon as the
 * server notices. For some moments two may believe that they lead; what they do bears that.
 * @param name - of what is led
 */
export function createPostgresLeadership(config: pg.ClientConfig, name: string): Leadership {
  const key = advisoryKey(name);
  let client: pg.Client | undefined;
  let hasLock = false;
  let asking: Promise<boolean> | undefined;
  let isClosed = false;

  const letGo = (): void => {
    client = undefined;
    hasLock = false;
  };
  const ask = async (): Promise<boolean> => {
    try {
      if (client === undefined) {
        const made = new pg.Client(config);
        made.on('error', () => undefined);
        made.on('end', () => client === made && letGo());
        client = made;
        await made.connect();
      }
      // Also where it has the lock: a connection that broke does not say so before it is used.
      const statement = hasLock
        ? 'select true as won'
        : `select pg_try_advisory_lock(${LEADERSHIP_LOCKS}, ${key}) as won`;
      const { rows } = await client.query<{ readonly won: boolean }>(statement);
      hasLock = rows[0]?.won === true;
      return hasLock;
    } catch {
      const broken = client;
      letGo();
      await broken?.end().catch(() => undefined);
      return false;
    }
  };
  return {
    isLeader: () => {
      if (isClosed) return Promise.resolve(false);
      return (asking ??= ask().finally(() => (asking = undefined)));
    },
    close: async () => {
      isClosed = true;
      await asking;
      await client?.end().catch(() => undefined);
    },
  };
}

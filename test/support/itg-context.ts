import { ManualClock } from '../../sdk/src/testing/manual-clock.js';
import type { PlatformLog } from '../../harness/src/platform/core/index.js';
import { createKeyRing, createPlatformContext, createPlatformLog } from '../../harness/src/platform/database/index.js';
import type { CountedPlatformContext, KeyRing, OpenedDatabase } from '../../harness/src/platform/database/index.js';

export interface TestContext extends CountedPlatformContext {
  readonly clock: ManualClock;
  readonly keyRing: KeyRing;
  readonly logged: readonly LoggedLine[];
  readonly events: () => Promise<readonly TestEvent[]>;
  readonly audited: () => Promise<readonly TestAuditEntry[]>;
}

export interface LoggedLine {
  readonly level: string;
  readonly message: string;
  readonly details: Readonly<Record<string, unknown>>;
}

export interface TestEvent {
  readonly position: number;
  readonly type: string;
  readonly subject: string;
  readonly data: unknown;
  readonly audience: readonly string[];
}

export interface TestAuditEntry {
  readonly action: string;
  readonly organizationId: string;
  readonly actor: string;
  readonly object: string;
  readonly details: unknown;
}

export interface TestContextOptions {
  /** Of `openTestDatabase`. */
  readonly database: OpenedDatabase;
  readonly clock?: ManualClock;
  readonly keyRing?: KeyRing;
}

/** Makes a context on a database of `openTestDatabase`: a clock that stands still, new keys, a log that is kept. */
export function createTestContext(options: TestContextOptions): TestContext {
  const { database, clock = new ManualClock(), keyRing = createKeyRing() } = options;
  const logged: LoggedLine[] = [];
  const log: PlatformLog = createPlatformLog({
    clock,
    write: (line) => void logged.push(JSON.parse(line) as LoggedLine),
  });
  const context = createPlatformContext({ database, clock, masterKey: keyRing, log });
  return {
    ...context,
    clock,
    keyRing,
    logged,
    events: () =>
      database.database
        .selectFrom('core_events')
        .select(['position', 'type', 'subject', 'data', 'audience'])
        .orderBy('position')
        .execute(),
    audited: () =>
      database.database
        .selectFrom('core_audit')
        .select(['action', 'organization_id as organizationId', 'actor', 'object', 'details'])
        .orderBy('position')
        .execute(),
  };
}

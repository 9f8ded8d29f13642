import {
  DummyDriver,
  Kysely,
  PostgresAdapter,
  PostgresIntrospector,
  PostgresQueryCompiler,
  type CompiledQuery,
  type DatabaseConnection,
} from 'kysely';
import type { PlatformMigration } from '../core/index.js';

class RecordingDriver extends DummyDriver {
  readonly statements: string[] = [];

  override async acquireConnection(): Promise<DatabaseConnection> {
    return {
      executeQuery: async ({ sql, parameters }: CompiledQuery) => {
        this.statements.push(JSON.stringify([sql.replaceAll(/\s+/g, ' ').trim(), parameters]));
        return { rows: [] };
      },
      async *streamQuery() {
        // Nothing is there to be read.
      },
    };
  }
}

/**
 * The statements that a migration gives to an empty database, without running any: what it is, whichever way its code was compiled. One that
 * writes the time or a random value gives others each time; let the database make these.
 */
export async function recordedStatements(up: PlatformMigration['up']): Promise<readonly string[]> {
  const driver = new RecordingDriver();
  const database = new Kysely<unknown>({
    dialect: {
      createAdapter: () => new PostgresAdapter(),
      createDriver: () => driver,
      createIntrospector: (recording) => new PostgresIntrospector(recording),
      createQueryCompiler: () => new PostgresQueryCompiler(),
    },
  });
  await up(database);
  return driver.statements;
}

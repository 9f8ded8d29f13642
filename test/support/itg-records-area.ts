import { createRecordsArea, type RecordsArea } from '../../harness/src/platform/records/create-records-area.js';
import { recordsDefinition } from '../../harness/src/platform/records/records-tables.js';
import type { OperationCall } from '../../harness/src/platform/core/index.js';
import type { OpenedDatabase } from '../../harness/src/platform/database/index.js';
import { ManualClock } from '../../sdk/src/testing/manual-clock.js';
import { createTemporaryDirectory } from '../peers/temporary-directory.js';
import { createTestContext } from './itg-context.js';
import { openTestDatabase, type TestServer } from './itg-database.js';
import { SAMPLES_MS } from './itg-live-records.js';

/** A number of the tests, as a run of digits of its own: a random id or a digest may hold any four digits within. */
export const TEST_NUMBER = /(?<![a-z\d])\d*[ -]?\d*555[ -]?0\d*(?![a-z\d])/i;

/** The area on a database and a folder of its own. */
export type RecordsLab = Awaited<ReturnType<typeof openRecordsLab>>;

export async function openRecordsLab(server?: TestServer) {
  const directory = await createTemporaryDirectory();
  const database: OpenedDatabase = await openTestDatabase({
    definitions: [recordsDefinition],
    ...(server !== undefined && { server }),
  });
  const context = createTestContext({ database, clock: new ManualClock(SAMPLES_MS) });
  let area = await createRecordsArea(context, { directory: directory.path });
  return {
    get area() {
      return area;
    },
    ...{ context, database },
    /** Calls an operation. @returns its value, or the code of its problem */
    call: async (
      operationId: string,
      { body, parameters = {} }: { readonly body?: unknown; readonly parameters?: Readonly<Record<string, string>> },
      { organizationId = 'app-1', atMs = SAMPLES_MS } = {},
    ): Promise<unknown> => {
      const call = {
        caller: { clientId: 'client-1', organizationId, kind: 'app', scopes: ['app'], name: organizationId },
        ...{ request: { body, parameters, bytes: new Uint8Array() }, atMs },
      } as unknown as OperationCall;
      const answer = await area.operations[operationId]!(call);
      return answer.kind === 'json' ? answer.value : answer.kind === 'problem' ? answer.code : answer;
    },
    run: async (job: string, nowMs: number): Promise<void> => area.jobs.find(({ name }) => name === job)!.run(nowMs),
    /** Closes the area and opens it again. */
    reopen: async (): Promise<RecordsArea> => {
      await area.close();
      area = await createRecordsArea(context, { directory: directory.path });
      return area;
    },
    /** Every row of every table but that of what is sealed, as text. */
    everything: async (): Promise<string> => {
      const tables = ['core_events', 'core_audit', 'records_reports', 'records_untold', 'records_complaints'];
      const all: unknown[] = [];
      for (const table of [...tables, 'records_do_not_originate', 'records_holds'])
        all.push(
          await database.database
            .selectFrom(table as 'core_audit')
            .selectAll()
            .execute(),
        );
      return JSON.stringify(all);
    },
    [Symbol.asyncDispose]: async (): Promise<void> => {
      await area.close();
      await database.close();
      await directory[Symbol.asyncDispose]();
    },
  };
}

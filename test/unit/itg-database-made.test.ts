import { mkdir, readdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { sql } from 'kysely';
import { expect, test } from 'vitest';
import { openPlatformDatabase } from '../../harness/src/platform/database/index.js';
import { createTemporaryDirectory } from '../peers/temporary-directory.js';

test('a database in a folder is made once, and one that was being made when the process died is made anew', async () => {
  const folder = await createTemporaryDirectory();
  const directory = join(folder.path, 'database');
  // As a process leaves it that died while it unpacked the files.
  await mkdir(join(directory, 'pglite'), { recursive: true });
  await writeFile(join(directory, 'pglite', 'PG_VERSION'), '17\n');
  await writeFile(join(directory, 'pglite-unfinished'), '');
  {
    await using first = await openPlatformDatabase({ directory });
    await sql`create table kept (value int)`.execute(first.database);
    await sql`insert into kept values (7)`.execute(first.database);
  }
  expect(await readdir(directory)).not.toContain('pglite-unfinished');
  await using second = await openPlatformDatabase({ directory });
  const { rows } = await sql`select value from kept`.execute(second.database);
  expect(rows).toEqual([{ value: 7 }]);
  await folder.close();
});

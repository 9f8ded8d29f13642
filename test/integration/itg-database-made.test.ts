import { mkdir, readdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { sql } from 'kysely';
import { expect, test } from 'vitest';
import { openPlatformDatabase } from '../../harness/src/platform/database/index.js';
import { createTemporaryDirectory } from '../peers/temporary-directory.js';

test('a database in a folder is made once, for one process at a time, and anew where the process that made it died', async () => {
  const folder = await createTemporaryDirectory();
  const directory = join(folder.path, 'database');
  // As a process leaves it that died while it unpacked the files.
  await mkdir(join(directory, 'pglite'), { recursive: true });
  await writeFile(join(directory, 'pglite', 'PG_VERSION'), '17\n');
  await writeFile(join(directory, 'pglite-unfinished'), '');
  {
    await using first = await openPlatformDatabase({ directory });
    await expect(openPlatformDatabase({ directory })).rejects.toMatchObject({ details: { reason: 'folder-in-use' } });
    await sql`create table kept (value int)`.execute(first.database);
    await sql`insert into kept values (7)`.execute(first.database);
  }
  expect(await readdir(directory)).not.toContain('pglite-unfinished');
  await using second = await openPlatformDatabase({ directory });
  const { rows } = await sql`select value from kept`.execute(second.database);
  expect(rows).toEqual([{ value: 7 }]);
  await folder.close();
});

test('a database whose files are damaged is refused, and the folder is free again', async () => {
  await using folder = await createTemporaryDirectory();
  const directory = join(folder.path, 'database');
  await mkdir(join(directory, 'pglite'), { recursive: true });
  await writeFile(join(directory, 'pglite', 'PG_VERSION'), 'none\n');
  const refused = { code: 'storage-failed', message: expect.stringContaining('the database cannot be opened') };
  await expect(openPlatformDatabase({ directory })).rejects.toMatchObject(refused);
  await expect(openPlatformDatabase({ directory })).rejects.toMatchObject(refused);
});

test('a statement that is given to a closed database is refused, and closing again does nothing', async () => {
  const opened = await openPlatformDatabase({ memory: true });
  await opened.close();
  await opened.close();
  await expect(sql`select 1`.execute(opened.database)).rejects.toThrow();
});

test('a statement that is under way when the database is closed is answered', async () => {
  const opened = await openPlatformDatabase({ memory: true });
  await sql`create table kept (value int)`.execute(opened.database);
  const inserted = sql`insert into kept select * from generate_series(1, 50000) returning value`.execute(
    opened.database,
  );
  await new Promise((resolve) => void setImmediate(resolve));
  await opened.close();
  expect((await inserted).rows).toHaveLength(50_000);
});

test('statements one after the other leave turns to timers and connections', async () => {
  await using opened = await openPlatformDatabase({ memory: true });
  let turns = 0;
  const timer = setInterval(() => (turns += 1), 1);
  for (let done = 0; done < 500; done += 1) await sql`select ${done}::int as value`.execute(opened.database);
  clearInterval(timer);
  expect(turns).toBeGreaterThan(0);
});

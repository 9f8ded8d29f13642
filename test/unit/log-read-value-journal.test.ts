import { expect, test } from 'vitest';
import { openValueJournal, readValueJournal } from '../../sdk/src/log/index.js';
import { createSimulatedLogFiles } from '../support/simulated-log-files.js';

test('what is read beside an open journal is what was set, removals and rewriting included', async () => {
  const files = createSimulatedLogFiles();
  const journal = await openValueJournal({ directory: 'j', files });
  // Some MiB in all, so that the live values are written anew now and then.
  for (let round = 0; round < 600; round += 1)
    await journal.set(`k${String(round % 7)}`, `${String(round)} ${'x'.repeat(15_000)}`);
  await journal.set('k3', undefined);
  const operations = files.operations();
  const read = await readValueJournal('j', { files });
  expect(new Map(read)).toEqual(new Map(journal.entries()));
  expect(read.has('k3')).toBe(false);
  // Only reading: what another process has open is left alone.
  expect(files.operations()).toBeGreaterThan(operations);
  await journal.set('k1', 'after');
  await journal.close();
  expect((await readValueJournal('j', { files })).get('k1')).toBe('after');
});

test('a torn end is no end: values before it are read', async () => {
  const files = createSimulatedLogFiles();
  const journal = await openValueJournal({ directory: 'j', files });
  await journal.set('a', '1');
  await journal.set('b', '2');
  for (const [name, bytes] of files.contents()) files.replaceContent(name, Buffer.concat([bytes, Buffer.from('torn')]));
  expect(new Map(await readValueJournal('j', { files }))).toEqual(
    new Map([
      ['a', '1'],
      ['b', '2'],
    ]),
  );
});

test('where there is no journal there are no values', async () => {
  expect((await readValueJournal('/nowhere/at/all')).size).toBe(0);
});

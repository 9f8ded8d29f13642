import { mkdir, readdir, readFile, stat, symlink, writeFile } from 'node:fs/promises';
import { expect, test } from 'vitest';
import { writeWholeFile } from '../../sdk/src/core/runtime/whole-file.js';
import { testFolder } from '../support/test-folder.js';

const folder = testFolder();

test('a file is replaced, readable by its owner alone, and nothing else is left', async () => {
  const path = folder.at('file');
  await writeWholeFile(path, 'first');
  await writeWholeFile(path, new TextEncoder().encode('second'));
  expect(await readFile(path, 'utf8')).toBe('second');
  expect((await stat(path)).mode & 0o777).toBe(0o600);
  expect(await readdir(folder.path)).toEqual(['file']);
});

test('a new file does not replace one that is there, not even a link', async () => {
  const [path, planted] = [folder.at('file'), folder.at('link')];
  await writeWholeFile(path, 'first', { isNew: true });
  await symlink(path, planted);
  for (const there of [path, planted])
    await expect(writeWholeFile(there, 'second', { isNew: true })).rejects.toMatchObject({ code: 'EEXIST' });
  expect(await readFile(path, 'utf8')).toBe('first');
  expect(await readdir(folder.path)).toEqual(['file', 'link']);
});

test('a link is replaced by the file, and what it pointed at stays', async () => {
  const [path, planted] = [folder.at('file'), folder.at('link')];
  await writeFile(path, 'first');
  await symlink(path, planted);
  await writeWholeFile(planted, 'second');
  expect(await readFile(path, 'utf8')).toBe('first');
  expect((await stat(planted)).ino).not.toBe((await stat(path)).ino);
});

test('where it cannot take its place, what was there stays and nothing is left beside it', async () => {
  await mkdir(folder.at('taken', 'inner'), { recursive: true });
  await expect(writeWholeFile(folder.at('taken'), 'text')).rejects.toMatchObject({ code: 'EISDIR' });
  await expect(writeWholeFile(folder.at('missing', 'file'), 'text')).rejects.toMatchObject({ code: 'ENOENT' });
  expect(await readdir(folder.path)).toEqual(['taken']);
});

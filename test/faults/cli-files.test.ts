import { open, readdir, readFile, symlink, writeFile, type FileHandle } from 'node:fs/promises';
import { afterEach, expect, test, vi } from 'vitest';
import { nodeIo } from '../../sdk/src/cli/kit/node-io.js';
import { testFolder } from '../support/test-folder.js';

/** What all open files have their methods from. */
const handles = await (async () => {
  await using file = await open('/dev/null');
  return Object.getPrototypeOf(file) as FileHandle;
})();

/** A full disk: files can be opened, and take half of what is written to them. */
function fillDisk(): void {
  vi.spyOn(handles, 'writeFile').mockImplementation(async function (this: FileHandle, text) {
    const bytes = Buffer.from(String(text));
    await this.write(bytes.subarray(0, bytes.length / 2));
    throw Object.assign(new Error('no space left on device'), { code: 'ENOSPC' });
  });
}

const { files } = nodeIo();
const folder = testFolder();
const path = folder.at;
afterEach(() => void vi.restoreAllMocks());

const FULL = { code: 'storage-failed', message: expect.stringContaining('ENOSPC') as string };

test('a full disk leaves no half of a new file, so that the next attempt is not refused', async () => {
  fillDisk();
  await expect(files.write(path('key'), 'secret', { mode: 0o600, overwrite: false })).rejects.toMatchObject(FULL);
  expect(await readdir(folder.path)).toEqual([]);
  vi.restoreAllMocks();
  await files.write(path('key'), 'secret', { mode: 0o600, overwrite: false });
  expect(await readFile(path('key'), 'utf8')).toBe('secret');
});

test('a full disk leaves the file that was to be replaced, and nothing beside it', async () => {
  await writeFile(path('export.json'), 'good');
  fillDisk();
  await expect(files.write(path('export.json'), 'new', { mode: 0o644, overwrite: true })).rejects.toMatchObject(FULL);
  expect(await readdir(folder.path)).toEqual(['export.json']);
  expect(await readFile(path('export.json'), 'utf8')).toBe('good');
});

test('a file is replaced whole, where a link points, and a new one is made where there is none', async () => {
  await writeFile(path('real.json'), 'old, and longer');
  await symlink(path('real.json'), path('link.json'));
  for (const name of ['link.json', 'new.json']) await files.write(path(name), 'new', { mode: 0o644, overwrite: true });
  expect((await readdir(folder.path)).sort()).toEqual(['link.json', 'new.json', 'real.json']);
  for (const name of ['real.json', 'new.json']) expect(await readFile(path(name), 'utf8')).toBe('new');
});

test('a device is written to, not replaced', async () => {
  await files.write('/dev/null', 'text', { mode: 0o644, overwrite: true });
  expect(await files.read('/dev/null', 10)).toEqual(Buffer.alloc(0));
});

import * as fc from 'fast-check';
import { expect, test } from 'vitest';
import { sourceFileName } from '../../sdk/src/records/intake/intake-source.js';
import { FolderLock } from '../../sdk/src/log/index.js';
import { isHopbackError } from '../../sdk/src/errors.js';
import { testFolder } from '../support/test-folder.js';
import { forAll } from '../support/for-all.js';

const folder = testFolder();

const failure = (error: unknown): string => (isHopbackError(error) ? error.code : String(error));

test.each([
  ['pbx-1', 'pbx-1'],
  ['PBX-1', /^pbx-1~[0-9a-f]{16}$/],
  ['../../etc/passwd', /^______etc_passwd~[0-9a-f]{16}$/],
  ['..', /^__~[0-9a-f]{16}$/],
  ['-rf', /^-rf~[0-9a-f]{16}$/],
  ['a'.repeat(128), /^a{32}~[0-9a-f]{16}$/],
])('the source %s has the file name %s', (id, name) => {
  expect(sourceFileName(id)).toEqual(expect.stringMatching(name));
});

test('a file name is safe, and no two sources have the same, also where case makes no difference', () => {
  const id = fc.string({ minLength: 1, maxLength: 128, unit: 'binary' });
  forAll([id, id], 100, (one, other) => {
    expect(sourceFileName(one)).toMatch(/^[a-z0-9_-]{1,64}(?:~[0-9a-f]{16})?$/);
    if (one !== other) expect(sourceFileName(one)).not.toBe(sourceFileName(other));
    if (one !== one.toUpperCase()) expect(sourceFileName(one)).not.toBe(sourceFileName(one.toUpperCase()));
  });
});

test('a folder that cannot be made is a failure of the disk', async () => {
  const file = await folder.write('file', '');
  expect(await FolderLock.take(file, 'the spool').catch(failure)).toBe('storage-failed');
  await expect(FolderLock.take(file, 'the spool')).rejects.toThrow(/cannot be used \((?:EEXIST|ENOTDIR)\)/);
});

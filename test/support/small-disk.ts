import { spawnSync } from 'node:child_process';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect } from 'vitest';
import { peer } from '../peers.js';
import { createTemporaryDirectory } from '../peers/temporary-directory.js';

/** A file system of 4 MiB. */
export async function smallDisk() {
  const directory = await createTemporaryDirectory();
  const mounted = spawnSync(peer('tmpfs').path, ['-t', 'tmpfs', '-o', 'size=4m', 'tmpfs', directory.path], {
    encoding: 'utf8',
  });
  expect(mounted.stderr).toBe('');
  return {
    path: directory.path,
    [Symbol.asyncDispose]: async () => {
      spawnSync(peer('tmpfs').path.replace(/mount$/, 'umount'), ['-l', directory.path]);
      await directory[Symbol.asyncDispose]();
    },
  };
}

/** Leaves no block free. */
export function fillUp(path: string): void {
  for (let blocks = 1_024; blocks >= 1; blocks = Math.floor(blocks / 2)) {
    try {
      for (;;) writeFileSync(join(path, 'hog'), Buffer.alloc(4_096 * blocks), { flag: 'a' });
    } catch (error) {
      expect(error).toMatchObject({ code: 'ENOSPC' });
    }
  }
}

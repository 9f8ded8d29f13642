import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { followGuide, guidePaths } from '../house/guides.js';
import { installPackage, type InstalledPackage } from '../package/installed.js';
import { reportFault } from '../support/fault-counts.js';

// Guides are followed as a reader does: in an empty folder, with the packages as they are published.

let installed: InstalledPackage;
beforeAll(async () => {
  installed = await installPackage('harness', ['drachtio-srf']);
}, 240_000);
afterAll(() => installed?.[Symbol.asyncDispose]());

test.each(await guidePaths())(
  'every command of %s does what it says, or says why it cannot be run here',
  { timeout: 3_600_000 },
  async (path) => {
    const { ran, skipped, problems } = await followGuide(path, join(installed.folder, 'node_modules'));
    expect(problems).toEqual([]);
    if (ran + skipped > 0) reportFault('guide', { path, ran, skipped });
  },
);

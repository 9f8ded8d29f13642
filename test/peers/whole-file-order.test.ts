import { spawnSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect } from 'vitest';
import { peer, testPeer } from '../peers.js';
import { createTemporaryDirectory } from './temporary-directory.js';

testPeer(
  'strace',
  'a whole file is on the disk before it has its name, and its name before the write ends',
  async () => {
    await using folder = await createTemporaryDirectory();
    const [path, trace] = [join(folder.path, 'file'), join(folder.path, 'trace')];
    const script = `import { writeWholeFile } from '@hopback/sdk/internal/runtime';
    await writeWholeFile(${JSON.stringify(path)}, 'text');`;
    const calls = 'trace=write,pwrite64,fsync,rename,renameat,renameat2';
    const argv = ['-f', '-y', '-e', calls, '-o', trace, process.execPath, '--input-type=module', '--eval', script];
    expect(spawnSync(peer('strace').path, argv).status).toBe(0);
    const order = readFileSync(trace, 'utf8')
      .split('\n')
      .filter((line) => line.includes(folder.path) && !line.includes('resumed'))
      .map((line) => /^\d+ +([a-z]+)/.exec(line)?.[1]);
    expect(order).toEqual(['write', 'fsync', 'rename', 'fsync']);
  },
);

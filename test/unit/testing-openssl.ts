import { spawnSync } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

/** Runs openssl in a directory that holds the given files, and removes it. */
export function openssl(
  args: readonly string[],
  files: Readonly<Record<string, string | Uint8Array>>,
): { readonly status: number | null; readonly output: string } {
  const directory = mkdtempSync(join(tmpdir(), 'hopback-openssl-'));
  try {
    for (const [name, content] of Object.entries(files)) writeFileSync(join(directory, name), content);
    const { status, stdout, stderr } = spawnSync('openssl', args, { cwd: directory, encoding: 'utf8' });
    return { status, output: stdout + stderr };
  } finally {
    rmSync(directory, { recursive: true });
  }
}

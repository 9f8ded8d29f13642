import { spawnSync } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { expect, test } from 'vitest';
import { peer, type PeerName } from '../../peers.js';

const root = fileURLToPath(new URL('../../..', import.meta.url));

const runFixture = (environment: Readonly<Record<string, string>>): { code: number | null; lines: string[] } => {
  const run = spawnSync(
    process.execPath,
    ['node_modules/vitest/vitest.mjs', 'run', '--config', 'test/house/fixture/vitest.config.ts'],
    {
      cwd: root,
      encoding: 'utf8',
      env: { PATH: process.env['PATH'], ...environment },
    },
  );
  return { code: run.status, lines: run.stdout.trimEnd().split('\n') };
};

test('a run without sipp skips what needs it, says how to install it, and ends with the counts alone', () => {
  const { code, lines } = runFixture({ HOPBACK_WITHOUT_PEERS: 'sipp,openssl' });
  expect(code).toBe(0);
  expect(lines.slice(-3)).toEqual([
    'skipped 2 tests for want of openssl: apt-get install -y openssl',
    'skipped 3 tests for want of sipp: apt-get install -y sip-tester',
    expect.stringMatching(/^1 passed, 0 failed, [34] skipped$/),
  ]);
});

test('a missing peer fails the run where skips are forbidden', () => {
  const { code, lines } = runFixture({ HOPBACK_WITHOUT_PEERS: 'sipp,openssl', HOPBACK_FORBID_SKIPS: '1' });
  expect(code).toBe(1);
  expect(lines.at(-1)).toMatch(/^1 passed, 3 failed, \d+ skipped$/);
});

test('a suite whose hook throws counts as failed although none of its tests ran', () => {
  const { code, lines } = runFixture({ HOPBACK_WITHOUT_PEERS: 'sipp,openssl', HOPBACK_FIXTURE_BREAKS: '1' });
  expect(code).toBe(1);
  expect(lines.at(-1)).toMatch(/^1 passed, 1 failed, \d+ skipped$/);
});

test.each<PeerName>(['faketime', 'kamailio', 'libsecsipid', 'openssl', 'secsipidx', 'sipp'])(
  'peer %s is found with its path, or says how to install it',
  (name) => {
    const { available, path, install } = peer(name);
    expect(path !== '').toBe(available);
    expect(install).toMatch(/^apt-get install -y [a-z]/);
  },
);

import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { FIRST_OPERATOR_CLIENT } from '../../harness/src/platform/index.js';
import { privateKeyJwt } from '../../sdk/src/platform/client/private-key-jwt.js';
import { createTemporaryDirectory } from '../peers/temporary-directory.js';
import {
  detectorReady,
  registerCarrier,
  sendOrdinaryRecords,
  startCommandPlatform,
  type CommandPlatform,
} from '../support/itg-command-load.js';

/** Enough that it takes a while to hear them again. */
const RECORDS = 20_000;
const LATER = 1_000;
const OVER_MS = 600_000;

/** Keeps the largest room for new objects of the main thread in a file, MiB. */
const WATCH = (file: string): string => `
  import { writeFileSync } from 'node:fs';
  import { getHeapSpaceStatistics } from 'node:v8';
  import { isMainThread } from 'node:worker_threads';
  let largest = 0;
  const look = () => {
    const { space_size } = getHeapSpaceStatistics().find((space) => space.space_name === 'new_space');
    if (space_size <= largest) return;
    largest = space_size;
    writeFileSync(${JSON.stringify(file)}, String(largest / 1_048_576));
  };
  if (isMainThread) setInterval(look, 5).unref();
`;

/** Campaigns as staff sees them. */
async function campaignsOf(directory: string, { url }: CommandPlatform): Promise<readonly string[]> {
  const operator = await privateKeyJwt({
    ...{ tokenUrl: `${url}/oauth/token`, clientId: FIRST_OPERATOR_CLIENT, keyId: 'operator-1' },
    key: readFileSync(join(directory, 'keys', 'operator.pem'), 'utf8'),
  });
  const headers = await operator.fields({ method: 'GET', url }, AbortSignal.timeout(60_000));
  const answered = await fetch(`${url}/v1/campaigns?limit=100`, { headers });
  expect(answered.status).toBe(200);
  const { items } = (await answered.json()) as { readonly items: readonly { readonly campaignId: string }[] };
  return items.map(({ campaignId }) => campaignId).toSorted();
}

const readiness = async ({ url }: CommandPlatform): Promise<readonly [number, string]> => {
  const answered = await fetch(`${url}/readyz`);
  return [answered.status, await answered.text()];
};

test(
  'a platform that was killed answers and takes records while its detector warms up, ends then when it is asked to, and finds the same campaigns',
  { timeout: 600_000 },
  async () => {
    await using folder = await createTemporaryDirectory();
    const directory = join(folder.path, 'platform');
    const [watch, largest] = [join(folder.path, 'watch.mjs'), join(folder.path, 'largest')];
    writeFileSync(watch, WATCH(largest));
    const first = await startCommandPlatform(directory, 0, `--import=${watch}`);
    await detectorReady(first);
    expect(await readiness(first)).toEqual([200, 'ready\n']);
    const carrier = await registerCarrier(directory, first);
    await sendOrdinaryRecords(first, carrier, { from: 0, to: RECORDS, overMs: OVER_MS });
    await expect.poll(() => campaignsOf(directory, first), { timeout: 120_000 }).not.toEqual([]);
    const before = await campaignsOf(directory, first);
    // Two semi-spaces of 8 MiB, while it loads and when records come: platform-heap.test.ts.
    expect(readFileSync(largest, 'utf8')).toBe('16');
    first.kill('SIGKILL');
    await first.ended;

    await using second = await startCommandPlatform(directory, first.port);
    expect(await readiness(second)).toEqual([200, 'ready\ndetector: warming\n']);
    expect(await campaignsOf(directory, second)).toEqual(expect.arrayContaining([...before]));
    await sendOrdinaryRecords(second, carrier, { from: RECORDS, to: RECORDS + LATER, overMs: OVER_MS });
    second.kill('SIGTERM');
    expect(await second.ended).toMatchObject({ code: 0 });

    await using third = await startCommandPlatform(directory, first.port);
    expect(await readiness(third)).toEqual([200, 'ready\ndetector: warming\n']);
    third.kill('SIGTERM');
    expect(await third.ended).toMatchObject({ code: 0 });

    await using fourth = await startCommandPlatform(directory, first.port);
    await detectorReady(fourth);
    const after = await campaignsOf(directory, fourth);
    expect(after).toEqual(expect.arrayContaining([...before]));
    expect(new Set(after).size).toBe(after.length);
  },
);

import { appendFile, readFile, readdir, writeFile } from 'node:fs/promises';
import { crc32 } from 'node:zlib';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { privateKeyJwt } from '../../sdk/src/platform/index.js';
import { TestPlatform } from '../../sdk/src/testing/index.js';
import { run } from '../house/run.js';
import { runInProcess } from '../support/cli-lab.js';
import { createRecordsLab, type RecordsLab } from '../support/cli-records-lab.js';

const VECTOR = 'test/vectors/earlier-release/carrier.tar.gz';
/** The folder was written an hour ago: what waits for a platform is not too old. */
const aheadMs = Date.now() - Date.UTC(2026, 11, 7, 13);
const CLOCK = { nowMs: () => Date.now() - aheadMs };

let lab: RecordsLab;
beforeEach(async () => {
  lab = await createRecordsLab();
  const { code, output } = await run('tar', ['xzf', VECTOR, '-C', lab.path()]);
  if (code !== 0) throw new Error(output);
});
afterEach(() => lab[Symbol.asyncDispose]());

const hopback = (...args: readonly string[]) => runInProcess(args, CLOCK);
const records = (command: string, ...args: readonly string[]) =>
  hopback('records', command, '--store', lab.store, ...args);

async function tail(platform: string, bearer = 'Bearer c2VjcmV0') {
  const token = await lab.put('token', bearer.replace('Bearer ', ''));
  return records(
    ...(['tail', '--source', lab.path('pbx-1.json'), '--path', lab.path('Master.csv'), '--once'] as const),
    ...['--platform', platform, '--token-file', token, '--sharing', 'all', '--tenant', 'prv-birch'],
    ...['--pseudonym-key', lab.path('pseudonyms.hex'), '--rotation', '2026'],
  );
}

test('after an update, what an earlier release stored is found, and what waited in its spool is delivered, once', async () => {
  await using platform = await TestPlatform.start();
  const { client } = platform.credentials('prv-birch');
  const authorization = await privateKeyJwt({ ...client, tokenUrl: `${platform.baseUrl}/oauth/token` });
  const url = `${platform.baseUrl}/v1/record-batches`;
  const { authorization: bearer } = await authorization.fields({ method: 'POST', url }, AbortSignal.timeout(10_000));
  const again = await records('import', '--source', lab.path('pbx-1.json'), lab.path('Master.csv'));
  expect(again.stdout).toContain('30 rows: 30 records');
  expect((await records('stats')).stdout).toMatch(/records +30\n/);

  await appendFile(lab.path('Master.csv'), await readFile(lab.path('later.csv')));
  const tailed = await tail(url, bearer);
  expect(tailed).toMatchObject({
    exitCode: 0,
    stdout: expect.stringContaining('ended: 10 rows, 10 records') as string,
  });
  expect(platform.records()).toHaveLength(40);
  expect(platform.violations()).toEqual([]);
  expect((await records('stats')).stdout).toMatch(/records +40\n/);

  const found = await records('find', '--called', '12025550152', '--from', '2026-11-01T00:00:00Z', '--raw', '--json');
  const row = (await readFile(lab.path('Master.csv'), 'utf8')).split('\n').find((text) => text.includes('12025550152'));
  expect(found.json()).toMatchObject({ records: [{ source: { id: 'pbx-1', raw: [{ text: row }] } }] });
  expect((await records('holds')).stdout).toContain('hold-1: 1 record, matter 7');
});

test('after an update, the responder knows its requests, and the evidence proves what it proved', async () => {
  const requests = await hopback('traceback', 'list', '--responder', lab.path('tracebacks'), '--json');
  expect(requests.json()).toMatchObject({
    requests: [
      { requestId: 'tb-000002-2-e261d328a387', state: 'review' },
      { requestId: 'tb-000001-2-e261d328a387', state: 'acknowledged' },
    ],
  });
  const log = lab.path('tracebacks/evidence');
  const verified = await hopback('evidence', 'verify', log, '--key', `${log}/public-key.pem`);
  expect(verified).toMatchObject({ exitCode: 0, stdout: expect.stringContaining('1 pack checked') as string });
});

/** As a later release would write the header of the newest segment of a log. */
async function writtenLater(folder: string): Promise<{ readonly path: string; readonly bytes: Buffer }> {
  const [name = ''] = await readdir(folder);
  const path = `${folder}/${name}`;
  const bytes = await readFile(path);
  bytes.writeUInt32LE(2, 8);
  bytes.writeUInt32LE(crc32(bytes.subarray(0, 28)), 28);
  await writeFile(path, bytes);
  await writeFile(`${path.replace(/0000000001/, '0000000002')}.partial`, '');
  return { path, bytes };
}

test.each([
  ['spool/spool', () => tail('http://127.0.0.1:9/'), 4],
  ['tracebacks/journal', () => hopback('traceback', 'list', '--responder', lab.path('tracebacks')), 4],
  ['tracebacks/evidence/log', () => hopback('evidence', 'verify', lab.path('tracebacks/evidence')), 4],
])('%s of a later release is refused, and nothing of it is changed', async (folder, command, expected) => {
  const log = lab.path(folder === 'spool/spool' ? `store/${folder}` : folder);
  const { path, bytes } = await writtenLater(log);
  const names = await readdir(log);
  const { exitCode, stderr } = await command();
  expect([exitCode, stderr]).toEqual([expected, expect.stringContaining(`a later release of Hopback wrote ${path}`)]);
  expect(bytes.equals(await readFile(path))).toBe(true);
  expect(await readdir(log)).toEqual(names);
});

test('a record store of a later release is refused, and nothing of it is changed', async () => {
  await writeFile(lab.path('store/layout'), '2\n');
  const before = await readFile(lab.path('store/state.duckdb'));
  const { exitCode, stderr } = await records('stats');
  expect(exitCode).toBe(4);
  expect(stderr).toContain(`a later release of Hopback wrote the record store ${lab.store}: open it with that release`);
  expect(before.equals(await readFile(lab.path('store/state.duckdb')))).toBe(true);
});

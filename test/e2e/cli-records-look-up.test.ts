import { ManualClock } from '@hopback/sdk/testing';
import { SharedRecordStore, type CallRecord } from '@hopback/sdk/records';
import { afterAll, expect, test } from 'vitest';
import { createTemporaryDirectory } from '../peers/temporary-directory.js';
import { runInProcess, type CliRun, type RunOptions } from '../support/cli-lab.js';
import { startStoreProcess } from '../support/shared-stores.js';
import { NOON_US, sampleRecord, sparseRecord } from '../support/stored-records.js';
import { testFolder } from '../support/test-folder.js';

const HOUR_US = 3_600_000_000;
const DAY_US = 24 * HOUR_US;
const CALLED = '12155550112';

// Noon of the day after the samples.
const clock = new ManualClock((NOON_US + DAY_US) / 1_000);

const call = (legId: string, atUs: number, parts: Partial<CallRecord> = {}): CallRecord =>
  sparseRecord(legId, atUs, { called: { asWritten: `+${CALLED}`, tn: CALLED }, ...parts });

/** Both instants of 01:30 on 2026-11-01 in New York. */
const FIRST_0130_US = Date.UTC(2026, 10, 1, 5, 30) * 1_000;
const SECOND_0130_US = FIRST_0130_US + HOUR_US;

const FULL = call('full', NOON_US, {
  answeredAtUs: NOON_US + 4_000_000,
  endedAtUs: NOON_US + 66_000_000,
  calling: { asWritten: '3125550143', tn: '13125550143' },
  ingress: { trunk: 'east-1', provider: 'upstream-a', address: '192.0.2.1:5060', callId: 'in@192.0.2.1' },
  egress: { trunk: 'west-9', provider: 'downstream-b', address: '203.0.113.9:5060', callId: 'out@203.0.113.5' },
  disposition: 'answered',
  received: { verstat: 'TN-Validation-Passed', attestation: 'B', origId: '5b0a2a4f-8d3b-4b7e-9a53-0a8f9f1b6c11' },
});

const SAMPLES: readonly CallRecord[] = [
  FULL,
  call('later', NOON_US + 60_000_000),
  call('first', FIRST_0130_US, { ingress: { trunk: 'autumn' } }),
  call('second', SECOND_0130_US, { ingress: { trunk: 'autumn' } }),
  ...Array.from({ length: 5 }, (_, index) => call(`many ${index}`, NOON_US + index, { ingress: { trunk: 'many' } })),
];

const records = (args: readonly string[], options: RunOptions = {}, at = clock): Promise<CliRun> =>
  runInProcess(['records', ...args], at, { env: { HOPBACK_STORE: directory.path }, ...options });

const directory = await createTemporaryDirectory();
afterAll(directory.close);
{
  await using store = await SharedRecordStore.open({ directory: directory.path, clock });
  await store.insert(SAMPLES);
  const known = { fromUs: NOON_US - 6 * HOUR_US, toUs: NOON_US + 6 * HOUR_US };
  for (const sourceId of ['sbc-1', 'sbc-2']) await store.cover({ sourceId, ...known });
  await store.uncover({ sourceId: 'sbc-2', fromUs: NOON_US + 2 * HOUR_US, toUs: NOON_US + 3 * HOUR_US - 1 });
}

/** A folder of each test, for a store of its own. */
const own = testFolder();

async function find(...args: readonly string[]) {
  const ran = await records(['find', ...args, '--json']);
  expect(ran.stderr).toBe('');
  const document = ran.json();
  expect(document).toMatchObject({ format: 'hopback.records-find.1', exitCode: ran.exitCode });
  const found = document['records'] as readonly CallRecord[];
  return { exitCode: ran.exitCode, legs: found.map(({ legId }) => legId), document };
}

const AT_NOON = ['--at', '2026-11-02T12:00:00Z'];
const ABSENT = ['--called', '+12155550199'];
const NEW_YORK = ['--zone', 'America/New_York'];

test.each([
  ['number called', ['--called', '(215) 555-0112', '--trunk', 'east-1']],
  ['number called, in a URI', ['--called', 'sip:+12155550112@192.0.2.1;user=phone', '--trunk', 'east-1']],
  ['number calling', ['--calling', '+1 312 555 0143']],
  ['Call-ID', ['--call-id', 'out@203.0.113.5']],
  ['origid', ['--origid', '5b0a2a4f-8d3b-4b7e-9a53-0a8f9f1b6c11']],
  ['trunk', ['--trunk', 'west-9']],
  ['record id', ['--record-id', FULL.recordId.toUpperCase()]],
])('find finds a call by %s', async (_what, args) => {
  expect(await find(...args, ...AT_NOON, '--tolerance', '1m')).toMatchObject({ exitCode: 0, legs: ['full'] });
});

test.each([
  ['in UTC', ['--at', '2026-11-02T12:00:00Z', '--tolerance', '30s']],
  ['with an offset', ['--at', '2026-11-02T07:00-05:00', '--tolerance', '30s']],
  ['in a zone', ['--at', '2026-11-02 07:00:00', ...NEW_YORK, '--tolerance', '30s']],
  ['as a window', ['--from', '2026-11-02T12:00Z', '--to', '2026-11-02T12:00:30Z']],
])('find accepts a time %s', async (_form, args) => {
  expect((await find('--called', CALLED, '--trunk', 'east-1', ...args)).legs).toEqual(['full']);
});

test('find needs no time for a Call-ID, and shows all that is known of one call, in both times', async () => {
  expect(await find('--call-id', 'in@192.0.2.1')).toMatchObject({ exitCode: 0, legs: ['full'] });
  const { exitCode, stdout } = await records(['find', '--call-id', 'in@192.0.2.1', ...AT_NOON, ...NEW_YORK, '--raw']);
  expect(exitCode).toBe(0);
  for (const text of [
    '✓ 1 call found',
    '2026-11-02T12:00:00Z  2026-11-02 07:00:00 EST',
    '13125550143, written 3125550143',
    'east-1 upstream-a 192.0.2.1:5060',
    'west-9 downstream-b 203.0.113.9:5060',
    'B TN-Validation-Passed',
    '62 s',
    FULL.recordId,
    FULL.source.sha256,
    'not kept',
  ])
    expect(stdout).toContain(text);
});

test('find shows several calls as a table, and says how it read digits that may be a foreign number', async () => {
  const { stdout } = await records(['find', '--called', '2155550112', ...AT_NOON]);
  expect(stdout).toContain('✓ 7 calls found');
  expect(stdout).toMatch(/2026-11-02T12:00:00Z +13125550143 → 12155550112 +answered +62 s +B TN-Validation-Passed\n/);
  expect(stdout).toContain(`east-1 upstream-a 192.0.2.1:5060 → west-9 downstream-b 203.0.113.9:5060  ${FULL.recordId}`);
  expect(stdout).toContain('! --called was read as the North American number 12155550112');
  const { document } = await find('--called', '+44 20 7946 0000', ...AT_NOON);
  expect(document['query']).toEqual({ calledTn: '442079460000' });
});

test('find shows raw rows where the source kept them, and leaves them out of a document without --raw', async () => {
  const folder = own.path;
  const source = { ...FULL.source, raw: [{ text: '"13125550143","12155550112"\r\n' }, { base64: 'AAEC' }] };
  const store = await SharedRecordStore.open({ directory: folder, clock });
  await store.insert([{ ...FULL, source }]);
  await store.close();
  const args = ['find', '--store', folder, '--record-id', FULL.recordId];
  const shown = await records([...args, '--raw']);
  expect(shown.stdout).toContain('"13125550143","12155550112"');
  expect(shown.stdout).toContain('base64 AAEC');
  expect((await records([...args, '--raw', '--json'])).json()).toMatchObject({ records: [{ source }] });
  const without = await records([...args, '--json']);
  expect(without.json()).toMatchObject({ records: [{ source: FULL.source }] });
  expect(without.stdout).not.toContain('AAEC');
});

test('find says "not found" and 1 where every source is complete for the time', async () => {
  const { exitCode, document } = await find(...ABSENT, ...AT_NOON);
  expect(exitCode).toBe(1);
  expect(document).toMatchObject({ completeness: { isComplete: true, missing: [], sources: ['sbc-1', 'sbc-2'] } });
  const { stdout } = await records(['find', ...ABSENT, ...AT_NOON]);
  expect(stdout).toContain('✗ not found, and the store is complete for that time');
});

test('find names the missing stretch of a source, and exits with 3, where the call may have been there', async () => {
  const args = [...ABSENT, '--at', '2026-11-02T14:30:00Z'];
  const { exitCode, document } = await find(...args);
  const missing = { sourceId: 'sbc-2', from: '2026-11-02T14:00:00Z', to: '2026-11-02T14:59:59.999999Z' };
  expect(exitCode).toBe(3);
  expect(document).toMatchObject({ completeness: { isComplete: false, missing: [missing] } });
  const { stdout } = await records(['find', ...args]);
  expect(stdout).toContain('? not found, and the store is not complete for that time: the call may have been there');
  expect(stdout).toContain('? sbc-2: nothing known of 2026-11-02T14:00:00Z to 2026-11-02T14:59:59.999999Z');
  const found = await records(['find', '--trunk', 'east-1', ...AT_NOON, '--tolerance', '3h']);
  expect(found.exitCode).toBe(0);
  expect(found.stdout).toContain('! the store is not complete for that time: there may be others');
});

test('find requires completeness of all known sources, or of those that --complete-for names', async () => {
  const args = [...ABSENT, '--at', '2026-11-02T14:30:00Z'];
  expect((await find(...args, '--complete-for', 'sbc-1')).exitCode).toBe(1);
  expect((await find(...args, '--complete-for', 'sbc-1', '--complete-for', 'sbc-9')).exitCode).toBe(3);
  // On a day without any coverage no source is left out.
  const { exitCode, document } = await find(...ABSENT, '--at', '2026-10-01T00:00:00Z');
  expect(exitCode).toBe(3);
  expect(document).toMatchObject({ completeness: { missing: [{ sourceId: 'sbc-1' }, { sourceId: 'sbc-2' }] } });
});

test('find does not count the future of its window as missing, and does count what has not come in yet', async () => {
  const atEnd = new ManualClock(NOON_US / 1_000 + 6 * 3_600_000);
  const args = ['find', ...ABSENT, '--at', '2026-11-02T17:59:00Z'];
  expect((await records(args, {}, atEnd)).exitCode).toBe(1);
  expect((await records(args)).exitCode).toBe(3);
  expect((await find(...ABSENT, '--at', '2026-11-02T18:30:00Z')).exitCode).toBe(3);
});

test('find says that there are more than it shows', async () => {
  const args = ['--trunk', 'many', ...AT_NOON, '--limit', '3'];
  expect((await find(...args)).document).toMatchObject({ isCut: true });
  expect((await records(['find', ...args])).stdout).toContain('! there are more than these 3');
  expect((await find(...args.slice(0, -1), '5')).document).toMatchObject({ isCut: false });
});

test('find looks at both instants of a repeated hour, in two windows where the tolerance is short', async () => {
  const at = ['--trunk', 'autumn', '--at', '2026-11-01T01:30:00', ...NEW_YORK];
  const short = await find(...at, '--tolerance', '5m');
  expect(short.legs).toEqual(['first', 'second']);
  expect(short.document['windows']).toHaveLength(2);
  const long = await find(...at);
  expect(long.legs).toEqual(['first', 'second']);
  expect(long.document['windows']).toHaveLength(1);
  expect((await find(...at, '--tolerance', '5m', '--limit', '1')).document).toMatchObject({ isCut: true });
  expect((await records(['find', ...at, '--tolerance', '5m'])).stdout).toContain('that local time occurs twice');
  const window = ['--from', '2026-11-01T01:30:00', '--to', '2026-11-01T01:30:00', ...NEW_YORK];
  expect((await find('--trunk', 'autumn', ...window)).legs).toEqual(['first', 'second']);
});

test('find lists a call that lies in both windows once', async () => {
  const folder = own.path;
  await using store = await SharedRecordStore.open({ directory: folder, clock });
  const time = { written: 'local', resolutionUs: 1, otherInviteAtUs: SECOND_0130_US } as const;
  await store.insert([call('either', FIRST_0130_US, { time })]);
  const at = ['--at', '2026-11-01T01:30:00', ...NEW_YORK, '--tolerance', '5m'];
  expect((await find('--store', folder, '--called', CALLED, ...at)).legs).toEqual(['either']);
});

test('find says that retention has removed the records of a time', async () => {
  const folder = own.path;
  await using store = await SharedRecordStore.open({ directory: folder, clock });
  await store.cover({ sourceId: 'sbc-1', fromUs: NOON_US - HOUR_US, toUs: NOON_US + HOUR_US });
  await store.expire(NOON_US);
  for (const [at, exitCode, text] of [
    ['2026-11-02T11:00:00Z', 3, 'no longer kept: the call may have been there'],
    ['2026-11-02T12:29:59Z', 3, 'sbc-1: no longer kept'],
    ['2026-11-02T12:30:00Z', 1, 'not found'],
  ] as const) {
    const args = ['find', '--store', folder, '--called', CALLED, '--at', at, '--tolerance', '30m'];
    expect(await records(args)).toMatchObject({ exitCode, stdout: expect.stringContaining(text) });
  }
});

test.each([
  ['an hour that does not exist', ['--at', '2026-03-08T02:30:00', ...NEW_YORK], 'does not exist in America'],
  ['a time without a zone', ['--at', '2026-11-02T12:00:00'], 'does not say in which zone'],
  ['an unknown zone', ['--at', '2026-11-02T12:00:00', '--zone', 'America/Gotham'], 'no time zone'],
  ['a day that does not exist', ['--at', '2026-02-30T12:00:00Z'], 'no time'],
  ['no time', [], 'say when'],
  ['an end before the beginning', ['--from', '2026-11-02T12:00Z', '--to', '2026-11-02T11:00Z'], 'later than --to'],
  ['an end alone', ['--to', '2026-11-02T11:00Z'], '--to needs --from'],
  ['a tolerance without --at', ['--from', '2026-11-02T11:00Z', '--tolerance', '5m'], '--tolerance goes with --at'],
  ['two kinds of time', ['--at', '2026-11-02T11:00Z', '--from', '2026-11-02T11:00Z'], 'not both'],
  ['an invalid tolerance', [...AT_NOON, '--tolerance', '5 minutes'], 'not a duration'],
  ['a limit out of bounds', [...AT_NOON, '--limit', '10001'], '--limit must be'],
])('find refuses %s', async (_what, args, text) => {
  const { exitCode, stderr, stdout } = await records(['find', '--called', CALLED, ...args]);
  expect({ exitCode, stdout }).toEqual({ exitCode: 2, stdout: '' });
  expect(stderr).toContain(text);
});

test('find refuses a query without a key, an invalid number and an invalid id', async () => {
  for (const args of [[], ['--called', 'alice'], ['--record-id', '12']])
    expect((await records(['find', ...args, ...AT_NOON])).exitCode).toBe(2);
});

test('every command refuses a folder without a store', async () => {
  const absent = directory.at('absent');
  for (const command of ['find --trunk x --at 2026-11-02T12:00Z', 'coverage', 'stats', 'holds', 'expire']) {
    const { exitCode, stderr } = await records([...command.split(' '), '--store', absent]);
    expect(exitCode).toBe(4);
    expect(stderr).toContain('is no record store');
  }
  const { exitCode, stderr } = await records(['stats'], { env: {} });
  expect(exitCode).toBe(2);
  expect(stderr).toContain('HOPBACK_STORE');
});

test('coverage draws a bar for each source and lists what is missing', async () => {
  const { exitCode, stdout } = await records(['coverage']);
  expect(exitCode).toBe(3);
  expect(stdout).toContain('✓ sbc-1: complete');
  expect(stdout).toContain('? sbc-2: 1 stretch missing');
  expect(stdout).toContain('missing   2026-11-02T14:00:00Z to 2026-11-02T14:59:59.999999Z');
  expect(stdout).toMatch(/\n {2}█{78}\n {2}2026-11-02 06:00 +2026-11-02 18:00\n/);
  expect(stdout).toMatch(/\n {2}█+▒?░+▒?█+\n/);
});

test('coverage of a window and of named sources exits with 0 where nothing is missing', async () => {
  const [from, to] = ['2026-11-02T08:00:00Z', '2026-11-02T16:00:00Z'];
  const window = ['--from', from, '--to', to];
  const one = await records(['coverage', ...window, '--id', 'sbc-1', '--json']);
  expect(one.exitCode).toBe(0);
  expect(one.json()).toMatchObject({
    ...{ format: 'hopback.records-coverage.1', window: { from } },
    sources: [{ sourceId: 'sbc-1', intervals: [{ from, to }], gaps: [] }],
  });
  expect((await records(['coverage', ...window, '--id', 'sbc-9'])).exitCode).toBe(3);
  expect((await records(['coverage', '--id', 'sbc-9'])).exitCode).toBe(2);
});

test('stats counts what the store holds', async () => {
  const ran = await records(['stats', '--json']);
  expect(ran.exitCode).toBe(0);
  expect(ran.json()).toMatchObject({
    ...{ format: 'hopback.records-stats.1', records: SAMPLES.length, partitions: 2 },
    ...{ oldest: '2026-11-01T05:30:00Z', newest: '2026-11-02T12:01:00Z' },
  });
  expect((await records(['stats'])).stdout).toMatch(/records +9\n/);
});

test('hold, holds, expire and release keep a call as long as it is wanted, and record who wanted it', async () => {
  const folder = own.path;
  const moving = new ManualClock(clock.nowMs());
  const run = (...args: readonly string[]): Promise<CliRun> => records([...args, '--store', folder], {}, moving);
  const store = await SharedRecordStore.open({ directory: folder, clock });
  await store.insert(SAMPLES);
  await store.close();
  const query = ['--trunk', 'east-1', ...AT_NOON];

  expect((await run('hold', ...query)).exitCode).toBe(2);
  expect((await run('hold', ...query, '--reason', 'x', '--until', '2026-01-01T00:00Z')).exitCode).toBe(2);
  expect((await run('hold', '--trunk', 'none', ...AT_NOON, '--reason', 'x')).exitCode).toBe(1);
  const why = ['--reason', 'demand 7', '--by', 'counsel', '--until', '2027-11-02T00:00Z'];
  const held = await run('hold', ...query, ...why, '--json');
  expect(held.exitCode).toBe(0);
  expect(held.json()).toMatchObject({ format: 'hopback.records-hold.1', holds: [{ count: 1, reason: 'demand 7' }] });
  const [{ holdId } = { holdId: '' }] = held.json()['holds'] as readonly { readonly holdId: string }[];
  expect((await run('holds')).stdout).toContain(`${holdId}: 1 record, demand 7`);

  expect((await run('expire', '--older-than', '36h')).exitCode).toBe(2);
  expect((await run('expire', '--older-than', '1d', '--json')).json()).toMatchObject({
    ...{ format: 'hopback.records-expire.1', before: '2026-11-02T12:00:00Z', removed: 2 },
  });
  moving.advance(86_400_000);
  expect((await run('expire', '--older-than', '1d')).stdout).toContain('✓ 7 calls removed');
  expect((await run('find', ...query)).exitCode).toBe(0);

  expect((await run('release', holdId)).exitCode).toBe(2);
  expect((await run('release', 'hold-99', '--reason', 'none')).exitCode).toBe(1);
  expect((await run('release', holdId, '--reason', 'answered')).exitCode).toBe(0);
  expect((await run('expire')).stdout).toContain('✓ 0 calls removed');
  expect((await run('find', ...query)).exitCode).toBe(3);
  expect((await run('holds')).stdout).toContain('no hold is in force');
  const audit = await run('holds', '--audit');
  expect(audit.stdout).toMatch(/held +hold-1, 1 record by counsel: demand 7\n.*released +hold-1, 1 record: answered\n/);
});

test('every command works while another process has the store open', async () => {
  const folder = own.path;
  const tail = await startStoreProcess(folder, 20);
  const run = (...args: readonly string[]): Promise<CliRun> => records([...args, '--store', folder]);
  const { recordId } = sampleRecord(3, NOON_US + 3);
  expect((await run('find', '--record-id', recordId)).exitCode).toBe(0);
  expect((await run('stats', '--json')).json()).toMatchObject({ records: 20 });
  expect((await run('coverage')).stdout).toContain('not complete for any time');
  expect((await run('hold', '--record-id', recordId, '--reason', 'demand 8')).exitCode).toBe(0);
  expect((await run('release', 'hold-1', '--reason', 'done')).exitCode).toBe(0);
  await tail.kill();
  expect((await run('find', '--record-id', recordId)).exitCode).toBe(0);
});

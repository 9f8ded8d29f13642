import { spawnSync } from 'node:child_process';
import { statSync } from 'node:fs';
import { appendFile, chmod, mkdir, readdir, rm, stat, symlink, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { gzipSync } from 'node:zlib';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { TestPki } from '../../sdk/src/testing/test-pki.js';
import { testPeer } from '../peers.js';
import { createCliLab } from '../support/cli-lab.js';
import { ASTERISK_SOURCE, asteriskRow, createRecordsLab, type RecordsLab } from '../support/cli-records-lab.js';
import { proxySample, sendPackets } from '../support/hep-packets.js';
import { isEnded, writeOld } from '../support/packed-records.js';
import { startRecordReceiver } from '../support/record-receiver.js';
import { fillUp, smallDisk } from '../support/small-disk.js';

const KEY = 'a1'.repeat(32);

let lab: RecordsLab;
beforeEach(async () => {
  lab = await createRecordsLab();
});
afterEach(() => lab[Symbol.asyncDispose]());

const rows = (from: number, to: number): string =>
  Array.from({ length: to - from }, (_, at) => `${asteriskRow(from + at)}\n`).join('');

/** A source that names its file itself where it has one. */
const asterisk = (path?: string): Promise<string> =>
  lab.putJson('pbx-1.json', { ...ASTERISK_SOURCE, ...(path !== undefined && { path: lab.path(path) }) });

/** A command of the group on the store of the lab. */
const records = (command: string, ...args: readonly string[]): readonly string[] => [
  ...['records', command, '--store', lab.store, ...args],
];
const importOf = async (...files: readonly string[]): Promise<readonly string[]> =>
  records('import', '--source', await asterisk(), ...files);
const tailOf = async (file: string, ...args: readonly string[]): Promise<readonly string[]> =>
  records('tail', '--source', await asterisk(), '--path', file, ...args);

/** Writes a file that a switch finished an hour ago. */
async function putOld(name: string, content: string | Uint8Array): Promise<string> {
  await writeOld(lab.path(name), Buffer.from(content));
  return lab.path(name);
}

/** Octets of the files in a folder; 0 where there is none. */
async function sizeOf(folder: string): Promise<number> {
  const names = await readdir(folder).catch(() => []);
  const sizes = names.map((name) =>
    stat(`${folder}/${name}`).then(
      ({ size }) => size,
      () => 0,
    ),
  );
  return (await Promise.all(sizes)).reduce((sum, size) => sum + size, 0);
}

async function sharingArgs(): Promise<readonly string[]> {
  const key = await lab.put('pseudonym.key', `${KEY}\n`);
  return ['--pseudonym-key', key, '--rotation', '2026-11', '--tenant', 'carrier 1'];
}

async function platformArgs(url: string): Promise<readonly string[]> {
  return ['--platform', url, '--token-file', await lab.put('token', 'c2VjcmV0\n'), ...(await sharingArgs())];
}

test('an import says of each file what became of it, and a second one adds nothing', async () => {
  const whole = await lab.put('1.csv', `${rows(0, 50)}not a row\n`);
  const packed = gzipSync(rows(50, 5_000));
  const cut = await lab.put('2.csv.gz', packed.subarray(0, packed.length - 100));
  const args = await importOf(whole, cut, lab.path('absent.csv'));
  const first = await lab.run(args);
  expect(first.exitCode).toBe(1);
  expect(first.stdout).toContain('1.csv: 51 rows: 50 records, 0 skipped, 1 rejected');
  expect(first.stdout).toContain('2.csv.gz: damaged');
  expect(first.stdout).toContain('absent.csv: unreadable (ENOENT)');
  expect(first.stdout).toMatch(/rejected too-few-fields +1/);
  const again = (await lab.run([...args, '--json'])).json();
  expect(again).toMatchObject({ inserted: 0, repeated: again['records'], rejected: 1, isStopped: false });
  expect(await lab.stored()).toBe(again['records']);
});

test('an import on a terminal draws one line, and elsewhere writes nothing beside its answer', async () => {
  const args = await importOf(await lab.put('1.csv', rows(0, 100)));
  const { stderr } = await lab.run(args, { isTty: true });
  expect(stderr).toContain('\r\u001b[K\u001b[?7lfile 1 of 1, 100 %');
  expect(stderr.endsWith('\r\u001b[K')).toBe(true);
  expect((await lab.run(args)).stderr).toBe('');
});

test('an import that is stopped says so and keeps what it read', async () => {
  const args = await importOf(await lab.put('1.csv', rows(0, 100)));
  const { exitCode, stdout } = await lab.run(args, { stop: AbortSignal.abort() });
  expect(exitCode).toBe(1);
  expect(stdout).toContain('! stopped before the end');
  expect((await lab.run(args)).exitCode).toBe(0);
});

test('what an import makes is for its user alone, also in a folder that others can read', async () => {
  await mkdir(lab.store, { mode: 0o755 });
  const args = await importOf(await lab.put('1.csv', rows(0, 3)));
  expect(await lab.start(args).ended()).toBe(0);
  const found = await readdir(lab.store, { recursive: true, withFileTypes: true });
  const open = found.filter((entry) => (statSync(join(entry.parentPath, entry.name)).mode & 0o077) !== 0);
  expect(found.map(({ name }) => name)).toContain('state.duckdb');
  expect(open.map(({ name }) => name)).toEqual([]);
});

test('a selection of rows says nothing about what is not among them, and a source without any is known', async () => {
  const day = await lab.put('day.csv', rows(0, 600));
  const source = ['--source', await lab.putJson('pbx-1.json', { ...ASTERISK_SOURCE, longestCallMs: 1_000 })];
  const coverage = async (): Promise<unknown> => {
    const { sources } = (await lab.run(records('coverage', '--json'))).json();
    return (sources as readonly { readonly intervals: readonly unknown[] }[]).map(({ intervals }) => intervals.length);
  };
  const bad = await lab.put('bad.csv', 'not a row\n');
  const other = ['--id', 'pbx-9', '--format', 'asterisk-cdr', '--zone', 'utc', '--keep-raw'];
  await lab.run(records('import', ...source, '--partial', day));
  expect(await coverage()).toEqual([0]);
  await lab.run(records('import', ...other, bad));
  await lab.run(records('import', ...source, day));
  expect(await coverage()).toEqual([1, 0]);
});

test.each<readonly [string, readonly string[], unknown, string]>([
  ['a member that nobody knows', [], { ...ASTERISK_SOURCE, tz: 'utc' }, 'there is no member tz'],
  ['a zone that does not exist', [], { ...ASTERISK_SOURCE, time: { zone: 'Mars/Base' } }, 'Mars/Base'],
  ['two ways to name the source', ['--id', 'x'], ASTERISK_SOURCE, 'leave out --id'],
  [
    'captured signalling',
    [],
    { ...ASTERISK_SOURCE, format: 'hep', ownAddresses: ['192.0.2.1'], listen: { udp: { host: '127.0.0.1', port: 0 } } },
    'comes over the network',
  ],
])('import refuses %s before it opens the store', async (_, args, source, message) => {
  const file = await lab.putJson('source.json', source);
  const { exitCode, stderr } = await lab.run(records('import', '--source', file, ...args, lab.path('x.csv')));
  expect({ exitCode, message: stderr.includes(message) ? message : stderr }).toEqual({ exitCode: 2, message });
  expect((await lab.run(records('rejects'))).stdout).toBe('✓ no row was rejected\n');
});

test('what a tail with --json prints are lines, its failure included', async () => {
  await lab.put('store', 'a file');
  const { stdout, exitCode } = await lab.run(await tailOf('x', '--json'));
  expect(exitCode).toBe(4);
  const lines = stdout.trimEnd().split('\n');
  expect(lines.map((line) => JSON.parse(line))).toMatchObject([{ format: 'hopback.error.1', exitCode: 4 }]);
});

test('a source file that is no JSON ends with 2, and its content is in no message', async () => {
  const file = await lab.put('source.json', 'secret words');
  const { exitCode, stderr } = await lab.run(records('import', '--source', file, 'x.csv'));
  expect(exitCode).toBe(2);
  expect(stderr).not.toContain('secret');
});

/** Paths at which no store can be opened, and the reason that the system gives. */
const UNUSABLE: readonly (readonly [string, () => Promise<string>, RegExp])[] = [
  ['below /proc, which takes no folder', async () => '/proc/hopback', /ENOENT/],
  ['deep below /proc', async () => '/proc/hopback/a/store', /ENOENT/],
  ['a file', () => lab.put('store', ''), /EEXIST/],
  ['below a file', async () => `${await lab.put('store', '')}/below`, /ENOTDIR/],
  ['a device', async () => '/dev/null', /EEXIST/],
  [
    'below a link that leads to itself',
    async () => {
      await symlink('loop', lab.path('loop'));
      return lab.path('loop/store');
    },
    /ELOOP/,
  ],
  ['a name that is too long', async () => lab.path('n'.repeat(300)), /ENAMETOOLONG/],
  [
    'one whose state is a folder',
    async () => {
      await mkdir(`${lab.store}/state.duckdb`, { recursive: true });
      return lab.store;
    },
    /EISDIR/,
  ],
  [
    'one whose state is something else',
    async () => {
      await mkdir(lab.store);
      await lab.put('store/state.duckdb', 'x'.repeat(10_000));
      return lab.store;
    },
    /not a valid DuckDB database file/,
  ],
  [
    'one whose rejects cannot be written',
    async () => {
      await mkdir(lab.store);
      await lab.put('store/rejects', '');
      return lab.store;
    },
    /EEXIST/,
  ],
];

describe.each(UNUSABLE)('a store that is %s', (_, unusable, reason) => {
  test.each([
    ['import', (source: string, file: string) => ['--source', source, file]],
    ['tail', (source: string, file: string) => ['--source', source, '--path', file, '--once']],
  ])('ends records %s at once with 4, and is named with the reason', async (command, args) => {
    const store = await unusable();
    const running = lab.run([
      ...['records', command, '--store', store],
      ...args(await asterisk(), await lab.put('1.csv', rows(0, 1))),
    ]);
    expect(await isEnded(running)).toBe(true);
    const { exitCode, stderr } = await running;
    expect({ exitCode, stderr }).toEqual({ exitCode: 4, stderr: expect.stringMatching(reason) });
    expect(stderr).toContain(store);
  });
});

testPeer(
  'tmpfs',
  'an import onto a disk that is full or read-only ends with 4, and names the store and the reason',
  async () => {
    await using disk = await smallDisk();
    const store = join(disk.path, 'store');
    const file = await lab.put('1.csv', rows(0, 5_000));
    const args = ['records', 'import', '--store', store, '--source', await asterisk(), file];
    fillUp(disk.path);
    const full = await lab.run(args);
    expect([full.exitCode, full.stderr]).toEqual([4, expect.stringContaining('ENOSPC')]);
    expect(full.stderr).toContain(store);
    await rm(join(disk.path, 'hog'));
    spawnSync('mount', ['-o', 'remount,ro', disk.path]);
    const readOnly = await lab.run(args);
    expect([readOnly.exitCode, readOnly.stderr]).toEqual([4, expect.stringContaining('EROFS')]);
    expect(readOnly.stderr).toContain(store);
  },
);

test('rejects are listed by source, with their bytes where they are asked for', async () => {
  const file = await lab.put('1.csv', `${rows(0, 2)}bad \u001b[31mrow\n${rows(2, 3)}`);
  await lab.run(await importOf(file));
  const list = records('rejects');
  const plain = (await lab.run(list)).stdout;
  expect(plain).toContain('! 1 rejected row\n  too-few-fields           1\n');
  expect(plain).toContain('1.csv:3: too-few-fields');
  expect(plain).not.toContain('bad');
  const withBytes = (await lab.run([...list, '--bytes', '--id', 'pbx-1'])).stdout;
  expect(withBytes).toContain('bad \ufffd[31mrow');
  expect((await lab.run([...list, '--id', 'other', '--json'])).json()).toMatchObject({ count: 0, rows: [] });
});

test('a preview shows what the platform then gets, and stores and sends nothing', async () => {
  const source = await asterisk();
  const file = await lab.put('1.csv', rows(0, 5));
  const sharing = [...(await sharingArgs()), '--sharing', 'suspicious'];
  const preview = await lab.run(['records', 'preview', '--source', source, ...sharing, '--json', file]);
  expect(preview.exitCode).toBe(0);
  const { previews, shared } = preview.json() as {
    shared: number;
    previews: readonly { sent: { recordId: string }; members: readonly { member: string; treatment: string }[] }[];
  };
  expect(shared).toBe(5);
  expect(previews[0]?.members).toContainEqual(
    expect.objectContaining({ member: 'called.tn', treatment: 'pseudonym', rule: 'called-number-veiled' }),
  );
  const text = (await lab.run(['records', 'preview', '--source', source, ...sharing, '--limit', '1', file])).stdout;
  expect(text).toContain(JSON.stringify(previews[0]?.sent));
  expect(text).toContain('5 would be sent, 0 would stay');
  await using receiver = await startRecordReceiver();
  expect((await lab.run(await tailOf(file, '--once', ...(await platformArgs(receiver.url))))).exitCode).toBe(0);
  expect([...(await receiver.ids())].sort()).toEqual(previews.map(({ sent }) => sent.recordId).sort());
});

test('a preview without a key says so, and a policy file decides about members', async () => {
  const policy = await lab.putJson('policy.json', { id: 'ours-1', members: { suspicious: { calling: 'dropped' } } });
  const file = await lab.put('1.csv', rows(0, 1));
  const args = ['records', 'preview', '--source', await asterisk(), '--sharing', policy, file];
  const { stdout } = await lab.run(args);
  expect(stdout).toContain('a temporary key');
  expect(stdout).toMatch(/withheld +calling\.tn/);
  await lab.putJson('policy.json', { id: 'ours-1', members: { suspicious: { caller: 'dropped' } } });
  expect((await lab.run(args)).stderr).toContain('there is no member members.suspicious.caller');
});

test('keys and tokens that every user can read are refused, and stand in no message', async () => {
  const args = await tailOf(lab.path('x'), '--once', ...(await platformArgs('https://127.0.0.1:9/v1/records')));
  await chmod(lab.path('pseudonym.key'), 0o644);
  const open = await lab.run(args);
  expect([open.exitCode, open.stderr]).toEqual([4, expect.stringContaining('chmod 600')]);
  expect(open.stderr + open.stdout).not.toContain(KEY);
  await chmod(lab.path('pseudonym.key'), 0o600);
  await writeFile(lab.path('pseudonym.key'), 'too short');
  const short = await lab.run(args);
  expect([short.exitCode, short.stderr]).toEqual([4, expect.stringContaining('64 hexadecimal digits')]);
  expect(short.stderr).not.toContain('too short');
});

test.each<readonly [string, readonly string[], string]>([
  ['sharing without a platform', ['--sharing', 'all'], 'of no use without --platform'],
  ['a platform without a token', ['--platform', 'https://127.0.0.1:9/'], '--token-file'],
  ['an operand', ['x.csv'], 'no operand'],
  ['zero days of retention', ['--retention-days', '0'], '--retention-days'],
])('tail refuses %s with 2', async (_, args, message) => {
  const { exitCode, stderr } = await lab.run(await tailOf('x', ...args));
  expect({ exitCode, stderr }).toEqual({ exitCode: 2, stderr: expect.stringContaining(message) });
});

test('a growing file is followed over four kills to a platform behind a private CA: every call once, in store and platform', async () => {
  const pki = new TestPki();
  const server = pki.issueTls({ addresses: ['127.0.0.1'] });
  const files = [await lab.put('tls.key', server.privateKeyPem), await lab.put('tls.pem', server.chainPem)];
  const ca = await lab.put('ca.pem', pki.tlsRoot.certificatePem);
  await using receiver = await startRecordReceiver(files);
  await receiver.control({ faultRate: 0.2, seed: 5 });
  const cdr = await lab.put('Master.csv', rows(0, 500));
  const args = await tailOf(cdr, '--json', ...(await platformArgs(receiver.tlsUrl)), '--platform-ca', ca);
  let written = 500;
  const grow = async (count: number): Promise<void> => {
    await appendFile(cdr, rows(written, written + count));
    written += count;
  };
  // Killed when the store, the spool, the place in the file, and the position of the stream have just been written to.
  for (const folder of ['days', 'spool/spool', 'follow/pbx-1/places', 'spool/values']) {
    await grow(1_500);
    const before = await sizeOf(`${lab.store}/${folder}`);
    const command = lab.start(args);
    const grown = (async () => {
      for (let turn = 0; turn < 10; turn += 1) await grow(50);
    })();
    while ((await sizeOf(`${lab.store}/${folder}`)) <= before) expect(command.hasEnded()).toBe(false);
    await Promise.all([command.end('SIGKILL'), grown]);
  }
  await receiver.control({ faultRate: 0 });
  const last = lab.start([...args, '--once']);
  expect(await last.ended()).toBe(0);
  const { distinct } = await receiver.report();
  expect({ written, distinct, stored: await lab.stored() }).toEqual({ written, distinct: written, stored: written });
}, 120_000);

test('SIGTERM ends a tail cleanly: what was read is stored, and the next one goes on behind it', async () => {
  const args = records('tail', '--source', await asterisk('Master.csv'), '--json');
  const first = lab.start(args);
  await first.until((line) => line.includes('"waiting-for-file"'));
  await lab.put('Master.csv', rows(0, 10));
  await first.until((line) => line.includes('"inserted":10'));
  expect(await first.end('SIGTERM')).toBe(0);
  expect(JSON.parse(first.lines().at(-1) ?? '')).toMatchObject({ isEnded: true, exitCode: 0 });
  await appendFile(lab.path('Master.csv'), rows(10, 15));
  const second = await lab.run([...args, '--once']);
  expect(second.stdout).toContain('"rows":5,"records":5,"skipped":0,"rejected":0,"inserted":5');
});

test('--once takes in rotated and packed files as well, and says what it could not', async () => {
  const args = records('tail', '--source', await asterisk('Master.csv'), '--once');
  await putOld('Master.csv.2.gz', gzipSync(rows(0, 10)));
  await putOld('Master.csv.1', rows(10, 20).trimEnd());
  await lab.put('Master.csv', `${rows(20, 25)}"half`);
  const first = await lab.run(args);
  expect([first.exitCode, await lab.stored()]).toEqual([0, 25]);
  expect(first.stdout).toContain('· 5 octets at the end of files: an incomplete line, not yet a row');
  // One that has just come may still be being packed.
  await lab.put('Master.csv.3.gz', gzipSync(rows(30, 40)));
  const second = await lab.run(args);
  expect([second.exitCode, await lab.stored()]).toEqual([1, 25]);
  expect(second.stdout).toContain('! 1 file not read');
  expect((await lab.run([...args, '--json'])).stdout).toContain('"unreadFiles":1');
  // One of long ago that is cut off: what can be unpacked is taken in, and the rest is missed.
  await putOld('Master.csv.3.gz', gzipSync(rows(30, 40)).subarray(0, -12));
  const third = await lab.run(args);
  expect([third.exitCode, third.stdout.includes('cannot be unpacked')]).toEqual([1, true]);
});

test('random octets named .gz are reported as no gzip once, by an import and by a tail, and nothing of them is rejected', async () => {
  const random = Buffer.alloc(100_000);
  // Every octet occurs, and it is the same in each run.
  for (let at = 0; at < random.length; at += 1) random[at] = (at * 7_919 + (at >> 8) * 104_729 + 5) & 0xff;
  const source = ['--source', await asterisk('Master.csv'), '--json'];
  await lab.put('Master.csv', rows(0, 5));
  const file = await putOld('Master.csv.1.gz', random);
  const imported = await lab.run(records('import', ...source, file));
  expect([imported.exitCode, imported.json()]).toMatchObject([1, { rejected: 0, files: [{ status: 'not-gzip' }] }]);
  const tail = records('tail', ...source, '--once');
  const first = await lab.run(tail);
  const notices = first.stdout.split('\n').filter((line) => line.includes('"kind":"not-gzip"'));
  expect([first.exitCode, notices.length]).toEqual([1, 1]);
  expect(first.stdout).toContain('"rows":5,"records":5,"skipped":0,"rejected":0');
  // It was told of, and is not looked at again until somebody writes to it.
  expect(await lab.run(tail)).toMatchObject({ exitCode: 0 });
  await putOld('Master.csv.1.gz', gzipSync(rows(5, 9)));
  expect(await lab.run(tail)).toMatchObject({ exitCode: 0 });
  expect(await lab.stored()).toBe(9);
});

test.each<readonly [string, (packed: Buffer) => Buffer, number, string | undefined]>([
  ['cut in the middle', (packed) => packed.subarray(0, packed.length - 5_000), 2_500, 'gzip-truncated'],
  [
    'followed by text',
    (packed) => Buffer.concat([packed, Buffer.from('left by a script\n')]),
    3_000,
    'gzip-trailing-octets',
  ],
  ['padded with zeros', (packed) => Buffer.concat([packed, Buffer.alloc(512)]), 3_000, undefined],
  ['of two members', (packed) => Buffer.concat([packed, gzipSync(rows(3_000, 3_100))]), 3_100, undefined],
  [
    'of two members and text',
    (packed) => Buffer.concat([packed, gzipSync(rows(3_000, 3_100)), Buffer.from('x')]),
    3_100,
    'gzip-trailing-octets',
  ],
])(
  'of a packed file that is %s every row that is whole is taken in, and the fault is told once',
  async (_, change, stored, fault) => {
    const source = ['--source', await asterisk('Master.csv'), '--json'];
    const file = await putOld('Master.csv.1.gz', change(gzipSync(rows(0, 3_000))));
    await lab.put('Master.csv', '');
    const { exitCode, stdout } = await lab.run(records('tail', ...source, '--once'));
    const notices = stdout.split('\n').filter((line) => line.includes('-notice.1'));
    expect([exitCode, notices.length]).toEqual(fault === undefined ? [0, 0] : [1, 1]);
    const count = await lab.stored();
    expect(count).toBeGreaterThanOrEqual(stored);
    if (fault !== 'gzip-truncated') expect(count).toBe(stored);
    expect(stdout).toContain('"rejected":0,');
    const again = await lab.run(records('import', ...source, file));
    expect(again.json()).toMatchObject({
      inserted: 0,
      repeated: count,
      files: [fault === undefined ? { status: 'imported' } : { status: 'damaged', cause: ` (${fault})` }],
    });
  },
);

test('a platform whose certificate nobody vouches for gets nothing; the records wait, and are sent once it is trusted', async () => {
  const pki = new TestPki();
  const server = pki.issueTls({ addresses: ['127.0.0.1'] });
  const files = [await lab.put('tls.key', server.privateKeyPem), await lab.put('tls.pem', server.chainPem)];
  await using receiver = await startRecordReceiver(files);
  const cdr = await lab.put('Master.csv', rows(0, 20));
  const args = await tailOf(cdr, '--once', '--json', ...(await platformArgs(receiver.tlsUrl)));
  const untrusted = await lab.run([...args, '--drain-seconds', '1']);
  expect(untrusted.exitCode).toBe(4);
  expect(untrusted.stdout).toContain('"platform":"connection-failed');
  expect((await receiver.report()).distinct).toBe(0);
  const ca = await lab.put('ca.pem', pki.tlsRoot.certificatePem);
  expect((await lab.run([...args, '--platform-ca', ca])).exitCode).toBe(0);
  expect((await receiver.report()).distinct).toBe(20);
});

test('records older than retention go when a tail starts', async () => {
  await lab.run(await importOf(await lab.put('1.csv', rows(0, 10))));
  const tail = await tailOf(await lab.put('Master.csv', ''), '--once');
  await lab.run(tail);
  expect(await lab.stored()).toBe(10);
  const days = Math.max(1, Math.floor((Date.now() - Date.UTC(2026, 10, 2)) / 86_400_000) - 1);
  const { stdout } = await lab.run([...tail, '--retention-days', String(days)]);
  expect(stdout).toContain(`10 records were older than ${String(days)} days`);
  expect(await lab.stored()).toBe(0);
});

test('captured signalling is listened to, and its calls are in the store after Ctrl-C', async () => {
  const sample = proxySample();
  const listen = { udp: { host: '127.0.0.1', port: 0 }, lingerUs: 1_000 };
  const source = await lab.putJson('proxy.json', { ...sample.source, listen });
  const tail = lab.start(records('tail', '--source', source, '--json'));
  const port = Number(/port (\d+)/.exec(await tail.until((line) => line.includes('"listening"')))?.[1]);
  await sendPackets(port, sample.packets);
  await tail.until((line) => line.includes(`"rows":${String(sample.packets.length)},`));
  expect(await tail.end('SIGINT')).toBe(0);
  expect(await lab.stored()).toBeGreaterThan(5);
});

test('dead letters are listed, put back one by one, given up, and left alone while a tail has the spool', async () => {
  await using receiver = await startRecordReceiver();
  const source = await asterisk();
  const cdr = await lab.put('Master.csv', rows(0, 6));
  const preview = await lab.run(['records', 'preview', '--source', source, ...(await sharingArgs()), '--json', cdr]);
  const poison = (preview.json() as { previews: { sent: { recordId: string } }[] }).previews.map(
    ({ sent }) => sent.recordId,
  );
  const tail = await tailOf(cdr);
  const letters = records('dead-letters');
  expect((await lab.run(letters)).exitCode).toBe(4);
  const tailed = async (poisonId: string | undefined): Promise<string> => {
    await receiver.control({ poisonId: poisonId ?? 'none' });
    return (await lab.run([...tail, '--once', ...(await platformArgs(receiver.url))])).stdout;
  };
  expect(await tailed(poison[0])).toContain('! 1 dead letter: hopback records dead-letters lists them');
  const listed = await lab.run([...letters, '--json']);
  expect(listed.json()).toMatchObject({ count: 1, reasons: { 'refused 400': 1 }, letters: [{ recordId: poison[0] }] });
  expect(listed.stdout).not.toContain('callGroupId');
  const shown = await lab.run([...letters, '--records']);
  expect(shown.stdout).toContain(`${String(poison[0])}: refused 400`);
  expect(shown.stdout).toContain('"callGroupId"');
  expect((await lab.run([...letters, '--requeue', 'f'.repeat(32)])).exitCode).toBe(1);
  expect((await lab.run([...letters, '--requeue', '--discard'])).exitCode).toBe(2);
  expect((await lab.run([...letters, 'f'.repeat(32)])).exitCode).toBe(2);
  expect((await lab.run([...letters, '--requeue', String(poison[0]), '--json'])).json()).toMatchObject({
    ...{ exitCode: 0, requeued: 1, kept: 0, unknown: [] },
  });
  const running = lab.start([...tail, '--json', ...(await platformArgs(receiver.url))]);
  // It is sent and refused again.
  await running.until((line) => line.includes('"deadLetters":1'));
  const refused = await lab.run(letters);
  expect([refused.exitCode, refused.stderr]).toEqual([4, expect.stringContaining('in use by another process')]);
  await running.end('SIGTERM');
  expect((await lab.run([...letters, '--discard'])).stdout).toContain('✓ 1 record discarded');
  expect((await lab.run(letters)).stdout).toBe('✓ no record was refused permanently\n');
  expect((await receiver.report()).distinct).toBe(5);
});

test('every command of the group has help', async () => {
  await using certificates = await createCliLab();
  const { stdout } = await certificates.run(['help', 'records']);
  for (const name of ['import', 'tail', 'preview', 'rejects', 'dead-letters'].map((word) => `records ${word}`))
    expect(stdout).toContain(name);
});

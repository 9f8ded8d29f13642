import { spawnSync } from 'node:child_process';
import { cp, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { basename, join } from 'node:path';
import { afterAll, expect, test } from 'vitest';
import { argv, createCliLab, type CliRun } from '../support/cli-lab.js';
import { EvidenceStore } from '../../sdk/src/traceback/index.js';
import { evidenceLab, labKey, labMaterial, type EvidenceLab } from '../support/evidence-lab.js';
import { recordsOfSegment, segmentOf } from '../support/tampered-log.js';

const cli = await createCliLab();
const lab = await evidenceLab('p256');
for (let count = 0; count < 3; count += 1) await lab.answered();
const key = await cli.put('provider.pem', publicPem(lab.key));
afterAll(async () => {
  await lab[Symbol.asyncDispose]();
  await cli[Symbol.asyncDispose]();
});

const evidence = (args: readonly string[]): Promise<CliRun> => cli.run(['evidence', ...args]);

function publicPem({ signer }: EvidenceLab['key']): string | Buffer {
  return signer.publicKey.export({ type: 'spki', format: 'pem' });
}

/** A copy of the folder of evidence, without its lock. */
async function copied(name: string): Promise<string> {
  const copy = cli.path(name);
  await cp(lab.directory, copy, { recursive: true, filter: (path) => !basename(path).startsWith('lock') });
  return copy;
}

/** A copy of the folder of evidence, whose log somebody has been at. */
async function tampered(name: string, change: (payloads: Buffer[]) => readonly Uint8Array[]): Promise<string> {
  const copy = await copied(name);
  const [segment] = await readdir(join(copy, 'log'));
  const path = join(copy, 'log', segment!);
  const payloads = recordsOfSegment(segment!, await readFile(path)).map(({ payload }) => payload);
  await writeFile(path, segmentOf(segment!, change(payloads)));
  return copy;
}

test('a folder of evidence that is whole: 0 by the key of the provider, 3 by the key that lies in it', async () => {
  const known = await evidence(argv`verify ${lab.directory} --key ${key}`);
  expect([known.exitCode, known.stderr]).toEqual([0, '']);
  expect(known.stdout).toMatch(
    /^✓ the log example\.com\/evidence is as it was signed: 6 entries, root [0-9a-f]{64}\n✓ 3 packs checked\n$/,
  );
  const run = await evidence(argv`verify ${lab.directory}`);
  expect(run.exitCode).toBe(3);
  expect(run.stdout).toContain('? checked only with the key in the folder');
  const document = (await evidence(argv`verify ${lab.directory} --key ${key} --json`)).json();
  expect(document).toMatchObject({
    ...{ format: 'hopback.evidence-verify.1', exitCode: 0, kind: 'store', packs: 3, findings: [] },
  });
});

test.each<readonly [string, string, Parameters<typeof tampered>[1]]>([
  [
    'edited',
    '✗ entry 2 was edited: it is not what was signed',
    (payloads) =>
      payloads.map((payload, index) =>
        index === 2 ? Buffer.from(payload.toString('latin1').replace('pack-2', 'pack-3'), 'latin1') : payload,
      ),
  ],
  [
    'deleted',
    '✗ entries 1 to 2 are gone, but later entries exist',
    (payloads) => payloads.filter((_, index) => index !== 1 && index !== 2),
  ],
  ['swapped', '✗ another entry stands in the place of entry 1', ([a, b, c, ...rest]) => [a!, c!, b!, ...rest]],
  ['inserted', '✗ an inserted entry is in the place of entry 1', ([a, ...rest]) => [a!, a!, ...rest]],
])('names the first bad entry of a log with an entry %s', async (name, line, change) => {
  const { exitCode, stdout } = await evidence(argv`verify ${await tampered(name, change)} --key ${key}`);
  expect([exitCode, stdout.split('\n')[0]]).toEqual([1, line]);
});

test('a tail that was cut off shows against a checkpoint that was kept elsewhere, and only there', async () => {
  const shown = await evidence(argv`show ${lab.directory} --note`);
  expect(shown.exitCode).toBe(0);
  const checkpoint = await cli.put('mailed.txt', shown.stdout);
  const cut = await tampered('cut', (payloads) => payloads.slice(0, -2));
  expect((await evidence(argv`verify ${cut} --key ${key}`)).stdout).toContain('✓ the log');
  const { exitCode, stdout } = await evidence(argv`verify ${cut} --key ${key} --checkpoint ${checkpoint}`);
  expect(exitCode).toBe(1);
  expect(stdout).toContain('✗ the log ends before entry 4, but once had 6 entries: its end was cut off');
  const whole = await evidence(argv`verify ${lab.directory} --key ${key} --checkpoint ${checkpoint}`);
  expect([whole.exitCode, whole.stdout.includes('agrees with 1 held checkpoint')]).toEqual([0, true]);
});

test('a pack whose file was changed is named with its entry, one whose file is gone is noted', async () => {
  const copy = await copied('changed-pack');
  const path = join(copy, 'packs', 'pack-2.pack.json');
  const stored = JSON.parse(await readFile(path, 'utf8')) as { files: { name: string; octets: string }[] };
  stored.files.find(({ name }) => name === 'decision.json')!.octets = Buffer.from('{}').toString('base64');
  await writeFile(path, JSON.stringify(stored));
  await rm(join(copy, 'packs', 'pack-3.pack.json'));
  const { exitCode, stdout } = await evidence(argv`verify ${copy} --key ${key}`);
  expect(exitCode).toBe(1);
  expect(stdout).toContain('✗ entry 2, pack pack-2: decision.json was changed');
  expect(stdout).toContain('! pack pack-3: its file is gone, its entry stays');
});

test('packs are listed and shown', async () => {
  const run = await evidence(argv`show ${lab.directory}`);
  expect(run.exitCode).toBe(0);
  expect(run.stdout).toContain('  pack-2  2026-11-03T14:00:02.000Z  entry 2, answer at entry 3');
  const shown = await evidence(argv`show ${lab.directory} pack-2`);
  expect(shown.exitCode).toBe(0);
  for (const fact of ['Transit Telecom', 'ans-9, revision 1, signed', 'bytes kept', 'decision.json'])
    expect(shown.stdout).toContain(fact);
});

test('a pack is exported with PDF and vCon, once, and what is exported verifies by its key alone', async () => {
  const out = cli.path('exported');
  const signKey = await cli.put('provider.key', lab.key.pem);
  const exported = await evidence(argv`export ${lab.directory} pack-2 --out ${out} --sign-key ${signKey} --pdf --vcon`);
  expect([exported.exitCode, exported.stderr]).toEqual([0, '']);
  expect((await readFile(join(out, 'evidence.pdf'))).subarray(0, 5).toString()).toBe('%PDF-');
  expect(JSON.parse(await readFile(join(out, 'evidence.vcon.json'), 'utf8'))).toMatchObject({ vcon: '0.4.0' });
  expect((await evidence(argv`verify ${out} --key ${key}`)).exitCode).toBe(0);
  expect((await evidence(argv`verify ${out}`)).exitCode).toBe(3);
  const stranger = await cli.put('stranger.pem', publicPem(labKey('p256')));
  const strange = await evidence(argv`verify ${out} --key ${stranger}`);
  expect([strange.exitCode, strange.stdout.split('\n')[0]]).toEqual([1, '✗ the manifest is not signed by the key']);
  expect((await evidence(argv`export ${lab.directory} pack-2 --out ${out}`)).exitCode).toBe(2);
  expect(spawnSync('sh', ['verify.sh'], { cwd: out }).status).toBe(0);
});

test('an export that nobody signed says so, then and when it is verified', async () => {
  const out = cli.path('unsigned');
  const unsigned = argv`export ${lab.directory} pack-2 --out ${out}`;
  const otherKey = await cli.put('stranger.key', labKey('p256').pem);
  expect((await evidence([...unsigned, '--sign-key', otherKey])).exitCode).toBe(4);
  expect((await evidence([...unsigned, '--pdf'])).exitCode).toBe(2);
  expect((await evidence(unsigned)).stdout).toContain('! the folder is not signed');
  const looked = await evidence(argv`verify ${out} --key ${key}`);
  expect(looked).toMatchObject({
    ...{ exitCode: 3, stdout: expect.stringContaining('! the folder is not signed') as string },
  });
});

test('after a change of the key, packs of both keys verify by the keys in the folder and are exported with their own', async () => {
  await using old = await evidenceLab('ed25519');
  await old.answered();
  await old.store.close();
  const store = await EvidenceStore.open({
    ...{ directory: old.directory, logId: 'example.com/evidence', signer: labKey('p256').signer },
    ...{ formerPublicKeys: [old.key.signer.publicKey], newId: () => 'pack-of-next' },
  });
  await store.write(labMaterial());
  await store.close();
  expect((await evidence(argv`verify ${old.directory}`)).exitCode).toBe(3);
  for (const packId of ['pack-1', 'pack-of-next']) {
    const out = cli.path(`exported-${packId}`);
    expect((await evidence(argv`export ${old.directory} ${packId} --out ${out}`)).exitCode).toBe(0);
    expect(spawnSync('sh', ['verify.sh'], { cwd: out }).status).toBe(0);
  }
});

test('a folder, a pack, a key or an option that is missing ends with its exit code', async () => {
  for (const [args, exitCode] of [
    [argv`verify`, 2],
    [argv`verify ${cli.path('nowhere')}`, 4],
    [argv`verify ${lab.directory} --key ${cli.files.key}`, 4],
    [argv`show ${lab.directory} pack-77`, 1],
    [argv`export ${lab.directory} pack-77 --out ${cli.path('none')}`, 1],
    [argv`export ${lab.directory} pack-1`, 2],
    [argv`export ${lab.directory}`, 2],
  ] as const)
    expect([args, (await evidence(args)).exitCode]).toEqual([args, exitCode]);
});

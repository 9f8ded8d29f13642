import { spawnSync } from 'node:child_process';
import { cp, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { basename, join } from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { createCliLab, type CliLab } from '../support/cli-lab.js';
import { openEvidenceStore } from '../../sdk/src/traceback/index.js';
import { evidenceLab, labKey, labMaterial, type EvidenceLab } from '../support/evidence-lab.js';
import { recordsOfSegment, segmentOf } from '../support/tampered-log.js';

let cli: CliLab;
let lab: EvidenceLab;
let key: string;

beforeAll(async () => {
  cli = await createCliLab();
  lab = await evidenceLab('p256');
  for (let count = 0; count < 3; count += 1) await lab.answered();
  key = await cli.put('provider.pem', lab.key.signer.publicKey.export({ type: 'spki', format: 'pem' }));
});

afterAll(async () => {
  await lab[Symbol.asyncDispose]();
  await cli[Symbol.asyncDispose]();
});

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
  const known = await cli.run(['evidence', 'verify', lab.directory, '--key', key]);
  expect([known.exitCode, known.stderr]).toEqual([0, '']);
  expect(known.stdout).toMatch(
    /^✓ the log example\.com\/evidence is as it was signed: 6 entries, root [0-9a-f]{64}\n✓ 3 packs looked at\n$/,
  );
  const unknown = await cli.run(['evidence', 'verify', lab.directory]);
  expect(unknown.exitCode).toBe(3);
  expect(unknown.stdout).toContain('? by the key that lies in the folder');
  const document = (await cli.run(['evidence', 'verify', lab.directory, '--key', key, '--json'])).json();
  expect(document).toMatchObject({
    format: 'hopback.evidence-verify.1',
    exitCode: 0,
    kind: 'store',
    packs: 3,
    findings: [],
  });
});

test('the first bad entry is named: edited, deleted, swapped, put in', async () => {
  const verify = async (folder: string): Promise<readonly [number, string]> => {
    const { exitCode, stdout } = await cli.run(['evidence', 'verify', folder, '--key', key]);
    return [exitCode, stdout.split('\n')[0]!];
  };
  const edited = await tampered('edited', (payloads) =>
    payloads.map((payload, index) =>
      index === 2 ? Buffer.from(payload.toString('latin1').replace('pack-2', 'pack-3'), 'latin1') : payload,
    ),
  );
  expect(await verify(edited)).toEqual([1, '✗ entry 2 was edited: it is not what was signed']);
  const deleted = await tampered('deleted', (payloads) => payloads.filter((_, index) => index !== 1 && index !== 2));
  expect(await verify(deleted)).toEqual([1, '✗ entries 1 to 2 are gone, and there are others behind']);
  const swapped = await tampered('swapped', ([a, b, c, ...rest]) => [a!, c!, b!, ...rest]);
  expect(await verify(swapped)).toEqual([1, '✗ another entry stands in the place of entry 1']);
  const inserted = await tampered('inserted', ([a, ...rest]) => [a!, a!, ...rest]);
  expect(await verify(inserted)).toEqual([1, '✗ in the place of entry 1 stands what was put in']);
});

test('a tail that was cut off shows against a checkpoint that was kept elsewhere, and only there', async () => {
  const shown = await cli.run(['evidence', 'show', lab.directory, '--note']);
  expect(shown.exitCode).toBe(0);
  const checkpoint = await cli.put('mailed.txt', shown.stdout);
  const cut = await tampered('cut', (payloads) => payloads.slice(0, -2));
  expect((await cli.run(['evidence', 'verify', cut, '--key', key])).stdout).toContain('✓ the log');
  const { exitCode, stdout } = await cli.run(['evidence', 'verify', cut, '--key', key, '--checkpoint', checkpoint]);
  expect(exitCode).toBe(1);
  expect(stdout).toContain('✗ the log ends before entry 4, and had 6 entries once: its tail was cut off');
  const whole = await cli.run(['evidence', 'verify', lab.directory, '--key', key, '--checkpoint', checkpoint]);
  expect([whole.exitCode, whole.stdout.includes('agrees with 1 held checkpoint')]).toEqual([0, true]);
});

test('a pack whose file was changed is named with its entry, one whose file is gone is noted', async () => {
  const copy = await copied('changed-pack');
  const path = join(copy, 'packs', 'pack-2.pack.json');
  const stored = JSON.parse(await readFile(path, 'utf8')) as { files: { name: string; octets: string }[] };
  stored.files.find(({ name }) => name === 'decision.json')!.octets = Buffer.from('{}').toString('base64');
  await writeFile(path, JSON.stringify(stored));
  await rm(join(copy, 'packs', 'pack-3.pack.json'));
  const { exitCode, stdout } = await cli.run(['evidence', 'verify', copy, '--key', key]);
  expect(exitCode).toBe(1);
  expect(stdout).toContain('✗ entry 2, pack pack-2: decision.json was changed');
  expect(stdout).toContain('! pack pack-3: its file is gone, its entry stays');
});

test('packs are listed, shown, and exported with PDF and vCon; what is exported verifies', async () => {
  const listed = await cli.run(['evidence', 'show', lab.directory]);
  expect(listed.exitCode).toBe(0);
  expect(listed.stdout).toContain('  pack-2  2026-11-03T14:00:02.000Z  entry 2, answer at entry 3');
  const shown = await cli.run(['evidence', 'show', lab.directory, 'pack-2']);
  expect(shown.exitCode).toBe(0);
  for (const fact of ['Transit Telecom', 'ans-9, revision 1, signed', 'bytes kept', 'decision.json']) {
    expect(shown.stdout).toContain(fact);
  }
  const out = cli.path('exported');
  const sign = ['--sign-key', await cli.put('provider.key', lab.key.pem)];
  const exported = await cli.run([
    'evidence',
    'export',
    lab.directory,
    'pack-2',
    '--out',
    out,
    ...sign,
    '--pdf',
    '--vcon',
  ]);
  expect([exported.exitCode, exported.stderr]).toEqual([0, '']);
  expect((await readFile(join(out, 'evidence.pdf'))).subarray(0, 5).toString()).toBe('%PDF-');
  expect(JSON.parse(await readFile(join(out, 'evidence.vcon.json'), 'utf8'))).toMatchObject({ vcon: '0.4.0' });
  expect((await cli.run(['evidence', 'verify', out, '--key', key])).exitCode).toBe(0);
  expect((await cli.run(['evidence', 'verify', out])).exitCode).toBe(3);
  const stranger = await cli.put(
    'stranger.pem',
    labKey('p256').signer.publicKey.export({ type: 'spki', format: 'pem' }),
  );
  const strange = await cli.run(['evidence', 'verify', out, '--key', stranger]);
  expect([strange.exitCode, strange.stdout.split('\n')[0]]).toEqual([1, '✗ the manifest is not signed by the key']);
  const again = await cli.run(['evidence', 'export', lab.directory, 'pack-2', '--out', out]);
  expect(again.exitCode).toBe(2);
  const { status } = spawnSync('sh', ['verify.sh'], { cwd: out });
  expect(status).toBe(0);
  const strangerKey = await cli.put('stranger.key', labKey('p256').pem);
  const unsigned = cli.path('unsigned');
  const unsign = ['evidence', 'export', lab.directory, 'pack-2', '--out', unsigned];
  expect((await cli.run([...unsign, '--sign-key', strangerKey])).exitCode).toBe(4);
  expect((await cli.run([...unsign, '--pdf'])).exitCode).toBe(2);
  expect((await cli.run(unsign)).stdout).toContain('! nobody signed for the folder');
  const looked = await cli.run(['evidence', 'verify', unsigned, '--key', key]);
  expect(looked.exitCode).toBe(3);
  expect(looked.stdout).toContain('! nobody signed for the folder');
});

test('where the key was changed, packs of both keys verify by the keys in the folder, and are exported with their own', async () => {
  await using old = await evidenceLab('ed25519');
  await old.answered();
  await old.store.close();
  const next = labKey('p256');
  const store = await openEvidenceStore({
    directory: old.directory,
    logId: 'example.com/evidence',
    signer: next.signer,
    formerPublicKeys: [old.key.signer.publicKey],
    newId: () => 'pack-of-next',
  });
  await store.writer.write(labMaterial());
  await store.close();
  expect((await cli.run(['evidence', 'verify', old.directory])).exitCode).toBe(3);
  for (const packId of ['pack-1', 'pack-of-next']) {
    const out = cli.path(`exported-${packId}`);
    expect((await cli.run(['evidence', 'export', old.directory, packId, '--out', out])).exitCode).toBe(0);
    expect(spawnSync('sh', ['verify.sh'], { cwd: out }).status).toBe(0);
  }
});

test('what is no evidence, no pack or no key is told as such', async () => {
  const exit = async (...args: readonly string[]): Promise<number> => (await cli.run(['evidence', ...args])).exitCode;
  expect(await exit('verify')).toBe(2);
  expect(await exit('verify', cli.path('nowhere'))).toBe(4);
  expect(await exit('verify', lab.directory, '--key', cli.files.key)).toBe(4);
  expect(await exit('show', lab.directory, 'pack-77')).toBe(1);
  expect(await exit('export', lab.directory, 'pack-77', '--out', cli.path('none'))).toBe(1);
  expect(await exit('export', lab.directory, 'pack-1')).toBe(2);
  expect(await exit('export', lab.directory)).toBe(2);
});

import { execFileSync, spawnSync } from 'node:child_process';
import { cp, readdir, readFile, rename, rm, symlink, writeFile } from 'node:fs/promises';
import { basename, join } from 'node:path';
import { expect, test } from 'vitest';
import { merkleRoot, signCheckpoint, signatureFor } from '../../sdk/src/log/merkle-tree.js';
import {
  evidenceVcon,
  exportEvidencePack,
  renderEvidencePdf,
  verifyEvidencePack,
} from '../../sdk/src/traceback/index.js';
import { type ExportFrame } from '../../sdk/src/traceback/evidence/exported-files.js';
import { packProofs } from '../../sdk/src/traceback/evidence/pack-store.js';
import { describePeer } from '../peers.js';
import { evidenceLab, labKey, runVerifyScript, type EvidenceLab } from '../support/evidence-lab.js';

/** A pack among some others, exported, with its receipt. */
async function exported(lab: EvidenceLab, others: readonly [before: number, behind: number]): Promise<string> {
  for (let count = 0; count < others[0]; count += 1) await lab.answered();
  const { packId } = await lab.receipted();
  for (let count = 0; count < others[1]; count += 1) await lab.answered();
  return exportedPack(lab, packId);
}

async function exportedPack(
  lab: EvidenceLab,
  packId: string,
  frame: Partial<ExportFrame> = { signer: lab.key.signer },
): Promise<string> {
  const folder = join(lab.directory, `export-${packId}-${String((exports += 1))}`);
  await exportEvidencePack(folder, {
    pack: (await lab.store.pack(packId))!,
    proofs: await packProofs(lab.store.log, packId),
    publicKey: lab.key.signer.publicKey,
    logPublicKey: lab.key.signer.publicKey,
    clock: { nowMs: () => Date.parse('2026-11-04T09:00:00Z') },
    ...frame,
  });
  return folder;
}

let exports = 0;

/** As somebody writes it who has sha256sum, and no key. */
async function sumAnew(folder: string): Promise<void> {
  const list = "ls | grep -v '^SHA256SUMS' | LC_ALL=C sort | xargs sha256sum";
  await writeFile(join(folder, 'SHA256SUMS'), execFileSync('sh', ['-c', list], { cwd: folder }));
}

/** Kind and file of each finding of ours; the status of a pack without findings. */
async function findings(...pack: Parameters<typeof verifyEvidencePack>): Promise<readonly string[]> {
  const verification = await verifyEvidencePack(...pack);
  return verification.status === 'failed'
    ? verification.findings.map((finding) => `${finding.kind} ${'file' in finding ? finding.file : ''}`)
    : [verification.status];
}

/** How the script ends, and what it says among others. */
const script = (status: number, said: string): object => ({ status, output: expect.stringContaining(said) as string });

/** A copy of an exported pack, beside it. */
async function copyOf(folder: string): Promise<string> {
  const copy = `${folder}-copy-${String((exports += 1))}`;
  await cp(folder, copy, { recursive: true });
  return copy;
}

/** The words in VERIFY.md, as somebody types them. */
async function byHand(folder: string): Promise<string> {
  const guide = await readFile(join(folder, 'VERIFY.md'), 'utf8');
  const commands = [...guide.matchAll(/```sh\n([^`]*)```/g)].map(([, text]) => text).join('');
  return execFileSync('sh', ['-eu', '-c', commands], { cwd: folder, encoding: 'utf8' });
}

describePeer('openssl', 'an exported pack, with openssl and sha256sum alone', () => {
  for (const kind of ['p256', 'ed25519'] as const) {
    test(`is found whole, signed by ${kind}, at any place of logs of any size`, { timeout: 60_000 }, async () => {
      for (const others of [
        [0, 0],
        [0, 1],
        [1, 0],
        [2, 1],
        [3, 3],
        [5, 2],
      ] as const) {
        await using lab = await evidenceLab(kind);
        const folder = await exported(lab, others);
        const { status, output } = runVerifyScript(folder);
        expect([others, status, output.split('\n').at(-2)]).toEqual([others, 0, 'The pack is whole.']);
        expect(output.match(/^OK: /gm)).toHaveLength(8);
      }
    });
  }

  test('is checked by the commands of its VERIFY.md, typed by hand', async () => {
    for (const kind of ['p256', 'ed25519'] as const) {
      await using lab = await evidenceLab(kind);
      const folder = await exported(lab, [1, 1]);
      const output = await byHand(folder);
      expect(output.match(/Verified OK|Signature Verified Successfully/g)).toHaveLength(3);
      expect(output).not.toContain('FAILED');
      const manifest = JSON.parse(await readFile(join(folder, 'manifest.json'), 'utf8')) as {
        signer: { publicKeySha256: string };
        records: { sourceSha256: string }[];
      };
      expect(output).toContain(`${manifest.signer.publicKeySha256}  -`);
      expect(output).toContain(`${manifest.records[0]!.sourceSha256}  record-0001-row-0001.raw`);
      // Whoever has typed all of it may run the script, or hand the folder on: nothing is left behind in it.
      expect(runVerifyScript(folder).status).toBe(0);
    }
  });

  test('is checked from wherever the script is called, and a key that is none is not a signature that is none', async () => {
    await using lab = await evidenceLab('ed25519');
    const folder = await exported(lab, [0, 0]);
    const key = lab.key.signer.publicKey.export({ type: 'spki', format: 'pem' });
    await writeFile(join(lab.directory, 'provider.pem'), key);
    const other = lab.platformKey.signer.publicKey.export({ type: 'spki', format: 'pem' });
    await writeFile(join(lab.directory, 'other.pem'), other);
    const outside = (...keys: readonly string[]): readonly [number | null, string | undefined] => {
      const path = join(basename(folder), 'verify.sh');
      const { status, stdout, stderr } = spawnSync('sh', [path, ...keys], { cwd: lab.directory, encoding: 'utf8' });
      return [status, (stdout + stderr).split('\n').at(-2)];
    };
    expect(outside()).toEqual([0, 'The pack is whole.']);
    expect(outside('provider.pem')).toEqual([0, 'The pack is whole.']);
    expect(outside('provider.pem', join(lab.directory, 'provider.pem'), 'provider.pem')[0]).toBe(0);
    expect(outside('other.pem')).toEqual([1, 'NOT OK: SHA256SUMS is not signed by the key']);
    expect(outside('provider.pem', 'other.pem')[1]).toContain('NOT OK: checkpoint.txt is not signed by the key');
    expect(outside('../provider.pem')).toEqual([1, 'NOT OK: there is no public key in ../provider.pem']);
    expect(outside('provider.pem', 'nowhere.pem')).toEqual([1, 'NOT OK: there is no public key in nowhere.pem']);
  });

  test('is not whole with a link in the place of a file, wherever it leads', async () => {
    await using lab = await evidenceLab('p256');
    const folder = await exported(lab, [0, 0]);
    await rename(join(folder, 'record-0001.json'), join(lab.directory, 'record'));
    await symlink(join(lab.directory, 'record'), join(folder, 'record-0001.json'));
    expect(runVerifyScript(folder).output).toContain('NOT OK: ./record-0001.json is no file');
    expect(await verifyEvidencePack(folder, { publicKeys: [lab.key.signer.publicKey] })).toMatchObject({
      status: 'failed',
    });
  });

  test(
    'fails the script and ours alike, whichever file somebody changes, and whichever is gone',
    { timeout: 120_000 },
    async () => {
      await using lab = await evidenceLab('p256');
      const folder = await exported(lab, [2, 1]);
      const publicKeys = [lab.key.signer.publicKey];
      const receiptKeys = [lab.platformKey.signer.publicKey];
      expect(await verifyEvidencePack(folder, { publicKeys, receiptKeys })).toMatchObject({
        status: 'passed',
        notes: [],
      });
      expect(await verifyEvidencePack(folder)).toMatchObject({ status: 'indeterminate', reason: 'keys-from-the-pack' });
      const names = await readdir(folder);
      expect(names.length).toBeGreaterThan(20);
      for (const name of names) {
        const copy = await copyOf(folder);
        const path = join(copy, name);
        const octets = await readFile(path);
        octets[Math.floor(octets.length / 2)]! ^= 1;
        await writeFile(path, octets);
        const edited = await verifyEvidencePack(copy, { publicKeys });
        if (edited.status !== 'failed') expect.fail(`${name} was edited`);
        const named = edited.findings.map((finding) => ('file' in finding ? finding.file : ''));
        // In the list itself a name or a hash of another file is what was changed.
        if (name !== 'SHA256SUMS') expect(named).toContain(name);
        if (name !== 'verify.sh') expect([name, runVerifyScript(copy).status]).not.toEqual([name, 0]);
        await rm(path);
        const without = name === 'SHA256SUMS.sig' ? 'indeterminate' : 'failed';
        expect([name, (await verifyEvidencePack(copy, { publicKeys })).status]).toEqual([name, without]);
        if (name !== 'verify.sh') expect([name, runVerifyScript(copy).status]).not.toEqual([name, 0]);
      }
    },
  );

  test('fails where somebody made everything anew but the signatures', async () => {
    await using lab = await evidenceLab('p256');
    const folder = await exported(lab, [1, 1]);
    const rewrite = async (name: string, change: (text: string) => string): Promise<void> =>
      writeFile(join(folder, name), change(await readFile(join(folder, name), 'utf8')));
    const sums = (): Promise<void> => sumAnew(folder);
    await rm(join(folder, 'SHA256SUMS.sig'));
    await rewrite('verify.sh', (text) => text.replace(/^check_export$/m, ''));
    await rewrite('answer.json', (text) => text.replace('Upstream Voice', 'Honest Carrier'));
    await sums();
    expect(runVerifyScript(folder)).toEqual(script(1, 'answer.json is not what manifest.json says'));
    expect(await verifyEvidencePack(folder)).toMatchObject({
      status: 'failed',
      findings: [
        { kind: 'file-changed', file: 'answer.json' },
        { kind: 'answer-differs', file: 'answer.jws' },
      ],
    });
    const hashOf = (await readFile(join(folder, 'SHA256SUMS'), 'utf8'))
      .split('\n')
      .find((line) => line.endsWith('  answer.json'))!
      .slice(0, 64);
    await rewrite('manifest.json', (text) =>
      text.replace(/("name":"answer.json","sha256":")[0-9a-f]{64}/, (_, lead: string) => `${lead}${hashOf}`),
    );
    await sums();
    expect(runVerifyScript(folder)).toEqual(script(1, 'not signed by the key'));
  });

  test(
    'fails where somebody changed what the manifest does not name, and summed up anew',
    { timeout: 60_000 },
    async () => {
      await using lab = await evidenceLab('p256');
      const { packId } = await lab.receipted();
      const pack = (await lab.store.pack(packId))!;
      const publicKeys = [lab.key.signer.publicKey];
      const renderings = { pdf: await renderEvidencePdf(pack), vcon: evidenceVcon(pack) };
      const folder = await exportedPack(lab, packId, { signer: lab.key.signer, renderings });
      expect((await verifyEvidencePack(folder, { publicKeys })).status).toBe('passed');
      const meddled = async (deed: (copy: string) => Promise<void>): Promise<string> => {
        const copy = await copyOf(folder);
        await deed(copy);
        await sumAnew(copy);
        return copy;
      };
      const deeds: Readonly<Record<string, (copy: string) => Promise<void>>> = {
        pdf: (copy) => writeFile(join(copy, 'evidence.pdf'), '%PDF-1.7 another'),
        vcon: (copy) => writeFile(join(copy, 'evidence.vcon.json'), '{}'),
        certificate: (copy) => writeFile(join(copy, 'certificate.pem'), 'another'),
        guide: (copy) => writeFile(join(copy, 'VERIFY.md'), 'trust me'),
        added: (copy) => writeFile(join(copy, 'certificate.pdf'), '%PDF-1.7 new'),
        receipt: async (copy) => {
          for (const name of ['receipt.jws', 'receipt-log-entry.json', 'receipt-proof.json', 'receipt-proof.txt']) {
            await rm(join(copy, name));
          }
          const path = join(copy, 'export.json');
          await writeFile(path, (await readFile(path, 'utf8')).replace('"receipt":"in-the-pack"', '"receipt":"none"'));
        },
      };
      for (const [name, deed] of Object.entries(deeds)) {
        const copy = await meddled(deed);
        const found = await findings(copy, { publicKeys });
        expect([name, found]).toEqual([name, expect.arrayContaining(['export-signature-invalid SHA256SUMS.sig'])]);
        expect([name, runVerifyScript(copy).status]).toEqual([name, 1]);
        // Without the signature nobody vouches for the drawings at all.
        await rm(join(copy, 'SHA256SUMS.sig'));
        expect(await findings(copy, { publicKeys })).toEqual(
          expect.arrayContaining(['file-unsigned evidence.pdf', 'file-unsigned evidence.vcon.json']),
        );
        expect([name, runVerifyScript(copy).status]).toEqual([name, 1]);
      }
      const linked = await copyOf(folder);
      await symlink('/etc/hostname', join(linked, 'certificate.pdf'));
      expect(await findings(linked, { publicKeys })).toEqual(['file-unknown certificate.pdf']);
      expect(runVerifyScript(linked).status).toBe(1);
      const extra = await copyOf(folder);
      await writeFile(join(extra, 'note from the other side.txt'), 'x');
      expect(runVerifyScript(extra)).toEqual(script(1, 'is not in SHA256SUMS'));
      expect(await findings(extra, { publicKeys })).toEqual([
        'file-unlisted note from the other side.txt',
        'file-unknown note from the other side.txt',
      ]);
    },
  );

  test('that nobody signed for holds no rendering, is indeterminate, and says so', async () => {
    await using lab = await evidenceLab('ed25519');
    const { packId } = await lab.receipted();
    const pdf = new TextEncoder().encode('%PDF-');
    await expect(exportedPack(lab, packId, { renderings: { pdf } })).rejects.toMatchObject({
      code: 'invalid-argument',
    });
    const folder = await exportedPack(lab, packId, {});
    expect(await verifyEvidencePack(folder, { publicKeys: [lab.key.signer.publicKey] })).toMatchObject({
      status: 'indeterminate',
      reason: 'export-unsigned',
      notes: [{ kind: 'receipt-signature-unchecked' }, { kind: 'export-unsigned' }],
    });
    expect(runVerifyScript(folder)).toEqual(script(0, 'whether a file was taken out is not known'));
    // The receipt alone taken out, its entry left, or the statement that it was there.
    await rm(join(folder, 'receipt.jws'));
    await sumAnew(folder);
    expect(await findings(folder)).toEqual(['file-missing receipt.jws']);
  });

  test('whose signature for the folder is by a stranger is told by the key of the provider, and only by it', async () => {
    await using lab = await evidenceLab('p256');
    const folder = await exported(lab, [0, 0]);
    const stranger = labKey('p256').signer;
    const path = join(lab.directory, 'provider.pem');
    await writeFile(path, lab.key.signer.publicKey.export({ type: 'spki', format: 'pem' }));
    await writeFile(join(folder, 'export-public-key.pem'), stranger.publicKey.export({ type: 'spki', format: 'pem' }));
    await sumAnew(folder);
    const sums = await readFile(join(folder, 'SHA256SUMS'));
    await writeFile(join(folder, 'SHA256SUMS.sig'), await signatureFor(stranger, sums));
    expect([runVerifyScript(folder).status, runVerifyScript(folder, path).status]).toEqual([0, 1]);
    expect((await verifyEvidencePack(folder)).status).toBe('indeterminate');
    const { publicKey } = lab.key.signer;
    expect(await findings(folder, { publicKeys: [publicKey] })).toEqual(['export-signature-invalid SHA256SUMS.sig']);
    expect(
      (await verifyEvidencePack(folder, { publicKeys: [publicKey], exportKeys: [stranger.publicKey] })).status,
    ).toBe('passed');
  });

  test('whose key or certificate is another than the one that signed the manifest is told so', async () => {
    await using lab = await evidenceLab('p256');
    const { packId } = await lab.answered();
    const pem = join(lab.directory, 'stranger.key');
    const subject = ['-subj', '/CN=Honest Carrier', '-days', '7', '-nodes', '-keyout', pem];
    const certificatePem = execFileSync(
      'openssl',
      ['req', '-x509', '-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:P-256', ...subject],
      { encoding: 'utf8', stdio: ['ignore', 'pipe', 'ignore'] },
    );
    const folder = await exportedPack(lab, packId, { signer: lab.key.signer, certificatePem });
    const publicKeys = [lab.key.signer.publicKey];
    expect(await findings(folder, { publicKeys })).toEqual(['key-differs certificate.pem']);
  });

  test('with the answer, the proofs or the checkpoint of another pack in it is told from one that is whole', async () => {
    await using lab = await evidenceLab('p256');
    const first = await exported(lab, [0, 0]);
    const publicKeys = [lab.key.signer.publicKey];
    const { packId } = await lab.receipted();
    const second = await exportedPack(lab, packId, {});
    const swaps: Readonly<Record<string, string>> = {
      'answer.jws': 'answer-differs answer.jws',
      'receipt.jws': 'receipt-differs receipt.jws',
      'log-entry.json': 'entry-differs log-entry.json',
      'answer-proof.json': 'proof-invalid answer-proof.json',
      'checkpoint.txt': 'proof-invalid proof.json',
      'export.json': 'export-differs export.json',
    };
    for (const [name, kind] of Object.entries(swaps)) {
      const copy = await copyOf(second);
      await writeFile(join(copy, name), await readFile(join(first, name)));
      await sumAnew(copy);
      expect([name, await findings(copy, { publicKeys })]).toEqual([name, expect.arrayContaining([kind])]);
    }
  });

  test('whose log was shown to somebody else with other entries contradicts the checkpoint that they kept', async () => {
    await using lab = await evidenceLab('p256');
    const folder = await exported(lab, [1, 0]);
    const publicKeys = [lab.key.signer.publicKey];
    const { checkpoint = '', size } = lab.store.log;
    const forged = await signCheckpoint(
      { logId: 'example.com/evidence', size, rootHash: merkleRoot(['another']) },
      lab.key.signer,
    );
    const older = await lab.store.log.checkpointOver(0);
    expect((await verifyEvidencePack(folder, { publicKeys, checkpoints: [checkpoint, older] })).status).toBe('passed');
    expect(await findings(folder, { publicKeys, checkpoints: [forged] })).toEqual(['log-forked checkpoint.txt']);
    expect(await findings(folder, { publicKeys, checkpoints: ['none'] })).toEqual([
      'held-checkpoint-invalid checkpoint.txt',
    ]);
  });

  test('is not whole by the key of a stranger, in the script and in ours', async () => {
    await using lab = await evidenceLab('p256');
    const folder = await exported(lab, [0, 0]);
    const stranger = labKey('p256').signer.publicKey;
    const path = join(lab.directory, 'stranger.pem');
    await writeFile(path, stranger.export({ type: 'spki', format: 'pem' }));
    expect(runVerifyScript(folder, path).status).toBe(1);
    expect(runVerifyScript(folder, 'public-key.pem', path).status).toBe(1);
    const verification = await verifyEvidencePack(folder, { publicKeys: [stranger] });
    expect(verification.status === 'failed' && verification.findings.map(({ kind }) => kind)).toEqual([
      'manifest-signature-invalid',
      'export-signature-invalid',
      'checkpoint-invalid',
    ]);
  });
});

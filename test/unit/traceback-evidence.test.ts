import { createHash, type KeyObject } from 'node:crypto';
import { readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { createSimulatedLogFiles } from '../support/simulated-log-files.js';
import {
  exportEvidencePack,
  EvidenceStore,
  verifyEvidenceStore,
  type EvidencePack,
} from '../../sdk/src/traceback/index.js';
import { packProofs, packFindings } from '../../sdk/src/traceback/evidence/pack-store.js';
import { signatureFor } from '../../sdk/src/log/merkle-tree.js';
import { canonicalJson, parseEntry, parseManifest } from '../../sdk/src/traceback/evidence/evidence-manifest.js';
import { verifyGuide } from '../../sdk/src/traceback/evidence/exported-files.js';
import {
  evidenceLab,
  LAB_ANSWER,
  labKey,
  labMaterial,
  labRecord,
  signedAnswer,
  signedReceipt,
  type EvidenceLab,
} from '../support/evidence-lab.js';

const certificateOf = async (lab: EvidenceLab, packId: string): Promise<string> => {
  const pack = await lab.store.pack(packId);
  const file = pack?.files.find(({ name }) => name === 'custodian-certificate.txt');
  return Buffer.from(file?.octets ?? []).toString('utf8');
};
const inOneLine = (text: string): string => text.replace(/\s+/g, ' ');

/** Rewrites a stored file of the folder `packs`. */
async function rewrite(lab: EvidenceLab, name: string, change: (stored: StoredFile) => unknown): Promise<void> {
  const path = join(lab.directory, 'packs', name);
  await writeFile(path, JSON.stringify(change(JSON.parse(await readFile(path, 'utf8')) as StoredFile)));
}
/** A pack, or its answer with a receipt. */
interface StoredFile {
  readonly files: readonly { readonly name: string; octets: string }[];
}

const optionsOf = (lab: EvidenceLab) => ({
  directory: lab.directory,
  logId: 'example.com/evidence',
  signer: lab.key.signer,
});
const trustOf = (lab: EvidenceLab): Parameters<typeof verifyEvidenceStore>[1] => ({
  publicKeys: [lab.key.signer.publicKey],
});

test('a pack holds the request as it came, the records with their bytes, the search, the decision and the clock', async () => {
  await using lab = await evidenceLab();
  const reference = await lab.answered();
  expect(reference).toMatchObject({ packId: 'pack-1', logId: 'example.com/evidence', leafIndex: 0 });
  const pack = await lab.store.pack('pack-1');
  expect(pack?.files.map(({ name }) => name)).toEqual([
    'request-received.json',
    'received.json',
    'request.json',
    'answer.json',
    'search.json',
    'record-0001.json',
    'record-0001-row-0001.raw',
    'verdict.json',
    'clocks.json',
    'decision.json',
    'practices.json',
    'custodian-certificate.txt',
  ]);
  expect(Buffer.from(pack!.files[0]!.octets)).toEqual(Buffer.from(labMaterial().received.bytes));
  expect(pack!.manifest.records).toEqual([
    {
      recordId: labRecord().recordId,
      sourceId: 'fs-1',
      format: 'freeswitch-csv',
      readerVersion: labRecord().source.readerVersion,
      sourceSha256: labRecord().source.sha256,
      raw: 'kept',
      rawMatches: true,
      file: 'record-0001.json',
      rawFiles: ['record-0001-row-0001.raw'],
    },
  ]);
  expect(await verifyEvidenceStore(lab.directory, trustOf(lab))).toMatchObject({
    status: 'passed',
    packs: 1,
    notes: [],
    log: { status: 'intact', size: 2 },
  });
  // The log has hashes and names alone: no number, no name of a party, no id of the platform.
  const entries = (await lab.store.log.read(0)).map(({ octets }) => Buffer.from(octets).toString('utf8'));
  for (const personal of ['2025550101', '2025550102', 'Upstream', 'Transit', 'req-7', 'ans-9', '192.0.2'])
    expect(entries.join('\n')).not.toContain(personal);
  expect(entries.map((entry) => Object.keys(JSON.parse(entry) as object))).toEqual([
    ['format', 'kind', 'manifestSha256', 'packId', 'writtenAt'],
    ['format', 'jwsSha256', 'kind', 'packId', 'writtenAt'],
  ]);
});

test('the same answer attached twice has one entry, a receipt one more, and another answer is refused', async () => {
  await using lab = await evidenceLab();
  const reference = await lab.store.write(labMaterial());
  const signed = (more: object): string => signedAnswer({ ...LAB_ANSWER, ...more, evidence: reference }, lab.key);
  const answerJws = signed({});
  const attach: typeof lab.store.attachAnswer = (...given) => lab.store.attachAnswer(...given);
  const positions = await Promise.all([attach('pack-1', { answerJws }), attach('pack-1', { answerJws })]);
  expect(positions.map(({ leafIndex }) => leafIndex)).toEqual([1, 1]);
  const receiptJws = signedAnswer({ answerId: 'ans-9' }, lab.key);
  expect(await attach('pack-1', { answerJws, receiptJws })).toEqual(positions[0]);
  expect(await attach('pack-1', { answerJws })).toEqual(positions[0]);
  expect(lab.store.log.size).toBe(3);
  expect((await lab.store.pack('pack-1'))?.receiptJws).toBe(receiptJws);
  await attach('pack-1', { answerJws, receiptJws: signedAnswer({ answerId: 'ans-9', again: true }, lab.key) });
  expect([(await lab.store.pack('pack-1'))?.receiptJws, lab.store.log.size]).toEqual([receiptJws, 3]);
  await lab.store.write(labMaterial());
  const upstream = { name: 'Honest Carrier', ocn: '999Z' };
  for (const [packId, jws] of [
    ['pack-1', signed({ comment: 'no' })],
    // An amended answer does not pass for the one that the pack was written for.
    ['pack-1', signed({ revision: 2, finding: { arm: 'received-from', upstream } })],
    ['pack-1', signed({ revision: 2 })],
    ['pack-7', answerJws],
    ['pack-2', answerJws],
    ['pack-2', 'x.y.z'],
  ] as const)
    await expect(attach(packId, { answerJws: jws })).rejects.toMatchObject({ code: 'invalid-argument' });
});

test('a folder of evidence is open in one process at a time, and can be looked at meanwhile', async () => {
  await using lab = await evidenceLab();
  await lab.answered();
  const options = optionsOf(lab);
  await expect(EvidenceStore.open(options)).rejects.toMatchObject({
    code: 'storage-failed',
    details: { reason: 'folder-in-use' },
  });
  expect((await verifyEvidenceStore(lab.directory, trustOf(lab))).status).toBe('passed');
  await lab.store.close();
  await lab.store.close();
  await (await EvidenceStore.open(options)).close();
  // A store that could not be opened does not keep the folder.
  const otherLog = EvidenceStore.open({ ...options, logId: 'example.com/other' });
  await expect(otherLog).rejects.toMatchObject({ code: 'log-inconsistent' });
  const otherKey = EvidenceStore.open({ ...options, certificatePem: 'of another key' });
  await expect(otherKey).rejects.toMatchObject({ code: 'invalid-argument' });
  await (await EvidenceStore.open(options)).close();
  expect(await readdir(lab.directory)).not.toContain('lock');
});

test('the certificate says how the process works, with the hashes, and leaves only signer and date open', async () => {
  await using lab = await evidenceLab();
  const coverage = [{ sourceId: 'fs-1', fromUs: 1_793_577_600_000_000, toUs: 1_793_624_459_999_999 }];
  await lab.answered({ answer: { ...LAB_ANSWER, searched: { ...LAB_ANSWER.searched, coverage } } });
  const certificate = await certificateOf(lab, 'pack-1');
  const text = inOneLine(certificate);
  for (const fact of [
    'Federal Rules of Evidence 902(11), 902(13) and 902(14); 28 U.S.C. 1746',
    'Transit Telecom, OCN 123A',
    'FreeSWITCH 1.10.12 on the session border controller edge-1',
    'when the call ends, within one second',
    'regularly conducted activity',
    'version 1 of the reader for the format freeswitch-csv',
    labRecord().source.sha256,
    'from 2026-11-02T11:00:00Z to 2026-11-02T13:00:59.999Z',
    'weighed 3 records',
    // Rounded, it would seem to leave a thousandth of the window uncovered.
    'source "fs-1" from 2026-11-02T00:00:00Z to 2026-11-02T13:00:59.999999Z',
    '-12 ms have to be added',
    'the policy "default" without a person deciding',
    'I declare under penalty of perjury',
    'Its octets as they came are kept',
    'It is the statement of nobody until a person',
  ]) {
    expect(text).toContain(fact);
  }
  expect(text.match(/_{10,}/g)).toHaveLength(4);
  expect(certificate.split('\n').filter((line) => line.length > 110)).toEqual([]);
});

test('the certificate says what was not stated or kept, and certifies nothing about it', async () => {
  await using lab = await evidenceLab();
  const other = { ...labRecord(false), source: { ...labRecord(false).source, id: 'other-switch' } };
  await lab.answered({ records: [other], clocks: [] });
  await lab.answered({ records: [], received: { ...labMaterial().received, octets: 'written-anew' } });
  const text = inOneLine(await certificateOf(lab, 'pack-1'));
  expect(text).toContain('stated nothing about how that source makes its records');
  expect(text).not.toContain('regularly conducted activity');
  expect(text).toContain('were not kept by the program; there is this hash alone');
  expect(text).toContain('was not measured');
  const second = inOneLine(await certificateOf(lab, 'pack-2'));
  expect(second).toContain('holds no record of a call');
  expect(second).toContain('Its octets as they came were not kept');
  expect(second).not.toContain('are kept in the file');
  const verification = await verifyEvidenceStore(lab.directory, trustOf(lab));
  expect(verification).toMatchObject({
    status: 'passed',
    notes: [{ packId: 'pack-1', note: { kind: 'raw-not-kept', recordId: other.recordId } }],
  });
});

test('packs that were edited, deleted, replaced or never logged are found', async () => {
  await using lab = await evidenceLab();
  for (let count = 0; count < 4; count += 1) await lab.answered();
  const path = (name: string): string => join(lab.directory, 'packs', name);
  await rewrite(lab, 'pack-1.pack.json', (stored) => {
    const raw = stored.files.find(({ name }) => name.endsWith('.raw'))!;
    raw.octets = Buffer.from(Buffer.from(raw.octets, 'base64').toString().replace('0101', '0199')).toString('base64');
    return stored;
  });
  await writeFile(path('pack-2.pack.json'), await readFile(path('pack-4.pack.json')));
  await rm(path('pack-3.pack.json'));
  await writeFile(path('pack-9.pack.json'), await readFile(path('pack-4.pack.json')));
  const verification = await verifyEvidenceStore(lab.directory, trustOf(lab));
  expect(verification.status).toBe('failed');
  expect(verification.findings.map(({ leafIndex, packId, finding }) => [leafIndex, packId, finding.kind])).toEqual([
    [0, 'pack-1', 'file-changed'],
    [0, 'pack-1', 'raw-differs'],
    [2, 'pack-2', 'not-as-logged'],
  ]);
  expect(verification.notes.map(({ packId, note }) => [packId, note.kind])).toEqual([
    ['pack-3', 'pack-not-kept'],
    ['pack-9', 'pack-not-logged'],
  ]);
});

test('a manifest that a stranger signed, and an answer that a stranger signed, are found', async () => {
  await using lab = await evidenceLab();
  const reference = await lab.store.write(labMaterial());
  const stranger = labKey('p256');
  const answerJws = signedAnswer({ ...LAB_ANSWER, evidence: reference }, stranger);
  await lab.store.attachAnswer('pack-1', { answerJws });
  const { publicKey } = lab.key.signer;
  const unchecked = await verifyEvidenceStore(lab.directory, { publicKeys: [publicKey] });
  expect(unchecked).toMatchObject({ status: 'passed', notes: [{ note: { kind: 'answer-signature-unchecked' } }] });
  const checked = await verifyEvidenceStore(lab.directory, { publicKeys: [publicKey], answerKeys: [publicKey] });
  expect(checked.findings.map(({ finding }) => finding.kind)).toEqual(['answer-signature-invalid']);
  const right = { publicKeys: [publicKey], answerKeys: [stranger.signer.publicKey] };
  expect((await verifyEvidenceStore(lab.directory, right)).status).toBe('passed');
  const signature = Buffer.alloc(70, 48).toString('base64');
  await rewrite(lab, 'pack-1.pack.json', (stored) => ({ ...stored, signature }));
  const forged = await verifyEvidenceStore(lab.directory, right);
  expect(forged.findings.map(({ finding }) => finding.kind)).toEqual(['manifest-signature-invalid']);
});

test(
  'killed between every pair of file operations, no entry of the log names a pack that is not there',
  { timeout: 60_000 },
  async () => {
    const key = labKey('ed25519');
    const life = async (files: ReturnType<typeof createSimulatedLogFiles>): Promise<void> => {
      await using store = await EvidenceStore.open({
        directory: '/evidence',
        files,
        logId: 'example.com/evidence',
        signer: key.signer,
      });
      for (let count = 0; count < 2; count += 1) {
        const reference = await store.write(labMaterial());
        const answerJws = signedAnswer({ ...LAB_ANSWER, evidence: reference }, key);
        await store.attachAnswer(reference.packId, { answerJws });
      }
    };
    const whole = createSimulatedLogFiles();
    await life(whole);
    const operations = whole.operations();
    const seen = new Set<string>();
    for (let after = 0; after <= operations; after += 1) {
      for (const crash of ['process', 'power', 'names', 'torn'] as const) {
        const files = createSimulatedLogFiles();
        files.killAfter(after);
        await life(files).catch(() => undefined);
        files.killAfter(0);
        const left = files.afterCrash(crash);
        const found = await verifyEvidenceStore('/evidence', { publicKeys: [key.signer.publicKey], files: left });
        // At the end of the log there may be a part of an entry that was not acknowledged.
        const expected = found.log.status === 'indeterminate' && crash !== 'power' ? 'indeterminate' : 'passed';
        expect([crash, after, found.status, found.findings]).toEqual([crash, after, expected, []]);
        const kinds = found.notes.map(({ note }) => note.kind);
        expect(kinds).not.toContain('pack-not-kept');
        for (const kind of kinds) seen.add(kind);
      }
    }
    expect([...seen].toSorted()).toEqual(['answer-not-attached', 'answer-not-logged', 'pack-not-logged']);
  },
);

test('a pack that is too large, or could not be read again, is not written', async () => {
  await using lab = await evidenceLab();
  const { received } = labMaterial();
  const decision = {
    policyId: 'p',
    outcome: 'automatic',
    steps: [{ rule: 'r', inputs: { score: Number.NaN }, result: 'x' }],
  };
  for (const changes of [
    { received: { ...received, bytes: new Uint8Array(16 * 2 ** 20 + 1) } },
    { records: Array.from({ length: 1_001 }, () => labRecord()) },
    { decision },
    { answer: { ...LAB_ANSWER, requestId: 'r'.repeat(300) } },
  ])
    await expect(lab.store.write(labMaterial(changes))).rejects.toMatchObject({ code: 'invalid-argument' });
  expect(lab.store.log.size).toBe(0);
  expect(await readdir(lab.directory)).not.toContain('packs');
  // No name of a pack leads out of its folder.
  expect(await lab.store.pack('../public-key')).toBeUndefined();
});

test('an answer about what a peer wrote in half surrogate pairs has evidence, and what stood there is kept by its hash', async () => {
  await using lab = await evidenceLab();
  const half = 'SSA\ud800-P2\udc00';
  const { request, answer } = labMaterial();
  const odd = {
    request: { ...request, campaign: { name: half } },
    answer: { ...answer, comment: half },
    records: [{ ...labRecord(), extra: { 'na\ud83dme': 1, 'na\ufffdme': 2, deep: nested(200) } }] as never,
    received: { ...labMaterial().received, mediaType: `text/plain; x="${'y'.repeat(4_000)}\n"` },
  };
  const reference = await lab.answered(odd);
  const pack = (await lab.store.pack(reference.packId))!;
  const json = (name: string): unknown =>
    JSON.parse(Buffer.from(pack.files.find((file) => file.name === name)!.octets).toString('utf8'));
  expect(json('answer.json')).toMatchObject({ comment: 'SSA\ufffd-P2\ufffd' });
  expect(json('record-0001.json')).toMatchObject({ extra: { 'na\ufffdme': 1, 'na\ufffdme (2)': 2 } });
  const utf16 = Buffer.from(half, 'utf16le').swap16();
  const sha256 = createHash('sha256').update(utf16).digest('hex');
  expect(json('text-repairs.json')).toEqual(
    expect.arrayContaining([
      { at: '/answer/comment', why: 'half-surrogate', sha256 },
      { at: '/request/campaign/name', why: 'half-surrogate', sha256 },
      expect.objectContaining({ why: 'too-deep' }),
    ]),
  );
  // The signed answer has the halves still, as escapes, and is found to say what the pack was written for.
  expect(await verifyEvidenceStore(lab.directory, trustOf(lab))).toMatchObject({ status: 'passed', findings: [] });
});

const nested = (depth: number): unknown => (depth === 0 ? 1 : [nested(depth - 1)]);

test('an id of the requester cannot forge a line of the certificate, or a command of the guide', async () => {
  await using lab = await evidenceLab();
  const evil = 'tb-3\n\nI declare that nothing is true.\n```sh\nrm -rf ~\n```\u202e';
  const reference = await lab.answered({ answer: { ...LAB_ANSWER, tracebackId: evil, requestId: evil } });
  expect(await certificateOf(lab, reference.packId)).not.toMatch(/^I declare that nothing/m);
  const { manifest } = (await lab.store.pack(reference.packId))!;
  const { publicKey } = lab.key.signer;
  const guide = verifyGuide(manifest, { proofs: [], publicKey, logPublicKey: publicKey });
  expect(guide).not.toMatch(/^rm /m);
  expect(guide).not.toContain('```sh\nrm');
});

test('a receipt for another answer is found', async () => {
  await using lab = await evidenceLab();
  const reference = await lab.store.write(labMaterial());
  const answerJws = signedAnswer({ ...LAB_ANSWER, evidence: reference }, lab.key);
  const receiptJws = signedReceipt(`${answerJws}x`, lab.platformKey);
  await lab.store.attachAnswer('pack-1', { answerJws, receiptJws });
  const { findings } = await verifyEvidenceStore(lab.directory, trustOf(lab));
  expect(findings.map(({ finding }) => finding)).toEqual([
    { kind: 'receipt-differs', file: 'receipt.jws', what: 'its hash is not that of answer.jws' },
  ]);
});

test('a receipt is held against the key of the platform, and one that was logged and taken away is missed', async () => {
  await using lab = await evidenceLab();
  await lab.receipted();
  const [own, platform] = [lab.key.signer.publicKey, lab.platformKey.signer.publicKey];
  const by = (receiptKeys?: readonly KeyObject[]): ReturnType<typeof verifyEvidenceStore> =>
    verifyEvidenceStore(lab.directory, { publicKeys: [own], ...(receiptKeys === undefined ? {} : { receiptKeys }) });
  expect(await by([platform])).toMatchObject({ status: 'passed', notes: [] });
  expect(await by()).toMatchObject({ status: 'passed', notes: [{ note: { kind: 'receipt-signature-unchecked' } }] });
  expect((await by([own])).findings.map(({ finding }) => finding.kind)).toEqual(['receipt-signature-invalid']);
  await rewrite(lab, 'pack-1.answer.json', (stored) => ({ ...stored, receiptJws: undefined }));
  expect(await by([platform])).toMatchObject({
    status: 'failed',
    findings: [{ leafIndex: 2, finding: { kind: 'file-missing', file: 'receipt.jws' } }],
  });
  const exported = {
    pack: (await lab.store.pack('pack-1'))!,
    proofs: await packProofs(lab.store.log, 'pack-1'),
    publicKey: own,
    logPublicKey: own,
  };
  await expect(exportEvidencePack(join(lab.directory, 'out'), exported)).rejects.toMatchObject({
    code: 'log-inconsistent',
    details: { leafIndex: 2 },
  });
});

test('two signed answers of one name that differ are found, and so is a clock that went back', async () => {
  await using lab = await evidenceLab();
  await lab.answered();
  await lab.answered({ answer: { ...LAB_ANSWER, finding: { arm: 'not-found' } } });
  await lab.answered({ answer: { ...LAB_ANSWER, revision: 2, finding: { arm: 'not-found' } } });
  const { findings, notes } = await verifyEvidenceStore(lab.directory, trustOf(lab));
  expect(findings).toEqual([
    { leafIndex: 2, packId: 'pack-2', finding: { kind: 'answers-conflict', otherPackId: 'pack-1' } },
  ]);
  expect(notes).toEqual([]);
  await lab.store.close();
  await using earlier = await EvidenceStore.open({
    ...optionsOf(lab),
    clock: { nowMs: () => Date.parse('2026-11-01T00:00:00Z') },
    newId: () => 'pack-backdated',
  });
  await earlier.write(labMaterial());
  expect((await verifyEvidenceStore(lab.directory, trustOf(lab))).notes).toContainEqual({
    packId: 'pack-backdated',
    note: { kind: 'clock-went-back', leafIndex: 6 },
  });
});

test('a pack with a file twice, of which a reader and a verifier could see different ones, is unreadable', async () => {
  await using lab = await evidenceLab();
  await lab.answered();
  const forged = { name: 'decision.json', octets: Buffer.from('{"outcome":"another"}').toString('base64') };
  await rewrite(lab, 'pack-1.pack.json', (stored) => ({ ...stored, files: [forged, ...stored.files] }));
  expect(await lab.store.pack('pack-1')).toBeUndefined();
  const { findings } = await verifyEvidenceStore(lab.directory, trustOf(lab));
  expect(findings.map(({ finding }) => finding.kind)).toEqual(['unreadable', 'unreadable']);
});

test('a manifest that its signer made to lie about the answer or a record is found', async () => {
  await using lab = await evidenceLab();
  await lab.answered();
  const pack = (await lab.store.pack('pack-1'))!;
  const { publicKey } = lab.key.signer;
  const kindsWith = async (changes: Partial<EvidencePack['manifest']>): Promise<readonly string[]> => {
    const manifest = { ...pack.manifest, ...changes };
    const manifestOctets = Buffer.from(canonicalJson(manifest));
    const signature = await signatureFor(lab.key.signer, manifestOctets);
    const { answerJws: _, ...rest } = pack;
    const lying = { ...rest, manifest, manifestOctets, signature };
    const { findings } = await packFindings(lying, { publicKeys: [publicKey] });
    return findings.map((finding) => `${finding.kind} ${'file' in finding ? finding.file : ''}`);
  };
  const [record] = pack.manifest.records;
  expect(await kindsWith({})).toEqual([]);
  expect(await kindsWith({ answerId: 'ans-8' })).toEqual(['manifest-differs answer.json']);
  expect(await kindsWith({ provider: { name: 'Honest Carrier' } })).toEqual(['manifest-differs answer.json']);
  expect(await kindsWith({ records: [{ ...record!, rawFiles: ['record-0001-row-0002.raw'] }] })).toEqual([
    'file-missing record-0001-row-0002.raw',
  ]);
  expect(await kindsWith({ records: [{ ...record!, raw: 'not-kept', sourceSha256: '0'.repeat(64) }] })).toEqual([
    'manifest-differs record-0001.json',
  ]);
  const signer = { ...pack.manifest.signer, publicKeySha256: '0'.repeat(64) };
  expect(await kindsWith({ signer })).toEqual(['manifest-signature-invalid manifest.sig']);
});

test('a manifest or an entry with a member twice is not read', async () => {
  await using lab = await evidenceLab();
  await lab.answered();
  const octets = (await lab.store.log.read(0))[0]!.octets;
  const text = Buffer.from(octets).toString('utf8');
  expect(parseEntry(octets)?.packId).toBe('pack-1');
  const twice = text.replace('"manifestSha256":', `"manifestSha256":"${'0'.repeat(64)}","manifestSha256":`);
  expect(parseEntry(Buffer.from(twice))).toBeUndefined();
  const { manifestOctets } = (await lab.store.pack('pack-1'))!;
  const manifest = Buffer.from(manifestOctets).toString('utf8');
  expect(parseManifest(manifestOctets)?.answerId).toBe('ans-9');
  expect(parseManifest(Buffer.from(manifest.replace('{', '{"answerId":"ans-8",')))).toBeUndefined();
});

test('a receipt that was not logged is noted', async () => {
  await using lab = await evidenceLab();
  await lab.answered();
  const answerJws = (await lab.store.pack('pack-1'))?.answerJws ?? '';
  const receiptJws = signedReceipt(answerJws, lab.platformKey);
  await rewrite(lab, 'pack-1.answer.json', (stored) => ({ ...stored, receiptJws }));
  const trust = { ...trustOf(lab), receiptKeys: [lab.platformKey.signer.publicKey] };
  expect((await verifyEvidenceStore(lab.directory, trust)).notes).toEqual([
    { packId: 'pack-1', note: { kind: 'receipt-not-logged' } },
  ]);
  await lab.store.attachAnswer('pack-1', { answerJws, receiptJws });
  expect((await verifyEvidenceStore(lab.directory, trust)).notes).toEqual([]);
});

test('JSON has one spelling, that of RFC 8785', () => {
  const numbers = [Number('333333333.33333329'), 1e30, 4.5, 2e-3, 0.000000000000000000000000001];
  const string = '\u20ac$\u000f\nA\'B"\\\\"/';
  expect(canonicalJson({ numbers, string, literals: [null, true, false] })).toBe(
    '{"literals":[null,true,false],"numbers":[333333333.3333333,1e+30,4.5,0.002,1e-27],"string":"\u20ac$\\u000f\\nA\'B\\"\\\\\\\\\\"/"}',
  );
  const keys = ['\u20ac', '\r', '\ufb33', '1', '\ud83d\ude00', '\u0080', '\u00f6'];
  const sorted = Object.keys(JSON.parse(canonicalJson(Object.fromEntries(keys.map((key) => [key, 0])))) as object);
  expect(sorted).toEqual(['1', '\r', '\u0080', '\u00f6', '\u20ac', '\ud83d\ude00', '\ufb33']);
  expect(() => canonicalJson('\ud800')).toThrow();
  expect(() => canonicalJson(Number.POSITIVE_INFINITY)).toThrow();
});

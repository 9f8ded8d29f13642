import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import fc from 'fast-check';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { evidenceVcon, verifyEvidencePack, type EvidencePack } from '../../sdk/src/traceback/index.js';
import {
  canonicalJson,
  parseEntry,
  parseManifest,
  parseStoredAnswer,
  parseStoredPack,
} from '../../sdk/src/traceback/evidence/evidence-manifest.js';
import { evidenceDocument } from '../../sdk/src/traceback/evidence/evidence-document.js';
import { decodePack, encodePack, packFindings } from '../../sdk/src/traceback/evidence/pack-store.js';
import { evidenceLab } from '../support/evidence-lab.js';
import { forAll, forAllAsync } from '../support/for-all.js';

let pack: EvidencePack;
let folder: string;

beforeAll(async () => {
  await using lab = await evidenceLab();
  await lab.answered();
  pack = (await lab.store.pack('pack-1'))!;
  folder = await mkdtemp(join(tmpdir(), 'hopback-any-pack-'));
});

afterAll(() => rm(folder, { recursive: true }));

/** JSON without half surrogate pairs, which RFC 8785 has no spelling for. */
const json = fc.jsonValue({ maxDepth: 4 });

test('one value has one spelling, whatever the order of its keys, and is read back as it was', () => {
  forAll([json], 100, (value) => {
    const text = canonicalJson(value);
    expect(canonicalJson(JSON.parse(text))).toBe(text);
    expect(JSON.parse(text)).toEqual(JSON.parse(JSON.stringify(value)));
    if (typeof value !== 'object' || value === null || Array.isArray(value)) return;
    const reversed = Object.fromEntries(Object.entries(value).toReversed());
    expect(canonicalJson(reversed)).toBe(text);
  });
});

test('any octets are a manifest, an entry, a pack, or nothing', () => {
  forAll(
    [
      fc.oneof(
        fc.uint8Array(),
        json.map((value) => Buffer.from(JSON.stringify(value))),
      ),
    ],
    100,
    (octets) => {
      for (const parse of [parseManifest, parseEntry, parseStoredPack, parseStoredAnswer, decodePack]) {
        expect(['object', 'undefined']).toContain(typeof parse(octets));
      }
    },
  );
});

test('a pack with any of its files changed is judged and rendered, and never passes', async () => {
  await forAllAsync(
    [
      fc.nat(),
      fc.oneof(
        fc.uint8Array(),
        json.map((value) => Buffer.from(JSON.stringify(value))),
      ),
    ],
    100,
    async (which, octets) => {
      const at = which % pack.files.length;
      const files = pack.files.map((file, index) => (index === at ? { ...file, octets } : file));
      const changed = { ...pack, files };
      const { findings } = await packFindings(changed, { publicKeys: [] });
      expect(findings.map((finding) => 'file' in finding && finding.file)).toContain(pack.files[at]!.name);
      expect(evidenceVcon(changed).vcon).toBe('0.4.0');
      expect(evidenceDocument(changed, []).blocks.length).toBeGreaterThan(5);
      expect(decodePack(encodePack(changed))?.files.length).toBe(files.length);
    },
  );
});

test('a folder with anything in the files of a pack is judged', async () => {
  const names = [
    'manifest.json',
    'SHA256SUMS',
    'checkpoint.txt',
    'proof.json',
    'log-entry.json',
    'public-key.pem',
    'answer.jws',
  ];
  await writeFile(join(folder, 'manifest.json'), pack.manifestOctets);
  const content = fc.oneof(
    fc.uint8Array(),
    fc.string({ unit: 'binary' }),
    json.map((value) => JSON.stringify(value)),
  );
  await forAllAsync([fc.constantFrom(...names), content], 200, async (name, octets) => {
    await writeFile(join(folder, name), octets);
    expect((await verifyEvidencePack(folder)).status).toBe('failed');
    await writeFile(join(folder, 'manifest.json'), pack.manifestOctets);
  });
});

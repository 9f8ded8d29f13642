import { createHash } from 'node:crypto';
import { expect, test } from 'vitest';
import {
  evidenceVcon,
  renderEvidencePdf,
  type EvidenceMaterial,
  type EvidencePack,
} from '../../sdk/src/traceback/index.js';
import { packProofs } from '../../sdk/src/traceback/evidence/pack-store.js';
import { evidenceDocument } from '../../sdk/src/traceback/evidence/evidence-document.js';
import { run } from '../house/run.js';
import { evidenceLab, LAB_ANSWER, labMaterial, labRecord } from '../support/evidence-lab.js';
import { pdfPages } from '../support/pdf-pages.js';

async function packOf(changes: Partial<EvidenceMaterial> = {}): Promise<EvidencePack> {
  await using lab = await evidenceLab('ed25519');
  await lab.answered(changes);
  return (await lab.store.pack('pack-1'))!;
}

const COVER = {
  'Asked by': 'Industry Traceback Group',
  'Asked about':
    'a call from +12025550101 to +12025550102 at 11/02/2026 7:00 AM EST (read as 2026-11-02T07:00, America/New_York)',
  'Call in the answer': 'from +12025550101 to +12025550102, begun 2026-11-02T12:00:00Z',
  Answered: '2026-11-03T14:00:02Z, without a person deciding',
};

/** On which page a text stands that is drawn in one piece. */
async function pageOf(pack: EvidencePack, text: string): Promise<number> {
  const pages = pdfPages(await renderEvidencePdf(pack));
  const found = pages.flatMap((page, index) => (page.includes(text) ? [index] : []));
  expect([text, found.length]).toEqual([text, 1]);
  return found[0]!;
}

test('the PDF has every part, its text is that of the pack, and the same pack gives the same octets', async () => {
  await using lab = await evidenceLab('ed25519');
  await lab.answered();
  const pack = (await lab.store.pack('pack-1'))!;
  const proofs = await packProofs(lab.store.log, 'pack-1');
  const one = Buffer.from(await renderEvidencePdf(pack, proofs));
  expect(one.subarray(0, 5).toString()).toBe('%PDF-');
  expect(Buffer.from(await renderEvidencePdf(pack, proofs)).equals(one)).toBe(true);
  const { blocks, cover } = evidenceDocument(pack, proofs);
  expect(blocks.flatMap((block) => (block.kind === 'heading' ? [block.text] : []))).toEqual([
    'Request',
    'Answer',
    'Search and coverage',
    'Clocks',
    'Records',
    'Verification of the call',
    'Decision',
    'Hashes and log',
  ]);
  expect(cover).toContainEqual(['Finding', 'received-from: Upstream Voice']);
  expect(Object.fromEntries(cover)).toMatchObject(COVER);
  const text = JSON.stringify(blocks);
  for (const fact of [
    'upstream-voice-1',
    'Answered at, microseconds since 1970',
    'Offset, milliseconds',
    '2026-11-02T12:00:03.000Z (1793620803000000)',
    'CERTIFICATE OF A CUSTODIAN',
    'number 0 of 2',
  ]) {
    expect(text).toContain(fact);
  }
});

test('the declaration and its signature stand on one page of the PDF, wherever the text before ends', async () => {
  for (let records = 1; records <= 14; records += 1) {
    const pack = await packOf({ records: Array.from({ length: records }, () => labRecord()) });
    const { blocks } = evidenceDocument(pack, []);
    const end = blocks.at(-1)!;
    expect(end).toMatchObject({ kind: 'listing', isWhole: true });
    expect('text' in end && end.text).toMatch(/^I declare under penalty of perjury[^]+Signature: [^]+Title: +_+$/);
    // The listing before and it are the certificate, with nothing lost between them.
    const text = blocks.slice(-2).map((block) => ('text' in block ? block.text : ''));
    const written = pack.files.find(({ name }) => name === 'custodian-certificate.txt')!;
    expect(`${text.join('')}\n`).toBe(Buffer.from(written.octets).toString());
    expect(await pageOf(pack, 'Title: ')).toBe(await pageOf(pack, 'I declare'));
  }
});

test('the PDF draws characters that fonts lack, binary content, and texts longer than a page', async () => {
  const answer = { ...LAB_ANSWER, comment: `\u4f60\u597d ${'word '.repeat(3_000)}` };
  const bytes = Buffer.alloc(20_000, 0x01);
  const received = { ...labMaterial().received, bytes, mediaType: 'application/octet-stream' };
  const records = Array.from({ length: 30 }, () => labRecord());
  const octets = await renderEvidencePdf(await packOf({ answer, received, records }));
  expect(octets.length).toBeGreaterThan(10_000);
});

test('deeply nested JSON in a pack is drawn up to a depth, and never throws', async () => {
  const pack = await packOf();
  const deep = `${'{"a":'.repeat(50_000)}1${'}'.repeat(50_000)}`;
  const files = pack.files.map((file) => (file.name === 'answer.json' ? { ...file, octets: Buffer.from(deep) } : file));
  const { blocks } = evidenceDocument({ ...pack, files }, []);
  expect(JSON.stringify(blocks)).toContain('nested too deeply to be shown');
  expect(evidenceVcon({ ...pack, files }).dialog.map(({ type }) => type)).toEqual(['text']);
});

test('names that every object has are no names of files or media types', async () => {
  const pack = await packOf({ received: { ...labMaterial().received, mediaType: 'constructor' } });
  const [received] = pack.files;
  expect(received).toMatchObject({ name: 'request-received.bin', mediaType: 'constructor' });
  const vcon = evidenceVcon({ ...pack, files: [...pack.files, { ...received!, name: 'constructor' }] });
  expect(vcon.analysis.map(({ filename }) => filename)).not.toContain('constructor');
  expect(vcon.attachments.map(({ filename }) => filename)).toContain('constructor');
});

test('without the package pdfkit the PDF is unavailable, and says what to install', async () => {
  // In a process of its own: this one has loaded the package.
  const hooks = `export async function resolve(name, context, next) {
    if (name === 'pdfkit') throw new Error('Cannot find package');
    return next(name, context);
  }`;
  const script = `
    import { register } from 'node:module';
    register(${JSON.stringify(`data:text/javascript,${encodeURIComponent(hooks)}`)});
    const { renderEvidencePdf } = await import('@hopback/sdk/traceback');
    const pack = JSON.parse(process.argv[1], (name, value) => (name === 'octets' ? Buffer.from(value.data) : value));
    await renderEvidencePdf(pack).catch(({ code, message }) => console.log(code, message));
  `;
  const argv = ['--input-type=module', '--eval', script, JSON.stringify(await packOf())];
  const { code, output } = await run(process.execPath, argv);
  expect([code, output]).toEqual([
    0,
    'unavailable PDFs are drawn by the package pdfkit, which is not installed: npm install pdfkit\n',
  ]);
});

/** Whatever has content says how it is encoded, and its hashes are those of its octets. */
function expectContent(content: {
  readonly body: string;
  readonly encoding: string;
  readonly content_hash: readonly string[];
}): void {
  const octets = content.encoding === 'none' ? Buffer.from(content.body) : Buffer.from(content.body, 'base64url');
  expect(content.content_hash).toEqual([
    `sha512-${createHash('sha512').update(octets).digest('base64url')}`,
    `sha256-${createHash('sha256').update(octets).digest('base64url')}`,
  ]);
}

test('a vCon has what the draft requires: version, UUID of version 8, dates, places of parties and dialogs that are there', async () => {
  const vcon = evidenceVcon(await packOf());
  expect(vcon.vcon).toBe('0.4.0');
  expect(vcon.uuid).toMatch(/^[0-9a-f]{8}-[0-9a-f]{4}-8[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$/);
  expect(vcon.parties).toEqual([
    { name: 'Transit Telecom', validation: 'none' },
    { name: 'Industry Traceback Group', validation: 'none' },
    { tel: 'tel:+12025550101' },
    { tel: 'tel:+12025550102' },
    { name: 'Upstream Voice', validation: 'stated by the provider in its answer' },
  ]);
  const [request, call] = vcon.dialog;
  expect(request).toMatchObject({
    type: 'text',
    start: '2026-11-03T14:00:01Z',
    parties: [1, 0],
    filename: 'request-received.json',
  });
  if (request?.type === 'text') expectContent(request);
  // A dialog of type recording has content: section 4.3.1.
  expect(call).toEqual({
    type: 'recording-set',
    start: '2026-11-02T12:00:03Z',
    duration: 6,
    parties: [2, 3],
    recordings: [],
  });
  expect(vcon.analysis.map(({ filename, schema }) => [filename, schema])).toEqual([
    ['answer.json', 'hopback.traceback-answer.1'],
    ['search.json', undefined],
    ['verdict.json', 'hopback.verdict-evidence.1'],
    ['decision.json', undefined],
  ]);
  const raw = vcon.attachments.find(({ filename }) => filename === 'record-0001-row-0001.raw');
  expect(raw).toMatchObject({ party: 0, dialog: 1, encoding: 'none' });
  expect(vcon.attachments.map(({ filename }) => filename)).toContain('answer.jws');
  for (const content of [...vcon.analysis, ...vcon.attachments]) {
    expectContent(content);
    expect([content.dialog].flat().every((place) => place < vcon.dialog.length)).toBe(true);
  }
});

test('a number without its country is the name of a party, and not a tel URI', async () => {
  const call = { ...LAB_ANSWER.call!, calling: 'anonymous', called: '911' };
  const { parties } = evidenceVcon(await packOf({ answer: { ...LAB_ANSWER, call } }));
  expect(parties.slice(2, 4)).toEqual([
    { name: 'anonymous', validation: 'none' },
    { name: '911', validation: 'none' },
  ]);
});

test('a call that was not answered is an incomplete dialog without content, and without a call there is no dialog', async () => {
  for (const disposition of ['busy', 'cancelled', 'rejected', 'blocked'] as const) {
    const call = { ...LAB_ANSWER.call!, disposition };
    const { dialog } = evidenceVcon(await packOf({ answer: { ...LAB_ANSWER, call } }));
    expect(dialog[1]).toEqual({
      type: 'incomplete',
      start: '2026-11-02T12:00:00Z',
      parties: [2, 3],
      disposition: disposition === 'busy' ? 'busy' : (expect.any(String) as string),
    });
  }
  const { call: _, ...rest } = LAB_ANSWER;
  const none = evidenceVcon(await packOf({ answer: { ...rest, finding: { arm: 'not-found' } }, records: [] }));
  expect(none.dialog.map(({ type }) => type)).toEqual(['text']);
  expect(none.parties[3]).toEqual({ tel: 'tel:+12025550102' });
});

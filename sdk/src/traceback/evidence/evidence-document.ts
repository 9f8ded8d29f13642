import type PdfKit from 'pdfkit';
import { membersOf, printableText } from '../../core/text.js';
import { HopbackError } from '../../errors.js';
import { DECLARATION } from './custodian-certificate.js';
import { jsonOf } from './evidence-manifest.js';
import type { EvidenceFile, EvidencePack } from './evidence-manifest.js';
import type { LoggedProof } from './pack-store.js';

/** A part of a document about a pack, whatever it is drawn with. */
type DocumentBlock =
  | { readonly kind: 'heading'; readonly text: string }
  | { readonly kind: 'page' }
  | { readonly kind: 'text'; readonly text: string }
  /** Label and value, one below the other. */
  | { readonly kind: 'facts'; readonly facts: readonly (readonly [label: string, value: string])[] }
  /** As it is, in a fixed width. `columns` of it are seen without a break; `isWhole`: on one page. */
  | {
      readonly kind: 'listing';
      readonly text: string;
      readonly columns: number;
      readonly isWhole?: true;
    };

/** What stands on the cover and behind it. */
interface EvidenceDocument {
  readonly title: string;
  readonly packId: string;
  readonly writtenAt: string;
  readonly cover: readonly (readonly [label: string, value: string])[];
  readonly blocks: readonly DocumentBlock[];
}

/** What is shown of a text that is as long as its sender likes; all of it is in the folder of the pack. */
const LISTED_CHARS = 6_000;
/** Rows of a record that are shown: a capture has thousands of packets. */
const LISTED_ROWS = 20;

/** What a pack says, for people. Never throws, whatever the pack holds. */
export function evidenceDocument(pack: EvidencePack, proofs: readonly LoggedProof[]): EvidenceDocument {
  const { manifest } = pack;
  const json = (name: string): unknown => {
    const file = pack.files.find((one) => one.name === name);
    return file === undefined ? undefined : jsonOf(file.octets);
  };
  const answer = membersOf(json('answer.json'));
  const search = membersOf(json('search.json'));
  return {
    title: 'Evidence of a traceback answer',
    packId: manifest.packId,
    writtenAt: manifest.writtenAt,
    cover: coverFacts(pack, { request: membersOf(json('request.json')), answer }),
    blocks: [
      { kind: 'page' },
      { kind: 'heading', text: 'Request' },
      ...factsBlock(membersOf(json('request.json'))),
      ...receivedBlocks(pack.files),
      { kind: 'heading', text: 'Answer' },
      ...factsBlock(without(answer, 'searched')),
      { kind: 'heading', text: 'Search and coverage' },
      ...factsBlock(membersOf(search['searched'])),
      ...reasonBlocks(search['reasons']),
      { kind: 'heading', text: 'Clocks' },
      ...listBlocks(json('clocks.json'), 'No offset of a clock was measured.'),
      { kind: 'page' },
      { kind: 'heading', text: 'Records' },
      ...recordBlocks(pack, json),
      ...(json('verdict.json') === undefined
        ? []
        : [
            { kind: 'heading', text: 'Verification of the call' } as const,
            ...factsBlock(membersOf(json('verdict.json'))),
          ]),
      { kind: 'heading', text: 'Decision' },
      ...decisionBlocks(membersOf(json('decision.json'))),
      { kind: 'page' },
      { kind: 'heading', text: 'Hashes and log' },
      ...hashBlocks(pack, proofs),
      { kind: 'page' },
      ...certificateBlocks(pack.files),
    ],
  };
}

function coverFacts(
  { manifest, answerJws, receiptJws }: EvidencePack,
  { request, answer }: { readonly request: Members; readonly answer: Members },
): EvidenceDocument['cover'] {
  const finding = membersOf(answer['finding']);
  const upstream = membersOf(finding['upstream'] ?? finding['provider'] ?? finding['downstream']);
  const named = asText(upstream['name']);
  return [
    ['Provider', [manifest.provider.name, manifest.provider.ocn].filter((part) => part !== undefined).join(', OCN ')],
    ['Asked by', asText(membersOf(request['requester'])['name']) || 'not stated'],
    ['Asked about', askedText(membersOf(request['call']))],
    ['Finding', `${asText(finding['arm'])}${named === '' ? '' : `: ${named}`}`],
    ['Call in the answer', foundText(membersOf(answer['call']))],
    ['Answered', answeredText(answer)],
    ['Traceback', manifest.tracebackId],
    ['Request', manifest.requestId],
    [
      'Answer',
      `${manifest.answerId}, revision ${manifest.revision}${answerJws === undefined ? ', not signed yet' : ', signed'}`,
    ],
    ['Receipt', receiptJws === undefined ? 'none when this was drawn' : 'in the pack'],
    ['Evidence pack', manifest.packId],
    ['Written', manifest.writtenAt],
    ['Software', `${manifest.software.name} ${manifest.software.version}`],
    ['Signed by', `${manifest.signer.algorithm} key ${manifest.signer.publicKeySha256}`],
    ['Log', manifest.logId],
  ];
}

/** The call as the request has it, the time with what it was read as. */
function askedText({ called, calling, at }: Members): string {
  const { asWritten, local, zone } = membersOf(at);
  const from = asText(calling) === '' ? 'a call' : `a call from ${asText(calling)}`;
  const read = [asText(local), asText(zone) || 'no zone stated'].join(', ');
  return `${from} to ${asText(called) || 'a number that is not stated'} at ${asText(asWritten) || '-'} (read as ${read})`;
}

function foundText({ called, calling, startedAt }: Members): string {
  if (asText(startedAt) === '') return 'none';
  return `from ${asText(calling) || 'a number that is not on record'} to ${asText(called) || '-'}, begun ${asText(startedAt)}`;
}

function answeredText({ answeredAt, answeredBy }: Members): string {
  const { kind, name } = membersOf(answeredBy);
  return `${asText(answeredAt)}, ${kind === 'automatic' ? 'without a person deciding' : `decided by ${asText(name) || 'a person'}`}`;
}

function receivedBlocks(files: readonly EvidenceFile[]): DocumentBlock[] {
  const received = files.find(({ name }) => name.startsWith('request-received.'));
  if (received === undefined) return [];
  return [
    { kind: 'text', text: received.what },
    { kind: 'listing', text: listed(received.octets), columns: 96 },
  ];
}

function recordBlocks({ manifest, files }: EvidencePack, json: (name: string) => unknown): DocumentBlock[] {
  if (manifest.records.length === 0) return [{ kind: 'text', text: 'The answer rests on no record of a call.' }];
  return manifest.records.flatMap((record): DocumentBlock[] => {
    const rows = record.rawFiles.slice(0, LISTED_ROWS).flatMap((name) => files.filter((file) => file.name === name));
    const more = record.rawFiles.length - rows.length;
    const kept =
      record.raw === 'kept'
        ? `Read from ${String(record.rawFiles.length)} ${record.rawFiles.length === 1 ? 'row or packet' : 'rows or packets'}, whose bytes ${record.rawMatches === true ? 'have' : 'do NOT have'} the hash that was kept with the record.`
        : 'Its bytes were not kept, only their hash.';
    return [
      {
        kind: 'text',
        text: `Record ${record.recordId}, made by version ${String(record.readerVersion)} of the reader for ${record.format}. ${kept}`,
      },
      ...factsBlock(without(membersOf(json(record.file)), 'format', 'recordId')),
      ...rows.map(({ octets }): DocumentBlock => ({ kind: 'listing', text: listed(octets), columns: 96 })),
      ...(more > 0 ? [{ kind: 'text', text: `${String(more)} more are in the folder of the pack.` } as const] : []),
    ];
  });
}

function reasonBlocks(reasons: unknown): DocumentBlock[] {
  if (!Array.isArray(reasons) || reasons.length === 0) return [];
  const facts = reasons.map((reason): readonly [string, string] => {
    const { field, verdict, stated, recorded } = membersOf(reason);
    return [asText(field), `${asText(verdict)}: stated ${asText(stated) || '-'}, recorded ${asText(recorded) || '-'}`];
  });
  return [
    { kind: 'text', text: 'What spoke for the call, and against it:' },
    { kind: 'facts', facts },
  ];
}

function decisionBlocks(decision: Members): DocumentBlock[] {
  const steps: readonly unknown[] = Array.isArray(decision['steps']) ? decision['steps'] : [];
  return [
    ...factsBlock(without(decision, 'steps')),
    {
      kind: 'facts',
      facts: steps.map((step, index): readonly [string, string] => {
        const { rule, inputs, result, because } = membersOf(step);
        const looked = flattened(inputs, '')
          .map(([name, value]) => `${name} = ${value}`)
          .join(', ');
        const why = asText(because) === '' ? '' : ` (${asText(because)})`;
        return [
          `${String(index + 1)}. ${asText(rule)}`,
          `${asText(result)}${why}${looked === '' ? '' : `; looked at ${looked}`}`,
        ];
      }),
    },
  ];
}

function hashBlocks({ manifest }: EvidencePack, proofs: readonly LoggedProof[]): DocumentBlock[] {
  const table = manifest.files.map(({ name, sha256 }) => `${sha256}  ${name}`).join('\n');
  const logged = proofs.map(({ kind, inclusion }): readonly [string, string] => [
    `Entry of the ${kind}`,
    `number ${String(inclusion.leafIndex)} of ${String(inclusion.size)}`,
  ]);
  const checkpoint = proofs[0]?.checkpoint;
  return [
    { kind: 'text', text: 'SHA-256 of each file, as signed in manifest.json:' },
    { kind: 'listing', text: table, columns: 100 },
    ...(logged.length === 0 ? [] : [{ kind: 'facts', facts: logged } as const]),
    ...(checkpoint === undefined
      ? []
      : [
          { kind: 'text', text: 'Signed checkpoint of the log:' } as const,
          { kind: 'listing', text: checkpoint, columns: 100 } as const,
        ]),
    {
      kind: 'text',
      text: 'This document is a rendering for people. What can be checked with openssl and sha256sum is the folder of the pack.',
    },
  ];
}

function certificateBlocks(files: readonly EvidenceFile[]): DocumentBlock[] {
  const certificate = files.find(({ name }) => name === 'custodian-certificate.txt');
  if (certificate === undefined) return [];
  const written = Buffer.from(certificate.octets).toString('utf8');
  // A signature on a sheet of its own could be laid under anything: the words that are sworn stand on the same page.
  const end = written.lastIndexOf(DECLARATION);
  if (end < 0) return [{ kind: 'listing', text: written, columns: 100 }];
  return [
    { kind: 'listing', text: written.slice(0, end), columns: 100 },
    { kind: 'listing', text: written.slice(end).trimEnd(), columns: 100, isWhole: true },
  ];
}

function listBlocks(list: unknown, nothing: string): DocumentBlock[] {
  if (!Array.isArray(list) || list.length === 0) return [{ kind: 'text', text: nothing }];
  return list.flatMap((element) => factsBlock(membersOf(element)));
}

type Members = Readonly<Record<string, unknown>>;

function factsBlock(value: Members): DocumentBlock[] {
  const facts = flattened(value, '').map(([path, shown]) => [labelOf(path), withInstant(path, shown)] as const);
  return facts.length === 0 ? [] : [{ kind: 'facts', facts }];
}

/** `call.received.origId` as `Call, received, orig id`. */
function labelOf(path: string): string {
  const words = printableText(inUnits(path))
    .replaceAll('.', ', ')
    .replaceAll(/\[(\d+)\]/g, ' $1')
    .replaceAll(/([a-z0-9])([A-Z])/g, (_, end: string, start: string) => `${end} ${start.toLowerCase()}`);
  return words.charAt(0).toUpperCase() + words.slice(1);
}

const INSTANT = /(?:At|from|to)(Us|Ms)$/;
const UNITS: Readonly<Record<string, string>> = { Us: 'microseconds', Ms: 'milliseconds' };

/** `answeredAtUs` as `answeredAt, microseconds since 1970`. */
function inUnits(path: string): string {
  const since = INSTANT.test(path) ? ' since 1970' : '';
  return path.replace(/(?<=[a-z])(Us|Ms)$/, (unit) => `, ${UNITS[unit] ?? unit}${since}`);
}

/** Instants of records count from the epoch: they are shown as dates too. */
function withInstant(path: string, shown: string): string {
  const perMs = { us: 1_000, ms: 1 }[INSTANT.exec(path)?.[1]?.toLowerCase() ?? ''];
  const ms = perMs === undefined ? Number.NaN : Math.floor(Number(shown) / perMs);
  return Math.abs(ms) <= 8.64e15 ? `${new Date(ms).toISOString()} (${shown})` : shown;
}

/** Deeper than anything that a writer writes. */
const DEEPEST = 32;

/** Names of members joined by dots, in the order of the JSON. */
function flattened(value: unknown, path: string, depth = 0): (readonly [string, string])[] {
  if (depth > DEEPEST) return [[path, 'nested too deeply to be shown']];
  if (Array.isArray(value)) {
    if (value.every((element) => typeof element !== 'object')) return [[path, value.map(asText).join(', ')]];
    return value.flatMap((element, index) => flattened(element, `${path}[${String(index + 1)}]`, depth + 1));
  }
  if (typeof value === 'object' && value !== null) {
    return Object.entries(value).flatMap(([name, member]) =>
      flattened(member, path === '' ? name : `${path}.${name}`, depth + 1),
    );
  }
  return [[path, asText(value)]];
}

function without(value: Members, ...names: readonly string[]): Members {
  return Object.fromEntries(Object.entries(value).filter(([name]) => !names.includes(name)));
}

function asText(value: unknown): string {
  if (typeof value === 'string') return printableText(value, LISTED_CHARS);
  return typeof value === 'number' || typeof value === 'boolean' ? String(value) : '';
}

/** Text as it is, line by line; anything else in hexadecimal. */
function listed(octets: Uint8Array): string {
  const read = Buffer.from(octets).toString('utf8');
  const isText = Buffer.from(read, 'utf8').equals(Buffer.from(octets)) && !/[\u0000-\u0008\u000e-\u001f]/.test(read);
  const shown = isText
    ? read
    : (
        Buffer.from(octets)
          .toString('hex')
          .match(/.{1,96}/g) ?? []
      ).join('\n');
  const cut =
    shown.length > LISTED_CHARS
      ? `${shown.slice(0, LISTED_CHARS)}\n... cut; all of it is in the folder of the pack`
      : shown;
  return cut
    .split('\n')
    .map((line) => printableText(line.replaceAll('\t', '    '), LISTED_CHARS))
    .join('\n');
}

/** US Letter, points: who reads it is in the United States. */
const PAGE = { width: 612, height: 792, margin: 54, footer: 40 } as const;
const WIDTH: number = PAGE.width - 2 * PAGE.margin;
const LABEL_WIDTH = 150;
const SIZE = {
  title: 22,
  heading: 14,
  text: 10,
  facts: 9,
  footer: 8,
} as const;
/** Width of a character of Courier, of its size. */
const COURIER_WIDTH = 0.6;
const INK = '#111111';
const PALE = '#555555';
const RULE = '#bbbbbb';

type Document = InstanceType<typeof PdfKit>;

/**
 * Draws a pack for people, as PDF: cover, request, answer, search and coverage, records, verification, decision, hashes, and the certificate for
 * the custodian to sign. The same pack gives the same octets. What can be checked is the folder ({@link exportEvidencePack}), not the
 * drawing of it.
 * @param pack - from {@link EvidenceStore.pack}
 * @param proofs - entries of the log about it, `packProofs`; none leaves the log out
 * @returns the octets of the file
 * @throws {@link HopbackError} `unavailable` when the package `pdfkit`, an optional dependency, is not installed
 * @see ISO 32000-1
 * @example
 * ```ts
 * // store is a EvidenceStore with the pack of an answer.
 * const drawn = async (store: EvidenceStore, packId: string): Promise<Uint8Array | undefined> => {
 *   const pack = await store.pack(packId);
 *   return pack === undefined ? undefined : renderEvidencePdf(pack);
 * };
 * console.log(typeof drawn); // function
 * ```
 */
export async function renderEvidencePdf(pack: EvidencePack, proofs: readonly LoggedProof[] = []): Promise<Uint8Array> {
  const Pdf = await pdfkit();
  const content = evidenceDocument(pack, proofs);
  const when = new Date(content.writtenAt);
  const pdf = new Pdf({
    size: [PAGE.width, PAGE.height],
    margin: PAGE.margin,
    bufferPages: true,
    info: { Title: `${content.title} ${content.packId}`, CreationDate: when, ModDate: when },
  });
  const pieces: Uint8Array[] = [];
  const done = new Promise<Uint8Array>((resolve, reject) => {
    pdf.on('data', (piece: Uint8Array) => pieces.push(piece));
    pdf.on('end', () => resolve(Buffer.concat(pieces)));
    pdf.on('error', reject);
  });
  drawCover(pdf, content);
  for (const block of content.blocks) drawBlock(pdf, block);
  drawFooters(pdf, content);
  pdf.end();
  return done;
}

async function pdfkit(): Promise<typeof PdfKit> {
  try {
    return (await import('pdfkit')).default;
  } catch (cause) {
    const text = 'PDFs are drawn by the package pdfkit, which is not installed: npm install pdfkit';
    throw new HopbackError('unavailable', text, { cause });
  }
}

function drawCover(pdf: Document, content: EvidenceDocument): void {
  pdf.font('Helvetica-Bold').fontSize(SIZE.title).fillColor(INK);
  pdf.text(content.title, PAGE.margin, 150, { width: WIDTH });
  pdf.moveDown(0.5);
  rule(pdf);
  drawFacts(pdf, content.cover);
}

function drawBlock(pdf: Document, block: DocumentBlock): void {
  if (block.kind === 'page') pdf.addPage();
  if (block.kind === 'heading') drawHeading(pdf, block.text);
  if (block.kind === 'text') {
    pdf.font('Helvetica').fontSize(SIZE.text).fillColor(INK);
    pdf.text(latin(block.text), PAGE.margin, pdf.y, { width: WIDTH });
    pdf.moveDown(0.5);
  }
  if (block.kind === 'facts') drawFacts(pdf, block.facts);
  if (block.kind === 'listing') drawListing(pdf, block);
}

function drawHeading(pdf: Document, text: string): void {
  if (pdf.y > PAGE.height - 160) pdf.addPage();
  pdf.moveDown(0.5);
  pdf.font('Helvetica-Bold').fontSize(SIZE.heading).fillColor(INK).text(text, PAGE.margin, pdf.y, { width: WIDTH });
  rule(pdf);
}

function rule(pdf: Document): void {
  const y = pdf.y + 3;
  pdf.lineWidth(0.5).strokeColor(RULE);
  pdf
    .moveTo(PAGE.margin, y)
    .lineTo(PAGE.margin + WIDTH, y)
    .stroke();
  pdf.y = y + 8;
}

function drawFacts(pdf: Document, facts: readonly (readonly [string, string])[]): void {
  const valueWidth = WIDTH - LABEL_WIDTH - 10;
  for (const [label, value] of facts) {
    const [shownLabel, shown] = [latin(label), latin(value) || '-'];
    pdf.font('Helvetica').fontSize(SIZE.facts);
    const height = Math.max(
      pdf.heightOfString(shown, { width: valueWidth }),
      pdf.heightOfString(shownLabel, { width: LABEL_WIDTH }),
    );
    // A fact is not torn apart, unless it is longer than a page.
    if (pdf.y + height > PAGE.height - PAGE.margin && height < PAGE.height / 2) pdf.addPage();
    const top = pdf.y;
    pdf.fillColor(PALE).text(shownLabel, PAGE.margin, top, { width: LABEL_WIDTH });
    pdf.fillColor(INK).text(shown, PAGE.margin + LABEL_WIDTH + 10, top, { width: valueWidth });
    pdf.y = Math.max(pdf.y, top + height) + 2;
  }
  pdf.x = PAGE.margin;
  pdf.moveDown(0.5);
}

function drawListing(pdf: Document, { text, columns, isWhole }: DocumentBlock & { readonly kind: 'listing' }): void {
  // One more, so that no line that is as long as it may be is broken by a rounding.
  const size = Math.min(SIZE.facts, WIDTH / ((columns + 1) * COURIER_WIDTH));
  pdf.font('Courier').fontSize(size).fillColor(INK);
  const lines = broken(latin(text), columns);
  const how = { width: WIDTH, lineGap: 1 };
  if (isWhole === true && pdf.y + pdf.heightOfString(lines, how) > PAGE.height - PAGE.margin) pdf.addPage();
  pdf.text(lines, PAGE.margin, pdf.y, how);
  pdf.moveDown(0.8);
}

/** Lines of so many characters, broken where they end and not between words: no space of a row is lost. */
function broken(text: string, columns: number): string {
  const lines = text.split('\n').map((line) => {
    const pieces = Array.from({ length: Math.ceil(line.length / columns) }, (_, at) => {
      return line.slice(at * columns, (at + 1) * columns);
    });
    return pieces.join('\n');
  });
  return lines.join('\n');
}

function drawFooters(pdf: Document, { packId, writtenAt }: EvidenceDocument): void {
  const { start, count } = pdf.bufferedPageRange();
  for (let page = 0; page < count; page += 1) {
    pdf.switchToPage(start + page);
    // Below the margin, where text would begin another page.
    pdf.page.margins.bottom = 0;
    pdf.font('Helvetica').fontSize(SIZE.footer).fillColor(PALE);
    const line = `Evidence pack ${packId}, written ${writtenAt}`;
    pdf.text(line, PAGE.margin, PAGE.height - PAGE.footer, { width: WIDTH, lineBreak: false });
    const number = `${String(page + 1)} of ${String(count)}`;
    pdf.text(number, PAGE.margin, PAGE.height - PAGE.footer, { width: WIDTH, align: 'right', lineBreak: false });
  }
}

/** What the fonts that every reader has can show; other characters by their number, so that nothing is left out unseen. */
function latin(text: string): string {
  return text.replace(
    /[^\n\u0020-\u007e\u00a0-\u00ff\u2013\u2014\u2018\u2019\u201c\u201d\u2022\u2026\u20ac]/gu,
    (character) => `{U+${(character.codePointAt(0) ?? 0).toString(16).toUpperCase()}}`,
  );
}

import type PdfKit from 'pdfkit';
import { HopbackError } from '../../errors.js';
import { evidenceDocument, type DocumentBlock, type EvidenceDocument } from './evidence-document.js';
import type { EvidencePack } from './evidence-manifest.js';
import type { LoggedProof } from './pack-proof.js';

/** US Letter, points: who reads it is in the United States. */
const PAGE = { width: 612, height: 792, margin: 54, footer: 40 } as const;
const WIDTH: number = PAGE.width - 2 * PAGE.margin;
const LABEL_WIDTH = 150;
const SIZE = { title: 22, heading: 14, text: 10, facts: 9, footer: 8 } as const;
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
 * @param proofs - entries of the log about it, {@link packProofs}; none leaves the log out
 * @returns the octets of the file
 * @throws {@link HopbackError} `unavailable` when the package `pdfkit`, an optional dependency, is not installed
 * @see ISO 32000-1
 * @example
 * ```ts
 * // store is a EvidenceStore with the pack of an answer.
 * const drawn = async (store: EvidenceStore, packId: string): Promise<Uint8Array | undefined> => {
 *   const pack = await store.pack(packId);
 *   return pack === undefined ? undefined : renderEvidencePdf(pack, await packProofs(store.log, packId));
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
    throw new HopbackError(
      'unavailable',
      'PDFs are drawn by the package pdfkit, which is not installed: npm install pdfkit',
      {
        cause,
      },
    );
  }
}

function drawCover(pdf: Document, content: EvidenceDocument): void {
  pdf
    .font('Helvetica-Bold')
    .fontSize(SIZE.title)
    .fillColor(INK)
    .text(content.title, PAGE.margin, 150, { width: WIDTH });
  pdf.moveDown(0.5);
  rule(pdf);
  drawFacts(pdf, content.cover);
}

function drawBlock(pdf: Document, block: DocumentBlock): void {
  if (block.kind === 'page') pdf.addPage();
  if (block.kind === 'heading') drawHeading(pdf, block.text);
  if (block.kind === 'text') {
    pdf
      .font('Helvetica')
      .fontSize(SIZE.text)
      .fillColor(INK)
      .text(latin(block.text), PAGE.margin, pdf.y, { width: WIDTH });
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
  pdf
    .moveTo(PAGE.margin, y)
    .lineTo(PAGE.margin + WIDTH, y)
    .lineWidth(0.5)
    .strokeColor(RULE)
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

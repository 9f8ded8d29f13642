import type PdfKit from 'pdfkit';
import type { Demand } from '@hopback/sdk/platform';
import { csvField } from '../domain/demands/produced-rows.js';
import type { Cell } from '../domain/demands/produced-rows.js';
import type { CountedCalls, FoundPath, RestraintPackage } from '../domain/demands/restraint-package.js';

/** US Letter, points. */
const PAGE = { width: 612, height: 792, margin: 54, footer: 40 } as const;
const WIDTH: number = PAGE.width - 2 * PAGE.margin;
const SIZE = {
  title: 20,
  heading: 13,
  text: 9.5,
  table: 8.5,
  footer: 8,
} as const;
const INK = '#111111';
const PALE = '#555555';
const RULE = '#bbbbbb';
/** Rows of a table on paper: the rest is in the files beside it. */
const PRINTED_ROWS = 60;

type Document = InstanceType<typeof PdfKit>;

/** A table on paper. */
interface Table {
  readonly title: string;
  /** What it is, and where it comes from. */
  readonly note: string;
  /** Names of columns, each with its part of the width. */
  readonly columns: readonly (readonly [name: string, part: number])[];
  readonly rows: readonly (readonly Cell[])[];
  /** Of these, how many of the end are on paper; absent for those of the beginning. */
  readonly printedOfEnd?: number;
  /** Name of the file with all rows. */
  readonly file: string;
}

/** Tables of the package as CSV, by names of files. */
export function restraintCsv(gathered: RestraintPackage): readonly (readonly [name: string, text: string])[] {
  return tablesOf(gathered).map(({ file, columns, rows }) => {
    const lines = [columns.map(([name]) => csvField(name)), ...rows.map((row) => row.map(csvField))];
    return [file, lines.map((line) => `${line.join(',')}\r\n`).join('')] as const;
  });
}

/**
 * Draws the package for a court: what was asked, volumes, paths, requests, recordings, and the latest calls. The same package gives the same octets.
 * @see ISO 32000-1
 */
export async function restraintPdf(gathered: RestraintPackage, demand: Demand): Promise<Uint8Array> {
  const when = new Date(gathered.queriedAt);
  // Loaded by whom it is made for: with its fonts it is a fifth of what a platform takes to start.
  const { default: PdfDocument } = await import('pdfkit');
  const pdf = new PdfDocument({
    size: [PAGE.width, PAGE.height],
    margin: PAGE.margin,
    bufferPages: true,
    info: { Title: `Calls under demand ${demand.demandId}`, CreationDate: when, ModDate: when },
  });
  const pieces: Uint8Array[] = [];
  const done = new Promise<Uint8Array>((resolve, reject) => {
    pdf.on('data', (piece: Uint8Array) => pieces.push(piece));
    pdf.on('end', () => resolve(Buffer.concat(pieces)));
    pdf.on('error', reject);
  });
  drawHead(pdf, gathered, demand);
  for (const table of tablesOf(gathered)) drawTable(pdf, table);
  drawFooters(pdf, `Demand ${demand.demandId}, records as of ${gathered.queriedAt}`);
  pdf.end();
  return done;
}

function drawHead(pdf: Document, gathered: RestraintPackage, demand: Demand): void {
  const { volume } = gathered;
  pdf
    .font('Helvetica-Bold')
    .fontSize(SIZE.title)
    .fillColor(INK)
    .text('Calls of a campaign, and where they came from', PAGE.margin, 64, { width: WIDTH });
  pdf.moveDown(0.4);
  const facts: readonly (readonly [string, string])[] = [
    ['Demand', `${demand.kind} ${demand.reference}, ${demand.agency.name} (${demand.agency.jurisdiction})`],
    ['Authority', demand.authority],
    ['Campaigns', demand.scope.campaignIds?.join(', ') ?? 'none named'],
    ['Records asked', `${demand.scope.from} to ${demand.scope.to}, as of ${gathered.queriedAt}`],
    [
      'Calls',
      `${volume.calls}, counted from ${volume.carrierRecords} carrier records and ${volume.appReports} app reports; ${volume.recorded} are on carriers' records, ${volume.reported} were reported, ${volume.both} are in both`,
    ],
    ['Latest call', gathered.latest[0] === undefined ? 'none' : gathered.latest[0].at],
  ];
  for (const [label, value] of facts) drawFact(pdf, label, value);
  pdf.moveDown(0.5);
  paragraph(
    pdf,
    `Everything here is counted from the records of this production, within the scope that was approved, and from nothing else. ${onceEach(volume)} Records and reports of one call have the same placed_call_id in the files of their classes. It states what records say; what follows from that is for the court. The query is in restraint-package.json; every record is in the files of its class.`,
  );
}

function onceEach({ unjoined }: RestraintPackage['volume']): string {
  const once =
    'Each call is counted once: several carriers on its way may have a record of it, and an application may report it.';
  return unjoined === 0
    ? once
    : `${once} Except: ${unjoined} of these records and reports were stored by an earlier release and are not joined with others of their call. Each of them counts as a call, so that the number of calls may be too high, by at most ${unjoined}.`;
}

function drawFact(pdf: Document, label: string, value: string): void {
  const top = pdf.y;
  pdf.font('Helvetica').fontSize(SIZE.text).fillColor(PALE).text(label, PAGE.margin, top, { width: 110 });
  pdf.fillColor(INK).text(latin(value), PAGE.margin + 116, top, { width: WIDTH - 116 });
  pdf.x = PAGE.margin;
  pdf.y += 3;
}

function paragraph(pdf: Document, text: string): void {
  pdf.font('Helvetica').fontSize(SIZE.text).fillColor(INK).text(latin(text), PAGE.margin, pdf.y, { width: WIDTH });
  pdf.moveDown(0.5);
}

function drawTable(pdf: Document, { title, note, columns, rows, file, printedOfEnd }: Table): void {
  const printed = printedOfEnd === undefined ? rows.slice(0, PRINTED_ROWS) : rows.slice(-printedOfEnd);
  if (pdf.y > PAGE.height - 170) pdf.addPage();
  pdf.moveDown(0.6);
  pdf.font('Helvetica-Bold').fontSize(SIZE.heading).fillColor(INK).text(title, PAGE.margin, pdf.y, { width: WIDTH });
  paragraph(pdf, note);
  drawRow(
    pdf,
    columns,
    columns.map(([name]) => name),
    true,
  );
  for (const row of printed) drawRow(pdf, columns, row, false);
  if (rows.length === 0) paragraph(pdf, 'None within the scope.');
  if (rows.length > printed.length) paragraph(pdf, `${rows.length - printed.length} more are in ${file}.`);
}

function drawRow(pdf: Document, columns: Table['columns'], row: readonly Cell[], isHead: boolean): void {
  pdf.font(isHead ? 'Helvetica-Bold' : 'Helvetica').fontSize(SIZE.table);
  const texts = columns.map((_, index) => latin(row[index] === undefined ? '' : String(row[index])));
  const widths = columns.map(([, part]) => part * WIDTH - 6);
  const height = Math.max(
    ...texts.map((text, index) => pdf.heightOfString(text || ' ', { width: widths[index] ?? WIDTH })),
  );
  if (pdf.y + height > PAGE.height - PAGE.margin && height < PAGE.height / 2) pdf.addPage();
  const top = pdf.y;
  let x: number = PAGE.margin;
  for (const [index, text] of texts.entries()) {
    pdf.fillColor(isHead ? PALE : INK).text(text, x, top, { width: widths[index] ?? WIDTH });
    x += (columns[index]?.[1] ?? 0) * WIDTH;
  }
  pdf.y = top + height + 2;
  pdf.x = PAGE.margin;
  if (!isHead) return;
  pdf
    .moveTo(PAGE.margin, pdf.y)
    .lineTo(PAGE.margin + WIDTH, pdf.y)
    .lineWidth(0.5)
    .strokeColor(RULE)
    .stroke();
  pdf.y += 3;
}

function drawFooters(pdf: Document, line: string): void {
  const { start, count } = pdf.bufferedPageRange();
  for (let page = 0; page < count; page += 1) {
    pdf.switchToPage(start + page);
    // Below the margin, where text would begin another page.
    pdf.page.margins.bottom = 0;
    pdf.font('Helvetica').fontSize(SIZE.footer).fillColor(PALE);
    pdf.text(latin(line), PAGE.margin, PAGE.height - PAGE.footer, { width: WIDTH - 60, lineBreak: false });
    const number = `${String(page + 1)} of ${String(count)}`;
    pdf.text(number, PAGE.margin, PAGE.height - PAGE.footer, { width: WIDTH, align: 'right', lineBreak: false });
  }
}

/** Columns of calls, and of what they were counted from. */
const BASE_COLUMNS: Table['columns'] = [
  ['calls', 0.2],
  ['carrier_records', 0.2],
  ['app_reports', 0.2],
];

const baseCells = ({ calls, carrierRecords, appReports }: CountedCalls): readonly Cell[] => [
  calls,
  carrierRecords,
  appReports,
];

function tablesOf(gathered: RestraintPackage): readonly Table[] {
  return [...volumeTables(gathered), ...tracebackTables(gathered), ...callTables(gathered)];
}

function volumeTables({ volume }: RestraintPackage): readonly Table[] {
  return [
    {
      title: 'Volume by duration',
      note: 'Seconds from answer to end, of calls that were answered, by the record of the carrier nearest to who was called.',
      columns: [['duration', 0.4], ...BASE_COLUMNS],
      rows: [
        ['not answered', ...baseCells(volume.notAnswered)],
        ...volume.byDuration.map((one) => [one.bucket, ...baseCells(one)]),
        ['not on record', ...baseCells(volume.withoutDuration)],
      ],
      file: 'restraint-durations.csv',
    },
    {
      title: 'Volume by day',
      note: 'Days of UTC.',
      columns: [['day', 0.4], ...BASE_COLUMNS],
      rows: volume.byDay.map((one) => [one.day, ...baseCells(one)]),
      file: 'restraint-days.csv',
    },
    {
      title: 'Volume by hour',
      note: `Hours of UTC that had calls, the last of them here.${volume.hoursNotListed > 0 ? ` ${volume.hoursNotListed} calls are of hours that are not listed.` : ''}`,
      columns: [['hour', 0.4], ...BASE_COLUMNS],
      rows: volume.byHour.map((one) => [one.hour, ...baseCells(one)]),
      printedOfEnd: 24,
      file: 'restraint-hours.csv',
    },
  ];
}

function tracebackTables({ paths, outcomes, requests, notListed }: RestraintPackage): readonly Table[] {
  return [
    {
      title: 'What tracebacks came to',
      note: 'Each traceback followed one call.',
      columns: [
        ['outcome', 0.5],
        ['tracebacks', 0.5],
      ],
      rows: outcomes.map(({ outcome, tracebacks }) => [outcome, tracebacks]),
      file: 'restraint-outcomes.csv',
    },
    {
      title: 'Paths that were found',
      note: `From the provider that terminated the call back towards its origin, with what each answered.${leftOut(notListed.paths)}`,
      columns: [
        ['traceback', 0.25],
        ['call', 0.25],
        ['outcome', 0.13],
        ['path', 0.37],
      ],
      rows: paths.map((path) => [path.tracebackId, path.callAt, path.outcome, pathText(path)]),
      file: 'restraint-paths.csv',
    },
    {
      title: 'Requests to providers before this day',
      note: `Who was asked when, and what it answered.${leftOut(notListed.requests)}`,
      columns: [
        ['provider', 0.22],
        ['asked', 0.18],
        ['due', 0.18],
        ['answered', 0.18],
        ['answer', 0.14],
        ['state', 0.1],
      ],
      rows: requests.map((one) => [
        one.provider,
        one.issuedAt,
        one.dueAt,
        one.answeredAt ?? 'no answer',
        one.arm ?? '',
        one.state,
      ]),
      file: 'restraint-requests.csv',
    },
  ];
}

function callTables({ queriedAt, recordings, latest, notListed }: RestraintPackage): readonly Table[] {
  return [
    {
      title: 'Recordings and transcripts',
      note: `What is on record of what was said; the whole of it is in the files of the class.${leftOut(notListed.recordings)}`,
      columns: [
        ['source', 0.12],
        ['id', 0.23],
        ['at', 0.2],
        ['beginning', 0.45],
      ],
      rows: recordings.map((one) => [one.source, one.sourceId, one.at, one.excerpt ?? '(fingerprint or hash alone)']),
      file: 'restraint-recordings.csv',
    },
    {
      title: 'Latest calls',
      note: `The ${latest.length} latest calls within the scope, newest first, as of ${queriedAt}.`,
      columns: [
        ['call', 0.24],
        ['reported by', 0.19],
        ['record', 0.22],
        ['seconds', 0.09],
        ['carrier_records', 0.14],
        ['app_reports', 0.12],
      ],
      rows: latest.map((one) => [one.at, one.source, one.id, one.durationSeconds, one.carrierRecords, one.appReports]),
      file: 'restraint-latest.csv',
    },
  ];
}

function leftOut(count: number): string {
  return count > 0 ? ` ${count} more are in the files of the class.` : '';
}

function pathText({ hops }: FoundPath): string {
  return hops
    .toSorted((a, b) => a.hop - b.hop)
    .map(({ provider, arm, state }) => `${provider} (${arm ?? state})`)
    .join(' < ');
}

/** What the fonts that every reader has can show; other characters by their number, so that nothing is left out unseen. */
function latin(text: string): string {
  return text.replace(
    /[^\n\u0020-\u007e\u00a0-\u00ff\u2013\u2014\u2018\u2019\u201c\u201d\u2022\u2026\u20ac]/gu,
    (character) => `{U+${(character.codePointAt(0) ?? 0).toString(16).toUpperCase()}}`,
  );
}

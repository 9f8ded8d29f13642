import { jsonAnswer, problemAnswer } from '@hopback/sdk/internal';
import type { PlatformAnswer } from '@hopback/sdk/internal';
import { parse } from 'csv-parse';
import type { OperationCall, PlatformContext, PlatformTransaction } from '../core/index.js';
import { maskText } from '../domain/records/mask-numbers.js';
import { readComplaint } from '../domain/records/read-complaint.js';
import type { Complaint, ComplaintFields } from '../domain/records/read-complaint.js';
import type { ComplaintColumns, ComplaintImport, ComplaintsImported } from './records-bodies.js';
import { MAX_NAMED_REJECTIONS } from './records-bodies.js';
import type { RecordsTables } from './records-tables.js';
import { sealJson } from '../database/index.js';

/** Complaints of one transaction: some tens of milliseconds. */
const ROWS_OF_A_TRANSACTION = 200;
/** Longest row, octets: a comment of its longest in UTF-8, quoted, and the columns that nobody reads. */
const MAX_ROW_BYTES = 262_144;
/** Columns of a file: those of agencies have some dozens. */
const MAX_COLUMNS = 500;

/** A file of complaints, and who brings it in. */
export interface ComplaintFile {
  readonly source: string;
  readonly columns: ComplaintColumns;
  /** UTF-8, as much at a time as whoever reads it likes. */
  readonly text: AsyncIterable<Uint8Array | string> | Iterable<Uint8Array | string>;
  readonly organizationId: string;
  readonly actor: string;
  readonly atMs: number;
  /** How long complaints are kept, milliseconds: older ones are not taken. */
  readonly keptMs: number;
}

/** The outcome of an import; a file whose names do not have the columns is refused before anything is stored. */
export type ComplaintImportOutcome =
  | { readonly status: 'imported'; readonly imported: ComplaintsImported }
  | { readonly status: 'refused'; readonly missing: readonly string[] };

/**
 * Brings a file of complaints in, row after row: what it takes of memory does not grow with it. The same file again changes nothing, and one
 * that broke off is simply brought in once more.
 * @returns what was stored, and for each row that is no complaint its line and reason; never rejects for what is in the file
 * @throws whatever the database, or whoever reads the file, throws
 * @see RFC 4180
 */
export async function importComplaints(context: PlatformContext, file: ComplaintFile): Promise<ComplaintImportOutcome> {
  const importId = context.newId('complaints');
  const rejected: ComplaintsImported['rejected'][number][] = [];
  const occurrences = new Map<string, number>();
  let counts = { stored: 0, repeated: 0, rejectedCount: 0 };
  let waiting: NumberedComplaint[] = [];
  const reject = (line: number, code: (typeof rejected)[number]['code']): void => {
    counts = { ...counts, rejectedCount: counts.rejectedCount + 1 };
    if (rejected.length < MAX_NAMED_REJECTIONS) rejected.push({ line, code });
  };
  const store = async (): Promise<void> => {
    const complaints = waiting;
    waiting = [];
    const stored = await context.transact((transaction) =>
      storeAll({ context, transaction }, { file, importId, complaints }),
    );
    counts = { ...counts, stored: counts.stored + stored, repeated: counts.repeated + complaints.length - stored };
  };

  let places: Places | undefined;
  for await (const { line, row } of rowsOf(file.text, (at) => reject(at, 'invalid-csv'))) {
    if (places === undefined) {
      const found = placesOf(file.columns, row);
      if ('missing' in found) return { status: 'refused', missing: found.missing };
      places = found.places;
      continue;
    }
    const fields = fieldsOf(places, row);
    const reading = readComplaint(fields, { fromMs: file.atMs - file.keptMs, nowMs: file.atMs });
    if (reading.status === 'rejected') {
      reject(line, reading.code);
      continue;
    }
    const content = context.sealed.pseudonym(JSON.stringify([file.source, fields.id || fields]));
    const before = occurrences.get(content) ?? 0;
    // With an id of its own a row that comes twice is the same; without, two consumers may have said the same.
    if (fields.id === '') occurrences.set(content, before + 1);
    const key = before === 0 ? content : context.sealed.pseudonym(`${content} ${before}`);
    waiting.push({ key, complaint: reading.complaint });
    if (waiting.length === ROWS_OF_A_TRANSACTION) await store();
  }
  if (places === undefined) return { status: 'refused', missing: Object.values(file.columns) };
  await store();
  return { status: 'imported', imported: { importId, ...counts, rejected } };
}

/** The operation of the route. */
export async function importComplaintsByRoute(
  context: PlatformContext,
  { caller, request, atMs }: OperationCall,
  keptMs: number,
): Promise<PlatformAnswer> {
  const { source, columns, text } = request.body as ComplaintImport;
  const outcome = await importComplaints(context, {
    source,
    columns,
    atMs,
    keptMs,
    organizationId: caller.organizationId,
    actor: caller.clientId,
    text: piecesOf(text),
  });
  if (outcome.status === 'imported') return jsonAnswer(outcome.imported);
  return problemAnswer('invalid-body', {
    errors: outcome.missing.map(() => ({ pointer: '/columns', code: 'missing' })),
  });
}

interface NumberedComplaint {
  readonly key: string;
  readonly complaint: Complaint;
}

type Places = ReadonlyMap<keyof ComplaintFields, number>;

function placesOf(
  columns: ComplaintColumns,
  names: readonly string[],
): { readonly places: Places } | { readonly missing: readonly string[] } {
  const places = new Map<keyof ComplaintFields, number>();
  const missing: string[] = [];
  for (const [field, name] of Object.entries(columns) as [keyof ComplaintFields, string][]) {
    const place = names.findIndex((one) => one.trim() === name);
    if (place < 0) missing.push(name);
    else places.set(field, place);
  }
  return missing.length > 0 ? { missing } : { places };
}

function fieldsOf(places: Places, row: readonly string[]): ComplaintFields {
  const of = (field: keyof ComplaintFields): string => row[places.get(field) ?? -1] ?? '';
  return {
    date: of('date'),
    time: of('time'),
    callerNumber: of('callerNumber'),
    type: of('type'),
    subject: of('subject'),
    state: of('state'),
    comment: of('comment'),
    id: of('id'),
  };
}

interface ReadRow {
  readonly line: number;
  readonly row: readonly string[];
}

/** Rows as they are completed: those before the one that does not end are there. */
async function* rowsOf(text: ComplaintFile['text'], onBroken: (line: number) => void): AsyncGenerator<ReadRow> {
  let completed: ReadRow[] = [];
  let lines = 0;
  const parser = parse({
    bom: true,
    relax_column_count: true,
    relax_quotes: true,
    skip_empty_lines: true,
    max_record_size: MAX_ROW_BYTES,
    on_record: (record: readonly string[], context) => {
      lines = context.lines;
      completed.push({ line: lines, row: record.slice(0, MAX_COLUMNS) });
      return null;
    },
  });
  // Told to whoever writes.
  parser.on('error', () => undefined);
  const written = (piece: Uint8Array | string | undefined): Promise<Error | null | undefined> =>
    new Promise((resolve) => {
      if (piece === undefined) parser.end((error?: Error | null) => resolve(error));
      else parser.write(piece, resolve);
    });
  for await (const piece of withEnd(text)) {
    const error = await written(piece);
    const rows = completed;
    completed = [];
    yield* rows;
    if (error === null || error === undefined) continue;
    if (!('code' in error) || !String(error.code).startsWith('CSV_')) throw error;
    // Where a row does not end, nobody can say where the next one begins.
    onBroken(lines + 1);
    return;
  }
}

async function* withEnd(text: ComplaintFile['text']): AsyncGenerator<Uint8Array | string | undefined> {
  yield* text;
  yield undefined;
}

/** Octets of a text that are read at once. */
const PIECE_BYTES = 65_536;

/** As octets: a piece of text might end within a character. */
function* piecesOf(text: string): Generator<Uint8Array> {
  const bytes = Buffer.from(text);
  for (let from = 0; from < bytes.length; from += PIECE_BYTES) yield bytes.subarray(from, from + PIECE_BYTES);
}

async function storeAll(
  { context, transaction }: { readonly context: PlatformContext; readonly transaction: PlatformTransaction },
  batch: {
    readonly file: ComplaintFile;
    readonly importId: string;
    readonly complaints: readonly NumberedComplaint[];
  },
): Promise<number> {
  const { file, importId, complaints } = batch;
  const tables = transaction.withTables<RecordsTables>();
  const keys = complaints.map(({ key }) => key);
  const known = new Set(
    keys.length === 0
      ? []
      : (
          await tables
            .selectFrom('records_complaints')
            .select('complaint_id')
            .where('complaint_id', 'in', keys)
            .execute()
        ).map((row) => row.complaint_id),
  );
  let stored = 0;
  for (const { key, complaint } of complaints) {
    if (known.has(key)) continue;
    known.add(key);
    stored += 1;
    const belongsTo = `complaint:${key}`;
    const references = await sealJson(context, transaction, { value: complaint, belongsTo });
    const { calling } = complaint;
    await tables
      .insertInto('records_complaints')
      .values({
        complaint_id: key,
        import_id: importId,
        source: file.source,
        received_at_ms: file.atMs,
        at_ms: complaint.atMs,
        calling_pseudonym: calling === undefined ? null : context.sealed.pseudonym(calling),
        masked: JSON.stringify(masked(complaint, context.sealed.pseudonym)),
        sealed: JSON.stringify(references),
      })
      .execute();
  }
  await context.audit(transaction, {
    action: 'complaints.imported',
    organizationId: file.organizationId,
    actor: file.actor,
    object: `complaints:${importId}`,
    details: { source: file.source, rows: complaints.length, stored },
  });
  return stored;
}

function masked({ calling, type, subject, state, comment }: Complaint, pseudonymOf: (tn: string) => string): unknown {
  const plain = (text: string): string => maskText(text, pseudonymOf);
  return {
    ...(calling !== undefined && { calling: pseudonymOf(calling) }),
    ...(type !== undefined && { type: plain(type) }),
    ...(subject !== undefined && { subject: plain(subject) }),
    ...(state !== undefined && { state: plain(state) }),
    ...(comment !== undefined && { comment: plain(comment) }),
  };
}

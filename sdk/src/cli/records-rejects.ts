import { stat } from 'node:fs/promises';
import { join } from 'node:path';
import { printableText } from '../core/text.js';
import { readRejects } from '../records/index.js';
import type { RejectedRow, RejectReason } from '../records/index.js';
import type { Command } from './command.js';
import { EXIT } from './exit-codes.js';
import type { ExitCode } from './exit-codes.js';
import type { CliIo } from './io.js';
import { numberOption, refuseOperands } from './options.js';
import type { Options, OptionSpecs } from './options.js';
import { countText, printJson, printLines } from './output.js';
import { rejectsFolder, sourceFileName, storeDirectory } from './store-folders.js';
import { STORE_OPTIONS } from './store-options.js';

type RejectsOption = keyof typeof STORE_OPTIONS | 'id' | 'bytes' | 'limit';

const DEFAULT_LIMIT = 100;
/** With 64 KiB each some 6 GB would be the most; rows are a hundredth of that. */
const MAX_LIMIT = 100_000;
/** Longest row that is shown: an answer is read by a person. */
const MAX_SHOWN_BYTES = 4_096;

const OPTIONS: OptionSpecs<RejectsOption> = {
  ...STORE_OPTIONS,
  id: { value: 'SOURCE', text: 'those of one source' },
  bytes: { text: 'show the rows themselves: they hold telephone numbers' },
  limit: {
    value: 'N',
    text: `the last N rows, up to ${String(MAX_LIMIT)}; default ${String(DEFAULT_LIMIT)}; counts are of all`,
  },
};

/** `hopback records rejects` */
export const recordsRejectsCommand: Command = {
  name: 'records rejects',
  summary: 'list rows that could not be read',
  usage: ['--store DIR [--id SOURCE] [--bytes] [--limit N]'],
  options: OPTIONS,
  notes: [
    'Counts by reason, then the rows, newest last. Reads files beside the store and may be called while it is in use.',
    'Exit codes: 0 listed, 2 not understood, 4 the files cannot be read.',
  ],
  run,
};

async function run(options: Options<RejectsOption | 'json'>, io: CliIo): Promise<ExitCode> {
  refuseOperands(options);
  const folder = rejectsFolder(storeDirectory(options));
  const id = options.text('id');
  const limit = numberOption(options.text('limit'), { name: 'limit', min: 1, max: MAX_LIMIT }) ?? DEFAULT_LIMIT;
  const found = await rejectsIn(await rejectFiles(folder, { id, io }), { id, limit });
  const withBytes = options.isOn('bytes');
  if (options.isOn('json')) {
    printJson(io, {
      format: 'hopback.records-rejects.1',
      exitCode: EXIT.ok,
      count: found.count,
      reasons: found.reasons,
      rows: found.rows.map(({ bytes, ...row }) => ({
        ...row,
        ...(withBytes ? { bytes: Buffer.from(bytes).toString('base64') } : {}),
      })),
    });
    return EXIT.ok;
  }
  printLines(io, [
    found.count === 0 ? '✓ no row was rejected' : `! ${countText(found.count, 'rejected row')}`,
    ...Object.entries(found.reasons)
      .toSorted(([, one], [, other]) => other - one)
      .map(([reason, count]) => `  ${reason.padEnd(20)} ${String(count)}`),
    ...(found.count > found.rows.length ? [`· the last ${String(found.rows.length)}:`] : []),
    ...found.rows.flatMap((row) => rowLines(row, withBytes)),
  ]);
  return EXIT.ok;
}

/** Paths of reject files, the one that was written to last at the end. */
async function rejectFiles(
  folder: string,
  { id, io }: { readonly id: string | undefined; readonly io: CliIo },
): Promise<readonly string[]> {
  const heads = new Set<string>();
  for (const name of (await io.files.list(folder)) ?? []) {
    // What was put aside when it was full has a number behind its name.
    const [, head, owner] = /^(([a-z0-9_~-]{1,64})(?:\.import)?\.ndjson)(?:\.\d{1,9})?$/.exec(name) ?? [];
    if (head !== undefined && (id === undefined || owner === sourceFileName(id))) heads.add(head);
  }
  const dated = await Promise.all(
    [...heads].map(async (head) => {
      const path = join(folder, head);
      const atMs = await stat(path).then(
        (found) => found.mtimeMs,
        () => 0,
      );
      return { path, atMs };
    }),
  );
  return dated.toSorted((one, other) => one.atMs - other.atMs).map(({ path }) => path);
}

interface FoundRejects {
  readonly count: number;
  readonly reasons: Readonly<Partial<Record<RejectReason, number>>>;
  readonly rows: readonly RejectedRow[];
}

async function rejectsIn(
  files: readonly string[],
  { id, limit }: { readonly id: string | undefined; readonly limit: number },
): Promise<FoundRejects> {
  const reasons: Partial<Record<RejectReason, number>> = {};
  let rows: RejectedRow[] = [];
  let count = 0;
  for (const file of files) {
    for await (const row of readRejects(file)) {
      if (id !== undefined && row.sourceId !== id) continue;
      count += 1;
      reasons[row.reason] = (reasons[row.reason] ?? 0) + 1;
      rows.push(row);
      if (rows.length >= 2 * limit) rows = rows.slice(-limit);
    }
  }
  return { count, reasons, rows: rows.slice(-limit) };
}

function rowLines(row: RejectedRow, withBytes: boolean): readonly string[] {
  const { sourceId, file, line, reason, field, detail, sizeBytes, bytes } = row;
  const place = file === '' ? '' : ` ${file}${line === 0 ? '' : `:${String(line)}`}`;
  const named = field === undefined ? '' : ` ${field}`;
  const head = `✗ ${sourceId}${place}: ${reason}${named}: ${detail} (${countText(sizeBytes, 'octet')})`;
  if (!withBytes || bytes.length === 0) return [head];
  const text = Buffer.from(bytes).toString('utf8');
  return [head, `    ${printableText(text, MAX_SHOWN_BYTES)}`];
}

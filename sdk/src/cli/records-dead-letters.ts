import { lockFolder } from '../log/index.js';
import { join } from 'node:path';
import { HopbackError } from '../errors.js';
import { openRecordStream } from '../records/index.js';
import type { DeadLetter, DeadLettersSettled, OpenRecordStream } from '../records/index.js';
import type { RecordTransport } from '../platform/index.js';
import { parseBoundedJson } from '../core/json-text.js';
import type { Command } from './command.js';
import { EXIT } from './exit-codes.js';
import type { ExitCode } from './exit-codes.js';
import type { CliIo } from './io.js';
import { numberOption } from './options.js';
import type { Options, OptionSpecs } from './options.js';
import { countText, printJson, printLines } from './output.js';
import { utcText } from './record-times.js';
import { shownText } from './shown-text.js';
import { storeDirectory } from './store-folders.js';
import { STORE_OPTIONS } from './store-options.js';
import { UsageError } from './usage-error.js';

type DeadLettersOption = keyof typeof STORE_OPTIONS | 'spool' | 'requeue' | 'discard' | 'records' | 'limit';

const DEFAULT_LIMIT = 100;
const MAX_LIMIT = 100_000;
/** As a stream takes records: 1 MiB of JSON. */
const RECORD_LIMITS = { maxChars: 1_048_576, maxDepth: 16, maxEntries: 65_536 };

const OPTIONS: OptionSpecs<DeadLettersOption> = {
  ...STORE_OPTIONS,
  spool: { value: 'DIR', text: 'where records wait for the platform; default spool below the store' },
  requeue: { text: 'put them back into the spool: the next hopback records tail sends them again' },
  discard: { text: 'give them up: they are not sent; the store keeps their calls' },
  records: { text: 'show the records as they were sent: they may hold telephone numbers' },
  limit: {
    value: 'N',
    text: `the last N letters, up to ${String(MAX_LIMIT)}; default ${String(DEFAULT_LIMIT)}; counts are of all`,
  },
};

/** `hopback records dead-letters` */
export const recordsDeadLettersCommand: Command = {
  name: 'records dead-letters',
  summary: 'list records that the platform will not have, and decide about them',
  usage: [
    '--store DIR [--spool DIR] [--records] [--limit N]',
    '--store DIR [--spool DIR] --requeue|--discard [RECORDID...]',
  ],
  options: OPTIONS,
  notes: [
    'Without --requeue and --discard they are listed, newest last; with one of them all are dealt with, or those of the records that are ' +
      'named. The spool belongs to one process: end hopback records tail before, and start it again.',
    'Exit codes: 0 listed or dealt with, 1 some could not be put back or are not there, 2 not understood, 4 the spool is in use or not usable.',
  ],
  run,
};

type Decision = 'requeue' | 'discard';

async function run(options: Options<DeadLettersOption | 'json'>, io: CliIo): Promise<ExitCode> {
  const decision = decisionOf(options);
  const limit = numberOption(options.text('limit'), { name: 'limit', min: 1, max: MAX_LIMIT }) ?? DEFAULT_LIMIT;
  const spool = options.text('spool') ?? join(storeDirectory(options), 'spool');
  if (((await io.files.list(spool)) ?? []).length === 0)
    throw new HopbackError('storage-failed', `${shownText(spool)} is no spool`);
  const lock = await lockFolder(spool, 'the spool');
  try {
    const stream = await openRecordStream({ directory: spool, source: '/', transport: NOWHERE });
    try {
      if (decision === undefined) return await list(stream, { options, io, limit });
      return await settle(stream, { options, io, decision });
    } finally {
      await stream.close();
    }
  } finally {
    await lock.close();
  }
}

function decisionOf(options: Options<DeadLettersOption>): Decision | undefined {
  const [isRequeue, isDiscard] = [options.isOn('requeue'), options.isOn('discard')];
  if (isRequeue && isDiscard)
    throw new UsageError('letters are either put back or given up: one of --requeue, --discard');
  if (isRequeue) return 'requeue';
  if (isDiscard) return 'discard';
  if (options.operands.length > 0) throw new UsageError('say what is to be done with them: --requeue or --discard');
  return undefined;
}

/** Sends nothing: this command looks at letters, whatever waits beside them. */
const NOWHERE: RecordTransport = {
  deliver: (_batch, signal) =>
    new Promise((resolve) => {
      const end = (): void => resolve({ status: 'unavailable', reason: 'connection-failed' });
      if (signal.aborted) end();
      signal.addEventListener('abort', end, { once: true });
    }),
  close: () => Promise.resolve(),
};

async function list(
  stream: OpenRecordStream,
  {
    options,
    io,
    limit,
  }: { readonly options: Options<DeadLettersOption | 'json'>; readonly io: CliIo; readonly limit: number },
): Promise<ExitCode> {
  const reasons: Record<string, number> = {};
  let letters: DeadLetter[] = [];
  let count = 0;
  for await (const letter of stream.deadLetters()) {
    count += 1;
    const word = reasonOf(letter);
    reasons[word] = (reasons[word] ?? 0) + 1;
    letters.push(letter);
    if (letters.length >= 2 * limit) letters = letters.slice(-limit);
  }
  letters = letters.slice(-limit);
  const withRecords = options.isOn('records');
  if (options.isOn('json')) {
    printJson(io, {
      ...{ format: 'hopback.records-dead-letters.1', exitCode: EXIT.ok, count, reasons },
      letters: letters.map(({ line, ...letter }) => ({
        ...{ ...letter, recordId: recordIdOf(line) },
        ...(withRecords ? { line } : {}),
      })),
    });
    return EXIT.ok;
  }
  printLines(io, [
    count === 0 ? '✓ no record was refused for good' : `! ${countText(count, 'dead letter')}`,
    ...Object.entries(reasons)
      .toSorted(([, one], [, other]) => other - one)
      .map(([reason, number]) => `  ${shownText(reason).padEnd(24)} ${String(number)}`),
    ...(count > letters.length ? [`· the last ${String(letters.length)}:`] : []),
    ...letters.flatMap((letter) => letterLines(letter, withRecords)),
  ]);
  return EXIT.ok;
}

async function settle(
  stream: OpenRecordStream,
  {
    options,
    io,
    decision,
  }: { readonly options: Options<DeadLettersOption | 'json'>; readonly io: CliIo; readonly decision: Decision },
): Promise<ExitCode> {
  const named = new Set(options.operands);
  const unseen = new Set(named);
  const settled = await stream.settleDeadLetters(({ line }) => {
    const recordId = recordIdOf(line) ?? '';
    unseen.delete(recordId);
    return named.size === 0 || named.has(recordId) ? decision : 'keep';
  });
  const exitCode = settled.remaining > 0 || unseen.size > 0 ? EXIT.negative : EXIT.ok;
  if (options.isOn('json'))
    printJson(io, { format: 'hopback.records-dead-letters-settled.1', exitCode, ...settled, unknown: [...unseen] });
  else printLines(io, settledLines(settled, [...unseen]));
  return exitCode;
}

function settledLines(
  { requeued, kept, discarded, remaining }: DeadLettersSettled,
  unknown: readonly string[],
): readonly string[] {
  return [
    ...(requeued > 0
      ? [`✓ ${countText(requeued, 'record')} back in the spool: the next hopback records tail sends them`]
      : []),
    ...(discarded > 0 ? [`✓ ${countText(discarded, 'record')} given up`] : []),
    ...(kept > 0 ? [`· ${countText(kept, 'dead letter')} as before`] : []),
    ...(remaining > 0 ? [`! ${countText(remaining, 'dead letter')} not dealt with: the spool takes no more`] : []),
    ...unknown.map((recordId) => `✗ there is no dead letter of the record ${shownText(recordId)}`),
    ...(requeued + discarded + kept + remaining + unknown.length === 0 ? ['✓ there is no dead letter'] : []),
  ];
}

function letterLines(letter: DeadLetter, withRecords: boolean): readonly string[] {
  const { deadAtMs, detail, line } = letter;
  const why = detail === undefined ? '' : `: ${detail}`;
  const head = `✗ ${utcText(deadAtMs * 1_000)} ${recordIdOf(line) ?? 'not readable'}: ${reasonOf(letter)}${why}`;
  return withRecords ? [head, `    ${line}`] : [head];
}

/** Our word for it, and the platform's: `rejected bad-number`, `refused 422`. */
function reasonOf({ reason, code, httpStatus }: DeadLetter): string {
  const their = httpStatus === undefined ? code : String(httpStatus);
  return their === undefined ? reason : `${reason} ${their}`;
}

function recordIdOf(line: string): string | undefined {
  const parsed = parseBoundedJson(line, RECORD_LIMITS);
  if (parsed.status !== 'parsed' || typeof parsed.value !== 'object' || parsed.value === null) return undefined;
  const recordId = 'recordId' in parsed.value ? parsed.value['recordId'] : undefined;
  return typeof recordId === 'string' ? recordId : undefined;
}

import {
  createSourceReader,
  createSuspicionTracker,
  explainSharing,
  explainSuspicion,
  importFiles,
  MEMBER_RULES,
} from '../records/index.js';
import type { CallRecord, SharingExplanation, Suspicion } from '../records/index.js';
import type { Command } from './command.js';
import { EXIT } from './exit-codes.js';
import type { ExitCode } from './exit-codes.js';
import type { CliIo } from './io.js';
import { numberOption, requirePath } from './options.js';
import type { Options, OptionSpecs } from './options.js';
import { countText, instantText, printJson, printLines } from './output.js';
import { previewPolicyOf, SHARING_OPTIONS } from './sharing-options.js';
import type { SharingOption } from './sharing-options.js';
import { shownText } from './shown-text.js';
import { fileSourceOf, SOURCE_OPTIONS } from './source-options.js';
import type { SourceOption } from './source-options.js';
import { UsageError } from './usage-error.js';

type RowsOption = Exclude<SourceOption, 'keep-raw'>;
type PreviewOption = RowsOption | SharingOption | 'limit';

const DEFAULT_LIMIT = 20;
const MAX_LIMIT = 10_000;

const { 'keep-raw': _keepRaw, ...ROWS_OPTIONS } = SOURCE_OPTIONS;

const OPTIONS: OptionSpecs<PreviewOption> = {
  ...ROWS_OPTIONS,
  ...SHARING_OPTIONS,
  limit: {
    value: 'N',
    text: `the first N records are shown, up to ${String(MAX_LIMIT)}; default ${String(DEFAULT_LIMIT)}; all are judged`,
  },
};

/** `hopback records preview` */
export const recordsPreviewCommand: Command = {
  name: 'records preview',
  summary: 'show exactly what would leave of call records, and why',
  usage: [
    '--source FILE [--sharing LEVEL|FILE] FILE...',
    '--id ID --format FORMAT --zone ZONE [--sharing LEVEL|FILE] FILE...',
  ],
  options: OPTIONS,
  notes: [
    'Reads the files as records import does, judges each call by those before it, and shows for each record whether it would be sent, what ' +
      'becomes of every member and by which rule, and the JSON that would be sent. Nothing is stored, and nothing is sent. Without ' +
      '--pseudonym-key pseudonyms are made with a key of the moment, and have the form of real ones.',
    'Exit codes: 0 shown, 1 rows could not be read, or a file is damaged or unreadable, 2 not understood, 4 a key cannot be used.',
  ],
  run,
};

interface Previewed {
  readonly record: CallRecord;
  readonly suspicion: Suspicion;
  readonly sharing: SharingExplanation;
}

async function run(options: Options<PreviewOption | 'json'>, io: CliIo): Promise<ExitCode> {
  const paths = options.operands.map(requirePath);
  if (paths.length === 0) throw new UsageError('name at least one file to read');
  const limit = numberOption(options.text('limit'), { name: 'limit', min: 1, max: MAX_LIMIT }) ?? DEFAULT_LIMIT;
  const source = await fileSourceOf(options as Options<SourceOption>, io);
  const { policy, isOwnKey } = await previewPolicyOf(options, io);
  const tracker = createSuspicionTracker();
  const shown: Previewed[] = [];
  const counts = { records: 0, shared: 0, withheld: 0 };
  const report = await importFiles(paths, {
    sourceId: source.id,
    reader: createSourceReader(source),
    rejects: { reject: () => undefined, flush: () => Promise.resolve() },
    store: {
      insert(records) {
        for (const record of records) {
          const suspicion = tracker.judge(record);
          const sharing = explainSharing(policy, record, suspicion);
          counts.records += 1;
          counts[sharing.record === undefined ? 'withheld' : 'shared'] += 1;
          if (shown.length < limit) shown.push({ record, suspicion, sharing });
        }
        return Promise.resolve({ inserted: records.length, repeated: 0, expired: 0 });
      },
      cover: () => Promise.resolve(),
    },
    signal: io.stopSignal(),
  });
  const failed = report.files.filter(({ status }) => status !== 'imported');
  const exitCode = report.rejected === 0 && failed.length === 0 ? EXIT.ok : EXIT.negative;
  if (options.isOn('json')) {
    printJson(io, {
      format: 'hopback.records-preview.1',
      exitCode,
      ...{ policyId: policy.data.id, share: policy.data.share, isOwnKey },
      ...{ ...counts, rejected: report.rejected },
      files: report.files.map(({ path, status }) => ({ path, status })),
      previews: shown.map(documentOf),
    });
    return exitCode;
  }
  printLines(io, [
    ...shown.flatMap(previewLines),
    ...failed.map(({ path, status }) => `✗ ${shownText(path)} is ${status}`),
    ...(isOwnKey ? [] : ['! pseudonyms are of a key of the moment: --pseudonym-key shows those that would be sent']),
    ...(counts.records > shown.length ? [`· the first ${String(shown.length)} are shown: --limit shows more`] : []),
    `${exitCode === EXIT.ok ? '✓' : '!'} ${countText(counts.records, 'record')} under ${policy.data.id}: ` +
      `${String(counts.shared)} would be sent, ${String(counts.withheld)} would stay; ${String(report.rejected)} rejected`,
  ]);
  return exitCode;
}

function documentOf({ record, suspicion, sharing }: Previewed): Readonly<Record<string, unknown>> {
  const { decision, members, record: sent } = sharing;
  return { recordId: record.recordId, suspicion, decision, members, ...(sent === undefined ? {} : { sent }) };
}

function previewLines({ record, suspicion, sharing }: Previewed): readonly string[] {
  const { decision, members, record: sent } = sharing;
  const { level, decidedBy, reason } = decision;
  const fate = sent === undefined ? '· stays' : '✓ sent';
  const width = Math.max(0, ...members.map(({ member }) => member.length));
  return [
    `${fate} ${record.recordId} of ${instantText(Math.floor(record.inviteAtUs / 1_000))}: ${reason} (${level}, by ${decidedBy})`,
    ...explainSuspicion(suspicion).map((line) => `    ${line}`),
    ...members.map(
      ({ member, treatment, rule }) => `    ${treatment.padEnd(9)}  ${member.padEnd(width)}  ${MEMBER_RULES[rule]}`,
    ),
    ...(sent === undefined ? [] : [`    ${JSON.stringify(sent)}`]),
  ];
}

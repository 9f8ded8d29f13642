import { join } from 'node:path';
import { hash } from 'node:crypto';
import type { IntakeReport, IntakeRequest } from '../traceback/index.js';
import { HopbackError } from '../errors.js';
import type { Command } from './command.js';
import { EXIT } from './exit-codes.js';
import type { ExitCode } from './exit-codes.js';
import type { CliIo } from './io.js';
import { numberOption, requirePath } from './options.js';
import type { Options, OptionSpecs } from './options.js';
import { countText, jsonLine, printJson, printLines } from './output.js';
import { shownText } from './shown-text.js';
import { commonFields, fieldLines, messageLines, requestLines, unreadLine } from './traceback-intake-lines.js';
import { INTAKE_OPTIONS, readIntakeInput } from './traceback-input.js';
import type { IntakeOption } from './traceback-input.js';

type TracebackIntakeOption = IntakeOption | 'out' | 'limit';

const DEFAULT_LIMIT = 20;
const MAX_LIMIT = 10_000;

const OPTIONS: OptionSpecs<TracebackIntakeOption> = {
  ...INTAKE_OPTIONS,
  out: { value: 'DIR', text: 'write each request into a file of its own there; a directory that exists' },
  limit: {
    value: 'N',
    text: `calls that are shown, up to ${String(MAX_LIMIT)}; default ${String(DEFAULT_LIMIT)}; all are read`,
  },
};

/** `hopback traceback intake` */
export const tracebackIntakeCommand: Command = {
  name: 'traceback intake',
  summary: 'read traceback requests out of text, e-mail or CSV, and show what is doubtful',
  usage: ['FILE|- [--zone ZONE] [--date-order ORDER] [--out DIR]', 'FILE.csv|- --csv-map FILE [--out DIR]'],
  options: OPTIONS,
  notes: [
    'Shows each call that is asked about: what was read and where it stood, what can mean several things, what is missing, and what looked like ' +
      'a field and was not understood. Nothing is guessed. A request that is clear goes to DIR as ID.json, one that is not as ' +
      'ID.doubtful.json with all that it may mean; what is there already stays as it is. Telephone numbers are shown in full. Who sent an ' +
      'e-mail is not proven by what stands in it.',
    'Exit codes: 0 all requests are clear; 1 there is no request in it; 2 not understood; 3 something is for a person to settle; 4 a file or the ' +
      'directory cannot be used.',
    '  hopback traceback intake request.eml --provider "Example Telephone" --out requests\n' +
      '  cat request.txt | hopback traceback intake - --zone America/New_York',
  ],
  run,
};

async function run(options: Options<TracebackIntakeOption | 'json'>, io: CliIo): Promise<ExitCode> {
  const limit = numberOption(options.text('limit'), { name: 'limit', min: 1, max: MAX_LIMIT }) ?? DEFAULT_LIMIT;
  const directory = options.text('out');
  const { report, source } = await readIntakeInput(options, io);
  const written = directory === undefined ? [] : await writeRequests(report, requirePath(directory), io);
  const exitCode = EXIT_OF_STATUS[report.status];
  if (options.isOn('json')) printJson(io, { ...report, exitCode, files: written });
  else printLines(io, reportLines(report, { source, limit, written }));
  return exitCode;
}

const EXIT_OF_STATUS: Readonly<Record<IntakeReport['status'], ExitCode>> = {
  clear: EXIT.ok,
  'no-request': EXIT.negative,
  unreadable: EXIT.usage,
  'needs-person': EXIT.indeterminate,
};

/** A file of a request. */
interface WrittenFile {
  readonly path: string;
  readonly requestId: string;
  /** `there-already`: the same request came before. */
  readonly status: 'written' | 'there-already';
}

async function writeRequests(
  { requests }: IntakeReport,
  directory: string,
  io: CliIo,
): Promise<readonly WrittenFile[]> {
  io.keepPrivate();
  const names = await io.files.list(directory);
  if (names === undefined) throw new HopbackError('storage-failed', `there is no directory ${shownText(directory)}`);
  const there = new Set(names);
  const written: WrittenFile[] = [];
  for (const request of requests) {
    const name = fileName(request);
    const path = join(directory, name);
    const isThere = there.has(name);
    there.add(name);
    if (!isThere) await io.files.write(path, contentOf(request), { mode: 0o600, overwrite: false });
    written.push({ path, requestId: request.requestId, status: isThere ? 'there-already' : 'written' });
  }
  return written;
}

/** What is not clear is no request yet, and must not be taken for one by whoever reads the directory. */
function contentOf(request: IntakeRequest): string {
  if (request.status === 'clear') return jsonLine(request.request);
  return jsonLine({ format: 'hopback.traceback-intake-doubtful.1', ...request });
}

/** Ids are stated by others: one that is no plain name goes into no path. */
function fileName({ requestId, status }: IntakeRequest): string {
  const isName = /^[A-Za-z0-9][A-Za-z0-9._-]{0,99}$/.test(requestId) && !requestId.toLowerCase().endsWith('.doubtful');
  const name = isName ? requestId : `request-${hash('sha256', requestId, 'hex').slice(0, 32)}`;
  return status === 'clear' ? `${name}.json` : `${name}.doubtful.json`;
}

interface Shown {
  readonly source: string;
  readonly limit: number;
  readonly written: readonly WrittenFile[];
}

function reportLines(report: IntakeReport, { source, limit, written }: Shown): readonly string[] {
  const { requests, unread } = report;
  const shown = requests.slice(0, limit);
  const common = commonFields(requests);
  const news = written.filter(({ status }) => status === 'written');
  const doubtful = written.filter(({ path }) => path.endsWith('.doubtful.json'));
  return [
    headline(report, source),
    ...messageLines(report),
    ...(common.length === 0 ? [] : ['', 'of all calls', ...fieldLines(common)]),
    ...shown.flatMap((request, at) => requestLines(request, { at: at + 1, of: requests.length, common })),
    ...(requests.length > shown.length
      ? ['', `· the first ${String(shown.length)} are shown: --limit shows more`]
      : []),
    ...(unread.length === 0 ? [] : ['', ...unread.slice(0, limit).map(unreadLine)]),
    ...(unread.length > limit ? [`· ${String(unread.length - limit)} more were not read`] : []),
    ...(written.length === 0
      ? []
      : [
          '',
          `· ${countText(news.length, 'file')} written, ${String(written.length - news.length)} there already, ` +
            `${String(doubtful.length)} of them .doubtful.json`,
        ]),
  ];
}

function headline({ status, requests }: IntakeReport, source: string): string {
  if (status === 'no-request') return `✗ ${source}: no traceback request in it`;
  if (requests.length === 0) return `? ${source}: no call could be read, and something in it is for a person`;
  const open = requests.filter((request) => request.status !== 'clear').length;
  const calls = `${source}: ${countText(requests.length, 'call')} asked about`;
  if (open === 0 && status === 'needs-person') return `? ${calls}, all clear, and something else is for a person`;
  return open === 0
    ? `✓ ${calls}, all clear`
    : `? ${calls}, ${String(requests.length - open)} clear, ${String(open)} for a person`;
}

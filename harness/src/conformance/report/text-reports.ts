import { escapeMarkup } from '../../laboratory/index.js';
import type { CaseResult, ConformanceRun, RunCounts } from '../conformance-run.js';

/** How a result is shown: by a sign, never by colour alone. */
export const MARKS: Readonly<Record<CaseResult['status'], string>> = { pass: '✓', fail: '✗', 'not-applicable': '–' };

/** What the signs mean. */
export const MARK_WORDS: Readonly<Record<CaseResult['status'], string>> = {
  pass: 'conforms',
  fail: 'does not',
  'not-applicable': 'the interface cannot show it',
};

/** One sentence about a run. */
export function countsText({ pass, fail, departs, notApplicable }: RunCounts): string {
  const parts = [
    `${pass} conform`,
    `${fail} do not`,
    ...(departs > 0 ? [`${departs} depart from a recommendation`] : []),
    ...(notApplicable > 0 ? [`${notApplicable} cannot be shown by the interface`] : []),
  ];
  return parts.join(', ');
}

/** How a table is written. */
export interface ConformanceTableOptions {
  /** Whether terminal colours are added to the signs. */
  readonly color?: boolean;
  /** Characters of a line; default 100. */
  readonly columns?: number;
}

const RED = 31;
const YELLOW = 33;
const GREEN = 32;

/**
 * Writes a run for a terminal: failures first, each with its reason and the text that decides, then a line for each group, then the sum.
 * @param run - what was found
 * @param options - colours and width
 * @returns lines, with a line end at the last; never throws
 * @see RFC 8224 section 6.2 for what cases of verification are about
 * @example
 * ```ts
 * const target = { kind: 'atis', url: 'http://127.0.0.1:8090', name: 'ours' } as const;
 * const counts = { pass: 0, fail: 0, departs: 0, notApplicable: 0 };
 * const run = { version: 1, target, startedAt: '', durationMs: 0, isComplete: true, counts, results: [] } as const;
 * console.log(writeConformanceTable(run).trim()); // ✓ ours: 0 conform, 0 do not
 * ```
 */
export function writeConformanceTable(run: ConformanceRun, options: ConformanceTableOptions = {}): string {
  const paint = painter(options.color ?? false);
  const failures = run.results.filter(({ status }) => status === 'fail');
  const musts = failures.filter(({ level }) => level === 'must');
  const shoulds = failures.filter(({ level }) => level === 'should');
  const isGood = musts.length === 0 && run.isComplete;
  const mark = isGood ? paint(GREEN, MARKS.pass) : paint(RED, MARKS.fail);
  return [
    ...section('Does not conform', musts, (result) => failureLines(result, paint(RED, MARKS.fail))),
    ...section('Departs from a recommendation', shoulds, (result) => failureLines(result, paint(YELLOW, '!'))),
    ...groupLines(run.results),
    '',
    ...(run.isComplete ? [] : ['The time for the run was over before its end: what is missing was not asked.']),
    `${mark} ${run.target.name}: ${countsText(run.counts)}`,
    '',
  ]
    .join('\n')
    .replace(/^\n+/, '');
}

type Paint = (code: number, text: string) => string;

const painter =
  (color: boolean): Paint =>
  (code, text) =>
    color ? `\u001b[${code}m${text}\u001b[0m` : text;

function section(
  title: string,
  results: readonly CaseResult[],
  lines: (result: CaseResult) => readonly string[],
): readonly string[] {
  return results.length === 0 ? [] : [title, '', ...results.flatMap((result) => lines(result)), ''];
}

/** What was answered stands in reports of JSON and HTML; here its reason has it already, where it matters. */
function failureLines({ number, title, reason = '', source }: CaseResult, mark: string): readonly string[] {
  return [`  ${mark} ${number}  ${title}`, `           ${reason}`, `           ${source}`];
}

function groupLines(results: readonly CaseResult[]): readonly string[] {
  const groups = [...new Set(results.map(({ group }) => group))];
  return groups.map((group) => {
    const own = results.filter((result) => result.group === group);
    const count = (status: CaseResult['status']): number => own.filter((result) => result.status === status).length;
    const cell = (status: CaseResult['status']): string => `${MARKS[status]} ${String(count(status)).padStart(3)}`;
    return `  ${group.padEnd(16)}  ${cell('pass')}  ${cell('fail')}  ${cell('not-applicable')}`;
  });
}

/** A run, and what a reader of its column has to know. */
export interface MatrixColumn {
  readonly run: ConformanceRun;
  /** Which software, which version, how it was configured: Markdown, one paragraph. */
  readonly note?: string;
}

/**
 * Writes several runs side by side as Markdown: a row for each case, a column for each run, a sum for each group, a note for each column. There is nothing
 * in it that differs between two runs with the same findings.
 * @param columns - runs in the order of the columns
 * @returns tables and notes, without a headline; never throws
 * @see RFC 8224 section 6.2 for what cases of verification are about
 * @example
 * ```ts
 * console.log(writeConformanceMatrix([]).startsWith('|')); // true
 * ```
 */
export function writeConformanceMatrix(columns: readonly MatrixColumn[]): string {
  const rows = rowsOf(columns);
  const groups = [...new Set(rows.map(({ group }) => group))];
  return [
    ...sums(columns, groups),
    '',
    ...columns.flatMap(({ run, note }, index) =>
      note === undefined ? [] : [`${String(index + 1)}. **${cell(run.target.name)}**: ${note}`],
    ),
    ...groups.flatMap((group) => ['', `## ${titleOf(group)}`, '', ...groupTable(group, rows, columns)]),
    '',
  ].join('\n');
}

/** A row for each case that any run has. */
const rowsOf = (columns: readonly MatrixColumn[]): readonly CaseResult[] => {
  const byNumber = new Map(columns.flatMap(({ run }) => run.results.map((result) => [result.number, result])));
  return [...byNumber.values()];
};

function sums(columns: readonly MatrixColumn[], groups: readonly string[]): readonly string[] {
  const sum = (results: readonly CaseResult[]): string => {
    const asked = results.filter(({ status }) => status !== 'not-applicable');
    const good = asked.filter(({ status }) => status === 'pass').length;
    return asked.length === 0 ? MARKS['not-applicable'] : `${String(good)} of ${String(asked.length)}`;
  };
  return [
    ...heading(['cases that conform', ...columns.map(({ run }) => cell(run.target.name))]),
    ...groups.map((group) =>
      line([titleOf(group), ...columns.map(({ run }) => sum(run.results.filter((result) => result.group === group)))]),
    ),
    line(['**all**', ...columns.map(({ run }) => `**${sum(run.results)}**`)]),
  ];
}

function groupTable(group: string, rows: readonly CaseResult[], columns: readonly MatrixColumn[]): readonly string[] {
  return [
    ...heading(['case', 'a conforming service', 'level', 'by', ...columns.map(({ run }) => cell(run.target.name))]),
    ...rows
      .filter((row) => row.group === group)
      .map(({ number, title, level, source }) =>
        line([
          number,
          cell(title),
          level,
          cell(source),
          ...columns.map(({ run }) => {
            const result = run.results.find((one) => one.number === number);
            return MARKS[result?.status ?? 'not-applicable'];
          }),
        ]),
      ),
  ];
}

const heading = (cells: readonly string[]): readonly string[] => [line(cells), line(cells.map(() => '---'))];
const line = (cells: readonly string[]): string => `| ${cells.join(' | ')} |`;
/** Text inside a table. */
const cell = (text: string): string =>
  text
    .replaceAll('|', String.raw`\|`)
    .replaceAll('<', '&lt;')
    .replaceAll('\n', ' ');

const titleOf = (group: string): string => {
  const words = group.replaceAll('-', ' ');
  return `${words.charAt(0).toUpperCase()}${words.slice(1)}`;
};

/**
 * Writes a run as JUnit XML, which build servers read: a suite for each group, a test case for each numbered case. Those that departed from a recommendation
 * and those that are not applicable are written as skipped, with why.
 * @param run - what was found
 * @param options - `strict`: a departure from a recommendation is a failure
 * @returns XML text; never throws
 * @see RFC 8224 section 6.2 for what cases of verification are about
 * @example
 * ```ts
 * const target = { kind: 'atis', url: 'http://127.0.0.1:8090', name: 'ours' } as const;
 * const counts = { pass: 0, fail: 0, departs: 0, notApplicable: 0 };
 * const run = { version: 1, target, startedAt: '', durationMs: 0, isComplete: true, counts, results: [] } as const;
 * console.log(writeJunit(run).split('\n')[0]); // <?xml version="1.0" encoding="UTF-8"?>
 * ```
 */
export function writeJunit(run: ConformanceRun, options: { readonly strict?: boolean } = {}): string {
  const { strict = false } = options;
  const groups = [...new Set(run.results.map(({ group }) => group))];
  const suites = groups.map((group) =>
    suite(
      group,
      run.results.filter((result) => result.group === group),
      strict,
    ),
  );
  const { failures, skipped } = tally(run.results, strict);
  const attributes = `tests="${run.results.length}" failures="${failures}" skipped="${skipped}" time="${seconds(run.durationMs)}"`;
  return [
    '<?xml version="1.0" encoding="UTF-8"?>',
    `<testsuites name="${escapeMarkup(`conformance of ${run.target.name}`)}" ${attributes}>`,
    ...suites,
    '</testsuites>',
    '',
  ].join('\n');
}

function suite(group: string, results: readonly CaseResult[], strict: boolean): string {
  const { failures, skipped } = tally(results, strict);
  const durationMs = results.reduce((sum, result) => sum + result.durationMs, 0);
  return [
    `  <testsuite name="${group}" tests="${results.length}" failures="${failures}" errors="0" skipped="${skipped}" time="${seconds(durationMs)}">`,
    ...results.map((result) => testCase(result, strict)),
    '  </testsuite>',
  ].join('\n');
}

function testCase(result: CaseResult, strict: boolean): string {
  const { number, title, group, reason = '', source, durationMs } = result;
  const name = escapeMarkup(`${number} ${title}`);
  const head = `    <testcase classname="conformance.${group}" name="${name}" time="${seconds(durationMs)}"`;
  const kind = kindOf(result, strict);
  if (kind === 'pass') return `${head}/>`;
  const message = escapeMarkup(result.status === 'fail' && kind === 'skipped' ? `should: ${reason}` : reason);
  const element =
    kind === 'failure'
      ? `<failure message="${message}">${escapeMarkup(source)}</failure>`
      : `<skipped message="${message}"/>`;
  return `${head}>${element}</testcase>`;
}

function kindOf({ status, level }: CaseResult, strict: boolean): 'pass' | 'failure' | 'skipped' {
  if (status === 'pass') return 'pass';
  return status === 'fail' && (strict || level === 'must') ? 'failure' : 'skipped';
}

function tally(
  results: readonly CaseResult[],
  strict: boolean,
): { readonly failures: number; readonly skipped: number } {
  const kinds = results.map((result) => kindOf(result, strict));
  const count = (kind: string): number => kinds.filter((one) => one === kind).length;
  return { failures: count('failure'), skipped: count('skipped') };
}

const seconds = (ms: number): string => (ms / 1000).toFixed(3);

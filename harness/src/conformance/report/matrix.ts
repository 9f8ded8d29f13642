import type { CaseResult, ConformanceRun } from '../conformance-run.js';
import { MARKS } from './marks.js';

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
          ...[number, cell(title), level, cell(source)],
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

import type { CaseResult, ConformanceRun } from '../conformance-run.js';
import { countsText, MARKS } from './marks.js';

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

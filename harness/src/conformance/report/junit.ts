import type { CaseResult, ConformanceRun } from '../conformance-run.js';

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

/** What XML cannot hold at all. @see XML 1.0 section 2.2 */
const NOT_XML = /[^\t\n\r\u0020-\uD7FF\uE000-\uFFFD\u{10000}-\u{10FFFF}]/gu;

/** Text for XML and HTML, in elements and in attributes. */
export const escapeMarkup = (text: string): string =>
  text
    .replaceAll(NOT_XML, '\uFFFD')
    .replaceAll('&', '&amp;')
    .replaceAll('<', '&lt;')
    .replaceAll('>', '&gt;')
    .replaceAll('"', '&quot;');

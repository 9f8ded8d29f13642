import type { CaseResult, ConformanceRun } from '../conformance-run.js';
import { escapeMarkup } from './junit.js';
import { countsText, MARK_WORDS, MARKS } from './marks.js';
import { PAGE_STYLE } from './page-style.js';

/**
 * Writes a run as one HTML page that needs nothing else: failures first, then all cases by group. It has no script.
 * @param run - what was found
 * @returns HTML text; whatever a service answered is text in it; never throws
 * @see RFC 8224 section 6.2 for what cases of verification are about
 * @example
 * ```ts
 * const target = { kind: 'atis', url: 'http://127.0.0.1:8090', name: 'ours' } as const;
 * const counts = { pass: 0, fail: 0, departs: 0, notApplicable: 0 };
 * const run = { version: 1, target, startedAt: '', durationMs: 0, isComplete: true, counts, results: [] } as const;
 * console.log(writeConformancePage(run).split('\n')[0]); // <!doctype html>
 * ```
 */
export function writeConformancePage(run: ConformanceRun): string {
  const { target, startedAt, durationMs, counts, results } = run;
  const failed = (level: 'must' | 'should'): readonly CaseResult[] =>
    results.filter((result) => result.status === 'fail' && result.level === level);
  const groups = [...new Set(results.map(({ group }) => group))];
  const title = `Conformance of ${target.name}`;
  return [
    '<!doctype html>',
    '<html lang="en">',
    '<head>',
    '<meta charset="utf-8">',
    '<meta name="viewport" content="width=device-width, initial-scale=1">',
    `<title>${escapeMarkup(title)}</title>`,
    `<style>${PAGE_STYLE}</style>`,
    '</head>',
    '<body>',
    '<main>',
    `<h1>${escapeMarkup(title)}</h1>`,
    `<p>${escapeMarkup(`${target.kind} at ${target.url}, ${startedAt}, ${(durationMs / 1000).toFixed(1)} s`)}</p>`,
    `<p class="sum"><strong>${escapeMarkup(countsText(counts))}</strong>${run.isComplete ? '' : ' The run was not finished.'}</p>`,
    `<p class="key">${Object.entries(MARKS)
      .map(([status, mark]) => `${mark} ${MARK_WORDS[status as CaseResult['status']]}`)
      .join(' &nbsp; ')}</p>`,
    ...section('Does not conform', failed('must')),
    ...section('Departs from a recommendation', failed('should')),
    ...groups.flatMap((group) =>
      section(
        group.replaceAll('-', ' '),
        results.filter((result) => result.group === group),
      ),
    ),
    '</main>',
    '</body>',
    '</html>',
    '',
  ].join('\n');
}

function section(title: string, results: readonly CaseResult[]): readonly string[] {
  if (results.length === 0) return [];
  return [
    `<h2>${escapeMarkup(title)}</h2>`,
    '<table>',
    '<thead><tr><th scope="col">case</th><th scope="col"></th><th scope="col">a conforming service</th><th scope="col">level</th><th scope="col">by</th><th scope="col">answered</th></tr></thead>',
    '<tbody>',
    ...results.map((result) => row(result)),
    '</tbody>',
    '</table>',
  ];
}

function row({ number, title, level, source, status, reason, said }: CaseResult): string {
  const told = status === 'pass' ? said : (reason ?? said);
  const cells = [escapeMarkup(title), level, escapeMarkup(source), escapeMarkup(told ?? '')];
  return [
    `<tr class="${status} ${level}"><th scope="row">${escapeMarkup(number)}</th>`,
    `<td class="mark"><span title="${MARK_WORDS[status]}">${MARKS[status]}</span></td>`,
    ...cells.map((cell) => `<td>${cell}</td>`),
    '</tr>',
  ].join('');
}

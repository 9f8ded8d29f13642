import { escapeMarkup } from '../../laboratory/index.js';
import type { CaseResult, ConformanceRun } from '../conformance-run.js';
import { countsText, MARK_WORDS, MARKS } from './text-reports.js';

/** The style sheet of the page: light and dark, on paper too; rows that fail have a bar at their side, not a colour alone. */
const PAGE_STYLE = `
:root { color-scheme: light dark; --text: #1b1f24; --soft: #59636e; --line: #d1d9e0; --back: #ffffff; --fail: #b42318; --warn: #9a6700; --pass: #1a7f37; }
@media (prefers-color-scheme: dark) { :root { --text: #e6edf3; --soft: #9198a1; --line: #3d444d; --back: #0d1117; --fail: #ff7b72; --warn: #d29922; --pass: #3fb950; } }
body { margin: 0; background: var(--back); color: var(--text); font: 15px/1.5 system-ui, sans-serif; }
main { max-width: 76rem; margin: 0 auto; padding: 1.5rem 1rem 4rem; }
h1 { font-size: 1.6rem; margin: 0 0 .25rem; }
h2 { font-size: 1.15rem; margin: 2rem 0 .5rem; }
h2::first-letter { text-transform: uppercase; }
p { margin: .25rem 0; color: var(--soft); }
.sum { color: var(--text); font-size: 1.05rem; }
table { width: 100%; border-collapse: collapse; table-layout: fixed; }
th, td { text-align: left; vertical-align: top; padding: .35rem .6rem .35rem 0; border-top: 1px solid var(--line); overflow-wrap: anywhere; font-weight: normal; }
thead th { border-top: 0; color: var(--soft); font-size: .85rem; }
th:nth-child(1) { width: 4rem; font-variant-numeric: tabular-nums; }
th:nth-child(2) { width: 1.5rem; }
th:nth-child(4) { width: 4.5rem; }
td:nth-child(5), td:nth-child(6) { color: var(--soft); font-size: .9rem; }
tbody th { padding-left: .5rem; border-left: .25rem solid transparent; }
.pass .mark { color: var(--pass); }
.fail.must .mark { color: var(--fail); font-weight: bold; }
.fail.should .mark { color: var(--warn); font-weight: bold; }
.fail.must th { border-left-color: var(--fail); font-weight: bold; }
.fail.should th { border-left-color: var(--warn); }
@media (max-width: 44rem) {
  thead { display: none; }
  tr { display: grid; grid-template-columns: 4rem 1.5rem 1fr; border-top: 1px solid var(--line); padding: .35rem 0; }
  th, td { border-top: 0; padding: 0 .6rem 0 0; }
  td:nth-child(n + 4) { grid-column: 3; }
}
@media print { main { max-width: none; padding: 0; } tr { break-inside: avoid; } }
`;

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

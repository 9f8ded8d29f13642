import type { CaseResult, RunCounts } from '../conformance-run.js';

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

import type { RunRecord } from '../run-record.js';
import { html } from './markup.js';
import type { Markup } from './markup.js';
import { counted } from './words.js';

const VERDICTS = {
  passed: '✓ Passed',
  failed: '✕ Failed',
  incomplete: '✕ Incomplete',
  timeout: '✕ Time was up',
  'no-calls': '✕ No calls',
} as const;

/** What the run came to, in one sentence. */
export function verdictBanner(record: RunRecord): Markup {
  const { verdict } = record;
  return html`<div class="verdict${verdict === 'passed' ? '' : ' failed'}" role="status">
    <strong>${VERDICTS[verdict]}</strong><span>${verdictSentence(record)}</span>
  </div>`;
}

/** What of the plan was not carried out, whether thresholds were met, and how many findings there are. */
export function verdictSentence({ plan, thresholds, oracle, end, verdict }: RunRecord): string {
  const missed = thresholds.filter(({ isMet }) => !isMet);
  const held =
    thresholds.length === 0
      ? 'The scenario has no thresholds: any finding fails it.'
      : missed.length === 0
        ? `${thresholds.length === 1 ? 'Its threshold is' : `All ${thresholds.length} thresholds are`} met.`
        : `${missed.length} of ${counted(thresholds.length, 'threshold')} not met: ${missed.map(({ metric, threshold, seen }) => `${metric} ${threshold} was ${seen}`).join('; ')}.`;
  const unfinished = oracle.findings.find(({ kind }) => kind === 'incomplete');
  const others = oracle.findingsInAll - (unfinished === undefined ? 0 : 1);
  const found =
    others > 0
      ? `${counted(others, 'finding')}.`
      : `Nothing ${unfinished === undefined ? '' : 'else '}was found that is not as it is true.`;
  const began =
    verdict === 'no-calls'
      ? 'No call was placed, so nothing is proved. '
      : unfinished === undefined
        ? ENDS[end]
        : `${capitalized(unfinished.seen)}. `;
  return `${began}${held} ${found}${unseenParts(plan)}`;
}

/** Why a run ended of which all calls were placed. */
const ENDS = {
  plan: '',
  stopped: 'Somebody stopped it before its end. ',
  signal: 'A signal ended it before its end. ',
  timeout: 'Its time was up before its end. ',
  threshold: 'A threshold that aborts ended it. ',
} as const;

const capitalized = (text: string): string => `${text.charAt(0).toUpperCase()}${text.slice(1)}`;

/** What a run does not know: what is in the programs of others. */
function unseenParts({ providers, externalCallers = [] }: RunRecord['plan']): string {
  const switches = providers.filter(({ isExternal }) => isExternal === true).map(({ id }) => id);
  return [
    switches.length === 0
      ? ''
      : ` Of ${switches.join(', ')}, which is not ours, only what left it was judged: what it found and wrote down is not known.`,
    externalCallers.length === 0
      ? ''
      : ` Calls of ${externalCallers.join(', ')} were placed by others, and are judged from their first provider on.`,
  ].join('');
}

import type { RunRecord } from '../run-record.js';
import { html } from './markup.js';
import type { Markup } from './markup.js';
import { counted } from './words.js';

const VERDICTS = {
  passed: '✓ Passed',
  failed: '✕ Failed',
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

/** Whether thresholds were met, how many findings there are, and how the run ended. */
export function verdictSentence({ plan, thresholds, oracle, end, verdict }: RunRecord): string {
  const missed = thresholds.filter(({ isMet }) => !isMet);
  const held =
    thresholds.length === 0
      ? 'The scenario has no thresholds: any finding fails it.'
      : missed.length === 0
        ? `${thresholds.length === 1 ? 'Its threshold is' : `All ${thresholds.length} thresholds are`} met.`
        : `${missed.length} of ${counted(thresholds.length, 'threshold')} not met: ${missed.map(({ metric, threshold, seen }) => `${metric} ${threshold} was ${seen}`).join('; ')}.`;
  const found =
    oracle.findingsInAll === 0
      ? 'Nothing was found that is not as it is true.'
      : `${counted(oracle.findingsInAll, 'finding')}.`;
  const ends = {
    plan: '',
    stopped: ' Somebody stopped it before its end.',
    signal: ' A signal ended it before its end.',
    timeout: ' Its time was up before its end.',
    threshold: ' A threshold that aborts ended it.',
  } as const;
  return `${verdict === 'no-calls' ? 'No call was placed, so nothing is proved. ' : ''}${held} ${found}${unseenParts(plan)}${ends[end]}`;
}

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

import { createHash } from 'node:crypto';
import type { RunRecord } from '../run-record.js';
import { callsSection } from './calls-section.js';
import { FILTER_SCRIPT, STYLE, counted, html } from './markup.js';
import type { Markup } from './markup.js';
import { pathGraph } from './path-graph.js';
import {
  figureTiles,
  findingsSection,
  hopsSection,
  latencyPlots,
  thresholdsSection,
  tracebackSection,
} from './summary-sections.js';

const VERDICTS = {
  passed: '✓ Passed',
  failed: '✕ Failed',
  incomplete: '✕ Incomplete',
  timeout: '✕ Time was up',
  'no-calls': '✕ No calls',
} as const;

/** What the run came to, in one sentence. */
function verdictBanner(record: RunRecord): Markup {
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
      : `No ${unfinished === undefined ? '' : 'other '}discrepancies found.`;
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
      : ` Only calls that left ${switches.join(', ')} were judged: the verdicts and records of an external switch are unknown.`,
    externalCallers.length === 0
      ? ''
      : ` Calls of ${externalCallers.join(', ')} were placed by others, and are judged from their first provider on.`,
  ].join('');
}

interface Section {
  readonly id: string;
  readonly title: string;
  readonly content: Markup;
}

/**
 * `report.html`: the whole run in one file that fetches nothing, to be sent to whoever has to see it. It is read without scripts; one of its own filters
 * lists, and its hash stands in the Content-Security-Policy. All text of peers is escaped.
 */
export function reportHtml(record: RunRecord): string {
  const { plan, facts, version } = record;
  const { name, why } = plan.scenario;
  const sections: readonly Section[] = [
    { id: 'findings', title: 'Discrepancies', content: findingsSection(record) },
    { id: 'tracebacks', title: 'Tracebacks beside the true path', content: tracebackSection(record) },
    { id: 'graph', title: 'Paths', content: pathGraph(record) },
    { id: 'hops', title: 'Hops', content: hopsSection(record) },
    { id: 'thresholds', title: 'Thresholds and metrics', content: thresholdsSection(record) },
    { id: 'latency', title: 'Rates and latencies', content: latencyPlots(record.snapshots) },
    { id: 'calls', title: 'Calls', content: callsSection(record) },
    { id: 'replay', title: 'The same again', content: replaySection(record) },
  ];
  const began = new Date(facts.startedAtMs).toISOString().replace('T', ' ').slice(0, 19);
  const seconds = ((facts.endedAtMs - facts.startedAtMs) / 1_000).toFixed(1);
  const page = html`<!doctype html>
    <html lang="en">
      <head>
        <meta charset="utf-8" />
        <meta
          http-equiv="Content-Security-Policy"
          content="default-src 'none'; style-src 'unsafe-inline'; img-src data:; script-src 'sha256-${hashOf(FILTER_SCRIPT)}'; base-uri 'none'; form-action 'none'"
        />
        <meta name="viewport" content="width=device-width, initial-scale=1" />
        <title>${record.verdict}: ${name}, seed ${plan.seed}</title>
        <style>
          ${{ markup: STYLE }}
        </style>
      </head>
      <body>
        <a class="skip" href="#main">Skip to content</a>
        <header>
          <h1>${name}</h1>
          <p class="soft">Seed ${plan.seed}, ${began} UTC, ${seconds} s</p>
          ${verdictBanner(record)}
          <p>${why}</p>
          ${figureTiles(record)}
        </header>
        <nav aria-label="Sections">
          <ul>
            ${sections.map(({ id, title }) => html`<li><a href="#${id}">${title}</a></li>`)}
          </ul>
        </nav>
        <main id="main" tabindex="-1">
          ${sections.map(
            ({ id, title, content }) =>
              html`<section id="${id}" aria-labelledby="${id}-title">
                <h2 id="${id}-title">${title}</h2>
                ${content}
              </section>`,
          )}
        </main>
        <footer>Made by hopback-harness ${version}. This file fetches nothing.</footer>
        ${{ markup: `<script>${FILTER_SCRIPT}</script>` }}
      </body>
    </html> `;
  return page.markup;
}

function replaySection({ command, plan }: RunRecord): Markup {
  return html`<p>The same scenario and seed make the same calls:</p>
    <pre>${command}</pre>
    <p>
      The seed is ${plan.seed}. <code>summary.json</code> has a digest of everything that the seed decides. Two runs
      with the same digest had the same results.
    </p>`;
}

function hashOf(script: string): string {
  return createHash('sha256').update(script).digest('base64');
}

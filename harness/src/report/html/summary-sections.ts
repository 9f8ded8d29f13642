import { externalProviders } from '../../network/plan/index.js';
import { hopPairs, hopVerdict } from '../../oracle/index.js';
import type { Finding, Metric } from '../../oracle/index.js';
import { hasCall, latencySummary, metricText, rounded } from '../figures.js';
import type { RunRecord } from '../run-record.js';
import { html } from './markup.js';
import type { Markup } from './markup.js';
import { behaviourText, counted } from './words.js';

/** Figures that everybody asks for first. */
export function figureTiles({ plan, facts, oracle }: RunRecord): Markup {
  const placed = facts.calls.filter(({ placedAtMs }) => placedAtMs !== undefined).length;
  const { metrics } = oracle;
  const tiles: readonly (readonly [string, string, string])[] = [
    [
      'Calls',
      placed.toLocaleString('en-US'),
      `of ${plan.calls.length.toLocaleString('en-US')} in the plan, ${plan.providers.length} providers`,
    ],
    ['Verdicts true', rateOf(metrics.verdict_accuracy), metricText(metrics.verdict_accuracy)],
    ['Tracebacks fair', rateOf(metrics.traceback_fair), metricText(metrics.traceback_fair)],
    ['Origin found', rateOf(metrics.traceback_origin_correct), metricText(metrics.traceback_origin_correct)],
    [
      'Wrong accusations',
      rateOf(metrics.wrong_accusations),
      metrics.wrong_accusations.kind === 'count' && metrics.wrong_accusations.count === 0
        ? 'nobody innocent was named'
        : '≠ somebody innocent was named',
    ],
    ['Setup p99', p99Of(metrics.call_setup_ms), 'INVITE to final response'],
  ];
  return html`<ul class="tiles">
    ${tiles.map(([name, value, note]) => html`<li>${name}<b>${value}</b><span class="soft">${note}</span></li>`)}
  </ul>`;
}

function rateOf(metric: Metric): string {
  if (metric.kind === 'count') return String(metric.count);
  if (metric.kind === 'distribution') return rounded(metric.mean);
  return metric.of === 0 ? '–' : `${rounded(Math.floor(metric.value * 100_000) / 1_000)} %`;
}

function p99Of(metric: Metric): string {
  return metric.kind === 'distribution' && metric.count > 0 ? `${rounded(metric.percentiles['99'])} ms` : '–';
}

/** Findings that a page lists; all that the oracle kept are in summary.json. */
const MAX_FINDINGS = 300;

/** What is not as it is true, gravest first. */
export function findingsSection({ oracle, samples }: RunRecord): Markup {
  const { findings, findingsInAll } = oracle;
  if (findings.length === 0) return html`<p class="good">✓ Nothing was found that is not as it is true.</p>`;
  const kinds = [...new Set(findings.map(({ kind }) => kind))];
  const drawn = new Set(samples.map(({ index }) => index));
  const left = findingsInAll - Math.min(findings.length, MAX_FINDINGS);
  return html`<form class="filters" data-rows="tr.finding" hidden>
      <label>Find <input type="search" placeholder="provider, call, words" /></label>
      <label
        >Show
        <select>
          <option value="">all kinds</option>
          ${kinds.map((kind) => html`<option value="${kind}">${kind}</option>`)}
        </select></label
      ><output></output>
    </form>
    <div class="scroll" tabindex="0" role="region" aria-label="Findings">
      <table>
        <thead>
          <tr>
            <th scope="col">Kind</th>
            <th scope="col">Call</th>
            <th scope="col">Provider</th>
            <th scope="col">True is</th>
            <th scope="col">Seen was</th>
          </tr>
        </thead>
        <tbody>
          ${findings.slice(0, MAX_FINDINGS).map((finding) => findingRow(finding, drawn))}
        </tbody>
      </table>
    </div>
    ${left > 0 ? html`<p>${counted(left, 'more finding')} in summary.json.</p>` : undefined}`;
}

function findingRow({ kind, callIndex, provider, expected, seen }: Finding, drawn: ReadonlySet<number>): Markup {
  const call =
    callIndex === undefined
      ? undefined
      : drawn.has(callIndex)
        ? html`<a href="#c-${callIndex}">call ${callIndex}</a>`
        : html`call ${callIndex}`;
  return html`<tr class="finding" data-kind="${kind}">
    <th scope="row"><span class="bad">≠ ${kind}</span></th>
    <td>${call}</td>
    <td>${provider ?? ''}</td>
    <td>${expected}</td>
    <td>${seen}</td>
  </tr>`;
}

/** Thresholds, those that are not met first. */
export function thresholdsSection({ thresholds, oracle }: RunRecord): Markup {
  const metrics: Readonly<Record<string, Metric | undefined>> = oracle.metrics;
  const sorted = thresholds.toSorted((one, other) => Number(one.isMet) - Number(other.isMet));
  const table = html`<div class="scroll" tabindex="0" role="region" aria-label="Thresholds">
    <table>
      <thead>
        <tr>
          <th scope="col">Threshold</th>
          <th scope="col">Met</th>
          <th scope="col">It was</th>
          <th scope="col">All of the metric</th>
        </tr>
      </thead>
      <tbody>
        ${sorted.map(({ metric, threshold, isMet, seen }) => {
          const whole = metrics[metric];
          return html`<tr>
            <th scope="row"><code>${metric}: ${threshold}</code></th>
            <td class="${isMet ? 'good' : 'bad'}">${isMet ? '✓ met' : '✕ not met'}</td>
            <td>${seen}</td>
            <td>${whole === undefined ? '' : metricText(whole)}</td>
          </tr>`;
        })}
      </tbody>
    </table>
  </div>`;
  return html`${thresholds.length === 0 ? html`<p>The scenario has none: any finding fails it.</p>` : table}
    <h3>All metrics</h3>
    <div class="scroll" tabindex="0" role="region" aria-label="All metrics">
      <table>
        <thead>
          <tr>
            <th scope="col">Metric</th>
            <th scope="col">Value</th>
          </tr>
        </thead>
        <tbody>
          ${Object.entries(oracle.metrics).map(
            ([name, metric]) =>
              html`<tr>
                <th scope="row"><code>${name}</code></th>
                <td>${metricText(metric)}</td>
              </tr>`,
          )}
        </tbody>
      </table>
    </div>`;
}

interface HopFigures {
  calls: number;
  /** Hops that found something, or should have; and how many of them found what is true. */
  asked: number;
  right: number;
  readonly held: number[];
}

/** Each provider: what it does, how many calls came, how many of its verdicts are true, how long it held an INVITE. */
export function hopsSection({ plan, facts, truthOf }: RunRecord): Markup {
  const figures = new Map<string, HopFigures>();
  const external = externalProviders(plan);
  for (const seen of facts.calls) {
    if (seen.placedAtMs === undefined || !hasCall(plan, seen.index)) continue;
    for (const pair of hopPairs(truthOf(seen.index).hops, seen.hops)) {
      const { provider } = pair.truth;
      const verdict = external.has(provider) ? 'unasked' : hopVerdict(pair);
      if (pair.seen === undefined && verdict === 'unasked') continue;
      const own = figures.get(provider) ?? { calls: 0, asked: 0, right: 0, held: [] };
      figures.set(provider, own);
      if (verdict !== 'unasked') own.asked += 1;
      if (verdict === 'right') own.right += 1;
      if (pair.seen === undefined) continue;
      own.calls += 1;
      own.held.push(pair.seen.heldUs / 1_000);
    }
  }
  const records = new Map(facts.records.map((record) => [record.provider, record]));
  const shown = plan.providers.filter(({ id, behaviours }) => figures.has(id) || behaviours.length > 0).slice(0, 200);
  return html`<div class="scroll" tabindex="0" role="region" aria-label="Hops">
    <table>
      <thead>
        <tr>
          <th scope="col">Provider</th>
          <th scope="col">Role</th>
          <th scope="col">Behaviour</th>
          <th scope="col" class="num">Calls</th>
          <th scope="col" class="num">Verdicts true</th>
          <th scope="col" class="num">Held p50 / p99</th>
          <th scope="col" class="num">Records kept / shared / received</th>
        </tr>
      </thead>
      <tbody>
        ${shown.map(({ id, role, behaviours }) => {
          const own = figures.get(id);
          const times = own === undefined ? undefined : latencySummary(own.held);
          const kept = records.get(id);
          const isRight = own === undefined || own.right === own.asked;
          return html`<tr>
            <th scope="row">${id}</th>
            <td>${role}</td>
            <td>
              ${behaviours.length === 0 ? html`<span class="soft">honest</span>` : html`▲ ${behaviours.map(behaviourText).join('; ')}`}
            </td>
            <td class="num">${own?.calls ?? 0}</td>
            <td class="num ${isRight ? 'good' : 'bad'}">
              ${own === undefined || own.asked === 0 ? '' : `${isRight ? '✓' : '≠'} ${own.right} of ${own.asked}`}
            </td>
            <td class="num">${times === undefined ? '' : `${rounded(times.p50)} / ${rounded(times.p99)} ms`}</td>
            <td class="num">${kept === undefined ? '' : `${kept.stored} / ${kept.streamed} / ${kept.received}`}</td>
          </tr>`;
        })}
      </tbody>
    </table>
  </div>`;
}

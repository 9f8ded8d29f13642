import { externalProviders } from '../../network/plan/index.js';
import type { NetworkPlan } from '../../network/plan/index.js';
import { hopPairs, hopVerdict } from '../../oracle/index.js';
import type { Finding, Metric } from '../../oracle/index.js';
import {
  askedProviders,
  hasCall,
  isForeign,
  isTruthful,
  judgedTracebacks,
  latencySummary,
  metricText,
  rounded,
} from '../run-record.js';
import type { AskedProvider, JudgedTraceback, LatencySummary, RunRecord, RunSnapshot } from '../run-record.js';
import { answerText, behaviourText, counted, dataTable, html, outcomeText, seenAnswerText } from './markup.js';
import type { Markup } from './markup.js';

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

/** Discrepancies, gravest first. */
export function findingsSection({ oracle, samples }: RunRecord): Markup {
  const { findings, findingsInAll } = oracle;
  if (findings.length === 0) return html`<p class="good">✓ No discrepancies found.</p>`;
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
    ${dataTable(
      'Findings',
      ['Kind', 'Call', 'Provider', 'Expected', 'Seen'],
      findings.slice(0, MAX_FINDINGS).map((finding) => findingRow(finding, drawn)),
    )}
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
  const held = sorted.map(({ metric, threshold, isMet, seen }) => {
    const whole = metrics[metric];
    return html`<tr>
      <th scope="row"><code>${metric}: ${threshold}</code></th>
      <td class="${isMet ? 'good' : 'bad'}">${isMet ? '✓ met' : '✕ not met'}</td>
      <td>${seen}</td>
      <td>${whole === undefined ? '' : metricText(whole)}</td>
    </tr>`;
  });
  const all = Object.entries(oracle.metrics).map(
    ([name, metric]) =>
      html`<tr>
        <th scope="row"><code>${name}</code></th>
        <td>${metricText(metric)}</td>
      </tr>`,
  );
  const table = dataTable('Thresholds', ['Threshold', 'Met', 'It was', 'All of the metric'], held);
  return html`${held.length === 0 ? html`<p>The scenario has none: any finding fails it.</p>` : table}
    <h3>All metrics</h3>
    ${dataTable('All metrics', ['Metric', 'Value'], all)}`;
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
  const rows = shown.map(({ id, role, behaviours }) => {
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
  });
  return dataTable('Hops', HOP_HEADINGS, rows);
}

const HOP_HEADINGS = [
  'Provider',
  'Role',
  'Behaviour',
  '#Calls',
  '#Verdicts true',
  '#Held p50 / p99',
  '#Records kept / shared / received',
];

/** Tracebacks that are drawn; those that came out wrong first. */
const MAX_SHOWN = 40;

/** Each traceback beside the true path, hop by hop from the callee up. */
export function tracebackSection(record: RunRecord): Markup {
  const { facts, plan } = record;
  if (facts.tracebacks.length === 0) return html`<p>No call was traced back in this run.</p>`;
  const judged = judgedTracebacks(record).toSorted((one, other) => Number(one.isFair) - Number(other.isFair));
  const strange = facts.tracebacks.length - judged.length;
  const left = judged.length - MAX_SHOWN;
  return html`<p class="soft">
      From the provider that served the called number up to where the call began. The first row is true; the second is
      what each said when it was asked. ≠ marks what is not true, ⌀ marks silence.
    </p>
    ${strange > 0 ? html`<p class="bad">≠ ${counted(strange, 'traceback')} about no call of the plan.</p>` : undefined}
    ${judged.slice(0, MAX_SHOWN).map((one) => tracebackTable(one, plan))}
    ${left > 0 ? html`<p>${counted(left, 'more traceback')} are not shown; all are in summary.json.</p>` : undefined}`;
}

function tracebackTable({ traceback, truth, isFair, isRight }: JudgedTraceback, plan: NetworkPlan): Markup {
  const { callIndex, outcome, state, answers } = traceback;
  const columns = askedProviders(truth, answers);
  const said = outcome === undefined ? `it is ${state}` : outcomeText(outcome);
  const is = `${truth.culprit.kind.replaceAll('-', ' ')} ${truth.culprit.provider}`;
  const mark = !isFair
    ? '≠ wrong provider named'
    : isRight
      ? '✓ correct'
      : '✓ no wrong provider named, too little evidence to go further';
  return html`<h3 id="t-${callIndex}">
      Call ${callIndex}: ${said} <span class="${isFair ? 'good' : 'bad'}">${mark}</span>
    </h3>
    <div class="scroll" tabindex="0" role="region" aria-label="Traceback of call ${callIndex} beside the true path">
      <table class="trace">
        <thead>
          <tr>
            <td></td>
            ${columns.map(({ provider, statement }) => html`<th scope="col">${provider}${statement === undefined ? html` <span class="bad">≠ not on the way</span>` : undefined}</th>`)}
            <th scope="col">Outcome</th>
          </tr>
        </thead>
        <tbody>
          <tr>
            <th scope="row">True</th>
            ${columns.map(({ statement }) => html`<td>${statement === undefined ? 'did not carry it' : answerText(statement.truth)}</td>`)}
            <td>${is}</td>
          </tr>
          <tr>
            <th scope="row">Said</th>
            ${columns.map((column) => answerCell(column, plan))}
            <td class="${isFair ? '' : 'lie'}">${isFair ? '' : '≠ '}${said}</td>
          </tr>
        </tbody>
      </table>
    </div>`;
}

function answerCell(column: AskedProvider, plan: NetworkPlan): Markup {
  const { answer, statement } = column;
  if (answer === undefined) {
    if (isForeign(column.provider, plan)) return html`<td><span class="soft">abroad: nobody can ask it</span></td>`;
    const isSilent = statement?.given.kind === 'silent';
    return isSilent
      ? html`<td class="quiet">⌀ silent</td>`
      : html`<td><span class="soft">not asked, or no answer</span></td>`;
  }
  const hours = answer.afterMs / 3_600_000;
  const after = html`<br /><span class="soft"
      >after ${hours < 1 ? `${Math.round(answer.afterMs / 1_000)} s` : `${hours.toFixed(1)} h`}</span
    >`;
  const text = seenAnswerText(answer);
  const truthful = isTruthful(column, plan);
  if (truthful === undefined) return html`<td class="quiet">⌀ ${text}${after}</td>`;
  return truthful ? html`<td>✓ ${text}${after}</td>` : html`<td class="lie">≠ ${text}${after}</td>`;
}

/** A line of a plot. */
interface Series {
  readonly name: string;
  readonly points: readonly { readonly x: number; readonly y: number }[];
}

const WIDTH = 560;
const HEIGHT = 230;
const EDGE = { left: 52, right: 64, top: 12, bottom: 34 };
/** Points of a line: a run of a day has more seconds than a screen has dots. */
const MAX_POINTS = 400;

/** Rates and latencies over the time of the run. */
export function latencyPlots(snapshots: readonly RunSnapshot[]): Markup {
  if (snapshots.length === 0) return html`<p>Nothing was measured: the run ended before its first second was over.</p>`;
  const thinned = snapshots.filter((_, index) => index % Math.ceil(snapshots.length / MAX_POINTS) === 0);
  const line = (name: string, of: (snapshot: RunSnapshot) => number | undefined): Series => ({
    name,
    points: thinned.flatMap((snapshot) => {
      const y = of(snapshot);
      return y === undefined ? [] : [{ x: snapshot.atMs / 1_000, y }];
    }),
  });
  const latencies = (of: (snapshot: RunSnapshot) => LatencySummary | undefined): readonly Series[] => [
    line('p50', (snapshot) => of(snapshot)?.p50),
    line('p95', (snapshot) => of(snapshot)?.p95),
    line('p99', (snapshot) => of(snapshot)?.p99),
  ];
  return html`<div class="plots">
    ${plot('Calls placed each second', 'calls/s', [line('placed', ({ placedPerSecond }) => placedPerSecond)])}
    ${plot('Calls up', 'calls', [line('up', ({ up }) => up)])}
    ${plot(
      'From INVITE to final response',
      'ms',
      latencies(({ setupMs }) => setupMs),
    )}
    ${plot(
      'INVITE held at a hop',
      'ms',
      latencies(({ heldMs }) => heldMs),
    )}
  </div>`;
}

const STYLES = ['', ' second', ' third'];

function plot(title: string, unit: string, lines: readonly Series[]): Markup {
  const all = lines.flatMap(({ points }) => points);
  if (all.length === 0)
    return html`<figure>
      <figcaption>${title}</figcaption>
      <p class="soft">Nothing was measured.</p>
    </figure>`;
  const xEnd = Math.max(1, ...all.map(({ x }) => x));
  const yEnd = niceTop(Math.max(...all.map(({ y }) => y)));
  const place = ({ x, y }: { readonly x: number; readonly y: number }): { readonly x: number; readonly y: number } => ({
    x: EDGE.left + (x / xEnd) * (WIDTH - EDGE.left - EDGE.right),
    y: HEIGHT - EDGE.bottom - (y / yEnd) * (HEIGHT - EDGE.top - EDGE.bottom),
  });
  const ticks = [0, 0.5, 1].map((part) => part * yEnd);
  const largest = lines.map(
    ({ name, points }) => `${name} at most ${rounded(Math.max(0, ...points.map(({ y }) => y)))}`,
  );
  return html`<figure>
    <figcaption>${title}</figcaption>
    <svg viewBox="0 0 ${WIDTH} ${HEIGHT}" role="img" aria-label="${title}: ${largest.join(', ')} ${unit}">
      ${ticks.map((tick) => {
        const { y } = place({ x: 0, y: tick });
        return html`<line
            class="grid"
            x1="${EDGE.left}"
            x2="${WIDTH - EDGE.right}"
            y1="${y.toFixed(1)}"
            y2="${y.toFixed(1)}"
          />
          <text class="small" text-anchor="end" x="${EDGE.left - 6}" y="${(y + 4).toFixed(1)}">${rounded(tick)}</text>`;
      })}
      <text class="small" x="${EDGE.left}" y="${HEIGHT - 10}">0 s</text>
      <text class="small" text-anchor="end" x="${WIDTH - EDGE.right}" y="${HEIGHT - 10}">${rounded(xEnd)} s</text>
      <text class="small" text-anchor="middle" x="${(EDGE.left + WIDTH - EDGE.right) / 2}" y="${HEIGHT - 10}">
        ${unit}
      </text>
      ${lines.map((one, index) => seriesSvg(one.points.map(place), STYLES[index] ?? ''))} ${endLabels(lines, place)}
    </svg>
  </figure>`;
}

function seriesSvg(points: readonly { readonly x: number; readonly y: number }[], style: string): Markup {
  const [only] = points;
  if (points.length === 1 && only !== undefined)
    return html`<circle class="dot" cx="${only.x.toFixed(1)}" cy="${only.y.toFixed(1)}" r="3" />`;
  return html`<polyline
    class="plot${style}"
    points="${points.map(({ x, y }) => `${x.toFixed(1)},${y.toFixed(1)}`).join(' ')}"
  />`;
}

/** Names at the ends of lines, moved apart so that each can be read. */
function endLabels(
  lines: readonly Series[],
  place: (point: { readonly x: number; readonly y: number }) => { readonly x: number; readonly y: number },
): readonly Markup[] {
  const ends = lines
    .flatMap(({ name, points }) => {
      const last = points.at(-1);
      return last === undefined ? [] : [{ name, y: place(last).y + 4 }];
    })
    .toSorted((one, other) => other.y - one.y);
  let lowest = HEIGHT - EDGE.bottom + 4;
  return ends.map(({ name, y }) => {
    const at = Math.min(y, lowest);
    lowest = at - 15;
    return html`<text class="small" x="${WIDTH - EDGE.right + 6}" y="${at.toFixed(1)}">${name}</text>`;
  });
}

/** The next of 1, 2 and 5 with zeros that is not below. */
function niceTop(value: number): number {
  if (value <= 0) return 1;
  const power = 10 ** Math.floor(Math.log10(value));
  return [1, 2, 5, 10].map((factor) => factor * power).find((top) => top >= value) ?? 10 * power;
}

import { rounded } from '../figures.js';
import type { LatencySummary, RunSnapshot } from '../run-record.js';
import { html } from './markup.js';
import type { Markup } from './markup.js';

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
    ${plot('From INVITE to final response', 'ms', latencies(({ setupMs }) => setupMs))}
    ${plot('INVITE held at a hop', 'ms', latencies(({ heldMs }) => heldMs))}
  </div>`;
}

const STYLES = ['', ' second', ' third'];

function plot(title: string, unit: string, lines: readonly Series[]): Markup {
  const all = lines.flatMap(({ points }) => points);
  if (all.length === 0) return html`<figure><figcaption>${title}</figcaption><p class="soft">Nothing was measured.</p></figure>`;
  const xEnd = Math.max(1, ...all.map(({ x }) => x));
  const yEnd = niceTop(Math.max(...all.map(({ y }) => y)));
  const place = ({ x, y }: { readonly x: number; readonly y: number }): { readonly x: number; readonly y: number } => ({
    x: EDGE.left + (x / xEnd) * (WIDTH - EDGE.left - EDGE.right),
    y: HEIGHT - EDGE.bottom - (y / yEnd) * (HEIGHT - EDGE.top - EDGE.bottom),
  });
  const ticks = [0, 0.5, 1].map((part) => part * yEnd);
  const largest = lines.map(({ name, points }) => `${name} at most ${rounded(Math.max(0, ...points.map(({ y }) => y)))}`);
  return html`<figure><figcaption>${title}</figcaption>
    <svg viewBox="0 0 ${WIDTH} ${HEIGHT}" role="img" aria-label="${title}: ${largest.join(', ')} ${unit}">
      ${ticks.map((tick) => {
        const { y } = place({ x: 0, y: tick });
        return html`<line class="grid" x1="${EDGE.left}" x2="${WIDTH - EDGE.right}" y1="${y.toFixed(1)}" y2="${y.toFixed(1)}"/>
          <text class="small" text-anchor="end" x="${EDGE.left - 6}" y="${(y + 4).toFixed(1)}">${rounded(tick)}</text>`;
      })}
      <text class="small" x="${EDGE.left}" y="${HEIGHT - 10}">0 s</text>
      <text class="small" text-anchor="end" x="${WIDTH - EDGE.right}" y="${HEIGHT - 10}">${rounded(xEnd)} s</text>
      <text class="small" text-anchor="middle" x="${(EDGE.left + WIDTH - EDGE.right) / 2}" y="${HEIGHT - 10}">${unit}</text>
      ${lines.map((one, index) => seriesSvg(one.points.map(place), STYLES[index] ?? ''))}
      ${endLabels(lines, place)}
    </svg></figure>`;
}

function seriesSvg(points: readonly { readonly x: number; readonly y: number }[], style: string): Markup {
  const [only] = points;
  if (points.length === 1 && only !== undefined)
    return html`<circle class="dot" cx="${only.x.toFixed(1)}" cy="${only.y.toFixed(1)}" r="3"/>`;
  return html`<polyline class="plot${style}" points="${points.map(({ x, y }) => `${x.toFixed(1)},${y.toFixed(1)}`).join(' ')}"/>`;
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

import * as dagre from '@dagrejs/dagre';
import type { NetworkPlan, PlannedProvider } from '../../network/plan/index.js';
import { hasCall } from '../run-record.js';
import type { RunRecord } from '../run-record.js';
import { behaviourText, counted, html } from './markup.js';
import type { Markup } from './markup.js';

/** As much of dagre as a drawing needs: the types that it brings cannot be resolved by Node's rules, so that they say nothing. */
interface LaidGraph {
  readonly setGraph: (settings: Readonly<Record<string, string | number>>) => void;
  readonly setNode: (id: string, size: { readonly width: number; readonly height: number }) => void;
  readonly setEdge: (from: string, to: string, label: Readonly<Record<string, string | number>>) => void;
  /** What was laid out, and how large the whole is. */
  readonly graph: () => { readonly width?: number; readonly height?: number };
  readonly edges: () => readonly { readonly v: string; readonly w: string }[];
  readonly edge: (ends: { readonly v: string; readonly w: string }) => unknown;
  readonly node: (id: string) => unknown;
}

interface Dagre {
  readonly Graph: new (settings: { readonly directed: boolean }) => LaidGraph;
  readonly layout: (graph: LaidGraph) => void;
}

const { Graph, layout } = dagre as unknown as Dagre;

/** Makes a directed graph without nodes. */
const emptyGraph = (): LaidGraph => new Graph({ directed: true });

/** Gives nodes and edges of a graph their places. */
const layOut = (graph: LaidGraph): void => layout(graph);

/** More than these nobody can look at: those that carry most calls are shown. */
const MAX_PROVIDERS = 60;
const LINE_PX = 17;
/** A drawing that is wider is scrolled; one that is not is made to fit, and can still be read. */
export const FITTING_PX = 1_800;
/** Width of a letter of 13 px, on the safe side. */
const LETTER_PX = 6.6;
const WIDEST_LETTERS = 32;

/** A line of text in a box, and how it is written. */
interface BoxLine {
  readonly text: string;
  readonly style: 'strong' | 'small' | 'mark' | 'fine';
}

interface Box {
  readonly id: string;
  readonly lines: readonly BoxLine[];
  readonly shape: 'honest' | 'odd' | 'outside';
  /** It is where calls of robocallers truly began or came in. */
  readonly isCulprit: boolean;
}

/** The network as it was used: who sent calls to whom, who behaves how, and where the truth and what was found differ. */
export function pathGraph(record: RunRecord): Markup {
  const { plan } = record;
  const uses = usesOf(plan);
  const shown = new Set(busiest(plan, uses.carried));
  const boxes = [
    ...plan.providers.filter(({ id }) => shown.has(id)).map((provider) => boxOf(provider, record)),
    ...outsideBoxes(plan, shown),
  ];
  const graph = laidOut(boxes, uses.wires, shown);
  const { width = 0, height = 0 } = graph.graph();
  const left = plan.providers.length - shown.size;
  return html`<p class="soft">
      Callers are at the left, called numbers at the right. A dashed box does something that an honest provider with
      good equipment does not: its text says what. A double border is where robocalls truly begin or come in. ≠ marks
      what was found and is not true.
    </p>
    ${left > 0 ? html`<p>${counted(left, 'provider')} that carried fewest calls are not drawn.</p>` : undefined}
    <div class="scroll" tabindex="0" role="region" aria-label="Path graph">
      <svg
        class="${width <= FITTING_PX ? 'fit' : ''}"
        width="${Math.ceil(width) + 24}"
        height="${Math.ceil(height) + 24}"
        viewBox="-12 -12 ${Math.ceil(width) + 24} ${Math.ceil(height) + 24}"
        role="img"
        aria-label="Path graph of ${counted(shown.size, 'provider')}; the table of hops says the same in words"
      >
        ${graph.edges().map((edge) => wireOf(graph.edge(edge) as DrawnEdge))}
        ${boxes.map((box) => drawnBox(box, graph.node(box.id) as DrawnNode))}
      </svg>
    </div>`;
}

interface Uses {
  readonly carried: ReadonlyMap<string, number>;
  readonly wires: ReadonlyMap<string, number>;
}

/** How many calls each provider carried by plan, and how many went over each link. */
function usesOf({ calls }: NetworkPlan): Uses {
  const carried = new Map<string, number>();
  const wires = new Map<string, number>();
  const add = (counts: Map<string, number>, name: string): void => void counts.set(name, (counts.get(name) ?? 0) + 1);
  for (const { caller, way, destination } of calls) {
    for (const provider of new Set(way)) add(carried, provider);
    const ends = [`caller ${caller}`, ...way, `called ${destination}`];
    for (const [index, from] of ends.slice(0, -1).entries()) add(wires, `${from}\n${ends[index + 1] ?? ''}`);
  }
  return { carried, wires };
}

function busiest({ providers }: NetworkPlan, carried: ReadonlyMap<string, number>): readonly string[] {
  return providers
    .toSorted((one, other) => (carried.get(other.id) ?? 0) - (carried.get(one.id) ?? 0))
    .slice(0, MAX_PROVIDERS)
    .map(({ id }) => id);
}

function boxOf(
  { id, name, role, spc, stir, country, behaviours, isExternal }: PlannedProvider,
  record: RunRecord,
): Box {
  const { facts, oracle, truthOf, plan } = record;
  const culprits = new Set(
    plan.calls
      .filter(({ campaign }) => campaign !== undefined)
      .slice(0, 2_000)
      .map(({ index }) => truthOf(index).culprit.provider),
  );
  const named = facts.tracebacks.filter(
    ({ callIndex, outcome }) =>
      hasCall(plan, callIndex) &&
      outcome?.provider === id &&
      (outcome.kind === 'origin' || outcome.kind === 'point-of-entry'),
  );
  const wrongly = named.filter(({ callIndex }) => truthOf(callIndex).culprit.provider !== id).length;
  const findings = oracle.findings.filter(({ provider }) => provider === id).length;
  const isCulprit = culprits.has(id);
  const where = country === 'US' ? [`SPC ${spc}`] : [country];
  const lines: BoxLine[] = [
    { text: id, style: 'strong' },
    ...(name.toLowerCase() === id.toLowerCase() ? [] : [{ text: name, style: 'small' } as const]),
    { text: [role, ...where, ...(stir ? [] : ['no STIR/SHAKEN'])].join(', '), style: 'small' },
    ...(isExternal === true ? [{ text: '▫ external: not seen inside', style: 'small' } as const] : []),
    ...behaviours.map((behaviour): BoxLine => ({ text: `▲ ${behaviourText(behaviour)}`, style: 'mark' })),
    ...(isCulprit ? [{ text: '◎ robocalls come from here', style: 'small' } as const] : []),
    ...(named.length > wrongly
      ? [{ text: `✓ found ${counted(named.length - wrongly, 'time')}`, style: 'fine' } as const]
      : []),
    ...(wrongly > 0 ? [{ text: `≠ accused wrongly ${counted(wrongly, 'time')}`, style: 'mark' } as const] : []),
    ...(findings > 0 ? [{ text: `≠ ${counted(findings, 'finding')}`, style: 'mark' } as const] : []),
  ];
  return { id, lines, shape: behaviours.length > 0 ? 'odd' : 'honest', isCulprit };
}

function outsideBoxes({ scenario }: NetworkPlan, shown: ReadonlySet<string>): readonly Box[] {
  const callers = scenario.callers.filter(({ at }) => shown.has(at));
  const called = scenario.called.filter(({ at }) => shown.has(at));
  return [
    ...callers.map(({ id, kind, numbers }): Box => ({
      id: `caller ${id}`,
      lines: [
        { text: id, style: 'strong' },
        {
          text: `${kind === 'robocaller' ? 'robocaller' : 'ordinary caller'}, ${numbers.kind} numbers`,
          style: 'small',
        },
      ],
      shape: 'outside',
      isCulprit: false,
    })),
    ...called.map(({ id, count = 1, by = 'sink' }): Box => ({
      id: `called ${id}`,
      lines: [
        { text: id, style: 'strong' },
        { text: `${counted(count, 'number')}, ${by}`, style: 'small' },
      ],
      shape: 'outside',
      isCulprit: false,
    })),
  ];
}

interface DrawnNode {
  readonly x: number;
  readonly y: number;
  readonly width: number;
  readonly height: number;
}

interface DrawnEdge {
  readonly points: readonly { readonly x: number; readonly y: number }[];
  readonly x: number;
  readonly y: number;
  readonly calls: number;
}

const shortened = (text: string): string =>
  text.length > WIDEST_LETTERS ? `${text.slice(0, WIDEST_LETTERS - 1)}…` : text;

function laidOut(boxes: readonly Box[], wires: ReadonlyMap<string, number>, shown: ReadonlySet<string>): LaidGraph {
  const graph = emptyGraph();
  graph.setGraph({
    rankdir: 'LR',
    nodesep: 26,
    ranksep: 14,
    marginx: 4,
    marginy: 4,
  });
  const known = new Set(boxes.map(({ id }) => id));
  for (const { id, lines } of boxes) {
    const letters = Math.max(...lines.map(({ text }) => shortened(text).length));
    graph.setNode(id, { width: letters * LETTER_PX + 24, height: lines.length * LINE_PX + 16 });
  }
  for (const [wire, calls] of wires) {
    const [from = '', to = ''] = wire.split('\n');
    const isDrawn = known.has(from) && known.has(to) && (shown.has(from) || shown.has(to));
    if (isDrawn) graph.setEdge(from, to, { calls, width: 52, height: 18, labelpos: 'c' });
  }
  layOut(graph);
  return graph;
}

function wireOf({ points, x, y, calls }: DrawnEdge): Markup {
  const line = points.map((point, index) => `${index === 0 ? 'M' : 'L'}${point.x.toFixed(1)} ${point.y.toFixed(1)}`);
  const [last, before] = [points.at(-1), points.at(-2)];
  const text = counted(calls, 'call');
  const width = text.length * 6.6 + 6;
  return html`<path class="wire" d="${line.join(' ')}" />
    ${last === undefined || before === undefined ? undefined : arrowHead(before, last)}
    <rect
      class="behind"
      x="${(x - width / 2).toFixed(1)}"
      y="${(y - 9).toFixed(1)}"
      width="${width.toFixed(1)}"
      height="18"
    />
    <text class="small" text-anchor="middle" x="${x.toFixed(1)}" y="${(y + 4).toFixed(1)}">${text}</text>`;
}

interface Point {
  readonly x: number;
  readonly y: number;
}

/** Tip of an arrow that comes from one point and ends at the other. */
export function arrowHead(from: Point, to: Point): Markup {
  const angle = Math.atan2(to.y - from.y, to.x - from.x);
  const corner = (turn: number): string =>
    `${(to.x - 9 * Math.cos(angle + turn)).toFixed(1)},${(to.y - 9 * Math.sin(angle + turn)).toFixed(1)}`;
  return html`<polygon class="head" points="${to.x.toFixed(1)},${to.y.toFixed(1)} ${corner(0.42)} ${corner(-0.42)}" />`;
}

function drawnBox({ lines, shape, isCulprit }: Box, { x, y, width, height }: DrawnNode): Markup {
  const [left, top] = [x - width / 2, y - height / 2];
  const at = (grow: number): string =>
    `x="${(left - grow).toFixed(1)}" y="${(top - grow).toFixed(1)}" width="${(width + 2 * grow).toFixed(1)}" height="${(height + 2 * grow).toFixed(1)}"`;
  const place = { markup: at(0) };
  const kind = shape === 'outside' ? 'who' : `box${shape === 'odd' ? ' odd' : ''}${isCulprit ? ' true' : ''}`;
  return html`${isCulprit ? html`<rect class="ring" ${{ markup: at(4) }} rx="3" />` : undefined}
    <rect class="${kind}" ${place} rx="${shape === 'outside' ? (height / 2).toFixed(1) : '3'}" />
    ${lines.map(
      ({ text, style }, index) =>
        html`<text
          class="${style}"
          text-anchor="middle"
          x="${x.toFixed(1)}"
          y="${(top + 8 + (index + 0.75) * LINE_PX).toFixed(1)}"
          >${shortened(text)}</text
        >`,
    )}`;
}

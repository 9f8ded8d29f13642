import * as dagre from '@dagrejs/dagre';

/** As much of dagre as a drawing needs: the types that it brings cannot be resolved by Node's rules, so that they say nothing. */
export interface LaidGraph {
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
export const emptyGraph = (): LaidGraph => new Graph({ directed: true });

/** Gives nodes and edges of a graph their places. */
export const layOut = (graph: LaidGraph): void => layout(graph);

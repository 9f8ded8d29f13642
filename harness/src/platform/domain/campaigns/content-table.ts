import { createContentCluster, joinClusters } from './content-cluster.js';
import type { ContentCluster } from './content-cluster.js';

/** Clusters by what was heard. */
export interface ContentTable {
  readonly find: (content: string) => ContentCluster | undefined;
  /** The one cluster that contents lead to: what led to several makes them one where `mayJoin` says so; else the first of them. */
  readonly clusterOf: (contents: readonly string[], mayJoin: MayJoin) => ContentCluster;
  /** Has a content lead to a cluster of its own from now on. */
  readonly detach: (content: string, into: ContentCluster) => void;
  readonly size: () => number;
  /** The table as it stands, by reference. */
  readonly state: () => ContentTableState;
  readonly restore: (saved: ContentTableState) => void;
}

/** Clusters by their contents, and scripts in which a call-back number is said. */
export interface ContentTableState {
  readonly clusters: Map<string, ContentCluster>;
  readonly spoken: Map<string, Set<string>>;
}

/** Whether two clusters are one; where both are campaigns, those are made one too. */
export type MayJoin = (into: ContentCluster, from: ContentCluster) => boolean;

/** Scripts that one call-back number may hold together: a number that more of them say is one that everybody says. */
const MAX_SCRIPTS_BY_CALL_BACK = 6;

/**
 * Makes the table: the content not heard of for the longest is forgotten first. Never throws.
 * @param limit - contents at most
 */
export function createContentTable(limit: number): ContentTable {
  let clusters = new Map<string, ContentCluster>();
  let spoken = new Map<string, Set<string>>();
  const lead = (content: string, cluster: ContentCluster): void => {
    cluster.contents.add(content);
    clusters.delete(content);
    if (clusters.size >= limit) {
      const oldest = clusters.keys().next().value as string;
      clusters.get(oldest)?.contents.delete(oldest);
      clusters.delete(oldest);
    }
    clusters.set(content, cluster);
  };
  const isCommon = (content: string, script: string | undefined): boolean => {
    if (!content.startsWith('call-back:')) return false;
    if (spoken.size >= limit) spoken.delete(spoken.keys().next().value as string);
    const scripts = spoken.get(content) ?? new Set();
    spoken.set(content, scripts);
    if (script !== undefined && scripts.size <= MAX_SCRIPTS_BY_CALL_BACK) scripts.add(script);
    return scripts.size > MAX_SCRIPTS_BY_CALL_BACK;
  };
  return {
    find: (content) => clusters.get(content),
    size: () => clusters.size,
    state: () => ({ clusters, spoken }),
    restore: (saved) => {
      ({ clusters, spoken } = saved);
    },
    detach: (content, into) => {
      clusters.get(content)?.contents.delete(content);
      lead(content, into);
    },
    clusterOf: (contents, mayJoin) => {
      const script = contents.find((content) => content.startsWith('script:'));
      const telling = contents.filter((content) => !isCommon(content, script));
      const known = [...new Set(telling.flatMap((content) => clusters.get(content) ?? []))];
      const into = known[0] ?? createContentCluster();
      for (const from of known.slice(1)) {
        if (!mayJoin(into, from)) continue;
        joinClusters(into, from);
        for (const content of from.contents) clusters.set(content, into);
      }
      for (const content of telling) {
        const leads = clusters.get(content);
        if (leads === undefined || leads === into) lead(content, into);
      }
      return into;
    },
  };
}

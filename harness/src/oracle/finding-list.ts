import type { Finding } from './findings.js';

/** The gravest first: of what was not carried out nothing is known; who is accused falsely suffers for it; what is found wrongly misleads; the rest is missing. */
const GRAVITY: readonly Finding['kind'][] = [
  ...(['incomplete', 'accusation', 'verdict', 'answer', 'traceback', 'campaign', 'alert'] as const),
  ...(['call-outcome', 'record', 'stream', 'trouble'] as const),
];

/** More than anybody reads; the others are counted. */
export const MAX_FINDINGS = 1_000;

/** Findings, of which as many are kept as a report has. */
export interface FindingList {
  readonly add: (finding: Finding) => void;
  readonly found: () => { readonly findings: readonly Finding[]; readonly findingsInAll: number };
}

/** Starts an empty list. */
export function createFindingList(): FindingList {
  const kept = new Map<Finding['kind'], Finding[]>(GRAVITY.map((kind) => [kind, []]));
  let findingsInAll = 0;
  return {
    add: (finding) => {
      findingsInAll += 1;
      const ofKind = kept.get(finding.kind);
      if (ofKind !== undefined && ofKind.length < MAX_FINDINGS) ofKind.push(finding);
    },
    found: () => ({
      findings: GRAVITY.flatMap((kind) => kept.get(kind) ?? []).slice(0, MAX_FINDINGS),
      findingsInAll,
    }),
  };
}

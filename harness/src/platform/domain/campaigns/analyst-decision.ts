import { keyName } from './campaign-file.js';
import type { CampaignFile, CampaignKey } from './campaign-file.js';
import { contentsOf, holdKey } from './engine-parts.js';
import type { EngineParts } from './engine-parts.js';
import { addTranscript, createContentCluster } from './content-cluster.js';
import { nameOfScript } from './scripts/index.js';

/** What an analyst can say of a campaign. It holds until another says otherwise. */
export type AnalystDecision =
  | { readonly kind: 'merge'; readonly campaignId: string; readonly into: string; readonly atMs: number }
  /** Scripts, recordings, groups and numbers, by their names in the campaign, that are a campaign of their own. */
  | { readonly kind: 'split'; readonly campaignId: string; readonly keys: readonly string[]; readonly atMs: number }
  | { readonly kind: 'rename'; readonly campaignId: string; readonly name: string }
  | { readonly kind: 'close'; readonly campaignId: string; readonly atMs: number }
  | { readonly kind: 'reopen'; readonly campaignId: string; readonly atMs: number }
  /** No campaign: whoever calls may do so. What holds it together is known from then on, and not raised again. */
  | { readonly kind: 'lawful'; readonly campaignId: string; readonly atMs: number };

/** What became of a decision. */
export type DecisionOutcome =
  | { readonly status: 'done'; readonly file: CampaignFile }
  | { readonly status: 'refused'; readonly reason: DecisionRefusal };

/** Why a decision cannot be carried out. */
export type DecisionRefusal = 'no-such-campaign' | 'same-campaign' | 'no-such-key' | 'nothing-left' | 'name-taken';

/** Carries a decision out. Never throws. */
export function applyDecision(parts: EngineParts, decision: AnalystDecision): DecisionOutcome {
  const { book } = parts;
  const file = book.file(decision.campaignId);
  if (file === undefined) return refused('no-such-campaign');
  switch (decision.kind) {
    case 'merge':
      return merge(parts, file, decision);
    case 'split':
      return split(parts, file, decision);
    case 'rename': {
      for (const other of book.files()) {
        if (other !== file && other.mergedInto === undefined && other.name === decision.name)
          return refused('name-taken');
      }
      file.name = decision.name;
      file.isNamedByAnalyst = true;
      break;
    }
    case 'close':
      file.standing = { state: 'closed', because: 'closed-by-analyst', sinceMs: decision.atMs };
      break;
    case 'lawful':
      file.standing = { state: 'closed', because: 'lawful', sinceMs: decision.atMs };
      break;
    case 'reopen': {
      const isLive = decision.atMs - file.lastSeenMs < parts.policy.dormantAfterSeconds * 1_000;
      file.standing = isLive
        ? { state: 'live', because: 'calls-came', sinceMs: decision.atMs }
        : { state: 'dormant', because: 'no-calls', sinceMs: decision.atMs };
      book.touch(file, isLive ? 'live' : 'dormant');
      break;
    }
  }
  book.touch(file);
  return { status: 'done', file };
}

const refused = (reason: DecisionRefusal): DecisionOutcome => ({ status: 'refused', reason });

function merge(
  { book }: EngineParts,
  from: CampaignFile,
  { into, atMs }: Extract<AnalystDecision, { kind: 'merge' }>,
): DecisionOutcome {
  const target = book.file(into);
  if (target === undefined) return refused('no-such-campaign');
  if (target === from) return refused('same-campaign');
  // Whoever merges takes back that they were kept apart.
  target.apartFrom.delete(from.campaignId);
  from.apartFrom.delete(target.campaignId);
  for (const apart of from.apartFrom) target.apartFrom.add(apart);
  book.join(target, from, atMs);
  return { status: 'done', file: target };
}

function split(
  parts: EngineParts,
  file: CampaignFile,
  { keys, atMs }: Extract<AnalystDecision, { kind: 'split' }>,
): DecisionOutcome {
  const moved: CampaignKey[] = [];
  for (const name of new Set(keys)) {
    const key = file.keys.get(name);
    if (key === undefined) return refused('no-such-key');
    moved.push(key);
  }
  if (moved.length === 0 || moved.length === file.keys.size) return refused('nothing-left');
  const transcripts = moved.flatMap((key) => (key.kind === 'script' ? [key.transcript] : []));
  const title = transcripts.length === 0 ? undefined : nameOfScript(transcripts);
  const other = parts.book.open(atMs, { name: title?.name ?? file.name, kind: title?.class ?? file.kind }, []);
  other.apartFrom.add(file.campaignId);
  file.apartFrom.add(other.campaignId);
  const cluster = createContentCluster();
  cluster.campaignId = other.campaignId;
  cluster.title = title;
  for (const key of moved) {
    file.keys.delete(keyName(key));
    parts.book.hold(other, key);
    holdKey(parts, other, key);
    for (const content of contentsOf(parts, key, `split:${other.campaignId}:${keyName(key)}`)) {
      parts.reports.contents.detach(content, cluster);
    }
    if (key.kind !== 'script') continue;
    addTranscript(cluster, key.transcript, key.language);
    parts.book.hear(other, key.transcript);
    const at = file.transcripts.indexOf(key.transcript);
    if (at >= 0) file.transcripts.splice(at, 1);
  }
  parts.book.touch(file);
  return { status: 'done', file: other };
}

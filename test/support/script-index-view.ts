import type { ScriptIndex } from '../../harness/src/platform/domain/campaigns/scripts/script-index.js';

/** Scripts of an index, oldest first, with the ids that are remembered of each, and the ordinal that one has after merges: read from its state. */
export function viewOf(index: ScriptIndex) {
  const { once, often, members, followed } = index.state().store;
  const current = (ordinal: number): number => {
    const next = followed.get(ordinal);
    return next === undefined ? ordinal : current(next);
  };
  const stored = [...once.values(), ...often.values()].toSorted((a, b) => a.ordinal - b.ordinal);
  const scripts = stored.map(({ ordinal, count, wordings }) => ({
    ...{ ordinal, count, wordings: wordings.length },
    members: [...members].flatMap(([id, of]) => (current(of) === ordinal ? [id] : [])),
  }));
  return { scripts, currentId: (scriptId: string) => `script-${String(current(Number(scriptId.slice(7))))}` };
}

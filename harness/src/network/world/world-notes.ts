import type { Verstat } from '@hopback/sdk/stir';
import type { RunFacts, SeenCall } from '../../oracle/index.js';
import type { HopNote } from '../node/index.js';
import type { ReachedCall } from './callees.js';
import { hopsInOrder } from './callers.js';
import type { CallerView } from './callers.js';

const ANSWERED = 200;
/** Troubles that are kept. */
const MAX_TROUBLES = 1_000;

/** What comes in about calls, from all sides. */
export interface WorldNotes {
  readonly placed: Map<number, number>;
  /** Digits that the callee was shown. */
  readonly shown: ReadonlyMap<number, string>;
  /** Calls that came to a callee, by index, and when they were placed. */
  readonly reachedAt: () => ReadonlyMap<number, number>;
  readonly troubles: RunFacts['troubles'];
  readonly hop: (note: HopNote) => void;
  readonly reached: (reached: ReachedCall) => void;
  readonly view: (view: CallerView) => void;
  readonly trouble: (where: string, what: string) => void;
  readonly call: (index: number) => SeenCall;
}

/** Begins to write down. */
export function createWorldNotes(): WorldNotes {
  const hops = new Map<number, HopNote[]>();
  const views = new Map<number, CallerView>();
  const verstats = new Map<number, Verstat>();
  const shown = new Map<number, string>();
  const placed = new Map<number, number>();
  const reached = new Set<number>();
  const troubles: RunFacts['troubles'][number][] = [];
  return {
    ...{ placed, shown, troubles },
    hop: (note) => {
      const known = hops.get(note.index);
      if (known === undefined) hops.set(note.index, [note]);
      else known.push(note);
    },
    // Whoever is called at a switch that is not ours is known by having answered.
    reachedAt: () =>
      new Map([...placed].filter(([index]) => reached.has(index) || views.get(index)?.finalStatus === ANSWERED)),
    reached: ({ call, verstat, calling }) => {
      reached.add(call.index);
      if (verstat !== undefined) verstats.set(call.index, verstat);
      if (calling !== undefined) shown.set(call.index, calling);
    },
    view: (view) => void views.set(view.index, view),
    trouble: (where, what) => {
      if (troubles.length < MAX_TROUBLES) troubles.push({ where, what });
    },
    call: (index) => {
      const verstat = verstats.get(index);
      return {
        ...(views.get(index) ?? { index, reasons: [] }),
        hops: hopsInOrder(hops.get(index) ?? []),
        ...(verstat !== undefined && { shownVerstat: verstat }),
        ...(reached.has(index) && { isAtCallee: true }),
      };
    },
  };
}

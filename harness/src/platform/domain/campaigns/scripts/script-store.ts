import { MAX_FOLLOWED_MERGES } from './limits.js';
import type { ScriptIndexLimits } from './types.js';

/** One wording of a script, against which later transcripts are held. */
export interface Wording {
  readonly number: number;
  readonly id: string;
  readonly transcript: string;
  readonly language: string;
  readonly phrases: Uint32Array;
  /** Transcripts that were found to be like it. */
  found: number;
  script: StoredScript;
}

export interface StoredScript {
  /** Counts up: a lesser ordinal is an older script. */
  readonly ordinal: number;
  count: number;
  readonly wordings: Wording[];
  /** Phrases counted for this script in the table of frequencies. */
  counted: Uint32Array;
}

/** Scripts, ids and merges, each bounded. */
export interface ScriptStore {
  open(): StoredScript;
  /** Notes that the script was heard again; what is heard often outlives what was heard once. */
  touch(script: StoredScript): void;
  remove(script: StoredScript): void;
  noteMember(id: string, ordinal: number): void;
  ordinalOfMember(id: string): number | undefined;
  follow(gone: number, kept: number): void;
  /** Ordinal that a script has after merges. */
  current(ordinal: number): number;
  byOrdinal(ordinal: number): StoredScript | undefined;
  /** The script that has to be forgotten for a new one, if any. */
  overdue(): StoredScript | undefined;
  all(): StoredScript[];
  members(): Iterable<readonly [string, number]>;
  readonly size: number;
  readonly memberCount: number;
  /** The store as it stands, by reference. */
  state(): ScriptStoreState;
  restore(saved: ScriptStoreState): void;
}

/** Scripts, ids and merges, each in the order in which they are forgotten. */
export interface ScriptStoreState {
  readonly once: Map<number, StoredScript>;
  readonly often: Map<number, StoredScript>;
  readonly members: Map<string, number>;
  readonly followed: Map<number, number>;
  readonly opened: number;
}

export function createScriptStore(limits: ScriptIndexLimits): ScriptStore {
  // Maps keep the order of insertion: the first is the one heard longest ago. Scripts heard once are apart, or a flood of unlike voicemails
  // would drive out a slow campaign.
  let once = new Map<number, StoredScript>();
  let often = new Map<number, StoredScript>();
  let members = new Map<string, number>();
  let followed = new Map<number, number>();
  let opened = 0;

  const byOrdinal = (ordinal: number): StoredScript | undefined => often.get(ordinal) ?? once.get(ordinal);
  function touch(script: StoredScript): void {
    once.delete(script.ordinal);
    often.delete(script.ordinal);
    (script.count > 1 ? often : once).set(script.ordinal, script);
  }
  function current(ordinal: number): number {
    let at = ordinal;
    for (let next = followed.get(at); next !== undefined; next = followed.get(at)) at = next;
    return at;
  }
  return {
    open() {
      const script: StoredScript = { ordinal: ++opened, count: 1, wordings: [], counted: new Uint32Array(0) };
      once.set(script.ordinal, script);
      return script;
    },
    touch,
    remove(script) {
      once.delete(script.ordinal);
      often.delete(script.ordinal);
    },
    noteMember(id, ordinal) {
      members.set(id, ordinal);
      if (members.size > limits.maxMembers) members.delete(firstKey(members));
    },
    ordinalOfMember(id) {
      const ordinal = members.get(id);
      return ordinal === undefined ? undefined : current(ordinal);
    },
    follow(gone, kept) {
      followed.set(gone, kept);
      if (followed.size > MAX_FOLLOWED_MERGES) followed.delete(firstKey(followed));
    },
    current,
    byOrdinal,
    overdue() {
      if (once.size + often.size <= limits.maxScripts) return undefined;
      // A quarter of the room stays for scripts heard once: without it a new campaign could never be heard twice.
      const from = once.size * 4 > limits.maxScripts || often.size === 0 ? once : often;
      return from.get(firstKey(from));
    },
    all: () => [...once.values(), ...often.values()].toSorted((a, b) => a.ordinal - b.ordinal),
    members: () => members,
    state: () => ({ once, often, members, followed, opened }),
    restore(saved) {
      ({ once, often, members, followed, opened } = saved);
    },
    get size() {
      return once.size + often.size;
    },
    get memberCount() {
      return members.size;
    },
  };
}

function firstKey<K>(map: ReadonlyMap<K, unknown>): K {
  return map.keys().next().value as K;
}

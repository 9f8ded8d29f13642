import { takeOver } from '../state-codec.js';
import type { Likeness, PhraseFrequency, PhraseFrequencyState, Phrases, Relation } from './phrases.js';
import {
  BARS,
  chosenPhrases,
  createPhraseFrequency,
  evidenceOf,
  likenessOf,
  phrasesOf,
  relationOf,
  weighed,
} from './phrases.js';
import type { Tokens } from './tokens.js';
import { tokenise } from './tokens.js';
import type {
  Script,
  ScriptBars,
  ScriptEvidence,
  ScriptIndex,
  ScriptIndexLimits,
  ScriptIndexOptions,
  ScriptMerge,
  ScriptPlacement,
} from './types.js';
import { DEFAULT_SCRIPT_LIMITS, EXEMPLAR_CHARS, LEAST_WORDS, MAX_FOLLOWED_MERGES } from './types.js';

/** One wording of a script, against which later transcripts are held. */
interface Wording {
  readonly number: number;
  readonly id: string;
  readonly transcript: string;
  readonly language: string;
  readonly phrases: Uint32Array;
  /** Transcripts that were found to be like it. */
  found: number;
  script: StoredScript;
}

interface StoredScript {
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
interface ScriptStoreState {
  readonly once: Map<number, StoredScript>;
  readonly often: Map<number, StoredScript>;
  readonly members: Map<string, number>;
  readonly followed: Map<number, number>;
  readonly opened: number;
}

function createScriptStore(limits: ScriptIndexLimits): ScriptStore {
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

/** Entries under one bucket: a phrase that more wordings have than this is common, and its newest suffice as candidates. */
const WAYS = 8;
/** Entries one phrase may have in a full bucket, so that a common phrase does not drive out rare ones. */
const MOST_OF_ONE = 4;

/** Which wordings have a phrase: a table of fixed size, where the oldest entries give way. */
export interface Postings {
  put(phrase: number, wording: number): void;
  /** Calls back with every wording noted under the phrase. */
  each(phrase: number, found: (wording: number) => void): void;
  readonly capacity: number;
  /** The table as it stands, by reference. */
  state(): PostingsState;
  restore(saved: PostingsState): void;
}

/** Phrases and wordings by their slots. */
interface PostingsState {
  readonly phrases: Uint32Array;
  readonly wordings: Uint32Array;
}

/** @param maxPostings entries; rounded down to a power of two, at least 1,024 */
function createPostings(maxPostings: number): Postings {
  const capacity = 2 ** Math.max(10, Math.floor(Math.log2(Math.max(maxPostings, 1_024))));
  const mask = capacity / WAYS - 1;
  const phrases = new Uint32Array(capacity);
  /** 0 is free: wordings are numbered from 1, and a greater number is a newer wording. */
  const wordings = new Uint32Array(capacity);
  function slotFor(phrase: number, from: number): number {
    let oldest = from;
    let oldestOfPhrase = -1;
    let ofPhrase = 0;
    for (let slot = from; slot < from + WAYS; slot += 1) {
      const wording = wordings[slot] ?? 0;
      if (wording === 0) return slot;
      if (phrases[slot] === phrase) {
        ofPhrase += 1;
        if (oldestOfPhrase < 0 || wording < (wordings[oldestOfPhrase] ?? 0)) oldestOfPhrase = slot;
      }
      if (wording < (wordings[oldest] ?? 0)) oldest = slot;
    }
    return ofPhrase >= MOST_OF_ONE ? oldestOfPhrase : oldest;
  }
  return {
    capacity,
    state: () => ({ phrases, wordings }),
    restore(saved) {
      takeOver(phrases, saved.phrases);
      takeOver(wordings, saved.wordings);
    },
    put(phrase, wording) {
      const slot = slotFor(phrase, (phrase & mask) * WAYS);
      phrases[slot] = phrase;
      wordings[slot] = wording;
    },
    each(phrase, found) {
      const from = (phrase & mask) * WAYS;
      for (let slot = from; slot < from + WAYS; slot += 1) {
        const wording = wordings[slot] ?? 0;
        if (wording !== 0 && phrases[slot] === phrase) found(wording);
      }
    },
  };
}

/** A transcript being placed, with its words. */
interface Heard {
  readonly id: string;
  readonly transcript: string;
  readonly tokens: Tokens;
  readonly phrases: Phrases;
  /** Phrases under which it is looked for. */
  readonly chosen: Uint32Array;
}

/** A wording of a known script that a transcript was held against and found to be of one script with. */
interface Match {
  readonly wording: Wording;
  readonly likeness: Likeness;
  readonly relation: Relation;
}

/** Wordings of all scripts, found by their phrases. */
export interface Wordings {
  /** Those of one script with a transcript, closest first. */
  matches(heard: Heard): Match[];
  keep(heard: Heard, script: StoredScript): void;
  /** Drops one after another until there are no more than may be. */
  trim(script: StoredScript): void;
  forget(script: StoredScript): void;
  readonly capacity: number;
  /** The wordings as they stand, by reference. */
  state(): WordingsState;
  restore(saved: WordingsState): void;
}

/** Wordings by their numbers, and which have a phrase. */
interface WordingsState {
  readonly postings: PostingsState;
  readonly wordings: Map<number, Wording>;
  readonly numbered: number;
}

function createWordings(
  frequency: PhraseFrequency,
  { limits, bars }: { limits: ScriptIndexLimits; bars: ScriptBars },
): Wordings {
  const postings = createPostings(limits.maxPostings);
  let wordings = new Map<number, Wording>();
  let numbered = 0;

  /** Wordings that have chosen phrases in common with a transcript, those with the most weight in common first. */
  function candidates({ chosen }: Heard): number[] {
    const hits = new Map<number, number>();
    for (const phrase of chosen) {
      const weight = frequency.weight(phrase);
      postings.each(phrase, (wording) => hits.set(wording, (hits.get(wording) ?? 0) + weight));
    }
    return [...hits.keys()].sort((a, b) => (hits.get(b) as number) - (hits.get(a) as number) || a - b);
  }

  function matches(heard: Heard): Match[] {
    const own = weighed(heard.phrases.sorted, frequency);
    const found: Match[] = [];
    let compared = 0;
    for (const number of candidates(heard)) {
      // One that was dropped is still noted under its phrases.
      const wording = wordings.get(number);
      if (wording === undefined) continue;
      compared += 1;
      const likeness = likenessOf(own, wording.phrases, { frequency, bars });
      const relation = likeness === undefined ? 'different' : relationOf(likeness, bars);
      if (likeness !== undefined && relation !== 'different') found.push({ wording, likeness, relation });
      // The very same words: they were held against everything else when they came first.
      if (likeness?.similarity === 1 || compared === limits.maxComparisons) break;
    }
    return found.toSorted(byClosest);
  }

  function keep(heard: Heard, script: StoredScript): void {
    const wording: Wording = {
      number: ++numbered,
      id: heard.id,
      transcript: ownBeginning(heard.transcript),
      language: heard.tokens.language,
      phrases: heard.phrases.sorted,
      found: 0,
      script,
    };
    wordings.set(wording.number, wording);
    script.wordings.push(wording);
    for (const phrase of heard.chosen) postings.put(phrase, wording.number);
    trim(script);
  }

  /** The one that found fewest others goes: a wording with its own misheard words finds few, one that is clean and whole finds many. The newest had no time to. */
  function dropOne(from: Wording[]): void {
    let least = 0;
    for (let at = 1; at < from.length - 1; at += 1) {
      const one = from[at];
      const other = from[least];
      if (one !== undefined && other !== undefined && one.found <= other.found) least = at;
    }
    for (const { number } of from.splice(least, 1)) wordings.delete(number);
  }

  function trim(script: StoredScript): void {
    while (script.wordings.length > limits.maxExemplarsPerScript) dropOne(script.wordings);
  }
  return {
    matches,
    keep,
    trim,
    forget: (script) => {
      for (const { number } of script.wordings) wordings.delete(number);
    },
    capacity: postings.capacity,
    state: () => ({ postings: postings.state(), wordings, numbered }),
    restore: (saved) => {
      postings.restore(saved.postings);
      ({ wordings, numbered } = saved);
    },
  };
}

/** The beginning of a long transcript as a string of its own: one that is cut off another keeps all of it in memory. */
function ownBeginning(transcript: string): string {
  return transcript.length <= EXEMPLAR_CHARS ? transcript : transcript.slice(0, EXEMPLAR_CHARS).split('').join('');
}

/** Alike before pieces, then the closest; where all is equal the oldest. */
function byClosest(a: Match, b: Match): number {
  return (
    Number(b.relation === 'alike') - Number(a.relation === 'alike') ||
    b.likeness.similarity - a.likeness.similarity ||
    b.likeness.shared - a.likeness.shared ||
    a.wording.number - b.wording.number
  );
}

/** An index whose contents can be saved. */
export interface SavedScriptIndex extends ScriptIndex {
  /** What it holds, by reference: to be written before the next add. Holds transcripts as they were heard. */
  state(): ScriptIndexState;
  /** Goes on where another index with the same limits was, before anything was added. */
  restore(saved: ScriptIndexState): void;
}

/** What an index holds, as plain values. */
export interface ScriptIndexState {
  readonly store: ScriptStoreState;
  readonly frequency: PhraseFrequencyState;
  readonly wordings: WordingsState;
  readonly counts: { readonly added: number; readonly merges: number; readonly forgottenScripts: number };
}

/** How far a wording has to be from all that are kept, as a share of what the bar leaves, to be kept too: chains of recordings cut at ever later words hang on it. */
const NEW_WORDING = 0.5;

/**
 * An index that tells which transcripts are the same script: near-duplicates with misheard words, other names, amounts and call-back
 * numbers, and recordings cut off at either end. Incremental, of bounded memory and deterministic: the same adds in the same order give the
 * same answers. In another order the same transcripts come together unless one of them lies on the bar; ids then differ.
 *
 * @param options strictness and limits
 * @example
 * const index = createScriptIndex();
 * index.add('a', 'Your car warranty is about to expire, press one to speak with a warranty specialist');
 * console.log(index.add('b', 'car warranty is about to expire. Press 2 to speak with a warranty specialist').kind); // joined
 */
export function createScriptIndex(options: ScriptIndexOptions = {}): SavedScriptIndex {
  const limits = { ...DEFAULT_SCRIPT_LIMITS, ...options.limits };
  const strictness = options.strictness ?? 'same-script';
  const bars = { ...BARS[strictness], ...options.bars };
  const prefix = options.idPrefix ?? 'script-';
  const newWording = 1 - (1 - bars.similarity) * NEW_WORDING;
  const numbers = strictness === 'same-recording' ? 'digits' : 'any-number';
  const store = createScriptStore(limits);
  const frequency = createPhraseFrequency();
  const wordings = createWordings(frequency, { limits, bars });
  let counts = { added: 0, merges: 0, forgottenScripts: 0 };
  const nameOf = (ordinal: number): string => `${prefix}${String(ordinal)}`;

  function forget(script: StoredScript): void {
    wordings.forget(script);
    frequency.went(script.counted);
    store.remove(script);
    counts.forgottenScripts += 1;
  }

  function open(heard: Heard): StoredScript {
    const script = store.open();
    script.counted = heard.phrases.sorted;
    frequency.came(script.counted);
    wordings.keep(heard, script);
    for (let overdue = store.overdue(); overdue !== undefined; overdue = store.overdue()) forget(overdue);
    return script;
  }

  function merge(one: StoredScript, other: StoredScript): { kept: StoredScript; gone: StoredScript } {
    const [kept, gone] = one.ordinal < other.ordinal ? [one, other] : [other, one];
    kept.count += gone.count;
    for (const wording of gone.wordings) {
      wording.script = kept;
      kept.wordings.push(wording);
    }
    wordings.trim(kept);
    frequency.went(gone.counted);
    store.remove(gone);
    store.follow(gone.ordinal, kept.ordinal);
    counts.merges += 1;
    return { kept, gone };
  }

  /** Put into words when it is asked for: most placements nobody asks about. */
  const explain = (heard: Heard, { wording, likeness, relation }: Match): (() => ScriptEvidence) => {
    let evidence: ScriptEvidence | undefined;
    return () => {
      const { id, language, transcript } = wording;
      const there = (): readonly string[] =>
        tokenise(transcript, { language, numbers, maxTokens: limits.maxTokens }).tokens;
      return (evidence ??= evidenceOf(heard.tokens.tokens, there(), { likeId: id, likeness, relation }));
    };
  };

  function join(heard: Heard, found: readonly Match[], best: Match): ScriptPlacement {
    const because = explain(heard, best);
    for (const { wording } of found) wording.found += 1;
    let { script } = best.wording;
    const merges: ScriptMerge[] = [];
    for (const match of found) {
      // A piece may be of either, and does not make one of the two.
      if (match.relation === 'piece' || best.relation === 'piece') continue;
      // A wording that an earlier merge dropped still names the script that it was in.
      const other = store.byOrdinal(store.current(match.wording.script.ordinal));
      if (other === undefined || other === script) continue;
      const { kept, gone } = merge(script, other);
      const evidence = explain(heard, match);
      merges.push({
        ...{ kept: nameOf(kept.ordinal), gone: nameOf(gone.ordinal), byId: heard.id },
        get evidence() {
          return evidence();
        },
      });
      script = kept;
    }
    script.count += 1;
    store.touch(script);
    store.noteMember(heard.id, script.ordinal);
    if (best.likeness.similarity < newWording && best.relation !== 'piece') wordings.keep(heard, script);
    return {
      ...{ kind: 'joined', scriptId: nameOf(script.ordinal), merges },
      get because() {
        return because();
      },
    };
  }

  function add(id: string, transcript: string, language?: string): ScriptPlacement {
    const known = store.ordinalOfMember(id);
    if (known !== undefined) return { kind: 'known', scriptId: nameOf(known) };
    counts.added += 1;
    const { maxTokens } = limits;
    const tokens = tokenise(transcript, { numbers, maxTokens, ...(language === undefined ? {} : { language }) });
    if (tokens.words < LEAST_WORDS) {
      const reason = tokens.isOnlyNoise ? 'only-noise' : tokens.tokens.length === 0 ? 'empty' : 'too-short';
      return { kind: 'none', reason, informativeWords: Math.floor(tokens.words) };
    }
    const phrases = phrasesOf(tokens.tokens);
    const heard = { id, transcript, tokens, phrases, chosen: chosenPhrases(phrases) };
    const found = wordings.matches(heard);
    const [best] = found;
    if (best !== undefined) return join(heard, found, best);
    const script = open(heard);
    store.noteMember(id, script.ordinal);
    return { kind: 'opened', scriptId: nameOf(script.ordinal) };
  }

  function ordinalOf(scriptId: string): number | undefined {
    const digits = scriptId.startsWith(prefix) ? scriptId.slice(prefix.length) : '';
    return /^[1-9]\d{0,15}$/u.test(digits) ? store.current(Number(digits)) : undefined;
  }

  const shown = (script: StoredScript): Script => ({
    scriptId: nameOf(script.ordinal),
    count: script.count,
    exemplars: script.wordings.map(({ id, transcript, language }) => ({ id, transcript, language })),
  });

  return {
    add,
    scriptOf(id) {
      const ordinal = store.ordinalOfMember(id);
      return ordinal === undefined ? undefined : nameOf(ordinal);
    },
    currentId(scriptId) {
      const ordinal = ordinalOf(scriptId);
      return ordinal === undefined || store.byOrdinal(ordinal) === undefined ? undefined : nameOf(ordinal);
    },
    script(scriptId) {
      const ordinal = ordinalOf(scriptId);
      const script = ordinal === undefined ? undefined : store.byOrdinal(ordinal);
      return script === undefined ? undefined : shown(script);
    },
    scripts: () => store.all().map((script) => shown(script)),
    membersOf(scriptId) {
      const ordinal = ordinalOf(scriptId);
      const ids: string[] = [];
      if (ordinal !== undefined)
        for (const [id, of] of store.members()) if (store.current(of) === ordinal) ids.push(id);
      return ids;
    },
    state: () => ({ store: store.state(), frequency: frequency.state(), wordings: wordings.state(), counts }),
    restore(saved) {
      store.restore(saved.store);
      frequency.restore(saved.frequency);
      wordings.restore(saved.wordings);
      counts = { ...saved.counts };
    },
    statistics: () => ({
      added: counts.added,
      scripts: store.size,
      merges: counts.merges,
      forgottenScripts: counts.forgottenScripts,
      members: store.memberCount,
      postings: wordings.capacity,
    }),
  };
}

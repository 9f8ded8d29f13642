import { takeOver } from '../state-codec.js';
import type { Likeness, PhraseFrequency, Phrases, Relation } from './phrases.js';
import { BARS, chosenPhrases, createPhraseFrequency, likenessOf, phrasesOf, relationOf, weighed } from './phrases.js';
import { tokenise, type NumberReading } from './tokens.js';
import type { ScriptBars, ScriptIndexLimits, ScriptIndexOptions, ScriptMerge, ScriptPlacement } from './types.js';
import { DEFAULT_SCRIPT_LIMITS, EXEMPLAR_CHARS, LEAST_WORDS, MAX_FOLLOWED_MERGES } from './types.js';

/** One wording of a script, against which later transcripts are held. */
export interface Wording {
  readonly number: number;
  readonly id: string;
  /** Stored with the state. */
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
class ScriptStore {
  // Maps keep the order of insertion: the first is the one heard longest ago. Scripts heard once are apart, or a flood of unlike voicemails
  // would drive out a slow campaign.
  #once = new Map<number, StoredScript>();
  #often = new Map<number, StoredScript>();
  #members = new Map<string, number>();
  #followed = new Map<number, number>();
  #opened = 0;
  readonly #limits: ScriptIndexLimits;

  constructor(limits: ScriptIndexLimits) {
    this.#limits = limits;
  }

  open(): StoredScript {
    const script: StoredScript = { ordinal: ++this.#opened, count: 1, wordings: [], counted: new Uint32Array(0) };
    this.#once.set(script.ordinal, script);
    return script;
  }

  /** Notes that the script was heard again; what is heard often outlives what was heard once. */
  touch(script: StoredScript): void {
    this.#once.delete(script.ordinal);
    this.#often.delete(script.ordinal);
    (script.count > 1 ? this.#often : this.#once).set(script.ordinal, script);
  }

  remove(script: StoredScript): void {
    this.#once.delete(script.ordinal);
    this.#often.delete(script.ordinal);
  }

  noteMember(id: string, ordinal: number): void {
    this.#members.set(id, ordinal);
    if (this.#members.size > this.#limits.maxMembers) this.#members.delete(firstKey(this.#members));
  }

  ordinalOfMember(id: string): number | undefined {
    const ordinal = this.#members.get(id);
    return ordinal === undefined ? undefined : this.current(ordinal);
  }

  follow(gone: number, kept: number): void {
    this.#followed.set(gone, kept);
    if (this.#followed.size > MAX_FOLLOWED_MERGES) this.#followed.delete(firstKey(this.#followed));
  }

  /** Ordinal that a script has after merges. */
  current(ordinal: number): number {
    let at = ordinal;
    for (let next = this.#followed.get(at); next !== undefined; next = this.#followed.get(at)) at = next;
    return at;
  }

  byOrdinal(ordinal: number): StoredScript | undefined {
    return this.#often.get(ordinal) ?? this.#once.get(ordinal);
  }

  /** The script that has to be forgotten for a new one, if any. */
  overdue(): StoredScript | undefined {
    if (this.#once.size + this.#often.size <= this.#limits.maxScripts) return undefined;
    // A quarter of the room stays for scripts heard once: without it a new campaign could never be heard twice.
    const from = this.#once.size * 4 > this.#limits.maxScripts || this.#often.size === 0 ? this.#once : this.#often;
    return from.get(firstKey(from));
  }

  get size(): number {
    return this.#once.size + this.#often.size;
  }

  get memberCount(): number {
    return this.#members.size;
  }

  /** Each in the order in which they are forgotten. */
  state() {
    return {
      once: this.#once,
      often: this.#often,
      members: this.#members,
      followed: this.#followed,
      opened: this.#opened,
    };
  }

  restore(saved: ReturnType<ScriptStore['state']>): void {
    this.#once = saved.once;
    this.#often = saved.often;
    this.#members = saved.members;
    this.#followed = saved.followed;
    this.#opened = saved.opened;
  }
}

function firstKey<K>(map: ReadonlyMap<K, unknown>): K {
  return map.keys().next().value as K;
}

/** Entries under one bucket: a phrase that more wordings have than this is common, and its newest suffice as candidates. */
const WAYS = 8;
/** Entries one phrase may have in a full bucket, so that a common phrase does not drive out rare ones. */
const MOST_OF_ONE = 4;

/** Which wordings have a phrase: a table of fixed size, where the oldest entries give way. */
class Postings {
  readonly capacity: number;
  readonly #mask: number;
  readonly #phrases: Uint32Array;
  /** 0 is free: wordings are numbered from 1, and a greater number is a newer wording. */
  readonly #wordings: Uint32Array;

  /** @param maxPostings entries; rounded down to a power of two, at least 1,024 */
  constructor(maxPostings: number) {
    this.capacity = 2 ** Math.max(10, Math.floor(Math.log2(Math.max(maxPostings, 1_024))));
    this.#mask = this.capacity / WAYS - 1;
    this.#phrases = new Uint32Array(this.capacity);
    this.#wordings = new Uint32Array(this.capacity);
  }

  /** By their slots. */
  state() {
    return { phrases: this.#phrases, wordings: this.#wordings };
  }

  restore(saved: ReturnType<Postings['state']>): void {
    takeOver(this.#phrases, saved.phrases);
    takeOver(this.#wordings, saved.wordings);
  }

  put(phrase: number, wording: number): void {
    const slot = this.#slotFor(phrase, (phrase & this.#mask) * WAYS);
    this.#phrases[slot] = phrase;
    this.#wordings[slot] = wording;
  }

  /** Calls back with every wording noted under the phrase. */
  each(phrase: number, found: (wording: number) => void): void {
    const phrases = this.#phrases;
    const wordings = this.#wordings;
    const from = (phrase & this.#mask) * WAYS;
    for (let slot = from; slot < from + WAYS; slot += 1) {
      const wording = wordings[slot] ?? 0;
      if (wording !== 0 && phrases[slot] === phrase) found(wording);
    }
  }

  #slotFor(phrase: number, from: number): number {
    const phrases = this.#phrases;
    const wordings = this.#wordings;
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
}

/** A transcript being placed, with its words. */
interface Heard {
  readonly id: string;
  readonly transcript: string;
  readonly language: string;
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
class Wordings {
  readonly #frequency: PhraseFrequency;
  readonly #limits: ScriptIndexLimits;
  readonly #bars: ScriptBars;
  readonly #postings: Postings;
  #wordings = new Map<number, Wording>();
  #numbered = 0;

  constructor(frequency: PhraseFrequency, { limits, bars }: { limits: ScriptIndexLimits; bars: ScriptBars }) {
    this.#frequency = frequency;
    this.#limits = limits;
    this.#bars = bars;
    this.#postings = new Postings(limits.maxPostings);
  }

  /** Those of one script with a transcript, closest first. */
  matches(heard: Heard): Match[] {
    const own = weighed(heard.phrases.sorted, this.#frequency);
    const found: Match[] = [];
    let compared = 0;
    for (const number of this.#candidates(heard)) {
      // One that was dropped is still noted under its phrases.
      const wording = this.#wordings.get(number);
      if (wording === undefined) continue;
      compared += 1;
      const likeness = likenessOf(own, wording.phrases, { frequency: this.#frequency, bars: this.#bars });
      const relation = likeness === undefined ? 'different' : relationOf(likeness, this.#bars);
      if (likeness !== undefined && relation !== 'different') found.push({ wording, likeness, relation });
      // The very same words: they were held against everything else when they came first.
      if (likeness?.similarity === 1 || compared === this.#limits.maxComparisons) break;
    }
    return found.toSorted(byClosest);
  }

  keep(heard: Heard, script: StoredScript): void {
    const wording: Wording = {
      number: ++this.#numbered,
      id: heard.id,
      transcript: ownBeginning(heard.transcript),
      language: heard.language,
      phrases: heard.phrases.sorted,
      found: 0,
      script,
    };
    this.#wordings.set(wording.number, wording);
    script.wordings.push(wording);
    for (const phrase of heard.chosen) this.#postings.put(phrase, wording.number);
    this.trim(script);
  }

  trim(script: StoredScript): void {
    while (script.wordings.length > this.#limits.maxExemplarsPerScript) this.#dropOne(script.wordings);
  }

  forget(script: StoredScript): void {
    for (const { number } of script.wordings) this.#wordings.delete(number);
  }

  get capacity(): number {
    return this.#postings.capacity;
  }

  state() {
    return { postings: this.#postings.state(), wordings: this.#wordings, numbered: this.#numbered };
  }

  restore(saved: ReturnType<Wordings['state']>): void {
    this.#postings.restore(saved.postings);
    this.#wordings = saved.wordings;
    this.#numbered = saved.numbered;
  }

  /** Wordings that have chosen phrases in common with a transcript, those with the most weight in common first. */
  #candidates({ chosen }: Heard): number[] {
    const hits = new Map<number, number>();
    for (const phrase of chosen) {
      const weight = this.#frequency.weight(phrase);
      this.#postings.each(phrase, (wording) => hits.set(wording, (hits.get(wording) ?? 0) + weight));
    }
    return [...hits.keys()].sort((a, b) => (hits.get(b) as number) - (hits.get(a) as number) || a - b);
  }

  /** The one that found fewest others goes: a wording with its own misheard words finds few, one that is clean and whole finds many. The newest had no time to. */
  #dropOne(from: Wording[]): void {
    let least = 0;
    for (let at = 1; at < from.length - 1; at += 1) {
      const one = from[at];
      const other = from[least];
      if (one !== undefined && other !== undefined && one.found <= other.found) least = at;
    }
    for (const { number } of from.splice(least, 1)) this.#wordings.delete(number);
  }
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

/** How far a wording has to be from all that are kept, as a share of what the bar leaves, to be kept too: chains of recordings cut at ever later words hang on it. */
const NEW_WORDING = 0.5;

/**
 * Tells which transcripts are the same script: near-duplicates with misheard words, other names, amounts and call-back
 * numbers, and recordings cut off at either end. Incremental, of bounded memory and deterministic: the same adds in the same order give the
 * same answers. In another order the same transcripts come together unless one of them lies on the bar; ids then differ.
 * @example
 * const index = new ScriptIndex();
 * index.add('a', 'Your car warranty is about to expire, press one to speak with a warranty specialist');
 * console.log(index.add('b', 'car warranty is about to expire. Press 2 to speak with a warranty specialist').kind); // joined
 */
export class ScriptIndex {
  readonly #limits: ScriptIndexLimits;
  readonly #bars: ScriptBars;
  readonly #newWording: number;
  readonly #numbers: NumberReading;
  readonly #store: ScriptStore;
  readonly #frequency = createPhraseFrequency();
  readonly #wordings: Wordings;
  #counts = { added: 0, merges: 0, forgottenScripts: 0 };

  constructor(options: ScriptIndexOptions = {}) {
    const strictness = options.strictness ?? 'same-script';
    this.#limits = { ...DEFAULT_SCRIPT_LIMITS, ...options.limits };
    this.#bars = { ...BARS[strictness], ...options.bars };
    this.#newWording = 1 - (1 - this.#bars.similarity) * NEW_WORDING;
    this.#numbers = strictness === 'same-recording' ? 'digits' : 'any-number';
    this.#store = new ScriptStore(this.#limits);
    this.#wordings = new Wordings(this.#frequency, { limits: this.#limits, bars: this.#bars });
  }

  /** Puts a transcript with its script; never throws for any string. `language` as a BCP 47 tag; told from the text where it lacks. */
  add(id: string, transcript: string, language?: string): ScriptPlacement {
    const known = this.#store.ordinalOfMember(id);
    if (known !== undefined) return { kind: 'known', scriptId: this.#nameOf(known) };
    this.#counts.added += 1;
    const options = { numbers: this.#numbers, maxTokens: this.#limits.maxTokens };
    const tokens = tokenise(transcript, language === undefined ? options : { ...options, language });
    if (tokens.words < LEAST_WORDS) {
      const reason = tokens.isOnlyNoise ? 'only-noise' : tokens.tokens.length === 0 ? 'empty' : 'too-short';
      return { kind: 'none', reason };
    }
    const phrases = phrasesOf(tokens.tokens);
    const heard = {
      id,
      transcript,
      language: tokens.language,
      phrases,
      chosen: chosenPhrases(phrases),
    };
    const found = this.#wordings.matches(heard);
    const [best] = found;
    if (best !== undefined) return this.#join(heard, found, best);
    const script = this.#open(heard);
    this.#store.noteMember(id, script.ordinal);
    return { kind: 'opened', scriptId: this.#nameOf(script.ordinal) };
  }

  /** Script of a transcript that was added, under the id that stays after merges. */
  scriptOf(id: string): string | undefined {
    const ordinal = this.#store.ordinalOfMember(id);
    return ordinal === undefined ? undefined : this.#nameOf(ordinal);
  }

  /** What it holds, by reference: to be written before the next add. Holds transcripts as they were heard. */
  state() {
    return {
      store: this.#store.state(),
      frequency: this.#frequency.state(),
      wordings: this.#wordings.state(),
      counts: this.#counts,
    };
  }

  /** Goes on where another index with the same limits was, before anything was added. */
  restore(saved: ReturnType<ScriptIndex['state']>): void {
    this.#store.restore(saved.store);
    this.#frequency.restore(saved.frequency);
    this.#wordings.restore(saved.wordings);
    this.#counts = { ...saved.counts };
  }

  /** Counts of what it holds, for metrics. */
  statistics() {
    return {
      added: this.#counts.added,
      scripts: this.#store.size,
      merges: this.#counts.merges,
      forgottenScripts: this.#counts.forgottenScripts,
      members: this.#store.memberCount,
      postings: this.#wordings.capacity,
    };
  }

  #nameOf(ordinal: number): string {
    return `script-${String(ordinal)}`;
  }

  #forget(script: StoredScript): void {
    this.#wordings.forget(script);
    this.#frequency.went(script.counted);
    this.#store.remove(script);
    this.#counts.forgottenScripts += 1;
  }

  #open(heard: Heard): StoredScript {
    const store = this.#store;
    const script = store.open();
    script.counted = heard.phrases.sorted;
    this.#frequency.came(script.counted);
    this.#wordings.keep(heard, script);
    for (let overdue = store.overdue(); overdue !== undefined; overdue = store.overdue()) this.#forget(overdue);
    return script;
  }

  #merge(one: StoredScript, other: StoredScript): { kept: StoredScript; gone: StoredScript } {
    const [kept, gone] = one.ordinal < other.ordinal ? [one, other] : [other, one];
    kept.count += gone.count;
    for (const wording of gone.wordings) {
      wording.script = kept;
      kept.wordings.push(wording);
    }
    this.#wordings.trim(kept);
    this.#frequency.went(gone.counted);
    this.#store.remove(gone);
    this.#store.follow(gone.ordinal, kept.ordinal);
    this.#counts.merges += 1;
    return { kept, gone };
  }

  #join(heard: Heard, found: readonly Match[], best: Match): ScriptPlacement {
    for (const { wording } of found) wording.found += 1;
    let { script } = best.wording;
    const merges: ScriptMerge[] = [];
    for (const match of found) {
      // A piece may be of either, and does not make one of the two.
      if (match.relation === 'piece' || best.relation === 'piece') continue;
      // A wording that an earlier merge dropped still names the script that it was in.
      const other = this.#store.byOrdinal(this.#store.current(match.wording.script.ordinal));
      if (other === undefined || other === script) continue;
      const { kept, gone } = this.#merge(script, other);
      merges.push({ kept: this.#nameOf(kept.ordinal), gone: this.#nameOf(gone.ordinal) });
      script = kept;
    }
    script.count += 1;
    this.#store.touch(script);
    this.#store.noteMember(heard.id, script.ordinal);
    if (best.likeness.similarity < this.#newWording && best.relation !== 'piece') this.#wordings.keep(heard, script);
    return { kind: 'joined', scriptId: this.#nameOf(script.ordinal), merges };
  }
}

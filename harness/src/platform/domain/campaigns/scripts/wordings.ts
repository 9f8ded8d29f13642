import { likenessOf, relationOf, weighed, type Likeness, type Relation } from './likeness.js';
import { EXEMPLAR_CHARS } from './limits.js';
import type { PhraseFrequency } from './phrase-frequency.js';
import { createPostings } from './postings.js';
import type { PostingsState } from './postings.js';
import type { StoredScript, Wording } from './script-store.js';
import type { Phrases } from './shingles.js';
import type { Tokens } from './tokens.js';
import type { ScriptBars, ScriptIndexLimits } from './types.js';

/** A transcript being placed, with its words. */
export interface Heard {
  readonly id: string;
  readonly transcript: string;
  readonly tokens: Tokens;
  readonly phrases: Phrases;
  /** Phrases under which it is looked for. */
  readonly chosen: Uint32Array;
}

/** A wording of a known script that a transcript was held against and found to be of one script with. */
export interface Match {
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
export interface WordingsState {
  readonly postings: PostingsState;
  readonly wordings: Map<number, Wording>;
  readonly numbered: number;
}

export function createWordings(
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

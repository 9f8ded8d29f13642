import { takeOver } from '../state-codec.js';

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
export interface PostingsState {
  readonly phrases: Uint32Array;
  readonly wordings: Uint32Array;
}

/** @param maxPostings entries; rounded down to a power of two, at least 1,024 */
export function createPostings(maxPostings: number): Postings {
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

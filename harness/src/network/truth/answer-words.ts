import type { GivenAnswer } from './truth.js';

/** What an answer of the wire says, in the words of the truth; `ambiguous` is never true, but may be all that a provider can say. */
export type SaidKind = GivenAnswer['kind'] | 'ambiguous';

const KINDS: Readonly<Record<string, SaidKind>> = {
  'received-from': 'upstream',
  upstream: 'upstream',
  'received-from-unlisted': 'unlisted',
  unlisted: 'unlisted',
  origin: 'origin',
  'point-of-entry': 'point-of-entry',
  'not-found': 'not-found',
  'not-our-number': 'not-found',
  'not-sent-to-downstream': 'not-found',
  'not-retained': 'not-retained',
  refused: 'refused',
  ambiguous: 'ambiguous',
};

/** What an answer says, by its word on the wire; undefined for a word that says nothing of the call. */
export const saidKind = (word: string): SaidKind | undefined => (Object.hasOwn(KINDS, word) ? KINDS[word] : undefined);

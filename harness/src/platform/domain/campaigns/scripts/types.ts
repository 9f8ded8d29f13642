/** Two settings of strictness: the same words read out by anybody, or one and the same recording played. */
export type ScriptStrictness = 'same-script' | 'same-recording';

/** What bounds the memory of an index. Each has a default in `DEFAULT_SCRIPT_LIMITS`, with its reason there. */
export interface ScriptIndexLimits {
  /** Scripts that are remembered; beyond it the one that was heard longest ago is forgotten. */
  readonly maxScripts: number;
  /** Wordings kept per script, against which later transcripts are compared. */
  readonly maxExemplarsPerScript: number;
  /** Ids of transcripts whose script is remembered; beyond it the oldest are forgotten. */
  readonly maxMembers: number;
  /** Tokens of a transcript that are read; what comes after them is left unread. */
  readonly maxTokens: number;
  /** Scripts a transcript is compared with in full, best candidates first. */
  readonly maxComparisons: number;
  /** Entries of the table that says which transcripts have common phrases. */
  readonly maxPostings: number;
}

/** From which likeness two wordings are one script; every value is a share of weight from 0 to 1, or a weight, which is about a number of telling phrases. */
export interface ScriptBars {
  /** Similarity of two that are alike. */
  readonly similarity: number;
  /** Containment of a piece in the whole. */
  readonly containment: number;
  /** Similarity that a piece has at least, which is about its share of the whole. */
  readonly pieceOfWhole: number;
  /** Weight that a piece and the whole share at least. */
  readonly sharedByPiece: number;
  /** Weight that two that are alike share at least. */
  readonly shared: number;
}

export interface ScriptIndexOptions {
  /** Default `same-script`. */
  readonly strictness?: ScriptStrictness;
  readonly limits?: Partial<ScriptIndexLimits>;
  /** Other bars than those of the strictness: for measuring, and where false joins cost more than missed ones. */
  readonly bars?: Partial<ScriptBars>;
}

/** Two scripts were found to be one: the older id stays, and whoever holds the other follows. */
export interface ScriptMerge {
  readonly kept: string;
  readonly gone: string;
}

/** Where a transcript went. */
export type ScriptPlacement =
  | {
      readonly kind: 'joined';
      readonly scriptId: string;
      readonly merges: readonly ScriptMerge[];
    }
  /** The first of its script. */
  | { readonly kind: 'opened'; readonly scriptId: string }
  /** This id was added before; nothing changed. */
  | { readonly kind: 'known'; readonly scriptId: string }
  | { readonly kind: 'none'; readonly reason: NoScriptReason };

/** `empty`: no word in it. `too-short`: fewer words than tell one script from another. `only-noise`: nothing but what recognisers invent. */
export type NoScriptReason = 'empty' | 'too-short' | 'only-noise';

/** Kinds of fraud a script is taken for; `lawful-looking` where it has the words of ordinary notices and none of a known fraud, `unknown` where nothing fits. */
export type ScriptClass =
  | 'government-impersonation'
  | 'business-impersonation'
  | 'tech-support'
  | 'financial'
  | 'debt-relief'
  | 'warranty'
  | 'utility'
  | 'student-loan'
  | 'health'
  | 'travel-prize'
  | 'home-services'
  | 'business-services'
  | 'lawful-looking'
  | 'unknown';

/** Name of a script in the style of the Industry Traceback Group: `SSA-Suspended`. */
export interface ScriptName {
  /** `Topic-Detail`; letters, digits and one hyphen, at most 48 characters. */
  readonly name: string;
  readonly topic: string;
  readonly detail: string;
  readonly class: ScriptClass;
  /** Words of the transcripts that decided, at most 8; empty where none did. */
  readonly keywords: readonly string[];
}

/** A number a listener is asked to call, or that is said in passing. */
export interface CallBackNumber {
  /** E.164, `+13152328257`; North American numbers get their +1. */
  readonly number: string;
  /** `digits` as written, `spoken` in words, `mixed` of both. */
  readonly form: 'digits' | 'spoken' | 'mixed';
  /** Where it stands in the text, in UTF-16 units. */
  readonly start: number;
  readonly end: number;
}

/**
 * Bounds of a script index where the caller names none: by reckoning about 500 MB with every table full of transcripts of half a minute, and three times
 * that were all of them as long as may be.
 */
export const DEFAULT_SCRIPT_LIMITS: ScriptIndexLimits = {
  // The tracebacks of a year know some hundreds of campaigns; unlike voicemails each open a script of their own and pass through the rest.
  maxScripts: 60_000,
  // A recording is heard from several starts and by several recognisers; twice as many found one pair in a hundred more.
  maxExemplarsPerScript: 6,
  // A month of 30,000 reports a day.
  maxMembers: 1_000_000,
  // Six minutes of fast talk; scripts are a minute long, and what decides is said in it.
  maxTokens: 1_200,
  // Candidates come best first; four scripts with all their wordings are enough to see two that are one.
  maxComparisons: 24,
  // 32 MB; some 20 for each of three wordings of every script.
  maxPostings: 4_194_304,
};

/** UTF-16 units read per token allowed: the longest words of German and the spaces between; what is behind is not looked at, which keeps the work linear. */
export const CHARS_PER_TOKEN = 12;

/** Words fewer than which a transcript says nothing of its script: "press 1 now, thank you" is said by all of them. */
export const LEAST_WORDS = 5;

/** UTF-16 units of a transcript that an exemplar keeps: an exemplar is for reading and for explaining, 300 words do. */
export const EXEMPLAR_CHARS = 2_000;

/** Ids that went into others by a merge and are still answered for; beyond it the oldest are forgotten. */
export const MAX_FOLLOWED_MERGES = 100_000;

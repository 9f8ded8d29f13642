import type { ScriptIndexLimits } from './types.js';

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

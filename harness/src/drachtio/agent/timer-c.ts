/** How long a target may ring without a word, milliseconds: more than three minutes. @see RFC 3261 section 16.6 step 11, timer C */
export const TIMER_C_MS = 185_000;

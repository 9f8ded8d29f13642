/**
 * The same text as one piece of memory. Texts that were put together are ropes whose strands keep whole messages alive; what is kept
 * for longer than a message has to let go of them. Looking at a character makes V8 join the rope.
 */
export function flat(text: string): string {
  return text.charCodeAt(text.length - 1) >= 0 ? text : '';
}

/** As {@link flat}, for a text that was cut out of another one: a cutting keeps the whole alive. */
export function copied(text: string): string {
  return flat(`${text} `).slice(0, -1);
}

/** Where branches, tags and other identifiers come from. */
export type Identifiers = ReturnType<typeof createIdentifiers>;

/**
 * Makes identifiers of a random part, drawn once, and a count: unique without asking for randomness at each call, and telling
 * nobody how many calls other servers have.
 * @param randomUuid - 36 characters, different at each call
 */
export function createIdentifiers(randomUuid: () => string) {
  const origin = randomUuid().replaceAll('-', '').slice(0, 20);
  const start = Number.parseInt(randomUuid().slice(0, 8), 16);
  let count = 0;
  const next = (): string => {
    count += 1;
    return count.toString(36);
  };
  return {
    /** A Via branch that no transaction has had. @see RFC 3261 section 8.1.1.7 */
    branch: () => flat(`z9hG4bK${origin}${next()}`),
    // A tag needs at least 32 random bits that a stranger cannot guess.
    /** @see RFC 3261 section 19.3 */
    tag: () => flat(`${randomUuid().slice(0, 8)}${next()}`),
    callId: () => flat(randomUuid()),
    /** Names a transaction towards applications. */
    transactionId: () => flat(randomUuid()),
    frameId: () => next(),
    /** First number of a row of reliable provisional responses, 1 to 2^31 - 1. @see RFC 3262 section 3 */
    rseq: () => 1 + ((start + count * 7_919) % 1_000_000),
  };
}

/** Statements that have names at most; each takes some kilobytes on every connection. */
const MAX_NAMES = 1_000;
/** A longer one is a list of values written out, and does not come again. */
const MAX_CHARS = 8_000;

/** Names of statements, by which a server knows those that it has read before. */
export interface StatementNames {
  /** @returns undefined for what is not worth a name */
  readonly nameOf: (text: string) => string | undefined;
  /** Gives all of them other names from here on: the server's are not what they were. */
  readonly forget: () => void;
}

/**
 * Makes names for statements, so that a server reads and analyses each once on a connection, and not each time. What it costs to plan is paid each time all
 * the same (`plan_cache_mode`): a plan that was made when a table was empty would stay.
 */
export function createStatementNames(): StatementNames {
  const names = new Map<string, string>();
  let made = 0;
  return {
    nameOf: (text) => {
      const known = names.get(text);
      if (known !== undefined || names.size >= MAX_NAMES || text.length > MAX_CHARS) return known;
      const name = `hopback-${String((made += 1))}`;
      names.set(text, name);
      return name;
    },
    forget: () => names.clear(),
  };
}

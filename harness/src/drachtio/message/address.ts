/** The parts of a From, To, Contact, Route or Refer-To value that routing and dialogs need; all as written. */
export interface Address {
  /** The URI without angle brackets. */
  readonly uri: string;
  /** Header parameters, from their first semicolon; empty where there are none. */
  readonly params: string;
}

/**
 * Takes one name-addr or addr-spec apart. Quoted display names may hold anything, angle brackets and semicolons included.
 * Never throws for peer input.
 * @returns undefined where a quote or an angle bracket is never closed, or where there is no URI
 * @see RFC 3261 section 20.10 and 25.1, name-addr
 */
export function addressOf(value: string): Address | undefined {
  const afterName = value.charCodeAt(0) === QUOTE ? endOfQuoted(value, 0) : 0;
  if (afterName < 0) return undefined;
  const open = value.indexOf('<', afterName);
  if (open < 0) return bareAddress(value, afterName);
  // A quote that opens behind the first character is no display name, and one that is not closed hides what follows.
  const quote = value.indexOf('"', afterName);
  if (quote >= 0 && quote < open) return undefined;
  const close = value.indexOf('>', open);
  if (close < 0) return undefined;
  const uri = value.slice(open + 1, close).trim();
  return uri === '' ? undefined : { uri, params: paramsFrom(value, close + 1) };
}

/**
 * The value of a header parameter. Never throws for peer input.
 * @param params - as {@link Address.params}
 * @param name - lower case
 * @returns undefined where there is none; empty for a parameter without a value
 */
export function parameterOf(params: string, name: string): string | undefined {
  for (let at = params.indexOf(';'); at >= 0 && at < params.length;) {
    const end = endOfParameter(params, at + 1);
    const nameEnd = endOfParameterName(params, at, end);
    const found = nameEnd - at > name.length ? params.slice(at + 1, nameEnd).trim() : '';
    if (found.length === name.length && found.toLowerCase() === name) {
      return params.slice(nameEnd + 1, end).trim();
    }
    at = end;
  }
  return undefined;
}

/**
 * The tag of a From or To value. Never throws for peer input.
 * @returns empty where there is none; undefined where the value cannot be read
 */
export function tagOf(value: string): string | undefined {
  // Nearly every value is <uri>;tag=x or name <uri>;tag=x, with nothing that could be mistaken for the parameter.
  const open = value.indexOf('<');
  const close = open < 0 ? -1 : value.indexOf('>', open);
  if (close > 0 && value.startsWith(';tag=', close + 1) && value.indexOf(';', close + 2) < 0 && !value.includes('"')) {
    const first = value.charCodeAt(open + 1);
    if (first > 0x3e && first < 0x7f) return value.slice(close + 6).trim();
  }
  const address = addressOf(value);
  return address === undefined ? undefined : (parameterOf(address.params, 'tag') ?? '');
}

/** Splits a header value at the commas between its values, not at those in quotes or angle brackets. Never throws. */
export function listValues(value: string): readonly string[] {
  if (!value.includes(',')) return value === '' ? [] : [value];
  const values: string[] = [];
  let start = 0;
  let at = 0;
  let inAngle = false;
  while (at < value.length) {
    const code = value.charCodeAt(at);
    if (code === QUOTE && !inAngle) {
      const end = endOfQuoted(value, at);
      if (end < 0) break;
      at = end;
      continue;
    }
    if (code === 0x3c) inAngle = true;
    else if (code === 0x3e) inAngle = false;
    else if (code === 0x2c && !inAngle) {
      addNonEmpty(values, value.slice(start, at));
      start = at + 1;
    }
    at += 1;
  }
  addNonEmpty(values, value.slice(start));
  return values;
}

/** Where a quoted string that opens at `open` has ended: behind its closing quote, or -1. @see RFC 3261 section 25.1 */
export function endOfQuoted(text: string, open: number): number {
  for (let at = open + 1; at < text.length; at += 1) {
    const code = text.charCodeAt(at);
    if (code === QUOTE) return at + 1;
    if (code === 0x5c) at += 1;
  }
  return -1;
}

const QUOTE = 0x22;

/**
 * Where the name of a parameter has ended: at its equals sign, or with the parameter. Looked for no further than there: a search
 * through the whole text for each of its parameters would cost the square of their number.
 */
export function endOfParameterName(text: string, start: number, end: number): number {
  let at = start;
  while (at < end && text.charCodeAt(at) !== 0x3d) at += 1;
  return at;
}

function addNonEmpty(values: string[], raw: string): void {
  const value = raw.trim();
  if (value !== '') values.push(value);
}

function bareAddress(value: string, from: number): Address | undefined {
  if (value.includes('"', from)) return undefined;
  const semicolon = value.indexOf(';', from);
  const uri = value.slice(from, semicolon < 0 ? value.length : semicolon).trim();
  return uri === '' ? undefined : { uri, params: semicolon < 0 ? '' : value.slice(semicolon) };
}

function paramsFrom(value: string, from: number): string {
  const semicolon = value.indexOf(';', from);
  return semicolon < 0 ? '' : value.slice(semicolon);
}

function endOfParameter(params: string, from: number): number {
  for (let at = from; at < params.length; at += 1) {
    const code = params.charCodeAt(at);
    if (code === 0x3b) return at;
    if (code === QUOTE) {
      const end = endOfQuoted(params, at);
      if (end < 0) return params.length;
      at = end - 1;
    }
  }
  return params.length;
}

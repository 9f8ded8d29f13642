import type { Verstat } from '@hopback/sdk/stir';

/**
 * Reads what the caller's or the callee's network found out about the calling number: the `verstat` parameter of a From or
 * P-Asserted-Identity value. It is worth what the network that delivered the call is worth. Display names are passed over, since
 * callers choose them; where a value says several things, the one that trusts the caller least counts. Never throws for peer input.
 * @param value - of one header field, which may be a list; folded or not
 * @returns undefined where there is no `verstat`, or none of the three words
 * @see 3GPP TS 24.229 section 7.2A.20
 * @example
 * ```ts
 * const value = '"Mum" <sip:+12025550101;verstat=TN-Validation-Failed@a.example;user=phone>';
 * console.log(verstatOf(value)); // TN-Validation-Failed
 * ```
 */
export function verstatOf(value: string): Verstat | undefined {
  const found = addressesOf(value).flatMap(verstatsOf);
  return LEAST_TRUST_FIRST.find((verstat) => found.includes(verstat));
}

const LEAST_TRUST_FIRST: readonly Verstat[] = ['TN-Validation-Failed', 'No-TN-Validation', 'TN-Validation-Passed'];
const BY_LOWER_CASE: ReadonlyMap<string, Verstat> = new Map(
  LEAST_TRUST_FIRST.map((verstat) => [verstat.toLowerCase(), verstat]),
);

const PARAMETER = ';verstat=';

/** The URIs of a list, each the text between angle brackets; or the whole value where it has none. Quoted text is passed over. */
function addressesOf(value: string): readonly string[] {
  const addresses: string[] = [];
  let isQuoted = false;
  let open = -1;
  for (let at = 0; at < value.length; at += 1) {
    const character = value[at];
    if (isQuoted && character === '\\') at += 1;
    else if (character === '"' && open < 0) isQuoted = !isQuoted;
    else if (isQuoted) continue;
    else if (character === '<' && open < 0) open = at + 1;
    else if (character === '>' && open >= 0) {
      addresses.push(value.slice(open, at));
      open = -1;
    }
  }
  return addresses.length === 0 && !value.includes('"') ? [value] : addresses;
}

function verstatsOf(address: string): readonly Verstat[] {
  const [, ...behind] = address.toLowerCase().split(PARAMETER);
  return behind.flatMap((text) => BY_LOWER_CASE.get(text.slice(0, endOfToken(text))) ?? []);
}

/** A token of letters and hyphens: no verstat has other characters. */
function endOfToken(text: string): number {
  let at = 0;
  while (at < text.length && ((text[at] ?? '') === '-' || ((text[at] ?? '') >= 'a' && (text[at] ?? '') <= 'z')))
    at += 1;
  return at;
}

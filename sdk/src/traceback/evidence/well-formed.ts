import { hash } from 'node:crypto';

/** A text that could not be kept as it was. */
export interface TextRepair {
  /** Where, as JSON Pointer (RFC 6901). */
  readonly at: string;
  /** `half-surrogate`: U+FFFD stands for each half of a pair without the other; `too-deep`: all below is left out. */
  readonly why: 'half-surrogate' | 'too-deep';
  /** SHA-256 of the text as it was, in UTF-16 with the higher octet first, lower-case hex; of what was nested too deeply, of nothing. */
  readonly sha256: string;
}

/** A value in which every text is one that UTF-8 can hold. */
export interface WellFormed<Value> {
  readonly value: Value;
  readonly repairs: readonly TextRepair[];
}

/** Shallower than what has no spelling ({@link canonicalJson}): it is put into other things. */
const DEEPEST = 48;

/**
 * Makes the texts of a value, its names included, such as UTF-8 can hold: JSON of a peer may have half a surrogate pair in it, for which RFC 8785
 * has no spelling. Octets stay as they are. Never throws for what JSON can hold.
 * @see RFC 8785 section 3.2.2.2, RFC 7493 section 2.1
 */
export function wellFormed<Value>(value: Value): WellFormed<Value> {
  const repairs: TextRepair[] = [];
  return { value: repaired(value, { at: '', depth: 0, repairs }) as Value, repairs };
}

interface Place {
  readonly at: string;
  readonly depth: number;
  readonly repairs: TextRepair[];
}

function repaired(value: unknown, place: Place): unknown {
  if (typeof value === 'string') return repairedText(value, place);
  if (typeof value !== 'object' || value === null || value instanceof Uint8Array) return value;
  if (place.depth > DEEPEST) {
    place.repairs.push({ at: place.at, why: 'too-deep', sha256: hash('sha256', '', 'hex') });
    return null;
  }
  if (Array.isArray(value)) return value.map((element, index) => repaired(element, below(place, String(index))));
  const members = new Map<string, unknown>();
  for (const [name, member] of Object.entries(value)) {
    const inner = below(place, name.replace(HALVES, '\ufffd'));
    members.set(freeName(members, repairedText(name, inner)), repaired(member, inner));
  }
  return Object.fromEntries(members);
}

const HALVES = /\p{Surrogate}/gu;

function repairedText(text: string, { at, repairs }: Place): string {
  if (!/\p{Surrogate}/u.test(text)) return text;
  const octets = Buffer.from(text, 'utf16le').swap16();
  repairs.push({ at, why: 'half-surrogate', sha256: hash('sha256', octets, 'hex') });
  return text.replace(HALVES, '\ufffd');
}

/** Two names that differ in such halves alone stay two. */
function freeName(members: ReadonlyMap<string, unknown>, name: string): string {
  let free = name;
  for (let ordinal = 2; members.has(free); ordinal += 1) free = `${name} (${String(ordinal)})`;
  return free;
}

function below({ at, depth, repairs }: Place, name: string): Place {
  return { at: `${at}/${name.replaceAll('~', '~0').replaceAll('/', '~1')}`, depth: depth + 1, repairs };
}

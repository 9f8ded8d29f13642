import type { PassportParty } from '../../stir/index.js';
import { stirApiProblem } from './stir-api-problem.js';
import type { StirApiProblem } from './stir-api-problem.js';

/** Members of a JSON object that a client sent; nothing of it has been looked at. */
export type Members = Readonly<Record<string, unknown>>;

/** What was read, or what is wrong. */
export type Read<Value> =
  { readonly status: 'read'; readonly value: Value } | { readonly status: 'problem'; readonly problem: StirApiProblem };

/** Most numbers and URIs in one member: those of a group call, as a PASSporT has them. */
const MAX_PARTIES = 32;

/** @param value - anything @returns its members where it is an object that is no list */
export const membersOf = (value: unknown): Members | undefined =>
  typeof value === 'object' && value !== null && !Array.isArray(value) ? (value as Members) : undefined;

/** A value that was read. */
export const read = <Value>(value: Value): Read<Value> => ({ status: 'read', value });

/** A member that is needed and is not there. */
export const missing = (name: string): Read<never> => ({
  status: 'problem',
  problem: stirApiProblem('parameter-missing', name),
});

/** A member that has a value which it cannot have. */
export const invalid = (name: string, why: string): Read<never> => ({
  status: 'problem',
  problem: stirApiProblem('parameter-invalid', name, why),
});

/**
 * Reads the body of a request.
 * @param text - JSON
 * @param name - of the one member it must have: `signingRequest`, `verificationRequest`
 * @returns the members of that; never throws
 */
export function readEnvelope(text: string, name: string): Read<Members> {
  if (text.trim() === '') return { status: 'problem', problem: stirApiProblem('body-missing') };
  let body: unknown;
  try {
    body = JSON.parse(text);
  } catch {
    return { status: 'problem', problem: stirApiProblem('body-malformed', 'invalid JSON body') };
  }
  const members = membersOf(body);
  if (members === undefined)
    return { status: 'problem', problem: stirApiProblem('body-malformed', 'the body is no JSON object') };
  const request = members[name];
  if (request === undefined) return missing(name);
  const inner = membersOf(request);
  return inner === undefined ? invalid(name, 'must be an object') : read(inner);
}

/** Whole seconds since the epoch, as a number or, as some clients have it, as digits. */
export function readSeconds(value: unknown, name: string): Read<number> {
  const number = typeof value === 'string' && /^\d{1,11}$/.test(value) ? Number(value) : value;
  if (typeof number === 'number' && Number.isSafeInteger(number) && number >= 0) return read(number);
  return invalid(name, 'must be whole seconds since the epoch');
}

/**
 * Reads the one party of `from` or `orig`: `tn` or `uri`, each a text; some clients make a list of one of it.
 * @returns the party as it was written
 */
export function readParty(value: unknown, name: string): Read<PassportParty> {
  const parties = readParties(value, name);
  if (parties.status === 'problem') return parties;
  const [party] = parties.value;
  if (party === undefined) return missing(`${name}.tn`);
  return parties.value.length > 1 ? invalid(name, 'must be one number or URI') : read(party);
}

/**
 * Reads the parties of `to` or `dest`: ATIS-1000082 makes lists of `tn` and `uri`, TS 24.229 has texts; both are taken.
 * @returns numbers before URIs, as they were written; none where both are missing or empty
 */
export function readParties(value: unknown, name: string): Read<readonly PassportParty[]> {
  if (value === undefined || value === null) return missing(name);
  const members = membersOf(value);
  if (members === undefined) return invalid(name, 'must be an object with tn or uri');
  const parties: PassportParty[] = [];
  for (const kind of ['tn', 'uri'] as const) {
    const list = texts(members[kind]);
    if (list === undefined) return invalid(`${name}.${kind}`, 'must be text or a list of texts');
    for (const text of list) parties.push({ kind, value: text });
  }
  return parties.length > MAX_PARTIES ? invalid(name, `more than ${String(MAX_PARTIES)} parties`) : read(parties);
}

/** Texts as one or as a list; null, which some clients write for nothing, is nothing. */
export function texts(value: unknown): readonly string[] | undefined {
  if (value === undefined || value === null || value === '') return [];
  if (typeof value === 'string') return [value];
  if (!Array.isArray(value)) return undefined;
  const list = value.filter((one: unknown) => one !== null && one !== '');
  return list.every((one): one is string => typeof one === 'string') ? list : undefined;
}

import { isRecord, parsedJson } from '../../core/text.js';
import { claimedParties } from '../../stir/verification/request.js';
import type { PassportParty, VerificationRequest } from '../../stir/index.js';

/** What is wrong with a request to the signing or verification service itself; what is wrong with a call is no problem but an answer. */
export interface StirApiProblem {
  /** HTTP status. */
  readonly status: number;
  /** Number of the exception, `SVC4001`. */
  readonly messageId: string;
  /** Text with `%1`, `%2` where the variables belong. */
  readonly text: string;
  readonly variables: readonly string[];
}

/** Every exception that there is. @see ATIS-1000082 (service and policy exceptions, by report: kept in this one table) */
const EXCEPTIONS = {
  'body-missing': { status: 400, messageId: 'SVC4000', text: 'Missing request body' },
  'parameter-missing': { status: 400, messageId: 'SVC4001', text: "Missing mandatory parameter '%1'" },
  'not-acceptable': { status: 406, messageId: 'SVC4002', text: "Requested response body type '%1' is not supported" },
  'not-found': { status: 404, messageId: 'SVC4003', text: 'Requested resource was not found' },
  'media-type': { status: 415, messageId: 'SVC4004', text: "Unsupported request body type, expected '%1'" },
  'parameter-invalid': { status: 400, messageId: 'SVC4005', text: "Invalid '%1' parameter value: %2" },
  'body-malformed': { status: 400, messageId: 'SVC4006', text: 'Failed to parse received message body: %1' },
  'body-length-missing': { status: 411, messageId: 'SVC4007', text: 'Missing mandatory Content-Length header' },
  'body-too-large': { status: 413, messageId: 'SVC4006', text: 'Failed to parse received message body: %1' },
  'method-not-allowed': { status: 405, messageId: 'POL4050', text: 'Method not allowed' },
  'not-authenticated': { status: 401, messageId: 'POL4010', text: 'A token is needed' },
  'too-many-requests': { status: 429, messageId: 'POL4290', text: 'Too many requests' },
  'not-signed': { status: 403, messageId: 'POL4030', text: 'The call is not signed: %1' },
  unavailable: { status: 503, messageId: 'POL5030', text: 'Service unavailable: %1' },
  internal: { status: 500, messageId: 'POL5000', text: 'Internal Server Error. Please try again later' },
} as const;

/** Name of an exception of the API. */
type StirApiException = keyof typeof EXCEPTIONS;

/**
 * Makes a problem.
 * @param name - which exception
 * @param variables - what stands in its text for `%1` and `%2`; never a telephone number
 * @returns the problem
 */
export const stirApiProblem = (name: StirApiException, ...variables: readonly string[]): StirApiProblem => ({
  ...EXCEPTIONS[name],
  variables,
});

/**
 * The body of a problem, the same in both dialects: `requestError` with a `serviceException` for what a request did, a `policyException` for
 * what it met.
 * @param problem - from {@link stirApiProblem}
 * @returns JSON text
 * @see ATIS-1000082
 */
export function stirApiProblemBody({ messageId, text, variables }: StirApiProblem): string {
  const kind = messageId.startsWith('POL') ? 'policyException' : 'serviceException';
  return JSON.stringify({ requestError: { [kind]: { messageId, text, variables } } });
}

/** A problem as a sentence, its variables in their places. */
export const stirApiProblemText = ({ text, variables }: StirApiProblem): string =>
  text.replaceAll(/%([1-9])/g, (place, digit: string) => variables[Number(digit) - 1] ?? place);

/** Members of a JSON object that a client sent; nothing of it has been looked at. */
export type Members = Readonly<Record<string, unknown>>;

/** What was read, or what is wrong. */
export type Read<Value> =
  { readonly status: 'read'; readonly value: Value } | { readonly status: 'problem'; readonly problem: StirApiProblem };

/** Most numbers and URIs in one member: those of a group call, as a PASSporT has them. */
const MAX_PARTIES = 32;

/** @param value - anything @returns its members where it is an object that is no list */
const membersOf = (value: unknown): Members | undefined => (isRecord(value) ? value : undefined);

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
  const body = parsedJson(text);
  if (body === undefined) return { status: 'problem', problem: stirApiProblem('body-malformed', 'invalid JSON body') };
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

/**
 * As `claimedParties`, faster where there is one Identity: the claims are read as any JSON, since whatever is no PASSporT to the letter is refused by
 * the verification that follows, whomever it names.
 * @param identity - Identity header values
 * @returns the parties as claimed; never throws for peer input
 */
export function statedParties(identity: readonly string[]): Partial<Pick<VerificationRequest, 'orig' | 'dest'>> {
  const [value = '', ...others] = identity;
  const [, payload] = value.split('.', 2);
  if (others.length > 0 || payload === undefined) return claimedParties(identity);
  const claims = membersOf(parsedJson(Buffer.from(payload, 'base64url').toString('utf8')));
  const orig = partiesOf(claims?.['orig'])[0];
  const dest = partiesOf(claims?.['dest']);
  return orig === undefined || dest.length === 0 ? claimedParties(identity) : { orig, dest };
}

function partiesOf(value: unknown): readonly PassportParty[] {
  const members = membersOf(value);
  const parties = (kind: PassportParty['kind']): readonly PassportParty[] =>
    [members?.[kind]].flat().flatMap((one) => (typeof one === 'string' ? [{ kind, value: one }] : []));
  return [...parties('tn'), ...parties('uri')];
}

import { BlockList, isIP } from 'node:net';
import { HopbackError } from '../../errors.js';
import { headerValues } from '../../core/sip-request.js';
import type { SipRequestText } from '../../core/sip-request.js';
import { parseSipUri } from '../../core/sip-uri.js';
import { CALL_ROLES, MAX_BASIS_CHARS, MAX_NAME_CHARS } from '../../stir/index.js';
import type { Attestation, AttestationFacts } from '../../stir/index.js';
import type { SipRequestLike } from '../sip-request-like.js';
import { trunkPolicy } from '../trunk-policy.js';
import type { TrunkPolicy } from '../trunk-policy.js';
import { redirectProfile } from './profile.js';
import type { RedirectProfile } from './profile.js';

/** Which requests a rule is for: those for which all members hold that are there. None there: every request. */
export interface RedirectCondition {
  /** Addresses that the INVITE came from, or networks as `192.0.2.0/24`. */
  readonly sources?: readonly string[];
  /** Hosts of the Request-URI, in any case: one name of the server for each of its uses. */
  readonly hosts?: readonly string[];
  /** Users of the Request-URI, each to the letter, or by its beginning where it ends in `*`. */
  readonly users?: readonly string[];
  /** A header field that is there, with this value where there is one; case does not count. */
  readonly header?: { readonly name: string; readonly value?: string };
}

/** What every rule says. */
export interface RedirectRuleBase {
  /** Name of the trunk, of at most {@link MAX_NAME_CHARS} characters, for records and rules of attestation. */
  readonly name: string;
  readonly when?: RedirectCondition;
  /** Default that of the server. */
  readonly profile?: RedirectProfile;
}

/** Calls that are signed. */
export interface SigningRule extends RedirectRuleBase {
  readonly mode: 'sign';
  /** What is known of the calls, or a function that knows it of each. The name of the rule is their trunk where they name none. */
  readonly facts: AttestationFacts | ((request: SipRequestLike) => AttestationFacts);
  /** A level that was decided elsewhere for all calls of the rule, with what it rests on; heard as far as the attestation policy hears requests. */
  readonly attestation?: { readonly level: Attestation; readonly basis: string };
}

/** Calls that are verified. */
export interface VerificationRule extends RedirectRuleBase {
  readonly mode: 'verify';
  /** What is done with them. Default that of a terminating provider. */
  readonly policy?: Pick<TrunkPolicy, 'role'> & Partial<TrunkPolicy>;
}

/** What is done with the requests of a trunk. */
export type RedirectRule = SigningRule | VerificationRule;

/** A rule that was looked through, with nothing left open. */
export type ReadyRule = { readonly profile: RedirectProfile; readonly matches: Matcher } & (
  SigningRule | (VerificationRule & { readonly policy: TrunkPolicy })
);

/** @param text - the request as read; absent where it cannot be, and only the address is known */
type Matcher = (request: SipRequestLike, text: SipRequestText | undefined) => boolean;

/**
 * Looks rules through once, so that nothing of them comes up in the middle of a call.
 * @throws {@link HopbackError} `invalid-configuration` for what is unknown or out of range
 * @internal
 */
export function readyRules(rules: readonly RedirectRule[], profile: RedirectProfile): readonly ReadyRule[] {
  if (!Array.isArray(rules) || rules.length === 0) throw invalid('a redirect server needs one rule or more');
  const ready = rules.map((rule: unknown) => readyRule(rule, profile));
  if (new Set(ready.map(({ name }) => name)).size !== ready.length) throw invalid('two redirect rules have one name');
  return ready;
}

const MEMBERS: Readonly<Record<RedirectRule['mode'], readonly string[]>> = {
  sign: ['name', 'when', 'profile', 'mode', 'facts', 'attestation'],
  verify: ['name', 'when', 'profile', 'mode', 'policy'],
};

function readyRule(given: unknown, ofServer: RedirectProfile): ReadyRule {
  if (!isObject(given)) throw invalid('a redirect rule must be an object');
  const { name, mode } = given;
  if (typeof name !== 'string' || name === '' || name.length > MAX_NAME_CHARS)
    throw invalid(`name of a redirect rule must have 1 to ${String(MAX_NAME_CHARS)} characters`);
  if (mode !== 'sign' && mode !== 'verify') throw invalid(`mode of redirect rule ${name} must be sign or verify`);
  const unknown = Object.keys(given).find((member) => !MEMBERS[mode].includes(member));
  if (unknown !== undefined) throw invalid(`${unknown} is no member of redirect rule ${name}, which is to ${mode}`);
  const rule = given as unknown as RedirectRule;
  const { when = {} } = rule;
  const common = {
    profile: rule.profile === undefined ? ofServer : redirectProfile(rule.profile, rule.profile),
    matches: matcherOf(name, when),
  };
  if (rule.mode === 'verify')
    return { ...rule, ...common, policy: trunkPolicy(rule.policy ?? { role: 'terminating' }) };
  requireFacts(rule);
  return { ...rule, ...common };
}

function requireFacts({ name, facts, attestation }: SigningRule): void {
  const isRole = isObject(facts) && CALL_ROLES.includes(facts.role as (typeof CALL_ROLES)[number]);
  if (typeof facts !== 'function' && !isRole)
    throw invalid(`facts of redirect rule ${name} must have a role: ${CALL_ROLES.join(', ')}`);
  if (attestation === undefined) return;
  const { level, basis } = attestation as { readonly level?: unknown; readonly basis?: unknown };
  const isReasoned = typeof basis === 'string' && basis.trim() !== '' && basis.length <= MAX_BASIS_CHARS;
  if (!isReasoned || !(level === 'A' || level === 'B' || level === 'C'))
    throw invalid(`attestation of redirect rule ${name} must have a level, A, B or C, and a basis`);
}

const CONDITIONS: readonly string[] = ['sources', 'hosts', 'users', 'header'];

function matcherOf(name: string, when: RedirectCondition): Matcher {
  if (!isPlainObject(when) || Object.keys(when).some((member) => !CONDITIONS.includes(member)))
    throw invalid(`when of redirect rule ${name} may have ${CONDITIONS.join(', ')}`);
  const { header } = when;
  const sources = textsOf(name, 'sources', when.sources);
  const hosts = textsOf(name, 'hosts', when.hosts)?.map((host) => host.toLowerCase());
  const users = textsOf(name, 'users', when.users);
  if (header !== undefined && (!isPlainObject(header) || typeof header.name !== 'string'))
    throw invalid(`header of redirect rule ${name} must have a name`);
  const isSource = sources === undefined ? undefined : sourceTest(name, sources);
  return (request, text) => {
    if (isSource?.(request.source_address) === false) return false;
    if (hosts === undefined && users === undefined && header === undefined) return true;
    if (text === undefined) return false;
    if (header !== undefined && !hasHeader(text, header)) return false;
    if (hosts === undefined && users === undefined) return true;
    const read = parseSipUri(text.requestUri);
    if (read.status === 'malformed') return false;
    const { host = '', user = '' } = read.uri;
    return hosts?.includes(host) !== false && users?.some((one) => isUser(user, one)) !== false;
  };
}

function textsOf(rule: string, member: string, texts: unknown): readonly string[] | undefined {
  if (texts === undefined) return undefined;
  if (Array.isArray(texts) && texts.length > 0 && texts.every((text) => typeof text === 'string' && text !== ''))
    return texts as readonly string[];
  throw invalid(`${member} of redirect rule ${rule} must be a list of texts`);
}

/** @throws {@link HopbackError} `invalid-configuration` for what is neither address nor network */
function sourceTest(rule: string, sources: readonly string[]): (address: string | undefined) => boolean {
  const list = new BlockList();
  for (const source of sources) {
    const [address = '', prefix, ...more] = source.split('/');
    const family = familyOf(address);
    const bits =
      prefix === undefined ? (family === 'ipv4' ? 32 : 128) : /^\d{1,3}$/.test(prefix) ? Number(prefix) : NaN;
    if (family === undefined || more.length > 0 || !(bits <= (family === 'ipv4' ? 32 : 128)))
      throw invalid(`${source} of redirect rule ${rule} is neither an address nor a network`);
    list.addSubnet(address, bits, family);
  }
  return (stated) => {
    const address = stated?.replace(/^\[|\]$/g, '') ?? '';
    const family = familyOf(address);
    return family !== undefined && list.check(address, family);
  };
}

function familyOf(address: string): 'ipv4' | 'ipv6' | undefined {
  const version = isIP(address);
  return version === 0 ? undefined : version === 4 ? 'ipv4' : 'ipv6';
}

function hasHeader(text: SipRequestText, { name, value }: NonNullable<RedirectCondition['header']>): boolean {
  const values = headerValues(text, name).map((one) => one.trim().toLowerCase());
  return value === undefined ? values.length > 0 : values.includes(value.trim().toLowerCase());
}

const isUser = (user: string, wanted: string): boolean =>
  wanted.endsWith('*') ? user.startsWith(wanted.slice(0, -1)) : user === wanted;

const isObject = (value: unknown): value is Readonly<Record<string, unknown>> => isPlainObject(value);

/** The same of what has a type that says more. */
const isPlainObject = (value: unknown): boolean => typeof value === 'object' && value !== null && !Array.isArray(value);

const invalid = (message: string): HopbackError => new HopbackError('invalid-configuration', message);

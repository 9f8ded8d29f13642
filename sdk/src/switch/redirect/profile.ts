import { BlockList, isIP, isIPv6 } from 'node:net';
import { headerValues } from '../../core/sip-request.js';
import type { SipRequestText } from '../../core/sip-request.js';
import { isUriText, parseSipUri } from '../../core/sip-uri.js';
import { isRecord } from '../../core/text.js';
import { HopbackError } from '../../errors.js';
import { CALL_ROLES, MAX_BASIS_CHARS, MAX_NAME_CHARS } from '../../stir/signing/attestation-policy.js';
import type { Attestation, AttestationFacts, SigningOutcome } from '../../stir/index.js';
import type { SipRequestLike } from '../call-facts.js';
import { trunkPolicy } from '../treat-call.js';
import type { TrunkPolicy } from '../treat-call.js';
import type { CallIdentity } from '../verify-identity.js';

/**
 * How the SBCs of one kind speak to a redirect server: which header fields they read and write, and which responses they act upon. Plain
 * data; {@link redirectProfile} makes a whole one of what differs.
 */
export interface RedirectProfile {
  /** Status of an answer that says something: 302 Moved Temporarily, or 300 Multiple Choices. */
  readonly status: 300 | 302;
  /** Field that a signature goes out in. */
  readonly identityField: string;
  /** Field of the Date that goes with the signature. */
  readonly dateField: string;
  /** Field that names the caller with `verstat`. @see 3GPP TS 24.229 section 7.2A.20 */
  readonly callerField: string;
  /** Field that tells the attestation of a verified call; absent where nobody is told. */
  readonly attestationIndicatorField?: string;
  /** Field that tells the origid of a verified call; absent where nobody is told. */
  readonly origIdIndicatorField?: string;
  /**
   * Fields in which the SBC asks for a level of attestation, `A`, `B` or `C`; the first that is there counts. It is heard as far as the
   * attestation policy of the signing service hears requests. Empty: nobody is asked.
   */
  readonly attestationFields: readonly string[];
  /** Fields in which the SBC names the origid, a UUID; the first that is there counts. */
  readonly origIdFields: readonly string[];
  /** Whether answers say in Reason what was wrong with a call, or why there is nothing to say. @see RFC 3326, RFC 9410 */
  readonly reason: 'told' | 'off';
  /**
   * Where the Contact of an answer leads: the called user at the address that the INVITE came from, the Request-URI as it came, or the called
   * user at a host, with a port where there is one. Most SBCs read no more of it than the user.
   */
  readonly contact: 'source' | 'request-uri' | { readonly host: string };
  /**
   * What a refusal is answered with. `block`: always 603, the one response that every SBC ends a call for; what it would have been stands in
   * Reason. `as-decided`: the 438, 403 and others that the policy comes to.
   */
  readonly refusals: 'block' | 'as-decided';
}

/** Names of {@link REDIRECT_PROFILES}. */
export type RedirectProfileName = 'standard' | 'attestation' | 'attestation-info' | 'x-identity';

const STANDARD: RedirectProfile = {
  status: 302,
  identityField: 'Identity',
  dateField: 'Date',
  callerField: 'P-Asserted-Identity',
  attestationFields: [],
  origIdFields: [],
  reason: 'told',
  contact: 'source',
  refusals: 'block',
};

/**
 * The profiles that are known. `standard`: 302 with Identity and Date, or with P-Asserted-Identity. `attestation`: the same, the level asked for by
 * `Attestation: A`. `attestation-info`: the same, asked for by `Attestation-Info` and `Origination-ID`, which verified calls are told in, too.
 * `x-identity`: 300 with `X-Identity` and `X-Date`, for SBCs that copy nothing but fields whose name begins with `X-`.
 * @see 3GPP TS 24.229 section 7.2
 */
export const REDIRECT_PROFILES: Readonly<Record<RedirectProfileName, RedirectProfile>> = {
  standard: STANDARD,
  attestation: { ...STANDARD, attestationFields: ['Attestation'], origIdFields: ['Origination-ID'] },
  'attestation-info': {
    ...STANDARD,
    attestationFields: ['Attestation-Info'],
    origIdFields: ['Origination-ID'],
    attestationIndicatorField: 'Attestation-Info',
    origIdIndicatorField: 'Origination-ID',
  },
  'x-identity': { ...STANDARD, status: 300, identityField: 'X-Identity', dateField: 'X-Date' },
};

/** Longest name of a header field, characters: the longest that is registered has 36. */
const MAX_FIELD_CHARS = 64;
/** @see RFC 3261 section 25.1, token; without what no switch has in a name */
const FIELD = /^[A-Za-z][A-Za-z0-9-]*$/;
/** A host name or address, IPv6 in brackets, and a port where there is one. @see RFC 3261 section 25.1, hostport */
const HOST = /^(?:[A-Za-z0-9.-]{1,253}|\[[0-9A-Fa-f:.]{2,45}\])(?::\d{1,5})?$/;
/** What a response has of its request or of the server, and Contact and Reason, which are written here already. */
const TAKEN: ReadonlySet<string> = new Set([
  ...['via', 'from', 'to', 'call-id', 'cseq', 'max-forwards', 'route', 'record-route', 'require', 'rseq'],
  ...['contact', 'reason', 'content-length', 'content-type'],
]);
const WRITTEN = [
  ...(['identityField', 'dateField', 'callerField'] as const),
  ...(['attestationIndicatorField', 'origIdIndicatorField'] as const),
];
const READ = ['attestationFields', 'origIdFields'] as const;
const CHOICES = { status: [300, 302], reason: ['told', 'off'], refusals: ['block', 'as-decided'] } as const;
const MEMBERS: ReadonlySet<string> = new Set([...WRITTEN, ...READ, ...Object.keys(CHOICES), 'contact']);

/**
 * Makes a whole profile of what differs from one that is known.
 * @param partial - the members that differ
 * @param base - from what; default `standard`
 * @returns a profile, checked
 * @throws {@link HopbackError} `invalid-configuration` for a member that is unknown or out of range, a name that no header field can have, and
 * one name for two fields of an answer
 * @see RFC 3261 section 21.3
 * @example
 * ```ts
 * const profile = redirectProfile({ attestationFields: ['Attestation'] });
 * console.log(profile.attestationFields.join()); // Attestation
 * ```
 */
export function redirectProfile(
  partial: Partial<RedirectProfile>,
  base: RedirectProfile = REDIRECT_PROFILES.standard,
): RedirectProfile {
  if (typeof partial !== 'object' || partial === null) throw invalid('a redirect profile must be an object');
  const given = Object.fromEntries(Object.entries(partial).filter(([, value]) => value !== undefined));
  const unknown = Object.keys(given).find((name) => !MEMBERS.has(name));
  if (unknown !== undefined) throw invalid(`${unknown} is no member of a redirect profile`);
  const profile: RedirectProfile = { ...base, ...(given as Partial<RedirectProfile>) };
  for (const [name, choices] of Object.entries(CHOICES))
    if (!(choices as readonly unknown[]).includes(profile[name as keyof typeof CHOICES]))
      throw invalid(`${name} of a redirect profile must be one of ${choices.join(', ')}`);
  const written = WRITTEN.map((name) => writtenField(name, profile[name])).filter((name) => name !== undefined);
  if (new Set(written).size !== written.length) throw invalid('two fields of a redirect profile have one name');
  for (const name of READ) requireFields(name, profile[name]);
  if (!isContact(profile.contact))
    throw invalid('contact of a redirect profile must be source, request-uri or an object with a host');
  return profile;
}

function writtenField(member: (typeof WRITTEN)[number], name: unknown): string | undefined {
  if (name === undefined && member.endsWith('IndicatorField')) return undefined;
  if (isField(name) && !TAKEN.has(name.toLowerCase())) return name.toLowerCase();
  throw invalid(`${member} of a redirect profile must be the name of a header field that is not taken`);
}

function requireFields(member: (typeof READ)[number], names: unknown): void {
  if (Array.isArray(names) && names.every(isField)) return;
  throw invalid(`${member} of a redirect profile must be a list of names of header fields`);
}

const isField = (name: unknown): name is string =>
  typeof name === 'string' && name.length <= MAX_FIELD_CHARS && FIELD.test(name);

function isContact(contact: unknown): boolean {
  if (contact === 'source' || contact === 'request-uri') return true;
  if (typeof contact !== 'object' || contact === null || Object.keys(contact).join() !== 'host') return false;
  const { host } = contact as { readonly host: unknown };
  return typeof host === 'string' && HOST.test(host);
}

const invalid = (message: string): HopbackError => new HopbackError('invalid-configuration', message);

/**
 * Value of the Contact of an answer: the called user, written as it came, at the host that the profile says. Where there is no such user, or no
 * such host, it is the Request-URI as it came.
 * @param requestUri - as it came; may be anything
 * @returns undefined for what no Contact can hold; never throws for peer input
 * @see RFC 3261 sections 8.1.3.4 and 21.3
 * @internal
 */
function contactOf(
  requestUri: string,
  { contact, request }: { readonly contact: RedirectProfile['contact']; readonly request: SipRequestLike },
): string | undefined {
  if (!isUriText(requestUri)) return undefined;
  const host = contact === 'request-uri' ? undefined : contact === 'source' ? sourceHost(request) : contact.host;
  const user = host === undefined ? undefined : calledUser(requestUri);
  return user === undefined ? `<${requestUri}>` : `<${user.scheme}:${user.text}@${host}${user.parameter}>`;
}

/** Over UDP with its port, which is that of the SBC; a connection came from a port where nobody listens. */
function sourceHost({ source_address, source_port, protocol }: SipRequestLike): string | undefined {
  // The zone of a link-local address is known on this machine alone. @see RFC 6874 section 1
  const [address = ''] = source_address?.replace(/^\[|\]$/g, '').split('%', 1) ?? [];
  if (isIP(address) === 0) return undefined;
  const port = Number(source_port);
  const isUsual = protocol?.toLowerCase() !== 'udp' || port === SIP_PORT || !(port > 0);
  return `${isIPv6(address) ? `[${address}]` : address}${isUsual ? '' : `:${String(port)}`}`;
}

const SIP_PORT = 5060;

interface CalledUser {
  readonly scheme: 'sip' | 'sips';
  readonly text: string;
  readonly parameter: '' | ';user=phone';
}

/** With its parameters and escapes, as the SBC wrote it. @see RFC 3261 section 19.1.6 for numbers of tel URIs */
function calledUser(requestUri: string): CalledUser | undefined {
  const read = parseSipUri(requestUri);
  if (read.status === 'malformed') return undefined;
  const { scheme, user, params } = read.uri;
  const rest = requestUri.slice(requestUri.indexOf(':') + 1);
  if (scheme === 'tel') return { scheme: 'sip', text: rest, parameter: ';user=phone' };
  if ((scheme !== 'sip' && scheme !== 'sips') || user === undefined) return undefined;
  const parameter = params.get('user') === 'phone' ? ';user=phone' : '';
  return { scheme, text: rest.slice(0, rest.indexOf('@')), parameter };
}

/**
 * What an answer is to the SBC. `signed`, `verified`: it has something to add to the call, which goes on. `nothing-to-say`: the call goes on as it is.
 * `blocked`: the call ends. `unavailable`: the next server may be asked. `forbidden`: nobody serves that address.
 */
export type RedirectOutcome = RedirectAnswer['outcome'];

/** An answer to an INVITE, and what it rests on. */
export interface RedirectAnswer {
  readonly outcome: 'signed' | 'verified' | 'nothing-to-say' | 'blocked' | 'unavailable' | 'forbidden';
  /** Why, in a word that does not change between releases: `already-signed`, `signer-failed`, a concern of the call. */
  readonly because?: string;
  /** 300 or 302, 404, 503, 603, or what a policy decided. */
  readonly status: number;
  readonly reasonPhrase: string;
  /** Header fields. Several Identity values of one answer are one text, with names and line ends between them. */
  readonly headers: Readonly<Record<string, string>>;
  /** Name of the rule that the request fell under; absent where there was none. */
  readonly rule?: string;
  /** What became of the signature, with the record of the decision. Absent where none was asked for. */
  readonly signing?: SigningOutcome;
  /** What was found of a call to be verified. */
  readonly identity?: CallIdentity;
}

/** Words of a Reason value are tokens here; what is no such word is left out. */
const WORD = /^[a-z0-9-]{1,64}$/;

/** The call goes on as it is. @internal */
export function nothingToSay(because: string, { reason }: Pick<RedirectProfile, 'reason'>): RedirectAnswer {
  const isTold = reason === 'told' && WORD.test(because);
  const headers = isTold ? { Reason: `SIP;cause=404;text="${because}"` } : NO_HEADERS;
  return {
    outcome: 'nothing-to-say',
    because,
    status: 404,
    reasonPhrase: 'Not Found',
    headers,
  };
}

/** The next server may be asked. @see RFC 3261 section 21.5.4 @internal */
export const unavailable = (because: string): RedirectAnswer => ({
  outcome: 'unavailable',
  because,
  status: 503,
  reasonPhrase: 'Service Unavailable',
  headers: NO_HEADERS,
});

/** Whoever reaches the port could have calls signed otherwise. @internal */
export const FORBIDDEN: RedirectAnswer = {
  outcome: 'forbidden',
  because: 'no-rule',
  status: 403,
  reasonPhrase: 'Forbidden',
  headers: {},
};

const NO_HEADERS: Readonly<Record<string, string>> = {};

const PHRASES = { 300: 'Multiple Choices', 302: 'Moved Temporarily' } as const;

/** The call goes on with more than it had; as it is where no Contact can be written. @internal */
export function redirected(
  outcome: 'signed' | 'verified',
  headers: Readonly<Record<string, string>>,
  call: {
    readonly requestUri: string;
    readonly profile: RedirectProfile;
    readonly request: SipRequestLike;
  },
): RedirectAnswer {
  const { requestUri, profile, request } = call;
  const contact = contactOf(requestUri, { contact: profile.contact, request });
  if (contact === undefined) return nothingToSay('request-uri-unreadable', profile);
  const { status } = profile;
  return { outcome, status, reasonPhrase: PHRASES[status], headers: { Contact: contact, ...headers } };
}

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

/** What is done with the requests of a trunk: they are signed, or verified. */
export type RedirectRule = {
  /** Name of the trunk, of at most `MAX_NAME_CHARS` characters, for records and rules of attestation. */
  readonly name: string;
  readonly when?: RedirectCondition;
  /** Default that of the server. */
  readonly profile?: RedirectProfile;
} & (
  | {
      readonly mode: 'sign';
      /** What is known of the calls, or a function that knows it of each. The name of the rule is their trunk where they name none. */
      readonly facts: AttestationFacts | ((request: SipRequestLike) => AttestationFacts);
      /** A level that was decided elsewhere for all calls of the rule, with what it rests on; heard as far as the attestation policy hears requests. */
      readonly attestation?: { readonly level: Attestation; readonly basis: string };
    }
  | {
      readonly mode: 'verify';
      /** What is done with them. Default that of a terminating provider. */
      readonly policy?: Pick<TrunkPolicy, 'role'> & Partial<TrunkPolicy>;
    }
);

type SigningRule = Extract<RedirectRule, { readonly mode: 'sign' }>;

/** A rule that was looked through, with nothing left open. */
export type ReadyRule = { readonly profile: RedirectProfile; readonly matches: Matcher } & (
  SigningRule | (Extract<RedirectRule, { readonly mode: 'verify' }> & { readonly policy: TrunkPolicy })
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

const MODE_MEMBERS: Readonly<Record<RedirectRule['mode'], readonly string[]>> = {
  sign: ['name', 'when', 'profile', 'mode', 'facts', 'attestation'],
  verify: ['name', 'when', 'profile', 'mode', 'policy'],
};

function readyRule(given: unknown, ofServer: RedirectProfile): ReadyRule {
  if (!isRecord(given)) throw invalid('a redirect rule must be an object');
  const { name, mode } = given;
  if (typeof name !== 'string' || name === '' || name.length > MAX_NAME_CHARS)
    throw invalid(`name of a redirect rule must have 1 to ${String(MAX_NAME_CHARS)} characters`);
  if (mode !== 'sign' && mode !== 'verify') throw invalid(`mode of redirect rule ${name} must be sign or verify`);
  const unknown = Object.keys(given).find((member) => !MODE_MEMBERS[mode].includes(member));
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
  const isRole = isRecord(facts) && CALL_ROLES.includes(facts.role as (typeof CALL_ROLES)[number]);
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

/** The same of what has a type that says more. */
const isPlainObject = (value: unknown): boolean => isRecord(value);

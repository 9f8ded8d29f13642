import { HopbackError } from '../../errors.js';

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
  ...{ status: 302, identityField: 'Identity', dateField: 'Date', callerField: 'P-Asserted-Identity' },
  ...{ attestationFields: [], origIdFields: [] },
  ...{ reason: 'told', contact: 'source', refusals: 'block' },
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
    ...{ attestationFields: ['Attestation-Info'], origIdFields: ['Origination-ID'] },
    ...{ attestationIndicatorField: 'Attestation-Info', origIdIndicatorField: 'Origination-ID' },
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
 * const profile = redirectProfile({ attestationFields: ['Attestation'] }, REDIRECT_PROFILES['x-identity']);
 * console.log(profile.status, profile.identityField, profile.attestationFields.join()); // 300 X-Identity Attestation
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

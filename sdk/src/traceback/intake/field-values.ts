import type { RequesterKind } from '../../core/traceback-request.js';
import { INTAKE_FIELDS } from './intake-fields.js';
import type { FieldForm, IntakeField } from './intake-fields.js';
import { visibleText } from './visible-text.js';

/** Longest name, id or other text of one line that a request holds. */
export const MAX_LINE_VALUE_CHARS = 512;

/** Longest text of several lines: a transcript of three minutes has 3,000 characters. */
export const MAX_PROSE_CHARS = 16_384;

/**
 * Reads the value of a field that is neither a number nor a time: those may mean several things. Never throws for peer input.
 * @returns in the form that a request has it; undefined where it has not the form of the field
 */
export function fieldValue(field: IntakeField, text: string): string | undefined {
  const written = field === 'transcript' || INTAKE_FIELDS[field].form === 'prose' ? text.trim() : visibleText(text);
  return written === '' ? undefined : FORMS[INTAKE_FIELDS[field].form](written);
}

/** Numbers and times pass through as they are; their readers are others. */
const FORMS: Readonly<Record<FieldForm, (text: string) => string | undefined>> = {
  number: bounded,
  time: bounded,
  zone: bounded,
  precision: (text) => matching(/^(?:day|hour|minute|second|millisecond|microsecond)$/, text.toLowerCase()),
  token: (text) => matching(/^#?([^\s\u0000-\u001f]{1,256})$/, text),
  uuid: (text) => matching(/^[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}$/i, text)?.toLowerCase(),
  attestation: attestationOf,
  code: (text) => matching(/^[0-9a-z]{1,15}$/i, text)?.toUpperCase(),
  frn: (text) => matching(/^\d{10}$/, text),
  duration: durationOf,
  hop: (text) => matching(/^#?([1-9]\d?)(?: of \d{1,2})?$/, text),
  direction: (text) => directionOf(text.toLowerCase()),
  'requester-kind': (text) => requesterKindOf(text),
  email: (text) => emailAddress(text),
  sha256: (text) => matching(/^[0-9a-f]{64}$/i, text)?.toLowerCase(),
  // An address is somebody's, and no provider.
  provider: (text) => (text.includes('@') ? undefined : bounded(text)),
  line: bounded,
  prose: (text) => (text.length > MAX_PROSE_CHARS ? undefined : text),
};

function bounded(text: string): string | undefined {
  return text.length > MAX_LINE_VALUE_CHARS ? undefined : text;
}

/** What a pattern found: its group, or all of it. */
function matching(pattern: RegExp, text: string): string | undefined {
  const found = pattern.exec(text);
  return found === null ? undefined : (found[1] ?? found[0]);
}

/** `A`, `B-level`, `Full (A)`, `Partial attestation`. */
function attestationOf(text: string): string | undefined {
  const lower = text.toLowerCase();
  const letter = /^(?:level |attestation |attestation level )?"?([abc])"?(?:[ -]?(?:level|attestation|attest))?$/.exec(
    lower,
  )?.[1];
  if (letter !== undefined) return letter.toUpperCase();
  const [, word, behind] = /^(full|partial|gateway)(?: attestation)?(?: ?\(?([abc])\)?)?$/.exec(lower) ?? [];
  const meant = word === undefined ? undefined : { full: 'A', partial: 'B', gateway: 'C' }[word];
  return behind === undefined || behind.toUpperCase() === meant ? meant : undefined;
}

/** `32`, `32 s`, `32 seconds`, `0:32`, `00:01:05`, `1 min 5 s`; seconds as a text. */
function durationOf(text: string): string | undefined {
  const lower = text.toLowerCase();
  const plain = /^(\d{1,6})(?:\.\d{1,6})? ?(?:s|sec|secs|second|seconds)?\.?$/.exec(lower)?.[1];
  if (plain !== undefined) return String(Number(plain));
  const clock = /^(?:(\d{1,2}):)?(\d{1,3}):(\d{2})$/.exec(lower);
  if (clock !== null) return String(Number(clock[1] ?? 0) * 3_600 + Number(clock[2]) * 60 + Number(clock[3]));
  const words =
    /^(\d{1,4}) ?(?:m|min|mins|minute|minutes)\.?(?:,? ?(?:and )?(\d{1,2}) ?(?:s|sec|secs|second|seconds)\.?)?$/.exec(
      lower,
    );
  return words === null ? undefined : String(Number(words[1]) * 60 + Number(words[2] ?? 0));
}

function directionOf(lower: string): string | undefined {
  if (/^(?:trace ?)?back(?:ward)?$/.test(lower)) return 'back';
  return /^(?:trace ?)?forward$/.test(lower) ? 'forward' : undefined;
}

/** Words for who asks, exactly as they stand: what merely mentions the FCC is not from it. */
const KINDS: Readonly<Record<string, RequesterKind>> = {
  itg: 'itg',
  'industry traceback group': 'itg',
  'ustelecom industry traceback group': 'itg',
  'ustelecom itg': 'itg',
  fcc: 'fcc',
  'federal communications commission': 'fcc',
  ftc: 'civil-law-enforcement',
  'federal trade commission': 'civil-law-enforcement',
  'civil-law-enforcement': 'civil-law-enforcement',
  'civil law enforcement': 'civil-law-enforcement',
  'criminal-law-enforcement': 'criminal-law-enforcement',
  'criminal law enforcement': 'criminal-law-enforcement',
};

/** Who asks, by the words that name it; undefined where they name nobody that is known. */
export function requesterKindOf(text: string): RequesterKind | undefined {
  const words = text
    .toLowerCase()
    .replace(/[\s()]+/g, ' ')
    .trim();
  return Object.hasOwn(KINDS, words) ? KINDS[words] : undefined;
}

/**
 * Domains from which requests come, and who sends them. From memory where nobody publishes them: to be extended by
 * {@link IntakeOptions.requesters}.
 */
export const REQUESTER_DOMAINS: Readonly<Record<string, RequesterKind>> = {
  'tracebacks.org': 'itg',
  'ustelecom.org': 'itg',
  'fcc.gov': 'fcc',
  'ftc.gov': 'civil-law-enforcement',
};

/** Who sends from a domain: subdomains are of whom the domain is. */
export function kindOfDomain(
  domain: string,
  requesters: Readonly<Record<string, RequesterKind>>,
): RequesterKind | undefined {
  for (let rest = domain; rest.includes('.'); rest = rest.slice(rest.indexOf('.') + 1)) {
    if (Object.hasOwn(requesters, rest)) return requesters[rest];
  }
  return undefined;
}

/** Of an address the domain, in small letters. */
export function domainOf(address: string): string {
  return address.slice(address.lastIndexOf('@') + 1).toLowerCase();
}

/**
 * An e-mail address out of what stands in its place: `itg@example.org`, `<itg@example.org>`, `ITG <itg@example.org>`.
 * @returns undefined where there is none, or none without quotes, brackets and comments
 * @see RFC 5322 section 3.4.1
 */
export function emailAddress(text: string): string | undefined {
  if (text.length > MAX_LINE_VALUE_CHARS) return undefined;
  const open = text.lastIndexOf('<');
  const close = text.indexOf('>', open);
  const bare = (open >= 0 && close > open ? text.slice(open + 1, close) : text).trim().replace(/^mailto:/i, '');
  // Local part and domain as RFC 5321 section 4.5.3.1 bounds them.
  return matching(
    /^[A-Za-z0-9.!#$%&'*+/=?^_`{|}~-]{1,64}@[A-Za-z0-9](?:[A-Za-z0-9-]{0,62}\.){1,8}[A-Za-z]{2,24}$/,
    bare,
  );
}

/** A provider as people write it, with the codes that stand behind its name. */
export interface WrittenProvider {
  readonly name: string;
  readonly ocn?: string;
  readonly spc?: string;
  readonly frn?: string;
}

/** `Example Telecom (OCN 123A)`, `Example Telecom, FRN 0012345678`. Never throws for peer input. */
export function writtenProvider(text: string): WrittenProvider {
  const codes: { ocn?: string; spc?: string; frn?: string } = {};
  let name = text.trim();
  for (let round = 0; round < 3; round += 1) {
    const found = /^(.{1,400}?)[ ,;]{0,3}[([]?(ocn|spc|frn)[: #]{1,3}([0-9a-z]{1,15})[)\]]?$/i.exec(name);
    if (found === null) break;
    const [, before = '', kind = '', code = ''] = found;
    codes[kind.toLowerCase() as 'ocn' | 'spc' | 'frn'] = code.toUpperCase();
    name = before.trim();
  }
  return { name, ...codes };
}

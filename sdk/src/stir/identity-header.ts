import type { Draft } from '../core/text.js';

/**
 * Longest Identity header value that is looked at, characters. A shaken PASSporT takes about 600 and an rcd PASSporT with
 * a card a few thousand; 8 KiB is what SIP stacks commonly accept for one header line.
 */
export const MAX_IDENTITY_HEADER_CHARS = 8192;

/** An Identity header value taken apart. Syntax only: nothing in it is trusted. @see RFC 8224 section 4 */
export interface IdentityHeader {
  /** The PASSporT, full or compact form, as written. */
  readonly token: string;
  /** The URL of the info parameter, without its angle brackets. */
  readonly info?: string;
  /** True when info was given but not as `<URL>`. */
  readonly infoMalformed: boolean;
  /** Value of the `alg` parameter, quotes taken off. */
  readonly alg?: string;
  /** Value of the `ppt` parameter, quotes taken off: the PASSporT type that the header says it carries. */
  readonly ppt?: string;
  /** All other parameters in order, names in lower case. */
  readonly otherParams: readonly { readonly name: string; readonly value: string }[];
}

/** Result of {@link parseIdentityHeader}. */
export type IdentityHeaderResult =
  | { readonly status: 'parsed'; readonly identityHeader: IdentityHeader }
  | {
      readonly status: 'malformed';
      readonly reason: 'identity-header-too-long' | 'identity-header-malformed';
      /** For people: what is wrong with it. */
      readonly detail: string;
    };

/**
 * Takes one Identity header value apart: the PASSporT and its info, alg and ppt parameters. Quoted and unquoted parameter
 * values, folded lines and any order of parameters are accepted; a parameter given twice is not.
 * @see RFC 8224 section 4
 */
export function parseIdentityHeader(value: string): IdentityHeaderResult {
  if (value.length > MAX_IDENTITY_HEADER_CHARS) {
    return {
      status: 'malformed',
      reason: 'identity-header-too-long',
      detail: `${String(value.length)} characters, at most ${String(MAX_IDENTITY_HEADER_CHARS)}`,
    };
  }
  const semicolon = value.indexOf(';');
  const token = trimmed(value, 0, semicolon < 0 ? value.length : semicolon);
  if (token === '') return malformed('no PASSporT before the first semicolon');
  const draft: HeaderDraft = {
    info: undefined,
    infoMalformed: false,
    alg: undefined,
    ppt: undefined,
    otherParams: [],
  };
  for (let at = semicolon; at >= 0 && at < value.length;) {
    const end = parameterEnd(value, at + 1);
    if (end < 0) return malformed('a quoted string or a URL in angle brackets does not end');
    const problem = readParameter(value, { from: at + 1, to: end }, draft);
    if (problem !== undefined) return malformed(problem);
    at = end;
  }
  return { status: 'parsed', identityHeader: finished(token, draft) };
}

/** What {@link formatIdentityHeader} writes. */
export interface IdentityHeaderParts {
  /** The PASSporT: `header.payload.signature`, or `..signature` in compact form; written as it is. */
  readonly token: string;
  /** URL of the certificate, the same as the `x5u` of the PASSporT; written as it is. */
  readonly info: string;
  /** The PASSporT type, as in the header of the PASSporT. Without it no parameter is written. */
  readonly ppt?: string;
}

/**
 * Writes an Identity header value in the form that carriers accept: parameters unquoted, `info`, `alg`, `ppt` in this order.
 * Nothing is escaped or checked: the parts are the signer's own. Never throws.
 * @see RFC 8224 section 4
 */
export function formatIdentityHeader(parts: IdentityHeaderParts): string {
  const ppt = parts.ppt === undefined ? '' : `;ppt=${parts.ppt}`;
  return `${parts.token};info=<${parts.info}>;alg=ES256${ppt}`;
}

interface HeaderDraft {
  info: string | undefined;
  infoMalformed: boolean;
  alg: string | undefined;
  ppt: string | undefined;
  readonly otherParams: { readonly name: string; readonly value: string }[];
}

interface Span {
  readonly from: number;
  readonly to: number;
}

const malformed = (detail: string): IdentityHeaderResult => ({
  status: 'malformed',
  reason: 'identity-header-malformed',
  detail,
});

function finished(token: string, draft: HeaderDraft): IdentityHeader {
  const out: Draft<IdentityHeader> = {
    token,
    infoMalformed: draft.infoMalformed,
    otherParams: draft.otherParams,
  };
  if (draft.info !== undefined) out.info = draft.info;
  if (draft.alg !== undefined) out.alg = draft.alg;
  if (draft.ppt !== undefined) out.ppt = draft.ppt;
  return out;
}

/** Reads `name=value` within the span into the draft; returns what is wrong with it, if anything. */
function readParameter(text: string, span: Span, draft: HeaderDraft): string | undefined {
  const equals = text.indexOf('=', span.from);
  if (equals < 0 || equals >= span.to) {
    const word = trimmed(text, span.from, span.to);
    if (word === '') return 'an empty parameter';
    draft.otherParams.push({ name: word.toLowerCase(), value: '' });
    return undefined;
  }
  const name = trimmed(text, span.from, equals).toLowerCase();
  const value = trimmed(text, equals + 1, span.to);
  switch (name) {
    case 'info':
      return readInfo(value, draft);
    case 'alg':
      if (draft.alg !== undefined) return 'alg is given twice';
      draft.alg = unquoted(value);
      return undefined;
    case 'ppt':
      if (draft.ppt !== undefined) return 'ppt is given twice';
      draft.ppt = unquoted(value);
      return undefined;
    case '':
      return 'a parameter without a name';
    default:
      draft.otherParams.push({ name, value: unquoted(value) });
      return undefined;
  }
}

function readInfo(value: string, draft: HeaderDraft): string | undefined {
  if (draft.info !== undefined || draft.infoMalformed) return 'info is given twice';
  if (value.length > 2 && value.startsWith('<') && value.endsWith('>') && value.indexOf('<', 1) < 0) {
    draft.info = value.slice(1, -1);
  } else {
    draft.infoMalformed = true;
  }
  return undefined;
}

/** Index of the semicolon that ends the parameter starting at `from`, or the end of the text; -1 when a quote stays open. */
function parameterEnd(text: string, from: number): number {
  let at = from;
  while (at < text.length) {
    const code = text.charCodeAt(at);
    if (code === SEMICOLON) return at;
    if (code === QUOTE) {
      at = quoteEnd(text, at + 1);
      if (at < 0) return -1;
    } else if (code === LESS_THAN) {
      at = text.indexOf('>', at);
      if (at < 0) return -1;
    }
    at += 1;
  }
  return at;
}

function quoteEnd(text: string, from: number): number {
  for (let at = from; at < text.length; at += 1) {
    const code = text.charCodeAt(at);
    if (code === QUOTE) return at;
    if (code === BACKSLASH) at += 1;
  }
  return -1;
}

function unquoted(value: string): string {
  if (value.length < 2 || value.charCodeAt(0) !== QUOTE || value.charCodeAt(value.length - 1) !== QUOTE) return value;
  const inner = value.slice(1, -1);
  return inner.includes('\\') ? withoutEscapes(inner) : inner;
}

function withoutEscapes(text: string): string {
  let out = '';
  for (let at = 0; at < text.length; at += 1) {
    if (text.charCodeAt(at) === BACKSLASH) at += 1;
    out += text.charAt(at);
  }
  return out;
}

/** The span without the linear white space around it; a folded line is white space. @see RFC 3261 section 7.3.1 */
function trimmed(text: string, from: number, to: number): string {
  let start = from;
  let end = to;
  while (start < end && isSpace(text.charCodeAt(start))) start += 1;
  while (end > start && isSpace(text.charCodeAt(end - 1))) end -= 1;
  return text.slice(start, end);
}

const isSpace = (code: number): boolean => code === 0x20 || code === 0x09 || code === 0x0d || code === 0x0a;

const SEMICOLON = 0x3b;
const QUOTE = 0x22;
const LESS_THAN = 0x3c;
const BACKSLASH = 0x5c;

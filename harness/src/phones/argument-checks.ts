import { HopbackError } from '@hopback/sdk/errors';
import { MAX_DURATION_MS } from './phone-call.js';

export const invalid = (message: string): HopbackError => new HopbackError('invalid-argument', message);

/** A duration of the caller's, or `invalid-argument`. */
export function duration(value: number, name: string): number {
  if (Number.isFinite(value) && value >= 0 && value <= MAX_DURATION_MS) return value;
  throw invalid(`${name} must be 0 to ${MAX_DURATION_MS} milliseconds, not ${value}`);
}

/** A status that rejects or redirects a call, or `invalid-argument`. */
export function rejection(status: number): number {
  if (Number.isInteger(status) && status >= 300 && status <= 699) return status;
  throw invalid(`a call is rejected with 300 to 699, not with ${status}`);
}

/** Names that the phone writes itself: a second one would make a message that two readers read differently. */
const OWN_HEADERS: ReadonlySet<string> = new Set([
  ...[
    'via',
    'v',
    'from',
    'f',
    'to',
    't',
    'call-id',
    'i',
    'cseq',
    'contact',
    'm',
    'max-forwards',
    'content-length',
    'l',
  ],
  ...['content-type', 'c', 'route', 'record-route', 'authorization', 'proxy-authorization'],
]);

const NAME = /^[A-Za-z0-9!#$%&'*+.^_`|~-]+$/;

/** Header fields as lines, or `invalid-argument`. */
export function headerLines(headers: Readonly<Record<string, string | readonly string[]>> = {}): string[] {
  return Object.entries(headers).flatMap(([name, given]) => {
    if (!NAME.test(name)) throw invalid(`${JSON.stringify(name)} is no name of a header field`);
    if (OWN_HEADERS.has(name.toLowerCase())) throw invalid(`the phone writes ${name} itself`);
    const values = typeof given === 'string' ? [given] : given;
    return values.map((value) => {
      if (hasControl(value)) throw invalid(`a value of ${name} has line ends or control characters`);
      return `${name}: ${value}`;
    });
  });
}

/** A reason phrase, or `invalid-argument`. */
export function reasonPhrase(text: string): string {
  if (!hasControl(text)) return text;
  throw invalid('a reason phrase has line ends or control characters');
}

/** Text that stands between quotation marks in a header, or `invalid-argument`. */
export function quotable(text: string, name: string): string {
  if (!hasControl(text) && !text.includes('"') && !text.includes('\\')) return text;
  throw invalid(`${name} must have no quotation marks, backslashes or control characters`);
}

/** A telephone number of the caller's, or `invalid-argument`. */
export function phoneNumber(text: string, name: string): string {
  if (isPhoneNumber(text)) return text;
  throw invalid(`${name} must be 3 to 15 digits, with or without a + in front`);
}

/** Whether a text is digits as E.164 has them, with or without `+`. */
export function isPhoneNumber(text: string): boolean {
  return /^\+?[0-9]{3,15}$/.test(text);
}

function hasControl(text: string): boolean {
  for (let at = 0; at < text.length; at += 1) {
    const code = text.charCodeAt(at);
    if ((code < 0x20 && code !== 0x09) || code === 0x7f) return true;
  }
  return false;
}

import { printableText } from '../../core/text.js';

/** Longest path or word of the command line that a message repeats. */
const MAX_SHOWN_CHARS = 200;

/** What stands in a message in place of a key. */
const NOT_SHOWN = '(key material, not shown)';

/** The first line of a private key in DER, SEC 1 or PKCS#8, as base64. */
const BASE64_DER = /^M(?:HcC|I[A-Z])[A-Za-z0-9+/_-]{56}/;

/**
 * Whether a text is, or begins like, the content of a key file rather than its name: PEM, also on one line; a private JWK; the
 * base64 of DER.
 * Variables that hold the key in place of its path are usual elsewhere, and messages end up in logs.
 */
export function isKeyMaterial(text: string): boolean {
  const start = text.trimStart();
  const isJwk = start.startsWith('{') && text.includes('"d"');
  return text.includes('-----BEGIN') || isJwk || BASE64_DER.test(start);
}

/** Whether a text has characters that no path, URL or name on a command line has for an honest reason. */
export function isUnprintable(text: string): boolean {
  return printableText(text, text.length) !== text;
}

/** A path or word of the command line for a message: printable, short, and never a key. */
export function shownText(text: string): string {
  return isKeyMaterial(text) ? NOT_SHOWN : printableText(text, MAX_SHOWN_CHARS);
}

/** A message of somebody else, such as the system, up to where it repeats a PEM text. */
export function withoutKeyMaterial(text: string): string {
  const at = text.indexOf('-----BEGIN');
  return at < 0 ? text : `${text.slice(0, at)}${NOT_SHOWN}`;
}

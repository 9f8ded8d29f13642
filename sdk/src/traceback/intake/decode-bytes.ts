import { isUtf8 } from 'node:buffer';

/**
 * Octets of a text file as UTF-8: a file in UTF-16 is recognised by its byte order mark, and what is no UTF-8 is taken for Windows-1252,
 * in which everything means something. Never throws for peer input.
 */
export function utf8Of(bytes: Uint8Array): Uint8Array {
  const [first, second] = bytes;
  if (first === 0xff && second === 0xfe) return Buffer.from(new TextDecoder('utf-16le').decode(bytes));
  if (first === 0xfe && second === 0xff) return Buffer.from(new TextDecoder('utf-16be').decode(bytes));
  return isUtf8(bytes) ? bytes : Buffer.from(new TextDecoder('windows-1252').decode(bytes));
}

/** The text of a file, by {@link utf8Of}. */
export function textOfBytes(bytes: Uint8Array): string {
  return new TextDecoder('utf-8').decode(utf8Of(bytes));
}

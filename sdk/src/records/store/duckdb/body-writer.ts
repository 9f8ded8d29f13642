/** Octets that a writer begins with: some 10,000 records. */
const INITIAL_SIZE = 2 * 1024 * 1024;

/** Characters up to which a text is written here: two calls into Node take longer. Its length is one octet as `unsigned` writes it. */
const MAX_SHORT = 0x7f;

const NIBBLES: Uint8Array = nibbles();

/** Collects the octets of many records in one buffer. */
export interface BodyWriter {
  /** Everything written since the last `reset`. Another buffer after it has grown. */
  readonly bytes: () => Buffer;
  readonly length: () => number;
  readonly reset: () => void;
  /** An unsigned whole number, 7 bits an octet, lowest first. */
  readonly unsigned: (value: number) => void;
  /** A whole number of either sign: zigzag, then as `unsigned`. */
  readonly signed: (value: number) => void;
  /** Hexadecimal digits from `from` to `to`, two an octet; hyphens are left out. */
  readonly hex: (text: string, from: number, to: number) => void;
  /** A whole number below 256 ** size in `size` octets, lowest first. */
  readonly fixed: (value: number, size: number) => void;
  /** A text: its length in octets as `unsigned`, then UTF-8. */
  readonly text: (text: string) => void;
  /** Octets: their number as `unsigned`, then they. */
  readonly octets: (octets: Uint8Array) => void;
  /** All that another writer has. */
  readonly copy: (other: BodyWriter) => void;
}

/** Makes a writer; it grows as it needs to. Never throws but for want of memory. */
export function createBodyWriter(size: number = INITIAL_SIZE): BodyWriter {
  let bytes = Buffer.allocUnsafeSlow(size);
  let length = 0;

  const room = (needed: number): void => {
    if (length + needed <= bytes.length) return;
    const larger = Buffer.allocUnsafeSlow(Math.max(bytes.length * 2, length + needed));
    bytes.copy(larger, 0, 0, length);
    bytes = larger;
  };

  const unsigned = (value: number): void => {
    room(MAX_NUMBER_SIZE);
    let rest = value;
    // Bit operations stop at 32 bits; microseconds do not.
    while (rest >= 0x1000_0000) {
      bytes[length] = (rest % 0x80) | 0x80;
      length += 1;
      rest = Math.floor(rest / 0x80);
    }
    while (rest >= 0x80) {
      bytes[length] = (rest & 0x7f) | 0x80;
      length += 1;
      rest >>>= 7;
    }
    bytes[length] = rest;
    length += 1;
  };

  /** A short text of ASCII, one octet a character. @returns false where it is none: nothing counts as written */
  const shortAscii = (written: string): boolean => {
    const size8 = written.length;
    if (size8 > MAX_SHORT) return false;
    room(size8 + 1);
    // In local variables, as in `hex`.
    const target = bytes;
    const from = length + 1;
    for (let at = 0; at < size8; at += 1) {
      const code = written.charCodeAt(at);
      if (code > 0x7f) return false;
      target[from + at] = code;
    }
    target[length] = size8;
    length = from + size8;
    return true;
  };

  const text = (written: string): void => {
    if (shortAscii(written)) return;
    const size8 = Buffer.byteLength(written);
    unsigned(size8);
    room(size8);
    length += bytes.write(written, length, 'utf8');
  };

  return {
    bytes: () => bytes,
    length: () => length,
    reset: () => {
      length = 0;
    },
    unsigned,
    signed: (value) => unsigned(value < 0 ? -2 * value - 1 : 2 * value),
    hex: (digits, from, to) => {
      room((to - from) >>> 1);
      // In local variables: those of the closure would be read and written for each octet.
      const target = bytes;
      let end = length;
      for (let at = from; at < to; at += 1) {
        const high = digits.charCodeAt(at);
        if (high === HYPHEN) continue;
        at += 1;
        target[end] = ((NIBBLES[high] ?? 0) << 4) | (NIBBLES[digits.charCodeAt(at)] ?? 0);
        end += 1;
      }
      length = end;
    },
    fixed: (value, size8) => {
      room(size8);
      length = bytes.writeUIntLE(value % 0x1_0000_0000_0000, length, Math.min(size8, 6));
      if (size8 > 6) {
        bytes[length] = Math.floor(value / 0x1_0000_0000_0000);
        length += 1;
      }
    },
    text,
    octets: (written) => {
      unsigned(written.length);
      room(written.length);
      bytes.set(written, length);
      length += written.length;
    },
    copy: (other) => {
      const size8 = other.length();
      room(size8);
      other.bytes().copy(bytes, length, 0, size8);
      length += size8;
    },
  };
}

/** Octets of the longest whole number: twice 2 ** 53 in groups of 7 bits. */
const MAX_NUMBER_SIZE = 8;

const HYPHEN = 0x2d;

function nibbles(): Uint8Array {
  const table = new Uint8Array(128);
  for (let value = 0; value < 16; value += 1) table[value.toString(16).charCodeAt(0)] = value;
  return table;
}

/**
 * The form of a record is its JSON text with holes: members, words that few records differ in (trunks, providers, certificates,
 * steps of a verification) and, for each hole, what kind of value fills it. Records of the same trunk and outcome share their forms,
 * so that a record is kept as a few numbers of forms and the octets that fill the holes: a quarter of its JSON, and exactly it.
 *
 * Holes are written with control characters, which JSON text never holds unescaped.
 */
export const HOLE = {
  /** Another form: the next number of the body's list. */
  form: 0x01,
  /** Octets as hexadecimal digits; followed by a character that tells how many octets, see `COUNT_BASE`. */
  hex: 0x02,
  /** A UUID. */
  uuid: 0x03,
  /** Decimal digits without a leading zero, in 5 octets; in 7. */
  digits5: 0x04,
  digits7: 0x05,
  /** Text inside a JSON string. */
  text: 0x06,
  /** The same as an earlier hole; followed by a character that tells which, see `COUNT_BASE`. */
  repeat: 0x07,
  /** A whole number. */
  number: 0x0e,
  /** A time in microseconds, milliseconds or seconds, as the distance from `inviteAtUs`. */
  microseconds: 0x0f,
  milliseconds: 0x10,
  seconds: 0x11,
  recordId: 0x12,
  inviteAtUs: 0x13,
  /** Any JSON value, as its text. */
  json: 0x14,
  /** No value: the string that ends here can be repeated as a whole, beside the part that filled a hole in it. */
  whole: 0x15,
  /** Octets in base64. */
  base64: 0x16,
} as const;

/** Added to counts that stand in a form, so that they are printable. */
export const COUNT_BASE = 0x20;

/** Most holes that can be referred back to, most octets of one run of hexadecimal digits: below the surrogates with `COUNT_BASE`. */
export const MAX_COUNT = 0x4000;

/** Microseconds, milliseconds and seconds of `inviteAtUs`: what times are told from. */
export const PER_MILLISECOND = 1_000;
export const PER_SECOND = 1_000_000;

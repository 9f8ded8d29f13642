/** A document in a form, or why there is none. */
export type FormReading =
  { readonly status: 'read'; readonly octets: Uint8Array } | { readonly status: 'refused'; readonly detail: string };

const FIELD = 'cdr=';
const OPENING_BRACE = 0x7b;
const PERCENT = 0x25;
const PLUS = 0x2b;
const SPACE = 0x20;

/**
 * The document that `mod_json_cdr` puts into the field `cdr` of a form, octet by octet as it was: `encode` true makes percent-encoding,
 * `base64` base64 under a media type of its own. With `disable-100-continue` the module sends the bare document under the media type
 * of a form; that is taken, too. Never throws for peer input.
 * @param octets - of the body
 * @param encoding - which the media type says
 * @see https://url.spec.whatwg.org/#urlencoded-parsing; RFC 4648 section 4
 */
export function formDocument(octets: Uint8Array, encoding: 'percent' | 'base64'): FormReading {
  if (octets[0] === OPENING_BRACE) return { status: 'read', octets };
  const body = Buffer.from(octets.buffer, octets.byteOffset, octets.byteLength);
  const at = fieldAt(body);
  if (at === undefined) return { status: 'refused', detail: 'a form without the field cdr' };
  const end = body.indexOf('&', at);
  const value = body.subarray(at, end < 0 ? undefined : end);
  if (encoding === 'percent') return { status: 'read', octets: percentDecoded(value, SPACE) };
  // FreeSWITCH writes base64 as it is, with its plus signs; others put it into a form as forms have it.
  const base64 = Buffer.from(percentDecoded(value, PLUS)).toString('latin1');
  return { status: 'read', octets: Buffer.from(base64, 'base64') };
}

function fieldAt(body: Buffer): number | undefined {
  if (body.subarray(0, FIELD.length).toString('latin1') === FIELD) return FIELD.length;
  const at = body.indexOf(`&${FIELD}`);
  return at < 0 ? undefined : at + 1 + FIELD.length;
}

/** A percent sign without two hexadecimal digits behind it stands for itself, as the URL standard has it. */
function percentDecoded(value: Uint8Array, plus: number): Uint8Array {
  const decoded = new Uint8Array(value.length);
  let length = 0;
  for (let at = 0; at < value.length; at += 1) {
    const octet = value[at] ?? 0;
    const high = octet === PERCENT ? digitOf(value[at + 1]) : -1;
    const low = high < 0 ? -1 : digitOf(value[at + 2]);
    if (low >= 0) at += 2;
    decoded[length] = low >= 0 ? high * 16 + low : octet === PLUS ? plus : octet;
    length += 1;
  }
  return decoded.subarray(0, length);
}

function digitOf(octet: number | undefined): number {
  if (octet === undefined) return -1;
  if (octet >= 0x30 && octet <= 0x39) return octet - 0x30;
  const letter = octet | 0x20;
  return letter >= 0x61 && letter <= 0x66 ? letter - 0x57 : -1;
}

import type { DistinguishedName } from './certificate.js';
import { DER_TAG, derChildren, derCursor, derObjectIdentifier, hex, MalformedDer } from './der.js';
import type { DerElement } from './der.js';

/** Short names of the attribute types that STI certificates use. @see RFC 5280 section 4.1.2.4, RFC 4519 */
const SHORT_NAMES: Readonly<Record<string, string>> = {
  '2.5.4.3': 'CN',
  '2.5.4.5': 'serialNumber',
  '2.5.4.6': 'C',
  '2.5.4.7': 'L',
  '2.5.4.8': 'ST',
  '2.5.4.9': 'street',
  '2.5.4.10': 'O',
  '2.5.4.11': 'OU',
  '2.5.4.97': 'organizationIdentifier',
  '0.9.2342.19200300.100.1.25': 'DC',
  '0.9.2342.19200300.100.1.1': 'UID',
  '1.2.840.113549.1.9.1': 'emailAddress',
};

/** Most relative names in a name, and most attributes in one of them: names in use have three to eight, each alone. */
const RELATIVE_NAMES_MAX = 32;
const ATTRIBUTES_MAX = 8;

const UTF8 = new TextDecoder('utf-8', { fatal: true });

/**
 * Reads a Name.
 * @param element - the SEQUENCE of relative distinguished names
 * @throws {@link MalformedDer} - callers in this folder catch it
 * @see RFC 5280 sections 4.1.2.4 and 7.1
 */
export function readDistinguishedName(element: DerElement): DistinguishedName {
  const relativeNames = derChildren(element, RELATIVE_NAMES_MAX).map(readRelativeName);
  return {
    text: relativeNames.map((attributes) => attributes.map(readableAttribute).join('+')).join(', '),
    canonical: relativeNames.map((attributes) => attributes.map(canonicalAttribute).sort().join('+')).join(','),
    attributes: relativeNames.flat().map(({ type, value }) => ({ type, value })),
  };
}

interface Attribute {
  readonly type: string;
  readonly value: string;
  /** The value is text; otherwise it is `#` and hex, which a text may look like. */
  readonly isText: boolean;
}

function readRelativeName(element: DerElement): readonly Attribute[] {
  const attributes = derChildren(element, ATTRIBUTES_MAX, DER_TAG.set).map((attribute) => {
    const cursor = derCursor(attribute);
    const oid = derObjectIdentifier(cursor.take(DER_TAG.objectIdentifier));
    const encodedValue = cursor.takeAny();
    cursor.end();
    const text = readText(encodedValue);
    return {
      type: SHORT_NAMES[oid] ?? oid,
      value: text ?? `#${hex(encodedValue.encoded)}`,
      isText: text !== undefined,
    };
  });
  if (attributes.length === 0) throw new MalformedDer('empty relative name');
  return attributes;
}

/** Text of a string type. Any other value is written as `#` and the hex of its encoding. @see RFC 4514 section 2.4 */
function readText(element: DerElement): string | undefined {
  const { content } = element;
  switch (element.tag) {
    case DER_TAG.utf8String:
      try {
        return UTF8.decode(content);
      } catch {
        throw new MalformedDer('UTF8String that is not UTF-8');
      }
    case DER_TAG.printableString:
    case DER_TAG.ia5String:
    case DER_TAG.visibleString:
    case DER_TAG.numericString:
    case DER_TAG.teletexString:
      return Buffer.from(content).toString('latin1');
    case DER_TAG.bmpString:
      if (content.length % 2 !== 0) throw new MalformedDer('BMPString of odd length');
      return Buffer.from(content).swap16().toString('utf16le');
    case DER_TAG.universalString:
      return readUniversalString(content);
    default:
      return undefined;
  }
}

function readUniversalString(content: Uint8Array): string {
  if (content.length % 4 !== 0) throw new MalformedDer('UniversalString whose length is not a multiple of 4');
  const view = new DataView(content.buffer, content.byteOffset, content.byteLength);
  let text = '';
  for (let offset = 0; offset < content.length; offset += 4) {
    const codePoint = view.getUint32(offset);
    if (codePoint > 0x10ffff) throw new MalformedDer('UniversalString with a value outside Unicode');
    text += String.fromCodePoint(codePoint);
  }
  return text;
}

/** Case folded, compatibility forms unified, blanks trimmed and squeezed; separators escaped so that no two names share a text. */
function canonicalAttribute({ type, value, isText }: Attribute): string {
  if (!isText) return `${type}=${value}`;
  const folded = value.normalize('NFKC').toLowerCase().replace(/\s+/gu, ' ').trim();
  return `${type}=${folded.replace(/^#|[\\,+=]/g, '\\$&')}`;
}

function readableAttribute({ type, value, isText }: Attribute): string {
  return `${type}=${isText ? readable(value) : value}`;
}

/** RFC 4514 escapes, and control characters as `\XX`: a subject name is peer text and may end up on a terminal. */
function readable(value: string): string {
  return value
    .replace(/^#|[\\,+"<>;]/g, '\\$&')
    .replace(
      /[\u0000-\u001f\u007f-\u009f\u202a-\u202e\u2066-\u2069]/g,
      (character) => `\\${character.charCodeAt(0).toString(16).padStart(2, '0')}`,
    );
}

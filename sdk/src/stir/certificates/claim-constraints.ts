import type { JwtClaimConstraints } from './certificate.js';
import { DER_TAG, derChildren, derCursor, derExplicit, derIa5Text, MalformedDer } from './der.js';
import type { DerElement } from './der.js';

/** Claims that every PASSporT has: a certificate that excludes one of them would exclude all. @see RFC 9118 section 4 */
const NEVER_EXCLUDED: readonly string[] = ['iat', 'orig', 'dest'];

/** Most claims in one list: PASSporTs have about ten claims, registered ones included. */
const CLAIMS_MAX = 64;

/** Most values permitted in all: a delegate's certificate names some names or logos. */
const PERMITTED_VALUES_MAX = 256;

const UTF8 = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true });

/**
 * Reads the value of a JWTClaimConstraints extension.
 * @param element - from `readDer`
 * @throws {@link MalformedDer} - callers in this folder catch it
 * @see RFC 8226 section 8
 */
export function readJwtClaimConstraints(element: DerElement): JwtClaimConstraints {
  return readConstraints(element, { enhanced: false });
}

/**
 * Reads the value of an EnhancedJWTClaimConstraints extension.
 * @param element - from `readDer`
 * @returns `undefined` where it excludes iat, orig or dest: such an extension is taken as absent
 * @throws {@link MalformedDer} - callers in this folder catch it
 * @see RFC 9118 section 4
 */
export function readEnhancedJwtClaimConstraints(element: DerElement): JwtClaimConstraints | undefined {
  const read = readConstraints(element, { enhanced: true });
  return read.mustExclude.some((claim) => NEVER_EXCLUDED.includes(claim)) ? undefined : read;
}

/** Both sets at once: a PASSporT has to satisfy each extension that its certificate carries. */
export function combineClaimConstraints(
  first: JwtClaimConstraints | undefined,
  second: JwtClaimConstraints | undefined,
): JwtClaimConstraints | undefined {
  if (first === undefined || second === undefined) return first ?? second;
  return {
    mustInclude: [...new Set([...first.mustInclude, ...second.mustInclude])],
    permittedValues: [...first.permittedValues, ...second.permittedValues],
    mustExclude: [...new Set([...first.mustExclude, ...second.mustExclude])],
  };
}

/** All tags are explicit, and nothing may be left over: it could be a constraint that others see. */
function readConstraints(element: DerElement, { enhanced }: { readonly enhanced: boolean }): JwtClaimConstraints {
  const cursor = derCursor(element);
  const mustInclude = cursor.takeOptional(0xa0);
  const permittedValues = cursor.takeOptional(0xa1);
  const mustExclude = enhanced ? cursor.takeOptional(0xa2) : undefined;
  cursor.end();
  if (mustInclude === undefined && permittedValues === undefined && mustExclude === undefined)
    throw new MalformedDer('claim constraints that constrain nothing');
  return {
    mustInclude: mustInclude === undefined ? [] : readClaimNames(mustInclude),
    permittedValues: permittedValues === undefined ? [] : readPermittedValues(permittedValues),
    mustExclude: mustExclude === undefined ? [] : readClaimNames(mustExclude),
  };
}

function readClaimNames(tagged: DerElement): readonly string[] {
  return readList(derExplicit(tagged, DER_TAG.sequence), CLAIMS_MAX).map(readClaimName);
}

function readPermittedValues(tagged: DerElement): JwtClaimConstraints['permittedValues'] {
  let left = PERMITTED_VALUES_MAX;
  return readList(derExplicit(tagged, DER_TAG.sequence), CLAIMS_MAX).map((element) => {
    const cursor = derCursor(element);
    const claim = readClaimName(cursor.takeAny());
    const permitted = readList(cursor.take(DER_TAG.sequence), left).map(readUtf8);
    cursor.end();
    left -= permitted.length;
    return { claim, permitted };
  });
}

function readList(element: DerElement, max: number): readonly DerElement[] {
  const children = derChildren(element, max);
  if (children.length === 0) throw new MalformedDer('claim constraints with an empty list');
  return children;
}

function readClaimName(element: DerElement): string {
  if (element.tag !== DER_TAG.ia5String) throw new MalformedDer('claim name that is not an IA5String');
  return derIa5Text(element);
}

function readUtf8({ tag, content }: DerElement): string {
  if (tag !== DER_TAG.utf8String) throw new MalformedDer('claim value that is not a UTF8String');
  try {
    return UTF8.decode(content);
  } catch {
    throw new MalformedDer('claim value that is not UTF-8');
  }
}

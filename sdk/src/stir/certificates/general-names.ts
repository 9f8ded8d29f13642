import { DER_TAG, derChildren, derCursor, derExplicit, derIa5Text, derObjectIdentifier } from './der.js';
import type { DerElement } from './der.js';
import { readDistinguishedName } from './distinguished-name.js';

/** Most names in one GeneralNames list: a CRL is published under one or two URLs. More is there to make work and take memory. */
export const GENERAL_NAMES_MAX = 16;

/** Most entries of AuthorityInfoAccess. */
const ACCESS_DESCRIPTIONS_MAX = 16;

/** caIssuers access method. @see RFC 5280 section 4.2.2.1 */
const CA_ISSUERS_OID = '1.3.6.1.5.5.7.48.2';

/** Identifier octets of the two kinds of name that are read. @see RFC 5280 section 4.2.1.6 */
const GENERAL_NAME_TAG = { directoryName: 0xa4, uniformResourceIdentifier: 0x86 } as const;

/** What is read of GeneralNames; names of other kinds are passed over. */
export interface GeneralNames {
  readonly urls: readonly string[];
  /** Canonical text of the first directory name. */
  readonly directoryName?: string;
}

/**
 * Reads GeneralNames.
 * @param element - the names
 * @param tag - its identifier octet: SEQUENCE, or the implicit tag in its place
 * @throws {@link MalformedDer} also for more than {@link GENERAL_NAMES_MAX} names - callers in this folder catch it
 * @see RFC 5280 section 4.2.1.6
 */
export function readGeneralNames(element: DerElement, tag: number = DER_TAG.sequence): GeneralNames {
  const names = derChildren(element, GENERAL_NAMES_MAX, tag);
  const directoryName = names.find(({ tag }) => tag === GENERAL_NAME_TAG.directoryName);
  return {
    urls: names.filter(({ tag }) => tag === GENERAL_NAME_TAG.uniformResourceIdentifier).map(derIa5Text),
    // Name is a CHOICE, so that its tag is explicit.
    ...(directoryName && {
      directoryName: readDistinguishedName(derExplicit(directoryName, DER_TAG.sequence)).canonical,
    }),
  };
}

/**
 * URLs of a DistributionPointName: of fullName, since a name relative to the CRL issuer has none.
 * @param element - the `[0]` around it
 * @throws {@link MalformedDer} - callers in this folder catch it
 * @see RFC 5280 section 4.2.1.13
 */
export function readDistributionPointName(element: DerElement): readonly string[] {
  const cursor = derCursor(element, 0xa0);
  const fullName = cursor.takeOptional(0xa0);
  if (fullName === undefined) cursor.take(0xa1);
  cursor.end();
  return fullName === undefined ? [] : readGeneralNames(fullName, fullName.tag).urls;
}

/**
 * URLs of the caIssuers entries of an AuthorityInfoAccess.
 * @param element - from `readDer`
 * @throws {@link MalformedDer} - callers in this folder catch it
 * @see RFC 5280 sections 4.2.2.1 and 5.2.7
 */
export function readCaIssuers(element: DerElement): readonly string[] {
  return derChildren(element, ACCESS_DESCRIPTIONS_MAX).flatMap((description) => {
    const cursor = derCursor(description);
    const method = derObjectIdentifier(cursor.take(DER_TAG.objectIdentifier));
    const location = cursor.takeAny();
    cursor.end();
    const isUrl = location.tag === GENERAL_NAME_TAG.uniformResourceIdentifier;
    return method === CA_ISSUERS_OID && isUrl ? [derIa5Text(location)] : [];
  });
}

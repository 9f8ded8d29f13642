import { EXTENSION_OID, readRawExtensions } from './certificate-extensions.js';
import type { RawExtension } from './certificate-extensions.js';
import {
  DER_TAG,
  derChildren,
  derCursor,
  derInteger,
  derIntegerHex,
  derTimeMs,
  hex,
  MalformedDer,
  readDer,
} from './der.js';
import type { DerElement } from './der.js';
import { readGeneralNames } from './general-names.js';

/** Why a certificate was revoked. @see RFC 5280 section 5.3.1 */
export type CrlReason =
  | 'unspecified'
  | 'keyCompromise'
  | 'cACompromise'
  | 'affiliationChanged'
  | 'superseded'
  | 'cessationOfOperation'
  | 'certificateHold'
  | 'removeFromCRL'
  | 'privilegeWithdrawn'
  | 'aACompromise';

/** One revoked certificate. */
export interface CrlEntry {
  /** Milliseconds since the epoch. */
  readonly revokedAtMs: number;
  /** Absent where the CRL gives none; a code that is not defined is read as `unspecified`. */
  readonly reason?: CrlReason;
}

/**
 * Most entries of a CRL: several for every certificate that providers of the US and Canada have. An entry takes about 200 bytes of
 * memory, and reading so many blocks the event loop for about a tenth of a second.
 */
export const CRL_MAX_ENTRIES = 32_768;

const REASONS: Readonly<Record<number, CrlReason>> = {
  0: 'unspecified',
  1: 'keyCompromise',
  2: 'cACompromise',
  3: 'affiliationChanged',
  4: 'superseded',
  5: 'cessationOfOperation',
  6: 'certificateHold',
  8: 'removeFromCRL',
  9: 'privilegeWithdrawn',
  10: 'aACompromise',
};

const PROCESSED_ENTRY_EXTENSIONS: ReadonlySet<string> = new Set([
  EXTENSION_OID.reasonCode,
  EXTENSION_OID.certificateIssuer,
]);

/** What the list of revoked certificates says. */
export interface CrlEntries {
  /** Canonical issuer name → serial number (as in `Certificate`) → entry. */
  readonly revoked: ReadonlyMap<string, ReadonlyMap<string, CrlEntry>>;
  readonly revokedCount: number;
  /** Why the whole list has become unusable. */
  readonly problem?: string;
}

/** What the entries are part of. */
export interface CrlEntriesContext {
  /** Canonical name of the CRL issuer. */
  readonly issuer: string;
  readonly indirect: boolean;
  readonly version: 1 | 2;
}

/**
 * Reads the entries of a CRL, those of one issuer after the other: certificateIssuer counts until an entry names another.
 * @param list - the SEQUENCE of entries
 * @throws {@link MalformedDer} also for more than {@link CRL_MAX_ENTRIES} - callers in this folder catch it
 * @see RFC 5280 section 5.3
 */
export function readCrlEntries(list: DerElement | undefined, context: CrlEntriesContext): CrlEntries {
  if (list === undefined) return { revoked: new Map(), revokedCount: 0 };
  const revoked = new Map<string, Map<string, CrlEntry>>();
  const readExtensions = rememberingExtensions(context);
  const cursor = derCursor(list);
  let issuer = context.issuer;
  let revokedCount = 0;
  for (let count = 0; !cursor.atEnd(); count += 1) {
    if (count === CRL_MAX_ENTRIES) throw new MalformedDer(`CRL of more than ${CRL_MAX_ENTRIES} entries`);
    const [serial, revocationDate, extensions] = derChildren(cursor.take(DER_TAG.sequence), 3);
    if (serial === undefined || revocationDate === undefined) throw new MalformedDer('CRL entry without a date');
    const serialNumber = derIntegerHex(serial);
    const revokedAtMs = derTimeMs(revocationDate);
    const said = extensions === undefined ? NOTHING_SAID : readExtensions(extensions);
    if (said.problem !== undefined) return { revoked: new Map(), revokedCount: 0, problem: said.problem };
    issuer = said.issuer ?? issuer;
    // Only a delta CRL takes entries back; in a complete one the entry says that the certificate is not revoked.
    if (said.reason === 'removeFromCRL') continue;
    const ofIssuer = revoked.get(issuer) ?? new Map<string, CrlEntry>();
    revoked.set(issuer, ofIssuer);
    const known = ofIssuer.get(serialNumber);
    if (known === undefined) revokedCount += 1;
    // Twice in one list: a hold can be lifted, so that it does not take the place of what cannot.
    if (known === undefined || known.reason === 'certificateHold')
      ofIssuer.set(serialNumber, said.reason === undefined ? { revokedAtMs } : { revokedAtMs, reason: said.reason });
  }
  return { revoked, revokedCount };
}

/** What the extensions of one entry say. */
interface EntryExtensions {
  readonly reason?: CrlReason;
  readonly issuer?: string;
  readonly problem?: string;
}

const NOTHING_SAID: EntryExtensions = {};

/** The same few lists of extensions come thousands of times in one CRL. */
function rememberingExtensions({ indirect, version }: CrlEntriesContext): (extensions: DerElement) => EntryExtensions {
  const known = new Map<string, EntryExtensions>();
  return (element) => {
    if (version === 1) throw new MalformedDer('extensions in a version 1 CRL');
    const bytes = hex(element.encoded);
    const said = known.get(bytes) ?? readEntryExtensions(readRawExtensions(element), indirect);
    known.set(bytes, said);
    return said;
  };
}

/** RFC 5280 section 5.3: one entry that cannot be processed makes the status of every certificate unknown, not only of its own. */
function readEntryExtensions(extensions: readonly RawExtension[], indirect: boolean): EntryExtensions {
  const unknown = extensions.find(({ oid, critical }) => critical && !PROCESSED_ENTRY_EXTENSIONS.has(oid));
  if (unknown !== undefined) return { problem: `unknown critical CRL entry extension ${unknown.oid}` };
  const find = (oid: string): RawExtension | undefined => extensions.find((extension) => extension.oid === oid);
  const names = find(EXTENSION_OID.certificateIssuer);
  if (names !== undefined && !indirect) return { problem: 'an entry names its issuer, but the CRL is not indirect' };
  const reason = find(EXTENSION_OID.reasonCode);
  return {
    ...(names && { issuer: readCertificateIssuer(names) }),
    ...(reason && { reason: REASONS[Number(derInteger(readDer(reason.value)))] ?? 'unspecified' }),
  };
}

function readCertificateIssuer({ value }: RawExtension): string {
  const { directoryName } = readGeneralNames(readDer(value));
  if (directoryName === undefined) throw new MalformedDer('certificateIssuer without a directory name');
  return directoryName;
}

import type { ProviderEntry } from '@hopback/sdk/platform';
import type { ProviderReference } from '@hopback/sdk/traceback';
import type { ReferenceMeaning, ReferencePart } from '@hopback/sdk/internal';
import { comparableBusinessName, mixedReference } from '@hopback/sdk/internal';

/** What a provider can be found by. */
export interface ProviderCode {
  readonly kind: 'id' | 'frn' | 'ocn' | 'spc' | 'name';
  readonly value: string;
}

/** A code, and who has it. */
export interface CodeOwner extends ProviderCode {
  readonly providerId: string;
}

/** All that an entry can be found by, each once. Names are in the spelling by which they are compared. */
export function codesOf(entry: ProviderEntry): readonly ProviderCode[] {
  const names = [entry.businessName, ...entry.otherDbaNames, ...entry.previousBusinessNames]
    .map(comparableBusinessName)
    .filter((name) => name !== '');
  return [
    ...(entry.frn === undefined ? [] : [{ kind: 'frn', value: entry.frn } as const]),
    ...[...new Set(entry.ocns)].map((value) => ({ kind: 'ocn', value }) as const),
    ...[...new Set(entry.spcs)].map((value) => ({ kind: 'spc', value }) as const),
    ...[...new Set(names)].map((value) => ({ kind: 'name', value }) as const),
  ];
}

/** Text in which a part of a name is looked for, without regard to case. */
export const searchTextOf = (entry: ProviderEntry): string =>
  [entry.businessName, ...entry.previousBusinessNames, ...entry.otherDbaNames].join('\n').toLowerCase();

/**
 * What has to be looked up for a reference. An SPC is an OCN as a rule (RFC 8226 section 9), so that each is looked for as the other too.
 */
export function codesToLookUp(reference: ProviderReference): readonly ProviderCode[] {
  const name = comparableBusinessName(reference.name);
  return [
    ...statedCodes(reference).flatMap(({ kind, value }) =>
      OTHER_KIND[kind] === undefined
        ? [{ kind, value }]
        : (['ocn', 'spc'] as const).map((code) => ({ kind: code, value })),
    ),
    ...(name === '' ? [] : [{ kind: 'name', value: name } as const]),
  ];
}

/** Whom a reference means. */
export type ResolvedReference = ReferenceMeaning;

/** Owners of {@link codesToLookUp}, and every code of these owners. */
interface FoundCodes {
  readonly owners: readonly CodeOwner[];
  readonly codesOfOwners: readonly CodeOwner[];
}

/**
 * Whom a reference means, of what was found. A code that only one has decides; a name beside it that belongs to others speaks against it, and a
 * name alone decides only where one provider has it and none of the codes of the reference contradicts what that one is known under. To name
 * the wrong provider is an accusation: wherever anything is in doubt nobody is named.
 * @param reference - as somebody stated it
 * @returns `several` where it cannot be told: because several have what it says, or because one thing speaks against another
 */
export function resolveReference(reference: ProviderReference, found: FoundCodes): ReferenceMeaning {
  const meant = meaningOf(reference, found);
  if (meant.status !== 'several') return meant;
  const mixed = mixedReference(ownedParts(reference, found.owners));
  return mixed === undefined ? meant : { ...meant, mixed };
}

function meaningOf(reference: ProviderReference, found: FoundCodes): ReferenceMeaning {
  const byCode = new Set(statedCodes(reference).flatMap((code) => ownersOf(code, found.owners)));
  const name = comparableBusinessName(reference.name);
  const named = new Set(
    name === '' ? [] : found.owners.filter((one) => one.kind === 'name' && one.value === name).map(providerOf),
  );
  if (byCode.size > 1) return several(byCode);
  const [coded] = byCode;
  if (coded !== undefined && named.size > 0 && !named.has(coded)) return several(new Set([coded, ...named]));
  if (coded === undefined && named.size > 1) return several(named);
  const providerId = coded ?? [...named][0];
  if (providerId === undefined) return { status: 'unlisted' };
  const known = found.codesOfOwners.filter((code) => code.providerId === providerId);
  return isContradicted(reference, providerId, known)
    ? several(new Set([providerId]))
    : { status: 'found', providerId };
}

/** What a reference states, with the owners of each. */
function ownedParts(reference: ProviderReference, owners: readonly CodeOwner[]): readonly ReferencePart[] {
  const codes = statedCodes(reference).map(({ kind, value }): ReferencePart => ({
    kind: kind === 'id' ? 'providerId' : kind,
    value,
    providerIds: ownersOf({ kind, value }, owners),
  }));
  const name = comparableBusinessName(reference.name);
  const named = owners.filter((one) => one.kind === 'name' && one.value === name).map(providerOf);
  return [...codes, { kind: 'name', value: reference.name, providerIds: named }];
}

const providerOf = ({ providerId }: CodeOwner): string => providerId;

const several = (ids: ReadonlySet<string>): ReferenceMeaning => ({
  status: 'several',
  providerIds: [...ids].sort((one, other) => (one < other ? -1 : 1)),
});

const KINDS = ['id', 'frn', 'ocn', 'spc'] as const;
type CodeKind = (typeof KINDS)[number];

function statedCodes({ providerId, frn, ocn, spc }: ProviderReference): readonly { kind: CodeKind; value: string }[] {
  const stated = { id: providerId, frn, ocn, spc };
  return KINDS.flatMap((kind) => {
    const value = stated[kind];
    return value === undefined ? [] : [{ kind, value }];
  });
}

const OTHER_KIND: Readonly<Partial<Record<CodeKind, CodeKind>>> = { ocn: 'spc', spc: 'ocn' };

function ownersOf({ kind, value }: { kind: CodeKind; value: string }, owners: readonly CodeOwner[]): readonly string[] {
  const of = (wanted: CodeKind | undefined): readonly string[] =>
    owners.filter((one) => one.kind === wanted && one.value === value).map(providerOf);
  const own = of(kind);
  return own.length > 0 ? own : of(OTHER_KIND[kind]);
}

/** Whether the reference has a code, and its provider is known under others of that kind. */
function isContradicted(reference: ProviderReference, providerId: string, known: readonly CodeOwner[]): boolean {
  return statedCodes(reference).some(({ kind, value }) => {
    if (kind === 'id') return value !== providerId;
    const ofKind = known.filter((code) => code.kind === kind);
    const fits = known.some((code) => (code.kind === kind || code.kind === OTHER_KIND[kind]) && code.value === value);
    return ofKind.length > 0 && !fits;
  });
}

/** Longest cursor that is read: those of ours are a name and an id. */
const MAX_CURSOR_CHARS = 2_048;

/** A place in a list as the text that a page ends with. @param parts - what the list is sorted by, of its last item */
export const writeCursor = (parts: readonly (string | number)[]): string =>
  Buffer.from(JSON.stringify(parts)).toString('base64url');

/**
 * Reads a cursor of {@link writeCursor}. Never throws.
 * @param form - types of its parts, in order
 * @returns its parts; undefined where it is none of ours
 */
export function readCursor(
  cursor: string,
  form: readonly ('string' | 'number')[],
): readonly (string | number)[] | undefined {
  if (cursor.length > MAX_CURSOR_CHARS) return undefined;
  let given: unknown;
  try {
    given = JSON.parse(Buffer.from(cursor, 'base64url').toString('utf8'));
  } catch {
    return undefined;
  }
  if (!Array.isArray(given) || given.length !== form.length) return undefined;
  const parts = given as readonly unknown[];
  const isOurs = parts.every((part, index) => typeof part === form[index] && isStorable(part));
  return isOurs ? (parts as readonly (string | number)[]) : undefined;
}

/** A text with a zero octet is none for PostgreSQL, and a number beyond its bigint neither. */
const isStorable = (part: unknown): boolean =>
  typeof part === 'string' ? !/[\u0000\p{Surrogate}]/u.test(part) : Number.isSafeInteger(part);

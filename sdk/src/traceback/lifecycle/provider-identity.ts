import type { Draft } from '../../core/draft.js';
import type { ContactDetails, ProviderReference } from '../../core/traceback-request.js';

/**
 * Whether two references mean the same provider, as far as they tell: an identifier in common, or, where nothing speaks against it, the same
 * name. Who knows of affiliates and old names puts the provider's own reference into events first.
 */
export function isSameProvider(one: ProviderReference, other: ProviderReference): boolean {
  if (one === other || sharesIdentifier(one, other)) return true;
  return !hasOtherIdentity(one, other) && plainName(one.name) === plainName(other.name);
}

/** Whether two references cannot mean the same provider. A provider has one id and one registration, and may have many codes. */
export function isOtherProvider(one: ProviderReference, other: ProviderReference): boolean {
  return one !== other && !sharesIdentifier(one, other) && hasOtherIdentity(one, other);
}

/** Written out: it is asked of every two hops of a path. */
function sharesIdentifier(one: ProviderReference, other: ProviderReference): boolean {
  return (
    (one.providerId !== undefined && one.providerId === other.providerId) ||
    (one.frn !== undefined && one.frn === other.frn) ||
    (one.ocn !== undefined && one.ocn === other.ocn) ||
    (one.spc !== undefined && one.spc === other.spc)
  );
}

/** Whether both have an identifier of which a provider has one alone, of two that do not share any. */
function hasOtherIdentity(one: ProviderReference, other: ProviderReference): boolean {
  return (
    (one.providerId !== undefined && other.providerId !== undefined) ||
    (one.frn !== undefined && other.frn !== undefined)
  );
}

/** A provider's name among others in one traceback. */
export function providerKey(provider: ProviderReference): string {
  for (const name of KEYS) if (provider[name] !== undefined) return `${name}:${provider[name]}`;
  return `name:${plainName(provider.name)}`;
}

/** The same of one that no registry lists. */
export function contactKey({ name, email, telephone }: ContactDetails): string {
  return ['contact', plainName(name), email?.toLowerCase() ?? '', telephone ?? ''].join(':');
}

/** What is kept of a reference, in one order, so that repeats can be told from changes. */
export function keptProvider({ providerId, name, ocn, spc, frn }: ProviderReference): ProviderReference {
  const kept: Draft<ProviderReference> = providerId === undefined ? { name } : { providerId, name };
  if (ocn !== undefined) kept.ocn = ocn;
  if (spc !== undefined) kept.spc = spc;
  if (frn !== undefined) kept.frn = frn;
  return kept;
}

/** The same of contact details. */
export function keptContact({ name, email, telephone, postalAddress, country }: ContactDetails): ContactDetails {
  return {
    name,
    ...(email !== undefined && { email }),
    ...(telephone !== undefined && { telephone }),
    ...(postalAddress !== undefined && { postalAddress }),
    ...(country !== undefined && { country }),
  };
}

const KEYS = ['providerId', 'frn', 'ocn', 'spc'] as const;

function plainName(name: string): string {
  return name.trim().toLowerCase();
}

import type { ProviderReference } from '../../core/traceback-request.js';
import { codeValues } from './provider-identity.js';
import type { ProviderIdentities } from './provider-identity.js';
import { comparableBusinessName } from './business-name.js';
import type { TrunkEntry } from './trunk-directory-data.js';

/**
 * Makes the question whether a directory knows whom a reference means: by the list of its providers, or because one of its entries names
 * the same. What the names and codes of several providers contradict means nobody.
 * @returns never throws
 */
export function knownReferences(
  entries: readonly TrunkEntry[],
  identities: ProviderIdentities,
): (reference: ProviderReference) => boolean {
  const byKey = new Map<string, ProviderReference[]>();
  for (const reference of namedBy(entries)) {
    for (const key of keysOf(reference)) {
      const others = byKey.get(key);
      if (others === undefined) byKey.set(key, [reference]);
      else others.push(reference);
    }
  }
  return (reference) => {
    const { status } = identities.resolve(reference);
    if (status !== 'unknown') return status === 'resolved';
    return keysOf(reference).some(
      (key) => byKey.get(key)?.some((named) => identities.isOne(named, reference)) === true,
    );
  };
}

/** Each provider that entries name, once for each way in which they name it: a large one has a thousand trunks. */
function namedBy(entries: readonly TrunkEntry[]): readonly ProviderReference[] {
  const named = new Map<string, ProviderReference>();
  for (const { party } of entries) {
    if (party.kind === 'customer') continue;
    const reference = party.kind === 'provider' ? party.provider : { name: party.contact.name };
    const { name, providerId, frn, ocn, spc } = reference;
    named.set(JSON.stringify([comparableBusinessName(name), providerId, frn, ocn, spc]), reference);
  }
  return [...named.values()];
}

/** By any of these another reference may mean the same; an SPC may be an OCN. */
function keysOf(reference: ProviderReference): readonly string[] {
  const name = comparableBusinessName(reference.name);
  return [...(name === '' ? [] : [`name ${name}`]), ...codeValues(reference).map((value) => `code ${value}`)];
}

import type { ProviderReference } from '../contract/common.js';
import type { TracebackAnswer } from '../contract/traceback-exchange.js';

/** One code or name of a reference, and which providers of a registry have it. */
export interface ReferencePart {
  readonly kind: 'providerId' | 'frn' | 'ocn' | 'spc' | 'name';
  readonly value: string;
  readonly providerIds: readonly string[];
}

/** Two parts of one reference that belong to different companies. */
export type MixedReference = readonly [ReferencePart, ReferencePart];

/** Whom a reference means by a registry. `several`: it cannot be told; with `mixed` because the reference mixes two companies. */
export type ReferenceMeaning =
  | { readonly status: 'found'; readonly providerId: string }
  | { readonly status: 'unlisted' }
  | {
      readonly status: 'several';
      readonly providerIds: readonly string[];
      readonly mixed?: MixedReference;
    };

/**
 * Finds two parts of a reference that no single company has. A part that nobody has speaks against nobody.
 * @param parts - every stated code and name, with all of its owners
 * @returns the first two that contradict each other, in the order given; undefined where none do. Never throws
 * @see 47 CFR 64.6305 for the registry
 * @example
 * ```ts
 * const id = { kind: 'providerId', value: 'prv-birch', providerIds: ['prv-birch'] } as const;
 * const ocn = { kind: 'ocn', value: '3001', providerIds: ['prv-cedar'] } as const;
 * console.log(mixedReference([id, ocn])?.map(({ kind }) => kind)); // [ 'providerId', 'ocn' ]
 * ```
 */
export function mixedReference(parts: readonly ReferencePart[]): MixedReference | undefined {
  const owned = parts.filter(({ providerIds }) => providerIds.length > 0);
  for (const [index, one] of owned.entries()) {
    const other = owned
      .slice(index + 1)
      .find(({ providerIds }) => !providerIds.some((id) => one.providerIds.includes(id)));
    if (other !== undefined) return [one, other];
  }
  return undefined;
}

/**
 * Says which two companies a reference mixes.
 * @param what - what the reference is, such as `The upstream provider`
 * @param mixed - from `mixedReference`
 * @returns a sentence for people that names both sides. Never throws
 * @see RFC 9457 section 3.1.4
 * @example
 * ```ts
 * const id = { kind: 'providerId', value: 'prv-birch', providerIds: ['prv-birch'] } as const;
 * const ocn = { kind: 'ocn', value: '3001', providerIds: ['prv-cedar'] } as const;
 * console.log(mixedReferenceText('The provider', [id, ocn])); // The provider mixes two companies: id prv-birch is prv-birch, OCN 3001 is prv-cedar.
 * ```
 */
export function mixedReferenceText(what: string, mixed: MixedReference): string {
  const [one, other] = mixed;
  return `${what} mixes two companies: ${partText(one)}, ${partText(other)}.`;
}

const KIND_WORDS = {
  providerId: 'id',
  frn: 'FRN',
  ocn: 'OCN',
  spc: 'SPC',
  name: 'name',
} as const;
/** Characters of a name that stand in a problem. */
const SHOWN_CHARS = 60;
/** Owners of a shared code that stand in a problem. */
const SHOWN_OWNERS = 3;

function partText({ kind, value, providerIds }: ReferencePart): string {
  return `${KIND_WORDS[kind]} ${value.slice(0, SHOWN_CHARS)} is ${providerIds.slice(0, SHOWN_OWNERS).join(' or ')}`;
}

/** A provider that an answer speaks of. */
export interface AnswerParty {
  /** For people: `The upstream provider`. */
  readonly what: string;
  /** JSON Pointer into the answer. RFC 6901 */
  readonly pointer: string;
  readonly reference: ProviderReference;
}

/**
 * All providers that an answer refers to: first the one that answers, then the one that its finding names.
 * @param answer - as it came
 * @returns one or two; contact details of providers that no registry lists are not among them. Never throws
 * @see 47 CFR 64.1200(n)(1)
 * @example
 * ```ts
 * const finding = { arm: 'received-from', upstream: { name: 'Cedar Gateway Corp.' } } as const;
 * console.log(answerParties({ provider: { name: 'Birch' }, finding }).map(({ pointer }) => pointer)); // [ '/provider', '/finding/upstream' ]
 * ```
 */
export function answerParties(answer: Pick<TracebackAnswer, 'provider' | 'finding'>): readonly AnswerParty[] {
  const { provider, finding } = answer;
  const parties: AnswerParty[] = [{ what: 'The provider of the answer', pointer: '/provider', reference: provider }];
  if (finding.arm === 'received-from')
    parties.push({ what: 'The upstream provider', pointer: '/finding/upstream', reference: finding.upstream });
  if (finding.arm === 'not-sent-to-downstream')
    parties.push({ what: 'The downstream provider', pointer: '/finding/downstream', reference: finding.downstream });
  if (finding.arm === 'number-served-by')
    parties.push({ what: 'The serving provider', pointer: '/finding/provider', reference: finding.provider });
  return parties;
}

/** Why an answer cannot be taken: it names another company than its signer, or a reference mixes two companies. */
export interface AnswerPartyFault {
  /** JSON Pointer into the answer. RFC 6901 */
  readonly pointer: string;
  /** For people; names both sides of the contradiction. */
  readonly detail: string;
}

/**
 * Checks the providers that an answer refers to against a registry.
 * @param parties - from `answerParties`
 * @param signer - the provider whose key signed the answer
 * @param meaning - whom the registry takes each reference to mean
 * @returns the first contradiction; undefined where there is none. Never throws
 * @see RFC 9457
 * @example
 * ```ts
 * const parties = answerParties({ provider: { name: 'Cedar Gateway Corp.' }, finding: { arm: 'not-found' } });
 * const signer = { providerId: 'prv-birch', name: 'Birch Carrier Services Inc.' };
 * console.log(answerPartyFault(parties, signer, () => ({ status: 'found', providerId: 'prv-cedar' }))?.pointer); // /provider
 * ```
 */
export function answerPartyFault(
  parties: readonly AnswerParty[],
  signer: ProviderReference & { readonly providerId: string },
  meaning: (reference: ProviderReference) => ReferenceMeaning,
): AnswerPartyFault | undefined {
  for (const { what, pointer, reference } of parties) {
    const meant = meaning(reference);
    if (meant.status === 'several' && meant.mixed !== undefined)
      return { pointer, detail: mixedReferenceText(what, meant.mixed) };
    if (pointer === '/provider' && !isSigner(reference, signer, meant)) {
      const named = [reference.name.slice(0, SHOWN_CHARS), ...idsOf(reference, meant).map((id) => `(${id})`)].join(' ');
      const signed = `${signer.name.slice(0, SHOWN_CHARS)} (${signer.providerId})`;
      return { pointer, detail: `The answer names ${named} as its provider, and ${signed} signed it.` };
    }
  }
  return undefined;
}

/** A trade name that the registry does not have speaks against nobody: the signature says who answers. A code or an id that it does not have is another's. */
function isSigner(
  reference: ProviderReference,
  { providerId }: { readonly providerId: string },
  meant: ReferenceMeaning,
): boolean {
  if (reference.providerId !== undefined && reference.providerId !== providerId) return false;
  if (meant.status === 'found') return meant.providerId === providerId;
  if (meant.status === 'several') return meant.providerIds.includes(providerId);
  return CODES.every((code) => reference[code] === undefined);
}

const CODES = ['frn', 'ocn', 'spc'] as const;

function idsOf({ providerId }: ProviderReference, meant: ReferenceMeaning): readonly string[] {
  if (meant.status === 'found') return [meant.providerId];
  return providerId === undefined ? [] : [providerId];
}

import { z } from 'zod';
import type { ContactDetails, ProviderReference } from '../../core/traceback-request.js';
import { readIpPrefix } from './ip-prefix.js';
import { MAX_KNOWN_PROVIDERS, MAX_PROVIDER_NAMES, MAX_TRUNK_ENTRIES } from './trunk-directory-data.js';
import type { KnownProvider } from './trunk-directory-data.js';

// Written by hand: a member that nobody knows is a typing error, and would name another party, or none.

/** An entry as a carrier writes it: exactly one of the four parties, and times as people write them. */
export interface WrittenTrunkEntry {
  readonly trunk?: string;
  readonly address?: string;
  readonly switchProvider?: string;
  /** `2026-03-01`, `2026-03-01T00:00:00`, with an offset or in the zone of the directory. */
  readonly from?: string;
  /** As `from`: the first instant at which it no longer holds. */
  readonly until?: string;
  readonly provider?: ProviderReference;
  readonly unlistedProvider?: ContactDetails;
  readonly foreignProvider?: ContactDetails;
  readonly customer?: { readonly customerId?: string };
}

/** A directory as a file has it. */
export interface WrittenTrunkDirectory {
  readonly directoryId: string;
  /** IANA name, for times without an offset. */
  readonly zone?: string;
  readonly handoverMarginSeconds?: number;
  readonly providers?: readonly KnownProvider[];
  readonly trunks?: readonly WrittenTrunkEntry[];
}

const name = z.string().min(1).max(256);
const ocn = z.string().regex(/^[0-9A-Z]{4}$/, 'has not the form of an OCN: four of 0-9 and A-Z');
const spc = z.string().regex(/^[0-9A-Z]{1,15}$/, 'has not the form of an SPC: 1 to 15 of 0-9 and A-Z');
const frn = z.string().regex(/^\d{10}$/, 'has not the form of an FRN: ten digits');
const writtenTime = z.string().min(8).max(40);

/** A provider as files name it. */
export const providerReferenceSchema: z.ZodType<ProviderReference> = z.strictObject({
  providerId: z.exactOptional(z.string().min(1).max(128)),
  name,
  ocn: z.exactOptional(ocn),
  spc: z.exactOptional(spc),
  frn: z.exactOptional(frn),
});

/** How somebody can be reached, as files have it. */
export const contactDetailsSchema: z.ZodType<ContactDetails> = z.strictObject({
  name,
  email: z.exactOptional(z.string().min(3).max(254)),
  telephone: z.exactOptional(z.string().min(3).max(32)),
  postalAddress: z.exactOptional(z.string().min(1).max(512)),
  country: z.exactOptional(z.string().regex(/^[A-Z]{2}$/, 'has not the form of a country code: two letters')),
});

const knownProvider: z.ZodType<KnownProvider> = z.strictObject({
  provider: providerReferenceSchema,
  otherNames: z.exactOptional(z.array(name).max(MAX_PROVIDER_NAMES)),
  otherOcns: z.exactOptional(z.array(ocn).max(MAX_PROVIDER_NAMES)),
  otherSpcs: z.exactOptional(z.array(spc).max(MAX_PROVIDER_NAMES)),
  otherFrns: z.exactOptional(z.array(frn).max(MAX_PROVIDER_NAMES)),
  affiliates: z.exactOptional(z.array(providerReferenceSchema).max(MAX_PROVIDER_NAMES)),
});

const writtenEntry: z.ZodType<WrittenTrunkEntry> = z
  .strictObject({
    trunk: z.exactOptional(name),
    address: z.exactOptional(
      z
        .string()
        .max(64)
        .refine((text) => readIpPrefix(text) !== undefined, { message: 'is no address and no network' }),
    ),
    switchProvider: z.exactOptional(name),
    from: z.exactOptional(writtenTime),
    until: z.exactOptional(writtenTime),
    provider: z.exactOptional(providerReferenceSchema),
    unlistedProvider: z.exactOptional(contactDetailsSchema),
    foreignProvider: z.exactOptional(contactDetailsSchema),
    customer: z.exactOptional(z.strictObject({ customerId: z.exactOptional(name) })),
  })
  .refine(({ trunk, address, switchProvider }) => (trunk ?? address ?? switchProvider) !== undefined, {
    message: 'must name a trunk, an address or a switchProvider',
  })
  .refine((entry) => partiesOf(entry) === 1, {
    message: 'must have exactly one of provider, unlistedProvider, foreignProvider and customer',
  });

function partiesOf({ provider, unlistedProvider, foreignProvider, customer }: WrittenTrunkEntry): number {
  return [provider, unlistedProvider, foreignProvider, customer].filter((party) => party !== undefined).length;
}

/** A trunk directory as a file has it. Keys that are not known are errors. */
export const writtenTrunkDirectorySchema: z.ZodType<WrittenTrunkDirectory> = z.strictObject({
  directoryId: z.string().min(1).max(128).describe('name and version: stands in the trace of each decision'),
  zone: z.exactOptional(z.string().min(1).max(64)),
  handoverMarginSeconds: z.exactOptional(z.number().min(0).max(604_800)),
  providers: z.exactOptional(z.array(knownProvider).max(MAX_KNOWN_PROVIDERS)),
  trunks: z.exactOptional(z.array(writtenEntry).max(MAX_TRUNK_ENTRIES)),
});

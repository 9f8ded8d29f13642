import { z } from 'zod';
import { spc } from './call-record.schema.js';
import type {
  ProviderAffiliate,
  ProviderEntry,
  ProviderPrincipal,
  ProviderRemoval,
  RobocallMitigationContact,
} from './provider-entry.js';
import {
  country,
  email,
  frn,
  fullDate,
  httpsUrl,
  identifier,
  line,
  ocn,
  telephone,
  text,
  utcTime,
} from './wire-words.schema.js';

/** Names, numbers, people and companies of one provider: filings have a handful, holdings of hundreds of companies some more. */
const MAX_ENTRIES = 512;

const contact: z.ZodType<RobocallMitigationContact> = z.object({
  name: line,
  title: z.exactOptional(line),
  department: z.exactOptional(line),
  businessAddress: z.exactOptional(text),
  telephoneNumber: z.exactOptional(telephone),
  email: z.exactOptional(email),
});

const principal: z.ZodType<ProviderPrincipal> = z.object({ name: line, role: line });

const affiliate: z.ZodType<ProviderAffiliate> = z.object({
  name: line,
  providerId: z.exactOptional(identifier),
  frn: z.exactOptional(frn),
  relation: line,
});

const removal: z.ZodType<ProviderRemoval> = z.object({
  removedOn: fullDate,
  reason: text,
  orderUrl: z.exactOptional(httpsUrl),
});

/** A voice service provider in the registry. */
export const providerEntrySchema: z.ZodType<ProviderEntry> = z.object({
  format: z.literal('hopback.provider-entry.1'),
  providerId: identifier,
  businessName: line,
  frn: z.exactOptional(frn),
  previousBusinessNames: z.array(line).max(MAX_ENTRIES),
  otherDbaNames: z.array(line).max(MAX_ENTRIES),
  businessAddress: z.exactOptional(text),
  country: z.exactOptional(country),
  isForeignVoiceServiceProvider: z.boolean(),
  isVoiceServiceProvider: z.boolean(),
  isGatewayProvider: z.boolean(),
  isNonGatewayIntermediateProvider: z.boolean(),
  implementation: z.enum(['complete', 'partial', 'none']),
  robocallMitigationContact: z.exactOptional(contact),
  ocns: z.array(ocn).max(MAX_ENTRIES),
  spcs: z.array(spc).max(MAX_ENTRIES),
  principals: z.array(principal).max(MAX_ENTRIES),
  affiliates: z.array(affiliate).max(MAX_ENTRIES),
  certified24HoursOn: z.exactOptional(fullDate),
  removal: z.exactOptional(removal),
  filingUpdatedOn: z.exactOptional(fullDate),
  updatedAt: utcTime,
});

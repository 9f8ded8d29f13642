import type { ProviderReference } from '../../core/traceback-request.js';
import { comparableBusinessName } from './business-name.js';

const CODES = ['providerId', 'ocn', 'spc', 'frn'] as const;

/** Whether two references name one company in the same words: its name, and every code that both have. Other names and affiliates differ. */
export function isOneCompany(one: ProviderReference, other: ProviderReference): boolean {
  return areCodesSame(one, other) && comparableBusinessName(one.name) === comparableBusinessName(other.name);
}

/**
 * Whether two references to companies that may be of one group mean one company of it: by a code that both have, or else by the name. Never
 * throws.
 */
export function isOneOfGroup(one: ProviderReference, other: ProviderReference): boolean {
  const isByCode = CODES.some((code) => one[code] !== undefined && one[code] === other[code]);
  return areCodesSame(one, other) && (isByCode || isOneCompany(one, other));
}

function areCodesSame(one: ProviderReference, other: ProviderReference): boolean {
  return CODES.every((code) => one[code] === undefined || other[code] === undefined || one[code] === other[code]);
}

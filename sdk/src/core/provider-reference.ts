import type { Spc } from './terms.js';

/** A voice service provider as whoever writes knows it: by its name, and by as many identifiers as there are. */
export interface ProviderReference {
  /** In the registry of the traceback platform, where both sides have it. */
  readonly providerId?: string;
  /** Business name, as it is filed or as it was stated. */
  readonly name: string;
  /** Operating Company Number, four characters. */
  readonly ocn?: string;
  readonly spc?: Spc;
  /** FCC Registration Number, ten digits. */
  readonly frn?: string;
}

/** How a provider that no registry lists can be reached. */
export interface ContactDetails {
  readonly name: string;
  readonly email?: string;
  readonly telephone?: string;
  readonly postalAddress?: string;
  /** ISO 3166-1 alpha-2. */
  readonly country?: string;
}

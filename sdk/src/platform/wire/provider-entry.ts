import type { Spc } from '../../core/terms.js';

/** How far STIR/SHAKEN is in place, as filed. @see 47 CFR 64.6305(d) */
export type ImplementationStatus = 'complete' | 'partial' | 'none';

/** Whom to call about robocalls, as filed. @see 47 CFR 64.6305(d) */
export interface RobocallMitigationContact {
  readonly name: string;
  readonly title?: string;
  readonly department?: string;
  readonly businessAddress?: string;
  readonly telephoneNumber?: string;
  readonly email?: string;
}

/** A person or company behind a provider, by role. */
export interface ProviderPrincipal {
  readonly name: string;
  /** `owner`, `officer`, `director` or what else was filed. */
  readonly role: string;
}

/** A company that is related to a provider. */
export interface ProviderAffiliate {
  readonly name: string;
  readonly providerId?: string;
  readonly frn?: string;
  /** `parent`, `subsidiary`, `common-owner` or what else was filed. */
  readonly relation: string;
}

/** That a provider is not listed any longer: nobody may take its calls directly. @see 47 CFR 64.6305(g) */
export interface ProviderRemoval {
  /** RFC 3339 full date. */
  readonly removedOn: string;
  readonly reason: string;
  /** Where the order can be read. */
  readonly orderUrl?: string;
}

/**
 * A voice service provider in the registry: what it filed in the Robocall Mitigation Database, and its other identifiers.
 * @see 47 CFR 64.6305
 */
export interface ProviderEntry {
  readonly format: 'hopback.provider-entry.1';
  readonly providerId: string;
  readonly businessName: string;
  /** FCC Registration Number, ten digits. */
  readonly frn?: string;
  readonly previousBusinessNames: readonly string[];
  readonly otherDbaNames: readonly string[];
  readonly businessAddress?: string;
  /** ISO 3166-1 alpha-2. */
  readonly country?: string;
  readonly isForeignVoiceServiceProvider: boolean;
  readonly isVoiceServiceProvider: boolean;
  readonly isGatewayProvider: boolean;
  readonly isNonGatewayIntermediateProvider: boolean;
  readonly implementation: ImplementationStatus;
  readonly robocallMitigationContact?: RobocallMitigationContact;
  /** Operating Company Numbers, four characters each. */
  readonly ocns: readonly string[];
  readonly spcs: readonly Spc[];
  readonly principals: readonly ProviderPrincipal[];
  readonly affiliates: readonly ProviderAffiliate[];
  /** When it certified that it answers tracebacks within 24 hours, RFC 3339 full date; absent where it did not. */
  readonly certified24HoursOn?: string;
  readonly removal?: ProviderRemoval;
  /** When the filing was last changed, RFC 3339 full date. */
  readonly filingUpdatedOn?: string;
  /** When this entry was last changed, RFC 3339 in UTC. */
  readonly updatedAt: string;
}

import type { PlatformScope } from '@hopback/sdk/platform';

/** What a client of the traceback group may do beside reading. */
export type StaffRole = 'operator' | 'reviewer' | 'analyst';

/** Who calls the platform: a client with a token, of one organization. Nobody else can be let in. */
export interface Caller {
  readonly clientId: string;
  /** Of a carrier its id in the registry of providers; of an agency, application or the traceback group its own id. */
  readonly organizationId: string;
  /** What the organization is. */
  readonly kind: PlatformScope;
  /** How far the token reaches: the scopes of the client, or fewer. */
  readonly scopes: readonly PlatformScope[];
  /** Roles within the traceback group: finer than scopes, and held by clients of staff alone. Absent or empty: none. */
  readonly roles?: readonly StaffRole[];
  /** Who it is for the audit, by role or office. */
  readonly name: string;
}

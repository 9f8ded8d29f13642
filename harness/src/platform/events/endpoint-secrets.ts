import { randomBytes } from 'node:crypto';
import type { PlatformContext, PlatformTransaction } from '../core/index.js';

/** Octets of a secret. Standard Webhooks: 24 to 64. */
const SECRET_BYTES = 32;
/** Secrets that are remembered: each opening is an entry of the audit, which one for each event would flood. */
const MAX_REMEMBERED = 20_000;

/** Secrets of endpoints: sealed in the database, remembered while the process lives. */
export interface EndpointSecrets {
  readonly make: (
    transaction: PlatformTransaction,
    endpointId: string,
  ) => Promise<{ readonly secret: string; readonly reference: string }>;
  /** Secrets by their references, in the order asked for; those that are no longer kept are left out. */
  readonly read: (
    references: readonly string[],
    endpoint: { readonly endpointId: string; readonly organizationId: string },
  ) => Promise<readonly string[]>;
}

/** What sealed values of an endpoint belong to. */
export const ownerOf = (endpointId: string): string => `webhook-endpoint:${endpointId}`;

/** Makes the secrets. */
export function createEndpointSecrets({ sealed, transact }: PlatformContext): EndpointSecrets {
  const remembered = new Map<string, string>();
  const remember = (reference: string, secret: string): void => {
    remembered.set(reference, secret);
    const [oldest] = remembered.keys();
    if (remembered.size > MAX_REMEMBERED && oldest !== undefined) remembered.delete(oldest);
  };
  return {
    make: async (transaction, endpointId) => {
      const secret = `whsec_${randomBytes(SECRET_BYTES).toString('base64')}`;
      return { secret, reference: await sealed.seal(transaction, secret, ownerOf(endpointId)) };
    },
    read: async (references, { endpointId, organizationId }) => {
      const unknown = references.filter((reference) => !remembered.has(reference));
      if (unknown.length > 0) {
        const reason = { organizationId, actor: 'platform', object: ownerOf(endpointId) };
        const opened = await transact((transaction) => sealed.open(transaction, unknown, reason));
        for (const [reference, secret] of opened) remember(reference, secret);
      }
      return references.flatMap((reference) => remembered.get(reference) ?? []);
    },
  };
}

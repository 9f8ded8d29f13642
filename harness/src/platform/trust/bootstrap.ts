import { HopbackError } from '@hopback/sdk/errors';
import type { PlatformContext, StaffRole } from '../core/index.js';
import { readClientKey } from './client-key.js';
import { insertClient } from './client-operations.js';
import { insertOrganization } from './organization-operations.js';
import { clientById, hasOperator, organizationRow } from './trust-rows.js';

/** The first operator, who lets in everybody else. */
export interface FirstOperator {
  /** Of the traceback group. Default `itg`. */
  readonly organizationId?: string;
  /** Default `Traceback group`. */
  readonly organizationName?: string;
  readonly clientId: string;
  /** Public half of the key, with `kid`. */
  readonly jwk: Readonly<Record<string, unknown>>;
}

/** All that there are: whoever is alone reviews and analyses too. */
const FIRST_ROLES: readonly StaffRole[] = ['operator', 'reviewer', 'analyst'];

/**
 * Registers the first operator of a platform that has none.
 * @returns `made`, or `there` where this client is registered already
 * @throws HopbackError `key-unusable` where the key is none for assertions; `invalid-configuration` where somebody else is operator already:
 * who can write to the settings of a platform does not take it over
 */
export async function makeFirstOperator(context: PlatformContext, first: FirstOperator): Promise<'made' | 'there'> {
  const { organizationId = 'itg', organizationName = 'Traceback group', clientId, jwk } = first;
  const reading = readClientKey(jwk);
  if (reading.status === 'refused')
    throw new HopbackError('key-unusable', `the key of the first operator is none for assertions: ${reading.fault}`);
  const atMs = context.clock.nowMs();
  return context.transact(async (transaction) => {
    const there = await clientById(transaction, clientId);
    if (there !== undefined) return 'there';
    if (await hasOperator(transaction))
      throw new HopbackError('invalid-configuration', 'the platform has an operator already, who registers others');
    if ((await organizationRow(transaction, organizationId)) === undefined)
      await insertOrganization(transaction, { organizationId, kind: 'staff', name: organizationName }, atMs);
    await insertClient(transaction, {
      stated: { clientId, organizationId, name: 'First operator', roles: FIRST_ROLES },
      keys: [{ key: reading.key, endsAtMs: null }],
      atMs,
    });
    await context.audit(transaction, {
      action: 'client.registered',
      organizationId,
      actor: 'platform',
      object: `client:${clientId}`,
      details: { organizationId, keys: [reading.key.keyId], isFirst: true },
    });
    return 'made';
  });
}

import { jsonAnswer, problemAnswer } from '@hopback/sdk/platform';
import type { PlatformAnswer } from '@hopback/sdk/platform';
import { importJWK } from 'jose';
import { sql } from 'kysely';
import type { OperationCall, Operations, PlatformContext, PlatformTransaction, Reading } from '../core/index.js';
import { textWithoutNumbers } from '../domain/records/mask-numbers.js';
import type { HasClient } from './provider-reader.js';
import { ASSUMED_ZONE, bodyOf, pathOf, readProvider, wrongBody } from './provider-reader.js';
import type {
  AnswerKeyRegistration,
  AnswerKeyRetirement,
  OfficeChange,
  RegisteredProviderView,
} from './provider-bodies.js';
import { MAX_ANSWER_KEYS } from './provider-bodies.js';
import type { OfficeContact, ProviderTables } from './provider-tables.js';
import { changedEntry, lockRegistry } from './registry-operations.js';

/** Operations on what the platform asks a provider by: its office and its keys. */
export function createOfficeOperations(context: PlatformContext, hasClient: HasClient): Operations {
  const shown = async (reading: Reading, providerId: string): Promise<PlatformAnswer> => {
    const view = await viewOf(reading, providerId, hasClient);
    return view === undefined ? problemAnswer('not-found') : jsonAnswer(view);
  };
  return {
    fetchRegisteredProvider: (call) => shown(context.database, pathOf(call, 'providerId')),
    setProviderOffice: (call) => {
      const { zone } = bodyOf(call) as OfficeChange;
      if (zone !== undefined && !isZone(zone)) return wrongBody('/zone', 'unknown-zone');
      return context.transact(async (transaction) => {
        const refusal = await setOffice(context, transaction, call);
        return refusal ?? shown(transaction, pathOf(call, 'providerId'));
      });
    },
    addAnswerKey: async (call) => {
      const { jwk } = bodyOf(call) as AnswerKeyRegistration;
      const wrong = await wrongKey(jwk);
      if (wrong !== undefined) return wrongBody('/jwk', wrong);
      return context.transact(async (transaction) => {
        const refusal = await addKey(context, transaction, call);
        return refusal ?? shown(transaction, pathOf(call, 'providerId'));
      });
    },
    retireAnswerKey: (call) =>
      context.transact(async (transaction) => {
        const refusal = await retireKey(context, transaction, call);
        return refusal ?? shown(transaction, pathOf(call, 'providerId'));
      }),
  };
}

async function viewOf(
  reading: Reading,
  providerId: string,
  hasClient: HasClient,
): Promise<RegisteredProviderView | undefined> {
  const kept = await readProvider(reading, providerId);
  if (kept === undefined) return undefined;
  const { entry, zone, contact, keys } = kept;
  return {
    entry,
    zone: zone ?? ASSUMED_ZONE,
    isZoneAssumed: zone === undefined,
    ...(contact !== undefined && { contact }),
    isReachable: (await hasClient(reading, [providerId])).has(providerId),
    answerKeys: keys.map((key) => ({
      keyId: key.key_id,
      jwk: key.jwk,
      from: new Date(key.from_ms).toISOString(),
      ...(key.until_ms !== null && { until: new Date(key.until_ms).toISOString() }),
    })),
  };
}

/** Whether a name is one of the zones that this machine knows. */
function isZone(zone: string): boolean {
  try {
    return new Intl.DateTimeFormat('en-US', { timeZone: zone }).resolvedOptions().timeZone !== '';
  } catch {
    return false;
  }
}

async function setOffice(
  context: PlatformContext,
  transaction: PlatformTransaction,
  call: OperationCall,
): Promise<PlatformAnswer | undefined> {
  const { zone, contact, ocns, spcs } = bodyOf(call) as OfficeChange;
  const providerId = pathOf(call, 'providerId');
  await lockRegistry(transaction);
  const changed = await changedEntry(context, {
    transaction,
    call,
    change: {
      action: 'provider.codes-set',
      change: (before) => ({ ...before, ...(ocns !== undefined && { ocns }), ...(spcs !== undefined && { spcs }) }),
    },
  });
  if (changed.status === 'refused') return problemAnswer(changed.code);
  if (zone === undefined && contact === undefined) return undefined;
  await transaction
    .withTables<ProviderTables>()
    .updateTable('providers_entries')
    .set({
      ...(zone !== undefined && { zone }),
      ...(contact !== undefined && { office: JSON.stringify(keptContact(contact)) }),
    })
    .where('provider_id', '=', providerId)
    .execute();
  await context.audit(transaction, {
    action: 'provider.office-set',
    organizationId: call.caller.organizationId,
    actor: call.caller.clientId,
    object: `provider:${providerId}`,
    details: { ...(zone !== undefined && { zone }), contact: contact !== undefined },
  });
  return undefined;
}

/** Who is written to, without numbers: an office is called by the number of its filing. */
const keptContact = ({ name, ...rest }: OfficeContact): OfficeContact => ({ name: textWithoutNumbers(name), ...rest });

/** Kinds of key that answers can be signed with, by their members. RFC 7518 section 6.2, RFC 8037 section 2 */
const KINDS: readonly { readonly kty: string; readonly crv: string; readonly algs: readonly [string, ...string[]] }[] =
  [
    { kty: 'EC', crv: 'P-256', algs: ['ES256'] },
    // RFC 9864 section 2.2: two names of one algorithm.
    { kty: 'OKP', crv: 'Ed25519', algs: ['EdDSA', 'Ed25519'] },
  ];

/** What is wrong with a key, as a word. */
async function wrongKey(jwk: AnswerKeyRegistration['jwk']): Promise<string | undefined> {
  const kind = KINDS.find(({ kty, crv }) => jwk['kty'] === kty && jwk['crv'] === crv);
  if (kind === undefined) return 'key-kind-not-taken';
  if (jwk['d'] !== undefined) return 'private-key';
  const kid = jwk['kid'];
  if (kid === undefined || !/^[\x21-\x7e]{1,256}$/.test(kid)) return 'kid-missing';
  const { alg, use } = jwk;
  if (alg !== undefined && !kind.algs.includes(alg)) return 'key-kind-not-taken';
  if (use !== undefined && use !== 'sig') return 'key-kind-not-taken';
  try {
    await importJWK({ ...jwk }, kind.algs[0]);
    return undefined;
  } catch {
    return 'no-key';
  }
}

async function addKey(
  context: PlatformContext,
  transaction: PlatformTransaction,
  call: OperationCall,
): Promise<PlatformAnswer | undefined> {
  const { jwk, othersEndAt } = bodyOf(call) as AnswerKeyRegistration;
  const providerId = pathOf(call, 'providerId');
  await lockRegistry(transaction);
  const kept = await readProvider(transaction, providerId);
  if (kept === undefined) return problemAnswer('not-found');
  const keyId = jwk['kid'] ?? '';
  const there = kept.keys.find((key) => key.key_id === keyId);
  if (there !== undefined) return isSameKey(there.jwk, jwk) ? undefined : problemAnswer('conflict');
  if (kept.keys.length >= MAX_ANSWER_KEYS)
    return problemAnswer('conflict', { detail: 'the provider has too many keys' });
  const tables = transaction.withTables<ProviderTables>();
  if (othersEndAt !== undefined) {
    const endMs = Date.parse(othersEndAt);
    await tables
      .updateTable('providers_keys')
      .set({ until_ms: sql<number>`least(coalesce(until_ms, ${endMs}), ${endMs})` })
      .where('provider_id', '=', providerId)
      .execute();
  }
  await tables
    .insertInto('providers_keys')
    .values({
      provider_id: providerId,
      key_id: keyId,
      jwk: JSON.stringify(jwk),
      from_ms: context.clock.nowMs(),
      until_ms: null,
    })
    .execute();
  await auditKey(context, transaction, { call, action: 'provider.answer-key-added', keyId });
  return undefined;
}

const isSameKey = (one: Readonly<Record<string, unknown>>, other: Readonly<Record<string, unknown>>): boolean =>
  ['kty', 'crv', 'x', 'y'].every((member) => one[member] === other[member]);

async function retireKey(
  context: PlatformContext,
  transaction: PlatformTransaction,
  call: OperationCall,
): Promise<PlatformAnswer | undefined> {
  const keyId = pathOf(call, 'keyId');
  const { numUpdatedRows } = await transaction
    .withTables<ProviderTables>()
    .updateTable('providers_keys')
    .set({ until_ms: Date.parse((bodyOf(call) as AnswerKeyRetirement).until) })
    .where('provider_id', '=', pathOf(call, 'providerId'))
    .where('key_id', '=', keyId)
    .executeTakeFirst();
  if (Number(numUpdatedRows) === 0) return problemAnswer('not-found');
  await auditKey(context, transaction, { call, action: 'provider.answer-key-retired', keyId });
  return undefined;
}

async function auditKey(
  context: PlatformContext,
  transaction: PlatformTransaction,
  { call, action, keyId }: { readonly call: OperationCall; readonly action: string; readonly keyId: string },
): Promise<void> {
  await context.audit(transaction, {
    action,
    organizationId: call.caller.organizationId,
    actor: call.caller.clientId,
    object: `provider:${pathOf(call, 'providerId')}`,
    details: { keyId },
  });
}

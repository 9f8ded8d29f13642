import { jsonAnswer, problemAnswer } from '@hopback/sdk/internal';
import type { PlatformAnswer } from '@hopback/sdk/internal';
import { importJWK } from 'jose';
import { sql } from 'kysely';
import type { OperationCall, Operations, PlatformContext, Reading } from '../core/index.js';
import { Acting, actorOf, iso } from '../database/index.js';
import { textWithoutNumbers } from '../domain/records/mask-numbers.js';
import type { HasClient } from './provider-reader.js';
import { ASSUMED_ZONE, bodyOf, pathOf, readProvider, wrongBody } from './provider-reader.js';
import type { ProviderBody } from './provider-bodies.js';
import { MAX_ANSWER_KEYS } from './provider-bodies.js';
import type { OfficeContact } from './provider-tables.js';
import { ENTRIES, KEYS, tablesOf } from './provider-tables.js';
import { changedEntry, lockRegistry } from './registry-operations.js';

/** Operations on what the platform asks a provider by: its office and its keys. */
export function createOfficeOperations(context: PlatformContext, hasClient: HasClient): Operations {
  const shown = async (reading: Reading, call: OperationCall): Promise<PlatformAnswer> => {
    const view = await viewOf(reading, pathOf(call, 'providerId'), hasClient);
    return view === undefined ? problemAnswer('not-found') : jsonAnswer(view);
  };
  /** Changes something, unless it is refused, and shows the provider. */
  const changed = (
    call: OperationCall,
    change: (work: Acting, call: OperationCall) => Promise<PlatformAnswer | undefined>,
  ): Promise<PlatformAnswer> =>
    context.transact(
      async (transaction) =>
        (await change(new Acting(context, transaction, actorOf(call)), call)) ?? shown(transaction, call),
    );
  return {
    fetchRegisteredProvider: (call) => shown(context.database, call),
    setProviderOffice: (call) => {
      const { zone } = bodyOf(call) as ProviderBody<'OfficeChange'>;
      return zone === undefined || isZone(zone) ? changed(call, setOffice) : wrongBody('/zone', 'unknown-zone');
    },
    addAnswerKey: async (call) => {
      const { jwk } = bodyOf(call) as ProviderBody<'AnswerKeyRegistration'>;
      const wrong = await wrongKey(jwk);
      return wrong === undefined ? changed(call, addKey) : wrongBody('/jwk', wrong);
    },
    retireAnswerKey: (call) => changed(call, retireKey),
  };
}

async function viewOf(
  reading: Reading,
  providerId: string,
  hasClient: HasClient,
): Promise<ProviderBody<'RegisteredProvider'> | undefined> {
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
      from: iso(key.from_ms),
      ...(key.until_ms !== null && { until: iso(key.until_ms) }),
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

async function setOffice(work: Acting, call: OperationCall): Promise<PlatformAnswer | undefined> {
  const { zone, contact, ocns, spcs } = bodyOf(call) as ProviderBody<'OfficeChange'>;
  const providerId = pathOf(call, 'providerId');
  await lockRegistry(work.transaction);
  const changed = await changedEntry(work, providerId, {
    action: 'provider.codes-set',
    change: (before) => ({ ...before, ...(ocns !== undefined && { ocns }), ...(spcs !== undefined && { spcs }) }),
  });
  if (changed.status === 'refused') return problemAnswer(changed.code);
  if (zone === undefined && contact === undefined) return undefined;
  await ENTRIES.set(work.transaction, providerId, {
    ...(zone !== undefined && { zone }),
    ...(contact !== undefined && { office: JSON.stringify(keptContact(contact)) }),
  });
  const details = { ...(zone !== undefined && { zone }), contact: contact !== undefined };
  await work.audit('provider.office-set', `provider:${providerId}`, details);
  return undefined;
}

/** Who is written to, without numbers: an office is called by the number of its filing. */
const keptContact = ({ name, ...rest }: OfficeContact): OfficeContact => ({ name: textWithoutNumbers(name), ...rest });

/** Kinds of key that answers can be signed with, by their members. RFC 7518 section 6.2, RFC 8037 section 2 */
const KINDS: readonly {
  readonly kty: string;
  readonly crv: string;
  readonly algs: readonly [string, ...string[]];
}[] = [
  { kty: 'EC', crv: 'P-256', algs: ['ES256'] },
  // RFC 9864 section 2.2: two names of one algorithm.
  { kty: 'OKP', crv: 'Ed25519', algs: ['EdDSA', 'Ed25519'] },
];

/** What is wrong with a key, as a word. */
async function wrongKey(jwk: ProviderBody<'AnswerKeyRegistration'>['jwk']): Promise<string | undefined> {
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

async function addKey(work: Acting, call: OperationCall): Promise<PlatformAnswer | undefined> {
  const { context, transaction } = work;
  const { jwk, othersEndAt } = bodyOf(call) as ProviderBody<'AnswerKeyRegistration'>;
  const providerId = pathOf(call, 'providerId');
  await lockRegistry(transaction);
  const kept = await readProvider(transaction, providerId);
  if (kept === undefined) return problemAnswer('not-found');
  const keyId = jwk['kid'] ?? '';
  const there = kept.keys.find((key) => key.key_id === keyId);
  if (there !== undefined) return isSameKey(there.jwk, jwk) ? undefined : problemAnswer('conflict');
  if (kept.keys.length >= MAX_ANSWER_KEYS)
    return problemAnswer('conflict', { detail: 'the provider has too many keys' });
  if (othersEndAt !== undefined) {
    const endMs = Date.parse(othersEndAt);
    await tablesOf(transaction)
      .updateTable('providers_keys')
      .set({ until_ms: sql<number>`least(coalesce(until_ms, ${endMs}), ${endMs})` })
      .where('provider_id', '=', providerId)
      .execute();
  }
  const key = { provider_id: providerId, key_id: keyId, jwk: JSON.stringify(jwk) };
  await KEYS.add(transaction, { ...key, from_ms: context.clock.nowMs(), until_ms: null });
  await work.audit('provider.answer-key-added', `provider:${providerId}`, { keyId });
  return undefined;
}

const isSameKey = (one: Readonly<Record<string, unknown>>, other: Readonly<Record<string, unknown>>): boolean =>
  ['kty', 'crv', 'x', 'y'].every((member) => one[member] === other[member]);

async function retireKey(work: Acting, call: OperationCall): Promise<PlatformAnswer | undefined> {
  const [providerId, keyId] = [pathOf(call, 'providerId'), pathOf(call, 'keyId')];
  const end = { until_ms: Date.parse((bodyOf(call) as ProviderBody<'AnswerKeyRetirement'>).until) };
  if (!(await KEYS.set(work.transaction, providerId, end, { key_id: keyId }))) return problemAnswer('not-found');
  await work.audit('provider.answer-key-retired', `provider:${providerId}`, { keyId });
  return undefined;
}

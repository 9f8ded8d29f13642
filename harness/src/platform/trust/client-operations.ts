import type { JsonWebKey, KeyObject } from 'node:crypto';
import { createPublicKey } from 'node:crypto';
import { HopbackError } from '@hopback/sdk/errors';
import { jsonAnswer, problemAnswer } from '@hopback/sdk/internal';
import type { PlatformAnswer } from '@hopback/sdk/internal';
import type { ProblemDetails } from '@hopback/sdk/platform';
import type { OperationCall, Operations, PlatformContext, PlatformTransaction, StaffRole } from '../core/index.js';
import { readPage, shownRows } from '../domain/wire/routes.js';
import { doneBy, insertOrganization, keepOperator, transactOrAnswer } from './organization-operations.js';
import type { Client, ClientChange, ClientKeyRegistration, ClientRegistration } from './trust-bodies.js';
import { MAX_CLIENT_KEYS } from './trust-bodies.js';
import type { TrustTables } from './trust-tables.js';
import { clientById, clientsOf, hasOperator, organizationRow } from './trust-tables.js';

type ProblemLocation = NonNullable<ProblemDetails['errors']>[number];

/** A key that assertions can be signed with, and how. */
interface ReadClientKey {
  readonly keyId: string;
  readonly algorithm: AssertionAlgorithm;
  readonly publicKey: KeyObject;
  /** Its public members alone. */
  readonly jwk: Readonly<Record<string, string>>;
}

/** How assertions are signed. The key decides which: a header that says otherwise is not believed. RFC 8725 section 3.1 */
export type AssertionAlgorithm = 'ES256' | 'ES384' | 'PS256' | 'EdDSA';

/** Why something is no key for assertions. */
export type ClientKeyFault = 'no-key-id' | 'private-key' | 'unsupported-key' | 'weak-key' | 'unreadable-key';

/** Bits of an RSA key at least. NIST SP 800-131A */
const MIN_RSA_BITS = 2_048;
/** And at most: a verification takes as long as the key is, and whoever asks for a token chooses when. */
const MAX_RSA_BITS = 8_192;
const KEY_ID = /^[A-Za-z0-9][A-Za-z0-9._~:@=-]{0,127}$/;

/**
 * Reads the public half of a key.
 * @param jwk - as it came
 * @returns the key, or what is wrong; never throws
 * @see RFC 7517 section 4, RFC 8037 section 2
 */
export function readClientKey(
  jwk: Readonly<Record<string, unknown>>,
):
  | { readonly status: 'read'; readonly key: ReadClientKey }
  | { readonly status: 'refused'; readonly fault: ClientKeyFault } {
  const { kid: keyId, kty } = jwk;
  const refused = (fault: ClientKeyFault): { readonly status: 'refused'; readonly fault: ClientKeyFault } => ({
    status: 'refused',
    fault,
  });
  if (typeof keyId !== 'string' || !KEY_ID.test(keyId)) return refused('no-key-id');
  // Whoever sends a private key has lost it: nothing of it is kept.
  if ('d' in jwk || 'k' in jwk) return refused('private-key');
  const algorithm = algorithmOf(jwk);
  if (algorithm === undefined || (jwk['alg'] !== undefined && jwk['alg'] !== algorithm))
    return refused('unsupported-key');
  const names = kty === 'RSA' ? ['kty', 'n', 'e'] : ['kty', 'crv', 'x', ...(kty === 'EC' ? ['y'] : [])];
  const members = Object.fromEntries(names.map((name) => [name, jwk[name]]));
  if (!Object.values(members).every((value) => typeof value === 'string')) return refused('unreadable-key');
  try {
    const publicKey = createPublicKey({ key: members as JsonWebKey, format: 'jwk' });
    const bits = publicKey.asymmetricKeyDetails?.modulusLength;
    if (kty === 'RSA' && (bits === undefined || bits < MIN_RSA_BITS || bits > MAX_RSA_BITS)) return refused('weak-key');
    const kept = { ...(members as Record<string, string>), kid: keyId };
    return { status: 'read', key: { keyId, algorithm, publicKey, jwk: kept } };
  } catch {
    return refused('unreadable-key');
  }
}

function algorithmOf({ kty, crv }: Readonly<Record<string, unknown>>): AssertionAlgorithm | undefined {
  if (kty === 'EC' && crv === 'P-256') return 'ES256';
  if (kty === 'EC' && crv === 'P-384') return 'ES384';
  if (kty === 'RSA') return 'PS256';
  return kty === 'OKP' && crv === 'Ed25519' ? 'EdDSA' : undefined;
}

/** Operations of clients and their keys. */
export function clientOperations(context: PlatformContext): Operations {
  return {
    registerClient: (call) => register(context, call),
    listClients: async (call) => {
      const page = readPage(call, ['string']);
      if ('kind' in page) return page;
      const { organizationId } = call.request.parameters;
      const found = await clientsOf(context.database, {
        organizationId,
        after: page.after?.[0],
        limit: page.limit + 1,
      });
      const { shown, next } = shownRows(found, page.limit, ({ clientId }) => [clientId]);
      return jsonAnswer({ items: shown, ...next });
    },
    fetchClient: async (call) => answerWith(await clientById(context.database, idOf(call))),
    updateClient: (call) => change(context, call, call.request.body as ClientChange),
    revokeClient: async (call) => {
      const answer = await change(context, call, { state: 'revoked' });
      return answer.kind === 'json' ? { kind: 'nothing' } : answer;
    },
    addClientKey: (call) => addKey(context, call),
    removeClientKey: (call) => removeKey(context, call),
  };
}

const idOf = ({ request }: OperationCall): string => request.parameters['clientId'] ?? '';
const answerWith = (client: Client | undefined): PlatformAnswer =>
  client === undefined ? problemAnswer('not-found') : jsonAnswer(client);

/** A key with its end. */
export interface KeyToStore {
  readonly key: ReadClientKey;
  readonly endsAtMs: number | null;
}

/** Reads keys as they were stated. */
function readKeys(
  stated: readonly ClientKeyRegistration[],
  pointerOf: (index: number) => string,
): { readonly keys: readonly KeyToStore[]; readonly errors: readonly ProblemLocation[] } {
  const keys: KeyToStore[] = [];
  const errors: ProblemLocation[] = [];
  for (const [index, { jwk, endsAt }] of stated.entries()) {
    const reading = readClientKey(jwk);
    if (reading.status === 'refused') errors.push({ pointer: `${pointerOf(index)}/jwk`, code: reading.fault });
    else if (keys.some(({ key }) => key.keyId === reading.key.keyId))
      errors.push({ pointer: `${pointerOf(index)}/jwk/kid`, code: 'named-twice' });
    else keys.push({ key: reading.key, endsAtMs: endsAt === undefined ? null : Date.parse(endsAt) });
  }
  return { keys, errors };
}

async function register(context: PlatformContext, { request, caller, atMs }: OperationCall): Promise<PlatformAnswer> {
  const stated = request.body as ClientRegistration;
  const { keys, errors } = readKeys(stated.keys, (index) => `/keys/${index}`);
  if (errors.length > 0) return problemAnswer('invalid-body', { errors });
  return context.transact(async (transaction) => {
    const before = await clientById(transaction, stated.clientId);
    if (before !== undefined) return isSame(before, stated, keys) ? jsonAnswer(before) : problemAnswer('conflict');
    const organization = await organizationRow(transaction, stated.organizationId);
    if (organization === undefined)
      return problemAnswer('invalid-body', { errors: [{ pointer: '/organizationId', code: 'unknown' }] });
    if (organization.kind !== 'staff' && (stated.roles ?? []).length > 0) return rolesRefused();
    await insertClient(transaction, { stated, keys, atMs });
    await context.audit(transaction, {
      ...doneBy(caller),
      action: 'client.registered',
      object: `client:${stated.clientId}`,
      details: { organizationId: stated.organizationId, keys: keys.map(({ key }) => key.keyId) },
    });
    return answerWith(await clientById(transaction, stated.clientId));
  });
}

const rolesRefused = (): PlatformAnswer =>
  problemAnswer('invalid-body', { errors: [{ pointer: '/roles', code: 'staff-only' }] });

function isSame(there: Client, stated: ClientRegistration, keys: readonly KeyToStore[]): boolean {
  const idsOf = (ids: readonly string[]): string => ids.toSorted().join(' ');
  return (
    there.organizationId === stated.organizationId &&
    there.name === stated.name &&
    idsOf(there.roles) === idsOf(stated.roles ?? []) &&
    idsOf(there.certificates) === idsOf(stated.certificates ?? []) &&
    idsOf(there.keys.map(({ keyId }) => keyId)) === idsOf(keys.map(({ key }) => key.keyId))
  );
}

/** Stores a client that is not there yet. */
export async function insertClient(
  transaction: PlatformTransaction,
  {
    stated,
    keys,
    atMs,
  }: {
    readonly stated: Omit<ClientRegistration, 'keys'>;
    readonly keys: readonly KeyToStore[];
    readonly atMs: number;
  },
): Promise<void> {
  const row = {
    client_id: stated.clientId,
    organization_id: stated.organizationId,
    name: stated.name,
    roles: JSON.stringify(stated.roles ?? []),
    certificates: JSON.stringify(stated.certificates ?? []),
    state: 'active',
    created_at_ms: atMs,
  } as const;
  await transaction.withTables<TrustTables>().insertInto('trust_clients').values(row).execute();
  for (const key of keys) await insertKey(transaction, stated.clientId, key, atMs);
}

async function insertKey(
  transaction: PlatformTransaction,
  clientId: string,
  { key, endsAtMs }: KeyToStore,
  atMs: number,
): Promise<void> {
  const row = {
    client_id: clientId,
    key_id: key.keyId,
    algorithm: key.algorithm,
    jwk: JSON.stringify(key.jwk),
    added_at_ms: atMs,
    ends_at_ms: endsAtMs,
  };
  await transaction.withTables<TrustTables>().insertInto('trust_keys').values(row).execute();
}

async function change(context: PlatformContext, call: OperationCall, stated: ClientChange): Promise<PlatformAnswer> {
  const clientId = idOf(call);
  return transactOrAnswer(context, async (transaction) => {
    const before = await clientById(transaction, clientId);
    if (before === undefined) return problemAnswer('not-found');
    const organization = await organizationRow(transaction, before.organizationId);
    if (organization?.kind !== 'staff' && (stated.roles ?? []).length > 0) return rolesRefused();
    const state = stated.state ?? before.state;
    const tables = transaction.withTables<TrustTables>();
    await tables
      .updateTable('trust_clients')
      .set({
        name: stated.name ?? before.name,
        roles: JSON.stringify(stated.roles ?? before.roles),
        certificates: JSON.stringify(stated.certificates ?? before.certificates),
        state,
      })
      .where('client_id', '=', clientId)
      .execute();
    // Tokens of before were given over connections that may count no longer.
    if (state === 'revoked' || stated.certificates !== undefined)
      await tables.deleteFrom('trust_tokens').where('client_id', '=', clientId).execute();
    await keepOperator(transaction);
    await context.audit(transaction, {
      ...doneBy(call.caller),
      action: state === before.state ? 'client.changed' : `client.${state}`,
      object: `client:${clientId}`,
      details: { changed: Object.keys(stated) },
    });
    return answerWith(await clientById(transaction, clientId));
  });
}

async function addKey(context: PlatformContext, call: OperationCall): Promise<PlatformAnswer> {
  const clientId = idOf(call);
  const { keys, errors } = readKeys([call.request.body as ClientKeyRegistration], () => '');
  const [added] = keys;
  if (added === undefined) return problemAnswer('invalid-body', { errors });
  return context.transact(async (transaction) => {
    const client = await clientById(transaction, clientId);
    if (client === undefined) return problemAnswer('not-found');
    if (client.keys.some(({ keyId }) => keyId === added.key.keyId))
      return (await isStored(transaction, clientId, added)) ? jsonAnswer(client) : problemAnswer('conflict');
    if (client.keys.length >= MAX_CLIENT_KEYS)
      return problemAnswer('conflict', { detail: `A client has ${MAX_CLIENT_KEYS} keys at most: take one away.` });
    await insertKey(transaction, clientId, added, call.atMs);
    await context.audit(transaction, {
      ...doneBy(call.caller),
      action: 'client.key-added',
      object: `client:${clientId}`,
      details: { keyId: added.key.keyId, algorithm: added.key.algorithm },
    });
    return answerWith(await clientById(transaction, clientId));
  });
}

async function isStored(
  transaction: PlatformTransaction,
  clientId: string,
  { key, endsAtMs }: KeyToStore,
): Promise<boolean> {
  const there = await transaction
    .withTables<TrustTables>()
    .selectFrom('trust_keys')
    .select(['jwk', 'ends_at_ms'])
    .where('client_id', '=', clientId)
    .where('key_id', '=', key.keyId)
    .executeTakeFirst();
  const isSameKey = Object.entries(key.jwk).every(([name, value]) => there?.jwk[name] === value);
  return isSameKey && there?.ends_at_ms === endsAtMs;
}

async function removeKey(context: PlatformContext, call: OperationCall): Promise<PlatformAnswer> {
  const clientId = idOf(call);
  const keyId = call.request.parameters['keyId'] ?? '';
  return context.transact(async (transaction) => {
    const tables = transaction.withTables<TrustTables>();
    const removed = await tables
      .deleteFrom('trust_keys')
      .where('client_id', '=', clientId)
      .where('key_id', '=', keyId)
      .returning('key_id')
      .executeTakeFirst();
    if (removed === undefined) return problemAnswer('not-found');
    await tables.deleteFrom('trust_tokens').where('client_id', '=', clientId).where('key_id', '=', keyId).execute();
    await context.audit(transaction, {
      ...doneBy(call.caller),
      action: 'client.key-removed',
      object: `client:${clientId}`,
      details: { keyId },
    });
    return { kind: 'nothing' };
  });
}

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
    throw new HopbackError('key-unusable', `the first operator's key cannot be used for assertions: ${reading.fault}`);
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

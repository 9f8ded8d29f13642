import { randomUUID } from 'node:crypto';
import { HopbackError } from '@hopback/sdk/errors';
import { problemAnswer, PROBLEM_KINDS, type PlatformAnswer } from '@hopback/sdk/platform';
import type { PlatformContext, PlatformTransaction } from '../core/index.js';
import type { CoreWorkTables } from './core-work-tables.js';
import { isUniqueViolation } from './database-errors.js';
import type { SecretText } from './secret-text.js';

/** How long an answer is kept. The contract says 24 hours at least; a client of another clock has some more. */
export const IDEMPOTENCY_MS: number = 48 * 3_600_000;
/** A call that has been carried out for so long is not any more: the process that did has died. Longer than any call may take. */
export const CLAIM_MS = 300_000;
/** Rows that go in one statement. */
const REMOVED_AT_ONCE = 5_000;
/** Characters of an answer that are kept: the largest body of a call with a key, and room. */
const ANSWER_CHARS = 1_048_576;

/** A call under an idempotency key. */
export interface KeyedCall {
  readonly clientId: string;
  readonly key: string;
  /** Method and path. */
  readonly target: string;
  /** Of the body. */
  readonly bytes: Uint8Array;
}

/** Carries each call out once: the same one again gets the stored answer, another one under its key is refused. */
export interface IdempotencyStore {
  /**
   * Carries a call out whose work is one transaction: the answer commits with it, so that whatever dies, the work was done exactly where
   * there is an answer. `work` may be run again as by `transact`.
   * @returns the answer of now or of then; a problem where the key was used for another call
   * @throws what `work` throws, and then nothing is stored; as `transact`
   */
  readonly carryOutOnce: (
    call: KeyedCall,
    work: (transaction: PlatformTransaction) => Promise<PlatformAnswer>,
  ) => Promise<PlatformAnswer>;
  /**
   * Carries a call out whose work is not one transaction: whoever sends it again meanwhile is told to wait. Where the process dies between the work and its answer,
   * the call is carried out once more after {@link CLAIM_MS}: it has to bear that.
   * @returns and throws as `carryOutOnce`
   */
  readonly carryOut: (call: KeyedCall, work: () => Promise<PlatformAnswer>) => Promise<PlatformAnswer>;
  /** Removes what is older than {@link IDEMPOTENCY_MS}. @returns how many answers */
  readonly expire: (nowMs: number) => Promise<number>;
}

/**
 * Makes the store of answers of calls under a key: in the database, encrypted, since an answer may hold what only its caller may read. What failed on the platform's
 * side is not stored, and neither are files and streams.
 * @see draft-ietf-httpapi-idempotency-key-header-07 section 2
 */
export function createIdempotencyStore(options: {
  readonly context: PlatformContext;
  readonly secret: SecretText;
}): IdempotencyStore {
  const { context, secret } = options;
  const store: Store = { context, secret };
  return {
    carryOutOnce: (call, work) => carriedOutOnce(store, call, work),
    carryOut: (call, work) => carriedOut(store, call, work),
    expire: async (nowMs) => {
      let total = 0;
      for (;;) {
        const count = await context.transact((transaction) => removedOld(transaction, nowMs - IDEMPOTENCY_MS));
        total += count;
        if (count < REMOVED_AT_ONCE) return total;
      }
    },
  };
}

interface Store {
  readonly context: PlatformContext;
  readonly secret: SecretText;
}

/** Names of a call in the table: of neither key nor body anything can be read or tried. */
interface CallName {
  readonly clientId: string;
  readonly keyHash: string;
  readonly requestHash: string;
}

function nameOf({ secret }: Store, { clientId, key, target, bytes }: KeyedCall): CallName {
  const body = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.length);
  return {
    clientId,
    keyHash: secret.digest(`idempotency key ${key}`),
    requestHash: secret.digest(Buffer.concat([Buffer.from(`idempotent call ${target}\n`, 'utf8'), body])),
  };
}

async function carriedOutOnce(
  store: Store,
  call: KeyedCall,
  work: (transaction: PlatformTransaction) => Promise<PlatformAnswer>,
): Promise<PlatformAnswer> {
  const name = nameOf(store, call);
  const attempt = (): Promise<PlatformAnswer> =>
    store.context.transact(async (transaction) => {
      const before = await standing(store, transaction, name);
      if (before !== undefined) return before;
      const answer = await work(transaction);
      const text = storedText(store, name, answer);
      if (text !== undefined) await written(store, transaction, { name, answer: text, claim: null });
      return answer;
    });
  try {
    return await attempt();
  } catch (error) {
    // Another attempt at the same call was faster: now its answer is there.
    if (isUniqueViolation(error) && (await isKnown(store, name))) return attempt();
    throw error;
  }
}

async function carriedOut(store: Store, call: KeyedCall, work: () => Promise<PlatformAnswer>): Promise<PlatformAnswer> {
  const name = nameOf(store, call);
  const claim = randomUUID();
  const before = await claimed(store, name, claim);
  if (before !== undefined) return before;
  let text: string | undefined;
  try {
    const answer = await work();
    text = storedText(store, name, answer);
    return answer;
  } finally {
    await settled(store, { name, claim, text });
  }
}

/** What stands in the way: an answer, or a problem; undefined where the call is now this one's. */
async function claimed(store: Store, name: CallName, claim: string): Promise<PlatformAnswer | undefined> {
  try {
    return await store.context.transact(async (transaction) => {
      const before = await standing(store, transaction, name);
      if (before === undefined) await written(store, transaction, { name, answer: null, claim });
      return before;
    });
  } catch (error) {
    if (isUniqueViolation(error)) return problemAnswer('idempotency-in-progress', { retryAfterSeconds: 1 });
    throw error;
  }
}

/** Puts the answer in the place of the claim, or takes the claim away where there is none to store. */
async function settled(
  { context }: Store,
  of: { readonly name: CallName; readonly claim: string; readonly text: string | undefined },
): Promise<void> {
  const { name, claim, text } = of;
  await context.transact(async (transaction) => {
    const tables = transaction.withTables<CoreWorkTables>();
    if (text === undefined) {
      await tables
        .deleteFrom('core_idempotency')
        .where('client_id', '=', name.clientId)
        .where('key_hash', '=', name.keyHash)
        .where('claim', '=', claim)
        .execute();
      return;
    }
    await tables
      .updateTable('core_idempotency')
      .set({ answer: text, claim: null })
      .where('client_id', '=', name.clientId)
      .where('key_hash', '=', name.keyHash)
      .where('claim', '=', claim)
      .execute();
  });
}

const rowOf = (transaction: PlatformTransaction, { clientId, keyHash }: CallName) =>
  transaction
    .withTables<CoreWorkTables>()
    .selectFrom('core_idempotency')
    .selectAll()
    .where('client_id', '=', clientId)
    .where('key_hash', '=', keyHash)
    .executeTakeFirst();

async function standing(
  { context, secret }: Store,
  transaction: PlatformTransaction,
  name: CallName,
): Promise<PlatformAnswer | undefined> {
  const row = await rowOf(transaction, name);
  if (row === undefined) return undefined;
  const ageMs = context.clock.nowMs() - row.at_ms;
  const isOver = row.answer === null ? ageMs > CLAIM_MS : ageMs > IDEMPOTENCY_MS;
  if (isOver) {
    await transaction
      .withTables<CoreWorkTables>()
      .deleteFrom('core_idempotency')
      .where('client_id', '=', name.clientId)
      .where('key_hash', '=', name.keyHash)
      .execute();
    return undefined;
  }
  if (row.request_hash !== name.requestHash) return problemAnswer('idempotency-key-reused');
  if (row.answer === null) return problemAnswer('idempotency-in-progress', { retryAfterSeconds: 1 });
  return JSON.parse(secret.decrypt(row.answer, boundTo(name))) as PlatformAnswer;
}

async function written(
  { context }: Store,
  transaction: PlatformTransaction,
  row: { readonly name: CallName; readonly answer: string | null; readonly claim: string | null },
): Promise<void> {
  const { name, answer, claim } = row;
  const values = { client_id: name.clientId, key_hash: name.keyHash, request_hash: name.requestHash };
  await transaction
    .withTables<CoreWorkTables>()
    .insertInto('core_idempotency')
    .values({ ...values, at_ms: context.clock.nowMs(), answer, claim })
    .execute();
}

async function isKnown({ context }: Store, name: CallName): Promise<boolean> {
  return (await context.transact((transaction) => rowOf(transaction, name))) !== undefined;
}

const boundTo = ({ clientId, keyHash, requestHash }: CallName): string =>
  JSON.stringify(['idempotent answer', clientId, keyHash, requestHash]);

/** What is kept of an answer; undefined where the call may be made again. */
function storedText({ secret }: Store, name: CallName, answer: PlatformAnswer): string | undefined {
  if (answer.kind === 'file' || answer.kind === 'event-stream') return undefined;
  if (answer.kind === 'problem') {
    const { status } = PROBLEM_KINDS[answer.code];
    if (status >= 500 || status === 429 || answer.code === 'idempotency-in-progress') return undefined;
  }
  const text = JSON.stringify(answer);
  if (text.length > ANSWER_CHARS) {
    throw new HopbackError('internal', 'the answer of a call under a key is too long to be kept', {
      details: { characters: text.length },
    });
  }
  return secret.encrypt(text, boundTo(name));
}

async function removedOld(transaction: PlatformTransaction, beforeMs: number): Promise<number> {
  const { numDeletedRows } = await transaction
    .withTables<CoreWorkTables>()
    .deleteFrom('core_idempotency')
    .where((rows) =>
      rows(
        rows.refTuple('client_id', 'key_hash'),
        'in',
        rows
          .selectFrom('core_idempotency')
          .select(['client_id', 'key_hash'])
          .where('at_ms', '<', beforeMs)
          .limit(REMOVED_AT_ONCE)
          .$asTuple('client_id', 'key_hash'),
      ),
    )
    .executeTakeFirst();
  return Number(numDeletedRows);
}

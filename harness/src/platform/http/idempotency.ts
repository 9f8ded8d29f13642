import { AsyncLocalStorage } from 'node:async_hooks';
import { createHash } from 'node:crypto';
import { HopbackError } from '@hopback/sdk/errors';
import { problemAnswer } from '@hopback/sdk/internal';
import type { PlatformAnswer } from '@hopback/sdk/internal';
import { sql } from 'kysely';
import type { AreaDefinition, PlatformContext, PlatformJob, PlatformTransaction } from '../core/index.js';
import type { OpeningReason, Presence } from '../database/index.js';
import { flushWrites, KeyedTable, writeLater } from '../database/index.js';
import type { IdempotencyStore, KeyedCall } from './exchange.js';

/** How long answers are kept, milliseconds: twice the 24 hours that the contract promises. */
export const KEPT_ANSWERS_MS = 172_800_000;
/**
 * After this, milliseconds, nobody waits for a call any longer, although its process may live: a server notices late that a machine is gone. A
 * statement and a transaction end before.
 */
export const CLAIM_MS = 120_000;
/** Characters of an answer that are sealed as one value. */
const SEALED_CHARS = 4_000;
/** Longest answer that is kept, characters: a traceback with all its hops. */
const MAX_ANSWER_CHARS = 400_000;
const FORGETTING_MS = 3_600_000;
/** Keys that are forgotten in one transaction. */
const FORGOTTEN_AT_ONCE = 200;

/**
 * Calls under a key. `begun`: it is carried out, and nothing was committed; `done`: something was, and the answer is not known (yet); `answered`.
 */
type IdempotencyTables = {
  readonly http_idempotency: {
    /** SHA-256 of client and key. */
    readonly name: string;
    readonly content_hash: string;
    readonly state: 'begun' | 'done' | 'answered';
    /** Process that carries it out, and which of its calls: `process-…/claim-…`. */
    readonly claim: string;
    readonly at_ms: number;
    readonly ends_at_ms: number;
    /** References of the sealed parts of the answer: it may have telephone numbers in it. */
    readonly answer: string | null;
  };
};

const CALLS = new KeyedTable<IdempotencyTables['http_idempotency']>('http_idempotency', 'name');

/** The table of calls under a key. */
export const httpDefinition: AreaDefinition = {
  name: 'http',
  migrations: [
    {
      name: 'http-001-idempotency',
      up: async (database) => {
        await sql`create table http_idempotency (
          name text primary key,
          content_hash text not null,
          state text not null,
          claim text not null,
          at_ms bigint not null,
          ends_at_ms bigint not null,
          answer text)`.execute(database);
        await sql`create index http_idempotency_ends on http_idempotency (ends_at_ms)`.execute(database);
      },
    },
  ],
};

/** The call under a key that the running code carries out. */
interface RunningCall {
  readonly name: string;
  readonly claim: string;
  /** What was stored as its answer, once that has been committed. */
  stored: unknown;
  /** It was answered: what it set going goes on by itself, and is none of it. */
  isOver: boolean;
}

/**
 * Makes the store. An operation that answers from its transaction has its answer stored in it: both are there, or neither. A call whose process
 * died before it committed anything is carried out by the first repeat. Where the answer is made behind the transaction, and the process dies
 * in between, a repeat is told that the call was carried out and its answer lost (`conflict`), rather than carried out twice. Whether a process
 * lives is never known for sure: so a call commits only while the claim is its own, and one that was taken for dead commits nothing any more.
 */
export function createKeyedTransactions(inner: PlatformContext, presence: Presence) {
  const running = new AsyncLocalStorage<RunningCall>();
  const parts: KeyedParts = { context: inner, presence, running, claims: new Set() };
  const transact: PlatformContext['transact'] = async (work) => {
    const call = running.getStore();
    if (call === undefined || call.isOver) return inner.transact(work);
    const result = await inner.transact(async (transaction) => {
      const made = await work(transaction);
      if (isAnswer(made) || (await hasWritten(transaction))) await note(inner, transaction, call, made);
      return made;
    });
    if (isAnswer(result)) call.stored = result;
    return result;
  };
  const store: IdempotencyStore = { once: (call, carryOut) => once(parts, call, carryOut) };
  const job: PlatformJob = {
    name: 'http.forget-answers',
    everyMs: FORGETTING_MS,
    run: (nowMs) => forgetAnswers(inner, nowMs),
  };
  /** For areas: what they commit in a call under a key is committed together with the note that the call was carried out. */
  const context: PlatformContext = { ...inner, transact };
  return { context, store, job };
}

interface KeyedParts {
  readonly context: PlatformContext;
  readonly presence: Presence;
  readonly running: AsyncLocalStorage<RunningCall>;
  /** Those of this process that are carried out. */
  readonly claims: Set<string>;
}

/** A transaction that has only read commits nothing that a repeat could do twice. */
async function hasWritten(transaction: PlatformTransaction): Promise<boolean> {
  // What is told, audited and sealed may still wait to be written.
  await flushWrites(transaction);
  const { rows } = await sql<{ readonly wrote: boolean }>`
    select pg_current_xact_id_if_assigned() is not null as wrote`.execute(transaction);
  return rows[0]?.wrote === true;
}

const ANSWERS: readonly string[] = [
  'json',
  'nothing',
  'problem',
  'refusal',
] satisfies readonly PlatformAnswer['kind'][];
const isAnswer = (value: unknown): value is PlatformAnswer =>
  typeof value === 'object' && value !== null && 'kind' in value && ANSWERS.includes(String(value.kind));

const hashOf = (...parts: readonly (string | Uint8Array)[]): string => {
  const hash = createHash('sha256');
  for (const part of parts) hash.update(String(part.length)).update(':').update(part);
  return hash.digest('hex');
};

/**
 * In a transaction of the call: that it committed, and its answer where it is known.
 * @throws HopbackError `unavailable` where another carries the call out by now: then nothing of this transaction stands
 */
async function note(
  { sealed }: PlatformContext,
  transaction: PlatformTransaction,
  { name, claim }: RunningCall,
  result: unknown,
): Promise<void> {
  const answer = isAnswer(result) ? await sealedAnswer(sealed, transaction, name, result) : undefined;
  const noted = answer === undefined ? ({ state: 'done' } as const) : ({ state: 'answered', answer } as const);
  if (!(await CALLS.set(transaction, name, noted, { claim })))
    throw new HopbackError('unavailable', 'a repeat of the call carries it out by now', { retryable: true });
}

const ownerOf = (name: string): string => `answer:${name}`;

async function sealedAnswer(
  sealed: PlatformContext['sealed'],
  transaction: PlatformTransaction,
  name: string,
  answer: PlatformAnswer,
): Promise<string | undefined> {
  const text = JSON.stringify(answer);
  if (text.length > MAX_ANSWER_CHARS) return undefined;
  const references: string[] = [];
  // Each part with its place: equal parts have one reference otherwise, which is as well, and shows that they are equal, which is not.
  for (let at = 0; at < text.length; at += SEALED_CHARS)
    references.push(await sealed.seal(transaction, `${at}:${text.slice(at, at + SEALED_CHARS)}`, ownerOf(name)));
  return references.join(' ');
}

async function once(
  parts: KeyedParts,
  call: KeyedCall,
  carryOut: () => Promise<PlatformAnswer>,
): Promise<PlatformAnswer> {
  const { context, presence, running, claims } = parts;
  const claim = `${presence.processId}/${context.newId('claim')}`;
  const name = hashOf(call.clientId, call.key);
  const current: RunningCall = { name, claim, stored: undefined, isOver: false };
  await presence.show();
  claims.add(claim);
  try {
    const before = await claimed(parts, call, current);
    if (before !== undefined) return before;
    let answer: PlatformAnswer;
    try {
      answer = await running.run(current, carryOut);
    } catch (error) {
      await giveUp(context, current);
      throw error;
    }
    if (isTrouble(answer)) await giveUp(context, current);
    else if (current.stored !== answer)
      await context.transact((transaction) => note(context, transaction, current, answer));
    return answer;
  } finally {
    current.isOver = true;
    claims.delete(claim);
  }
}

/** What the platform says of itself, and not of the call. */
const isTrouble = (answer: PlatformAnswer): boolean =>
  answer.kind === 'problem' && ['internal', 'unavailable', 'rate-limited'].includes(answer.code);

/** Takes a call for this process. @returns undefined where it is to be carried out; else what is known of it */
async function claimed(
  parts: KeyedParts,
  call: KeyedCall,
  { name, claim }: RunningCall,
): Promise<PlatformAnswer | undefined> {
  const { context } = parts;
  const { nowMs, target, bytes, clientId, organizationId } = call;
  const content = hashOf(target, bytes);
  return context.transact(async (transaction) => {
    const before = await CALLS.get(transaction, name);
    const row = {
      state: 'begun',
      claim,
      at_ms: nowMs,
      ends_at_ms: nowMs + KEPT_ANSWERS_MS,
      answer: null,
    } as const;
    if (before === undefined || before.ends_at_ms <= nowMs) {
      if (before !== undefined) {
        await context.sealed.forget(transaction, ownerOf(name));
        await CALLS.remove(transaction, name);
      }
      const tables = transaction.withTables<IdempotencyTables>();
      const begun = tables.insertInto('http_idempotency').values({ ...row, name, content_hash: content });
      await writeLater(transaction, [begun.compile()]);
      return undefined;
    }
    if (before.content_hash !== content) return problemAnswer('idempotency-key-reused');
    if (before.answer !== null) {
      const reason = { organizationId, actor: clientId, object: ownerOf(name) };
      return openedAnswer(context, transaction, before.answer.split(' '), reason);
    }
    if (before.at_ms + CLAIM_MS > nowMs && !(await isAbandoned(parts, transaction, before.claim)))
      return problemAnswer('idempotency-in-progress', { retryAfterSeconds: 1 });
    if (before.state === 'done')
      return problemAnswer('conflict', {
        detail: 'The call was carried out, and its answer was lost: fetch what is there.',
      });
    await CALLS.set(transaction, name, row);
    return undefined;
  });
}

/** Whether nobody carries a call out any longer. */
async function isAbandoned(
  { presence, claims }: KeyedParts,
  transaction: PlatformTransaction,
  claim: string,
): Promise<boolean> {
  const [processId = ''] = claim.split('/');
  return processId === presence.processId ? !claims.has(claim) : presence.hasEnded(transaction, processId);
}

async function openedAnswer(
  { sealed }: PlatformContext,
  transaction: PlatformTransaction,
  references: readonly string[],
  reason: OpeningReason,
): Promise<PlatformAnswer> {
  const parts = await sealed.open(transaction, references, reason);
  const text = references.map((reference) => (parts.get(reference) ?? '').replace(/^\d{1,7}:/, '')).join('');
  return JSON.parse(text) as PlatformAnswer;
}

/** What failed may be tried again; unless something of it was committed. */
async function giveUp(context: PlatformContext, { name, claim }: RunningCall): Promise<void> {
  await context
    .transact((transaction) => CALLS.remove(transaction, name, { claim, state: 'begun' }))
    // The claim ends by itself.
    .catch(() => undefined);
}

async function forgetAnswers({ transact, sealed }: PlatformContext, nowMs: number): Promise<void> {
  for (let count = FORGOTTEN_AT_ONCE; count === FORGOTTEN_AT_ONCE;) {
    count = await transact(async (transaction) => {
      const rows = await transaction
        .withTables<IdempotencyTables>()
        .selectFrom('http_idempotency')
        .select('name')
        .where('ends_at_ms', '<=', nowMs)
        .limit(FORGOTTEN_AT_ONCE)
        .execute();
      for (const { name } of rows) {
        await sealed.forget(transaction, ownerOf(name));
        await CALLS.remove(transaction, name);
      }
      return rows.length;
    });
  }
}

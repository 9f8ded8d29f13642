import type { TracebackOpening } from '@hopback/sdk/platform';
import type { TracebackAnswer, TracebackRequest } from '@hopback/sdk/traceback';
import type { PlatformContext, PlatformTransaction } from '../core/index.js';
import type { HeldRequest, HeldTraceback } from './held-traceback.js';
import { openJson } from '../database/index.js';
import type { OpeningReason } from '../database/index.js';

/** What is sealed in the database, for as long as the engine works with it. */
export interface PlainTexts {
  /** Notes what was sealed just now, so that it need not be opened again. */
  readonly note: (pieces: readonly string[], value: unknown) => void;
  /**
   * Answers of a request that came within this transaction: they are used before it ends, and forgotten with it. Undefined where it is not known
   * that these are all.
   */
  readonly answers: (requestId: string) => readonly TracebackAnswer[] | undefined;
  readonly withAnswers: (answers: ReadonlyMap<string, readonly TracebackAnswer[]>) => PlainTexts;
  /** Opens what the platform is about to work with, all of it together. */
  readonly prefetch: (transaction: PlatformTransaction, asked: readonly (readonly string[])[]) => Promise<void>;
  readonly openings: (
    transaction: PlatformTransaction,
    held: readonly HeldTraceback[],
    reason: OpeningReason,
  ) => Promise<readonly (TracebackOpening | undefined)[]>;
  readonly requests: (
    transaction: PlatformTransaction,
    held: readonly HeldRequest[],
    reason: OpeningReason,
  ) => Promise<readonly (TracebackRequest | undefined)[]>;
}

/** Of requests and openings, two kilobytes each: those of the tracebacks that move now. */
const REMEMBERED_TEXTS = 20_000;

/** The platform itself, where it goes on with a traceback. */
export const platformReason = (tracebackId: string): OpeningReason => ({
  organizationId: 'platform',
  actor: 'platform',
  object: `traceback:${tracebackId}`,
});

/** Almost all are of one piece. */
const keyOf = (pieces: readonly string[]): string => (pieces.length === 1 ? (pieces[0] ?? '') : pieces.join(' '));

/** Makes the memory. Whatever is shown to a person or another organization is opened and audited; what the engine noted itself is not. */
export function createPlainTexts(context: PlatformContext): PlainTexts {
  const known = new Map<string, unknown>();
  const note = (pieces: readonly string[], value: unknown): void => {
    known.set(keyOf(pieces), value);
    const [oldest] = known.size > REMEMBERED_TEXTS ? known.keys() : [];
    if (oldest !== undefined) known.delete(oldest);
  };
  const plain = async (
    transaction: PlatformTransaction,
    asked: readonly (readonly string[])[],
    reason: OpeningReason,
  ): Promise<readonly unknown[]> => {
    const isOwn = reason.organizationId === 'platform';
    const missing = asked.filter((pieces) => !isOwn || !known.has(keyOf(pieces)));
    if (missing.length === 0) return asked.map((pieces) => known.get(keyOf(pieces)));
    const opened = await openJson(context, transaction, { pieces: missing, reason });
    const found = new Map(missing.map((pieces, index) => [keyOf(pieces), opened[index]]));
    return asked.map((pieces) => {
      const key = keyOf(pieces);
      // What has been removed meanwhile is not shown because it is still remembered here.
      return found.has(key) ? found.get(key) : known.get(key);
    });
  };
  const texts: PlainTexts = {
    note,
    answers: () => undefined,
    withAnswers: (answers) => ({ ...texts, answers: (requestId) => answers.get(requestId) }),
    prefetch: async (transaction, asked) => {
      const missing = asked.filter((pieces) => !known.has(keyOf(pieces)));
      if (missing.length === 0) return;
      const reason = { organizationId: 'platform', actor: 'platform', object: 'tracebacks' };
      const opened = await openJson(context, transaction, { pieces: missing, reason });
      for (const [index, pieces] of missing.entries()) if (opened[index] !== undefined) note(pieces, opened[index]);
    },
    openings: async (transaction, held, reason) =>
      (await plain(
        transaction,
        held.map(({ row }) => row.opening),
        reason,
      )) as readonly (TracebackOpening | undefined)[],
    requests: async (transaction, held, reason) =>
      (await plain(
        transaction,
        held.map(({ request }) => request),
        reason,
      )) as readonly (TracebackRequest | undefined)[],
  };
  return texts;
}

import { Buffer } from 'node:buffer';
import { createCipheriv, createDecipheriv, randomBytes } from 'node:crypto';
import { finished, pipeline } from 'node:stream/promises';
import { createDeflateRaw, createInflateRaw } from 'node:zlib';
import { sql } from 'kysely';
import type { PlatformContext, PlatformTransaction, Reading } from '../core/index.js';
import { isUnreadable } from '../database/index.js';
import { CHUNK_BYTES, decodeState, encodeState } from '../domain/campaigns/state-codec.js';
import { campaignsTables } from './campaigns-repository.js';

/** A state that is packed, and can be stored while the detector goes on. */
interface PackedState {
  readonly pieces: readonly Buffer[];
  readonly sizeBytes: number;
}

/** Octets of a row: PGlite is busy for some milliseconds with it, and nothing else is done meanwhile. */
const PART_BYTES = 262_144;
/** A packed state that is larger is not stored: it takes longer to read than what it saves. */
export const MAX_SNAPSHOT_BYTES: number = 256 * 1_048_576;
/** Most of it is zeros or hashes: the fastest level does as well as any. */
const DEFLATE = { level: 1, chunkSize: 1_048_576 };
/** Octets that are packed in one turn: some ten milliseconds of work. Less takes more turns, and a busy platform would keep the detector waiting for seconds. */
const BATCH_BYTES = 2 * 1_048_576;
const CIPHER = 'aes-256-gcm';
const LENGTH_BYTES = 4;
const NONCE_BYTES = 12;
const TAG_BYTES = 16;

/**
 * Packs a state, some milliseconds of work at a time. The detector must hear nothing until it is done.
 * @returns undefined where it is larger than `maxBytes`
 */
export async function packState(state: object, maxBytes: number): Promise<PackedState | undefined> {
  const pieces: Buffer[] = [];
  let sizeBytes = 0;
  // One stream and one batch for all chunks: a stream for each leaves a hundred megabytes of garbage behind.
  const deflate = createDeflateRaw(DEFLATE).on('data', (piece: Buffer) => {
    pieces.push(piece);
    sizeBytes += piece.length;
  });
  const ended = finished(deflate);
  ended.catch(() => undefined);
  const write = (octets: Buffer): Promise<void> =>
    Promise.race([ended, new Promise<void>((resolve) => void deflate.write(octets, () => resolve()))]);
  let batch = Buffer.allocUnsafeSlow(BATCH_BYTES);
  let filled = 0;
  try {
    for (const chunk of encodeState(state)) {
      if (filled + LENGTH_BYTES + chunk.length > batch.length) {
        await write(batch.subarray(0, filled));
        filled = 0;
        if (sizeBytes > maxBytes) return undefined;
        if (LENGTH_BYTES + chunk.length > batch.length) batch = Buffer.allocUnsafeSlow(LENGTH_BYTES + chunk.length);
      }
      filled = batch.writeUInt32LE(chunk.length, filled);
      filled += chunk.copy(batch, filled);
    }
    deflate.end(batch.subarray(0, filled));
    await ended;
  } finally {
    deflate.destroy();
  }
  return sizeBytes > maxBytes ? undefined : { pieces, sizeBytes };
}

/**
 * Stores a snapshot in the place of the one before, encrypted under a key of its own. Parts are written one by one beside the old ones: it takes
 * its place with the last step, and until then the old one stands.
 */
export async function storeSnapshot(
  context: PlatformContext,
  packed: PackedState,
  head: {
    readonly version: string;
    readonly sequence: number;
    readonly atMs: number;
  },
): Promise<void> {
  const before = await readHead(context.database);
  const slot: 'a' | 'b' = before?.slot === 'a' ? 'b' : 'a';
  const parts = partsOf(packed);
  const key = randomBytes(32);
  await emptySlot(context, slot);
  for (const [part, octets] of parts.entries()) {
    const sealed = encrypted(key, octets, boundTo({ ...head, part, parts: parts.length }));
    await campaignsTables(context.database)
      .insertInto(`campaigns_snapshot_${slot}`)
      .values({ part, octets: sealed })
      .execute();
  }
  await context.transact(async (transaction) => {
    const reference = await context.sealed.seal(transaction, key.toString('hex'), ownerOf(slot));
    const row = {
      slot,
      version: head.version,
      sequence: head.sequence,
      at_ms: head.atMs,
      parts: parts.length,
      size_bytes: packed.sizeBytes,
      key_reference: reference,
    };
    await campaignsTables(transaction)
      .insertInto('campaigns_snapshots')
      .values({ name: DETECTOR, ...row })
      .onConflict((conflict) => conflict.column('name').doUpdateSet(row))
      .execute();
  });
  if (before !== undefined) await emptySlot(context, before.slot);
}

/** Takes the snapshot away, in the transaction that makes it untrue. Its parts go with the next one. */
export async function dropSnapshot(transaction: PlatformTransaction): Promise<void> {
  await campaignsTables(transaction).deleteFrom('campaigns_snapshots').where('name', '=', DETECTOR).execute();
}

/** What is found in the place of a snapshot: what the detector had learned when it had heard everything up to a batch of the journal. */
type FoundSnapshot =
  | {
      readonly status: 'read';
      readonly sequence: number;
      readonly state: object;
    }
  | { readonly status: 'none' | 'other-version' | 'damaged' };

/** Reads the snapshot, some milliseconds of work at a time. Never throws for what it holds. @throws what the database throws */
export async function readSnapshot(context: PlatformContext, version: string): Promise<FoundSnapshot> {
  const head = await readHead(context.database);
  if (head === undefined) return { status: 'none' };
  if (head.version !== version) return { status: 'other-version' };
  const key = await keyOf(context, head.key_reference);
  if (key === undefined) return { status: 'damaged' };
  let failure: { readonly cause: unknown } | undefined;
  const partOf = async (part: number): Promise<Buffer> => {
    const row = await campaignsTables(context.database)
      .selectFrom(`campaigns_snapshot_${head.slot}`)
      .select('octets')
      .where('part', '=', part)
      .executeTakeFirst()
      .catch((cause: unknown) => {
        failure = { cause };
        throw cause;
      });
    if (row === undefined) throw new RangeError('a part is missing');
    return decrypted(key, row.octets, boundTo({ ...head, part }));
  };
  async function* parts(count: number): AsyncGenerator<Buffer> {
    for (let part = 0; part < count; part += 1) yield await partOf(part);
  }
  try {
    const state = await pipeline(parts(head.parts), createInflateRaw({ chunkSize: CHUNK_BYTES }), decoded);
    return { status: 'read', sequence: head.sequence, state };
  } catch {
    if (failure !== undefined) throw failure.cause;
    return { status: 'damaged' };
  }
}

/** The state in framed chunks. @throws RangeError for octets that are no state, or more than one */
async function decoded(octets: AsyncIterable<Buffer>): Promise<object> {
  const decoder = decodeState();
  decoder.next();
  let state: object | undefined;
  // One buffer that is written over: a new one for each piece has the whole heap collected again and again.
  let held = Buffer.allocUnsafeSlow(2 * CHUNK_BYTES);
  let filled = 0;
  for await (const some of octets) {
    if (filled + some.length > held.length) {
      const larger = Buffer.allocUnsafeSlow(2 * (filled + some.length));
      held.copy(larger, 0, 0, filled);
      held = larger;
    }
    filled += some.copy(held, filled);
    let from = 0;
    for (;;) {
      const end = endOfFrame(held.subarray(from, filled));
      if (end === undefined) break;
      if (state !== undefined) throw new RangeError('something follows the state');
      const read = decoder.next(held.subarray(from + LENGTH_BYTES, from + end));
      if (read.done === true) state = read.value;
      from += end;
    }
    held.copyWithin(0, from, filled);
    filled -= from;
  }
  if (state === undefined || filled > 0) throw new RangeError('the state is incomplete');
  return state;
}

const DETECTOR = 'detector';

const readHead = (reading: Reading) =>
  campaignsTables(reading)
    .selectFrom('campaigns_snapshots')
    .selectAll()
    .where('name', '=', DETECTOR)
    .executeTakeFirst();

/** Where the frame ends that begins here, if all of it is there. */
function endOfFrame(octets: Buffer): number | undefined {
  if (octets.length < LENGTH_BYTES) return undefined;
  const end = LENGTH_BYTES + octets.readUInt32LE();
  return octets.length < end ? undefined : end;
}

function partsOf({ pieces }: PackedState): readonly Buffer[] {
  return pieces.flatMap((piece) =>
    Array.from({ length: Math.ceil(piece.length / PART_BYTES) }, (_none, part) =>
      piece.subarray(part * PART_BYTES, (part + 1) * PART_BYTES),
    ),
  );
}

/** Emptied, and not deleted from: what was deleted would stay in the file until somebody vacuums it. */
async function emptySlot(context: PlatformContext, slot: 'a' | 'b'): Promise<void> {
  await context.transact(async (transaction) => {
    await context.sealed.forget(transaction, ownerOf(slot));
    await sql`truncate ${sql.table(`campaigns_snapshot_${slot}`)}`.execute(transaction);
  });
}

const ownerOf = (slot: string): string => `detector-snapshot:${slot}`;

async function keyOf(context: PlatformContext, reference: string): Promise<Buffer | undefined> {
  const reason = { organizationId: 'platform', actor: 'platform', object: 'campaigns' };
  try {
    const opened = await context.transact((transaction) => context.sealed.open(transaction, [reference], reason));
    const key = opened.get(reference);
    return key === undefined ? undefined : Buffer.from(key, 'hex');
  } catch (error) {
    if (isUnreadable(error)) return undefined;
    throw error;
  }
}

/** A part opens in its place of its snapshot alone. */
const boundTo = (of: { version: string; sequence: number; part: number; parts: number }): Buffer =>
  Buffer.from(JSON.stringify(['detector-snapshot', of.version, of.sequence, of.part, of.parts]));

function encrypted(key: Buffer, octets: Buffer, bound: Buffer): Buffer {
  const nonce = randomBytes(NONCE_BYTES);
  const cipher = createCipheriv(CIPHER, key, nonce).setAAD(bound);
  return Buffer.concat([nonce, cipher.update(octets), cipher.final(), cipher.getAuthTag()]);
}

function decrypted(key: Buffer, octets: Buffer, bound: Buffer): Buffer {
  const decipher = createDecipheriv(CIPHER, key, octets.subarray(0, NONCE_BYTES)).setAAD(bound);
  decipher.setAuthTag(octets.subarray(octets.length - TAG_BYTES));
  return Buffer.concat([decipher.update(octets.subarray(NONCE_BYTES, octets.length - TAG_BYTES)), decipher.final()]);
}

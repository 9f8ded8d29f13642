import { createHmac } from 'node:crypto';
import { HopbackError } from '@hopback/sdk/errors';
import type { Clock } from '@hopback/sdk/platform';
import type { Selectable } from 'kysely';
import type { CoreTables, PlatformContext, PlatformTransaction, SealedValues } from '../core/index.js';
import { isAmong } from './is-among.js';
import type { KeyRing } from './key-ring.js';
import { decryptText, derivedKey, encryptText } from './secret-text.js';
import { addWrites, flushWrites } from './transact.js';

/** Longest value, characters: a number, a name or an address. */
export const SEALED_VALUE_CHARS = 4_096;
/** References that are opened at once: a page of an export. */
export const OPENED_REFERENCES = 10_000;
/** Of a statement. */
const REFERENCES_OF_A_STATEMENT = 5_000;
/** Rows that are encrypted anew in one transaction: it holds them for some milliseconds. */
const REKEYED_AT_ONCE = 500;

interface SealedParts {
  readonly keyRing: () => KeyRing;
  readonly clock: Clock;
  readonly audit: PlatformContext['audit'];
}

/**
 * Values that are kept encrypted: AES-256-GCM under a random nonce, bound to their reference and owner, so that a value that somebody moved to
 * another row of the database does not open. Pseudonyms and references are HMAC-SHA-256 under keys derived for each of them.
 * @see NIST SP 800-38D, RFC 2104
 */
export function createSealedValues({ keyRing, clock, audit }: SealedParts): SealedValues {
  const pseudonyms = derivedKey(keyRing().pseudonymKey, 'pseudonym');
  const references = derivedKey(keyRing().pseudonymKey, 'sealed reference');
  return {
    seal: async (transaction, value, belongsTo) => {
      if (value.length > SEALED_VALUE_CHARS) {
        throw new HopbackError('invalid-argument', `a sealed value has at most ${SEALED_VALUE_CHARS} characters`);
      }
      // With its length, so that no two pairs of owner and value are one text.
      const reference = `s-${mac(references, `${belongsTo.length}:${belongsTo}${value}`)}`;
      const { key_id, nonce, ciphertext } = encrypted(keyRing(), { reference, belongsTo, value });
      const row = { reference, key_id, nonce, ciphertext, at_ms: clock.nowMs(), belongs_to: belongsTo };
      const flushed = addWrites(transaction, ({ sealed }) => {
        if (!sealed.has(reference)) sealed.set(reference, row);
      });
      if (flushed !== undefined) await flushed;
      return reference;
    },
    open: async (transaction, asked, reason) => {
      await flushWrites(transaction);
      const found = await opened(transaction, keyRing(), asked);
      await audit(transaction, {
        ...reason,
        action: 'sealed.opened',
        details: { asked: asked.length, opened: found.size },
      });
      return found;
    },
    forget: async (transaction, belongsTo) => {
      await flushWrites(transaction);
      await transaction.deleteFrom('core_sealed').where('belongs_to', '=', belongsTo).execute();
    },
    pseudonym: (value) => mac(pseudonyms, value),
  };
}

/**
 * Encrypts with the current key what is encrypted with former ones, some rows in a transaction, until there is none.
 * @returns how many there were; then the former keys can be taken out of the ring
 */
export async function rekeySealed(context: Pick<PlatformContext, 'transact'>, keyRing: KeyRing): Promise<number> {
  let total = 0;
  for (;;) {
    const count = await context.transact(async (transaction) => {
      const rows = await transaction
        .selectFrom('core_sealed')
        .selectAll()
        .where('key_id', '!=', keyRing.current.id)
        .orderBy('reference')
        .limit(REKEYED_AT_ONCE)
        .execute();
      for (const row of rows) {
        const value = decrypted(keyRing, row);
        const anew = encrypted(keyRing, { reference: row.reference, belongsTo: row.belongs_to, value });
        await transaction.updateTable('core_sealed').set(anew).where('reference', '=', row.reference).execute();
      }
      return rows.length;
    });
    total += count;
    if (count < REKEYED_AT_ONCE) return total;
  }
}

async function opened(
  transaction: PlatformTransaction,
  keyRing: KeyRing,
  asked: readonly string[],
): Promise<ReadonlyMap<string, string>> {
  const unique = [...new Set(asked)];
  if (unique.length > OPENED_REFERENCES) {
    throw new HopbackError('invalid-argument', `at most ${OPENED_REFERENCES} sealed values are opened at once`);
  }
  const found = new Map<string, string>();
  for (let at = 0; at < unique.length; at += REFERENCES_OF_A_STATEMENT) {
    const rows = await transaction
      .selectFrom('core_sealed')
      .selectAll()
      .where(isAmong('reference', unique.slice(at, at + REFERENCES_OF_A_STATEMENT)))
      .execute();
    for (const row of rows) found.set(row.reference, decrypted(keyRing, row));
  }
  return found;
}

interface ValueToSeal {
  readonly reference: string;
  readonly belongsTo: string;
  readonly value: string;
}

type EncryptedColumns = Pick<Selectable<CoreTables['core_sealed']>, 'key_id' | 'nonce' | 'ciphertext'>;

function encrypted(keyRing: KeyRing, { reference, belongsTo, value }: ValueToSeal): EncryptedColumns {
  const { keyId, nonce, ciphertext } = encryptText(keyRing, value, boundTo(reference, belongsTo));
  return { key_id: keyId, nonce, ciphertext };
}

function decrypted(keyRing: KeyRing, row: Selectable<CoreTables['core_sealed']>): string {
  const { key_id: keyId, reference, belongs_to: belongsTo, nonce, ciphertext } = row;
  return decryptText(keyRing, { keyId, nonce, ciphertext }, boundTo(reference, belongsTo));
}

/** What a value is bound to beside its key. */
const boundTo = (reference: string, belongsTo: string): string => JSON.stringify(['sealed', reference, belongsTo]);

/** 32 lower-case hexadecimal digits: 128 bits. */
const mac = (key: Uint8Array, text: string): string =>
  createHmac('sha256', key).update(text, 'utf8').digest('hex').slice(0, 32);

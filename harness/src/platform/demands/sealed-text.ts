import type { AuditEntry, PlatformContext, PlatformTransaction } from '../core/index.js';
import type { SealedText } from './tables.js';

/** Characters of a piece: what one sealed value takes, less than the 4,096 that it may have. */
const PIECE_CHARS = 4_000;

/** References that are opened with one question: less than the 10,000 that are answered. */
const REFERENCES_AT_ONCE = 8_000;

/** Seals a JSON value in as many pieces as it takes. */
export async function sealJson(
  context: PlatformContext,
  transaction: PlatformTransaction,
  { value, belongsTo }: { readonly value: unknown; readonly belongsTo: string },
): Promise<SealedText> {
  // ASCII alone, so that no piece ends within a character.
  const text = JSON.stringify(value).replace(
    /[^\x20-\x7e]/g,
    (one) => `\\u${one.charCodeAt(0).toString(16).padStart(4, '0')}`,
  );
  const references: string[] = [];
  for (let at = 0; at < text.length; at += PIECE_CHARS) {
    references.push(await context.sealed.seal(transaction, text.slice(at, at + PIECE_CHARS), belongsTo));
  }
  return references;
}

/** Opens JSON values that were sealed, all for one reason. Undefined in the place of what has been removed. */
export async function openJson(
  context: PlatformContext,
  transaction: PlatformTransaction,
  {
    sealed,
    reason,
  }: { readonly sealed: readonly SealedText[]; readonly reason: Omit<AuditEntry, 'action' | 'details'> },
): Promise<readonly unknown[]> {
  const asked = sealed.flat();
  if (asked.length === 0) return sealed.map(() => undefined);
  const found = new Map<string, string>();
  for (let at = 0; at < asked.length; at += REFERENCES_AT_ONCE) {
    const pieces = await context.sealed.open(transaction, asked.slice(at, at + REFERENCES_AT_ONCE), reason);
    for (const [reference, piece] of pieces) found.set(reference, piece);
  }
  return sealed.map((references): unknown => {
    const pieces = references.map((reference) => found.get(reference));
    return pieces.every((piece) => piece !== undefined) ? JSON.parse(pieces.join('')) : undefined;
  });
}

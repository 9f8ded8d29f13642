import { HopbackError } from '@hopback/sdk/errors';
import type { AuditEntry, PlatformTransaction, SealedValues } from '../core/index.js';

/** Characters of a piece: what is sealed in one has 4,096 at most. */
const PIECE_CHARS = 4_000;

/**
 * Seals a text of any length in pieces.
 * @returns their references, in order
 */
export async function sealText(
  sealed: SealedValues,
  transaction: PlatformTransaction,
  { text, belongsTo }: { readonly text: string; readonly belongsTo: string },
): Promise<readonly string[]> {
  const references: string[] = [];
  for (const piece of piecesOf(text)) references.push(await sealed.seal(transaction, piece, belongsTo));
  return references;
}

/** Opens texts that were sealed so, each by the references of its pieces. @throws HopbackError `storage-failed` where a piece is gone */
export async function openTexts(
  sealed: SealedValues,
  transaction: PlatformTransaction,
  {
    texts,
    reason,
  }: { readonly texts: readonly (readonly string[])[]; readonly reason: Omit<AuditEntry, 'action' | 'details'> },
): Promise<readonly string[]> {
  if (texts.length === 0) return [];
  const opened = await sealed.open(transaction, texts.flat(), reason);
  return texts.map((references) =>
    references
      .map((reference) => {
        const piece = opened.get(reference);
        if (piece === undefined) throw new HopbackError('storage-failed', 'a piece of a sealed text is gone');
        return piece;
      })
      .join(''),
  );
}

/** No piece ends between the halves of a surrogate pair: it would not come back from UTF-8. */
function piecesOf(text: string): readonly string[] {
  const pieces: string[] = [];
  for (let from = 0; from < text.length;) {
    let to = Math.min(from + PIECE_CHARS, text.length);
    const last = text.charCodeAt(to - 1);
    if (to < text.length && last >= 0xd800 && last <= 0xdbff) to -= 1;
    pieces.push(text.slice(from, to));
    from = to;
  }
  return pieces;
}

import type { AuditEntry, PlatformContext, PlatformTransaction, SealedEventData } from '../core/index.js';

/** Characters of a piece: of what a sealed value may have. */
const PIECE_CHARS = 4_000;

/** Seals a value as JSON, in pieces. @returns references in order */
export async function sealJson(
  { sealed }: PlatformContext,
  transaction: PlatformTransaction,
  { value, belongsTo }: { readonly value: unknown; readonly belongsTo: string },
): Promise<readonly string[]> {
  const text = asciiJson(value);
  const references: string[] = [];
  for (let at = 0; at < text.length; at += PIECE_CHARS)
    references.push(await sealed.seal(transaction, text.slice(at, at + PIECE_CHARS), belongsTo));
  return references;
}

/** JSON of visible ASCII, so that no piece ends within a character. RFC 8259 section 7 */
function asciiJson(value: unknown): string {
  return JSON.stringify(value).replaceAll(
    /[\u007f-\uffff]/g,
    (character) => `\\u${character.charCodeAt(0).toString(16).padStart(4, '0')}`,
  );
}

/** Why something is opened, for the audit. */
export type OpeningReason = Omit<AuditEntry, 'action' | 'details'>;

/**
 * Opens values that were sealed as JSON, all in one go.
 * @returns in the order of what was asked; undefined for what has been removed
 */
export async function openJson(
  { sealed }: PlatformContext,
  transaction: PlatformTransaction,
  { pieces, reason }: { readonly pieces: readonly (readonly string[])[]; readonly reason: OpeningReason },
): Promise<readonly unknown[]> {
  if (pieces.length === 0) return [];
  const opened = await sealed.open(transaction, pieces.flat(), reason);
  return pieces.map((references): unknown => {
    const texts = references.map((reference) => opened.get(reference));
    return texts.includes(undefined) ? undefined : JSON.parse(texts.join(''));
  });
}

/** Seals the data of an event that hold telephone numbers. */
export async function sealedEventData(
  context: PlatformContext,
  transaction: PlatformTransaction,
  sealing: { readonly value: unknown; readonly belongsTo: string },
): Promise<SealedEventData> {
  return { sealed: await sealJson(context, transaction, sealing) };
}

import { isHopbackError } from '@hopback/sdk/errors';
import type { AuditEntry, PlatformContext, PlatformTransaction, SealedEventData } from '../core/index.js';

/** Characters of a piece: less than the 4,096 that a sealed value may have. */
const PIECE_CHARS = 4_000;
/** References that are opened with one question: less than the 10,000 that are answered. */
const REFERENCES_AT_ONCE = 8_000;

type Sealing = Pick<PlatformContext, 'sealed'>;

/** Why something is opened, for the audit. */
export type OpeningReason = Omit<AuditEntry, 'action' | 'details'>;

/**
 * Seals a value as JSON, in as many pieces as it takes.
 * @returns references of the pieces, in order
 */
export async function sealJson(
  { sealed }: Sealing,
  transaction: PlatformTransaction,
  { value, belongsTo }: { readonly value: unknown; readonly belongsTo: string },
): Promise<readonly string[]> {
  const text = asciiJson(value);
  const references: string[] = [];
  for (let at = 0; at < text.length; at += PIECE_CHARS)
    references.push(await sealed.seal(transaction, text.slice(at, at + PIECE_CHARS), belongsTo));
  return references;
}

/** JSON of ASCII, so that no piece ends within a character. RFC 8259 section 7 */
function asciiJson(value: unknown): string {
  const text = JSON.stringify(value);
  if (Buffer.byteLength(text) === text.length) return text;
  return text.replaceAll(
    /[\u0080-\uffff]/g,
    (character) => `\\u${character.charCodeAt(0).toString(16).padStart(4, '0')}`,
  );
}

/**
 * Opens values that were sealed as JSON, all for one reason.
 * @param asked - `pieces` has for each value the references of its pieces
 * @returns in the order of what was asked; undefined in the place of what has been removed
 */
export async function openJson(
  { sealed }: Sealing,
  transaction: PlatformTransaction,
  { pieces, reason }: { readonly pieces: readonly (readonly string[])[]; readonly reason: OpeningReason },
): Promise<readonly unknown[]> {
  const references = pieces.flat();
  const opened = new Map<string, string>();
  for (let at = 0; at < references.length; at += REFERENCES_AT_ONCE) {
    const some = await sealed.open(transaction, references.slice(at, at + REFERENCES_AT_ONCE), reason);
    for (const [reference, piece] of some) opened.set(reference, piece);
  }
  return pieces.map((own): unknown => {
    const texts = own.map((reference) => opened.get(reference));
    return texts.includes(undefined) ? undefined : JSON.parse(texts.join(''));
  });
}

/** The same, with undefined also in the place of what cannot be opened: one of them keeps nobody from the others. */
export async function readableJson(
  context: Pick<PlatformContext, 'sealed' | 'log'>,
  transaction: PlatformTransaction,
  { pieces, reason }: { readonly pieces: readonly (readonly string[])[]; readonly reason: OpeningReason },
): Promise<readonly unknown[]> {
  try {
    return await openJson(context, transaction, { pieces, reason });
  } catch (error) {
    if (!isUnreadable(error)) throw error;
  }
  const values: unknown[] = [];
  for (const own of pieces) {
    try {
      values.push(...(await openJson(context, transaction, { pieces: [own], reason })));
    } catch (error) {
      if (!isUnreadable(error)) throw error;
      context.log.error('a sealed value cannot be opened', { object: reason.object, error });
      values.push(undefined);
    }
  }
  return values;
}

/** Whether what is sealed cannot be opened: its key is gone, or it is not what was sealed. */
export const isUnreadable = (error: unknown): boolean =>
  isHopbackError(error) && (error.code === 'key-unusable' || error.code === 'log-inconsistent');

/** Whether the data of an event are sealed. */
export function isSealedData(data: unknown): data is SealedEventData {
  if (typeof data !== 'object' || data === null || Object.keys(data).length !== 2) return false;
  const { member, sealed } = data as { readonly member?: unknown; readonly sealed?: unknown };
  return (
    typeof member === 'string' && Array.isArray(sealed) && sealed.every((reference) => typeof reference === 'string')
  );
}

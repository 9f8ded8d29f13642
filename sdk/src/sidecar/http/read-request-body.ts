import type { IncomingMessage } from 'node:http';

/** What came of the body of a request. */
export type BodyResult =
  | { readonly status: 'read'; readonly text: string }
  | { readonly status: 'too-large' }
  /** The client went away, or what it sent is no UTF-8. */
  | { readonly status: 'broken' };

/**
 * Reads a whole body as text.
 * @param request - of which nothing was read
 * @param options - `maxBytes`: more is not kept; `isSip`: any octets are taken, since nobody keeps those of a SIP message to UTF-8
 * @returns the text; never rejects
 */
export function readRequestBody(
  request: IncomingMessage,
  { maxBytes, isSip = false }: { readonly maxBytes: number; readonly isSip?: boolean },
): Promise<BodyResult> {
  const declared = Number(request.headers['content-length'] ?? '0');
  if (declared > maxBytes) return Promise.resolve({ status: 'too-large' });
  return new Promise((resolve) => {
    const chunks: Buffer[] = [];
    let size = 0;
    request.on('data', (chunk: Buffer) => {
      size += chunk.length;
      if (size <= maxBytes) chunks.push(chunk);
      else resolve({ status: 'too-large' });
    });
    request.on('end', () => {
      const bytes = chunks.length === 1 ? (chunks[0] ?? NOTHING) : Buffer.concat(chunks);
      const read = textOf(bytes);
      resolve(read.status === 'broken' && isSip ? { status: 'read', text: bytes.toString('latin1') } : read);
    });
    request.on('error', () => resolve({ status: 'broken' }));
    request.on('close', () => resolve({ status: 'broken' }));
  });
}

const NOTHING = Buffer.alloc(0);
const UTF8 = new TextDecoder('utf-8', { fatal: true });

/** Text of the octets of a body; never throws for peer input. */
export function textOf(bytes: Buffer): BodyResult {
  // Nearly every body is of ASCII alone, which the fast way gives as it is.
  const text = bytes.toString('latin1');
  if (!NOT_ASCII.test(text)) return { status: 'read', text };
  try {
    return { status: 'read', text: UTF8.decode(bytes) };
  } catch {
    return { status: 'broken' };
  }
}

const NOT_ASCII = /[\u0080-\u00ff]/;

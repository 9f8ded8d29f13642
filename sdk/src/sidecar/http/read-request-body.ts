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
 * @param maxBytes - more is not kept
 * @returns the text; never rejects
 */
export function readRequestBody(request: IncomingMessage, maxBytes: number): Promise<BodyResult> {
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
    request.on('end', () => resolve(textOf(chunks.length === 1 ? (chunks[0] ?? NOTHING) : Buffer.concat(chunks))));
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

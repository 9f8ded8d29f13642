import { promisify } from 'node:util';
import { gunzip } from 'node:zlib';

/** A body that was read, or why it was not. */
export type OctetsReading =
  | { readonly status: 'read'; readonly octets: Uint8Array }
  | {
      readonly status: 'refused';
      readonly code: 'body-malformed' | 'body-too-large' | 'media-type-unknown';
      readonly detail: string;
    };

/** Runs on the threads of libuv: everything else goes on. */
const unpack = promisify(gunzip);

/**
 * The octets that a body holds, unpacked where it is packed, as many as may be, sent and unpacked. Never rejects for what a peer sends.
 * @see RFC 9110 section 8.4 for `Content-Encoding`: `gzip`, or none
 */
export async function boundedOctets(request: Request, maxBytes: number): Promise<OctetsReading> {
  const encoding = (request.headers.get('content-encoding') ?? 'identity').trim().toLowerCase();
  const isPacked = encoding === 'gzip' || encoding === 'x-gzip';
  if (!isPacked && encoding !== 'identity')
    return { status: 'refused', code: 'media-type-unknown', detail: 'Content-Encoding is gzip, or none' };
  if (Number(request.headers.get('content-length') ?? 0) > maxBytes) return tooLarge(maxBytes);
  const sent = await sentOctets(request, maxBytes);
  if (sent === 'too-large') return tooLarge(maxBytes);
  if (sent === 'broken') return malformed('the connection broke');
  if (!isPacked) return { status: 'read', octets: sent };
  try {
    return { status: 'read', octets: await unpack(sent, { maxOutputLength: maxBytes }) };
  } catch (error) {
    const code = error instanceof Error && 'code' in error ? error.code : undefined;
    return code === 'ERR_BUFFER_TOO_LARGE' ? tooLarge(maxBytes) : malformed('it is not in gzip, or cut off');
  }
}

async function sentOctets(request: Request, maxBytes: number): Promise<Uint8Array | 'too-large' | 'broken'> {
  const reader = (request.body as ReadableStream<Uint8Array> | null)?.getReader();
  if (reader === undefined) return new Uint8Array(0);
  const chunks: Uint8Array[] = [];
  let size = 0;
  try {
    for (;;) {
      const { done, value } = await reader.read();
      if (done) return chunks.length === 1 && chunks[0] !== undefined ? chunks[0] : Buffer.concat(chunks);
      size += value.length;
      if (size > maxBytes) {
        // Nobody waits for the rest, which may never end.
        reader.cancel().catch(() => undefined);
        return 'too-large';
      }
      chunks.push(value);
    }
  } catch {
    return 'broken';
  }
}

function tooLarge(maxBytes: number): OctetsReading {
  return {
    status: 'refused',
    code: 'body-too-large',
    detail: `more than ${String(maxBytes)} octets, sent or unpacked`,
  };
}

function malformed(detail: string): OctetsReading {
  return { status: 'refused', code: 'body-malformed', detail };
}

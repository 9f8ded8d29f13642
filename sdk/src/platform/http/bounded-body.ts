/** What was read of a body. */
export interface BoundedBody {
  readonly bytes: Buffer;
  /** There was more than may be read; what is here is of no use but to people. */
  readonly isCut: boolean;
}

/**
 * Reads a body to its end, or to one octet too many.
 * @param response - whose body is read; the rest of a cut one is cancelled
 * @param maxBytes - octets that are taken at most
 * @returns what there was; rejects with whatever broke the connection
 */
export async function readBoundedBody(response: Response, maxBytes: number): Promise<BoundedBody> {
  const chunks: Uint8Array[] = [];
  let size = 0;
  const reader = readerOf(response);
  if (reader === undefined) return { bytes: Buffer.alloc(0), isCut: false };
  while (size <= maxBytes) {
    const { done, value } = await reader.read();
    if (done) return { bytes: Buffer.concat(chunks), isCut: false };
    size += value.length;
    chunks.push(value);
  }
  giveUp(reader);
  return { bytes: Buffer.concat(chunks).subarray(0, maxBytes), isCut: true };
}

/** Lets a body go that nobody reads: the connection is not kept waiting for it. Never throws. */
export function discardBody(response: Response): void {
  const reader = readerOf(response);
  if (reader !== undefined) giveUp(reader);
}

/** Nobody waits for it: of a body that was cloned it ends only when the clone does. */
function giveUp(reader: ReadableStreamDefaultReader<Uint8Array>): void {
  reader.cancel().catch(() => {});
}

/** The same of an answer that says no: its status says it all, and a refusal is one where what comes behind it breaks off, too. Never rejects. */
export function readRefusalBody(response: Response, maxBytes: number): Promise<BoundedBody> {
  return readBoundedBody(response, maxBytes).catch(() => ({ bytes: Buffer.alloc(0), isCut: true }));
}

const readerOf = (response: Response): ReadableStreamDefaultReader<Uint8Array> | undefined =>
  (response.body as ReadableStream<Uint8Array> | null)?.getReader();

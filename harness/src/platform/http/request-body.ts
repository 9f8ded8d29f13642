import { MAX_BATCH_BYTES } from '@hopback/sdk/platform';
import type { TimerClock } from '@hopback/sdk/platform';
import type { ServedRoute } from '../core/index.js';

/** Octets of a JSON body: the longest transcript in the widest escapes, and room. */
export const MAX_JSON_BYTES = 1_048_576;
/** Octets of a form: an assertion at its longest, and room. */
export const MAX_FORM_BYTES = 32_768;
/** Octets of a PDF of 20 MiB with its JSON part. */
export const MAX_DOCUMENT_BYTES: number = 21 * 1_048_576;
/**
 * Octets of lines as they come, compressed. What they unpack to is bounded by whoever reads the records; what does not compress at all is a
 * few octets longer than before.
 */
export const MAX_LINES_BYTES: number = MAX_BATCH_BYTES + 65_536;
/** How long a body may take, milliseconds: 20 MiB over a line of 3 Mbit/s. Whoever sends an octet a second is cut off. */
export const BODY_TIMEOUT_MS = 60_000;

const LIMITS: Readonly<Record<NonNullable<ServedRoute['request']>['kind'], number>> = {
  json: MAX_JSON_BYTES,
  form: MAX_FORM_BYTES,
  lines: MAX_LINES_BYTES,
  'json-and-pdf': MAX_DOCUMENT_BYTES,
};

/** Octets of a body that a route reads. Of one that has none, as much as says that one was sent. */
export const bodyLimit = ({ request }: ServedRoute): number => (request === undefined ? 1_024 : LIMITS[request.kind]);

/** A body, or why there is none. */
export type BodyReading =
  | { readonly status: 'read'; readonly bytes: Uint8Array }
  /** `broken`: it broke off; `late`: it took too long. */
  | { readonly status: 'too-large' | 'broken' | 'late' };

/** Reads a body up to a limit. Never rejects. */
export async function readBoundedBody(
  request: Request,
  {
    maxBytes,
    clock,
    timeoutMs = BODY_TIMEOUT_MS,
  }: { readonly maxBytes: number; readonly clock: TimerClock; readonly timeoutMs?: number },
): Promise<BodyReading> {
  const stated = Number(request.headers.get('content-length') ?? 0);
  if (stated > maxBytes) return { status: 'too-large' };
  if (request.body === null) return { status: 'read', bytes: new Uint8Array() };
  const reader = request.body.getReader();
  let isLate = false;
  const cancelTimer = clock.schedule(() => {
    isLate = true;
    void reader.cancel().catch(() => undefined);
  }, timeoutMs);
  const chunks: Uint8Array[] = [];
  let sizeBytes = 0;
  try {
    for (let chunk = await reader.read(); !chunk.done; chunk = await reader.read()) {
      sizeBytes += chunk.value.length;
      if (sizeBytes > maxBytes) {
        void reader.cancel().catch(() => undefined);
        return { status: 'too-large' };
      }
      chunks.push(chunk.value);
    }
  } catch {
    return { status: isLate ? 'late' : 'broken' };
  } finally {
    cancelTimer();
  }
  return isLate ? { status: 'late' } : { status: 'read', bytes: Buffer.concat(chunks) };
}

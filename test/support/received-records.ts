import { brotliDecompressSync, gunzipSync } from 'node:zlib';

/** What a receiver looks at of a record. */
export interface ReceivedRecord {
  readonly recordId: string;
  readonly callGroupId: string;
  readonly inviteAtUs: number;
}

/** Unpacks a batch and reads each of its lines. @throws Error when it is no NDJSON in that encoding */
export function readBatch(body: Uint8Array, encoding: string | undefined): readonly ReceivedRecord[] {
  const unpack = encoding === 'br' ? brotliDecompressSync : gunzipSync;
  return unpack(body)
    .toString()
    .trimEnd()
    .split('\n')
    .map((line) => JSON.parse(line) as ReceivedRecord);
}

/** Records that a receiver keeps, each once by its id. */
export class ReceivedRecords {
  /** Ids of those that are kept. */
  readonly ids: Set<string> = new Set();
  /** Records that came again, and were known by their id. */
  repeated = 0;
  /** Records that came before one of the same call that was handed in earlier. */
  outOfOrder = 0;
  readonly #lastOfCall = new Map<string, number>();

  keep({ recordId, callGroupId, inviteAtUs }: ReceivedRecord): void {
    if (this.ids.has(recordId)) {
      this.repeated += 1;
      return;
    }
    this.ids.add(recordId);
    if ((this.#lastOfCall.get(callGroupId) ?? 0) > inviteAtUs) this.outOfOrder += 1;
    this.#lastOfCall.set(callGroupId, inviteAtUs);
  }
}

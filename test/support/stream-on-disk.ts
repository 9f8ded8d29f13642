import type { RecordTransport } from '../../sdk/src/contract/record-batch.js';
import { RecordStream } from '../../sdk/src/records/stream/record-stream.js';
import type { StreamPolicy } from '../../sdk/src/records/stream/stream-policy.js';

/** A stream with its files in a directory. */
export interface StreamOnDisk extends AsyncDisposable {
  readonly stream: RecordStream;
}

/** Opens it, or opens it again, with waits that a test has time for. */
export async function openStreamOnDisk(
  directory: string,
  options: {
    readonly transport: RecordTransport;
    readonly policy?: Partial<StreamPolicy>;
    readonly segmentBytes?: number;
  },
): Promise<StreamOnDisk> {
  const { transport, policy, segmentBytes = 1_048_576 } = options;
  const stream = await RecordStream.open({
    ...{ directory, segmentBytes, transport, source: '/test/stream' },
    policy: { retry: { baseMs: 20, capMs: 500 }, breakerOpen: { baseMs: 50, capMs: 500 }, ...policy },
  });
  return { stream, [Symbol.asyncDispose]: () => stream.close() };
}

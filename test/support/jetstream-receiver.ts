import { startLineProcess } from '../bench/line-process.js';
import type { JetStreamReceipt } from './jetstream-receiver-process.js';
import { programBeside } from './record-receiver.js';

/** A platform behind JetStream, in a process of its own. */
export interface JetStreamReceiver extends AsyncDisposable {
  /**
   * Begins to count.
   * @returns resolves with what waits until so many records are there that it did not have
   */
  readonly count: (records: number) => Promise<() => Promise<JetStreamReceipt>>;
}

/** Starts it on a stream that is there. */
export async function startJetStreamReceiver(address: string, stream: string): Promise<JetStreamReceiver> {
  const child = await startLineProcess([...programBeside('jetstream-receiver-process.ts'), address, stream]);
  const said = async (): Promise<string> => {
    const line = await child.nextLine();
    if (line === undefined) throw new Error('the receiver has ended');
    return line;
  };
  return {
    count: async (records) => {
      child.write(String(records));
      await said();
      return async () => JSON.parse(await said()) as JetStreamReceipt;
    },
    [Symbol.asyncDispose]: child.close,
  };
}

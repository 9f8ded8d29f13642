import { startLineProcess } from '../bench/line-process.js';
import type { JetStreamReceipt } from './jetstream-receiver-process.js';
import { programBeside } from './record-receiver.js';

/** Starts a platform behind JetStream in a process of its own, on an existing stream. */
export async function startJetStreamReceiver(address: string, stream: string) {
  const child = await startLineProcess([...programBeside('jetstream-receiver-process.ts'), address, stream]);
  const said = async (): Promise<string> => {
    const line = await child.nextLine();
    if (line === undefined) throw new Error('the receiver has ended');
    return line;
  };
  return {
    /** Begins to count. @returns resolves with what waits until so many new records are there */
    count: async (records: number) => {
      child.write(String(records));
      await said();
      return async () => JSON.parse(await said()) as JetStreamReceipt;
    },
    [Symbol.asyncDispose]: child.close,
  };
}

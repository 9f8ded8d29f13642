import { fileURLToPath } from 'node:url';
import { startLineProcess } from '../bench/line-process.js';
import { builtProgram } from './built-program.js';
import type { ReceiverControl, ReceiverReport } from './record-receiver-process.js';

/** A platform in a process of its own. */
export type RecordReceiver = Awaited<ReturnType<typeof startRecordReceiver>>;

/** Path of a file beside this one, as Node is to run it. */
export const programBeside = (name: string): readonly string[] => [
  builtProgram(fileURLToPath(new URL(name, import.meta.url))),
];

/** Starts it. @param tlsFiles - private key and certificate, where batches come over TLS as well */
export async function startRecordReceiver(tlsFiles: readonly string[] = []) {
  const child = await startLineProcess([...programBeside('record-receiver-process.ts'), ...tlsFiles]);
  const { port, tlsPort } = JSON.parse(child.firstLine) as { port: number; tlsPort?: number };
  const root = `http://127.0.0.1:${port}`;
  const ask = async (path: string, change?: ReceiverControl): Promise<string> =>
    (
      await fetch(`${root}${path}`, change === undefined ? {} : { method: 'POST', body: JSON.stringify(change) })
    ).text();
  return {
    /** Where batches are posted. */
    url: `${root}/v1/records`,
    /** The same over TLS; empty without a certificate. */
    tlsUrl: tlsPort === undefined ? '' : `https://127.0.0.1:${tlsPort}/v1/records`,
    control: async (change: ReceiverControl) => JSON.parse(await ask('/control', change)) as ReceiverReport,
    report: async () => JSON.parse(await ask('/report')) as ReceiverReport,
    /** Ids of the records that it keeps. */
    ids: async (): Promise<ReadonlySet<string>> => new Set((await ask('/ids')).split('\n').filter((id) => id !== '')),
    [Symbol.asyncDispose]: child.close,
  };
}

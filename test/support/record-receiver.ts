import { fileURLToPath } from 'node:url';
import { startLineProcess } from '../bench/line-process.js';
import { builtProgram } from './built-program.js';
import type { ReceiverControl, ReceiverReport } from './record-receiver-process.js';

/** A platform in a process of its own. */
export interface RecordReceiver extends AsyncDisposable {
  /** Where batches are posted. */
  readonly url: string;
  /** The same over TLS; empty where it was given no certificate. */
  readonly tlsUrl: string;
  readonly control: (change: ReceiverControl) => Promise<ReceiverReport>;
  readonly report: () => Promise<ReceiverReport>;
  /** Ids of the records that it keeps. */
  readonly ids: () => Promise<ReadonlySet<string>>;
}

/** Path of a file beside this one, as Node is to run it. */
export const programBeside = (name: string): readonly string[] => [
  builtProgram(fileURLToPath(new URL(name, import.meta.url))),
];

/** Starts it. @param tlsFiles - private key and certificate, where batches come over TLS as well */
export async function startRecordReceiver(tlsFiles: readonly string[] = []): Promise<RecordReceiver> {
  const child = await startLineProcess([...programBeside('record-receiver-process.ts'), ...tlsFiles]);
  const { port, tlsPort } = JSON.parse(child.firstLine) as { port: number; tlsPort?: number };
  const root = `http://127.0.0.1:${port}`;
  const ask = async (path: string, change?: ReceiverControl): Promise<string> =>
    (
      await fetch(`${root}${path}`, change === undefined ? {} : { method: 'POST', body: JSON.stringify(change) })
    ).text();
  return {
    url: `${root}/v1/records`,
    tlsUrl: tlsPort === undefined ? '' : `https://127.0.0.1:${tlsPort}/v1/records`,
    control: async (change) => JSON.parse(await ask('/control', change)) as ReceiverReport,
    report: async () => JSON.parse(await ask('/report')) as ReceiverReport,
    ids: async () => new Set((await ask('/ids')).split('\n').filter((id) => id !== '')),
    [Symbol.asyncDispose]: child.close,
  };
}

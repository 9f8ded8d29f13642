import { fileURLToPath } from 'node:url';
import { startLineProcess } from '../bench/line-process.js';
import type { ReceiverControl, ReceiverReport } from './record-receiver-process.js';

/** A platform in a process of its own. */
export interface RecordReceiver extends AsyncDisposable {
  /** Where batches are posted. */
  readonly url: string;
  readonly control: (change: ReceiverControl) => Promise<ReceiverReport>;
  readonly report: () => Promise<ReceiverReport>;
  /** Ids of the records that it keeps. */
  readonly ids: () => Promise<ReadonlySet<string>>;
}

/** Path of a file beside this one, as Node is to run it. */
export const programBeside = (name: string): readonly string[] => [
  '--import',
  'tsx',
  fileURLToPath(new URL(name, import.meta.url)),
];

/** Starts it. */
export async function startRecordReceiver(): Promise<RecordReceiver> {
  const child = await startLineProcess(programBeside('record-receiver-process.ts'));
  const { port } = JSON.parse(child.firstLine) as { port: number };
  const root = `http://127.0.0.1:${port}`;
  const ask = async (path: string, change?: ReceiverControl): Promise<string> =>
    (
      await fetch(`${root}${path}`, change === undefined ? {} : { method: 'POST', body: JSON.stringify(change) })
    ).text();
  return {
    url: `${root}/v1/records`,
    control: async (change) => JSON.parse(await ask('/control', change)) as ReceiverReport,
    report: async () => JSON.parse(await ask('/report')) as ReceiverReport,
    ids: async () => new Set((await ask('/ids')).split('\n').filter((id) => id !== '')),
    [Symbol.asyncDispose]: child.close,
  };
}

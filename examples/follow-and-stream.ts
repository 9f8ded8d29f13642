import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { ValueJournal } from '@hopback/sdk/log';
import type { RecordTransport } from '@hopback/sdk/platform';
import {
  RecordFeed,
  createSourceReader,
  FileFollower,
  openDuckDbRecordStore,
  RecordStream,
  RejectFile,
} from '@hopback/sdk/records';
import { SharingPolicy, type FileSourceConfiguration } from '@hopback/sdk/records';
import type { RecordStore } from '@hopback/sdk/records';
import { isMain } from './lab.js';

type Ends = { readonly close: () => Promise<void> };
type Parts = Ends & { follower: FileFollower; stream: RecordStream; store: RecordStore; feed: RecordFeed };

/** Follows, stores, and streams what may leave. Killed and begun again it loses nothing, and ids tell repetitions. */
export async function followAndStream(
  source: FileSourceConfiguration & { readonly path: string },
  options: { readonly directory: string; readonly policy: SharingPolicy; readonly transport: RecordTransport },
): Promise<Parts> {
  const at = (name: string): string => join(options.directory, name);
  const store = await openDuckDbRecordStore({ directory: at('store') });
  const { transport, policy } = options;
  const stream = await RecordStream.open({ directory: at('spool'), source: '/carriers/example', transport });
  const feed = new RecordFeed({ store, stream, policy });
  const rejects = await RejectFile.open({ path: at('rejects.ndjson') });
  const values = await ValueJournal.open({ directory: at('places') });
  const parts = { reader: createSourceReader(source), store: feed, rejects, values };
  const follower = await FileFollower.open({ sourceId: source.id, path: source.path, ...parts });
  const close = async (): Promise<void> => {
    // Whoever hands in first, what it hands in to last.
    for (const part of [follower, rejects, values, stream, store]) await part.close();
  };
  return { follower, stream, store, feed, close };
}

if (isMain(import.meta.url)) {
  const directory = await mkdtemp(join(tmpdir(), 'hopback-'));
  const path = join(directory, 'Master.csv');
  const row = '"","19115550101","12025550143","in","","PJSIP/a-1","PJSIP/b-1","Dial","","2026-11-01 09:30:00",,';
  await writeFile(path, `${row}"2026-11-01 09:30:10",10,0,"NO ANSWER","DOCUMENTATION","1793496600.1",""\nnot a row\n`);
  // In place of createHttpsRecordTransport: a platform that takes everything.
  const deliver: RecordTransport['deliver'] = async () => ({ status: 'acknowledged', rejected: [] });
  const transport = { deliver, close: async () => undefined };
  const policy = new SharingPolicy({ key: new Uint8Array(32).fill(7), rotationId: '2026-11', tenantId: 'example' });
  const source = { id: 'pbx-1', format: 'asterisk-cdr', time: { zone: 'utc' }, path } as const;
  const { follower, stream, feed, close } = await followAndStream(source, { directory, policy, transport });
  await follower.look();
  console.log(follower.statistics().rejected, feed.counts().inserted, feed.counts().shared); // 1 1 1
  console.log((await stream.drain()).status, stream.status().acknowledged); // drained 1
  await close();
  await rm(directory, { recursive: true });
}

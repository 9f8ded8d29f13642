import { readFile } from 'node:fs/promises';
import { gzipSync } from 'node:zlib';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { HopbackError } from '../../sdk/src/errors.js';
import { readRejects } from '../../sdk/src/records/ingest/rejects.js';
import { readSourceConfiguration } from '../../sdk/src/records/ingest/source-configuration.js';
import type { SourceConfiguration } from '../../sdk/src/records/ingest/source-configuration.js';
import { rejectsFile } from '../../sdk/src/records/intake/intake-source.js';
import { RecordIntake } from '../../sdk/src/records/intake/open-record-intake.js';
import { HTTP_RECORDS_SOURCE, recordIntakeApp } from '../../sdk/src/sidecar/intake/record-intake-app.js';
import { sampleCallRecord } from '../../sdk/src/testing/sample-call-record.js';
import { ASTERISK_SOURCE, asteriskRow } from '../support/cli-records-lab.js';
import { testFolder } from '../support/test-folder.js';

const DOCUMENTS = 'test/vectors/records/freeswitch-json';
const FREESWITCH: SourceConfiguration = readSourceConfiguration({
  ...{ id: 'fs-1', format: 'freeswitch-json', time: { zone: 'America/Chicago' } },
});

const folder = testFolder();
let intake: RecordIntake;
beforeEach(async () => {
  intake = await RecordIntake.open({
    directory: folder.path,
    sources: [HTTP_RECORDS_SOURCE, FREESWITCH, readSourceConfiguration(ASTERISK_SOURCE)],
    clock: { nowMs: Date.now },
  });
});
afterEach(() => intake.close());

interface PostOptions {
  readonly type?: string;
  readonly headers?: Readonly<Record<string, string>>;
  readonly app?: ReturnType<typeof recordIntakeApp>;
}

async function post(path: string, body: string | Uint8Array<ArrayBuffer>, options: PostOptions = {}) {
  const { type = 'application/x-ndjson', app = recordIntakeApp({ intake }), ...more } = options;
  const headers = { 'content-type': type, ...more.headers };
  const response = await app.request(path, { method: 'POST', headers, body: new Blob([body]) });
  const answer = (await response.json()) as Readonly<Record<string, unknown>>;
  return { status: response.status, body: answer, headers: response.headers };
}

const line = (legId: string): string => JSON.stringify(sampleCallRecord({ legId }));
const stored = async (): Promise<number> => (await intake.store.statistics()).records;

async function rejectedLines(source: string): Promise<readonly number[]> {
  const lines: number[] = [];
  for await (const row of readRejects(rejectsFile(folder.path, source, 'tail'))) lines.push(row.line);
  return lines;
}

test('each line is answered for: new, repeated or rejected with its line and reason, and what is new is durable', async () => {
  const body = [line('a'), '{', line('b'), '', line('a'), JSON.stringify({ ...sampleCallRecord(), recordId: 'x' })];
  const { status, body: answer } = await post('/v1/records', body.join('\n'));
  expect(status).toBe(200);
  expect(answer).toMatchObject({ accepted: 2, repeated: 1, expired: 0, rejected: 2, areRejectsKept: true });
  expect(answer['rejects']).toMatchObject([
    { line: 2, reason: 'bad-json' },
    { line: 6, reason: 'bad-field', field: 'recordId' },
  ]);
  expect(await stored()).toBe(2);
  expect(await rejectedLines('http')).toEqual([2, 6]);
});

test('a body may be packed with gzip, and is bounded as it is sent and as it is unpacked', async () => {
  const headers = { 'content-encoding': 'gzip' };
  expect(await post('/v1/records', gzipSync(`${line('a')}\n`), { headers })).toMatchObject({ body: { accepted: 1 } });
  const app = recordIntakeApp({ intake, limits: { maxBodyBytes: 4_096 } });
  const large = `${line('b')}\n`.repeat(100);
  expect(await post('/v1/records', large, { app })).toMatchObject({ status: 413, body: { code: 'body-too-large' } });
  expect(await post('/v1/records', gzipSync(large), { app, headers })).toMatchObject({ status: 413 });
  expect(await post('/v1/records', gzipSync(large).subarray(0, 60), { headers })).toMatchObject({ status: 400 });
  expect(await post('/v1/records', line('b'), { headers })).toMatchObject({ status: 400 });
  expect(await stored()).toBe(1);
});

test('refusals are problem documents', async () => {
  const answers = [
    await post('/v1/records', line('a'), { type: 'text/plain' }),
    await post('/v1/records', line('a'), { headers: { 'content-encoding': 'br' } }),
    await post('/v1/records/nobody', line('a')),
    await post('/v1/freeswitch/json_cdr/nobody', '{}', { type: 'application/json' }),
    await post('/v1/nothing', ''),
  ];
  expect(answers.map(({ status, body }) => [status, body['code']])).toEqual([
    [415, 'media-type-unknown'],
    [415, 'media-type-unknown'],
    [404, 'source-unknown'],
    [404, 'source-unknown'],
    [404, 'not-found'],
  ]);
  for (const { headers } of answers) expect(headers.get('content-type')).toBe('application/problem+json');
});

test('rows of a source that is sent are read in its format', async () => {
  const rows = `${asteriskRow(1)}\n${asteriskRow(2)}\nno row\n`;
  expect(await post('/v1/records/pbx-1', rows, { type: 'text/csv' })).toMatchObject({
    body: { accepted: 2, rejected: 1, rejects: [{ line: 3 }] },
  });
});

test('a document of FreeSWITCH is the same call bare, in a form, in base64, and in a form that says one and holds the other', async () => {
  const path = '/v1/freeswitch/json_cdr/fs-1?uuid=1';
  const document = await readFile(`${DOCUMENTS}/incoming.json`);
  const form = 'application/x-www-form-urlencoded';
  const answers = [
    await post(path, document, { type: 'application/json; charset=utf-8' }),
    await post(path, `cdr=${encodeURIComponent(document.toString())}`, { type: form }),
    await post(path, new URLSearchParams({ first: '1', cdr: document.toString(), last: '2' }).toString(), {
      type: form,
    }),
    await post(path, `cdr=${document.toString('base64')}`, { type: 'application/x-www-form-base64-encoded' }),
    await post(path, document, { type: form }),
  ];
  expect(answers.map(({ status, body }) => [status, body['status']])).toEqual([
    [200, 'stored'],
    ...Array.from({ length: 4 }, () => [200, 'repeated']),
  ]);
  expect(await stored()).toBe(1);
});

test('a document that cannot be read is kept for people and acknowledged, so that FreeSWITCH forgets it', async () => {
  const path = '/v1/freeswitch/json_cdr/fs-1';
  const type = 'application/json';
  for (const name of ['no-uuid', 'no-time', 'not-json'])
    expect(await post(path, await readFile(`${DOCUMENTS}/${name}.json`), { type })).toMatchObject({
      status: 202,
      body: { status: 'rejected' },
    });
  expect((await rejectedLines('fs-1')).length).toBe(3);
  const form = 'application/x-www-form-urlencoded';
  expect(await post(path, 'uuid=1', { type: form })).toMatchObject({ status: 400 });
  expect(await post(path, '', { type })).toMatchObject({ status: 400 });
});

test('a document that cannot be read is not acknowledged while the disk does not keep it', async () => {
  const rejects = [{ line: 1, reason: 'bad-json', detail: 'no JSON' }] as const;
  const taken = { status: 'taken', inserted: 0, repeated: 0, expired: 0, skipped: 0, rejected: 1, rejects } as const;
  const full = recordIntakeApp({ intake: { push: async () => ({ ...taken, areRejectsKept: false }) } });
  const answer = await post('/v1/freeswitch/json_cdr/fs-1', '{}', { type: 'application/json', app: full });
  expect(answer).toMatchObject({ status: 503, body: { code: 'not-stored' } });
});

test('a store that refuses, or takes too long, is answered with 503 and when to come again', async () => {
  const causes: unknown[] = [];
  const failure = new HopbackError('storage-failed', 'the disk is full', { retryable: true });
  const onFailed = (cause: unknown): void => void causes.push(cause);
  const refusing = recordIntakeApp({ intake: { push: () => Promise.reject(failure) }, onFailed });
  const first = await post('/v1/records', line('a'), { app: refusing });
  expect(first).toMatchObject({ status: 503, body: { code: 'not-stored' } });
  expect(first.headers.get('retry-after')).toBe('5');
  expect(causes).toEqual([failure]);
  const stalled = recordIntakeApp({
    intake: { push: () => new Promise(() => undefined) },
    limits: { storeTimeoutMs: 1, maxBodyBytes: 65_536, maxInFlightBytes: 70_000 },
  });
  expect(await post('/v1/records', line('a'), { app: stalled })).toMatchObject({ body: { code: 'not-stored' } });
  // What the store has not let go of counts: a stalled disk fills no memory.
  expect(await post('/v1/records', line('a'), { app: stalled })).toMatchObject({ body: { code: 'busy' } });
});

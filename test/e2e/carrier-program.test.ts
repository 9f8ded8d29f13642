import { execFile } from 'node:child_process';
import { mkdtemp, readFile, rm, symlink, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { openSharedRecordStore } from '@hopback/sdk/records';
import type { DuckDbRecordStoreOptions, RecordStore } from '@hopback/sdk/records';
import { sampleCallRecord, TEST_TRUNKS } from '@hopback/sdk/testing';
import type { TestPlatform } from '@hopback/sdk/testing';
import { createCarrierResponder } from '@hopback/sdk/traceback';
import type { CarrierResponder, CarrierResponderOptions } from '@hopback/sdk/traceback';
import { expect, test } from 'vitest';
import { answerTracebacks } from '../../examples/answer-tracebacks.js';
import { compileErrors, removeReferenceExamples } from '../house/reference.js';
import { PLATFORM_BINDINGS } from '../support/platform-bindings.js';

// The program of a carrier that the documentation shows, against the platform of the kit: behind msw, and behind a port.

const MOST_LINES = 15;

const AsyncFunction = (async () => undefined).constructor as new (
  ...parts: string[]
) => (...values: unknown[]) => Promise<unknown>;

async function temporaryFolder() {
  const directory = await mkdtemp(join(tmpdir(), 'hopback-program-'));
  return { directory, [Symbol.asyncDispose]: () => rm(directory, { recursive: true }) };
}

/** Puts the call on record, has it traced, and expects the carrier to name the right upstream, once. */
async function expectAnswer(platform: TestPlatform, store: RecordStore, responder: CarrierResponder): Promise<void> {
  await store.insert([sampleCallRecord()]);
  await store.cover({ sourceId: 'sbc-1', fromUs: 0, toUs: Date.now() * 1_000 });
  const tracebackId = platform.openTraceback();
  const { outcome, hops } = await platform.closed(tracebackId);
  expect(outcome).toBe('point-of-entry');
  expect(hops.map(({ provider }) => provider.providerId)).toEqual(['prv-alder', 'prv-birch', 'prv-cedar']);
  const { requestId } = await platform.requestTo('prv-birch', tracebackId);
  await responder.settled();
  expect(responder.entry(requestId)?.answers.map(({ delivery }) => delivery.state)).toEqual(['acknowledged']);
  expect(platform.request(requestId).answers).toHaveLength(1);
}

/** The block below a heading. */
async function programIn(path: string): Promise<string> {
  const [, block = ''] = /^## First answer\n\n```ts\n(.*?)^```$/ms.exec(await readFile(path, 'utf8')) ?? [];
  return block;
}

const VALUES = ['baseUrl', 'clientId', 'key', 'keyId', 'privateKeyPem'];

test('the carrier program of README.md compiles, and has at most fifteen lines', async () => {
  const program = await programIn('README.md');
  expect(program).not.toBe('');
  expect(program.trimEnd().split('\n').length).toBeLessThanOrEqual(MOST_LINES);
  const declared = VALUES.map((name) => `declare const ${name}: string;`).join(' ');
  const errors = await compileErrors(
    'README.md',
    `declare const receiptKeys: { readonly keys: readonly Readonly<Record<string, unknown>>[] }; ${declared}\n${program}`,
  );
  await removeReferenceExamples();
  expect(errors).toEqual([]);
});

test.each(PLATFORM_BINDINGS)(
  'the carrier program of README.md answers a traceback end to end, over $name',
  async (binding) => {
    await using platform = await binding.start();
    await using folder = await temporaryFolder();
    const at = (name: string): string => join(folder.directory, name);
    const { client, answerKey } = platform.credentials('prv-birch');
    const scope = {
      ...{ baseUrl: platform.baseUrl, receiptKeys: platform.keys, privateKeyPem: answerKey.privateKeyPem },
      ...{ clientId: client.clientId, key: client.key, keyId: client.keyId },
      readFile: async () => JSON.stringify(TEST_TRUNKS),
      openSharedRecordStore: (options: DuckDbRecordStoreOptions) =>
        openSharedRecordStore({ ...options, directory: at(options.directory) }),
      // The platform knows the key of answers by the name that it gave it.
      createCarrierResponder: (options: CarrierResponderOptions) =>
        createCarrierResponder({ ...options, directory: at(options.directory), answerKey }),
    };
    const code = (await programIn('README.md')).replaceAll(/^import [^;]*;$/gm, '');
    const program = new AsyncFunction(...Object.keys(scope), `${code}; return { store, responder };`);
    const made = (await program(...Object.values(scope))) as { store: RecordStore; responder: CarrierResponder };
    await expectAnswer(platform, made.store, made.responder);
    await made.responder.close();
    await made.store.close();
  },
);

test.each(PLATFORM_BINDINGS)(
  'the carrier program of the examples answers a traceback end to end, over $name',
  async (binding) => {
    await using platform = await binding.start();
    await using folder = await temporaryFolder();
    const { client, answerKey } = platform.credentials('prv-birch');
    const carrier = await answerTracebacks({
      ...{ directory: folder.directory, trunks: TEST_TRUNKS, answerKey },
      platform: { baseUrl: platform.baseUrl, receiptKeys: platform.keys, ...client },
    });
    await expectAnswer(platform, carrier.store, carrier);
    await carrier.close();
  },
);

test('the way from nothing to a signed answer that the guide shows is walked as it stands', async () => {
  const guide = await readFile('docs/guides/answer-tracebacks.md', 'utf8');
  const [, program = '', session = ''] =
    /^## From nothing$[^]*?^```js\n([^]*?)^```\n\n```\n([^]*?)^```$/m.exec(guide) ?? [];
  await using folder = await temporaryFolder();
  const run = promisify(execFile);
  await symlink(join(process.cwd(), 'node_modules'), join(folder.directory, 'node_modules'));
  await writeFile(join(folder.directory, 'try.mjs'), program);
  const commands = session.trimEnd().split(/^\$ /m).slice(1);
  expect(commands).toHaveLength(3);
  for (const shown of commands) {
    const [command = '', ...lines] = shown.trimEnd().split('\n');
    const args = command
      .replace(/^npx --no hopback/, `node ${join(process.cwd(), 'sdk/dist/cli/main.js')}`)
      .split(' ')
      .slice(1);
    const { stdout } = await run(process.execPath, args, { cwd: folder.directory }).catch((error: unknown) => {
      // Evidence agrees with itself by the key that lies in its folder.
      if ((error as { readonly code?: unknown }).code === 3) return error as { readonly stdout: string };
      throw error;
    });
    const same = (text: string): string => text.replaceAll(/\d{4}-\d\d-\d\dT[\d:.]+Z|[0-9a-f]{64}/g, '…');
    expect([command, same(stdout)]).toEqual([command, expect.stringContaining(same(lines.join('\n')))]);
  }
});

test('the program of the examples has at most fifteen lines', async () => {
  const text = await readFile('examples/answer-tracebacks.ts', 'utf8');
  const [program = ''] = /^export async function answerTracebacks\([^]*?^\}$/m.exec(text) ?? [];
  expect(program).not.toBe('');
  expect(program.split('\n').length).toBeLessThanOrEqual(MOST_LINES);
});

import { execFile } from 'node:child_process';
import { readFile, symlink } from 'node:fs/promises';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { SharedRecordStore, type DuckDbRecordStoreOptions, type RecordStore } from '@hopback/sdk/records';
import { sampleCallRecord, TEST_TRUNKS } from '@hopback/sdk/testing';
import { createCarrierResponder, type TracebackResponder, type CarrierResponderOptions } from '@hopback/sdk/traceback';
import { expect, test } from 'vitest';
import { compileErrors, removeReferenceExamples } from '../house/reference.js';
import { createTemporaryDirectory } from '../peers/temporary-directory.js';
import { PLATFORM_BINDINGS } from '../support/platform-bindings.js';

// The program of a carrier that the documentation shows, against the platform of the kit: behind msw, and behind a port.

const MOST_LINES = 15;

const AsyncFunction = (async () => undefined).constructor as new (
  ...parts: string[]
) => (...values: unknown[]) => Promise<unknown>;

/** The block below a heading. */
async function programIn(path: string): Promise<string> {
  const [, block = ''] = /^## First answer\n\n```ts\n(.*?)^```$/ms.exec(await readFile(path, 'utf8')) ?? [];
  return block;
}

const VALUES = ['baseUrl', 'clientId', 'key', 'keyId', 'privateKeyPem'];

test('the carrier programs of README.md and of the examples have at most fifteen lines, and the former compiles', async () => {
  const program = await programIn('README.md');
  const text = await readFile('examples/answer-tracebacks.ts', 'utf8');
  const [example = ''] = /^export async function answerTracebacks\([^]*?^\}$/m.exec(text) ?? [];
  for (const code of [program, example]) {
    expect(code).not.toBe('');
    expect(code.trimEnd().split('\n').length).toBeLessThanOrEqual(MOST_LINES);
  }
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
    await using folder = await createTemporaryDirectory();
    const at = (name: string): string => join(folder.path, name);
    const { client, answerKey } = platform.credentials('prv-birch');
    const scope = {
      ...{ baseUrl: platform.baseUrl, receiptKeys: platform.keys, privateKeyPem: answerKey.privateKeyPem },
      ...{ clientId: client.clientId, key: client.key, keyId: client.keyId },
      readFile: async () => JSON.stringify(TEST_TRUNKS),
      SharedRecordStore: {
        open: (options: DuckDbRecordStoreOptions) =>
          SharedRecordStore.open({ ...options, directory: at(options.directory) }),
      },
      // The platform knows the key of answers by the name that it gave it.
      createCarrierResponder: (options: CarrierResponderOptions) =>
        createCarrierResponder({ ...options, directory: at(options.directory), answerKey }),
    };
    const code = (await programIn('README.md')).replaceAll(/^import [^;]*;$/gm, '');
    const program = new AsyncFunction(...Object.keys(scope), `${code}; return { store, responder };`);
    const made = await program(...Object.values(scope));
    const { store, responder } = made as { readonly store: RecordStore; readonly responder: TracebackResponder };
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
    await responder.close();
    await store.close();
  },
);

test('the commands of the guide lead from nothing to a signed answer, and print what it shows', async () => {
  const guide = await readFile('docs/guides/answer-tracebacks.md', 'utf8');
  const [, program = '', session = ''] =
    /^## From nothing$[^]*?^```js\n([^]*?)^```\n\n```\n([^]*?)^```$/m.exec(guide) ?? [];
  await using folder = await createTemporaryDirectory();
  const run = promisify(execFile);
  await symlink(join(process.cwd(), 'node_modules'), join(folder.path, 'node_modules'));
  await folder.write('try.mjs', program);
  const commands = session.trimEnd().split(/^\$ /m).slice(1);
  expect(commands).toHaveLength(3);
  for (const shown of commands) {
    const [command = '', ...lines] = shown.trimEnd().split('\n');
    const args = command
      .replace(/^npx --no hopback/, `node ${join(process.cwd(), 'sdk/dist/cli/main.js')}`)
      .split(' ')
      .slice(1);
    const { stdout } = await run(process.execPath, args, { cwd: folder.path }).catch((error: unknown) => {
      // Evidence agrees with itself by the key that lies in its folder.
      if ((error as { readonly code?: unknown }).code === 3) return error as { readonly stdout: string };
      throw error;
    });
    const same = (text: string): string => text.replaceAll(/\d{4}-\d\d-\d\dT[\d:.]+Z|[0-9a-f]{64}/g, '…');
    expect([command, same(stdout)]).toEqual([command, expect.stringContaining(same(lines.join('\n')))]);
  }
});

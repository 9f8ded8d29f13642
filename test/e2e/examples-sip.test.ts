import { once } from 'node:events';
import { mkdir, readFile, rm, writeFile } from 'node:fs/promises';
import { DrachtioServer } from '@hopback/harness/drachtio';
import Srf from 'drachtio-srf';
import { expect, onTestFinished, test, vi } from 'vitest';
import { openCarrier, SDP } from '../../examples/sip-lab.js';
import { ladder } from '../../examples/sip-ladder.js';
import { compileErrors, printedBy, removeReferenceExamples } from '../house/reference.js';
import { ROOT, run } from '../house/run.js';

test('sip-ladder draws what passed three servers, each message once', async () => {
  const seen: Parameters<typeof ladder>[0][number][] = [];
  const onMessage = (message: (typeof seen)[number]): void => void seen.push(message);
  const last = await openCarrier((srf) => srf.invite((_req, res) => res.send(486)), { onMessage });
  const middle = await openCarrier(
    (srf) => srf.invite((req) => srf.proxyRequest(req, last.server.uri(), { remainInDialog: true })),
    { onMessage },
  );
  const first = await openCarrier(undefined, { onMessage });
  onTestFinished(async () => void (await Promise.all([first, middle, last].map((carrier) => carrier.close()))));
  const call = first.srf.createUAC(middle.server.uri(), { localSdp: SDP });
  await expect(call).rejects.toMatchObject({ status: 486 });
  await vi.waitFor(() => expect(seen.filter(({ text }) => text.startsWith('ACK '))).toHaveLength(4), {
    ...{ timeout: 20_000, interval: 50 },
  });
  const drawn = ladder(seen, { first: first.server, middle: middle.server, last: last.server }).split('\n');
  expect(drawn[0]?.split(/ +/)).toEqual(['first', 'middle', 'last']);
  expect(drawn).toHaveLength(9);
  expect(drawn.slice(1).every((line) => line.length === 57)).toBe(true);
  expect(drawn.filter((line) => line.includes(' 486 Busy Here |'))).toHaveLength(2);
});

// The test of the guide, word for word.
test('refuses a call without an Identity header', async () => {
  await using server = await DrachtioServer.open();
  // The application as it is: what changes is where it connects.
  const srf = new Srf();
  srf.invite((req, res) => res.send(req.has('Identity') ? 486 : 428));
  void srf.connect(server.control);
  await once(srf, 'connect');

  // Whoever calls it is an application with a server of its own.
  await using elsewhere = await DrachtioServer.open();
  const caller = new Srf();
  void caller.connect(elsewhere.control);
  await once(caller, 'connect');
  const call = caller.createUAC(server.uri(), { localSdp: 'v=0\r\n' });
  await expect(call).rejects.toMatchObject({ status: 428 });

  for (const app of [caller, srf]) app.disconnect();
});

/** The blocks of a guide: those that are tests, and all others as one program. */
async function blocksOf(guide: string): Promise<{ readonly tests: readonly string[]; readonly program: string }> {
  const text = await readFile(guide, 'utf8');
  const blocks = [...text.matchAll(/^```ts\n(.*?)^```$/gms)].map(([, block]) => block ?? '');
  const isTest = (block: string): boolean => block.includes(" from 'vitest'");
  return {
    tests: blocks.filter(isTest),
    program: `${blocks.filter((block) => !isTest(block)).join('\n')}\nexport {};\n`,
  };
}

test('the test that drachtio-server.md shows is the one above', async () => {
  const { tests } = await blocksOf('docs/guides/drachtio-server.md');
  expect(tests).toHaveLength(1);
  const body = tests.join('').slice(tests.join('').indexOf('\ntest('));
  expect(await readFile('test/e2e/examples-sip.test.ts', 'utf8')).toContain(body);
});

test.each(['docs/guides/drachtio-server.md', 'docs/guides/phones-and-faults.md', 'harness/README.md'])(
  'the blocks of %s are a program that compiles and prints what it says',
  async (guide) => {
    const { program } = await blocksOf(guide);
    await expect(compileErrors(guide, program)).resolves.toEqual([]);
    await removeReferenceExamples();
    const folder = `${ROOT}.cache/guides/${process.pid}`;
    await mkdir(folder, { recursive: true });
    const file = `${folder}/program.ts`;
    await writeFile(file, program);
    const { code, output } = await run(process.execPath, ['--import', 'tsx', file]);
    await rm(folder, { recursive: true, force: true });
    expect({ code, output }).toMatchObject({ code: 0 });
    const said = printedBy(program);
    expect(said.length).toBeGreaterThan(1);
    const printed = output.split('\n');
    expect(said.filter((line) => !printed.includes(line))).toEqual([]);
  },
);

import { createSocket } from 'node:dgram';
import { once } from 'node:events';
import { readFile, writeFile } from 'node:fs/promises';
import { expect, onTestFinished, test } from 'vitest';
import { describePeer } from '../peers.js';
import { freePorts, isTaken, readRecipe, runCommand, startCommand, waitUntil } from '../support/recipe.js';
import { headerValues, inviteText, statusCode } from './sip-datagrams.js';
import { createTemporaryDirectory } from './temporary-directory.js';

/** The six steps of docs/switches/kamailio.md, as far as they stay, and how a block is run behind the one that defines what it uses. */
async function follow() {
  const directory = await createTemporaryDirectory();
  onTestFinished(directory.close);
  const [calls = 0, carriers = 0, customers = 0, sipp = 0, phone = 0] = await freePorts(5);
  const ports = { '8090': calls, '5070': carriers, '5072': customers, '5074': sipp, '5080': phone };
  const chosen = Object.fromEntries(Object.entries(ports).map(([from, to]) => [from, String(to)]));
  const blocks = await readRecipe('docs/switches/kamailio.md', { ...chosen, '~/hopback-lab': directory.path });
  const under = (heading: string, language = 'sh'): string =>
    blocks.find((block) => block.heading === heading && block.language === language)?.text ?? '';
  const lab = startCommand(under('2. A carrier'));
  await waitUntil(() => lab.said().includes('a carrier is in'));
  const sidecar = startCommand(under('3. The sidecar'));
  await waitUntil(() => sidecar.said().includes('"isReady":true'));
  await writeFile(`${directory.path}/kamailio.cfg`, under('4. Kamailio', 'text'));
  const kamailio = startCommand(under('4. Kamailio'));
  startCommand(under('5. A phone'));
  await Promise.all([carriers, customers, phone].map((port) => waitUntil(() => isTaken(port))));
  const [functions] = blocks.filter(({ heading }) => heading === '6. Calls');
  return {
    ...{ directory: directory.path, carriers, sidecar, kamailio },
    calls: blocks.slice(blocks.indexOf(functions!) + 1),
    run: ({ text }: { readonly text: string }): Promise<string> => runCommand(`${functions?.text ?? ''}\n${text}`),
  };
}

describePeer(['kamailio-http', 'sipp'], 'docs/switches/kamailio.md, followed step by step', () => {
  test('what its commands print is what it says: signed, spoofed by both policies, unsigned, a sidecar that hangs and one that is gone', async () => {
    const { calls, run, sidecar, kamailio } = await follow();
    const printed: string[] = [];
    for (const [index, block] of calls.entries()) {
      if (block.language !== 'sh') continue;
      if (block.heading === 'The sidecar hangs') sidecar.signal('SIGSTOP');
      if (block.heading === 'The sidecar is gone') await sidecar.stop();
      const said = await run(block);
      if (block.text.includes('hopback.yaml')) await waitUntil(() => sidecar.said().includes('in force'));
      const promised = calls[index + 1]?.language === 'text' ? `${calls[index + 1]?.text ?? ''}\n` : '';
      expect(said).toBe(promised);
      printed.push(...said.trim().split('\n'));
    }
    expect(printed.filter((line) => line.includes('verstat'))).toHaveLength(5);
    // Each trouble has a line in Kamailio's log.
    expect(kamailio.said()).toMatch(/not verified, timeout\n(.*\n)*.*not verified, unreachable\n/);
  }, 60_000);

  test('while the sidecar hangs no process of Kamailio waits, a CANCEL is answered, and an INVITE that is repeated is one call', async () => {
    const { carriers, sidecar, directory } = await follow();
    sidecar.signal('SIGSTOP');
    await using caller = await openCaller(carriers);
    const waiting = Array.from({ length: WAITING }, () => inviteText({ orig: `+${CALLER}`, dest: `+${CALLED}` }));
    for (const invite of waiting) caller.send(invite);
    caller.send(waiting[0] ?? '');
    const cancelled = inviteText({ orig: '+12025550177', dest: `+${CALLED}` });
    caller.send(cancelled);
    await waitUntil(() => caller.statuses().filter((status) => status === 100).length > WAITING);
    caller.send(cancelled.replace(/^INVITE/, 'CANCEL').replace('1 INVITE', '1 CANCEL'));
    await waitUntil(() => caller.statuses().filter((status) => status === 200).length > WAITING);
    // Two processes that waited would take two calls, and the next ones when these have gone on.
    const taken = caller.statuses().findIndex((status) => status !== 100);
    expect(taken).toBeGreaterThan(10);
    await waitUntil(() => caller.statuses().includes(487));
    const phone = await readFile(`${directory}/phone.log`, 'latin1');
    expect(new Set(phone.match(/^Call-ID: .*$/gm)).size).toBe(WAITING);
    expect(phone).not.toContain('+12025550177');
  }, 60_000);

  test('takes away the marks that a call brings along, whether the sidecar answers or not', async () => {
    const { run, carriers, sidecar, directory } = await follow();
    const asserted = (number: string): string =>
      `P-Asserted-Identity: "A, B" <sip:${number};tgrp=x;verstat=TN-Validation-Passed@a.example>, <tel:${number}>`;
    const call = (from: string, field: string): Promise<string> =>
      run({ text: `call ${String(carriers)} '${from}' '${field}'` });
    await call('+12025550166', asserted('+12025550188'));
    await call('+12025550166', 'X-Hopback-Unverified: timeout');
    await sidecar.stop();
    await call('+12025550166;verstat=TN-Validation-Passed', asserted('+12025550189'));
    await call('+12025550166', 'P-Asserted-Identity: <sip:pbx@a.example>');
    const phone = await readFile(`${directory}/phone.log`, 'latin1');
    const invites = phone.split(/^INVITE /m).slice(1);
    const marks = /^(?:From|P-Asserted-Identity|X-Hopback-Unverified): .*?(?=@127|;user=phone|$)/gm;
    expect(invites.map((text) => text.split('v=0', 1)[0]?.replaceAll('\r', '').match(marks))).toEqual([
      [
        'From: <sip:+12025550166',
        'P-Asserted-Identity: "A, B" <sip:+12025550188;tgrp=x;verstat=No-TN-Validation@a.example',
      ],
      ['From: <sip:+12025550166;verstat=No-TN-Validation'],
      [
        'From: <sip:+12025550166',
        'P-Asserted-Identity: "A, B" <sip:+12025550189;verstat=No-TN-Validation;tgrp=x@a.example>, <tel:+12025550189;verstat=No-TN-Validation>',
        'X-Hopback-Unverified: unreachable',
      ],
      [
        'From: <sip:+12025550166;verstat=No-TN-Validation',
        'P-Asserted-Identity: <sip:pbx@a.example>',
        'X-Hopback-Unverified: unreachable',
      ],
    ]);
  }, 60_000);

  test('a refusal brings its Reason, and a call that goes on has one for each Identity', async () => {
    const { carriers, sidecar, directory } = await follow();
    await using caller = await openCaller(carriers);
    const put = async (action: string, further: string): Promise<void> => {
      const path = `${directory}/hopback.yaml`;
      const text = await readFile(path, 'utf8');
      await writeFile(path, text.replace(/failureAction: .*/, `failureAction: ${action}${further} }`));
      const before = sidecar.said();
      sidecar.signal('SIGHUP');
      await waitUntil(() => sidecar.said().slice(before.length).includes('in force'));
    };
    const unfetched = (letter: string): string =>
      `Identity: eyJh.${letter.repeat(2_000)}.${'A'.repeat(86)};info=<https://127.0.0.1/a>;alg=ES256;ppt=shaken`;
    const call = async (status: number): Promise<string> => {
      caller.send(inviteText({ orig: `+${CALLER}`, dest: `+${CALLED}`, headers: [unfetched('a'), unfetched('b')] }));
      await waitUntil(() => caller.statuses().includes(status));
      return caller.answers().find((answer) => statusCode(answer) === status) ?? '';
    };
    await put(
      'reject_request',
      ', rejects: [failed, indeterminate], rejectWith: { url: "https://a.example", location: LN }',
    );
    const refused = await call(603);
    expect(refused).toMatch(/^SIP\/2\.0 603 Network Blocked\r\n/);
    expect(headerValues(refused, 'Reason')).toEqual([
      'SIP;cause=603;text="v=analytics1;url=https://a.example";location=LN',
    ]);
    await put('continue_return_reason', '');
    expect(headerValues(await call(200), 'Reason')).toEqual([
      expect.stringMatching(/^STIR;cause=438;text="Invalid Identity Header"/),
      expect.stringMatching(/^STIR;cause=438;text="Invalid Identity Header"/),
    ]);
  }, 60_000);
});

const [CALLER, CALLED] = ['12025550166', '12025550199'];
/** Calls that wait at once; far more than there are processes of Kamailio. */
const WAITING = 40;

/** A socket that sends requests, and what it is answered. */
async function openCaller(port: number) {
  const socket = createSocket('udp4');
  const answers: string[] = [];
  socket.on('message', (bytes) => answers.push(bytes.toString('utf8')));
  socket.bind(0, '127.0.0.1');
  await once(socket, 'listening');
  return {
    send: (text: string): void => socket.send(text, port, '127.0.0.1'),
    answers: (): readonly string[] => answers,
    statuses: (): readonly (number | undefined)[] => answers.map((answer) => statusCode(answer)),
    [Symbol.asyncDispose]: async (): Promise<void> => {
      socket.close();
      await once(socket, 'close');
    },
  };
}

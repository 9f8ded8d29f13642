import { appendFile, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { sampleInvite } from '@hopback/sdk/testing';
import { afterAll, describe, expect, test } from 'vitest';
import { openSidecarLab } from '../../examples/sidecar-lab.js';
import { Sidecar } from '../../sdk/src/sidecar/index.js';
import { ROOT } from '../house/run.js';
import { describePeer, peer } from '../peers.js';
import { createTemporaryDirectory } from '../peers/temporary-directory.js';
import { runAgiScript } from '../support/agi-script.js';
import { readRecipe, type RecipeBlock, runCommand } from '../support/recipe.js';

const [CALLER, SPOOFED, CALLED] = ['12025550101', '12025550166', '12025550199'];
/** Where the documents have their sidecar. */
const DOCUMENTED = 'http://127.0.0.1:8090';
/** The discard port, at which nobody listens. */
const NOBODY = 'http://127.0.0.1:9';

const directory = await createTemporaryDirectory();
const lab = await openSidecarLab(directory.path);
// What the recipe of SBCs says of answers is true of every switch.
const [documented] = await blocksOf('oracle-ribbon', 'yaml');
await appendFile(lab.configurationPath, `${(documented?.text ?? '').replace(/^listen:\n(?: .*\n)*/m, '')}\n`);
const settings = [{ path: ['listen', 'calls', 'port'], value: 0, from: 'the test' }];
const sidecar = await Sidecar.start({ configurationPath: lab.configurationPath, settings });
const origin = `http://127.0.0.1:${String(sidecar.calls.port)}`;

afterAll(async () => {
  await sidecar.close();
  await lab.close();
  await directory.close();
});

async function blocksOf(name: string, language: string): Promise<readonly RecipeBlock[]> {
  const blocks = await readRecipe(`docs/switches/${name}.md`);
  return blocks.filter((block) => block.language === language);
}

async function post(url: string, { type, body }: { readonly type: string; readonly body: string }): Promise<Response> {
  const asked = url.replace(DOCUMENTED, origin);
  return fetch(asked, { method: 'POST', headers: { 'Content-Type': type, 'X-RequestID': 'call-1' }, body });
}

/** Signed for a call from one number to the other, by the sidecar. */
async function identityHeader(): Promise<string> {
  const answer = await post(`${origin}/v1/sign-csv`, { type: 'text/plain', body: `${CALLER},${CALLED},A,,` });
  return (await answer.text()).trim();
}

/** A request as the documents print one. */
function requestIn(text: string): { readonly path: string; readonly body: string } {
  const [, path = '', body = ''] = /^POST (\S+)\n\n(.*)$/s.exec(text) ?? [];
  return { path, body };
}

/** Sets what a failed verdict does. */
async function failureAction(word: string): Promise<void> {
  const text = await readFile(lab.configurationPath, 'utf8');
  await writeFile(lab.configurationPath, text.replace(/failureAction: \w+/, `failureAction: ${word}`));
  await sidecar.reload();
}

describe('docs/switches/oracle-ribbon.md', () => {
  test('every request is answered as it is printed', async () => {
    const identity = await identityHeader();
    const now = String(Math.floor(Date.now() / 1_000));
    const blocks = (await blocksOf('oracle-ribbon', 'text')).map(({ text }) => text);
    let asked = 0;
    for (const [index, block] of blocks.entries()) {
      const { path, body } = requestIn(block);
      if (path === '') continue;
      asked += 1;
      const filled = body.replace('NOW', now).replace('IDENTITY', identity);
      const answer = await post(`${origin}${path}`, { type: 'application/json', body: filled });
      const printed = blocks[index + 1] ?? '';
      const said = `${String(answer.status)} ${await answer.text()}`;
      expect(answer.headers.get('x-requestid')).toBe('call-1');
      const pattern = printed.split('…').map((part) => part.replaceAll(/[$()*+.?[\\\]^{|}]/g, '\\$&'));
      expect(said).toMatch(new RegExp(`^${pattern.join('.*')}$`, 's'));
    }
    expect(asked).toBe(6);
  });

  test('heartbeats are not counted as calls', async () => {
    const before = await sidecar.metrics.registry.getSingleMetricAsString('stir_verifications_total');
    const heartbeats = (await blocksOf('oracle-ribbon', 'text')).filter(({ text }) => text.includes('9999999999"'));
    expect(heartbeats).toHaveLength(2);
    for (const { text } of heartbeats) {
      const { path, body } = requestIn(text);
      expect((await post(`${origin}${path}`, { type: 'application/json', body })).status).toBe(200);
    }
    await expect(sidecar.metrics.registry.getSingleMetricAsString('stir_verifications_total')).resolves.toBe(before);
  });

  test('what the table says of 415, 406 and SVC exceptions is so', async () => {
    const url = `${origin}/stir/v1/verification`;
    expect((await post(url, { type: 'text/xml', body: '{}' })).status).toBe(415);
    const headers = { 'Content-Type': 'application/json', Accept: 'text/html' };
    expect((await fetch(url, { method: 'POST', headers, body: '{}' })).status).toBe(406);
    const answer = await post(url, { type: 'application/json', body: '{}' });
    expect(await answer.json()).toMatchObject({ requestError: { serviceException: { messageId: 'SVC4001' } } });
  });
});

describe('docs/switches/opensips.md', () => {
  test('its requests are taken, and every member of an answer that it reads is there', async () => {
    const [script] = await blocksOf('opensips', 'text');
    const requests = [...(script?.text ?? '').matchAll(/rest_post\("([^"]+)", \$var\(invite\), "([^"]+)"/g)];
    expect(requests.map(([, url]) => url)).toEqual([
      `${DOCUMENTED}/v1/invite/sign?attest=A`,
      `${DOCUMENTED}/v1/invite/verify?address=$si`,
    ]);
    const identity = await identityHeader();
    const invites = [[], [identity]].flatMap((identityHeaders) =>
      [CALLER, SPOOFED].map((origTn) => sampleInvite({ origTn, identityHeaders, dateMs: Date.now() })),
    );
    const members = new Set<string>();
    for (const word of ['reject_request', 'continue_return_reason']) {
      await failureAction(word);
      for (const [, url = '', type = ''] of requests)
        for (const body of invites) {
          const answer = await post(url.replace('$si', '192.0.2.1'), { type, body });
          expect(answer.status).toBe(200);
          for (const member of membersOf((await answer.json()) as object)) members.add(member);
        }
    }
    const read = [...(script?.text ?? '').matchAll(/\$\(?json\(answer\/([\w/]+)/g)].map(([, path]) => path ?? '');
    expect(new Set(read).size).toBeGreaterThan(8);
    expect(read.filter((path) => !members.has(path))).toEqual([]);
  });
});

/** Paths of all members: `caller/name`. */
function membersOf(document: object, prefix = ''): readonly string[] {
  return Object.entries(document).flatMap(([name, value]: [string, unknown]) =>
    typeof value === 'object' && value !== null && !Array.isArray(value)
      ? membersOf(value, `${prefix}${name}/`)
      : [`${prefix}${name}`],
  );
}

describePeer(['lua', 'curl'], 'docs/switches/freeswitch.md', () => {
  /** Runs a script of the document with the stand-in; what it does with the call, line by line. */
  async function runScript(
    index: number,
    { variables, args = '', at = origin }: { variables: Readonly<Record<string, string>>; args?: string; at?: string },
  ): Promise<readonly string[]> {
    const script = (await blocksOf('freeswitch', 'lua'))[index]?.text.replace(DOCUMENTED, at) ?? '';
    const path = await directory.write('script.lua', script);
    const lines = Object.entries(variables).map(([name, value]) => `${name}=${value}\n`);
    const given = await directory.write('variables', lines.join(''));
    const session = join(ROOT, 'test/support/freeswitch-session.lua');
    const said = await runCommand(`'${peer('lua').path}' '${session}' '${given}' '${path}' ${args}`);
    return said.trimEnd().split('\n');
  }

  const variables = (from: string, identity: string): Readonly<Record<string, string>> => ({
    sip_req_uri: `+${CALLED}@terminating.example`,
    sip_received_ip: '192.0.2.1',
    sip_i_from: `"A, B" <sip:+${from};verstat=TN-Validation-Passed@originating.example>;tag=1`,
    sip_i_to: `<sip:+${CALLED}@terminating.example>`,
    sip_i_call_id: '1@originating.example',
    ...(identity !== '' && { sip_i_identity: identity }),
  });
  const marked = (from: string, verstat: string): string =>
    `execute\texport\tnolocal:sip_h_P-Asserted-Identity=<sip:+${from};verstat=${verstat}@originating.example`;

  test('a signed call goes on with its verstat, a spoofed one is answered 438, or goes on with a Reason', async () => {
    await failureAction('reject_request');
    const identity = await identityHeader();
    expect(await runScript(0, { variables: variables(CALLER, identity) })).toEqual([
      'set\tsip_verstat\tTN-Validation-Passed',
      `${marked(CALLER, 'TN-Validation-Passed')};user=phone>`,
    ]);
    const spoofed = variables(SPOOFED, identity);
    expect(await runScript(0, { variables: spoofed })).toEqual([
      'set\tsip_verstat\tNo-TN-Validation',
      'execute\trespond\t438 Invalid Identity Header',
    ]);
    await failureAction('continue_return_reason');
    expect(await runScript(0, { variables: spoofed })).toEqual([
      'set\tsip_verstat\tNo-TN-Validation',
      expect.stringMatching(/^set\tsip_ph_Reason\tSTIR;cause=438;/),
      expect.stringMatching(/^set\tsip_rh_Reason\tSTIR;cause=438;/),
      `${marked(SPOOFED, 'No-TN-Validation')};user=phone>`,
    ]);
  });

  test('both of two Identity header fields are looked at', async () => {
    await failureAction('reject_request');
    const identities = `ARRAY::${await identityHeader()}|:junk;info=<https://a.example/b>`;
    const [verstat] = await runScript(0, { variables: variables(CALLER, identities) });
    expect(verstat).toBe('set\tsip_verstat\tTN-Validation-Passed');
  });

  test('without an answer the call goes on, marked', async () => {
    const lines = await runScript(0, { variables: variables(CALLER, ''), at: NOBODY });
    expect(lines).toEqual([
      `${marked(CALLER, 'No-TN-Validation')}>`,
      'execute\texport\tnolocal:sip_h_X-Hopback-Unverified=no-answer',
      'set\tsip_verstat\tNo-TN-Validation',
    ]);
  });

  test('a call is signed with the attestation that was decided, and goes out unsigned where it cannot be', async () => {
    const numbers = { effective_caller_id_number: `+${CALLER}`, destination_number: CALLED };
    const [line = ''] = await runScript(1, { variables: numbers, args: 'B' });
    const [, identity = ''] = /^execute\texport\tnolocal:sip_h_Identity=(.*)$/.exec(line) ?? [];
    const claims = JSON.parse(Buffer.from(identity.split('.')[1] ?? '', 'base64url').toString()) as object;
    expect(claims).toMatchObject({ attest: 'B', orig: { tn: CALLER }, dest: { tn: [CALLED] } });
    const unsigned = await runScript(1, { variables: { ...numbers, effective_caller_id_number: 'anonymous' } });
    expect(unsigned[0]).toMatch(/^log\tWARNING\tnot signed/);
  });

  test('its XML is well formed', async () => {
    for (const { text } of await blocksOf('freeswitch', 'xml')) {
      const open: string[] = [];
      const tag = /<(\/?)([a-z]+)(?: [a-z-]+="[^"<]*")*(\/?)>/g;
      for (const [, end, name, empty] of text.matchAll(tag)) {
        if (end === '/') expect(open.pop()).toBe(name);
        else if (empty === '') open.push(name ?? '');
      }
      expect([open, text.replaceAll(tag, '').trim()]).toEqual([[], '']);
    }
  });
});

describePeer('curl', 'docs/switches/asterisk.md', () => {
  async function runAgi(values: Readonly<Record<string, string>>, at = origin) {
    const [script] = await blocksOf('asterisk', 'sh');
    const path = await directory.write('hopback-verify', script?.text ?? '');
    return runAgiScript(path, { values, arguments: ['carrier-a'], environment: { HOPBACK_SIDECAR: at } });
  }

  const values = (from: string, ...identities: readonly string[]): Readonly<Record<string, string>> => ({
    'CHANNEL(pjsip,request_uri)': `sip:+${CALLED}@terminating.example`,
    'PJSIP_HEADER(read,From,1)': `"A (\\"B\\")" <sip:+${from};verstat=TN-Validation-Passed@originating.example>;tag=1`,
    'PJSIP_HEADER(read,To,1)': `<sip:+${CALLED}@terminating.example>`,
    'PJSIP_HEADER(read,Call-ID,1)': '1@originating.example',
    ...Object.fromEntries(identities.map((value, at) => [`PJSIP_HEADER(read,Identity,${String(at + 1)})`, value])),
  });
  const marked = (from: string, verstat: string): string => `<sip:+${from};verstat=${verstat}@originating.example`;

  test('a signed call goes on with its verstat, also beside a junk Identity; a spoofed one is refused with 438', async () => {
    await failureAction('reject_request');
    const identity = await identityHeader();
    const good = {
      HOPBACK_ACTION: 'continue',
      HOPBACK_STATUS: '',
      HOPBACK_VERSTAT: 'TN-Validation-Passed',
      __HOPBACK_CALLER: `${marked(CALLER, 'TN-Validation-Passed')};user=phone>`,
    };
    expect(await runAgi(values(CALLER, identity))).toEqual(good);
    expect(await runAgi(values(CALLER, 'junk;info=<https://a.example/b>', identity))).toEqual(good);
    const refused = { HOPBACK_ACTION: 'reject', HOPBACK_STATUS: '438', HOPBACK_VERSTAT: 'No-TN-Validation' };
    expect(await runAgi(values(SPOOFED, identity))).toMatchObject(refused);
  });

  test('without an answer the call goes on, marked', async () => {
    expect(await runAgi(values(CALLER), NOBODY)).toEqual({
      HOPBACK_ACTION: 'continue',
      HOPBACK_STATUS: '',
      HOPBACK_VERSTAT: 'No-TN-Validation',
      __HOPBACK_UNVERIFIED: 'no-answer',
      __HOPBACK_CALLER: `${marked(CALLER, 'No-TN-Validation')}>`,
    });
  });

  test('the dial plan signs with a request that is taken, and its lines are whole', async () => {
    const plans = (await blocksOf('asterisk', 'ini')).map(({ text }) => text);
    const [, url = ''] = /\$\{CURL\((\S+?),\$\{LINE\}\)\}/.exec(plans.join('\n')) ?? [];
    const [, line = ''] = /Set\(LINE=(.*)\)$/m.exec(plans.join('\n')) ?? [];
    const body = line.replace('${CALLERID(num)}', `+${CALLER}`).replace('${EXTEN}', `+${CALLED}`);
    const answer = await post(url, { type: 'application/x-www-form-urlencoded', body });
    expect((await answer.text()).slice(0, 2)).toBe('ey');
    for (const one of plans.flatMap((text) => text.split('\n')).filter((text) => text !== '')) {
      expect(one).toMatch(/^(?:\[[\w-]+\]|exten => \w*[.\w]*,1,\w+\(.*\)| same => n(?:\(\w+\))?,\w+\(.*\))$/);
      expect(one.split('(')).toHaveLength(one.split(')').length);
      expect(one.split('{')).toHaveLength(one.split('}').length);
    }
  });
});

test.each(['asterisk', 'freeswitch'])(
  'the source of docs/switches/%s.md is followed as it is printed',
  async (name) => {
    const [block] = await blocksOf(name, 'json');
    const source = await directory.write(`${name}.json`, block?.text ?? '');
    const store = join(directory.path, `store-${name}`);
    const empty = await directory.write('Master.csv', '');
    const command = `node sdk/dist/cli/main.js records tail --store '${store}' --source '${source}' --once --path '${empty}' --json`;
    await expect(runCommand(command)).resolves.toContain('"');
  },
);

import { createPrivateKey, createPublicKey } from 'node:crypto';
import { readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { sql } from 'kysely';
import { afterAll, beforeAll, expect, test, vi } from 'vitest';
import { ManualClock } from '../../sdk/src/testing/manual-clock.js';
import { createTemporaryDirectory } from '../peers/temporary-directory.js';
import { runInProcess } from '../support/cli-lab.js';
import { harnessCommand } from '../support/itg-command.js';
import { testEntry } from '../support/itg-calls.js';
import { startReferenceLab, type ReferenceLab } from '../support/itg-reference.js';

// A carrier joins a platform as docs/guides/answer-tracebacks.md and docs/platform/operating.md say: with the commands as they stand there.

vi.setConfig({ testTimeout: 120_000, hookTimeout: 120_000 });

let lab: ReferenceLab;
let folder: Awaited<ReturnType<typeof createTemporaryDirectory>>;
let operator: string;
const path = (name: string): string => join(folder.path, name);

beforeAll(async () => {
  lab = await startReferenceLab();
  folder = await createTemporaryDirectory();
  const { keyId, privateKey } = lab.platform.home.operatorKey;
  await writeFile(path('operator.pem'), privateKey.export({ type: 'pkcs8', format: 'pem' }));
  operator = await profile({ clientId: lab.operator.clientId, keyId, keyFile: 'operator.pem' });
});
afterAll(async () => {
  await lab[Symbol.asyncDispose]();
  await folder.close();
});

/** Writes a profile. @returns where */
async function profile(members: Readonly<Record<'clientId' | 'keyId' | 'keyFile', string>>): Promise<string> {
  const file = path(`${members.clientId}.json`);
  await writeFile(file, JSON.stringify({ baseUrl: lab.platform.url, ...members }));
  return file;
}

const harness = (argv: readonly string[], { stdin = '', as = operator } = {}) =>
  harnessCommand(argv, { stdin, env: { HOPBACK_PLATFORM_PROFILE: as } });

const hopback = (argv: readonly string[], stdin?: string): ReturnType<typeof runInProcess> =>
  runInProcess(argv, new ManualClock(), stdin === undefined ? {} : { stdin });

/** A private key that is none: its label stands apart, so that nobody takes this file for one with a key in it. */
const pemOf = (text: string, label = 'PRIVATE KEY'): string =>
  `-----BEGIN ${label}-----\n${text}\n-----END ${label}-----\n`;

const registerClient = (id: string, organization: string, ...more: readonly string[]): readonly string[] => [
  ...['clients', 'register', '--id', id, '--organization', organization, '--name', 'Any', ...more],
];
const registerOrganization = (id: string, kind: string, ...more: readonly string[]): readonly string[] => [
  ...['organizations', 'register', '--id', id, '--kind', kind, '--name', 'Any', ...more],
];

test('a carrier joins with the key that keygen wrote, and calls with it', async () => {
  const made = await hopback(['keygen', '--out', path('client.key'), '--jwk', '--key-id', 'client-2026']);
  expect(made).toMatchObject({ exitCode: 0, stderr: '' });
  const jwk = JSON.parse(made.stdout) as Readonly<Record<string, string>>;
  expect(jwk).toMatchObject({ kty: 'EC', crv: 'P-256', kid: 'client-2026', alg: 'ES256', use: 'sig' });
  expect(jwk).not.toHaveProperty('d');
  await writeFile(path('client.jwk.json'), made.stdout);

  const register = registerOrganization('prv-birch', 'carrier');
  const refused = await harness(register);
  expect(refused.exitCode).toBe(1);
  expect(refused.err).toContain('the registry has no provider prv-birch');
  expect(refused.err).toContain('hopback-harness providers import --csv FILE --source TEXT');
  await writeFile(path('entry.json'), JSON.stringify(testEntry('prv-birch')));
  expect(await harness(['api', 'putProvider', 'prv-birch', '--body', path('entry.json')])).toMatchObject({
    exitCode: 0,
  });
  expect(await harness(register)).toMatchObject({ exitCode: 0, err: '' });

  const client = registerClient('birch-1', 'prv-birch', '--key', path('client.jwk.json'));
  expect(await harness(client)).toMatchObject({ exitCode: 0, err: '' });
  const as = await profile({ clientId: 'birch-1', keyId: 'client-2026', keyFile: 'client.key' });
  expect(await harness(['api', 'listTracebackRequests', '--json'], { as })).toMatchObject({ exitCode: 0, out: '[]\n' });

  expect((await hopback(['keygen', '--out', path('answers.key')])).exitCode).toBe(0);
  const answers = await hopback(['keygen', '--key', path('answers.key'), '--jwk']);
  const taken = await harness(['providers', 'answer-key', 'prv-birch', '--key', '-'], { stdin: answers.stdout });
  expect(taken).toMatchObject({ exitCode: 0, err: '' });
});

test('every form of a key registers the same public key, and nothing private is sent or stored', async () => {
  expect((await hopback(['keygen', '--out', path('any.key')])).exitCode).toBe(0);
  const pem = await readFile(path('any.key'), 'utf8');
  const privateKey = createPrivateKey(pem);
  const privateJwk = { ...privateKey.export({ format: 'jwk' }), kid: 'mine' };
  const publicPem = createPublicKey(privateKey).export({ type: 'spki', format: 'pem' }).toString();
  const forms: readonly (readonly [string, string, boolean])[] = [
    ['private-pem', pem, true],
    ['sec1-pem', privateKey.export({ type: 'sec1', format: 'pem' }).toString(), true],
    ['public-pem', publicPem, false],
    ['private-jwk', JSON.stringify(privateJwk), true],
    ['public-jwk', JSON.stringify({ ...createPublicKey(privateKey).export({ format: 'jwk' }), kid: 'mine' }), false],
    ['jwk-without-kid', JSON.stringify(createPublicKey(privateKey).export({ format: 'jwk' })), false],
  ];
  await harness(registerOrganization('app-any', 'app'));
  for (const [name, text, isPrivate] of forms) {
    const key = name === 'private-pem' ? path('any.key') : '-';
    const argv = registerClient(name, 'app-any', '--key', key);
    const ran = await harness([...argv, '--json'], { stdin: text });
    expect([name, ran.exitCode]).toEqual([name, 0]);
    expect(ran.err.includes('only its public half is sent')).toBe(isPrivate);
    expect(ran.out + ran.err).not.toContain(privateJwk.d);
    const { keys } = JSON.parse(ran.out) as { readonly keys: readonly { readonly keyId: string }[] };
    const keyId = keys[0]?.keyId ?? '';
    expect(keyId).toMatch(name.endsWith('-jwk') ? /^mine$/ : /^sha256:[\w-]{43}$/);
    const as = await profile({ clientId: name, keyId, keyFile: 'any.key' });
    expect([name, (await harness(['campaigns', 'list'], { as })).exitCode]).toEqual([name, 0]);
  }
  const { rows } = await sql<{ readonly text: string }>`
  select string_agg(t::text, ' ') as text from (
    select to_jsonb(k) as t from trust_keys k union all select to_jsonb(a) from core_audit a) as everything`.execute(
    lab.platform.context.database,
  );
  expect(rows[0]?.text).toContain(privateJwk.x);
  expect(rows[0]?.text).not.toContain(privateJwk.d);
});

test('a file without a usable key is refused with the reason, and an unlisted carrier may be let in on purpose', async () => {
  await harness(registerOrganization('app-no', 'app'));
  for (const [text, why] of [
    ['ssh-ed25519 AAAA', 'holds neither a key in PEM nor a JWK'],
    ['{"keys":[]}', 'holds a set of keys'],
    ['{"kty":"oct","k":"AAAA"}', 'holds a secret of both sides'],
    ['{', 'is not JSON'],
    [pemOf('AAAA'), 'holds PEM that is not a usable key'],
  ] as const) {
    const ran = await harness(registerClient('no-1', 'app-no', '--key', '-'), { stdin: text });
    expect(ran.exitCode).toBe(2);
    expect(ran.err).toContain(why);
  }
  const unlisted = registerOrganization('prv-nobody', 'carrier');
  expect((await harness(unlisted)).exitCode).toBe(1);
  expect((await harness([...unlisted, '--unlisted'])).exitCode).toBe(0);
  const key = ['--key', path('client.jwk.json')];
  const client = registerClient('nobody-1', 'prv-nobody', ...key);
  const refused = await harness(client);
  expect(refused.exitCode).toBe(1);
  expect(refused.err).toContain('--unlisted');
  expect((await harness([...client, '--unlisted'])).exitCode).toBe(0);
  expect((await harness(registerClient('x-1', 'nowhere', ...key))).err).toContain(
    'hopback-harness organizations register --id nowhere',
  );
});

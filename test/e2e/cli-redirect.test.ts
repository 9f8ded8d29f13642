import { createServer, type AddressInfo, type Server, type Socket } from 'node:net';
import { once } from 'node:events';
import { readFile, stat } from 'node:fs/promises';
import { ManualClock } from '@hopback/sdk/testing';
import { parseSipRequest, verificationRequestOf } from '@hopback/sdk/stir';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { argv, createCliLab, FULL_FACTS, type CliLab } from '../support/cli-lab.js';
import { startCommand, type RunningCommand } from '../support/cli-records-lab.js';
import { createLab, type DrachtioLab } from '../support/drachtio-lab.js';
import { freePorts } from '../support/recipe.js';
import type { CallParts } from '../support/sip-peer.js';

const SECRET = 'cymru';

let lab: CliLab;
let running: RunningCommand[] = [];
beforeEach(async () => {
  lab = await createCliLab(Date.now());
});
afterEach(async () => {
  for (const command of running) await command.end('SIGKILL');
  running = [];
  await lab[Symbol.asyncDispose]();
});

/** A drachtio server at the control port; its clock stands still. */
const drachtio = (port = 0): Promise<DrachtioLab> =>
  createLab({ clock: new ManualClock(Date.now()), control: { port, secret: SECRET } });

const controlOf = ({ server }: DrachtioLab): string => `${server.control.host}:${String(server.control.port)}`;

async function redirect(control: string, args: readonly string[], secret = SECRET): Promise<RunningCommand> {
  const secretFile = await lab.put('drachtio.secret', `${secret}\n`);
  const command = startCommand(['redirect', '--json', '--drachtio', control, '--secret-file', secretFile, ...args]);
  running.push(command);
  return command;
}

const said =
  (format: string, part: object) =>
  (line: string): boolean => {
    const document = JSON.parse(line) as Readonly<Record<string, unknown>>;
    return document['format'] === format && Object.entries(part).every(([name, value]) => document[name] === value);
  };
const noticed = (kind: string): ((line: string) => boolean) => said('hopback.redirect-notice.1', { kind });

const signingArgs = (): readonly string[] => {
  const { key, chain } = lab.files;
  const credentials = argv`--key ${key} --certificate ${chain} --x5u ${lab.x5u} ${lab.allow}`;
  return argv`${credentials} --attestations ${lab.path('attestations.ndjson')}`;
};

const call = (...lines: readonly string[]): CallParts => ({
  ...{ uri: 'sip:+12025550199@redirect.example', from: '<sip:+12025550101@sbc.example>', lines },
});

async function answerTo(to: DrachtioLab, status: number | string, parts: CallParts) {
  const peer = await to.peer();
  const placed = peer.call('INVITE', parts);
  const came = await placed.response(status);
  placed.ackFailure(came);
  return { came, sent: placed.sent };
}

test('signs and verifies by request, drains at SIGTERM and leaves its records', async () => {
  await using server = await drachtio();
  const rules = await lab.put(
    'rules.json',
    JSON.stringify([
      {
        ...{ name: 'outbound', mode: 'sign', when: { header: { name: 'Attestation' }, sources: ['127.0.0.0/8'] } },
        ...{ facts: { role: 'originating', customerKnown: true, callerAuthenticated: true } },
        profile: { basedOn: 'attestation', status: 300 },
      },
      { name: 'inbound', mode: 'verify', policy: { role: 'terminating', failureAction: 'reject_request' } },
    ]),
  );
  const args = argv`--mode by-request --rules ${rules} --drain-seconds 4 ${lab.trust} ${signingArgs()}`;
  const command = await redirect(controlOf(server), args);
  await command.until(noticed('connected'));
  await server.quiet();
  const { came, sent } = await answerTo(server, 300, call('Attestation: B'));
  const [identityHeader = ''] = came.values('Identity');
  // What was signed is brought back, and verified by the same process.
  const lines = [`Identity: ${identityHeader}`, `Date: ${came.value('Date')}`];
  const verified = await answerTo(server, 302, call(...lines));
  expect(verified.came.value('P-Asserted-Identity')).toContain(';verstat=TN-Validation-Passed@');
  const spoofed = { ...call(...lines), from: '<sip:+12025550166@sbc.example>' };
  expect((await answerTo(server, 603, spoofed)).came.value('Reason')).toMatch(/^STIR;cause=438;/);
  const peer = await server.peer();
  expect((await peer.call('OPTIONS').response(200)).value('Allow')).toBe('INVITE, ACK, CANCEL, OPTIONS');

  const ended = command.end('SIGTERM');
  await command.until(noticed('draining'));
  await peer.call('OPTIONS').response(503);
  await answerTo(server, 300, call('Attestation: A'));
  expect(await ended).toBe(0);
  const last = JSON.parse(command.lines().at(-1) ?? '') as object;
  expect(last).toMatchObject({
    ...{ format: 'hopback.redirect.1', isEnded: true, exitCode: 0, open: 0, recordsLost: 0 },
    answers: { signed: 2, verified: 1, blocked: 1, unavailable: 0 },
  });
  await answerTo(server, 503, call());

  const records = (await readFile(lab.path('attestations.ndjson'), 'utf8')).trim().split('\n');
  expect(records.map((line) => JSON.parse(line) as unknown)).toMatchObject([
    { format: 'hopback.attestation-record.1', claims: { attestation: 'B' }, decidedBy: 'request' },
    { claims: { attestation: 'A' } },
  ]);
  expect((await stat(lab.path('attestations.ndjson'))).mode & 0o077).toBe(0);
  const parsed = parseSipRequest(sent);
  if (parsed.status === 'malformed') throw new Error(parsed.reason);
  expect(verificationRequestOf(parsed.request).identity).toEqual([]);
  // It drains for four seconds.
}, 20_000);

test('a call that waits for a certificate gets its answer after SIGTERM, and its time is bounded', async () => {
  await using server = await drachtio();
  const args = argv`--mode verify --drain-seconds 0 --time-budget 3000 ${lab.trust} ${lab.allow}`;
  const command = await redirect(controlOf(server), args);
  await command.until(noticed('connected'));
  await server.quiet();
  const x5u = lab.server.fault('/stalled.pem', { kind: 'stall-after-headers' });
  const peer = await server.peer();
  const waiting = peer.call('INVITE', call(`Identity: ${lab.identityHeader({ x5u })}`));
  await waiting.response(100);
  const ended = command.end('SIGTERM');
  const answer = await waiting.response(302);
  expect(answer.value('P-Asserted-Identity')).toContain(';verstat=No-TN-Validation@');
  waiting.ackFailure(answer);
  expect(await ended).toBe(0);
});

test('reads its trust again at SIGHUP, and serves on with the former one where the new one is of no use', async () => {
  await using server = await drachtio();
  const command = await redirect(controlOf(server), ['--mode', 'verify', '--drain-seconds', '0', ...lab.trust]);
  await command.until(noticed('connected'));
  await server.quiet();
  await lab.put('root.pem', 'no certificate');
  process.kill(command.processId, 'SIGHUP');
  await command.until(noticed('not-reloaded'));
  await answerTo(server, 302, call());
  expect(await command.end('SIGTERM')).toBe(0);
});

test('waits for its drachtio server, and comes back to one that was gone', async () => {
  const [port] = await freePorts(1);
  const signing = argv`--mode sign --source 127.0.0.1 --drain-seconds 0 ${FULL_FACTS} ${signingArgs()}`;
  const command = await redirect(`127.0.0.1:${String(port)}`, signing);
  await command.until(noticed('unreachable'));
  const connections = (): number => command.lines().filter(noticed('connected')).length;
  for (const nth of [1, 2]) {
    await using server = await drachtio(port);
    await command.until(() => connections() === nth);
    await server.quiet();
    await answerTo(server, 302, call());
  }
  await command.until(noticed('lost'));
  expect(await command.end('SIGTERM')).toBe(0);
});

/** A server at the control port that is not a drachtio server. */
async function otherServer(onData: (octets: string, socket: Socket) => void, port = 0): Promise<Server> {
  const server = createServer((socket) => {
    socket.on('error', () => undefined);
    socket.on('data', (octets: Buffer) => onData(octets.toString(), socket));
  }).listen(port, '127.0.0.1');
  await once(server, 'listening');
  return server;
}

test('ends at SIGTERM although a server accepts its connection and never answers', async () => {
  let received: (octets: string) => void = () => undefined;
  const asked = new Promise<string>((resolve) => (received = resolve));
  const silent = await otherServer((octets) => received(octets));
  const { port } = silent.address() as AddressInfo;
  const command = await redirect(`127.0.0.1:${String(port)}`, ['--mode', 'verify', ...lab.trust]);
  expect(await asked).toContain(`|authenticate|${SECRET}|`);
  expect(await command.end('SIGTERM')).toBe(0);
  await once(silent.close(), 'close');
});

test.each([['HTTP/1.1 400 Bad Request\r\nServer: a#b\r\n\r\n'], ['0#'], ['20#aaaaaaaaaa|other|abc']])(
  'an answer of another server at the control port does not end it: %j',
  async (octets) => {
    const [port] = await freePorts(1);
    const other = await otherServer((_request, socket) => socket.write(octets), port);
    const args = argv`--mode verify --drain-seconds 0 ${lab.trust}`;
    const command = await redirect(`127.0.0.1:${String(port)}`, args);
    await command.until(noticed('unreachable'));
    await once(other.close(), 'close');
    await using server = await drachtio(port);
    await command.until(noticed('connected'));
    await server.quiet();
    await answerTo(server, 302, call());
    expect(await command.end('SIGTERM')).toBe(0);
  },
  20_000,
);

test('a secret that the server refuses ends it with 4', async () => {
  await using server = await drachtio();
  const command = await redirect(controlOf(server), ['--mode', 'verify', ...lab.trust], 'other');
  expect(await command.ended()).toBe(4);
  expect(command.lines().some(said('hopback.error.1', { code: 'unauthorized' }))).toBe(true);
});

test('without --json it reports in lines, and at the end what it has answered', async () => {
  await using server = await drachtio();
  const secretFile = await lab.put('drachtio.secret', SECRET);
  const at = argv`--drachtio ${controlOf(server)} --secret-file ${secretFile} --drain-seconds 0`;
  const command = startCommand(argv`redirect ${at} --mode verify ${lab.trust}`);
  running.push(command);
  await command.until((line) => line === `✓ connected to ${controlOf(server)}`);
  await server.quiet();
  await answerTo(server, 302, call());
  expect(await command.end('SIGTERM')).toBe(0);
  expect(command.lines().slice(-2)).toEqual([
    '· OPTIONS get 503 for 0 s',
    '✓ ended: 0 signed, 1 verified, 0 left as they were, 0 blocked',
  ]);
});

const here = ['--drachtio', '127.0.0.1:1'];
test.each<[readonly string[], number, string]>([
  [[], 2, '--drachtio HOST:PORT'],
  [['--drachtio', 'a:b'], 2, 'HOST:PORT'],
  [['--drachtio', 'a:70000'], 2, 'HOST:PORT'],
  [here, 2, '--secret-file'],
  [[...here, 'SECRET'], 2, '--mode'],
  [[...here, 'SECRET', '--mode', 'sign'], 2, '--source'],
  [[...here, 'SECRET', '--mode', 'sign', '--source', '192.0.2.1'], 2, '--role'],
  [[...here, 'SECRET', '--mode', 'sign', '--source', '192.0.2.1', ...FULL_FACTS], 2, '--attestations'],
  [[...here, 'SECRET', '--mode', 'verify'], 2, '--trust'],
  [[...here, 'SECRET', '--mode', 'verify', ...FULL_FACTS], 2, '--role is of no use with --mode verify'],
  [[...here, 'SECRET', '--mode', 'by-request'], 2, '--rules'],
  [[...here, 'SECRET', '--mode', 'verify', '--profile', 'absent.json'], 4, 'absent.json'],
  [[...here, 'SECRET', '--mode', 'verify', '--profile', 'PROFILE'], 2, 'contct is no member'],
  [[...here, 'SECRET', '--mode', 'verify', '--time-budget', '0'], 2, '--time-budget'],
  [[...here, 'SECRET', '--mode', 'by-request', '--rules', 'NO-RULE'], 2, 'rule 1 of '],
  [[...here, 'SECRET', '--mode', 'by-request', '--rules', 'NO-JSON'], 2, 'no-json.json is no JSON (line 3, column 13)'],
  [[...here, 'SECRET', '--mode', 'by-request', '--rules', 'CUT'], 2, 'cut.json is no JSON (line 2, column 1)'],
  [[...here, 'SECRET', '--mode', 'by-request', '--rules', 'MARKED'], 2, 'one rule or more'],
  [[...here, 'SECRET', '--mode', 'by-request', '--rules', 'NO-PROFILE'], 2, 'a profile is standard'],
  [[...here, 'SECRET', '--mode', 'verify', '--trunk-policy', 'FILINGS', 'TRUST'], 2, 'rejects by upstreamFiling'],
])('%j ends with %d and reports %s', async (args, exitCode, words) => {
  const secretFile = await lab.put('drachtio.secret', SECRET);
  const profile = await lab.put('profile.json', '{"basedOn":"x-identity","contct":"source"}');
  const files: Readonly<Record<string, readonly string[]>> = {
    ...{ SECRET: ['--secret-file', secretFile], PROFILE: [profile], TRUST: lab.trust },
    'NO-JSON': [await lab.put('no-json.json', '[\n  { "name": "a",\n    "mode": verify }\n]\n')],
    ...{ CUT: [await lab.put('cut.json', '[{"name":"a"},\n')], MARKED: [await lab.put('marked.json', '\ufeff[]')] },
    'NO-RULE': [await lab.put('no-rule.json', '[null]')],
    'NO-PROFILE': [await lab.put('no-profile.json', '[{"name":"a","mode":"verify","profile":{"basedOn":"b"}}]')],
    FILINGS: [await lab.put('policy.json', '{"role":"terminating","upstreamFiling":"reject"}')],
  };
  const given = args.flatMap((arg) => files[arg] ?? [arg]);
  const run = await lab.run(['redirect', ...given]);
  expect([run.exitCode, run.stderr]).toEqual([exitCode, expect.stringContaining(words)]);
});

test('a command line that is not understood leaves no file of attestation records behind', async () => {
  const secretFile = await lab.put('drachtio.secret', SECRET);
  const path = lab.path('never-opened.ndjson');
  const signing = ['--mode', 'sign', '--source', '192.0.2.1', ...FULL_FACTS, '--attestations', path];
  const run = await lab.run(['redirect', ...here, '--secret-file', secretFile, ...signing]);
  expect([run.exitCode, await stat(path).catch(() => 'absent')]).toEqual([2, 'absent']);
});

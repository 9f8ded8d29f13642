import { mkdir, readdir, rm } from 'node:fs/promises';
import { join } from 'node:path';
import {
  createPassportFaultContext,
  GOOD_PASSPORTS,
  PASSPORT_FAULTS,
  sampleInvite,
  TEST_DEST_TN,
  TEST_NOW_MS,
  TEST_ORIG_TN,
} from '@hopback/sdk/testing';
import { PASSPORT_FAULT_NAMES } from '../../sdk/src/testing/passport-faults/passport-faults.js';
import { afterAll, describe, expect, test } from 'vitest';
import { argv, createCliLab, type CliLab, type CliRun } from '../support/cli-lab.js';

const lab = await createCliLab();
afterAll(() => lab[Symbol.asyncDispose]());

/** Verifies with the trust and the laboratory of the lab. */
const verify = (args: readonly string[], options: Parameters<CliLab['run']>[1] = {}): Promise<CliRun> =>
  lab.run(['verify', ...lab.trust, ...lab.allow, ...args], options);

const parties = ['--orig', `+${TEST_ORIG_TN}`, '--dest', `+${TEST_DEST_TN}`];

describe('input', () => {
  const token = (): string => lab.identityHeader().split(';', 1)[0] ?? '';

  test('passes an INVITE from a file and from standard input, also with LF line ends and blank lines first', async () => {
    const run = await verify([await lab.put('invite.txt', lab.invite())]);
    expect(run).toMatchObject({ exitCode: 0, stderr: '' });
    expect(run.stdout.split('\n')[0]).toBe('✓ passed: TN-Validation-Passed, attestation A, signed by SPC 1234');
    const stdin = `\n\n${lab.invite().replaceAll('\r\n', '\n')}`;
    for (const args of [['-'], []]) expect((await verify(args, { stdin })).exitCode).toBe(0);
  });

  test('passes an Identity header or a bare token as the operand, and says that it made up the header of a token', async () => {
    for (const operand of [lab.identityHeader(), `Identity: ${lab.identityHeader()}`])
      expect((await verify([...parties, operand])).exitCode).toBe(0);
    const run = await verify([...parties, token()]);
    expect(run.exitCode).toBe(0);
    expect(run.stdout).toContain('! a token alone');
  });

  test.each<readonly [string, string, () => string]>([
    [
      'header lines, one of them folded',
      'identity-headers',
      () => `Identity: ${lab.identityHeader().replace(';info', '\r\n  ;info')}\r\ny: ${lab.identityHeader()}\r\n`,
    ],
    ['bare tokens, one a line', 'token', () => `${token()}\n${token()}`],
  ])('passes several Identity %s', async (_what, input, text) => {
    const run = await verify([...parties, '--json'], { stdin: text() });
    const outcomes = [{ status: 'passed' }, { status: 'passed' }];
    expect(run.json()).toMatchObject({ exitCode: 0, input, verdict: { outcomes } });
  });

  test.each([
    ['below a line of a log', (invite: string) => `2026-11-02 12:00:00 udp\n${invite}`, 'line 2'],
    ['behind a timestamp', (invite: string) => `12:00:00.1 ${invite}`, 'line 1'],
    [
      'without its request line',
      (invite: string) => invite.slice(invite.indexOf('\n') + 1),
      'without its request line',
    ],
  ])('refuses a request %s, and says why', async (_name, changed, reason) => {
    const run = await verify([], { stdin: changed(lab.invite()) });
    expect(run.exitCode).toBe(2);
    expect(run.stderr).toContain(reason);
    expect(run.stderr).toContain('The request line comes first');
  });

  test('refuses more than 262144 bytes, from a file and from standard input', async () => {
    const large = 'x'.repeat(300_000);
    for (const run of [await verify([await lab.put('large.txt', large)]), await verify([], { stdin: large })]) {
      expect(run.exitCode).toBe(2);
      expect(run.stderr).toContain('more than 262144 bytes');
    }
  });

  test.each([
    ['a packet capture', Buffer.from('d4c3b2a1020004000000000000000000', 'hex')],
    ['binary', Buffer.from([0x49, 0x00, 0x4e])],
    ['an empty input', Buffer.alloc(0)],
    ['prose', 'The quick brown fox'],
    ['a response', 'SIP/2.0 200 OK\r\n\r\n'],
    ['a request that breaks off', 'INVITE sip:a@b SIP/2.0\r\nwhat is this\r\n\r\n'],
    ['a terminal, instead of waiting for it', undefined],
  ])('refuses %s as not understood', async (_name, stdin) => {
    const run = await verify([], stdin === undefined ? {} : { stdin });
    expect(run).toMatchObject({ exitCode: 2, stdout: '' });
    expect(run.stderr).toMatch(/^hopback verify: /);
  });

  test('reports a missing file as an error of the environment', async () => {
    const run = await verify([lab.path('absent.txt'), '--json']);
    expect(run.exitCode).toBe(4);
    expect(run.json()).toMatchObject({ format: 'hopback.error.1', code: 'storage-failed', exitCode: 4 });
  });
});

describe('output', () => {
  test('names for a spoofed caller both numbers, the step, the reason, the SIP response and the Reason header', async () => {
    const stdin = lab.invite({ origTn: '13125550000' });
    const run = await verify([], { stdin });
    expect(run.exitCode).toBe(1);
    expect(run.stdout).toContain('✗ failed: No-TN-Validation, orig-mismatch');
    expect(run.stdout).toMatch(/✗ orig +request 13125550000, token 12025550101 +RFC 8224 §6\.2 step 2/);
    for (const part of ['438 Invalid Identity Header', 'STIR;cause=438', '· not reached:'])
      expect(run.stdout).toContain(part);
    const document = (await verify(['--json'], { stdin })).json();
    const orig = { step: 'orig', result: 'failed', expected: '13125550000', actual: '12025550101' };
    expect(document).toMatchObject({
      ...{ format: 'hopback.verify.1', exitCode: 1, input: 'request', partiesAssumed: false },
      verdict: { status: 'failed', reasons: ['orig-mismatch'], sipResponse: { status: 438 } },
      explanation: [{ steps: expect.arrayContaining([expect.objectContaining(orig)]) as unknown }],
    });
    const members = ['format', 'exitCode', 'input', 'partiesAssumed', 'verdict', 'explanation', 'hints'];
    expect(Object.keys(document).toSorted()).toEqual(members.toSorted());
  });

  test.each<readonly [string, boolean, readonly string[], Parameters<CliLab['run']>[1]]>([
    ['a terminal', true, [], { isTty: true }],
    ['a terminal with NO_COLOR', false, [], { isTty: true, env: { NO_COLOR: '1' } }],
    ['a dumb terminal', false, [], { isTty: true, env: { TERM: 'dumb' } }],
    ['a pipe', false, [], {}],
    ['a terminal as JSON', false, ['--json'], { isTty: true }],
  ])('is coloured at %s: %s', async (_where, isColoured, args, options) => {
    const { stdout } = await verify(args, { stdin: lab.invite(), ...options });
    expect(stdout.includes('\u001b[')).toBe(isColoured);
  });

  test('a peer cannot move the cursor or write a line of its own', async () => {
    const value = lab.identityHeader({ origTn: '12025550101', claims: { orig: { tn: '1\u001b[2J\n✓ passed' } } });
    const run = await verify([...parties, `${value};x="\u001b]0;owned\u0007"`], {
      isTty: true,
      env: { NO_COLOR: '1' },
    });
    expect(run.exitCode).toBe(1);
    expect(run.stdout).not.toContain('\u001b');
    expect(run.stdout).not.toMatch(/^✓ passed/m);
  });

  test('every failure of a certificate, with instants that a person can read', async () => {
    const signer = lab.pki.issueServiceProvider({
      spc: '1234',
      notAfterMs: TEST_NOW_MS - 1000,
      tnAuthList: 'absent',
      keyUsage: { usages: ['keyAgreement'] },
    });
    const x5u = lab.server.publish('/bad.pem', signer.chainPem);
    const run = await verify([], { stdin: lab.invite({ identityHeaders: [lab.identityHeader({ signer, x5u })] }) });
    expect(run.exitCode).toBe(1);
    expect(run.stdout).toMatch(/✗ certificate-path +3 reasons/);
    expect(run.stdout).toMatch(/certificate-expired: .*expected 2026-11-02T11:59:59Z, found 2026-11-02T12:00:00Z/);
    expect(run.stdout).toMatch(/key-usage-missing: .*expected digitalSignature, found keyAgreement/);
    expect(run.stdout).toContain('tn-auth-list-missing: ');
    expect(run.stdout).not.toContain(String(TEST_NOW_MS));
  });

  test('a header of a type that is not known is set aside beside a good one', async () => {
    const { invite } = GOOD_PASSPORTS['unknown-type-beside-shaken'].build(context());
    const run = await verify([], { stdin: sampleInvite(invite) });
    expect(run.exitCode).toBe(0);
    expect(run.stdout).toMatch(/· Identity header 1 of 2: tomorrow, ignored/);
  });
});

describe('could not check is not false', () => {
  test('without a CRL the verdict is indeterminate and names the options that help; accepted on request', async () => {
    const args = argv`verify --trust ${lab.files.root} ${lab.allow}`;
    const run = await lab.run(args, { stdin: lab.invite() });
    expect(run.exitCode).toBe(3);
    expect(run.stdout).toContain('--crl FILE');
    const accepted = await lab.run([...args, '--revocation-unknown', 'accept'], { stdin: lab.invite() });
    expect(accepted.exitCode).toBe(0);
    expect(accepted.stdout).toContain('! revocation');
  });

  test('an Identity header alone is indeterminate, and what is assumed never makes it better', async () => {
    const alone = await verify([lab.identityHeader(), '--json']);
    expect(alone.json()).toMatchObject({ exitCode: 3, verdict: { reasons: ['orig-unusable', 'dest-unusable'] } });
    const assumed = await verify([lab.identityHeader(), '--json', '--dangerously-assume-parties']);
    expect(assumed.json()).toMatchObject({ exitCode: 3, partiesAssumed: true, verdict: { status: 'passed' } });
    const forged = await verify([
      lab.identityHeader({ alterSignature: (raw) => raw.toReversed() }),
      '--dangerously-assume-parties',
    ]);
    expect(forged.exitCode).toBe(1);
  });

  test('offline fetches nothing', async () => {
    const before = lab.server.connections();
    const run = await verify(['--offline', '--json'], { stdin: lab.invite() });
    expect(run.json()).toMatchObject({ exitCode: 3, verdict: { reasons: ['x5u-unreachable'] } });
    expect(lab.server.connections()).toBe(before);
  });

  test('a certificate server that hangs is left behind when the time budget is spent', async () => {
    const x5u = lab.server.publish('/held.pem', lab.provider.chainPem);
    const release = lab.server.hold('/held.pem');
    const stdin = lab.invite({ identityHeaders: [lab.identityHeader({ x5u })] });
    const run = await verify(['--time-budget', '50', '--json'], { stdin });
    release();
    expect(run.json()).toMatchObject({ exitCode: 3, verdict: { reasons: ['time-budget-spent'] } });
  });
});

describe('certificates and trust', () => {
  test('without an exception the loopback server is not contacted', async () => {
    const before = lab.server.connections();
    const run = await lab.run(['verify', ...lab.trust, '--json'], { stdin: lab.invite() });
    expect(run.json()).toMatchObject({ exitCode: 1, verdict: { reasons: ['info-invalid'] } });
    expect(lab.server.connections()).toBe(before);
  });

  test('a chain from a file stands in for the fetch', async () => {
    const before = lab.server.connections();
    const options = ['--certificate', lab.files.chain];
    expect((await verify(options, { stdin: lab.invite() })).exitCode).toBe(0);
    expect(lab.server.connections()).toBe(before);
    const spoilt = ['--certificate', lab.files.crl];
    expect((await verify(spoilt, { stdin: lab.invite() })).exitCode).toBe(4);
  });

  test('a cache that is a file, or below one, is an error and no verdict', async () => {
    const file = await lab.put('no-directory', '');
    for (const args of [argv`--cache ${file}`, argv`--cache ${file} --offline`, argv`--cache ${`${file}/below`}`]) {
      const run = await verify([...args, '--json'], { stdin: lab.invite() });
      expect(run.json()).toMatchObject({ format: 'hopback.error.1', exitCode: 4, code: 'storage-failed' });
    }
  });

  test('keeps a fetched certificate for an offline run, and reports one that did not reach the cache', async () => {
    const cache = lab.path('verify-cache');
    const exitCodeOf = async (...more: readonly string[]): Promise<number> =>
      (await verify(['--cache', cache, ...more], { stdin: lab.invite() })).exitCode;
    expect(await exitCodeOf()).toBe(0);
    expect(await exitCodeOf('--offline')).toBe(0);
    // In the place of the entry: a directory, which no file can replace.
    const [name = ''] = (await readdir(cache)).filter((entry) => entry.endsWith('.json'));
    await rm(join(cache, name));
    await mkdir(join(cache, name, 'below'), { recursive: true });
    expect(await exitCodeOf()).toBe(4);
  });

  test('the signed list of the STI-PA is trusted under its root alone', async () => {
    const { list, listSigner, stiPaRoot, root } = lab.files;
    const given = argv`verify --trust ${list} --sti-pa-signer ${listSigner} ${lab.allow} --revocation-unknown accept`;
    const exitCodeOf = async (more: readonly string[]): Promise<number> =>
      (await lab.run([...given, ...more], { stdin: lab.invite() })).exitCode;
    expect(await exitCodeOf(['--sti-pa-root', stiPaRoot])).toBe(0);
    expect(await exitCodeOf([])).toBe(2);
    expect(await exitCodeOf(['--sti-pa-root', root])).toBe(4);
  });

  test('nothing is trusted unless an option or the environment names it', async () => {
    const stdin = lab.invite();
    expect((await lab.run(['verify', ...lab.allow], { stdin })).exitCode).toBe(2);
    const env = { HOPBACK_TRUST: lab.files.root };
    expect((await lab.run(argv`verify ${lab.allow} --revocation-unknown accept`, { stdin, env })).exitCode).toBe(0);
  });
});

test('an old capture is stale now, and judged as of its own time with --at', async () => {
  const captured = TEST_NOW_MS - 1_800_000;
  const identityHeaders = [lab.identityHeader({ iatSeconds: captured / 1000 })];
  const stdin = lab.invite({ dateMs: captured, identityHeaders });
  const run = await verify([], { stdin });
  expect(run.exitCode).toBe(1);
  expect(run.stdout).toContain('--at 2026-11-02T11:30:00Z');
  for (const at of ['2026-11-02T11:30:00Z', 'date']) expect((await verify(['--at', at], { stdin })).exitCode).toBe(0);
  expect((await verify(['--at', 'yesterday'], { stdin })).exitCode).toBe(2);
  expect((await verify(['--at', 'date'], { stdin: lab.identityHeader() })).exitCode).toBe(2);
});

/** The calls of the test kit, as the lab's provider signs them. */
function context(): ReturnType<typeof createPassportFaultContext> {
  return createPassportFaultContext({ signer: lab.provider, x5u: lab.x5u });
}

test.each(PASSPORT_FAULT_NAMES.filter((name) => PASSPORT_FAULTS[name].refusedBy.includes('shaken')))(
  'explains the fault %s of the test kit and never passes it',
  async (name) => {
    const { identityHeader, expectedReasonHint } = PASSPORT_FAULTS[name].build(context());
    const run = await verify([], { stdin: lab.invite({ identityHeaders: [identityHeader] }) });
    // Where the header breaks the request itself, the request is refused as such.
    expect([1, 2, 3]).toContain(run.exitCode);
    if (run.exitCode !== 2 && expectedReasonHint !== undefined) expect(run.stdout).toContain(expectedReasonHint);
  },
);

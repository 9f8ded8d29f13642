import { sampleInvite, TEST_NOW_MS } from '@hopback/sdk/testing';
import type { SigningOutcome } from '@hopback/sdk/stir';
import { chmod } from 'node:fs/promises';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { createCliLab } from '../support/cli-lab.js';
import type { CliLab, CliRun, RunOptions } from '../support/cli-lab.js';

let lab: CliLab;
let credentials: readonly string[];

beforeAll(async () => {
  lab = await createCliLab();
  const exceptions = ['--allow-address', '127.0.0.0/8', '--allow-port', String(lab.server.ports.https)];
  credentials = ['--key', lab.files.key, '--certificate', lab.files.chain, '--x5u', lab.x5u, ...exceptions];
});

afterAll(() => lab[Symbol.asyncDispose]());

/** With the lab's key, certificate and x5u, where the test names no other. */
const sign = (args: readonly string[], options: RunOptions = {}): Promise<CliRun> => {
  const rest = credentials.filter((word, at) => !args.includes(at % 2 === 0 ? word : (credentials[at - 1] ?? '')));
  return lab.run(['sign', ...rest, ...args], options);
};
const verify = (stdin: string, args: readonly string[] = []): Promise<CliRun> =>
  lab.run(['verify', ...lab.trust, ...lab.allow, ...args], { stdin });
const outcomeOf = (run: CliRun): SigningOutcome => run.json()['outcome'] as SigningOutcome;

const FULL = ['--role', 'originating', '--customer-known', '--caller-authenticated', '--number-ownership', 'owned'];
const BASIS = ['--basis', 'Seen by a person.'];
const BY_NUMBER = ['--orig', '+12025550101', '--dest', '+12025550199'];

describe('an INVITE', () => {
  test('comes back with Date and Identity, otherwise as it was, and verifies', async () => {
    const unsigned = sampleInvite({ dateMs: 'absent' });
    const run = await sign(FULL, { stdin: unsigned });
    expect(run.exitCode).toBe(0);
    const [headers = '', body] = run.stdout.split('\r\n\r\n');
    const added = headers.split('\r\n').filter((line) => /^(?:Date|Identity):/.test(line));
    expect(added).toHaveLength(2);
    expect(run.stdout.replace(`\r\n${added.join('\r\n')}`, '')).toBe(unsigned);
    expect(body).toBe(unsigned.split('\r\n\r\n')[1]);
    expect((await verify(run.stdout)).exitCode).toBe(0);
    expect(run.stderr).toContain('✓ signed with attestation A by SPC 1234');
  });

  test('keeps a Date that is right and gets a new one for one that is not', async () => {
    const right = await sign(FULL, { stdin: sampleInvite({ dateMs: TEST_NOW_MS - 5_000 }) });
    expect(right.stdout.match(/^Date: .*/gm)).toEqual(['Date: Mon, 02 Nov 2026 11:59:55 GMT']);
    const stale = sampleInvite({ dateMs: TEST_NOW_MS - 600_000 })
      .replace('Date: ', 'date : ')
      .replace(' GMT', '\r\n GMT');
    const renewed = await sign(FULL, { stdin: stale });
    expect(renewed.stdout.match(/^Date: .*/gim)).toEqual(['Date: Mon, 02 Nov 2026 12:00:00 GMT']);
    expect(renewed.stdout).not.toContain('11:50:00');
    expect((await verify(renewed.stdout)).exitCode).toBe(0);
  });

  test('with LF line ends, no body and no empty line is still one', async () => {
    const stdin = sampleInvite({ body: '' }).replaceAll('\r\n', '\n').trimEnd();
    const run = await sign(FULL, { stdin });
    expect(run.exitCode).toBe(0);
    expect(run.stdout).not.toContain('\r');
    expect((await verify(run.stdout)).exitCode).toBe(0);
  });

  test('with line ends of both kinds is changed nowhere else', async () => {
    const [start = '', ...lines] = sampleInvite({ dateMs: TEST_NOW_MS - 600_000, body: 'v=0\r\n' }).split('\r\n');
    const stdin = ` \n\n${start}\n${lines.map((line, at) => line + (at % 2 === 0 ? '\n' : '\r\n')).join('')}`;
    const run = await sign(FULL, { stdin });
    expect(run.exitCode).toBe(0);
    const added = /^(?:Date|Identity): .*\r?\n/gm;
    expect(run.stdout.match(added)).toHaveLength(2);
    expect(run.stdout.replaceAll(added, '')).toBe(stdin.replace(added, ''));
    expect((await verify(run.stdout)).exitCode).toBe(0);
  });

  test('with octets that are no UTF-8 keeps them', async () => {
    const stdin = Buffer.concat([Buffer.from(sampleInvite()), Buffer.of(0xff, 0xfe, 0xc3)]);
    const { stdout } = await sign(FULL, { stdin });
    // The lab reads output as UTF-8: each octet shows as one replacement character, and none is lost.
    expect(stdout.endsWith('\ufffd\ufffd\ufffd')).toBe(true);
  });

  test('that has an Identity already is left alone', async () => {
    const run = await sign(FULL, { stdin: lab.invite() });
    expect(run).toMatchObject({ exitCode: 1, stdout: '' });
    expect(run.stderr).toContain('already-signed');
  });
});

describe('a call by number', () => {
  test('gives the Identity header value, and says which Date the request must carry', async () => {
    const run = await sign([...FULL, ...BY_NUMBER]);
    expect(run.exitCode).toBe(0);
    expect(run.stdout).toMatch(/^eyJ[\w.-]+;info=<https:[^>]+>;alg=ES256;ppt=shaken\n$/);
    expect(run.stderr).toContain('Date: Mon, 02 Nov 2026 12:00:00 GMT');
    expect((await verify(run.stdout, ['--orig', '12025550101', '--dest', '12025550199'])).exitCode).toBe(0);
  });

  test('has its attestation by the policy, with the record that shows why', async () => {
    const levels = await Promise.all([
      sign([...FULL, ...BY_NUMBER, '--json']),
      sign(['--role', 'originating', '--customer-known', '--caller-authenticated', ...BY_NUMBER, '--json']),
      sign(['--role', 'gateway', ...BY_NUMBER, '--json']),
    ]);
    expect(levels.map((run) => outcomeOf(run))).toMatchObject([
      {
        status: 'signed',
        claims: { attestation: 'A' },
        record: { decidedBy: 'policy', decision: { ruleId: 'originating-full' } },
      },
      { status: 'signed', claims: { attestation: 'B' } },
      { status: 'signed', claims: { attestation: 'C' }, record: { format: 'hopback.attestation-record.1' } },
    ]);
  });

  test('takes an attestation that was decided elsewhere with its basis, and a policy that forbids just that', async () => {
    const origId = '123e4567-e89b-12d3-a456-426655440000';
    const given = ['--role', 'originating', '--attest', 'B', ...BASIS, '--orig-id', origId];
    const asked = await sign([...given, ...BY_NUMBER, '--json']);
    expect(outcomeOf(asked)).toMatchObject({
      claims: { attestation: 'B', origId },
      record: { decidedBy: 'request', basis: 'Seen by a person.', decision: { attestation: 'C' } },
    });
    expect((await sign([...given, ...BY_NUMBER])).stderr).toContain('because: Seen by a person.');
    const rules = [{ id: 'all', when: {}, attestation: 'C', basis: 'Everything is a C here.' }];
    const policy = await lab.put('policy.json', JSON.stringify({ id: 'strict-1', rules }));
    const refused = await sign([
      '--role',
      'originating',
      '--attest',
      'A',
      ...BASIS,
      '--policy',
      policy,
      ...BY_NUMBER,
      '--json',
    ]);
    expect(refused.exitCode).toBe(1);
    expect(outcomeOf(refused)).toMatchObject({ status: 'refused', reason: 'attestation-not-permitted' });
    expect((await sign(['--role', 'gateway', '--policy', await lab.put('no.json', '{'), ...BY_NUMBER])).exitCode).toBe(
      2,
    );
  });

  test.each([
    ['without a basis', ['--role', 'originating', '--attest', 'A'], '--basis'],
    ['with a blank one', ['--role', 'originating', '--attest', 'A', '--basis', ' '], '--basis'],
    ['with one that is too long', ['--role', 'originating', '--attest', 'A', '--basis', 'a'.repeat(513)], '--basis'],
    ['without a role', ['--attest', 'A', ...BASIS], '--role'],
    ['that is left out, with a basis', [...FULL, ...BASIS], '--attest'],
  ])('an attestation %s is not understood', async (_name, args, told) => {
    const run = await sign([...args, ...BY_NUMBER]);
    expect(run).toMatchObject({ exitCode: 2, stdout: '' });
    expect(run.stderr).toContain(told);
  });

  test.each([
    ['where the call terminates', ['--role', 'terminating']],
    ['for a gateway', ['--role', 'gateway']],
    ['where the customer has no right to the number', ['--role', 'originating', '--number-ownership', 'not-owned']],
  ])('an A is not to be had %s, basis or not', async (_name, facts) => {
    const run = await sign(['--attest', 'A', ...BASIS, ...facts, ...BY_NUMBER]);
    expect(run).toMatchObject({ exitCode: 1, stdout: '' });
  });

  test.each([
    ['12025550101', '(202) 555-0199'],
    ['+1 202 555 0101', '011 1 202 555 0199'],
  ])('from %s to %s is signed in canonical form', async (orig, dest) => {
    expect(outcomeOf(await sign([...FULL, '--orig', orig, '--dest', dest, '--json']))).toMatchObject({
      claims: { origTn: '12025550101', destTn: ['12025550199'] },
    });
  });

  test('of digits that may be national or foreign is refused, whichever option they came by', async () => {
    const calls = [
      [...FULL, '--orig', '2079460958', '--dest', '+12025550199'],
      [...FULL, '--orig', '+12025550101', '--dest', '2079460958'],
      ['--div-from', '2079460958', '--dest', '+12025550199'],
      ['--div-from', '+12025550199', '--orig', '2079460958'],
    ];
    for (const args of calls) {
      const run = await sign(args, { stdin: lab.invite() });
      expect(run).toMatchObject({ exitCode: 2, stdout: '' });
      expect(run.stderr).toContain('Write it with + and its country code');
      expect(run.stderr).not.toContain('2079460958');
    }
    for (const option of ['--orig', '--dest'])
      expect((await verify(lab.identityHeader(), [option, '2079460958'])).exitCode).toBe(2);
  });

  test('shows the numbers that were signed, and so does an INVITE', async () => {
    const byNumber = await sign([...FULL, '--orig', '+44 20 7946 0958', '--dest', '+4930123456', '--dest', 'sip:a@b']);
    expect(byNumber.stderr).toContain('  from 442079460958 to 4930123456, sip:a@b\n');
    const invite = await sign(FULL, { stdin: sampleInvite() });
    expect(invite.stderr).toContain('  from 12025550101 to 12025550199\n');
  });

  test('to a foreign number of ten digits stays there', async () => {
    for (const dest of ['+49 30 123456', '+4930123456', '011 49 30 123456']) {
      const run = await sign([...FULL, '--orig', '+12025550101', '--dest', dest, '--json']);
      expect(outcomeOf(run)).toMatchObject({ claims: { destTn: ['4930123456'] } });
    }
  });

  test('with an iat that is not now is refused', async () => {
    const iat = String(TEST_NOW_MS / 1000 - 61);
    expect(outcomeOf(await sign([...FULL, ...BY_NUMBER, '--iat', iat, '--json']))).toMatchObject({
      reason: 'iat-not-current',
    });
    expect((await sign([...FULL, ...BY_NUMBER, '--iat', 'soon'])).exitCode).toBe(2);
  });

  test('to an emergency number is signed only where that is asked for', async () => {
    const call = [...FULL, '--orig', '+12025550101', '--dest', '911'];
    expect(await sign(call)).toMatchObject({ exitCode: 1 });
    expect(await sign([...call, '--sign-emergency'])).toMatchObject({ exitCode: 0 });
  });
});

describe('a diversion', () => {
  const forwarded = (): string => lab.invite({ requestUri: 'sip:+13035550107@terminating.example' });

  test('adds a div behind the Identity that came, and the chain verifies', async () => {
    const run = await sign(['--div-from', '+12025550199'], { stdin: forwarded() });
    expect(run.exitCode).toBe(0);
    expect(run.stdout.match(/^Identity: /gm)).toHaveLength(2);
    expect(run.stderr).toContain('  from 12025550101, for 12025550199, now to 13035550107\n');
    const verified = await verify(run.stdout);
    expect(verified.exitCode).toBe(0);
    expect(verified.stdout).toContain('Identity header 2 of 2: div, passed');
    expect((await verify(forwarded(), ['--json'])).json()['verdict']).toMatchObject({
      reasons: ['retarget-without-div'],
    });
  });

  test('of an Identity header alone goes where --dest says', async () => {
    const run = await sign(['--div-from', '12025550199', '--dest', '+13035550107'], { stdin: lab.identityHeader() });
    expect(run.exitCode).toBe(0);
    expect(run.stdout).toMatch(/;ppt=div\n$/);
  });

  test.each([['12025550199'], ['+12025550199'], ['(202) 555-0199']])(
    'from %s is for the one number',
    async (number) => {
      const run = await sign(['--div-from', number, '--json'], { stdin: forwarded() });
      expect(run.json()['outcome']).toMatchObject({ status: 'signed', claims: { divTn: '12025550199' } });
    },
  );

  test('to a target by option says that the Request-URI is for somebody else to change', async () => {
    const run = await sign(['--div-from', '12025550199', '--dest', '+13035550107'], { stdin: lab.invite() });
    expect(run.exitCode).toBe(0);
    expect(run.stdout.split('\r\n')[0]).toBe(lab.invite().split('\r\n')[0]);
    expect(run.stderr).toContain('! the Request-URI was left as it is');
    expect((await sign(['--div-from', '12025550199'], { stdin: forwarded() })).stderr).not.toContain('Request-URI');
  });

  test('is for the caller that --orig names', async () => {
    const stdin = forwarded();
    expect((await sign(['--div-from', '12025550199', '--orig', '12025550101'], { stdin })).exitCode).toBe(0);
    const other = await sign(['--div-from', '12025550199', '--orig', '12025550166', '--json'], { stdin });
    expect(other.json()).toMatchObject({ exitCode: 1, outcome: { reason: 'orig-mismatch' } });
  });

  test.each([
    [['--iat', '1793620800']],
    [['--attest', 'A', '--basis', 'Seen.']],
    [['--basis', 'Seen.']],
    [['--orig-id', '123e4567-e89b-12d3-a456-426655440000']],
    [['--role', 'originating']],
    [['--customer-known']],
    [['--policy', 'policy.json']],
    [['--sign-emergency']],
  ])('hears nothing of %j, and says so', async (args) => {
    const run = await sign(['--div-from', '12025550199', ...args], { stdin: forwarded() });
    expect(run).toMatchObject({ exitCode: 2, stdout: '' });
    expect(run.stderr).toContain(args[0]);
  });

  test('of a call without Identity, or for another number, is not made', async () => {
    const unsigned = await sign(['--div-from', '12025550199'], {
      stdin: sampleInvite({ requestUri: 'sip:+13035550107@b' }),
    });
    expect(unsigned).toMatchObject({ exitCode: 1, stdout: '' });
    const other = await sign(['--div-from', '12025550177'], { stdin: forwarded() });
    expect(other).toMatchObject({ exitCode: 1, stdout: '' });
    expect((await sign(['--div-from', 'you'], { stdin: forwarded() })).exitCode).toBe(2);
  });
});

describe('key and certificate', () => {
  test.each([
    ['without a key', ['--certificate', '', '--x5u', '']],
    ['without facts', []],
  ])('%s nothing is signed', async (_name, args) => {
    expect((await lab.run(['sign', ...args.filter((arg) => arg !== ''), ...BY_NUMBER])).exitCode).toBe(2);
  });

  test('that do not belong together are refused, and so are an expired one and another provider', async () => {
    const other = lab.pki.issueServiceProvider({ spc: '1234' });
    const key = await lab.put('other.key', other.privateKeyPem);
    expect(outcomeOf(await sign([...FULL, ...BY_NUMBER, '--key', key, '--json']))).toMatchObject({
      reason: 'key-mismatch',
    });
    expect(outcomeOf(await sign([...FULL, ...BY_NUMBER, '--spc', '9999', '--json']))).toMatchObject({
      reason: 'spc-mismatch',
    });
    const ended = lab.pki.issueServiceProvider({ spc: '1234', notAfterMs: TEST_NOW_MS - 1000 });
    const files = [
      '--key',
      await lab.put('ended.key', ended.privateKeyPem),
      '--certificate',
      await lab.put('ended.pem', ended.chainPem),
    ];
    expect(outcomeOf(await sign([...FULL, ...BY_NUMBER, ...files, '--json']))).toMatchObject({
      reason: 'certificate-expired',
    });
  });

  test('that cannot be read are an error of the environment; a URL that nobody fetches is one of usage', async () => {
    expect((await sign([...FULL, ...BY_NUMBER, '--key', lab.files.chain])).exitCode).toBe(4);
    expect((await sign([...FULL, ...BY_NUMBER, '--certificate', lab.files.key])).exitCode).toBe(4);
    expect((await sign([...FULL, ...BY_NUMBER, '--x5u', 'http://example.com/a.pem'])).exitCode).toBe(2);
  });

  test.skipIf(process.platform === 'win32')('open to other users are remarked', async () => {
    const key = await lab.put('open.key', lab.provider.privateKeyPem);
    await chmod(key, 0o644);
    const run = await sign([...FULL, ...BY_NUMBER, '--key', key]);
    expect(run.exitCode).toBe(0);
    expect(run.stderr).toContain('chmod 600');
  });
});

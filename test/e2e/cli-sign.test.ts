import { sampleInvite, TEST_NOW_MS } from '@hopback/sdk/testing';
import type { SigningOutcome } from '@hopback/sdk/stir';
import { chmod } from 'node:fs/promises';
import { afterAll, describe, expect, test } from 'vitest';
import { argv, createCliLab, FULL_FACTS, type CliRun, type RunOptions } from '../support/cli-lab.js';

const lab = await createCliLab();
afterAll(() => lab[Symbol.asyncDispose]());
const { files, x5u } = lab;
const credentials = argv`--key ${files.key} --certificate ${files.chain} --x5u ${x5u} ${lab.allow.slice(0, 4)}`;

/** With the lab's key, certificate and x5u, where the test names no other. */
const sign = (args: readonly string[], options: RunOptions = {}): Promise<CliRun> => {
  const rest = credentials.filter((word, at) => !args.includes(at % 2 === 0 ? word : (credentials[at - 1] ?? '')));
  return lab.run(['sign', ...rest, ...args], options);
};
const verify = (stdin: string, args: readonly string[] = []): Promise<CliRun> =>
  lab.run(['verify', ...lab.trust, ...lab.allow, ...args], { stdin });
const outcomeOf = (run: CliRun): SigningOutcome => run.json()['outcome'] as SigningOutcome;

const BASIS = argv`--basis ${'Seen by a person.'}`;
const BY_NUMBER = argv`--orig +12025550101 --dest +12025550199`;

describe('an INVITE', () => {
  test('comes back with Date and Identity, otherwise as it was, and verifies', async () => {
    const unsigned = sampleInvite({ dateMs: 'absent' });
    const run = await sign(FULL_FACTS, { stdin: unsigned });
    expect(run.exitCode).toBe(0);
    const added = run.stdout.split('\r\n').filter((line) => /^(?:Date|Identity):/.test(line));
    expect(added).toHaveLength(2);
    expect(run.stdout.replace(`\r\n${added.join('\r\n')}`, '')).toBe(unsigned);
    expect((await verify(run.stdout)).exitCode).toBe(0);
    expect(run.stderr).toContain('✓ signed with attestation A by SPC 1234');
    expect(run.stderr).toContain('  from 12025550101 to 12025550199\n');
  });

  test('keeps a Date that is right and gets a new one for one that is not', async () => {
    const right = await sign(FULL_FACTS, { stdin: sampleInvite({ dateMs: TEST_NOW_MS - 5_000 }) });
    expect(right.stdout.match(/^Date: .*/gm)).toEqual(['Date: Mon, 02 Nov 2026 11:59:55 GMT']);
    const stale = sampleInvite({ dateMs: TEST_NOW_MS - 600_000 })
      .replace('Date: ', 'date : ')
      .replace(' GMT', '\r\n GMT');
    const renewed = await sign(FULL_FACTS, { stdin: stale });
    expect(renewed.stdout.match(/^Date: .*/gim)).toEqual(['Date: Mon, 02 Nov 2026 12:00:00 GMT']);
    expect(renewed.stdout).not.toContain('11:50:00');
    expect((await verify(renewed.stdout)).exitCode).toBe(0);
  });

  test('with octets that are not UTF-8 keeps them', async () => {
    const stdin = Buffer.concat([Buffer.from(sampleInvite()), Buffer.of(0xff, 0xfe, 0xc3)]);
    const { stdout } = await sign(FULL_FACTS, { stdin });
    // The lab reads output as UTF-8: each octet shows as one replacement character, and none is lost.
    expect(stdout.endsWith('\ufffd\ufffd\ufffd')).toBe(true);
  });

  test('that has an Identity already is left alone', async () => {
    const run = await sign(FULL_FACTS, { stdin: lab.invite() });
    expect(run).toMatchObject({ exitCode: 1, stdout: '' });
    expect(run.stderr).toContain('already-signed');
  });
});

describe('a call by number', () => {
  test('gives the Identity header value, and says which Date the request must carry', async () => {
    const run = await sign([...FULL_FACTS, ...BY_NUMBER]);
    expect(run.exitCode).toBe(0);
    expect(run.stdout).toMatch(/^eyJ[\w.-]+;info=<https:[^>]+>;alg=ES256;ppt=shaken\n$/);
    expect(run.stderr).toContain('Date: Mon, 02 Nov 2026 12:00:00 GMT');
    expect((await verify(run.stdout, argv`--orig 12025550101 --dest 12025550199`)).exitCode).toBe(0);
  });

  test.each([
    ['A', FULL_FACTS, 'originating-full'],
    ['B', argv`--role originating --customer-known --caller-authenticated`, 'originating-partial'],
    ['C', argv`--role gateway`, 'gateway'],
  ])('has attestation %s by the policy, with the record that shows why', async (attestation, facts, ruleId) => {
    expect(outcomeOf(await sign([...facts, ...BY_NUMBER, '--json']))).toMatchObject({
      ...{ status: 'signed', claims: { attestation } },
      record: { format: 'hopback.attestation-record.1', decidedBy: 'policy', decision: { ruleId } },
    });
  });

  test('takes an attestation that was decided elsewhere with its basis, and a policy that forbids just that', async () => {
    const origId = '123e4567-e89b-12d3-a456-426655440000';
    const given = argv`--role originating --attest B ${BASIS} --orig-id ${origId} ${BY_NUMBER}`;
    expect(outcomeOf(await sign([...given, '--json']))).toMatchObject({
      claims: { attestation: 'B', origId },
      record: { decidedBy: 'request', basis: 'Seen by a person.', decision: { attestation: 'C' } },
    });
    expect((await sign(given)).stderr).toContain('because: Seen by a person.');
    const rules = [{ id: 'all', when: {}, attestation: 'C', basis: 'Everything is a C here.' }];
    const policy = await lab.put('policy.json', JSON.stringify({ id: 'strict-1', rules }));
    const refused = await sign(argv`--role originating --attest A ${BASIS} --policy ${policy} ${BY_NUMBER} --json`);
    expect(refused.exitCode).toBe(1);
    expect(outcomeOf(refused)).toMatchObject({ status: 'refused', reason: 'attestation-not-permitted' });
    const broken = await lab.put('no.json', '{');
    expect((await sign(argv`--role gateway --policy ${broken} ${BY_NUMBER}`)).exitCode).toBe(2);
  });

  test.each([
    ['without a basis', argv`--role originating --attest A`, '--basis'],
    ['with a blank basis', argv`--role originating --attest A --basis ${' '}`, '--basis'],
    ['with a basis that is too long', argv`--role originating --attest A --basis ${'a'.repeat(513)}`, '--basis'],
    ['without a role', argv`--attest A ${BASIS}`, '--role'],
    ['that is left out, with a basis', [...FULL_FACTS, ...BASIS], '--attest'],
  ])('an attestation %s is not understood', async (_name, args, option) => {
    const run = await sign([...args, ...BY_NUMBER]);
    expect(run).toMatchObject({ exitCode: 2, stdout: '' });
    expect(run.stderr).toContain(option);
  });

  test('from digits that may be national or foreign is refused, whichever option they came by', async () => {
    for (const args of [
      argv`${FULL_FACTS} --orig 2079460958 --dest +12025550199`,
      argv`${FULL_FACTS} --orig +12025550101 --dest 2079460958`,
      argv`--div-from 2079460958 --dest +12025550199`,
      argv`--div-from +12025550199 --orig 2079460958`,
    ]) {
      const run = await sign(args, { stdin: lab.invite() });
      expect(run).toMatchObject({ exitCode: 2, stdout: '' });
      expect(run.stderr).toContain('Write it with + and its country code');
      expect(run.stderr).not.toContain('2079460958');
    }
    for (const option of ['--orig', '--dest'])
      expect((await verify(lab.identityHeader(), [option, '2079460958'])).exitCode).toBe(2);
  });

  test('shows the numbers that were signed, also a foreign one of ten digits', async () => {
    const parties = argv`--orig ${'+44 20 7946 0958'} --dest +4930123456 --dest sip:a@b`;
    const run = await sign([...FULL_FACTS, ...parties]);
    expect(run.stderr).toContain('  from 442079460958 to 4930123456, sip:a@b\n');
  });

  test('to an emergency number is signed only where that is asked for', async () => {
    const call = argv`${FULL_FACTS} --orig +12025550101 --dest 911`;
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
    expect(run.stderr).not.toContain('Request-URI');
    const verified = await verify(run.stdout);
    expect(verified.exitCode).toBe(0);
    expect(verified.stdout).toContain('Identity header 2 of 2: div, passed');
  });

  test('of an Identity header alone goes where --dest says', async () => {
    const run = await sign(argv`--div-from ${'(202) 555-0199'} --dest +13035550107`, { stdin: lab.identityHeader() });
    expect(run.exitCode).toBe(0);
    expect(run.stdout).toMatch(/;ppt=div\n$/);
  });

  test('to a target by option warns that the Request-URI stays as it is', async () => {
    const run = await sign(argv`--div-from 12025550199 --dest +13035550107`, { stdin: lab.invite() });
    expect(run.exitCode).toBe(0);
    expect(run.stdout.split('\r\n')[0]).toBe(lab.invite().split('\r\n')[0]);
    expect(run.stderr).toContain('! the Request-URI is unchanged');
  });

  test('is for the caller that --orig names', async () => {
    const stdin = forwarded();
    expect((await sign(argv`--div-from 12025550199 --orig 12025550101`, { stdin })).exitCode).toBe(0);
    const other = await sign(argv`--div-from 12025550199 --orig 12025550166 --json`, { stdin });
    expect(other.json()).toMatchObject({ exitCode: 1, outcome: { reason: 'orig-mismatch' } });
  });

  test.each([
    [argv`--iat 1793620800`],
    [argv`--attest A --basis Seen.`],
    [argv`--basis Seen.`],
    [argv`--orig-id 123e4567-e89b-12d3-a456-426655440000`],
    [argv`--role originating`],
    [argv`--customer-known`],
    [argv`--policy policy.json`],
    [argv`--sign-emergency`],
  ])('refuses %j, which it does not use', async (args) => {
    const run = await sign(['--div-from', '12025550199', ...args], { stdin: forwarded() });
    expect(run).toMatchObject({ exitCode: 2, stdout: '' });
    expect(run.stderr).toContain(args[0]);
  });

  test('for another number than the call had is not made', async () => {
    const other = await sign(['--div-from', '12025550177'], { stdin: forwarded() });
    expect(other).toMatchObject({ exitCode: 1, stdout: '' });
    expect((await sign(['--div-from', 'you'], { stdin: forwarded() })).exitCode).toBe(2);
  });
});

describe('key, certificate and time', () => {
  test('without a key, or without facts, nothing is signed', async () => {
    for (const args of [[], credentials]) expect((await lab.run(['sign', ...args, ...BY_NUMBER])).exitCode).toBe(2);
  });

  test.each<readonly [string, number, () => readonly string[]]>([
    ['a key that cannot be read', 4, () => ['--key', lab.files.chain]],
    ['a certificate that cannot be read', 4, () => ['--certificate', lab.files.key]],
    ['an x5u that no verifier fetches', 2, () => ['--x5u', 'http://example.com/a.pem']],
    ['an iat that is not a time', 2, () => ['--iat', 'soon']],
  ])('%s ends with %i', async (_what, exitCode, args) => {
    expect((await sign([...FULL_FACTS, ...BY_NUMBER, ...args()])).exitCode).toBe(exitCode);
  });

  test('a key of another certificate, another SPC and an iat that is past are refused with their reason', async () => {
    const key = await lab.put('other.key', lab.pki.issueServiceProvider({ spc: '1234' }).privateKeyPem);
    for (const [args, reason] of [
      [argv`--key ${key}`, 'key-mismatch'],
      [argv`--spc 9999`, 'spc-mismatch'],
      [argv`--iat ${String(TEST_NOW_MS / 1000 - 61)}`, 'iat-not-current'],
    ] as const)
      expect(outcomeOf(await sign([...FULL_FACTS, ...BY_NUMBER, ...args, '--json']))).toMatchObject({ reason });
  });

  test.skipIf(process.platform === 'win32')('a key that other users can read is reported', async () => {
    const key = await lab.put('open.key', lab.provider.privateKeyPem);
    await chmod(key, 0o644);
    const run = await sign([...FULL_FACTS, ...BY_NUMBER, '--key', key]);
    expect(run.exitCode).toBe(0);
    expect(run.stderr).toContain('chmod 600');
  });
});

import { spawnSync } from 'node:child_process';
import { readFile } from 'node:fs/promises';
import { ManualClock, createTestKey } from '@hopback/sdk/testing';
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { COMMANDS } from '../../sdk/src/cli/command-table.js';
import { didYouMean, EXIT_OF_ERROR } from '../../sdk/src/cli/kit/command.js';
import { runInProcess, type CliRun, type RunOptions } from '../support/cli-lab.js';

const run = (args: readonly string[], options: RunOptions = {}): Promise<CliRun> =>
  runInProcess(args, new ManualClock(), options);

describe('help', () => {
  test('lists every command, on standard output where it was asked for', async () => {
    for (const args of [[], ['help'], ['--help'], ['-h']]) {
      const { exitCode, stdout, stderr } = await run(args);
      expect({ exitCode, stderr }).toEqual({ exitCode: 0, stderr: '' });
      for (const { name, summary } of COMMANDS) {
        expect(stdout).toContain(name);
        expect(stdout.replaceAll(/\s+/g, ' ')).toContain(summary);
      }
    }
  });

  test.each(COMMANDS.map(({ name, load }) => [name, load] as const))(
    'of %s is the same by help and by --help, as text and as JSON, and names all of its options',
    async (name, load) => {
      const words = name.split(' ');
      const { summary, options } = await load();
      expect(summary).toBe(COMMANDS.find((entry) => entry.name === name)?.summary);
      const help = await run(['help', ...words]);
      expect(help).toMatchObject({ exitCode: 0, stderr: '' });
      expect((await run([...words, '--help'])).stdout).toBe(help.stdout);
      for (const option of Object.keys(options)) expect(help.stdout).toContain(`--${option}`);
      // Any command line may be wrong, and any answer may meet a full disk.
      expect(help.stdout.replaceAll(/\s+/g, ' ')).toMatch(/Exit codes: 0 [^:]*\b2 [^:]*\b4 [^:]*\./);
      for (const args of [
        ['help', ...words],
        [...words, '--help'],
      ]) {
        const document = (await run([...args, '--json'])).json();
        expect(document).toMatchObject({ format: 'hopback.help.1', command: name, exitCode: 0 });
        const listed = (document['options'] as readonly { readonly name: string }[]).map((option) => option.name);
        expect(listed).toEqual([...Object.keys(options), 'json', 'help']);
      }
    },
  );

  test('shows no program in its examples but hopback and what every machine has', async () => {
    const programs = new Set<string>();
    for (const { name } of COMMANDS) {
      const { stdout } = await run(['help', ...name.split(' ')]);
      for (const [line] of stdout.matchAll(/^ {2}(?!-)\S.*hopback .*$/gm))
        for (const part of line.replaceAll(/"[^"]*"/g, '""').split(/\||&&|;/))
          programs.add(part.trim().split(' ', 1)[0] ?? '');
    }
    expect([...programs].toSorted()).toEqual(['cat', 'hopback']);
  });

  test.each(['cert', 'cache', 'records'])('of %s lists the commands that begin so', async (group) => {
    for (const args of [
      [group, '--help'],
      [group, '-h'],
      ['help', group],
    ]) {
      const { exitCode, stdout, stderr } = await run(args);
      expect({ exitCode, stderr }).toEqual({ exitCode: 0, stderr: '' });
      for (const { name, summary } of COMMANDS.filter((entry) => entry.name.startsWith(`${group} `))) {
        expect(stdout).toContain(name);
        expect(stdout).toContain(summary);
      }
    }
  });

  test('of all commands and of a group is a document with --json', async () => {
    for (const args of [
      ['help', '--json'],
      ['--help', '--json'],
    ]) {
      const document = (await run(args)).json();
      expect(document).toMatchObject({ format: 'hopback.commands.1', exitCode: 0, exitCodes: { usage: 2 } });
      const listed = [...COMMANDS.map(({ name, summary }) => ({ name, summary })), { name: 'completion' }];
      expect(document['commands']).toMatchObject(listed);
    }
    expect((await run(['cert', '--help', '--json'])).json()['commands']).toHaveLength(2);
    expect(await run(['help', '--jsno'])).toMatchObject({ exitCode: 2, stdout: '' });
  });

  test('--version is that of the package', async () => {
    const { version } = JSON.parse(await readFile('sdk/package.json', 'utf8')) as { readonly version: string };
    expect((await run(['--version'])).stdout).toBe(`${version}\n`);
    for (const flag of ['-v', '-V']) expect((await run([flag])).stdout).toBe(`${version}\n`);
    expect((await run(['--version', '--json'])).json()).toEqual({ format: 'hopback.version.1', version, exitCode: 0 });
  });

  test('the guide names every command, every option and every exit code', async () => {
    const guide = await readFile('docs/guides/cli.md', 'utf8');
    for (const { name, load } of COMMANDS) {
      expect(guide).toContain(`hopback ${name}`);
      for (const option of Object.keys((await load()).options)) expect(guide).toContain(`--${option}`);
    }
    for (const code of [...new Set(Object.values(EXIT_OF_ERROR)), 0, 1, 3])
      expect(guide).toMatch(new RegExp(`^\\| ${String(code)} +\\|`, 'm'));
  });
});

describe('completion', () => {
  test.each([
    ['rec', ['records']],
    ['records f', ['find']],
    ['traceback policy ', ['try']],
    ['records find --cal', ['--called', '--calling', '--call-id']],
    ['verify --profile sh', ['shaken']],
    ['verify some.sip --js', ['--json']],
    ['completion ', ['--json', '--help']],
  ])('bash completes "hopback %s" with %j', async (typed, offered) => {
    const script = await run(['completion', 'bash']);
    expect(script).toMatchObject({ exitCode: 0, stderr: '' });
    const words = ['hopback', ...typed.split(' ')];
    const asks = `COMP_WORDS=(${words.map((word) => `'${word}'`).join(' ')}); COMP_CWORD=${words.length - 1}; _hopback; printf '%s\\n' "\${COMPREPLY[@]}"`;
    const bash = spawnSync('bash', ['-c', `${script.stdout}\n${asks}`], { encoding: 'utf8' });
    expect(bash.stderr).toBe('');
    expect(bash.stdout.split('\n').filter((line) => line !== '')).toEqual(offered);
  });

  test.each(['zsh', 'fish'])('of %s names every command and option', async (shell) => {
    const { exitCode, stdout } = await run(['completion', shell]);
    expect(exitCode).toBe(0);
    for (const { name, load } of COMMANDS) {
      expect(stdout).toContain(name);
      for (const option of Object.keys((await load()).options)) expect(stdout).toContain(option);
    }
  });
});

describe('a command line that cannot be understood', () => {
  test.each([
    [['verfy'], 'verify'],
    [['cert'], 'cert inspect'],
    [['cert', 'inspct'], 'cert inspect'],
    [['cert', '--trust', 'x'], 'cert is one of: cert inspect'],
    [['inspect'], 'cert inspect'],
    [['verify', '--trsut', 'x'], '--trust'],
    [['verify', '--constructor'], 'there is no option --constructor'],
    [['verify', '--revocation', 'accept'], '--revocation-unknown'],
    [['verify', '--profile', 'shakn'], 'shaken'],
    [['verify', '--trust'], '--trust PATH'],
    [['verify', '--trust', '--offline'], '--trust PATH'],
    [['verify', '--json=yes'], 'takes no value'],
    [['verify', '--freshness', '0'], '1 to 86400'],
    [['verify', 'a', 'b'], 'one input'],
    [['sign', '--allow-port', '70000'], undefined],
    [['help', 'crt'], undefined],
    [['csr', '--spc', '1234', '--spc', '5678'], '--spc is given more than once'],
    [['csr', 'sp.key', '--spc', '1234'], 'no operand'],
    [['doctor', 'sp.pem'], 'no operand'],
    [['keygen', 'sp.key'], '--out'],
    [['csr', '--organization', 'A\u001b[2JB'], 'cannot be seen'],
    [['csr', '--organization', 'A\u202eB'], 'cannot be seen'],
    [['sign', '--customer', 'a\nb'], 'cannot be seen'],
    [['decode', 'a\nb'], 'cannot be seen'],
    [['decode', 'a\0b'], 'cannot be seen'],
  ])('%j ends with 2 and says what to do', async (args, hint) => {
    const { exitCode, stdout, stderr } = await run(args, { stdin: 'eyJ.a.b' });
    expect({ exitCode, stdout }).toEqual({ exitCode: 2, stdout: '' });
    expect(stderr).toContain(hint ?? 'hopback');
  });

  test.each(['--kye={"kty":"EC","d":"SECRET"}', '--kye=MHcCAQEESECRET', '-kSECRET', '--passwrd=SECRET words'])(
    'does not repeat what follows a mistyped option: %s',
    async (word) => {
      const { exitCode, stderr } = await run(['sign', word]);
      expect(exitCode).toBe(2);
      expect(stderr).not.toContain('SECRET');
    },
  );

  test('help reads none of the variables that the command would read', async () => {
    const help = await run(['help', 'sign'], { env: { HOPBACK_KEY: 'x\ny' } });
    expect(help).toMatchObject({ exitCode: 0, stderr: '' });
  });

  test('is reported as JSON where JSON was asked for', async () => {
    expect((await run(['verify', '--trsut', 'x', '--json'])).json()).toMatchObject({
      ...{ format: 'hopback.error.1', code: 'usage', exitCode: 2 },
      hints: [expect.stringContaining('--trust'), expect.anything()],
    });
  });

  test('repeats no telephone number of the command line in a message', async () => {
    const { exitCode, stderr } = await run(['verify', '--orig', '202555010I', 'eyJ.a.b;info=<x>', '--trust', '/']);
    expect(exitCode).toBe(2);
    expect(stderr).toContain('--orig');
    expect(stderr).not.toContain('202555');
  });
});

describe('a key in place of the file that it is in', () => {
  const { privateKeyPem, privateKeyJwk } = createTestKey();
  const body = privateKeyPem.split('\n').slice(1, -2).join('');
  const spellings = [
    ['PEM', privateKeyPem],
    ['PEM on one line', privateKeyPem.replaceAll('\n', '')],
    ['base64 of DER', body],
    ['JWK', JSON.stringify(privateKeyJwk)],
  ] as const;

  test.each(spellings)('as %s is repeated in no message', async (_name, key) => {
    const secret = [body.slice(0, 16), body.slice(40, 56), String(privateKeyJwk.d).slice(0, 16)];
    const sign = ['sign', '--role', 'gateway', '--orig', '+12025550101', '--dest', '+12025550199'];
    const lines: readonly (readonly [readonly string[], Readonly<Record<string, string>>])[] = [
      [sign, { HOPBACK_KEY: key }],
      [['csr', '--spc', '1234', '--organization', 'Example'], { HOPBACK_KEY: key }],
      [['doctor'], { HOPBACK_KEY: key }],
      [['doctor'], { HOPBACK_TRUST: key }],
      [[...sign, `--key=${key}`], {}],
      [[...sign, '--x5u', `https://${key}`], {}],
      [['keygen', `--out=${key}`], {}],
      [['verify', key], {}],
      [['verify', '--', key], {}],
      [['decode', key], {}],
      [['cert', 'inspect', '--', key], {}],
      [['cert', 'chain', '--', key], {}],
      [['cache', 'import', '--cache', '/nowhere', '--', key], {}],
      [['doctor', key], {}],
      [[key], {}],
      [['help', key], {}],
    ];
    for (const [args, env] of lines) {
      for (const more of [[], ['--json']]) {
        // Options end at "--".
        const { exitCode, stdout, stderr } = await run(
          args[0] === key ? args : [args[0] ?? '', ...more, ...args.slice(1)],
          { env },
        );
        if (args[0] !== 'help') expect([2, 4]).toContain(exitCode);
        for (const part of secret) expect(stdout + stderr).not.toContain(part);
      }
    }
  });

  test('in a variable is reported by the name of the variable', async () => {
    const { stderr } = await run(['doctor'], { env: { HOPBACK_KEY: privateKeyPem } });
    expect(stderr).toContain('HOPBACK_KEY must name a file');
  });
});

describe('did you mean', () => {
  const known = ['verify', 'sign', 'decode', 'doctor', 'keygen'];

  test('finds a letter too many, missing, changed and swapped', () => {
    expect(didYouMean('verifyy', known)).toEqual(['verify']);
    expect(didYouMean('verfy', known)).toEqual(['verify']);
    expect(didYouMean('decade', known)).toEqual(['decode']);
    expect(didYouMean('docotr', known)).toEqual(['doctor']);
    expect(didYouMean('key', known)).toEqual(['keygen']);
    expect(didYouMean('traceback', known)).toEqual([]);
  });

  test('answers for any word, with words that there are', () => {
    fc.assert(
      fc.property(fc.string({ maxLength: 60 }), (word) => {
        for (const meant of didYouMean(word, known)) expect(known).toContain(meant);
      }),
    );
  });
});

describe('any command line', () => {
  const words = COMMANDS.flatMap(({ name }) => name.split(' '));
  const word = fc.oneof(
    fc.constantFrom(...words, '--json', '--trust', '--orig', '-', '--', '/dev/null', '--at'),
    fc.string({ maxLength: 12 }).filter((text) => !text.includes('out')),
  );

  test('ends with a documented exit code and never as a bug of ours', { timeout: 60_000 }, async () => {
    await fc.assert(
      fc.asyncProperty(fc.array(word, { maxLength: 5 }), fc.string(), async (args, stdin) => {
        const { exitCode } = await run(args, { stdin });
        expect([0, 1, 2, 3, 4]).toContain(exitCode);
      }),
      { numRuns: 150 },
    );
  });
});

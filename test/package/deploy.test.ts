import { spawn, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { chmod, cp, mkdir, readdir, readFile, symlink } from 'node:fs/promises';
import { delimiter, dirname, join } from 'node:path';
import { createInterface } from 'node:readline';
import { expect, test } from 'vitest';
import { ROOT, run } from '../house/run.js';
import { peer, testPeer } from '../peers.js';
import { createTemporaryDirectory } from '../peers/temporary-directory.js';
import { freePorts } from '../support/recipe.js';
import { createSidecarFolder } from '../support/sidecar-folder.js';

const UNIT = join(ROOT, 'docs/deploy/hopback.service');
const DOCKERFILE = join(ROOT, 'docs/deploy/Dockerfile');
/** Whoever runs the tests may be root; the image is not. */
const NOBODY = process.getuid?.() === 0 ? { uid: 65_534, gid: 65_534 } : {};

testPeer('systemd', 'systemd finds nothing to say about the unit', async () => {
  expect(await run(peer('systemd').path, ['verify', UNIT])).toMatchObject({ code: 0, output: '' });
});

test('the unit runs as nobody in particular, reloads by SIGHUP, and has the whole of it told to end', async () => {
  const unit = await readFile(UNIT, 'utf8');
  for (const line of [
    ...['DynamicUser=yes', 'NoNewPrivileges=yes', 'CapabilityBoundingSet=', 'ProtectSystem=strict'],
    ...['ExecReload=/bin/kill -HUP $MAINPID', 'KillMode=mixed'],
  ])
    expect(unit.split('\n')).toContain(line);
});

/** What the Dockerfile says of the running container. */
async function imageOf(): Promise<{
  readonly env: Readonly<Record<string, string>>;
  readonly command: readonly string[];
  readonly healthCheck: readonly string[];
  readonly stopSignal: NodeJS.Signals;
}> {
  const text = await readFile(DOCKERFILE, 'utf8');
  const said = (word: string): string => new RegExp(`^${word} (.*)$`, 'm').exec(text)?.[1] ?? '';
  const list = (json: string): readonly string[] => JSON.parse(json) as readonly string[];
  return {
    env: Object.fromEntries(
      [...text.matchAll(/^ENV (\w+)=(\S+)$/gm)].map(([, name = '', value = '']) => [name, value]),
    ),
    command: [...list(said('ENTRYPOINT')), ...list(said('CMD'))],
    healthCheck: list(/^HEALTHCHECK .* CMD (\[.*\])$/m.exec(text)?.[1] ?? '[]'),
    stopSignal: said('STOPSIGNAL') as NodeJS.Signals,
  };
}

/** The working directory of the image: the package as it is packed, beside it what it depends on as it is installed here. */
async function layOut(directory: string): Promise<void> {
  const modules = join(directory, 'node_modules');
  const own = join(modules, '@hopback/sdk');
  await mkdir(own, { recursive: true });
  for (const name of ['dist', 'package.json']) await cp(join(ROOT, 'sdk', name), join(own, name), { recursive: true });
  for (const name of await readdir(join(ROOT, 'node_modules')))
    if (name !== '@hopback') await symlink(join(ROOT, 'node_modules', name), join(modules, name));
  await chmod(directory, 0o755);
}

test('the commands of the image serve, are healthy, reload and end, as nobody in particular', async () => {
  await using image = await createTemporaryDirectory();
  await layOut(image.path);
  await using folder = await createSidecarFolder();
  await chmod(folder.directory, 0o755);
  const { env, command, healthCheck, stopSignal } = await imageOf();
  for (const name of await readdir(folder.directory)) await chmod(folder.path(name), 0o644);
  // The health check asks the port that the container listens at.
  const [port] = await freePorts(1);
  // As docker run -v and -e have it: the folder of the configuration in its place, another port than everybody's.
  const started = (argv: readonly string[]): ChildProcess => {
    const [program = '', ...args] = argv.map((argument) => argument.replace('/etc/hopback', folder.directory));
    return spawn(program, args, {
      ...{ cwd: image.path, stdio: ['ignore', 'pipe', 'inherit'], ...NOBODY },
      env: {
        ...{ ...env, PATH: [dirname(process.execPath), process.env['PATH'] ?? ''].join(delimiter) },
        HOPBACK__LISTEN__CALLS__PORT: String(port),
      },
    });
  };
  const child = started(command);
  const ended = once(child, 'exit');
  try {
    if (child.stdout === null) throw new Error('no log');
    const lines = createInterface({ input: child.stdout })[Symbol.asyncIterator]();
    const said = async (part: string): Promise<void> => {
      for (;;) {
        const next = await lines.next();
        if (next.done === true) throw new Error(`it ended before it said ${part}`);
        if (next.value.includes(part)) return;
      }
    };
    await said('"msg":"ready"');
    expect(await once(started(healthCheck), 'exit')).toEqual([0, null]);
    const answer = await fetch(`http://127.0.0.1:${port}/v1/check`, { method: 'POST', body: folder.identity() });
    expect(await answer.text()).toBe('OK\n');
    child.kill('SIGHUP');
    await said('"part":"reload"');
    child.kill(stopSignal);
    expect(await ended).toEqual([0, null]);
    expect(await once(started(healthCheck), 'exit')).toEqual([1, null]);
  } finally {
    child.kill('SIGKILL');
    await ended;
  }
});

import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdir } from 'node:fs/promises';
import { setTimeout } from 'node:timers/promises';
import { peer } from '../peers.js';
import { freePort } from '../support/free-port.js';
import type { SidecarFolder } from '../support/sidecar-folder.js';
import { keepTo } from './sidecar-wrk.js';

const START_MS = 10_000;
const LOOK_MS = 20;

/**
 * Starts the HTTP server of secsipidx on the files of a lab with what it has of checks: the dates of the certificate and its path to the roots.
 * @param expireSeconds - oldest token that it takes @param core - processor that it is kept to
 */
export async function startSecsipidx(lab: SidecarFolder, expireSeconds: number, core: number) {
  const port = await freePort();
  const cache = lab.path('secsipidx');
  await mkdir(cache, { recursive: true });
  const argv = ['-http-srv', `127.0.0.1:${port}`, '-k', lab.path('key.pem'), '-expire', String(expireSeconds)];
  const checks = ['-cache-dir', cache, '-cert-verify', '5', '-ca-file', lab.path('root.pem')];
  const child = spawn(peer('secsipidx').path, [...argv, ...checks], {
    stdio: 'ignore',
    env: { PATH: process.env['PATH'] ?? '', SSL_CERT_FILE: lab.path('web-root.pem'), GOMAXPROCS: '1' },
  });
  const exit = once(child, 'exit');
  const close = async (): Promise<void> => {
    child.kill('SIGKILL');
    await exit;
  };
  /** `OK` or `FAILED`. */
  const check = async (identity: string): Promise<string> => {
    const answer = await fetch(`http://127.0.0.1:${port}/v1/check`, { method: 'POST', body: identity });
    return (await answer.text()).trim();
  };
  try {
    // Each certificate once: of requests that come together while one is fetched it fails some.
    for (const { provider, x5u } of lab.providers) await untilOk(() => check(lab.identity({ signer: provider, x5u })));
    if (child.pid !== undefined) keepTo(core, child.pid);
  } catch (error) {
    await close();
    throw error;
  }
  return { port, pid: child.pid ?? 0, check, [Symbol.asyncDispose]: close };
}

/** A good call passes: then it listens, and has its certificate. */
async function untilOk(check: () => Promise<string>): Promise<void> {
  const startMs = performance.now();
  for (;;) {
    const said = await check().catch(() => 'nothing');
    if (said === 'OK') return;
    if (performance.now() - startMs > START_MS) throw new Error(`secsipidx says ${said} of a good call`);
    await setTimeout(LOOK_MS);
  }
}

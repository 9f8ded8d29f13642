import { execFile } from 'node:child_process';
import { promisify } from 'node:util';

/**
 * ECDSA P-256 verifications per second of `openssl speed` on so many processes at a time, by wall time. It signs for as long
 * before, which it cannot be asked to leave out.
 * @param program - path of openssl
 * @param options - `processes`: how many at a time; `seconds`: whole seconds of verifying
 * @throws Error when openssl fails or prints something else
 */
export async function opensslVerifyRate(
  program: string,
  options: { readonly processes: number; readonly seconds: number },
): Promise<number> {
  const multi = ['-multi', String(options.processes)];
  const { stdout } = await promisify(execFile)(
    program,
    ['speed', '-elapsed', '-mr', '-seconds', String(options.seconds), ...multi, 'ecdsap256'],
    { timeout: (2 * options.seconds + GRACE_SECONDS) * 1000 },
  );
  // Machine-readable: `+F4:curve number:bits:signatures/s:verifications/s`, the last one sums up the processes.
  const rate = Number(
    stdout
      .trim()
      .split('\n')
      .findLast((line) => line.startsWith('+F4:'))
      ?.split(':')[4],
  );
  if (!(rate > 0)) throw new Error(`openssl speed printed no rate:\n${stdout}`);
  return rate;
}

const GRACE_SECONDS = 20;

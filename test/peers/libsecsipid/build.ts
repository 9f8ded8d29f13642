import { execFile } from 'node:child_process';
import { createHash, randomUUID } from 'node:crypto';
import { access, mkdir, readFile, rename } from 'node:fs/promises';
import { fileURLToPath } from 'node:url';
import { createTemporaryDirectory } from '../temporary-directory.js';

const SOURCE = fileURLToPath(new URL('check-loop.c', import.meta.url));
const CACHE = fileURLToPath(new URL('../../../.cache/libsecsipid/', import.meta.url));
/** gcc takes a second for this one file; a minute means it hangs. */
const COMPILE_TIMEOUT_MS = 60_000;

/**
 * Compiles check-loop.c against the installed libsecsipid, once per version of the source.
 * Returns the path of the program, or `undefined` where gcc, the header or the library is missing.
 * @throws Error with the compiler's output when all three are there and our source does not compile
 */
export async function buildCheckLoop(): Promise<string | undefined> {
  const name = createHash('sha256')
    .update(await readFile(SOURCE))
    .digest('hex')
    .slice(0, 16);
  const program = `${CACHE}check-loop-${name}`;
  if (!(await canLinkLibsecsipid())) return undefined;
  if (await exists(program)) return program;
  await mkdir(CACHE, { recursive: true });
  // Renamed into place, so that two test workers that build at once cannot run half a file.
  const partial = `${program}.${randomUUID()}`;
  const compiled = await compile(SOURCE, partial);
  if (compiled !== 'ok') throw new Error(`${SOURCE} does not compile:\n${compiled}`);
  await rename(partial, program);
  return program;
}

async function canLinkLibsecsipid(): Promise<boolean> {
  await using directory = await createTemporaryDirectory();
  const source = await directory.write(
    'probe.c',
    '#include <secsipid.h>\nint main(void) { return SecSIPIDOptSetN("CertVerify", 0); }\n',
  );
  return (await compile(source, `${directory.path}/probe`)) === 'ok';
}

/** `'ok'`, or what went wrong. */
function compile(source: string, output: string): Promise<string> {
  const args = ['-O2', '-Wall', '-Wextra', '-o', output, source, '-lsecsipid'];
  return new Promise((resolve) => {
    execFile('gcc', args, { timeout: COMPILE_TIMEOUT_MS }, (error, _stdout, stderr) => {
      resolve(error === null ? 'ok' : stderr || error.message);
    });
  });
}

async function exists(path: string): Promise<boolean> {
  return access(path).then(
    () => true,
    () => false,
  );
}

import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { createInterface } from 'node:readline';
import { createTemporaryDirectory } from '../temporary-directory.js';
import { buildCheckLoop } from './build.js';

/** One round of the loop. */
export interface LibsecsipidRound {
  /** Calls per second of wall time. */
  readonly perSecond: number;
  /** CPU time of the whole process by wall time: 1.00 says that one core was used, and used up. */
  readonly cores: number;
}

/** A running loop around libsecsipid with GOMAXPROCS=1. Rounds are asked for one at a time. */
export interface LibsecsipidLoop extends AsyncDisposable {
  /** SecSIPIDCheckFullPubKey over the given header. `durationMs` 1 to 60,000. */
  readonly verify: (durationMs: number) => Promise<LibsecsipidRound>;
  /** SecSIPIDGetIdentityPrvKey: a whole shaken Identity header from numbers and a PEM key. */
  readonly sign: (durationMs: number) => Promise<LibsecsipidRound>;
  readonly close: () => Promise<void>;
}

/** What the loop verifies and signs with. */
export interface LibsecsipidLoopOptions {
  /** A header that libsecsipid accepts and whose `iat` is not in the past by more than a day. */
  readonly identityHeader: string;
  readonly publicKeyPem: string;
  readonly privateKeyPem: string;
}

/**
 * Starts the loop, compiling it first where need be; `undefined` where libsecsipid or gcc is not installed.
 * @throws Error when the program ends early, with what it printed
 */
export async function startLibsecsipidLoop(options: LibsecsipidLoopOptions): Promise<LibsecsipidLoop | undefined> {
  const program = await buildCheckLoop();
  if (program === undefined) return undefined;
  const directory = await createTemporaryDirectory();
  const files = [
    await directory.write('identity.txt', options.identityHeader.trim()),
    await directory.write('public.pem', options.publicKeyPem),
    await directory.write('private.pem', options.privateKeyPem),
  ];
  const child = spawn(program, files, { env: { ...process.env, GOMAXPROCS: '1' } });
  const closed = once(child, 'close');
  let complaint = '';
  child.stderr.on('data', (bytes: Buffer) => (complaint += bytes.toString()));
  // A loop that has died says so by the end of its output; the broken pipe adds nothing.
  child.stdin.on('error', () => undefined);
  const lines = createInterface({ input: child.stdout })[Symbol.asyncIterator]();

  const round = async (order: string, durationMs: number): Promise<LibsecsipidRound> => {
    child.stdin.write(`${order} ${durationMs}\n`);
    const line = await lines.next();
    if (line.done === true) {
      // Its output may be at its end before its complaint has been read: both are once the program is closed.
      await closed;
      throw new Error(`the libsecsipid loop ended: ${complaint.trim()}`);
    }
    const [perSecond, cores] = line.value.split(' ').map(Number);
    if (perSecond === undefined || cores === undefined) throw new Error(`not a rate: ${line.value}`);
    return { perSecond, cores };
  };
  const close = async (): Promise<void> => {
    child.stdin.end();
    await closed;
    await directory.close();
  };
  return {
    verify: (durationMs) => round('verify', durationMs),
    sign: (durationMs) => round('sign', durationMs),
    close,
    [Symbol.asyncDispose]: close,
  };
}

import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { createInterface } from 'node:readline';

/** What Asterisk has for a script. */
export interface AgiCall {
  /** Values of variables and functions by how they are written: `PJSIP_HEADER(read,To,1)`. */
  readonly values: Readonly<Record<string, string>>;
  readonly arguments: readonly string[];
  readonly environment: Readonly<Record<string, string>>;
}

/**
 * Plays Asterisk to an AGI script of a shell: answers what it asks for.
 * @param path - of the script
 * @returns the variables that it has set
 * @throws Error when it ends with another status than 0
 */
export async function runAgiScript(path: string, call: AgiCall): Promise<Readonly<Record<string, string>>> {
  const child = spawn('sh', [path], {
    env: { ...process.env, ...call.environment },
    stdio: ['pipe', 'pipe', 'inherit'],
  });
  const set: Record<string, string> = {};
  const given = call.arguments.map((value, index) => `agi_arg_${String(index + 1)}: ${value}\n`);
  child.stdin.write(`agi_request: script\n${given.join('')}\n`);
  createInterface({ input: child.stdout }).on('line', (line) => {
    const [, asked] = /^GET VARIABLE "(.*)"$/.exec(line) ?? [];
    const [, name, value] = /^SET VARIABLE "(\w+)" "(.*)"$/.exec(line) ?? [];
    if (name !== undefined) set[name] = (value ?? '').replaceAll(/\\(.)/g, '$1');
    const known = asked === undefined ? undefined : call.values[asked];
    const result = known === undefined ? (name === undefined ? '0' : '1') : `1 (${known})`;
    child.stdin.write(`200 result=${result}\n`);
  });
  const [code] = (await once(child, 'close')) as [number];
  if (code !== 0) throw new Error(`the script ended with ${String(code)}`);
  return set;
}

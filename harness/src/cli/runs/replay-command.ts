import { replayPlan } from '../../runner/index.js';
import { EXIT, readCommandLine } from '../command-line.js';
import type { HarnessProcess } from '../run.js';
import { signalled } from './carry-out.js';
import { resultLines, traceLines } from './result-lines.js';
import { labOf, loadedPlan } from './run-command.js';
import { readRunSettings, RUN_OPTIONS, whole } from './run-settings.js';
import { REPLAY_USAGE } from './usage.js';

/** A call and what follows from it take less, or hang. */
const TIMEOUT_SECONDS = 60;

/** Runs `hopback-harness replay`. @returns the exit code */
export async function runReplay(argv: readonly string[], io: HarnessProcess): Promise<number> {
  const { seed, set, once, shorten, out, trace, timeout, json, help } = RUN_OPTIONS;
  const asked = readCommandLine(argv, { seed, set, once, shorten, out, trace, timeout, json, help });
  if (asked.status === 'not-understood') return misunderstood(io, asked.why);
  if (asked.values.help) {
    io.stdout.write(REPLAY_USAGE);
    return EXIT.ok;
  }
  const [call = '', from, more] = asked.positionals;
  const index = whole(call, Number.MAX_SAFE_INTEGER);
  if (Number.isNaN(index) || from === undefined || more !== undefined) {
    return misunderstood(io, 'which call of which run? It is replay CALL RUN');
  }
  const settings = readRunSettings(asked.values, io.env);
  if (typeof settings === 'string') return misunderstood(io, settings);
  const plan = await loadedPlan(from, settings, io);
  if (typeof plan === 'number') return plan;
  if (!plan.calls.some((planned) => planned.index === index)) {
    return misunderstood(io, `call ${index}: the plan has ${plan.calls.length} calls, from 0`);
  }
  const lab = await labOf(from, io);
  if (typeof lab === 'number') return lab;
  // A call by itself is placed by us.
  const { externalCallers: _, ...others } = lab;
  const leaving = signalled(io);
  try {
    const result = await replayPlan(plan, index, {
      ...{ ...others, timeoutSeconds: TIMEOUT_SECONDS, ...settings.run, signal: leaving.signal },
      ...(asked.values.out !== undefined && { folder: asked.values.out }),
    });
    if (asked.values.json) io.stdout.write(`${JSON.stringify(result.summary)}\n`);
    else {
      const lines = [...(asked.values.trace ? traceLines(result, index) : []), ...resultLines(result)];
      io.stdout.write(`${lines.join('\n')}\n`);
    }
    return result.exitCode;
  } catch (error) {
    io.stderr.write(`hopback-harness replay: ${error instanceof Error ? error.message : String(error)}\n`);
    return EXIT.environment;
  } finally {
    leaving.release();
  }
}

function misunderstood(io: HarnessProcess, why: string): number {
  io.stderr.write(`hopback-harness replay: ${why}\n\n${REPLAY_USAGE}`);
  return EXIT.usage;
}

import { performance } from 'node:perf_hooks';
import { describeVerdict } from '@hopback/sdk/stir';
import { demoCalls } from './demo-calls.js';
import type { DemoCall } from './demo-calls.js';
import { runRecordsAct } from './demo-records.js';
import type { RecordsActOutput } from './demo-records.js';
import { openDemoWorld } from './demo-world.js';

/** Where the demo writes, and what it may do there. */
export interface DemoOutput {
  readonly write: (text: string) => void;
  readonly color: boolean;
  /** Whether a line can be drawn over. */
  readonly isTerminal: boolean;
}

/**
 * Two acts. A call is signed, verified over a real HTTPS fetch of its certificate and the verdict explained; then what becomes of the same
 * call when somebody meddles with it. And calls that a switch writes down are followed, stored and sent to a platform by a process that
 * is killed in the middle. Everything is on loopback.
 * @returns 0 when every verdict was the one that it should be and no call was lost or doubled, else 1
 */
export async function runDemo(output: DemoOutput): Promise<0 | 1> {
  const startMs = performance.now();
  const say = (lines: readonly string[]): void =>
    output.write(`${(output.color ? lines.map(painted) : lines).join('\n')}\n`);
  const verdicts = await runVerdictsAct(say);
  say(['']);
  const records = await runRecordsAct(progressing(output, say));
  say(['', `Both acts took ${((performance.now() - startMs) / 1000).toFixed(1)} s`]);
  return verdicts === 0 && records === 0 ? 0 : 1;
}

async function runVerdictsAct(say: (lines: readonly string[]) => void): Promise<0 | 1> {
  const startMs = performance.now();
  await using world = await openDemoWorld();
  const [genuine, ...others] = await demoCalls(world);
  if (genuine === undefined) return 1;
  say([
    'A call as it leaves the originating carrier (SPC 1234), signed, certificate at',
    `  ${world.x5u}`,
    '',
    ...shortened(genuine.invite),
    '',
    'The same call at the terminating carrier, which fetches that certificate over HTTPS',
    '',
  ]);
  const first = await genuine.verify();
  say([...describeVerdict(first), '', 'And when somebody meddles with it', '']);
  let asExpected = isAsExpected(genuine, first) ? 1 : 0;
  for (const call of others) {
    const verdict = await call.verify();
    if (isAsExpected(call, verdict)) asExpected += 1;
    const [answer = '', why = ''] = describeVerdict(verdict);
    say([call.title, `  ${answer}`, `    ${call.comment ?? why.trim().replace(/^why +/, '')}`]);
  }
  const total = others.length + 1;
  const seconds = ((performance.now() - startMs) / 1000).toFixed(1);
  const isRight = asExpected === total;
  say([
    '',
    `${isRight ? '✓' : '✗'} ${String(asExpected)} of ${String(total)} verdicts as they should be; ` +
      `${String(world.certificateRequests())} HTTPS requests for certificates; ${seconds} s`,
  ]);
  return isRight ? 0 : 1;
}

function isAsExpected({ expected }: DemoCall, verdict: Awaited<ReturnType<DemoCall['verify']>>): boolean {
  const seen = expected.note === undefined ? true : hasNote(verdict, expected.note);
  return verdict.status === expected.status && verdict.reasons[0] === expected.reason && seen;
}

const hasNote = ({ evidence }: Awaited<ReturnType<DemoCall['verify']>>, note: string): boolean =>
  evidence.passports.some(({ exceptions }) => exceptions.some(({ reason }) => reason === note));

/** How often a line of progress is printed where it cannot be drawn over, milliseconds. */
const PLAIN_PROGRESS_MS = 1_000;
const CLEAR_LINE = '\r\u001b[K';

/** Draws progress over itself on a terminal; elsewhere prints a line now and then. */
function progressing(output: DemoOutput, say: (lines: readonly string[]) => void): RecordsActOutput {
  let shownAtMs = performance.now();
  return {
    say: (lines) => {
      if (output.isTerminal) output.write(CLEAR_LINE);
      say(lines);
    },
    progress: (line) => {
      if (output.isTerminal) output.write(`${CLEAR_LINE}${line}`);
      else if (performance.now() - shownAtMs >= PLAIN_PROGRESS_MS) {
        shownAtMs = performance.now();
        say([line]);
      }
    },
  };
}

/** Longest line that is shown of the request: an Identity header has six hundred characters. */
const LINE_CHARS = 100;

/** The request without its body. */
function shortened(invite: string): readonly string[] {
  const [headers = ''] = invite.split('\r\n\r\n', 1);
  return headers.split('\r\n').map((line) => `  ${line.length > LINE_CHARS ? `${line.slice(0, LINE_CHARS)}…` : line}`);
}

const COLORS: Readonly<Record<string, string>> = {
  '✓': '\u001b[32m',
  '✗': '\u001b[31m',
  '?': '\u001b[33m',
  '!': '\u001b[33m',
};

/** Colours the mark that a line begins with. */
function painted(line: string): string {
  const start = line.length - line.trimStart().length;
  const color = COLORS[line.charAt(start)];
  if (color === undefined || line.charAt(start + 1) !== ' ') return line;
  return `${line.slice(0, start)}${color}${line.charAt(start)}\u001b[0m${line.slice(start + 1)}`;
}

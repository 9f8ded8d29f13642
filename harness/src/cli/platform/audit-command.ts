import { readFile } from 'node:fs/promises';
import { resolve } from 'node:path';
import { HopbackError, isHopbackError } from '@hopback/sdk/errors';
import { printableText } from '@hopback/sdk/platform';
import type { AuditFinding, AuditVerification } from '../../platform/index.js';
import { verifyStoppedAudit } from '../../platform/reference/index.js';
import { auditFaults } from '../api/operator-commands.js';
import { EXIT, readCommandLine } from '../command-line.js';
import type { HarnessProcess } from '../run.js';
import { giveOrder } from './order-socket.js';
import { startFailureLine } from './start-failure.js';
import { PLATFORM_USAGE } from './usage.js';

const OPTIONS = {
  directory: { type: 'string', default: 'hopback-platform' },
  database: { type: 'string' },
  checkpoint: { type: 'string', multiple: true },
  json: { type: 'boolean', default: false },
  help: { type: 'boolean', short: 'h', default: false },
} as const;

/** Findings that are printed. */
const SHOWN_FINDINGS = 20;

/** Verifies the audit of a platform on this machine, whether it runs or not. @returns the exit code */
export async function runAuditCommand(argv: readonly string[], io: HarnessProcess): Promise<number> {
  const asked = readCommandLine(argv, OPTIONS);
  const usage = (why: string): number => {
    io.stderr.write(`hopback-harness platform audit: ${why}\n\n${PLATFORM_USAGE}`);
    return EXIT.usage;
  };
  if (asked.status === 'not-understood') return usage(asked.why);
  const { values, positionals } = asked;
  if (values.help) {
    io.stdout.write(PLATFORM_USAGE);
    return EXIT.ok;
  }
  if (positionals.length !== 1 || positionals[0] !== 'verify') return usage('it is platform audit verify');
  const directory = resolve(values.directory);
  const databaseUrl = values.database;
  try {
    const checkpoints = await Promise.all((values.checkpoint ?? []).map((file) => checkpointIn(file)));
    const result = await verified({ directory, databaseUrl, checkpoints });
    if (typeof result === 'string') {
      io.stderr.write(`hopback-harness platform audit verify: ${printableText(result)}\n`);
      return EXIT.environment;
    }
    io.stdout.write(values.json ? `${JSON.stringify(result)}\n` : `${lines(result).join('\n')}\n`);
    return result.status === 'intact' ? EXIT.ok : EXIT.failed;
  } catch (error) {
    if (isHopbackError(error) && error.code === 'invalid-argument' && error.details['reason'] === undefined)
      return usage(printableText(error.message));
    const where = { directory, host: '', port: 0, ...(databaseUrl !== undefined && { databaseUrl }) };
    io.stderr.write(`hopback-harness platform audit verify: ${startFailureLine(error, where)}\n`);
    return EXIT.environment;
  }
}

/** A signed note: by itself, or as `audit checkpoint --json` prints it. */
async function checkpointIn(file: string): Promise<string> {
  const text = await readFile(file, 'utf8');
  if (!text.trimStart().startsWith('{')) return text;
  const { checkpoint } = JSON.parse(text) as { readonly checkpoint?: unknown };
  return typeof checkpoint === 'string' ? checkpoint : '';
}

interface AuditPlace {
  readonly directory: string;
  readonly databaseUrl: string | undefined;
  readonly checkpoints: readonly string[];
}

/** By the platform that has the folder open, or by itself. @returns the result, or why there is none */
async function verified({ directory, databaseUrl, checkpoints }: AuditPlace): Promise<AuditVerification | string> {
  const last = await giveOrder(directory, { order: { verifyAudit: checkpoints }, onLine: () => undefined });
  if (last === undefined) return 'the platform ended before the look through its audit did: begin it anew';
  if (last === 'nobody') {
    const database = databaseUrl === undefined ? {} : { database: { url: databaseUrl } };
    return verifyStoppedAudit({ directory, ...database }, checkpoints);
  }
  if (last['code'] === 'invalid-argument') throw new HopbackError('invalid-argument', String(last['failed']));
  return 'failed' in last ? String(last['failed']) : (last['done'] as AuditVerification);
}

function lines(result: AuditVerification): readonly string[] {
  const { entries, rows, waiting, segments, findings, findingCount } = result;
  const figures = `${entries} signed entries in ${segments} ${segments === 1 ? 'segment' : 'segments'}, ${rows} rows compared`;
  const later = waiting > 0 ? `, ${waiting} not in the log yet` : '';
  if (result.status === 'intact') return [`\u2713 the audit is as it was signed: ${figures}${later}`];
  const more = findingCount - Math.min(findingCount, SHOWN_FINDINGS);
  return [
    ...auditFaults(result).map((fault) => `\u2717 ${fault}`),
    `  ${figures}${later}`,
    ...findings.slice(0, SHOWN_FINDINGS).map((finding) => `  ${findingText(finding)}`),
    ...(more > 0 ? [`  and ${more} more: --json lists them`] : []),
  ];
}

function findingText(finding: AuditFinding): string {
  const kind = finding.in === 'table' ? finding.kind : finding.finding.kind;
  const leafIndex =
    finding.in === 'log' ? finding.finding.leafIndex : 'leafIndex' in finding ? finding.leafIndex : undefined;
  const where = 'position' in finding && finding.position !== undefined ? `entry ${finding.position}: ` : '';
  const leaf = leafIndex === undefined ? '' : `, leaf ${leafIndex}`;
  return `${where}${kind}, in the ${finding.in} (segment ${finding.segment}${leaf})`;
}

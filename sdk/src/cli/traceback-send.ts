import { join } from 'node:path';
import { defined, instantText } from '../core/text.js';
import { HopbackError } from '../errors.js';
import { createLogSigner } from '../log/index.js';
import { PlatformClient } from '../platform/index.js';
import {
  createClientAnswerTransport,
  createLocalAnswerSigner,
  createReceiptVerifier,
  EvidenceStore,
  TracebackResponder,
  TrunkDirectory,
  readTrunkDirectory,
} from '../traceback/index.js';
import { postDecision, withdrawDecision } from '../traceback/responder/decision-inbox.js';
import type { Decided, ReviewDecision, TracebackResponderOptions } from '../traceback/index.js';
import type { DecisionProblem } from '../traceback/review/review-decision.js';
import { fileToken } from '../sidecar/services/record-platform.js';
import { jsonFile, secretFile } from './inputs/key-files.js';
import { EXIT, optionSpecs, UsageError } from './kit/command.js';
import type { ExitCode, Options, OptionsOf } from './kit/command.js';
import type { CliIo } from './kit/node-io.js';
import { report } from './kit/output.js';
import { textFile } from './inputs/trust-options.js';
import type { SignedEntry } from '../traceback/responder/responder-contract.js';
import type { ResponderSnapshot } from '../traceback/responder/entry-journal.js';

/** What is needed to sign and send without a running responder. */
export const SENDING_OPTIONS = optionSpecs({
  'platform <URL>': 'sign and send here, if no responder runs',
  'token-file <FILE> [HOPBACK_TOKEN_FILE]': 'file with the bearer token',
  'key <FILE>': 'private key of answers, P-256 PKCS#8 PEM; never the key that signs calls',
  'key-id <ID>': 'key id on the platform',
  'receipt-keys <FILE>': 'JWK set of the platform, to verify its receipts',
  'trunks <FILE>': 'trunk directory, JSON: names and affiliates for the check of the decision',
  'evidence-log <ID>': 'name of the evidence log: writes a pack; without it the answer names no pack',
  'evidence-key <FILE>': 'private key that signs the evidence log, Ed25519 or P-256 PEM',
  'evidence <DIR>': "folder of the evidence; default evidence in the responder's folder",
});

/** What became of a decision that the command carried out itself. */
interface SentDecision {
  readonly result: Decided;
  /** The answer, where it was signed. */
  readonly signed?: SignedEntry;
  /** What went wrong with it, in words. */
  readonly problems: readonly string[];
}

/**
 * Opens the responder of a directory for as long as it takes to carry out a decision and to send its answer. Nothing is kept before keys and
 * files were read and the directory is ours, so that a slip of the fingers leaves no decision behind.
 * @returns what became of the decision and its answer
 * @throws {@link UsageError} when an option is missing; {@link HopbackError} `storage-failed` where a responder runs, and what keys and files are
 * not
 */
export async function sendDecision(
  options: OptionsOf<typeof SENDING_OPTIONS>,
  io: CliIo,
  parts: {
    readonly directory: string;
    readonly decision: ReviewDecision;
    readonly snapshot: ResponderSnapshot;
    /** Decisions that wait, in whose place it comes. */
    readonly replaced: readonly ReviewDecision[];
  },
): Promise<SentDecision> {
  const { directory, decision, replaced } = parts;
  const settings = await settingsOf(options, io, parts);
  const evidence = await evidenceOf(options, io, directory);
  const problems: string[] = [];
  try {
    await using responder = await openInPlaceOf(directory, replaced, {
      ...settings,
      ...defined({ evidence }),
      onProblem: ({ kind, requestId, detail }) => {
        if (requestId === decision.requestId && kind !== 'notify') problems.push(`${kind}: ${detail}`);
      },
    });
    const result = await responder.decide(decision);
    await responder.settled();
    const entry = responder.entry(decision.requestId);
    const answerId = result.status === 'accepted' ? result.answerId : entry?.answers.at(-1)?.answer.answerId;
    const signed = entry?.answers.find(({ answer }) => answer.answerId === answerId);
    return { result, ...defined({ signed }), problems };
  } finally {
    await evidence?.close();
  }
}

/** A responder takes what waits as soon as it is open: so it is taken back before, and is there again where none could be opened. */
async function openInPlaceOf(
  directory: string,
  replaced: readonly ReviewDecision[],
  settings: TracebackResponderOptions,
): Promise<TracebackResponder> {
  const withdrawn: ReviewDecision[] = [];
  try {
    for (const one of replaced) {
      if (await withdrawDecision(directory, one.decisionId)) withdrawn.push(one);
      else throw new HopbackError('storage-failed', `the decision of ${one.by} waits no longer: see what came of it`);
    }
    return await TracebackResponder.open(settings);
  } catch (error) {
    for (const one of withdrawn) await postDecision(directory, one);
    throw error;
  }
}

async function settingsOf(
  options: OptionsOf<typeof SENDING_OPTIONS>,
  io: CliIo,
  { directory, snapshot }: { readonly directory: string; readonly snapshot: ResponderSnapshot },
): Promise<TracebackResponderOptions> {
  const trunksFile = options.text('trunks');
  const { provider, policy, directoryId = 'none' } = snapshot;
  // Every option before the first file: whoever forgot two is told of both in two tries, and of no file in between.
  const needed = (name: keyof typeof SENDING_OPTIONS): string => options.needed(name, `--platform needs --${name}`);
  const [key, keyId, keys] = [needed('key'), needed('key-id'), needed('receipt-keys')];
  const [baseUrl, tokenFile] = [needed('platform'), needed('token-file')];
  const authorization = await fileToken(tokenFile, (path) => secretFile(path, io));
  const transport = createClientAnswerTransport(new PlatformClient({ baseUrl, authorization }));
  return {
    directory,
    provider,
    policy,
    trunks: new TrunkDirectory(
      trunksFile === undefined
        ? { directoryId, providers: [], entries: [] }
        : readTrunkDirectory(await jsonFile(trunksFile, io)),
    ),
    // What has not been looked up yet waits for a responder with a store.
    findMatch: () => Promise.reject(new HopbackError('unavailable', 'no store is at hand')),
    deadlineOf: (_request, receivedAtMs) => ({ deemedReceivedAtMs: receivedAtMs, dueAtMs: receivedAtMs }),
    signer: await createLocalAnswerSigner({ privateKeyPem: await textFile(key, io), keyId }),
    platform: {
      transport,
      verifyReceipt: createReceiptVerifier((await jsonFile(keys, io)) as Parameters<typeof createReceiptVerifier>[0]),
    },
    escalations: [],
    // Who has to be told is known to the next responder: without this nobody would be, of this or of anything else that waits.
    notify: () => Promise.reject(new HopbackError('unavailable', 'the next responder tells')),
  };
}

/** Where the evidence goes; undefined where the command has not been told how its log is signed. */
async function evidenceOf(
  options: OptionsOf<typeof SENDING_OPTIONS>,
  io: CliIo,
  responder: string,
): Promise<EvidenceStore | undefined> {
  const [logId, keyFile] = [options.text('evidence-log'), options.text('evidence-key')];
  const folder = options.text('evidence');
  if (logId === undefined && keyFile === undefined && folder === undefined) return undefined;
  if (logId === undefined || keyFile === undefined)
    throw new UsageError('a pack of evidence needs --evidence-log ID and --evidence-key FILE');
  return EvidenceStore.open({
    directory: folder ?? join(responder, 'evidence'),
    logId,
    signer: createLogSigner(await textFile(keyFile, io)),
  });
}

interface ReportedDecision {
  readonly decision: ReviewDecision;
  readonly text: string;
  readonly sent: SentDecision;
}

/** Says what became of a decision that the command carried out itself: signed and delivered are two things, and only the second is an answer. */
export function reportSent(options: Options<'json'>, io: CliIo, { decision, text, sent }: ReportedDecision): ExitCode {
  const { result, signed, problems } = sent;
  if (result.status === 'refused') return reportRefused(options, io, result.problems);
  const exitCode = exitCodeOf(sent);
  const document = {
    format: 'hopback.traceback-decision.1',
    exitCode,
    decision,
    result,
    delivery: signed?.delivery,
    evidence: signed?.answer.evidence,
    failures: problems,
  };
  return report(options, io, document, [
    `${MARKS[exitCode] ?? '?'} ${decision.requestId}: ${text}`,
    ...deliveryLines(sent),
    ...(signed === undefined ? [] : [evidenceLine(signed.answer.evidence)]),
  ]);
}

/** Says why a decision is not carried out, and what of it can be confirmed. */
export function reportRefused(options: Options<'json'>, io: CliIo, problems: readonly DecisionProblem[]): ExitCode {
  const document = { format: 'hopback.traceback-decision.1', exitCode: EXIT.negative, problems };
  return report(options, io, document, ['✗ the decision is refused', ...problems.map(problemLine)]);
}

function problemLine({ about, text, isConfirmable = false }: DecisionProblem): string {
  return isConfirmable ? `  ! ${text} (--despite ${about})` : `  ✗ ${about}: ${text}`;
}

const MARKS: Readonly<Partial<Record<ExitCode, string>>> = { [EXIT.ok]: '✓', [EXIT.negative]: '✗' };

function exitCodeOf({ result, signed }: SentDecision): ExitCode {
  if (result.status === 'refused' || signed?.delivery.state === 'refused') return EXIT.negative;
  return signed?.delivery.state === 'acknowledged' ? EXIT.ok : EXIT.indeterminate;
}

function deliveryLines({ signed, problems }: SentDecision): readonly string[] {
  const why = problems.map((problem) => `  ? ${problem}`);
  if (signed === undefined)
    return ['  ? decided, and not signed yet: the next responder of this folder does it', ...why];
  const { delivery } = signed;
  switch (delivery.state) {
    case 'acknowledged':
      return [`  signed; the platform has it since ${delivery.receivedAt}, by its receipt`];
    case 'taken':
      return [`  ? the platform has it since ${instantText(delivery.atMs)}; ${delivery.detail}`];
    case 'refused':
      return [`  ✗ signed, but the platform refused it: ${delivery.reason}: ${delivery.detail}`];
    default:
      return ['  ? signed, and NOT delivered: the next responder of this folder sends it', ...why];
  }
}

function evidenceLine(evidence: { readonly packId: string; readonly logId: string } | undefined): string {
  return evidence === undefined
    ? '  ! it names no evidence pack: --evidence-log and --evidence-key write one'
    : `  evidence: pack ${evidence.packId} of ${evidence.logId}`;
}

import {
  ManualClock,
  createPassport,
  TestPki,
  sampleInvite,
  CertificateServer,
  TEST_NOW_MS,
} from '@hopback/sdk/testing';
import type { PassportOptions, SampleInviteOptions, TestServiceProvider } from '@hopback/sdk/testing';
import { createTemporaryDirectory } from '../peers/temporary-directory.js';
import { nodeIo, type CliOutput, type CliIo } from '../../sdk/src/cli/kit/node-io.js';
import { HOPBACK } from '../../sdk/src/cli/command-table.js';
import { runProgram } from '../../sdk/src/cli/kit/program.js';

/** The process once: each would listen to its streams anew. */
const PROCESS = nodeIo();

/**
 * A command line as it is typed, without the program: a text in place of a value is one word, a list is a word for each of its texts.
 * @example argv`verify ${lab.trust} --at ${'a b'}`
 */
export const argv = (text: TemplateStringsArray, ...values: readonly (string | readonly string[])[]) =>
  text.flatMap((part, at) => [...part.split(' ').filter((word) => word !== ''), ...[values[at] ?? []].flat()]);

/** Facts of a call for which its originating provider may attest A. */
export const FULL_FACTS = argv`--role originating --customer-known --caller-authenticated --number-ownership owned`;

/** What a run gets beside its arguments. */
export interface RunOptions {
  /** Standard input; a terminal where there is none. */
  readonly stdin?: string | Uint8Array;
  readonly env?: Readonly<Record<string, string>>;
  readonly isTty?: boolean;
  /** Asks the command to end, as Ctrl-C does. */
  readonly stop?: AbortSignal;
  /** Lines that are typed when the command asks. */
  readonly answers?: readonly string[];
  /** Gets what the command does at SIGHUP. */
  readonly onHangUp?: (listener: () => void) => void;
}

/** What came of a run. */
export interface CliRun {
  readonly exitCode: number;
  readonly stdout: string;
  readonly stderr: string;
  readonly json: () => Readonly<Record<string, unknown>>;
}

/** A provider whose chain is served over HTTPS, and everything that an operator of a verifier has on disk, as files. @param nowMs - of PKI and clock */
export async function createCliLab(nowMs: number = TEST_NOW_MS) {
  const pki: TestPki = new TestPki({ nowMs });
  const provider: TestServiceProvider = pki.issueServiceProvider({ spc: '1234' });
  const server: CertificateServer = await CertificateServer.start();
  const x5u = server.publish('/1234.pem', provider.chainPem);
  const clock: ManualClock = new ManualClock(nowMs);
  const { path: directory, at: path, write: put, close } = await createTemporaryDirectory();
  const list = pki.trustList();
  const files = {
    root: await put('root.pem', pki.root.certificatePem),
    stiPaRoot: await put('sti-pa-root.pem', pki.stiPaRoot.certificatePem),
    crl: await put('sti-pa.crl', pki.crl().der),
    crlSigner: await put('crl-signer.pem', pki.stiPaCrlIssuer.certificatePem),
    list: await put('sti-ca-list.jws', list.jws),
    listSigner: await put('list-signer.pem', list.signerChainPem),
    key: await put('sp.key', provider.privateKeyPem),
    chain: await put('sp.pem', provider.chainPem),
    tlsRoot: await put('tls-root.pem', server.tlsRootPem),
  };
  const identityHeader = (options: Partial<PassportOptions> = {}): string =>
    createPassport({ signer: provider, x5u, iatSeconds: Math.floor(nowMs / 1000), ...options }).identityHeader;
  return {
    ...{ pki, provider, server, x5u, clock, directory, files, path, put, identityHeader },
    /** For this PKI. */
    trust: argv`--trust ${files.root} --crl ${files.crl} --crl-signer ${files.crlSigner} --sti-pa-root ${files.stiPaRoot}`,
    /** Exceptions under which the server may be fetched from. */
    allow: argv`--allow-address 127.0.0.0/8 --allow-port ${String(server.ports.https)} --tls-ca ${files.tlsRoot}`,
    invite: (options: SampleInviteOptions = {}): string =>
      sampleInvite({ dateMs: nowMs, identityHeaders: [identityHeader()], ...options }),
    run: (args: readonly string[], options: RunOptions = {}): Promise<CliRun> => runInProcess(args, clock, options),
    async [Symbol.asyncDispose](): Promise<void> {
      await server.close();
      await close();
    },
  };
}

export type CliLab = Awaited<ReturnType<typeof createCliLab>>;

/** The command in this process, its streams caught. */
export async function runInProcess(args: readonly string[], clock: CliIo['clock'], options: RunOptions = {}) {
  const stdout = catchOutput(options.isTty ?? false);
  const stderr = catchOutput(options.isTty ?? false);
  const { stdin } = options;
  const answers = [...(options.answers ?? [])];
  const io: CliIo = {
    ...PROCESS,
    stdin: {
      isTty: stdin === undefined,
      read: (maxBytes) => {
        const bytes = Buffer.from(stdin ?? '');
        return Promise.resolve(bytes.length > maxBytes ? undefined : bytes);
      },
    },
    stdout,
    stderr,
    env: options.env ?? {},
    clock,
    nameServers: () => ['192.0.2.53'],
    // Of this process, in which other tests run.
    keepPrivate: () => undefined,
    stopSignal: () => options.stop ?? new AbortController().signal,
    onHangUp: (listener) => options.onHangUp?.(listener),
    openLog: () => Promise.resolve({ write: stdout.write, close: () => Promise.resolve() }),
    ask(question) {
      stdout.write(question);
      return Promise.resolve(answers.shift());
    },
  };
  const exitCode = await runProgram(HOPBACK, args, io);
  const text = stdout.text();
  return {
    exitCode,
    stdout: text,
    stderr: stderr.text(),
    json: () => JSON.parse(text) as Readonly<Record<string, unknown>>,
  };
}

function catchOutput(isTty: boolean): CliOutput & { readonly text: () => string } {
  const chunks: Buffer[] = [];
  return {
    isTty,
    write: (text) => void chunks.push(Buffer.from(text)),
    flush: () => Promise.resolve(),
    text: () => Buffer.concat(chunks).toString('utf8'),
  };
}

import { mkdir, readdir, readFile, writeFile } from 'node:fs/promises';
import { isIP } from 'node:net';
import { join } from 'node:path';
import { HopbackError } from '@hopback/sdk/errors';
import { jsonOf, newPkiKeys, writePrivate } from '../../laboratory/index.js';
import type { NetworkPlan, PlannedCall, PlannedProvider } from '../../network/plan/index.js';
import { withExternalParties } from '../../network/plan/index.js';
import { certificatePath, networkPki } from '../../network/world/index.js';
import { planFileOf } from '../live-run.js';
import type { RunOptions } from '../run-options.js';
import type { Lab } from './lab.js';
import { LAB_FILE, LAB_FILES, LAB_SCHEMA } from './lab.js';

/** The calls of a caller as SIPp reads them with `-inf`: index, calling number, called number, seconds after the beginning and duration in milliseconds. */
export function callsCsv(calls: readonly PlannedCall[]): string {
  const lines = calls.map(({ index, calling, called, atMs, durationMs }) =>
    [index, calling, called, (atMs / MS_PER_SECOND).toFixed(3), durationMs].join(';'),
  );
  return `${['SEQUENTIAL', ...lines].join('\n')}\n`;
}

const MS_PER_SECOND = 1_000;

/** Roles of trunks, as the sidecar calls them. */
const TRUNK_ROLES: Readonly<Record<PlannedProvider['role'], string>> = {
  originating: 'originating',
  ipes: 'originating',
  gateway: 'gateway',
  transit: 'intermediate',
  foreign: 'intermediate',
  terminating: 'terminating',
};

/** Configuration of a sidecar beside a switch; paths begin at the folder of the provider. */
function sidecarYaml(
  { role, failureAction }: PlannedProvider,
  { x5u, port }: { readonly x5u: string; readonly port: number },
): string {
  const { root, stiPaRoot, crl, crlSigner, webRoot } = LAB_FILES;
  return `# Paths begin at the directory of this file.
trust: { roots: [../${root}], stiPaRoots: [../${stiPaRoot}], crls: [../${crl}], crlSigners: [../${crlSigner}] }
certificates: { ca: ../${webRoot}, allow: { addresses: [127.0.0.0/8, 10.0.0.0/8, 172.16.0.0/12, 192.168.0.0/16], ports: [${String(port)}] } }
signing: { key: signing-key.pem, certificate: signing-chain.pem, x5u: '${x5u}' }
trunks:
  default: { role: ${TRUNK_ROLES[role]}, failureAction: ${failureAction} }
`;
}

/** The page that stands in the folder. */
function labReadme(plan: NetworkPlan, lab: Lab, x5uOf: (id: string) => string): string {
  const { root, stiPaRoot, crl, crlSigner, webRoot } = LAB_FILES;
  const place = (id: string): string => {
    const at = lab.listen[id];
    return lab.external[id] ?? (at === undefined ? 'any free port of 127.0.0.1' : `${at.host}:${String(at.port)}`);
  };
  const switches = plan.providers.filter(({ id }) => lab.external[id] !== undefined);
  return `# What the programs of others are told

All keys and certificates are of a test PKI. Trust it in a laboratory, for the time of the test, and nowhere else.

| file | what it is |
| --- | --- |
| ${root} | the one trust anchor (STI-CA root) |
| ${crl}, ${crlSigner}, ${stiPaRoot} | the CRL, who signs it, and the root above; each run writes the CRL anew |
| ${webRoot} | the authority for HTTPS of the certificate server, which is at ${lab.certificates.host}:${String(lab.certificates.httpsPort)} while a run lasts |
${switches.map((one) => switchText(one, plan, { place, x5u: x5uOf(one.id) })).join('')}${lab.externalCallers.map((id) => callerText(id, plan, place)).join('')}`;
}

function switchText(
  { id, name, role, spc, stir, upstream, downstream, serves }: PlannedProvider,
  plan: NetworkPlan,
  { place, x5u }: { readonly place: (id: string) => string; readonly x5u: string },
): string {
  const to = [
    ...downstream.map((next) => `- calls for the numbers of ${next} go to ${place(next)}`),
    ...plan.scenario.called
      .filter((one) => serves.includes(one.id))
      .map(
        ({ id: called, first, count = 1 }) =>
          `- +${first} and ${String(count - 1)} more (${called}) are at ${place(called)}`,
      ),
  ];
  const signing = stir
    ? `It signs with \`${id}/signing-key.pem\` and \`${id}/signing-chain.pem\`, x5u ${x5u}; \`${id}/hopback.yaml\` is for a sidecar of ours beside it.\n`
    : '';
  return `
## The switch of ${id}

${name}, ${role}, SPC ${spc}. It takes calls at ${place(id)}, from ${upstream.length === 0 ? 'its customers' : upstream.join(', ')}.

${to.join('\n')}

${signing}It should hand the header field X-Hopback-Call on as it came. One that does not is no less right: its calls are then known by their numbers.
`;
}

function callerText(id: string, { scenario }: NetworkPlan, place: (id: string) => string): string {
  const at = scenario.callers.find((one) => one.id === id)?.at ?? '';
  return `
## The calls of ${id}

\`${id}.csv\` has them, for SIPp's -inf: index, calling number, called number, seconds after the beginning, duration in milliseconds. They
go to ${at} at ${place(at)}, with the header field \`X-Hopback-Call: INDEX 0\`. The caller hangs up.
`;
}

/** Settings of {@link prepareLab}. */
export interface LabOptions {
  readonly external: Lab['external'];
  readonly externalCallers: readonly string[];
  readonly listen: Lab['listen'];
  /** Where the certificate server will be, as switches reach it. */
  readonly certificates: Lab['listen'][string];
}

/**
 * Writes a folder with all that somebody else's programs have to be told of a network. Keys and certificates of a folder that was prepared before stay.
 * @param folder - is made where it is not there
 * @throws {@link HopbackError} `invalid-argument` for parts that the plan does not have, and where the folder holds something that is no lab; `invalid-configuration` for a `lab.json` that is none
 */
export async function prepareLab(folder: string, plan: NetworkPlan, options: LabOptions): Promise<Lab> {
  const { external, externalCallers, listen, certificates } = options;
  const parted = withExternalParties(plan, { providers: Object.keys(external), callers: externalCallers });
  const before = await readLab(folder);
  const keys = before?.certificates.keys ?? newPkiKeys();
  const pki = networkPki({ nowMs: Date.now(), keys });
  const issued: Record<string, Lab['issued'][string]> = {};
  for (const { id, spc, stir, isExternal } of parted.providers) {
    if (!stir || isExternal !== true) continue;
    const known = before?.issued[id];
    const { key, chainPem } = pki.issueServiceProvider({ spc });
    issued[id] = known ?? { privateKeyPem: key.privateKeyPem, chainPem };
  }
  const { host, port } = certificates;
  const lab: Lab = {
    format: 'hopback.lab.1',
    external,
    externalCallers,
    listen,
    issued,
    certificates: { keys, host, address: isIP(host) === 0 ? '0.0.0.0' : host, httpsPort: port },
  };
  const x5uOf = (id: string): string => `https://${host}:${String(port)}${certificatePath(id)}`;
  await mkdir(folder, { recursive: true });
  if (before === undefined && (await readdir(folder)).length > 0)
    throw new HopbackError('invalid-argument', `the folder of the lab holds something else: ${folder}`);
  await writePrivate(join(folder, LAB_FILE), `${JSON.stringify(lab, undefined, 2)}\n`);
  const open: readonly (readonly [string, string])[] = [
    [LAB_FILES.root, pki.root.certificatePem],
    [LAB_FILES.stiPaRoot, pki.stiPaRoot.certificatePem],
    [LAB_FILES.crl, pki.crl().pem],
    [LAB_FILES.crlSigner, pki.stiPaCrlIssuer.chainPem],
    [LAB_FILES.webRoot, pki.tlsRoot.certificatePem],
    [LAB_FILES.plan, planFileOf(plan)],
    [LAB_FILES.readme, labReadme(parted, lab, x5uOf)],
    ...externalCallers.map((id) => [`${id}.csv`, callsCsv(plan.calls.filter(({ caller }) => caller === id))] as const),
  ];
  for (const [name, text] of open) await writeFile(join(folder, name), text);
  for (const provider of parted.providers) {
    const own = issued[provider.id];
    if (own === undefined) continue;
    const place = join(folder, provider.id);
    await mkdir(place, { recursive: true });
    await writePrivate(join(place, 'signing-key.pem'), own.privateKeyPem);
    await writeFile(join(place, 'signing-chain.pem'), own.chainPem);
    await writeFile(join(place, 'hopback.yaml'), sidecarYaml(provider, { x5u: x5uOf(provider.id), port }));
  }
  return lab;
}

/**
 * Reads the folder of a lab.
 * @returns undefined where it is none
 * @throws {@link HopbackError} `invalid-configuration` for a `lab.json` that is none
 */
export async function readLab(folder: string): Promise<Lab | undefined> {
  const path = join(folder, LAB_FILE);
  const text = await readFile(path, 'utf8').catch((error: NodeJS.ErrnoException) => {
    if (error.code === 'ENOENT' || error.code === 'ENOTDIR') return undefined;
    throw error;
  });
  if (text === undefined) return undefined;
  const read = LAB_SCHEMA.safeParse(jsonOf(text));
  if (read.success) return read.data;
  throw new HopbackError('invalid-configuration', `${path} is not what the command lab writes`);
}

/** What a run in a lab is carried out with. */
export function labRunOptions(
  folder: string,
  { external, externalCallers, listen, certificates, issued }: Lab,
): Pick<RunOptions, 'external' | 'externalCallers' | 'listen' | 'certificates'> {
  return {
    externalCallers,
    listen,
    external: Object.fromEntries(Object.entries(external).map(([id, uri]) => [id, { uri }])),
    certificates: { ...certificates, issued, crlFile: join(folder, LAB_FILES.crl) },
  };
}

import { isIP } from 'node:net';
import { mkdir, readdir, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { HopbackError } from '@hopback/sdk/errors';
import { jsonOf, newPkiKeys, writePrivate } from '../../laboratory/index.js';
import type { NetworkPlan } from '../../network/plan/index.js';
import { withExternalParties } from '../../network/plan/index.js';
import { certificatePath, networkPki } from '../../network/world/index.js';
import { planFileOf } from '../live-run.js';
import type { Lab, LabAddress } from './lab.js';
import { LAB_FILE, LAB_FILES } from './lab.js';
import { LAB_SCHEMA } from './lab.schema.js';
import { callsCsv, labReadme, sidecarYaml } from './lab-texts.js';

/** Settings of {@link prepareLab}. */
export interface LabOptions {
  readonly external: Lab['external'];
  readonly externalCallers: readonly string[];
  readonly listen: Lab['listen'];
  /** Where the certificate server will be, as switches reach it. */
  readonly certificates: LabAddress;
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
  const pki = await networkPki({ nowMs: Date.now(), keys });
  const issued: Record<string, Lab['issued'][string]> = {};
  for (const { id, spc, stir, isExternal } of parted.providers) {
    if (!stir || isExternal !== true) continue;
    const known = before?.issued[id];
    const { key, chainPem } = pki.issueServiceProvider({ spc });
    issued[id] = known ?? { privateKeyPem: key.privateKeyPem, chainPem };
  }
  const { host, port } = certificates;
  const lab: Lab = {
    ...{ format: 'hopback.lab.1', external, externalCallers, listen, issued },
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

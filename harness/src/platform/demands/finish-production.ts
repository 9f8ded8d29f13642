import { signatureFor, type ProvedEntry } from '@hopback/sdk/log';
import { HopbackError } from '@hopback/sdk/errors';
import { inclusionProofText, verifyScript } from '@hopback/sdk/traceback';
import type { KeyObject } from 'node:crypto';
import { PLATFORM_ACTOR, tablesOf, type DemandParts } from './demand-area.js';
import { insertFiles } from './build-production.js';
import { demandRow, productionRow, wireProduction, type ProductionRow } from './demand-rows.js';
import type { WrittenFile } from './part-writer.js';

/**
 * Adds to a sealed production what proves its place in the log, the sums and the script, and hands it over.
 * @returns false while its entry is not in the log
 */
export async function finishProduction(parts: DemandParts, row: ProductionRow, nowMs: number): Promise<boolean> {
  const { context, ports, limits } = parts;
  const productionId = row.production_id;
  const proved = await ports.proofs.prove({ action: 'production.sealed', object: `production:${productionId}` });
  if (proved === undefined) return false;
  requireManifest(proved, row);
  const sealed = await tablesOf(context.database)
    .selectFrom('demands_files')
    .select(['name', 'sha256'])
    .where('production_id', '=', productionId)
    .orderBy('position')
    .execute();
  const added = await proofFiles(parts, { productionId, proved, sealed });
  await ports.files.remove(productionId, { but: [...sealed, ...added].map(({ sha256 }) => sha256) });
  return context.transact(async (transaction) => {
    const current = await productionRow(transaction, productionId);
    if (current?.phase !== 'sealed') return true;
    await insertFiles(transaction, { productionId, files: added, from: sealed.length });
    const expiresAtMs = nowMs + limits.retrievalMs;
    const tables = tablesOf(transaction);
    await tables
      .updateTable('demands_productions')
      .set({ state: 'ready', phase: 'done', ready_at_ms: nowMs, expires_at_ms: expiresAtMs })
      .where('production_id', '=', productionId)
      .execute();
    const demand = await demandRow(transaction, current.demand_id);
    if (demand?.state === 'approved' || demand?.state === 'narrowed')
      await tables
        .updateTable('demands_demands')
        .set({ state: 'produced' })
        .where('demand_id', '=', current.demand_id)
        .execute();
    await context.audit(transaction, {
      ...PLATFORM_ACTOR,
      action: 'production.ready',
      object: `production:${productionId}`,
      details: { demandId: current.demand_id, leafIndex: proved.inclusion.leafIndex, expiresAtMs },
    });
    const ready = { ...current, state: 'ready' as const, ready_at_ms: nowMs, expires_at_ms: expiresAtMs };
    const data = { production: await wireProduction(transaction, ready, nowMs) };
    const to = [current.organization_id];
    await context.tell(transaction, { type: 'org.hopback.production.ready.1', subject: productionId, data, to });
    return true;
  });
}

/** An entry about another manifest, or in a form that the script cannot read, would be no proof of this one. */
function requireManifest(
  { octets }: ProvedEntry,
  { production_id: productionId, manifest_sha256: sha256 }: ProductionRow,
): void {
  if (sha256 !== null && Buffer.from(octets).includes(`"manifestSha256":"${sha256}"`)) return;
  throw new HopbackError('log-inconsistent', 'the entry of the log is about another manifest than the production has', {
    details: { productionId },
  });
}

interface ProofParts {
  readonly productionId: string;
  readonly proved: ProvedEntry;
  readonly sealed: readonly { readonly name: string; readonly sha256: string }[];
}

async function proofFiles(
  { ports }: DemandParts,
  { productionId, proved, sealed }: ProofParts,
): Promise<readonly WrittenFile[]> {
  const { signer, proofs, files: store } = ports;
  const keys = {
    proofs: [{ kind: 'pack' as const }],
    publicKey: signer.publicKey,
    logPublicKey: proofs.publicKey,
    signer,
  };
  const files: WrittenFile[] = [];
  const put = async (name: string, mediaType: string, content: string | Uint8Array): Promise<void> => {
    const octets = typeof content === 'string' ? Buffer.from(content, 'utf8') : content;
    files.push({ name, mediaType, ...(await store.put(productionId, octets)) });
  };
  await put('public-key.pem', 'application/x-pem-file', pemOf(signer.publicKey));
  await put('log-public-key.pem', 'application/x-pem-file', pemOf(proofs.publicKey));
  await put('export-public-key.pem', 'application/x-pem-file', pemOf(signer.publicKey));
  await put('log-entry.json', 'application/json', proved.octets);
  await put('proof.txt', 'text/plain', inclusionProofText(proved.inclusion));
  await put('checkpoint.txt', 'text/plain', proved.checkpoint);
  await put('verify.sh', 'application/x-sh', verifyScript({ packId: productionId }, keys));
  await put('VERIFY.md', 'text/markdown', guide(productionId, keys));
  const sums = [...sealed, ...files]
    .map(({ name, sha256 }) => `${sha256}  ${name}\n`)
    .toSorted((a, b) => (a.slice(66) < b.slice(66) ? -1 : 1))
    .join('');
  await put('SHA256SUMS', 'text/plain', sums);
  await put('SHA256SUMS.sig', 'application/octet-stream', await signatureFor(signer, Buffer.from(sums, 'utf8')));
  return files;
}

function pemOf(key: KeyObject): string {
  return key.export({ type: 'spki', format: 'pem' }).toString();
}

/** How to check it by hand, for whoever does not run a stranger's script. */
function guide(
  productionId: string,
  { publicKey, logPublicKey }: { readonly publicKey: KeyObject; readonly logPublicKey: KeyObject },
): string {
  const verify = (key: KeyObject, name: string, signature: string, file: string): string =>
    key.asymmetricKeyType === 'ed25519'
      ? `openssl pkeyutl -verify -pubin -inkey ${name} -rawin -in ${file} -sigfile ${signature}`
      : `openssl dgst -sha256 -verify ${name} -signature ${signature} ${file}`;
  return `# Production ${productionId}

It can be checked with openssl (3.0 or later) and sha256sum alone: \`sh verify.sh\` in a folder with all of its files, or by hand as follows.

## 1. Every file is what it was, and none is missing

\`\`\`sh
${verify(publicKey, 'export-public-key.pem', 'SHA256SUMS.sig', 'SHA256SUMS')}
sha256sum --strict -c SHA256SUMS
\`\`\`

## 2. The manifest is signed

\`\`\`sh
${verify(publicKey, 'public-key.pem', 'manifest.sig', 'manifest.json')}
openssl pkey -pubin -in public-key.pem -outform DER | sha256sum
\`\`\`

\`manifest.json\` states the scope that was produced, and each file of records with its SHA-256. The key is the right one when the second line is what
the platform gave you elsewhere.

## 3. The manifest is in the audit

\`log-entry.json\` is the entry of the audit with the SHA-256 of \`manifest.json\`; \`checkpoint.txt\` is what the log signed: its name, how many entries it
has, and the root of the tree over them. \`proof.txt\` leads from the entry to the root (RFC 9162 section 2.1.3.2).

\`\`\`sh
sha256sum manifest.json; cat log-entry.json
work=$(mktemp -d)
head -n 3 checkpoint.txt > "$work/note"
sed -n 5p checkpoint.txt | cut -d ' ' -f 3 | openssl base64 -d -A | tail -c +5 > "$work/note.sig"
${verify(logPublicKey, 'log-public-key.pem', '"$work/note.sig"', '"$work/note"')}
\`\`\`

## 4. What the files hold

\`data-dictionary.md\` has each column. \`custodian-certificate.txt\` is for the custodian to read and sign; Federal Rule of Evidence 902(11) asks for reasonable
written notice to the other side, with the records and the certificate, before trial.
`;
}

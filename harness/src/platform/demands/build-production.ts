import type { DemandRecordClass } from '@hopback/sdk/internal';
import type { KeyObject } from 'node:crypto';
import { hash } from 'node:crypto';
import { signatureFor, verifyScript, inclusionProofText, certificateText, canonicalJson } from '@hopback/sdk/internal';
import { HopbackError } from '@hopback/sdk/errors';
import type { ProvedEntry } from '@hopback/sdk/log';
import type { Demand, DemandScope } from '@hopback/sdk/platform';
import { iso } from '../database/index.js';
import type { Producible } from '../domain/demands/produced-rows.js';
import type { RestraintPackage } from '../domain/demands/restraint-package.js';
import { dataDictionary } from '../domain/demands/data-dictionary.js';
import { gatherRestraintPackage } from '../domain/demands/restraint-package.js';
import { narrowed, scopeMatcher } from '../domain/demands/scope.js';
import type { DemandParts, ProductionRow } from './demand-rows.js';
import { approvedScope, DemandWork } from './demand-rows.js';
import type { FileStore, PartWriter, WrittenFile } from './file-store.js';
import { createPartWriter } from './file-store.js';
import { restraintCsv, restraintPdf } from './restraint-files.js';
import { producibles } from './sources.js';
import { DEMANDS, FILES, PRODUCTIONS, tablesOf } from './tables.js';

/** What a certificate is about. */
export interface CertifiedProduction {
  readonly productionId: string;
  readonly demand: Demand;
  readonly decisionId: string;
  readonly scope: DemandScope;
  /** Of calls in it, where it supplements another. */
  readonly fromMs?: number;
  readonly asOfMs: number;
  readonly writtenAtMs: number;
  readonly files: readonly WrittenFile[];
  readonly operator: { readonly name: string; readonly software: string };
  readonly logId: string;
  readonly signer: { readonly algorithm: string; readonly publicKeySha256: string };
}

/**
 * A certificate for the custodian of the platform's records to sign: what each class is and how it came to the platform, what was asked of the
 * records and how, and the hash of every file. It says what the program did and concludes nothing; who signs, and when, is left open.
 * @see Federal Rules of Evidence 902(11), 902(13), 902(14) and 803(6)(A) to (C); 28 USC 1746
 */
function productionCertificate(certified: CertifiedProduction): string {
  const { demand, operator, files } = certified;
  return certificateText({
    head: [
      ['Platform', operator.name],
      ['Demand', `${demand.demandId}, ${demand.kind}, ${demand.reference}`],
      ['Agency', `${demand.agency.name} (${demand.agency.jurisdiction})`],
      ['Decision', certified.decisionId],
      ['Production', `${certified.productionId}, written ${iso(certified.writtenAtMs)}`],
    ],
    paragraphs: [
      `I am a custodian of, or another person qualified to speak about, the records of ${operator.name} named below and the system that keeps and searched them. My name and title stand at the end.`,
      ...(demand.decisions.length > 0 ? [decisionParagraph(certified)] : []),
      ...certified.scope.recordClasses.map((recordClass) => classParagraph(recordClass, certified)),
      searchParagraph(certified),
      hashParagraph(certified),
    ],
    files,
  });
}

function decisionParagraph({ demand, decisionId, scope }: CertifiedProduction): string {
  const decision = demand.decisions.find((one) => one.decisionId === decisionId);
  const how = decision?.decision === 'narrow' ? 'and narrowed its scope' : 'and approved its scope as it stood';
  return `The document of the demand was received at ${demand.submittedAt}; the SHA-256 of its ${demand.documentSizeBytes} octets is ${demand.documentSha256}. ${decision?.decidedBy ?? 'A reviewer'} reviewed it at ${decision?.decidedAt ?? 'a time on record'} ${how}. The scope that was produced is written in the file manifest.json; it spans ${scope.from} to ${scope.to}, the latter not included.`;
}

/** Rule 803(6)(A) to (C), for each class. */
const CAME_BY: Readonly<Record<DemandRecordClass, string>> = {
  'traceback-records':
    'The platform writes a request when it asks a provider, at the time at which it asks, and keeps the answer of the provider as it was received and acknowledged, at the time of the receipt. It does so for every traceback in the course of its regularly conducted activity.',
  'customer-records':
    'They are statements of providers about their customers within their answers to requests, kept as they were received. The platform has no knowledge of its own of what they state.',
  'call-records':
    'They are records of calls that providers made in their own systems and sent to the platform, which kept each as it was received, with the time of the receipt. The platform has no knowledge of its own of the calls.',
  'app-reports':
    "They are reports of call-blocking applications about calls to their subscribers, kept as they were received. Times are those of the subscriber's telephone.",
  recordings:
    'They are transcripts and fingerprints of audio that applications made of calls and sent to the platform, and those by which the platform knows a campaign. The platform holds no audio.',
};

function classParagraph(recordClass: DemandRecordClass, { files }: CertifiedProduction): string {
  const own = files.filter((file) => file.recordClass === recordClass && file.mediaType === 'text/csv');
  const count = own.reduce((sum, { records = 0 }) => sum + records, 0);
  return `Of the class "${recordClass}" the program wrote ${count} ${count === 1 ? 'item' : 'items'}. ${CAME_BY[recordClass]}`;
}

/** Rule 902(13): the process. */
function searchParagraph({ operator, asOfMs, fromMs }: CertifiedProduction): string {
  const since =
    fromMs === undefined
      ? ''
      : ` It supplements an earlier production: of records of calls and reports it holds those of calls at and after ${iso(fromMs)}, some of which may have been in the earlier one, too.`;
  return `The program ${operator.software} went through the records that the platform held of that time, up to ${iso(asOfMs)}, compared each with every member of the scope, and wrote those that fit all of them, and no others.${since} A record that shows no number was not written where the scope names numbers; a time that is known to the minute or less exactly was taken to be within the scope where all of it is. What had been removed before then, and what no provider or application had sent, is not in it.`;
}

/** Rule 902(14): how copies are known to be what was copied. */
function hashParagraph({ signer, logId }: CertifiedProduction): string {
  return `The program computed the SHA-256 (FIPS 180-4) of every file named below and wrote it to the file manifest.json, which the key with SHA-256 ${signer.publicKeySha256} of its public half signed (${signer.algorithm}). The SHA-256 of manifest.json was then entered in the audit of the platform, whose entries are in the log "${logId}", a Merkle tree according to RFC 9162, section 2.1. The entry, the proof that it is under a signed checkpoint, and the checkpoint are in the files log-entry.json, proof.txt and checkpoint.txt; they can be checked with the programs openssl and sha256sum alone, as the file VERIFY.md says.`;
}

/** Items after which progress is written down: some a second. */
const PROGRESS_ITEMS = 5_000;

/** A production at work. */
interface Work {
  readonly row: ProductionRow;
  readonly asOfMs: number;
  readonly demand: Demand;
  /** As it was approved. */
  readonly scope: DemandScope;
  /** With the providers of the registry, up to now. */
  readonly reached: DemandScope | undefined;
}

/**
 * Writes the files of a production, its certificate and its manifest, and enters the manifest in the audit. Begun anew after a crash it writes the
 * same files over; nothing is handed over before its proof is there.
 * @returns false where it was withdrawn meanwhile
 */
export async function buildProduction(parts: DemandParts, productionId: string, nowMs: number): Promise<boolean> {
  const work = await beginWork(parts, productionId, nowMs);
  if (work === undefined) return false;
  const { ports, limits } = parts;
  const { row, demand, scope } = work;
  const writer = createPartWriter({
    owner: productionId,
    files: ports.files,
    classes: scope.recordClasses,
    partBytes: limits.partBytes,
  });
  const gathering = row.with_restraint ? gatherRestraintPackage() : undefined;
  for await (const produced of within(parts, work)) {
    await writer.add(produced);
    gathering?.add(produced);
    if (writer.items() % PROGRESS_ITEMS === 0 && !(await noteProgress(parts, work, writer))) return false;
  }
  const files: WrittenFile[] = [...(await writer.end())];
  const put = putInto(files, ports.files, productionId);
  if (gathering !== undefined) {
    const gathered = gathering.gathered({
      queriedAtMs: work.asOfMs,
      query: { ...scope, until: iso(work.asOfMs) },
    });
    await putRestraint(gathered, { ...demand, scope }, put);
  }
  await put('data-dictionary.md', 'text/markdown', dataDictionary(scope.recordClasses));
  const publicKeySha256 = hash('sha256', ports.signer.publicKey.export({ type: 'spki', format: 'der' }), 'hex');
  const signer = { algorithm: ports.signer.algorithm, publicKeySha256 };
  const writtenAtMs = parts.context.clock.nowMs();
  const certificate = productionCertificate({
    productionId,
    demand,
    decisionId: row.decision_id,
    scope,
    asOfMs: work.asOfMs,
    writtenAtMs,
    files,
    signer,
    ...(row.from_ms !== null && { fromMs: row.from_ms }),
    operator: ports.operator,
    logId: ports.proofs.logId(),
  });
  await put('custodian-certificate.txt', 'text/plain', certificate);
  const manifest = Buffer.from(canonicalJson(manifestOf(work, { files, writtenAtMs, signer, parts })), 'utf8');
  const named = files.length;
  await put('manifest.json', 'application/json', manifest);
  await put('manifest.sig', 'application/octet-stream', await signatureFor(ports.signer, manifest));
  return seal(parts, work, {
    files,
    named,
    items: writer.items(),
    manifestSha256: hash('sha256', manifest, 'hex'),
  });
}

async function beginWork(parts: DemandParts, productionId: string, nowMs: number): Promise<Work | undefined> {
  return parts.context.transact(async (transaction) => {
    const work = new DemandWork(parts, transaction);
    const row = await PRODUCTIONS.get(transaction, productionId);
    if (row?.phase !== 'building') return undefined;
    const demandRow = await work.demandRow(row.demand_id);
    if (demandRow === undefined) throw withoutScope(productionId);
    const asOfMs = row.as_of_ms ?? nowMs;
    await PRODUCTIONS.set(transaction, productionId, { as_of_ms: asOfMs, attempts: row.attempts + 1, items: 0 });
    const demand = await work.demand(demandRow, `production:${productionId}`);
    const scope = approvedScope(demand, row.decision_id);
    if (scope === undefined) throw withoutScope(productionId);
    const resolved = (await work.resolved(scope)).scope;
    const reached = narrowed(resolved, { ...resolved, to: iso(asOfMs) });
    return {
      row,
      asOfMs,
      demand,
      scope,
      reached,
    };
  });
}

const withoutScope = (productionId: string): HopbackError =>
  new HopbackError('internal', 'no decision says what a production is made of', { details: { productionId } });

/** What is produced: everything that the scope reaches up to now; of a supplement, calls since the one before, and all that was traced. */
async function* within(parts: DemandParts, { row, asOfMs, reached }: Work): AsyncGenerator<Producible> {
  if (reached === undefined) return;
  const traced = reached.recordClasses.filter((one) => one === 'traceback-records' || one === 'customer-records');
  const other = reached.recordClasses.filter((one) => one !== 'traceback-records' && one !== 'customer-records');
  const scopes: DemandScope[] = [];
  if (traced.length > 0) scopes.push({ ...reached, recordClasses: traced });
  const since = row.from_ms === null ? reached : narrowed(reached, { ...reached, from: iso(row.from_ms) });
  if (other.length > 0 && since !== undefined) scopes.push({ ...since, recordClasses: other });
  for (const scope of scopes) {
    const matches = scopeMatcher(scope);
    for await (const produced of producibles(parts, { scope, asOfMs })) if (matches(produced.item)) yield produced;
  }
}

/** @returns false where it was withdrawn meanwhile */
function noteProgress({ context }: DemandParts, { row }: Work, writer: PartWriter): Promise<boolean> {
  return context.transact((transaction) =>
    PRODUCTIONS.set(transaction, row.production_id, { items: writer.items() }, { phase: 'building' }),
  );
}

type Put = (name: string, mediaType: string, content: string | Uint8Array) => Promise<void>;

/** Keeps files of a production, and lists them. */
const putInto =
  (files: WrittenFile[], store: FileStore, productionId: string): Put =>
  async (name, mediaType, content) => {
    const octets = typeof content === 'string' ? Buffer.from(content, 'utf8') : content;
    files.push({ name, mediaType, ...(await store.put(productionId, octets)) });
  };

async function putRestraint(gathered: RestraintPackage, demand: Demand, put: Put): Promise<void> {
  await put('restraint-package.json', 'application/json', `${JSON.stringify(gathered, undefined, 2)}\n`);
  for (const [name, text] of restraintCsv(gathered)) await put(name, 'text/csv', text);
  await put('restraint-package.pdf', 'application/pdf', await restraintPdf(gathered, demand));
}

interface ManifestParts {
  readonly files: readonly WrittenFile[];
  readonly writtenAtMs: number;
  readonly signer: { readonly algorithm: string; readonly publicKeySha256: string };
  readonly parts: DemandParts;
}

/** Members of a file are named so that its name and its hash stand side by side in canonical JSON, where the script looks for them. */
function manifestOf(work: Work, { files, writtenAtMs, signer, parts }: ManifestParts): unknown {
  const { row, demand, scope, asOfMs } = work;
  const { agency, kind, reference, authority, documentSha256 } = demand;
  return {
    format: 'hopback.production-manifest.1',
    productionId: row.production_id,
    production: row.kind,
    demand: {
      demandId: demand.demandId,
      kind,
      reference,
      authority,
      documentSha256,
      agency: agency.name,
    },
    decisionId: row.decision_id,
    scope,
    asOf: iso(asOfMs),
    ...(row.from_ms !== null && { callsFrom: iso(row.from_ms) }),
    writtenAt: iso(writtenAtMs),
    software: parts.ports.operator.software,
    logId: parts.ports.proofs.logId(),
    signer,
    files: files.map(({ name, sha256, sizeBytes, mediaType, recordClass, records }) => ({
      mediaType,
      name,
      sha256,
      sizeBytes,
      ...(recordClass !== undefined && { class: recordClass }),
      ...(records !== undefined && { items: records }),
    })),
  };
}

interface Sealing {
  readonly files: readonly WrittenFile[];
  readonly named: number;
  readonly items: number;
  readonly manifestSha256: string;
}

/** Files of a statement: eight columns each, of the 65,535 parameters that PostgreSQL takes. */
const FILES_OF_A_STATEMENT = 1_000;

async function seal(parts: DemandParts, { row, demand }: Work, sealing: Sealing): Promise<boolean> {
  const { files, items, manifestSha256 } = sealing;
  const productionId = row.production_id;
  return parts.context.transact(async (transaction) => {
    const sealed = { phase: 'sealed', items, manifest_sha256: manifestSha256, failure: null } as const;
    if (!(await PRODUCTIONS.set(transaction, productionId, sealed, { phase: 'building' }))) return false;
    const work = new DemandWork(parts, transaction);
    await insertFiles(work, productionId, files, 0);
    const details = {
      demandId: demand.demandId,
      manifestSha256,
      files: sealing.named,
      items,
    };
    await work.audit('production.sealed', `production:${productionId}`, details);
    return true;
  });
}

/** Writes down files of a production. @param from - position of the first */
async function insertFiles(
  { transaction }: DemandWork,
  productionId: string,
  files: readonly WrittenFile[],
  from: number,
): Promise<void> {
  const rows = files.map((file, index) => ({
    production_id: productionId,
    name: file.name,
    position: from + index,
    media_type: file.mediaType,
    size_bytes: file.sizeBytes,
    sha256: file.sha256,
    record_class: file.recordClass ?? null,
    records: file.records ?? null,
  }));
  for (let at = 0; at < rows.length; at += FILES_OF_A_STATEMENT)
    await FILES.add(transaction, ...rows.slice(at, at + FILES_OF_A_STATEMENT));
}

/**
 * Adds to a sealed production what proves its place in the log, the sums and the script, and hands it over.
 * @returns false while its entry is not in the log
 */
export async function finishProduction(parts: DemandParts, row: ProductionRow, nowMs: number): Promise<boolean> {
  const { context, ports, limits } = parts;
  const productionId = row.production_id;
  const proved = await ports.proofs.prove('production.sealed', `production:${productionId}`);
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
    const work = new DemandWork(parts, transaction);
    const current = await PRODUCTIONS.get(transaction, productionId);
    if (current?.phase !== 'sealed') return true;
    const { demand_id: demandId, organization_id: organizationId } = current;
    await insertFiles(work, productionId, added, sealed.length);
    const expiresAtMs = nowMs + limits.retrievalMs;
    const ready = { state: 'ready', phase: 'done', ready_at_ms: nowMs, expires_at_ms: expiresAtMs } as const;
    await PRODUCTIONS.set(transaction, productionId, ready);
    const demand = await work.demandRow(demandId);
    if (demand?.state === 'approved' || demand?.state === 'narrowed')
      await DEMANDS.set(transaction, demandId, { state: 'produced' });
    const details = { demandId, leafIndex: proved.inclusion.leafIndex, expiresAtMs };
    await work.audit('production.ready', `production:${productionId}`, details);
    const data = { production: await work.production({ ...current, ...ready }, nowMs) };
    const type = 'org.hopback.production.ready.1';
    await context.tell(transaction, { type, subject: productionId, data, to: [organizationId] });
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
  const put = putInto(files, store, productionId);
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

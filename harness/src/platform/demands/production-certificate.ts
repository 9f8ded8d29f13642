import { certificateText } from '@hopback/sdk/traceback';
import type { Demand, DemandRecordClass, DemandScope } from '@hopback/sdk/platform';
import type { WrittenFile } from './part-writer.js';

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
export function productionCertificate(certified: CertifiedProduction): string {
  const { demand, operator, files } = certified;
  return certificateText({
    head: [
      ['Platform', operator.name],
      ['Demand', `${demand.demandId}, ${demand.kind}, ${demand.reference}`],
      ['Agency', `${demand.agency.name} (${demand.agency.jurisdiction})`],
      ['Decision', certified.decisionId],
      ['Production', `${certified.productionId}, written ${timeOf(certified.writtenAtMs)}`],
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
      : ` It supplements an earlier production: of records of calls and reports it holds those of calls at and after ${timeOf(fromMs)}, some of which may have been in the earlier one, too.`;
  return `The program ${operator.software} went through the records that the platform held of that time, up to ${timeOf(asOfMs)}, compared each with every member of the scope, and wrote those that fit all of them, and no others.${since} A record that shows no number was not written where the scope names numbers; a time that is known to the minute or less exactly was taken to be within the scope where all of it is. What had been removed before then, and what no provider or application had sent, is not in it.`;
}

/** Rule 902(14): how copies are known to be what was copied. */
function hashParagraph({ signer, logId }: CertifiedProduction): string {
  return `The program computed the SHA-256 (FIPS 180-4) of every file named below and wrote it to the file manifest.json, which the key with SHA-256 ${signer.publicKeySha256} of its public half signed (${signer.algorithm}). The SHA-256 of manifest.json was then entered in the audit of the platform, whose entries are in the log "${logId}", a Merkle tree according to RFC 9162, section 2.1. The entry, the proof that it is under a signed checkpoint, and the checkpoint are in the files log-entry.json, proof.txt and checkpoint.txt; they can be checked with the programs openssl and sha256sum alone, as the file VERIFY.md says.`;
}

function timeOf(ms: number): string {
  return new Date(ms).toISOString();
}

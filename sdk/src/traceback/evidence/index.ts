export { canonicalJson, EVIDENCE_RECORDS, EVIDENCE_REQUEST_BYTES } from './evidence-manifest.js';
export { certificateText } from './custodian-certificate.js';
export type { CertificateParts } from './custodian-certificate.js';
export { createEvidenceWriter } from './evidence-writer.js';
export type { EvidenceWriterOptions } from './evidence-writer.js';
export type {
  AnswerPosition,
  ClockStatement,
  DecisionInput,
  DecisionStep,
  DecisionTrace,
  EvidenceEntry,
  EvidenceFile,
  EvidenceFileEntry,
  EvidenceManifest,
  EvidenceMaterial,
  EvidencePack,
  EvidenceSigner,
  EvidenceWriter,
  EvidencedRecord,
  ExportStatement,
  ReceivedRequest,
  RecordPractice,
  SignedAnswer,
} from './evidence-manifest.js';
export { listEvidence, openEvidenceStore, readEvidencePack, verifyEvidenceStore } from './evidence-store.js';
export type {
  EvidenceListing,
  EvidencePackReading,
  EvidenceReadTrust,
  EvidenceStore,
  EvidenceStoreOptions,
  EvidenceStoreTrust,
  EvidenceStoreVerification,
  LoggedFinding,
  LoggedNote,
  LoggedPack,
} from './evidence-store.js';
export { exportEvidencePack, inclusionProofText, verifyScript } from './exported-files.js';
export type { ExportFrame, VerifyKeys } from './exported-files.js';
export type { EvidenceFinding, EvidenceNote, LoggedProof, PackKeys } from './pack-store.js';
export { packProofs } from './pack-store.js';
export { verifyEvidencePack } from './verify-pack.js';
export type { EvidencePackTrust, EvidencePackVerification } from './verify-pack.js';
export { renderEvidencePdf } from './evidence-document.js';
export { evidenceVcon } from './evidence-vcon.js';
export type { EvidenceVcon, VconContent, VconDialog, VconDisposition, VconParty } from './evidence-vcon.js';

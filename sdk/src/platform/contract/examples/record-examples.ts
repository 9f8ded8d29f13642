import { ORIG_ID } from './cast.js';
import type { WireExamples } from './example.js';

export const sharedRecords: WireExamples<'SharedRecord'> = [
  {
    name: 'pseudonymous',
    summary: 'The call as Alder Voice shares it',
    value: {
      format: 'hopback.shared-record.1',
      recordId: '93107fb8b90c2da1ba8029aed247a12c',
      source: { id: '94f76bb19132aebdd04004cfcd02d1ce', format: 'ribbon-act', readerVersion: 1 },
      callGroupId: 'cb6c5876251badfb407ac234cf362a67',
      inviteAtUs: 1_792_784_467_204_000,
      answeredAtUs: 1_792_784_473_402_000,
      endedAtUs: 1_792_784_518_117_000,
      time: { written: 'utc', resolutionUs: 1_000 },
      calling: { shown: 'number', tn: '12025550198' },
      called: { shown: 'pseudonym', pseudonym: 'f5aada4c27db0ae87952361d60a3b86f', npaNxx: '202555' },
      ingress: {
        trunk: 'e0eca67bbbc56ccb8069618916bf242d',
        provider: 'birch',
        address: '203.0.113.40:5060',
      },
      egress: { trunk: '1b9707e31a47ce72a7e07b69c2dd1abc' },
      disposition: 'answered',
      release: { sipStatus: 200, q850Cause: 16, cause: 'NORMAL_CLEARING', party: 'called' },
      received: {
        verstat: 'TN-Validation-Passed',
        attestation: 'B',
        origId: ORIG_ID,
        iatSeconds: 1_792_784_466,
        spc: '903C',
        evidence: {
          format: 'hopback.shared-evidence.1',
          checkedAtMs: 1_792_784_467_206,
          profile: 'shaken',
          freshnessSeconds: 60,
          verstat: 'TN-Validation-Passed',
          passports: [
            {
              index: 0,
              ppt: 'shaken',
              status: 'passed',
              x5u: 'https://certificates.cedar.example/shaken.pem',
              certificateSha256: '339f48c01878b70f0b36392af055870380a4b478684e3fc4e1ac4701936120fd',
              spc: '903C',
              iatSeconds: 1_792_784_466,
              attestation: 'B',
              origId: ORIG_ID,
              passed: [
                'header-syntax',
                'passport-syntax',
                'freshness',
                'orig',
                'dest',
                'certificate',
                'chain',
                'signature',
              ],
              exceptions: [],
            },
          ],
          callKey: '1f5bc5b34b4d0a6a07459a126afa0c4f',
        },
      },
      sharing: {
        policyId: 'hopback-sharing-1',
        form: 'pseudonymous',
        rotationId: '2026-10',
        suspicion: { score: 0.75, level: 'suspicious', signals: ['neighbour-spoofing'] },
      },
    },
  },
];

export const recordBatchAnswers: WireExamples<'RecordBatchAnswer'> = [
  {
    name: 'all',
    summary: 'Everything is stored',
    value: { batchId: '0b8a5d2f4c1e7a90b3d6e8f1c2a45970', accepted: 1_000, rejected: [] },
  },
  {
    name: 'partial',
    summary: 'One record is not taken, the rest is stored',
    value: {
      batchId: '0b8a5d2f4c1e7a90b3d6e8f1c2a45970',
      accepted: 999,
      rejected: [
        {
          recordId: '5f0b8a3d2c7e61904a3d6e8f1c2a4b59',
          code: 'too-old',
          detail: 'Records are taken for 18 months.',
        },
      ],
    },
  },
];

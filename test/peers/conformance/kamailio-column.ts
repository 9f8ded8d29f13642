import { TRUST_FILES } from '@hopback/harness/conformance';
import { peer } from '../../peers.js';
import { freePorts } from '../../support/recipe.js';
import type { ConformanceLab } from '../../support/conformance-lab.js';
import { startKamailioProcess } from '../kamailio/process.js';
import { SAYS_YES_OR_NO, type ColumnDefinition, type StartedService } from './column.js';

/** Kamailio with its secsipid module and nothing else. */
export const kamailioColumn = (): ColumnDefinition => ({
  name: 'Kamailio secsipid',
  note: `Kamailio ${peer('kamailio').version ?? ''} of Debian with its module secsipid, \`expire\` 60, \`CertVerify=21\`, \`CertCAFile\` and \`CertCRLFile\`, as [conformance.cfg](../test/peers/kamailio/conformance.cfg) has it: 438 where \`secsipid_check_identity()\` says no, 200 otherwise. The module compares no numbers; a configuration can, and this one does not. Codes are those of the configuration, and are not asked for`,
  isOurs: false,
  concurrency: 1,
  start,
});

async function start({ path, environment }: ConformanceLab): Promise<StartedService> {
  const [callee = 0] = await freePorts(1);
  const kamailio = await startKamailioProcess({
    configuration: 'conformance.cfg',
    definitions: {
      ...{ EXPIRE: '60', ATTEST: '"A"', X5U: `"${environment.urls.signingX5u}"` },
      CERT_CA_FILE: `"CertCAFile=${path(TRUST_FILES.root)}"`,
      CERT_CRL_FILE: `"CertCRLFile=${path(TRUST_FILES.crlPem)}"`,
      KEY_FILE: `"${path(TRUST_FILES.signingKey)}"`,
      NEXT_HOP: `"sip:127.0.0.1:${String(callee)}"`,
    },
    environment: { SSL_CERT_FILE: path(TRUST_FILES.webRoot) },
  });
  return {
    target: {
      ...{ kind: 'sip', url: `sip:127.0.0.1:${String(kamailio.port)}`, lacks: [...SAYS_YES_OR_NO, 'unsigned'] },
      sip: { callee: `127.0.0.1:${String(callee)}` },
    },
    [Symbol.asyncDispose]: kamailio.stop,
  };
}

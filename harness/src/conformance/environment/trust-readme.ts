import type { TrustUrls } from './trust-files.js';

/** The page that stands in a prepared folder. */
export const trustReadme = ({
  signingX5u,
  crl,
  list,
  listSigner,
}: TrustUrls): string => `# What the service under test is given

All of it is of a test PKI. Trust it on a machine of a laboratory, for the time of the test, and nowhere else.

| file | give it to the service as |
| --- | --- |
| sti-ca-root.pem | the one trust anchor (STI-CA root) of its verification service |
| sti-pa-crl.pem, sti-pa-crl.der | the CRL of the policy administrator; also at ${crl} while a run lasts |
| crl-signer.pem, sti-pa-root.pem | who signs that CRL, and the root above |
| sti-ca-list.jws, list-signer-chain.pem | the signed list of STI-CAs in place of the root, where the service reads one; also at ${list} and ${listSigner} |
| web-root.pem | the authority for HTTPS of the certificate server of the tests |
| signing-key.pem, signing-chain.pem | key and certificates of its signing service, SPC 9999 |

x5u of the signing service: ${signingX5u}

The service has to reach the certificate server of the tests, which runs on the machine of the tests and only while they do. Most
services refuse addresses such as 127.0.0.1 and ports other than 443 and 8443 in an x5u: make the exception of a laboratory for this one server.

Leave the freshness of iat at 60 seconds, and let calls go on whatever the verdict is unless the target is \`sip\` and the service speaks by rejecting.
The CRL is good for 90 days; \`--prepare\` on the same folder renews it, with the same keys.
`;

import { FileCertificateSource, CertificateWatch } from '@hopback/sdk/stir';
import type { CertificateAlarm } from '@hopback/sdk/stir';
import { isMain, openLab } from './lab.js';

/** A certificate that is renewed by exchanging a file, and an alarm while nobody does. */
export async function watchedCertificate(
  path: string,
  alarm: (news: CertificateAlarm) => void,
): Promise<{ readonly source: FileCertificateSource; readonly watch: CertificateWatch }> {
  const source = await FileCertificateSource.open({
    path,
    // A new address for each certificate: verifiers that hold the old one are not misled.
    x5u: ({ sha256 }) => `https://certificates.example.com/shaken/${sha256}.pem`,
  });
  const watch = new CertificateWatch({ source, onAlarm: alarm });
  // On SIGHUP, or whenever the file was exchanged: `await source.reload()`.
  return { source, watch };
}

if (isMain(import.meta.url)) {
  const lab = await openLab();
  const path = await lab.put('chain.pem', lab.provider.chainPem);
  const { source, watch } = await watchedCertificate(path, (news) => console.log(news.level));
  console.log((await source.reload()).status); // unchanged
  watch.close();
  await lab.close();
}

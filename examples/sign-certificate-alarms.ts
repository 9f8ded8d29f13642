import { createFileCertificateSource, watchCertificateExpiry } from '@hopback/sdk/stir';
import type { CertificateAlarm, CertificateWatch, FileCertificateSource } from '@hopback/sdk/stir';

/** A certificate that is renewed by exchanging a file, and an alarm while nobody does. */
export async function watchedCertificate(
  path: string,
  alarm: (news: CertificateAlarm) => void,
): Promise<{ readonly source: FileCertificateSource; readonly watch: CertificateWatch }> {
  const source = await createFileCertificateSource({
    path,
    // A new address for each certificate: verifiers that hold the old one are not misled.
    x5u: ({ sha256 }) => `https://certificates.example.com/shaken/${sha256}.pem`,
  });
  const watch = watchCertificateExpiry({
    source,
    clock: { nowMs: () => Date.now() },
    onAlarm: alarm,
    schedule: (callback, delayMs) => {
      const timer = setTimeout(callback, delayMs);
      return () => clearTimeout(timer);
    },
  });
  // On SIGHUP, or whenever the file was exchanged: `await source.reload()`.
  return { source, watch };
}

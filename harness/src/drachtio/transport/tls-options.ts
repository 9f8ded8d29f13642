/** Key and certificate of a listener for TLS or secure WebSockets, as PEM text. */
export interface TlsFiles {
  readonly keyPem: string;
  /** Leaf first, intermediates behind it. */
  readonly certificatePem: string;
  /** Whom to believe on connections that we open; without it peers are not checked, as between test hops with certificates of their own. */
  readonly caPem?: string;
}

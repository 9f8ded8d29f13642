import type { ReviewProxy } from '../review/review-parts.js';
import type { AttestationFacts, VerificationPolicy, X5uAllowList } from '../../stir/index.js';
import type { FilingReference, TrunkPolicy } from '../../switch/index.js';

/** Somebody who may ask: known by a token, of which only its hash is written down. */
export interface TokenConfiguration {
  /** Name for logs and metrics. */
  readonly name: string;
  /** SHA-256 of the token, 64 hexadecimal digits: `printf %s "$TOKEN" | sha256sum`. */
  readonly sha256: string;
}

/** One address that is listened at. */
export interface ListenerConfiguration {
  readonly host: string;
  /** 0 for any that is free. */
  readonly port: number;
  /** HTTPS instead of HTTP. With `clientCa` clients need a certificate of one of these authorities. */
  readonly tls?: { readonly certificate: string; readonly key: string; readonly clientCa?: string };
  /** Who may ask, by `Authorization: Bearer`; empty: everybody who reaches the address. */
  readonly tokens: readonly TokenConfiguration[];
  /** Requests a second of each client, a token or an address; absent: as many as come. */
  readonly requestsPerSecond?: number;
  /** Most octets of a body. */
  readonly maxBodyBytes: number;
}

/** Whom calls are verified against. */
export interface TrustConfiguration {
  /** Certificates of STI-CAs: files or directories. */
  readonly roots: readonly string[];
  /** The signed list of the policy administrator: downloaded, or from where it is published. */
  readonly list?:
    | { readonly path: string; readonly signerChain?: string }
    | { readonly url: string; readonly crlUrls: readonly string[]; readonly cache?: string };
  /** Roots of the policy administrator: for its list and its CRL, never for calls. */
  readonly stiPaRoots: readonly string[];
  readonly intermediates: readonly string[];
  readonly crls: readonly string[];
  readonly crlSigners: readonly string[];
}

/** How the certificates of other providers are fetched and kept. */
export interface CertificatesConfiguration {
  /** Where they are kept over a restart, and shared between workers. */
  readonly directory?: string;
  /** Fetched at the start, before calls need them. */
  readonly preload: readonly string[];
  /** PEM file of authorities for the web servers of certificates; default those of Node. */
  readonly ca?: string;
  /** Exceptions for laboratories. */
  readonly allow?: X5uAllowList;
}

/** With what calls are signed. */
export interface SigningConfiguration {
  /** PEM file of the private key, P-256. An encrypted one is opened by HOPBACK_KEY_PASSPHRASE. */
  readonly key: string;
  /** PEM file of the chain as the x5u serves it. */
  readonly certificate: string;
  readonly x5u: string;
  /** Default the one of the certificate. */
  readonly spc?: string;
  /** JSON file of the attestation policy; default that of ATIS-1000074. */
  readonly attestationPolicy?: string;
  /**
   * Who decides the attestation that a request brings: the switch, as ATIS-1000082 has it, or the policy, which such a request may at most meet.
   */
  readonly attestation: 'of-the-switch' | 'at-most-policy' | 'policy-alone';
  /** What the records of signatures give as the reason for an attestation that the switch decided. */
  readonly attestationBasis: string;
  /** What is known of calls beyond the request. */
  readonly facts: AttestationFacts;
  readonly emergencyCalls: 'do-not-sign' | 'sign';
  /** File to which `hopback serve` appends the record of each signature, a line of JSON; holds telephone numbers. */
  readonly attestations?: string;
}

/** A trunk: its policy, and by which addresses its calls are told. */
export interface TrunkConfiguration extends TrunkPolicy {
  readonly addresses: readonly string[];
  /** The filing of the provider at the other end. */
  readonly filing?: FilingReference;
}

/** How the REST answers are written, where vendors differ. */
export interface AnswersConfiguration {
  readonly verification: 'by-request' | 'atis' | '3gpp';
  readonly signing: 'atis' | '3gpp';
  readonly reasonNames: 'lower' | 'camel';
  readonly verstatSuffix: boolean;
  readonly attestation: boolean;
  /** Further paths before `/signing` and `/verification`, beside `/stir/v1`. */
  readonly basePaths: readonly string[];
  /** Calling numbers that heartbeats come from. */
  readonly heartbeatNumbers: readonly string[];
}

/** Where call records are taken in and kept, and what of them leaves. */
export interface RecordsConfiguration {
  /** Of the store; places, rejected rows and the spool are below it. */
  readonly directory: string;
  /** JSON files that declare a source each, as `hopback records tail` reads them. One without a `path` is sent over HTTP. */
  readonly sources: readonly string[];
  readonly retentionDays?: number;
  /** Without it nothing leaves. */
  readonly platform?: {
    /** Where batches are posted. */
    readonly url: string;
    /** File of the bearer token; read again when the platform refuses it. */
    readonly tokenFile: string;
    readonly ca?: string;
    /** A level, or a JSON file with a policy. */
    readonly sharing: string;
    /** File of the key of the pseudonyms: 64 hexadecimal digits or more. */
    readonly pseudonymKey: string;
    /** Name of that key. */
    readonly rotation: string;
    /** Whose records they are, as the platform knows the carrier. */
    readonly tenant: string;
  };
}

/** By what traceback requests are answered. */
export interface TracebacksConfiguration {
  /** For journal, inbox, evidence and the audit of the page. */
  readonly directory: string;
  /** IANA name of the zone of the responding office. */
  readonly zone: string;
  /** The provider, as the registry of the platform has it. */
  readonly provider: { readonly providerId: string; readonly name: string };
  /** JSON file: who is at the other end of which trunk. */
  readonly trunks: string;
  /** JSON file of the policy; default that of the responder. */
  readonly policy?: string;
  /** The key that answers are signed with: never one that signs calls. */
  readonly answerKey: { readonly key: string; readonly keyId: string };
  readonly platform: {
    readonly baseUrl: string;
    readonly clientId: string;
    readonly keyId: string;
    /** PEM file of the key of the client. */
    readonly key: string;
    /** JWK set of the keys that the platform signs receipts with. */
    readonly receiptKeys: string;
  };
  /** File of the secrets of webhooks, one a line; without it there is no route for them. */
  readonly webhookSecrets?: string;
  /** File of the accounts of people who answer, from `hopback config account`; without it there is no page. */
  readonly accounts?: string;
  /** `https://…` of the page, where a proxy in front of it changes the field `Host`. */
  readonly origin?: string;
  /** Proxies in front of the page; without it the source of a login is the address of its connection. */
  readonly proxy?: ReviewProxy;
}

/** A whole configuration of the sidecar, defaults filled in. Paths are relative to the directory of its file. */
export interface SidecarConfiguration {
  readonly listen: {
    /** What switches ask while a call waits: verification, signing. */
    readonly calls: ListenerConfiguration;
    /** What may wait: records, tracebacks, metrics. Absent: nothing of it is offered. */
    readonly admin?: ListenerConfiguration;
  };
  readonly trust: TrustConfiguration;
  readonly certificates: CertificatesConfiguration;
  readonly verification: Partial<VerificationPolicy> & { readonly timeBudgetMs: number };
  /** Absent: nothing is signed here. */
  readonly signing?: SigningConfiguration;
  /** By name; `default` is for calls of no other. */
  readonly trunks: Readonly<Record<string, TrunkConfiguration>>;
  /** File of numbers from which nobody calls, one a line. */
  readonly doNotOriginate?: string;
  /** File of the Robocall Mitigation Database as it hands it out, CSV; as old as the file is. */
  readonly filings?: string;
  readonly answers: AnswersConfiguration;
  /** Absent: no records are taken in. */
  readonly records?: RecordsConfiguration;
  /** Absent: no tracebacks are answered here. Needs records. */
  readonly tracebacks?: TracebacksConfiguration;
  /** Processes that answer the call listener. */
  readonly workers: number;
  readonly log: {
    readonly level: 'debug' | 'info' | 'warn' | 'error' | 'silent';
    readonly calls: 'none' | 'poor' | 'all';
  };
  /** How often files are looked at for changes, seconds; 0: only at SIGHUP. */
  readonly reloadSeconds: number;
  /** How long calls under way may take to end when the process is asked to. */
  readonly drainSeconds: number;
}

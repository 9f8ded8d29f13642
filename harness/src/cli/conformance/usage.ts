/** What `hopback-harness conformance --help` prints. */
export const CONFORMANCE_USAGE = `hopback-harness conformance --prepare FOLDER [--certificates HOST:PORT]
hopback-harness conformance --target KIND --url URL [--folder FOLDER] [options]
hopback-harness conformance --list
hopback-harness conformance --matrix RUN/summary.json...

Asks a verification and signing service of any vendor numbered cases, each decided by a text of a standard.

  --prepare FOLDER      make keys, and the files that the service is given once; FOLDER/README.md says what for
  --certificates H:P    where the certificate server of the tests is reached; default as the folder has it, at first 127.0.0.1:8443
  --crl-port N          its port for the CRL, without TLS; default the one after
  --listen ADDRESS      where it listens, where H is a name; default all addresses

  --target KIND         atis (ATIS-1000082), 3gpp (Ms of TS 24.229), secsipidx, redirect (302 to an INVITE), sip (INVITE through a device)
  --url URL             http://host:port[/path], or sip:host:port
  --signing-url URL     where calls are signed, when elsewhere
  --folder FOLDER       what was prepared, default hopback-conformance
  --name TEXT           name of the service in reports, default its URL
  --only V-101,V-2*     these numbers; may be given several times
  --group NAME          these groups; --list has their names; may be given several times
  --lacks WHAT,...      what this service cannot carry or show although its interface could: codes, verstat, reasons, sign, ...
  --token-file FILE     bearer token of HTTP requests
  --timeout SECONDS     how long each answer is waited for, default 10
  --max-seconds N       for the whole run, default 600
  --concurrency N       calls at once, default 4
  --strict              departures from recommendations fail, too
  --out FOLDER          write summary.json, junit.xml and index.html there
  --json                print the run as JSON; with --list the cases

  --domain HOST         host of the Request-URI of calls to be verified (redirect, sip)
  --signing-domain HOST host of the Request-URI of calls to be signed
  --attestation-field F header field in which a request to sign says the attestation
  --origid-field F      header field in which a request to sign says the origid
  --callee HOST:PORT    where the device sends calls on to: the callee of the tests listens there (sip)

  --matrix              print runs side by side, as Markdown

Exit codes: 0 conforms; 1 does not; 2 the command line cannot be understood; 4 a folder, port or file is not usable;
            97 the time for the run was over; 99 nobody answered.
`;

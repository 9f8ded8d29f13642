/** What `hopback-harness run --help` prints. */
export const RUN_USAGE = `hopback-harness run SCENARIO [options]

Carries out a scenario over real SIP on loopback, and holds what was seen against what is true. SCENARIO is a file (YAML or JSON), the
name of a shipped one (hopback-harness list), the folder of an earlier run, or one that hopback-harness lab has prepared.

  --seed N            decides everything that is drawn; default that of the scenario
  --set NAME=VALUE    value of a variable of the scenario; may be given several times
  --once              one call of each caller
  --shorten F         everything that takes time is F times shorter; rates stay
  --rate X            factor of the rates, 0.01 to 100; default 1
  --dry-run           print what would be done, and what is true of it, and do nothing
  --out DIR           folder of the run; default hopback-runs/NAME-SEED-TIME
  --pcap MODE         captures, one for each provider: sampled, of the calls that the report shows; all
  --no-messages       keep no message: no ladders, and a flood takes less of the machine
  --processes N       spread the providers over so many processes, callers and called in one more; default 0: all in this one
  --timeout S         end after S seconds in any case
  --control HOST:PORT steer the run over HTTP, on loopback; HOPBACK_CONTROL_TOKEN is its token, or one is made and printed
  --drachtio ID=HOST:PORT  a drachtio-server in the place of the embedded one, for a provider; HOPBACK_DRACHTIO_SECRET is its secret
  --external ID=URI   calls for a provider go to a switch of yours, at this SIP URI
  --listen ID=HOST:PORT  where a provider, or whoever answers for called numbers, takes calls; default any free port
  --await ID          calls of a caller are placed by a program of yours, and waited for
  --keep              leave the network and the platform up until Control-C, when the report is written
  --json              print lines of JSON

On a terminal a dashboard is drawn: + - 10 % more or less, * / twice or half, p pause, q stop. Elsewhere a line is printed each second.

The folder has summary.json, report.html (one file, for whoever has to see it), junit.xml, ctrf.json, snapshots.csv, plan.json, and
ladders and captures of calls.

Exit codes: 0 passed; 1 failed; 2 the command line or the scenario cannot be understood; 3 incomplete: what was seen is as it should be, but
            somebody stopped the run, a signal ended it, or calls of the plan were not placed; 4 an address cannot be bound, or a file not be
            written; 97 the time was up; 99 no call was placed, or the plan has none: also of --dry-run.
`;

/** What `hopback-harness demo --help` prints. */
export const DEMO_USAGE = `hopback-harness demo [options]

First hopback records tail follows a file that a switch writes its calls to, stores them and sends them to a platform; it is killed in the
middle and started again, and the calls are counted at all three places. Then the shipped scenario demo is carried out over real SIP on
loopback: a dialer abroad, a gateway, a carrier that is silent and one that lies; a campaign that is found, alerts, tracebacks. What was
found is told beside what is true.

  --seed N            decides everything that is drawn; default that of the scenario
  --out DIR           folder of the run; default hopback-runs/demo-SEED-TIME
  --keep              leave the network and the platform up until Control-C
  --timeout S         end after S seconds in any case

On a terminal a dashboard is drawn: + - 10 % more or less, * / twice or half, p pause, q stop. Elsewhere a line is printed each second.

Exit codes: 0 no record was lost, and everything came out as it is true; 1 not so; 2 the command line cannot be understood; 3 it was stopped, or a signal ended it; 4 an
            address cannot be bound, or a file not be written; 97 the time was up; 99 no call was placed, or the plan has none: also of --dry-run.
`;

/** What `hopback-harness lab --help` prints. */
export const LAB_USAGE = `hopback-harness lab SCENARIO [FOLDER] [options]

Writes a folder with all that switches and dialers of yours have to be told to take part in a scenario: trust anchors, keys,
certificates, addresses, and the calls. Default folder: lab. hopback-harness run FOLDER carries the scenario out with them. A folder that was
prepared before keeps its keys and certificates, so that a switch is set up once.

  --external ID=URI   a switch of yours is in the place of a provider, at this SIP URI
  --listen ID=HOST:PORT  where a provider, or whoever answers for called numbers, takes calls; default any free port
  --await ID          calls of a caller are placed by a program of yours; FOLDER/ID.csv has them for SIPp
  --certificates HOST:PORT  where the certificate server will be; default 127.0.0.1:8443
  --seed N, --set NAME=VALUE, --once, --shorten F   as for run

Exit codes: 0 written; 2 the command line or the scenario cannot be understood; 4 a file cannot be written.
`;

/** What `hopback-harness replay --help` prints. */
export const REPLAY_USAGE = `hopback-harness replay CALL RUN [options]

Places one call of a run again, with the same seed and plan. CALL is its index, RUN the folder of the run or a scenario.

  --seed N, --set NAME=VALUE, --once, --shorten F   as for run, where RUN is a scenario
  --out DIR           folder of the run; default nothing is written
  --trace             print the ladder of the call, and each of its messages
  --timeout S         end after S seconds in any case; default 60
  --json              print the result as JSON

Exit codes are those of run.
`;

/** What `hopback-harness diff --help` prints. */
export const DIFF_USAGE = `hopback-harness diff BEFORE AFTER [--json]

Compares the folders of two runs: verdict, metrics, thresholds, findings that are new or gone.

Exit codes: 0 the later run is not worse; 1 it is; 2 the command line cannot be understood; 4 a summary cannot be read.
`;

/** What `hopback-harness list --help` prints. */
export const LIST_USAGE = `hopback-harness list [--json]

Lists the scenarios that come with the package, and why anybody would run them.
`;

/** What `hopback-harness init --help` prints. */
export const INIT_USAGE = `hopback-harness init [FILE]

Writes a scenario with a comment for each member, to begin with; default scenario.yaml. A file that is there stays as it is.
`;

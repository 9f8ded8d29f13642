/** What `hopback-harness platform --help` prints. */
export const PLATFORM_USAGE = `hopback-harness platform [options]
hopback-harness platform backup ARCHIVE [--directory D] [--database URL]
hopback-harness platform restore ARCHIVE --directory D [--keys FOLDER] [--database URL]
hopback-harness platform audit verify [--directory D] [--database URL] [--checkpoint FILE]... [--json]

Runs the reference platform of a traceback group: carriers and applications stream into it, it finds campaigns, traces calls back,
alerts agencies and answers their demands. Nothing else has to be there.

  --directory D         folder of everything that it keeps, default hopback-platform
  --database URL        a PostgreSQL 15 or newer, postgres://user@host/name; default an embedded one in the folder
  --host ADDRESS        where it listens, default 127.0.0.1
  --port N              default 8300; 0 takes any that is free
  --public-url URL      how clients reach it, where that is another address
  --tls-cert FILE       certificate (PEM) with those that lead to its root, and its key
  --tls-key FILE
  --client-ca FILE      who issues certificates of clients (PEM): those that are shown are held against it
  --trusted-proxies N   proxies in front whose X-Forwarded-For is believed, default 0
  --seed-demo           fill an empty platform with providers, members and a campaign to play with
  --log-level LEVEL     lines of JSON on standard error: info, warn, error or none; default warn on a terminal, else info
  --json                print what it prints as lines of JSON

It writes a profile of its first operator to D/operator.json, which the other commands call it by. It runs until SIGINT or SIGTERM.

  backup     writes everything but the keys to a folder, while the platform runs or when it does not
  restore    makes a platform of an archive in an empty folder; --keys is the backup of its keys
  audit verify  checks every signature of the audit and every entry against it, while the platform runs or when it does not, and names the
             first bad entry; --checkpoint is a checkpoint that was kept elsewhere: it shows what was cut off

Exit codes: 0 ended by a signal; 1 an archive or the audit is not what was written; 2 the command line cannot be understood;
            4 an address, folder, key or database is not usable.
`;

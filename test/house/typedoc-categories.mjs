// A typedoc plugin: on the page of an entry, exports stand under what they are for. That is told by where they are declared,
// so that no docstring has to say it.
import { Comment, CommentTag, Converter, ReflectionKind } from 'typedoc';

/** The first pattern that fits the path below sdk/src or harness/src decides. */
const CATEGORIES = [
  [/^stir\/verification\/(?:core|step|steps|token|evidence|signature-)/, 'Verify in parts'],
  [/^stir\/verification\/request/, 'Parties of a request'],
  [/^stir\/verification\/(?:describe|explain|failure|reason|verstat)|^core\/verdict-evidence/, 'Use a verdict'],
  [/^stir\/verification\//, 'Verify'],
  [/^stir\/signing\/(?:attestation-(?!record)|check-attestation)/, 'Attest'],
  [/^stir\/signing\/|^core\/der-signature/, 'Sign'],
  [/^stir\/certificates\/(?:trust-store|load-trust-store|revocation|crl|sti-pa-list)/, 'Trust list and revocation'],
  [
    /^stir\/certificates\/(?:certificate-repository|repository|bounded-|x5u-|fetch-slots|chain-source)/,
    'Fetch certificates',
  ],
  [/^stir\/certificates\//, 'Certificates'],
  [/^stir\/identity-header|^stir\/passport|^stir\/es256|^core\/bounded-json/, 'PASSporT and Identity header'],
  [/^core\/(?:call-record|shared-record)|^records\/(?:record-id|raw-evidence)/, 'Call records'],
  [/^traceback\/evidence\//, 'Evidence'],
  [/^traceback\/|^core\/(?:traceback|provider)/, 'Tracebacks'],
  [/^core\//, 'SIP and telephone numbers'],
  [
    /^records\/ingest\/(?:follow|import|listen|hep-listener|reject|row-coverage|row-intake)/,
    'Follow, import and listen',
  ],
  [/^records\/ingest\//, 'Read what switches write'],
  [/^records\/(?:store|durable)/, 'Store and find'],
  [/^records\/redaction\//, 'What may leave'],
  [/^records\/(?:feed|stream)\//, 'Stream to the platform'],
  [/^records\/suspicion\//, 'Suspicion'],
  [/^log\/(?:checkpoint|log-signer|merkle|verify-merkle)/, 'Merkle log'],
  [/^log\//, 'Log'],
  [/^switch\//, 'Into a switch'],
  [/^sidecar\//, 'Beside a switch'],
  [/^platform\/webhooks\//, 'Webhooks'],
  [/^platform\/(?:sources\/|traceback-request-source)/, 'Sources of requests'],
  [/^platform\/(?:client|events|http)\/|^platform\/auth/, 'Platform client'],
  [/^platform\/contract\/|^platform\/wire\/wire-/, 'Platform contract'],
  [/^platform\/wire\/(?!record-batch)/, 'Bodies of the wire'],
  [/^platform\//, 'Wire and transport'],
  [/^errors/, 'Errors'],
  [/^testing\/certificate-server\/|^testing\/scripted-lookup/, 'Certificate server'],
  [/^testing\/(?:platform\/|sample-call-record)/, 'Test platform'],
  [/^testing\/(?:passport|good-passports|identity-header|sample-invite)/, 'PASSporTs and calls'],
  [/^testing\/certificate-faults/, 'Faulty certificates'],
  [/^testing\/manual-clock/, 'Time'],
  [/^testing\//, 'Test PKI'],
  [/^faults\/seeded-random/, 'Random numbers'],
  [/^faults\//, 'Faults'],
  [/^conformance\//, 'Conformance'],
  [/^phones\/(?:blocking-subscriber|screening-rule)/, 'Call-blocking apps'],
  [/^phones\/(?:invite-facts|verstat)/, 'What an INVITE says'],
  [/^phones\//, 'Phones'],
  [/^drachtio\/clock/, 'Time'],
  [/^drachtio\/observe\//, 'Observe'],
  [/^drachtio\/message\//, 'Messages'],
  [/^drachtio\//, 'Drachtio server'],
  [/^version/, 'Version'],
];

export function load(app) {
  app.converter.on(Converter.EVENT_RESOLVE_BEGIN, (context) => {
    const { project } = context;
    for (const module of project.getReflectionsByKind(ReflectionKind.Module)) {
      for (const reflection of module.children ?? []) categorize(project, reflection);
    }
  });
}

function categorize(project, reflection) {
  const path =
    project.getSymbolIdFromReflection(reflection)?.packagePath.replace(/^(?:(?:sdk|harness)\/)?src\//, '') ?? '';
  const name = CATEGORIES.find(([pattern]) => pattern.test(path))?.[1];
  // A re-export has no comment of its own and is listed with the other references.
  if (name === undefined || reflection.kindOf(ReflectionKind.Reference)) return;
  const holder = reflection.signatures?.[0] ?? reflection;
  holder.comment ??= new Comment();
  holder.comment.blockTags.push(new CommentTag('@category', [{ kind: 'text', text: name }]));
}

/** The scenario that `hopback-harness init` writes: small, complete, with a comment for each member that users change. */
export const FIRST_SCENARIO = `# A network, who calls in it, and the bar for the run. Run it: hopback-harness run FILE
format: hopback.scenario.1
name: first
why: A dialer abroad calls homes through a gateway and a transit carrier; an office calls the same homes.

# Used below as \${name}. --set perSecond=20 and HOPBACK_PER_SECOND=20 take precedence over the values here.
variables:
  perSecond: 5
  setupMs: 2000

# Carriers. Roles: originating, ipes, gateway, transit, terminating, foreign.
providers:
  - { id: fern, role: foreign, country: CY }
  - { id: elm, role: gateway }
  - { id: dune, role: originating, numbers: ['1555303'] }
  - id: birch
    role: transit
    # What it does wrong. Without this line it is honest. Others: strips-identity, names-another, late, denies ...
    behaviours: [{ kind: silent }]
  - { id: alder, role: terminating, numbers: ['1202555'] }

# Which carrier sends calls to which. A call takes the cheapest path.
trunks:
  - { from: fern, to: elm }
  - { from: elm, to: birch }
  - { from: dune, to: birch }
  - { from: birch, to: alder }

callers:
  - id: dialer
    kind: robocaller
    at: fern
    # It shows numbers with the area code and exchange of the called number.
    numbers: { kind: neighbour }
    calls: [homes]
    script: irs-lawsuit
    durationSeconds: { from: 1, to: 2 }
  - id: office
    kind: ordinary
    at: dune
    # 555 is not an area code, so these numbers belong to nobody.
    numbers: { kind: own, numbers: [15553034100-15553034109] }
    calls: [homes]
    durationSeconds: { from: 3, to: 9 }
    # Half as many calls as the dialer.
    share: 0.5

called:
  # Keep this range much larger than the calls of a minute: ordinary calls to a small block look like a dialer that counts up.
  - { id: homes, at: alder, first: '12025550100', count: 2000, app: { reports: 0.8 } }

phases:
  - { name: flood, seconds: 20, rate: { shape: constant, perSecond: '\${perSecond}' } }

# The traceback group. Without it the run has calls only.
platform:
  staffTracebacks: 3

# The run passes when all of these are met. Without thresholds any finding fails it.
thresholds:
  calls_wrong: [count==0]
  verdict_accuracy: [rate==1]
  campaign_precision: [rate==1]
  wrong_accusations: [{ threshold: count==0, abortOnFail: true }]
  call_setup_ms: ['p(99)<\${setupMs}']
`;

/** What `hopback-harness init` writes: small, whole, and with a comment for whatever one will want to change. */
export const FIRST_SCENARIO = `# A network, who calls in it, and what the run is held to. hopback-harness run FILE carries it out.
format: hopback.scenario.1
name: first
why: A dialer abroad calls homes through a gateway and a transit carrier; an office calls the same homes.

# Taken by \${name}; --set perSecond=20 and HOPBACK_PER_SECOND=20 come before what is written here.
variables:
  perSecond: 5

# Carriers. A role is one of originating, ipes, gateway, transit, terminating and foreign.
providers:
  - { id: fern, role: foreign, country: CY }
  - { id: elm, role: gateway }
  - { id: dune, role: originating, numbers: ['1555303'] }
  - id: birch
    role: transit
    # What it does that it should not; without this line it is honest. Others: strips-identity, names-another, late, denies ...
    behaviours: [{ kind: silent }]
  - { id: alder, role: terminating, numbers: ['1202555'] }

# Who sends calls to whom. The cheapest way is taken.
trunks:
  - { from: fern, to: elm }
  - { from: elm, to: birch }
  - { from: dune, to: birch }
  - { from: birch, to: alder }

callers:
  - id: dialer
    kind: robocaller
    at: fern
    # The first six digits are those of whoever is called.
    numbers: { kind: neighbour }
    calls: [homes]
    durationSeconds: { from: 1, to: 2 }
  - id: office
    kind: ordinary
    at: dune
    numbers: { kind: own, numbers: [15553030100-13035550109] }
    calls: [homes]
    durationSeconds: { from: 2, to: 4 }
    # Half as many calls as the dialer.
    share: 0.5

called:
  - { id: homes, at: alder, first: '12025550100', count: 50, app: { reports: 0.5 } }

phases:
  - { name: flood, seconds: 20, rate: { shape: constant, perSecond: '\${perSecond}' } }

# The traceback group. Without it there are calls alone.
platform:
  staffTracebacks: 3

# What decides whether the run has passed. Without thresholds any finding fails it.
thresholds:
  calls_wrong: [count==0]
  verdict_accuracy: [rate==1]
  wrong_accusations: [{ threshold: count==0, abortOnFail: true }]
  call_setup_ms: ['p(99)<500']
`;

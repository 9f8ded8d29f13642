/** The style sheet of the page: light and dark, on paper too; rows that fail have a bar at their side, not a colour alone. */
export const PAGE_STYLE = `
:root { color-scheme: light dark; --text: #1b1f24; --soft: #59636e; --line: #d1d9e0; --back: #ffffff; --fail: #b42318; --warn: #9a6700; --pass: #1a7f37; }
@media (prefers-color-scheme: dark) { :root { --text: #e6edf3; --soft: #9198a1; --line: #3d444d; --back: #0d1117; --fail: #ff7b72; --warn: #d29922; --pass: #3fb950; } }
body { margin: 0; background: var(--back); color: var(--text); font: 15px/1.5 system-ui, sans-serif; }
main { max-width: 76rem; margin: 0 auto; padding: 1.5rem 1rem 4rem; }
h1 { font-size: 1.6rem; margin: 0 0 .25rem; }
h2 { font-size: 1.15rem; margin: 2rem 0 .5rem; }
h2::first-letter { text-transform: uppercase; }
p { margin: .25rem 0; color: var(--soft); }
.sum { color: var(--text); font-size: 1.05rem; }
table { width: 100%; border-collapse: collapse; table-layout: fixed; }
th, td { text-align: left; vertical-align: top; padding: .35rem .6rem .35rem 0; border-top: 1px solid var(--line); overflow-wrap: anywhere; font-weight: normal; }
thead th { border-top: 0; color: var(--soft); font-size: .85rem; }
th:nth-child(1) { width: 4rem; font-variant-numeric: tabular-nums; }
th:nth-child(2) { width: 1.5rem; }
th:nth-child(4) { width: 4.5rem; }
td:nth-child(5), td:nth-child(6) { color: var(--soft); font-size: .9rem; }
tbody th { padding-left: .5rem; border-left: .25rem solid transparent; }
.pass .mark { color: var(--pass); }
.fail.must .mark { color: var(--fail); font-weight: bold; }
.fail.should .mark { color: var(--warn); font-weight: bold; }
.fail.must th { border-left-color: var(--fail); font-weight: bold; }
.fail.should th { border-left-color: var(--warn); }
@media (max-width: 44rem) {
  thead { display: none; }
  tr { display: grid; grid-template-columns: 4rem 1.5rem 1fr; border-top: 1px solid var(--line); padding: .35rem 0; }
  th, td { border-top: 0; padding: 0 .6rem 0 0; }
  td:nth-child(n + 4) { grid-column: 3; }
}
@media print { main { max-width: none; padding: 0; } tr { break-inside: avoid; } }
`;

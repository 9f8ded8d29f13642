/** The style sheet. Colours have a contrast of 4.5 to 1 at least, and never say anything alone. WCAG 2.2 sections 1.4.1, 1.4.3 */
export const STYLE = `:root { color-scheme: light; --ink: #1b1f24; --line: #c9d1d9; --soft: #f3f5f7; --link: #0b4f9e; }
* { box-sizing: border-box; }
body { margin: 0; color: var(--ink); background: #fff; font: 16px/1.5 system-ui, sans-serif; }
a { color: var(--link); }
:focus-visible { outline: 3px solid #b35900; outline-offset: 2px; }
.skip { position: absolute; left: -100vw; }
.skip:focus { left: 1rem; top: .5rem; padding: .5rem; background: #fff; z-index: 1; }
header { display: flex; flex-wrap: wrap; justify-content: space-between; align-items: center; gap: 1rem; padding: .5rem 1.5rem;
  border-bottom: 1px solid var(--line); background: var(--soft); }
header p, header form { margin: 0; }
.product a { color: var(--ink); font-weight: 700; text-decoration: none; }
.user { display: flex; gap: 1rem; align-items: center; }
main { max-width: 75rem; margin: 0 auto; padding: 1rem 1.5rem 4rem; }
main:focus { outline: none; }
h1 { font-size: 1.6rem; margin: .5rem 0 1rem; }
h2 { font-size: 1.2rem; margin: 2rem 0 .5rem; }
h3 { font-size: 1rem; margin: 0; }
table { border-collapse: collapse; width: 100%; }
caption { text-align: left; color: #4a525a; padding-bottom: .25rem; }
th, td { text-align: left; vertical-align: top; padding: .4rem .6rem; border-bottom: 1px solid var(--line); }
thead th { background: var(--soft); }
.scroll { overflow-x: auto; }
.local { color: #4a525a; display: inline-block; }
time { white-space: nowrap; }
.deadline { display: inline-block; padding: .1rem .5rem; border-radius: .25rem; border: 1px solid; font-weight: 600; }
.deadline-open { color: #14532d; background: #e7f6ec; }
.deadline-close { color: #713f12; background: #fef3c7; }
.deadline-overdue { color: #8f1414; background: #fde8e8; }
.deadline-done { color: #374151; background: #eef0f2; }
.equal { color: #14532d; } .compatible { color: #1b4d7a; } .absent { color: #4a525a; } .contradicts { color: #8f1414; font-weight: 600; }
dl { display: grid; grid-template-columns: repeat(auto-fill, minmax(min(20rem, 100%), 1fr)); gap: .3rem 1.5rem; margin: .5rem 0; }
dl > div { display: flex; flex-wrap: wrap; gap: 0 .75rem; }
dt { flex: 0 0 7.5rem; color: #4a525a; }
dd { flex: 1 1 11rem; min-width: 0; margin: 0; overflow-wrap: anywhere; }
.calls { display: grid; grid-template-columns: repeat(auto-fill, minmax(min(22rem, 100%), 1fr)); gap: 1rem; }
.call { border: 1px solid var(--line); border-radius: .4rem; padding: .75rem 1rem; }
.call dl { grid-template-columns: 1fr; }
.warning { color: #713f12; }
.final { color: #8f1414; }
.problems { border: 2px solid #8f1414; border-radius: .4rem; padding: 0 1rem; background: #fff7f7; }
.problems h2 { margin-top: .75rem; color: #8f1414; }
.note { border-left: 4px solid var(--link); background: var(--soft); padding: .5rem 1rem; }
fieldset { min-width: 0; border: 1px solid var(--line); border-radius: .4rem; margin: 1rem 0; padding: .5rem 1rem 1rem; }
details { border: 1px solid var(--line); border-radius: .4rem; margin: 1rem 0; padding: .5rem 1rem; }
summary { cursor: pointer; font-weight: 700; }
legend { font-weight: 700; padding: 0 .3rem; }
.choice { display: block; overflow-wrap: anywhere; padding: .2rem 0; }
.choice input { margin-right: .5rem; }
.field { display: block; margin: .6rem 0; max-width: 40rem; }
.field > span { display: block; }
input[type="text"], input[type="email"], input[type="password"], select, textarea { width: 100%; font: inherit; padding: .4rem;
  border: 1px solid #6b7280; border-radius: .25rem; background: #fff; color: inherit; }
textarea { min-height: 5rem; }
button { font: inherit; padding: .5rem 1.2rem; border: 1px solid var(--link); border-radius: .25rem; background: var(--link); color: #fff;
  cursor: pointer; }
button.quiet { background: #fff; color: var(--link); padding: .2rem .7rem; }
.login { max-width: 24rem; }
`;

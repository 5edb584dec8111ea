"""How the report page (page.py) looks: on a screen, light or dark, and on paper."""

STYLE = """
:root { color-scheme: light dark; --paper: #fff; --ink: #1b1f24; --quiet: #59636e; --line: #d9dee3; --wash: #f5f7f8;
  --link: #0b5cad; --proved: #00795c; --bounded: #0b5cad; --open: #a15500; }
@media (prefers-color-scheme: dark) { :root { --paper: #14181d; --ink: #e8ebee; --quiet: #a2acb6; --line: #353d46;
  --wash: #1d232a; --link: #7ab8ff; --proved: #3ecf9f; --bounded: #7ab8ff; --open: #f0a94b; } }
* { box-sizing: border-box; }
body { margin: 0; background: var(--paper); color: var(--ink);
  font: 16px/1.5 system-ui, "Segoe UI", Roboto, "DejaVu Sans", sans-serif; }
main { max-width: 88rem; margin: 0 auto; padding: 2.2rem clamp(1rem, 3vw, 3rem) 4rem; }
h1 { font-size: 1.8rem; line-height: 1.2; margin: 0; overflow-wrap: anywhere; }
h2 { font-size: 1.25rem; margin: 2.6rem 0 .8rem; }
h3 { font-size: 1rem; margin: 0; overflow-wrap: anywhere; }
p { margin: .4rem 0; max-width: 60rem; }
.quiet { color: var(--quiet); }
.verdict { margin: 1.2rem 0; padding: 1rem 1.3rem; border-left: .45rem solid var(--mark); background: var(--wash); }
.verdict.proved { --mark: var(--proved); }
.verdict.bounded { --mark: var(--bounded); }
.verdict.open { --mark: var(--open); }
.verdict.told { --mark: var(--ink); }
.verdict strong { display: block; font-size: 1.3rem; line-height: 1.35; color: var(--mark); }
.sizes { display: flex; gap: 2px; margin: 1.4rem 0 .4rem; }
.sizes span { flex: 1 1 0; min-width: 3px; overflow: hidden; white-space: nowrap; padding: .3rem .4rem; color: #111; font-size: .85rem;
  border-top: .35rem solid; }
.cards { display: grid; grid-template-columns: repeat(auto-fit, minmax(min(100%, 15rem), 1fr)); gap: 1rem; margin: 1rem 0; }
.card { border: 1px solid var(--line); border-top: .35rem solid; border-radius: .3rem; padding: .8rem 1rem; }
.card ul { margin: .5rem 0 0; padding: 0; list-style: none; }
.card li { display: flex; flex-wrap: wrap; column-gap: .8rem; font-size: .92rem; overflow-wrap: break-word; }
.card li span { min-width: 0; max-width: 100%; }
.card li b { font-weight: 600; font-variant-numeric: tabular-nums; white-space: nowrap; margin-left: auto; }
.pictures { display: grid; grid-template-columns: repeat(auto-fit, minmax(min(100%, 34rem), 1fr)); gap: 1.4rem 2.4rem; align-items: start; }
figure { margin: .6rem 0; }
.pictures figure:only-child { max-width: 60rem; }
figure img { width: 100%; height: auto; max-height: 44rem; object-fit: contain; display: block; background: #fff; border-radius: .3rem; }
figcaption { color: var(--quiet); font-size: .92rem; max-width: 46rem; margin-top: .3rem; }
dl.facts { display: flex; flex-wrap: wrap; gap: 1rem 2.6rem; margin: 1rem 0; }
dl.facts div { min-width: 6rem; max-width: 100%; }
dt { color: var(--quiet); font-size: .85rem; }
dd { margin: 0; font-variant-numeric: tabular-nums; overflow-wrap: anywhere; }
.wide { overflow-x: auto; }
table { border-collapse: collapse; font-variant-numeric: tabular-nums; font-size: .9rem; }
th, td { padding: .35rem .65rem; text-align: right; border-bottom: 1px solid var(--line); white-space: nowrap; }
th { font-weight: 600; vertical-align: bottom; white-space: normal; border-bottom: 2px solid var(--ink); }
th:first-child, td:first-child { padding-left: 0; }
table.names th, table.names td { text-align: left; white-space: normal; overflow-wrap: anywhere; vertical-align: top;
  border-bottom: 1px solid var(--line); font-weight: normal; }
table.names th { color: var(--quiet); white-space: nowrap; }
pre { background: var(--wash); padding: .8rem 1rem; white-space: pre-wrap; overflow-wrap: anywhere; font-size: .92rem; margin: .6rem 0; }
pre.aligned { white-space: pre; overflow-wrap: normal; width: max-content; }
a { color: var(--link); }
@media print {
  :root { color-scheme: light; --paper: #fff; --ink: #000; --quiet: #444; --line: #bbb; --wash: #fff; --link: #000;
    --proved: #00543f; --bounded: #073f78; --open: #7a4000; }
  html { font-size: 11px; }
  body { font-size: 1rem; }
  main { padding: 0; max-width: none; }
  .verdict { border: 1px solid var(--line); border-left: .45rem solid var(--mark); }
  * { print-color-adjust: exact; -webkit-print-color-adjust: exact; }
  h2, h3 { break-after: avoid; }
  figure, tr, .card, .verdict { break-inside: avoid; }
  .pictures { grid-template-columns: 1fr 1fr; }
  table { font-size: .8rem; }
  th, td { white-space: normal; padding: .2rem .35rem; }
  .wide { overflow: visible; }
}
"""

/** The report's style sheet: light and dark, one column on a phone, two on a desk. */
export const STYLE = `
:root {
  color-scheme: light dark;
  --ground: #ffffff; --card: #f6f7f9; --ink: #1b1f24; --muted: #5d6671; --line: #d9dde3;
  --first: #1667b7; --second: #d9822b; --right: #1667b7; --wrong: #c4392f;
}
@media (prefers-color-scheme: dark) {
  :root {
    --ground: #14171b; --card: #1d2127; --ink: #e8eaed; --muted: #9aa4b0; --line: #353c45;
    --first: #62a8ee; --second: #eba65c; --right: #3f8ddb; --wrong: #e0655b;
  }
}
* { box-sizing: border-box; }
body { margin: 0; background: var(--ground); color: var(--ink); font: 16px/1.5 system-ui, sans-serif; }
main { max-width: 1180px; margin: 0 auto; padding: 24px 16px 64px; }
h1 { font-size: 1.6rem; line-height: 1.2; margin: 0 0 4px; overflow-wrap: anywhere; }
h2 { font-size: 1.1rem; margin: 0 0 12px; }
.note { color: var(--muted); margin: 0 0 12px; font-size: .9rem; }
.tiles { display: grid; grid-template-columns: repeat(auto-fit, minmax(150px, 1fr)); gap: 12px; margin: 20px 0; }
.tile, section { background: var(--card); border-radius: 10px; padding: 16px; min-width: 0; }
.tile b { display: block; font-size: 1.5rem; line-height: 1.3; font-variant-numeric: tabular-nums; }
.tile small, .tile span { color: var(--muted); font-size: .85rem; display: block; }
.grid { display: grid; gap: 16px; grid-template-columns: minmax(0, 1fr); }
.full { grid-column: 1 / -1; }
@media (min-width: 960px) { .grid { grid-template-columns: repeat(2, minmax(0, 1fr)); } }
.scroll { overflow-x: auto; }
table { border-collapse: collapse; font-size: .9rem; width: 100%; }
th, td { padding: 4px 8px; text-align: left; border-bottom: 1px solid var(--line); overflow-wrap: break-word; }
th { font-weight: 600; }
.number { text-align: right; font-variant-numeric: tabular-nums; }
.confusion td, .confusion th { border: 1px solid var(--ground); overflow-wrap: normal; }
.confusion tbody td { min-width: 38px; height: 38px; text-align: center; font-variant-numeric: tabular-nums; background: color-mix(in srgb, var(--line) 25%, transparent); }
.confusion td.right { background: color-mix(in srgb, var(--right) calc(12% + var(--share) * .5), transparent); }
.confusion td.wrong { background: color-mix(in srgb, var(--wrong) calc(12% + var(--share) * 1.2), transparent); }
.confusion thead th { vertical-align: bottom; padding: 4px 2px; }
.confusion thead th span { writing-mode: vertical-rl; transform: rotate(180deg); max-height: 120px; overflow: hidden; text-overflow: ellipsis; white-space: nowrap; }
.confusion thead th { text-align: center; }
.confusion tbody th { width: 1%; max-width: 130px; overflow: hidden; text-overflow: ellipsis; white-space: nowrap; text-align: right; font-weight: 500; }
.confusion .corner { color: var(--muted); vertical-align: bottom; font-size: .8rem; white-space: nowrap; }
.chart svg { width: 100%; height: auto; display: block; }
.wide { display: none; }
@media (min-width: 560px) { .wide { display: block; } .narrow { display: none; } }
.pictures { display: grid; grid-template-columns: repeat(auto-fill, minmax(140px, 1fr)); gap: 12px; margin: 0; padding: 0; list-style: none; }
.pictures li { background: var(--ground); border-radius: 8px; overflow: hidden; font-size: .85rem; }
.pictures img, .pictures .gone { display: block; width: 100%; height: auto; aspect-ratio: 4 / 3; object-fit: contain; background: color-mix(in srgb, var(--line) 40%, transparent); }
.pictures div.text { padding: 8px; overflow-wrap: anywhere; }
.pictures b { color: var(--wrong); }
.pictures small { color: var(--muted); display: block; }
details summary { cursor: pointer; color: var(--muted); margin: 8px 0; }
`;

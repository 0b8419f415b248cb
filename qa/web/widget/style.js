/** The look, as a constructed style sheet: a strict content security policy of the page has no say in these. */
export const sheet = new CSSStyleSheet();
sheet.replaceSync(`
:host { display: block; }
:host([hidden]) { display: none !important; }
:host([theme=light]) .root { color-scheme: light; }
:host([theme=dark]) .root { color-scheme: dark; }
/* What a page says of all its elements reaches the host, but is not inherited past this element. */
.root {
  all: initial;
  color-scheme: light dark;
  --ground: var(--qa-ground, light-dark(#fff, #16191d));
  --card: var(--qa-card, light-dark(#f4f3ef, #22262c));
  --line: var(--qa-line, light-dark(#dedbd3, #383e47));
  --edge: var(--qa-edge, light-dark(#85817a, #7d8691));
  --text: var(--qa-text, light-dark(#1c1b19, #e9e7e3));
  --quiet: var(--qa-quiet, light-dark(#5f5b54, #a9adb4));
  --accent: var(--qa-accent, light-dark(#1f5582, #8cc1ee));
  --on-accent: var(--qa-on-accent, light-dark(#fff, #0f1c28));
  --mark: var(--qa-mark, light-dark(#ffe9a3, #5d4a12));
  --bad: var(--qa-bad, light-dark(#9b2318, #ffa79d));
  --serif: var(--qa-serif, Charter, "Iowan Old Style", Georgia, "Noto Serif", serif);
  display: block;
  color: var(--text);
  font: max(1rem, 16px)/1.5 var(--qa-font, system-ui, sans-serif);
  text-align: start;
  overflow-wrap: anywhere;
}
*, ::before, ::after { box-sizing: border-box; }
[hidden] { display: none !important; }
h2, h3, h4, p, ul, figure, blockquote { margin: 0; padding: 0; font-size: 1em; }
ul { list-style: none; }
button, textarea, input { margin: 0; border: 0; background: none; color: inherit; font: inherit; }
button, summary { cursor: pointer; }
a { color: var(--accent); text-underline-offset: .15em; }
cite { font-style: italic; }
svg { display: block; flex: none; width: 1.25em; height: 1.25em; fill: none; stroke: currentColor; stroke-width: 1.7; stroke-linecap: round; stroke-linejoin: round; }
:focus-visible { outline: 2px solid var(--accent); outline-offset: 2px; }
.unseen { position: absolute; width: 1px; height: 1px; overflow: hidden; clip-path: inset(50%); white-space: nowrap; }
.launcher, dialog { position: fixed; inset: auto; inset-inline-end: 1.25em; bottom: 1.25em; z-index: var(--qa-z, 2147483000); }
.launcher { display: flex; align-items: center; gap: .6em; padding: .8em 1.25em; border-radius: 2em; background: var(--accent); color: var(--on-accent); font-weight: 600; box-shadow: 0 2px 14px #0004; }
.panel { flex-direction: column; margin: 0; padding: 0; overflow: hidden; background: var(--ground); color: inherit; border: 1px solid var(--line); border-radius: var(--qa-radius, .9em); }
section, dialog[open] { display: flex; }
section { position: relative; height: var(--qa-height, 34em); }
dialog { width: min(var(--qa-width, 27em), 100vw - 2.5em); max-width: none; height: min(var(--qa-height, 42em), 100dvh - 2.5em); max-height: none; box-shadow: 0 8px 40px #0004; }
.header { display: flex; align-items: center; gap: .25em; padding: .7em .7em .7em 1.25em; padding-inline: 1.25em .7em; border-bottom: 1px solid var(--line); }
h2 { flex: 1; min-width: 0; font: 600 1.1em/1.3 var(--serif); }
.panel:not(.begun) .clear { visibility: hidden; }
.small { display: inline-flex; align-items: center; justify-content: center; gap: .4em; min-width: 2.25em; height: 2.25em; padding: 0 .45em; border-radius: .5em; color: var(--quiet); }
.small:hover { background: var(--card); color: var(--text); }
.small[aria-pressed=true] { background: var(--card); color: var(--accent); }
.small[aria-pressed=true] path { fill: var(--accent); fill-opacity: .25; }
.down svg { rotate: 180deg; }
.log { position: relative; flex: 1; min-height: 0; padding: 0 1.25em; overflow-y: auto; overscroll-behavior: contain; scrollbar-width: thin; }
.log:focus-visible { outline-offset: -3px; }
.welcome { padding: 1.25em 0; color: var(--quiet); }
.welcome ul { display: grid; justify-items: start; gap: .5em; margin-top: 1em; }
.suggestion { padding: .5em .95em; border: 1px solid var(--edge); border-radius: 1.4em; color: var(--accent); text-align: start; }
.suggestion:hover { background: var(--card); }
.turn { padding: 1.25em 0 1.5em; border-top: 1px solid var(--line); }
.turn:last-child { min-height: calc(100% + 2px); }
.question { margin-bottom: .8em; font: 600 1.2em/1.35 var(--serif); }
.body { display: grid; grid-template-columns: minmax(0, 1fr); gap: .9em; }
blockquote, .written { font: 1.1em/1.6 var(--serif); white-space: pre-wrap; }
.words { unicode-bidi: plaintext; }
blockquote { padding-inline-start: 1em; border-inline-start: 3px solid var(--accent); }
figcaption { margin-top: .45em; padding-inline-start: calc(1.25em + 3px); }
figcaption, .quiet, details, .status, .label { color: var(--quiet); font-size: .875em; }
.label { margin-bottom: -.6em; font-weight: 600; }
.chip { display: inline-grid; place-items: center; min-width: 1.75em; height: 1.75em; margin-inline-start: .3em; padding: 0 .4em; border: 1px solid var(--accent); border-radius: 1em; font: 600 .86rem/1 var(--qa-font, system-ui, sans-serif); font-size: max(.72em, 14px); text-decoration: none; vertical-align: .1em; }
.chip:hover { background: var(--accent); color: var(--on-accent); }
summary { width: fit-content; padding: .2em 0; }
details p { margin-top: .3em; }
.actions { display: flex; flex-wrap: wrap; align-items: center; gap: .25em; }
.end .actions { margin-inline-start: -.45em; }
.actions .quiet { padding: 0 .4em; }
.reason { display: flex; gap: .5em; margin-top: .5em; }
.reason input { flex: 1; min-width: 0; padding: .5em .75em; border: 1px solid var(--edge); border-radius: .5em; }
.text { padding: .5em 1em; border-radius: .5em; background: var(--accent); color: var(--on-accent); font-weight: 600; }
.refusal h4, .card h4 { font-weight: 600; }
.card { padding: .8em 1em; border-radius: .6em; background: var(--card); }
.card p { margin-top: .25em; }
.problem h4 { color: var(--bad); }
.problem .small { border: 1px solid var(--edge); padding: 0 .8em; margin-top: .35em; color: var(--text); }
.nearest li { padding: .7em 0; border-bottom: 1px solid var(--line); }
.nearest ul { margin-top: .9em; border-top: 1px solid var(--line); }
.nearest p { display: -webkit-box; -webkit-box-orient: vertical; -webkit-line-clamp: 3; overflow: hidden; margin-top: .2em; color: var(--quiet); font: .95em/1.5 var(--serif); }
.status { display: flex; align-items: center; gap: .6em; min-height: 1.5em; margin-top: .6em; }
.status.busy::before { content: ""; width: .55em; height: .55em; border-radius: 50%; background: var(--accent); animation: beat 1.2s ease-in-out infinite alternate; }
@keyframes beat { to { opacity: .2; } }
.form { display: flex; align-items: end; gap: .5em; padding: .8em; border-top: 1px solid var(--line); }
textarea { flex: 1; min-width: 0; min-height: 2.75em; max-height: 9em; padding: .6em .9em; resize: none; field-sizing: content; border: 1px solid var(--edge); border-radius: 1.375em; }
::placeholder { color: var(--quiet); opacity: 1; }
.send { display: grid; place-items: center; width: 2.75em; height: 2.75em; border-radius: 50%; background: var(--accent); color: var(--on-accent); }
.send.busy { background: var(--card); color: var(--text); }
.preview { position: fixed; inset: auto; width: min(24em, 100vw - 1em); max-height: min(17em, 60vh); margin: 0; padding: .9em 1.1em; overflow: auto; background: var(--ground); color: var(--text); border: 1px solid var(--edge); border-radius: .7em; box-shadow: 0 6px 28px #0004; cursor: pointer; }
.in { font: 1em/1.55 var(--serif); white-space: pre-wrap; }
mark { padding: .1em 0; background: var(--mark); color: inherit; box-decoration-break: clone; }
.of { display: flex; flex-wrap: wrap; justify-content: space-between; gap: .2em 1em; margin-top: .6em; color: var(--quiet); font-size: .85em; }
@media (max-width: 480px) {
  dialog.panel { inset: 0; width: 100vw; height: 100dvh; border: 0; border-radius: 0; }
}
@media (prefers-reduced-motion: reduce) {
  .status.busy::before { animation: none; }
}
@media print { .launcher, dialog { display: none !important; } }
`);

"""How the page looks: quiet, legible, no fonts from elsewhere, the same in light and dark."""

from __future__ import annotations

import gradio as gr

FONTS = ("ui-sans-serif", "system-ui", "-apple-system", "Segoe UI", "Roboto", "Noto Sans", "sans-serif")
MONO = ("ui-monospace", "SFMono-Regular", "Menlo", "Consolas", "DejaVu Sans Mono", "monospace")


def theme() -> gr.themes.Base:
    """Gradio's base theme with one calm colour, soft corners and readable sizes."""
    return gr.themes.Base(
        primary_hue=gr.themes.colors.teal,
        secondary_hue=gr.themes.colors.teal,
        neutral_hue=gr.themes.colors.slate,
        text_size=gr.themes.sizes.text_md,
        radius_size=gr.themes.sizes.radius_md,
        font=FONTS,
        font_mono=MONO,
    ).set(
        body_background_fill="*neutral_50",
        body_background_fill_dark="*neutral_950",
        body_text_color_subdued="*neutral_600",
        body_text_color_subdued_dark="*neutral_400",
        block_info_text_color="*neutral_600",
        block_info_text_color_dark="*neutral_400",
        block_background_fill="white",
        block_background_fill_dark="*neutral_900",
        block_border_width="1px",
        block_label_text_weight="500",
        block_title_text_weight="500",
        button_primary_background_fill="*primary_700",
        button_primary_background_fill_hover="*primary_800",
        button_primary_text_color="white",
        button_primary_background_fill_dark="*primary_600",
        button_primary_background_fill_hover_dark="*primary_500",
        button_primary_text_color_dark="white",
        button_large_text_weight="500",
    )


CSS = """
.gradio-container { max-width: 1320px !important; width: 100% !important; margin: 0 auto !important; }
#all { gap: 2rem; }
#side { gap: 0.6rem; }
#projects-head h3 { margin: 0.5rem 0 0; font-size: 1rem; }
.projects { list-style: none; margin: 0; padding: 0; max-height: 26rem; overflow-y: auto; }
.projects button { display: block; width: 100%; text-align: left; padding: 0.45rem 0.6rem; font: inherit;
  color: inherit; border-radius: var(--radius-md); border-left: 3px solid transparent; cursor: pointer; }
.projects button:hover { background: var(--background-fill-secondary); }
.projects button[aria-current] { border-left-color: var(--primary-500);
  background: color-mix(in srgb, var(--primary-500) 12%, transparent); }
.projects button:focus-visible { outline: 2px solid var(--primary-500); outline-offset: -2px; }
.projects .name { display: block; font-weight: 500; overflow-wrap: anywhere; }
.projects .more { font-size: 0.85rem; color: var(--body-text-color-subdued); }
@media (max-width: 640px) { .projects { max-height: 9rem; } }
#next-step { padding: 0; }
#next-step .html-container { padding: 0; }
#next-step .prose { display: flex; flex-wrap: wrap; align-items: center; gap: 0.4rem 1rem; padding: 0; }
#next-step p { margin: 0; }
#judgement .rows { max-height: none; }
#judgement table { min-width: 36rem; }
#judgement tbody th { width: 36%; }
#judgement small { font-weight: 400; color: var(--body-text-color-subdued); }
#judgement :is(th, td) { overflow-wrap: normal; }
#judgement summary { cursor: pointer; padding: 0.3rem 0; }
.heard { display: grid; grid-template-columns: repeat(auto-fill, minmax(15rem, 1fr)); gap: 0.5rem 1rem; }
.heard p { margin: 0 0 0.2rem; }
.dots { display: flex; gap: 0.35rem; list-style: none; margin: 0; padding: 0; }
.dots li { margin: 0; }
.dots button { width: 1.6rem; height: 1.6rem; border-radius: 50%; padding: 0; font-size: 0.85rem; line-height: 1;
  border: 1px solid var(--body-text-color-subdued); color: var(--body-text-color-subdued); cursor: pointer; }
.dots .done button { background: var(--primary-700); border-color: var(--primary-700); color: white; }
.dots :is(.now, .running) button { border: 2px solid var(--primary-600); color: var(--primary-600); }
.dots button:focus-visible { outline: 2px solid var(--primary-500); outline-offset: 2px; }
footer { display: none !important; }
#title h1 { font-size: 1.6rem; margin: 0; }
#title p { margin: 0.15rem 0 0; color: var(--body-text-color-subdued); }
#transcripts { max-height: 34rem; overflow: auto !important;
  --picked: color-mix(in srgb, var(--primary-500) 14%, transparent);
  border: 1px solid var(--border-color-primary); border-radius: var(--radius-md);
  background: var(--block-background-fill); }
#transcripts > .state { padding: 0.75rem; }
table.clips { width: 100%; border-collapse: collapse; table-layout: fixed; font-size: 0.9rem; line-height: 1.35; }
table.clips th { position: sticky; top: 0; z-index: 1; text-align: left; font-weight: 500; white-space: nowrap;
  background: var(--block-background-fill); color: var(--body-text-color-subdued); }
table.clips :is(th, td) { padding: 0.4rem 0.5rem; border-bottom: 1px solid var(--border-color-primary); }
table.clips td { vertical-align: top; overflow-wrap: anywhere; }
table.clips tbody tr { cursor: pointer; }
table.clips tbody tr:hover { background: var(--background-fill-secondary); }
table.clips .length { white-space: nowrap; }
table.clips :is(.why, .file) { color: var(--body-text-color-subdued); font-size: 0.85rem; }
table.clips th:nth-child(1) { width: 2.75rem; }
table.clips th:nth-child(3) { width: 4.25rem; }
table.clips th:nth-child(4) { width: 26%; }
table.clips th:nth-child(5) { width: 18%; }
table.clips .file { overflow: hidden; text-overflow: ellipsis; white-space: nowrap; }
@media (max-width: 640px) {
  #transcripts { max-height: 20rem; }
  table.clips :is(thead, .file) { display: none; }
  table.clips tr { display: grid; grid-template-columns: 2.5rem 1fr auto; }
  table.clips .why:not(:empty) { grid-column: 2 / 4; padding-top: 0; }
  table.clips .why:empty { display: none; }
  table.clips td { border: 0; }
  table.clips tr { border-bottom: 1px solid var(--border-color-primary); }
}
table.clips .grave .why { color: #b45309; }
.dark table.clips .grave .why { color: #fbbf24; }
table.clips .dropped .text { text-decoration: line-through; color: var(--body-text-color-subdued); }
.tick { width: 1.25rem; height: 1.25rem; padding: 0; border: 1px solid var(--body-text-color-subdued); cursor: pointer;
  border-radius: 0.25rem; background: none; font-size: 0.9rem; line-height: 1; color: white; }
.tick[aria-checked="true"] { background: var(--primary-700); border-color: var(--primary-700); }
.tick[aria-checked="true"]::after { content: "✓"; }
.tick:focus-visible { outline: 2px solid var(--primary-500); outline-offset: 2px; }
#pager { align-items: center; }
#page-of { text-align: center; flex: 1; }
#clip-about p { margin: 0 0 0.3rem; overflow-wrap: anywhere; }
#clip-about .quiet, #clip-opinion .quiet { font-size: 0.9rem; }
.against { color: #b45309; font-size: 0.9rem; }
.dark .against { color: #fbbf24; }
.two { margin: 0; }
.two dt { font-weight: 500; color: var(--body-text-color-subdued); font-size: 0.9rem; }
.two dd { margin: 0 0 0.5rem; }
.two mark { color: inherit; background: color-mix(in srgb, #d97706 30%, transparent); border-radius: 0.2rem;
  padding: 0 0.15rem; }
.keys { display: grid; grid-template-columns: auto 1fr; gap: 0.25rem 1rem; margin: 0; font-size: 0.9rem; }
.keys dd { margin: 0; }
.keys kbd { border: 1px solid var(--border-color-primary); border-radius: 0.25rem; padding: 0 0.35rem;
  background: var(--background-fill-secondary); white-space: nowrap; }
#asr-sizes table, #frozen table { width: 100%; font-size: 0.9rem; border-collapse: collapse; }
:is(#asr-sizes, #frozen) :is(table, tr, td) { border: 0 !important; }
:is(#asr-sizes, #frozen) tr { border-bottom: 1px solid var(--border-color-primary) !important; }
:is(#asr-sizes, #frozen) td { padding: 0.3rem 0.75rem 0.3rem 0 !important; }
:is(#asr-sizes, #frozen) tr:first-child td { color: var(--body-text-color-subdued); font-weight: 500; }
:is(#asr-sizes, #frozen) { overflow-x: auto; }
@media (max-width: 640px) {
  :is(#asr-sizes, #frozen) tr { display: grid; grid-template-columns: repeat(3, 1fr); }
  :is(#asr-sizes, #frozen) td { padding: 0.15rem 0.5rem 0.15rem 0 !important; }
  :is(#asr-sizes, #frozen) td:nth-child(4) { display: none; }
  :is(#asr-sizes, #frozen) td:nth-child(5) { grid-column: 1 / 4; }
}
.block.card { border: 1px solid var(--border-color-primary) !important; border-radius: var(--radius-md);
  background: var(--block-background-fill) !important; padding: 0.75rem !important; }
.card p { margin: 0.35rem 0; overflow-wrap: anywhere; }
.dark audio { color-scheme: dark; }
.answer { font-size: 1.05rem; margin: 0 0 0.5rem; }
.figures { font-size: 1.35rem; font-weight: 600; margin: 0; }
.histogram { width: 100%; max-width: 34rem; height: auto; display: block; }
.histogram rect { fill: var(--primary-600); }
.histogram text { fill: var(--body-text-color-subdued); font-size: 14px; text-anchor: middle; }
.histogram text.count { fill: var(--body-text-color); }
.data h4 { margin: 1rem 0 0.25rem; font-size: 1rem; }
.data ul { margin: 0.25rem 0; padding-left: 1.2rem; }
.meter { height: 0.5rem; max-width: 34rem; border-radius: 0.25rem; overflow: hidden;
  background: var(--border-color-primary); }
.meter > span { display: block; height: 100%; background: var(--primary-600); }
.rows { max-height: 22rem; overflow: auto; border: 1px solid var(--border-color-primary);
  border-radius: var(--radius-md); }
.rows table { margin: 0 !important; width: 100%; border-collapse: collapse; border: 0 !important; }
.rows :is(th, td) { padding: 0.45rem 0.6rem; border: 0; border-bottom: 1px solid var(--border-color-primary);
  text-align: left; vertical-align: top; overflow-wrap: anywhere; }
.rows td:nth-child(2) { min-width: 5.5rem; }
.rows tr[data-row] { cursor: pointer; }
.rows tr[data-row]:hover { background: var(--background-fill-secondary); }
.rows button { font: inherit; color: inherit; text-align: left; background: none !important; padding: 0 !important;
  border: 0 !important; }
.table-wrap .cell-wrap, .table-wrap .header-content { font-family: var(--font) !important; }
#plan-terms :is(table, tr, td) { border: 0 !important; }
#plan-terms td { padding: 0.15rem 1.5rem 0.15rem 0 !important; }
.quiet { color: var(--body-text-color-subdued); }
.block.note { border-left: 3px solid var(--primary-500); padding: 0.35rem 0.75rem !important; }
.block.warn { border-left: 3px solid #d97706; padding: 0.35rem 0.75rem !important; }
button.forward { align-self: flex-end; width: auto; flex-grow: 0; }
#gpus .state { white-space: pre-line; }
.gradio-container:has(#seen-rest :placeholder-shown) #steps { pointer-events: none; opacity: 0.5; }
.gradio-container:has(#seen-rest :placeholder-shown) #headline { visibility: hidden; }
#message { position: fixed; right: 1rem; bottom: 1rem; z-index: 50; width: min(26rem, calc(100vw - 2rem));
  padding: 0 !important; border: 0 !important; background: none !important; overflow: visible !important; }
#message:not(:has(.message)) { display: none; }
.message { display: flex; gap: 0.75rem; align-items: flex-start; padding: 0.75rem 1rem;
  border: 1px solid var(--border-color-primary); border-left: 4px solid #d97706; border-radius: var(--radius-md);
  background: var(--block-background-fill); box-shadow: 0 6px 24px rgb(0 0 0 / 0.18); }
.message p { flex: 1; margin: 0; overflow-wrap: anywhere; }
.message button { font-size: 1.3rem; line-height: 1; padding: 0 0.25rem; color: var(--body-text-color-subdued); }
.step-name { display: none; }
@media (max-width: 640px) { .step-name { display: block; } }
.bar { height: 0.5rem; border-radius: 0.25rem; background: var(--border-color-primary); overflow: hidden; }
.bar > span { display: block; height: 100%; background: var(--primary-600); transition: width 0.4s; }
.bar.unknown > span { width: 30%; animation: slide 1.6s ease-in-out infinite alternate; }
@keyframes slide { from { margin-left: 0; } to { margin-left: 70%; } }
@media (prefers-reduced-motion: reduce) { .bar.unknown > span { animation: none; } }
#step-recordings .block.padded:has(> .html-container) > .html-container { padding: 0; }
#hub-data-add { align-self: flex-end; }
.wave { display: block; width: 100%; height: 7.5rem; background: var(--background-fill-secondary);
  border-radius: var(--radius-md); }
.wave .sound { fill: var(--body-text-color-subdued); }
.wave .clip { fill: var(--primary-500); fill-opacity: 0.22; stroke: var(--primary-600);
  vector-effect: non-scaling-stroke; }
.wave .clip:hover { fill-opacity: 0.4; }
.wave .refused { fill: url(#stripes); stroke: #b45309; vector-effect: non-scaling-stroke; }
.stripe { fill: #d97706; fill-opacity: 0.55; }
.ticks { display: flex; justify-content: space-between; color: var(--body-text-color-subdued); font-size: 0.8rem; }
.legend { display: flex; flex-wrap: wrap; gap: 0.25rem 1rem; margin: 0.25rem 0; font-size: 0.9rem;
  color: var(--body-text-color-subdued); }
.legend i { display: inline-block; width: 0.9rem; height: 0.9rem; margin-right: 0.35rem; vertical-align: -0.1rem;
  border: 1px solid var(--border-color-primary); }
.legend i.clip { background: color-mix(in srgb, var(--primary-500) 25%, transparent); }
.legend i.refused { background: repeating-linear-gradient(45deg, #d97706 0 3px, transparent 3px 6px); }
audio { width: 100%; }
.sentence { font-size: 1.7rem; line-height: 1.4; margin: 0.75rem 0; }
.sentence mark { color: inherit; background: color-mix(in srgb, #d97706 25%, transparent);
  text-decoration: underline wavy #b45309; text-underline-offset: 0.25em; }
.verdict { margin: 0 0 0.4rem; font-weight: 600; }
.verdict.good { color: var(--primary-700); }
.verdict.again { color: #b45309; }
.dark .verdict.good { color: var(--primary-300); }
.dark .verdict.again { color: #fbbf24; }
.meters { display: flex; flex-wrap: wrap; gap: 0.5rem 1.5rem; }
.meters > div { flex: 1 1 14rem; }
.bar.live { visibility: hidden; }
.bar.live > span { width: 0; transition: width 0.06s; }
.state { margin: 0 0 0.4rem; }
.state b { font-weight: 600; }
.state.bad { color: #b45309; }
.dark .state.bad { color: #fbbf24; }
"""

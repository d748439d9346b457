"""The list's script: a click picks a row, keys do what the buttons do. Runs in the browser, given to gr.HTML.

Keys count only while the list is seen, and never while somebody types, holds Ctrl, Alt or Meta, or has a dialogue,
a menu or a slider in hand.
"""

LIST_JS = """
const press = (id) => document.querySelector(id)?.click();
const pick = (row) => trigger('select', {row_value: [row.dataset.clip]});
element.addEventListener('click', (event) => {
  const row = event.target.closest('tr[data-clip]');
  if (!row) return;
  const tick = event.target.closest('[data-use]');
  if (tick) trigger('input', {row_value: [row.dataset.clip, tick.dataset.use]});
  else pick(row);
});
element.addEventListener('dblclick', (event) => {
  if (event.target.closest('tr[data-clip]')) document.querySelector('#clip-text textarea')?.focus();
});
const keys = {
  j: '#clip-next', ArrowDown: '#clip-next', k: '#clip-previous', ArrowUp: '#clip-previous',
  a: '#clip-accept', d: '#clip-drop', u: '#clip-undo',
};
const types = 'input, textarea, select, [contenteditable], [role=slider], [role=listbox], [role=dialog], [role=menu]';
const onKey = (event) => {
  if (!element.isConnected) { document.removeEventListener('keydown', onKey); return; }
  if (!element.offsetParent || event.ctrlKey || event.metaKey || event.altKey || event.defaultPrevented) return;
  const field = document.querySelector('#clip-text textarea');
  if (event.target === field) {
    if (event.key === 'Escape') field.blur();
    if (event.key === 'Enter' && !event.shiftKey && !event.isComposing) {
      event.preventDefault(); field.blur(); press('#clip-accept');
    }
    return;
  }
  if (event.target.closest(types)) return;
  const arrows = event.key.startsWith('Arrow');
  if (arrows && event.target !== document.body && !element.contains(event.target)) return;
  if (event.key === ' ') {
    if (event.target.closest('button:not([role=tab]), a, summary, audio, [tabindex]:not([role=tab])')) return;
    event.preventDefault();
    const player = document.querySelector('#clip-audio audio');
    if (player?.paused) player.play(); else player?.pause();
    return;
  }
  const key = event.key.length === 1 ? event.key.toLowerCase() : event.key;
  if (key === 'e' && field?.offsetParent) { event.preventDefault(); field.focus(); return; }
  if (keys[key]) { event.preventDefault(); press(keys[key]); }
};
document.addEventListener('keydown', onKey, true);
const follow = () => {
  const picked = document.querySelector('[data-picked]')?.dataset.picked;
  const row = picked && element.querySelector(`tr[data-clip="${picked}"]`);
  if (!row || row.dataset.followed) return;
  element.querySelectorAll('[data-followed]').forEach((one) => delete one.dataset.followed);
  row.dataset.followed = 'true';
  const box = element.closest('#transcripts') || element;
  const seen = box.getBoundingClientRect(), own = row.getBoundingClientRect();
  if (own.top < seen.top + 40) box.scrollTop -= seen.top - own.top + 40;
  else if (own.bottom > seen.bottom) box.scrollTop += own.bottom - seen.bottom + 8;
};
watch('value', () => queueMicrotask(follow));
const beside = document.querySelector('#picked');
if (beside) new MutationObserver(follow).observe(beside, {subtree: true, attributes: true, childList: true});
"""

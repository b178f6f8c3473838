(() => {
  const { src, dataset } = document.currentScript;
  const { origin } = new URL(src);
  // what is asked of `visavis` before the widget is there waits for it
  const waiting = Array.isArray(window.visavis) ? window.visavis : [];
  const later = (name) => (...its) => void waiting.push([name, ...its]);
  window.visavis = Object.fromEntries(["call", "hangUp", "on", "identify"].map((name) => [name, later(name)]));
  import(`${origin}/static/assets/widget.js`).then(({ start }) => start(origin, dataset.site || "1", waiting));
})();

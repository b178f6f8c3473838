(() => {
  const { src, dataset } = document.currentScript;
  const { origin } = new URL(src);
  import(`${origin}/static/assets/widget.js`).then(({ start }) => start(origin, dataset.site || "1"));
})();

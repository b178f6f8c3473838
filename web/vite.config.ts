import { defineConfig } from "vite";

const pages = [
  "index",
  "demo",
  "console",
  "library",
  "signin",
  "admin",
  "docs",
  "join-visitor",
  "join-agent",
];

// File names carry no hashes: the build is committed, and a second build must be the same bytes.
export default defineConfig({
  base: "/static/",
  build: {
    outDir: "../src/visavis/web/static",
    emptyOutDir: true,
    modulePreload: { polyfill: false },
    rolldownOptions: {
      preserveEntrySignatures: "strict",
      input: {
        widget: "src/embed.ts",
        ...Object.fromEntries(pages.map((page) => [page, `${page}.html`])),
      },
      output: {
        entryFileNames: "assets/[name].js",
        chunkFileNames: "assets/[name].js",
        assetFileNames: "assets/[name][extname]",
      },
    },
  },
});

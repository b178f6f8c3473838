import { defineConfig, type Plugin, type UserConfig } from "vite";
import { fill } from "./src/html-texts.ts";

const pages = [
  "index",
  "demo",
  "console",
  "library",
  "signin",
  "admin",
  "docs",
  "profile",
  "404",
  "docs-redirect",
  "consent",
  "consent-error",
  "join-visitor",
  "join-agent",
];

/** Writes the loader as /widget.js, with the name that the widget has in this build. */
const loader: Plugin = {
  name: "widget-loader",
  generateBundle(_, bundle) {
    const chunks = Object.values(bundle).filter((file) => file.type === "chunk");
    const { fileName, code } = chunks.find(({ name }) => name === "loader")!;
    const widget = chunks.find(({ name }) => name === "widget")!;
    delete bundle[fileName];
    const source = code.replace("importModule", "import").replace("WIDGET", widget.fileName);
    this.emitFile({ type: "asset", fileName: "widget.js", source });
  },
};

/** Writes the words of the catalogue into the pages, which are complete without a script. */
const texts: Plugin = { name: "texts", transformIndexHtml: { order: "pre", handler: fill } };

// File names carry a hash of the content: a browser keeps them as long as it likes, and a second
// build gives the same bytes under the same names, so the build is committed.
const common = {
  outDir: "../src/visavis/web/static",
  modulePreload: { polyfill: false },
} satisfies UserConfig["build"];

/** The pages, which share what they have in common. */
const ours: UserConfig = {
  base: "/static/",
  plugins: [texts],
  build: {
    ...common,
    emptyOutDir: true,
    rolldownOptions: {
      input: Object.fromEntries(pages.map((page) => [page, `${page}.html`])),
      output: {
        entryFileNames: "assets/[name]-[hash].js",
        chunkFileNames: "assets/[name]-[hash].js",
        assetFileNames: "assets/[name]-[hash][extname]",
      },
    },
  },
};

/** The widget for other people's pages: one file, so that it takes one request after the loader's. */
const widget: UserConfig = {
  base: "/static/",
  publicDir: false,
  plugins: [loader],
  build: {
    ...common,
    emptyOutDir: false,
    rolldownOptions: {
      input: { widget: "src/visitor/embed.ts", loader: "src/visitor/loader.ts" },
      preserveEntrySignatures: "strict",
      output: { entryFileNames: "assets/[name]-[hash].js", chunkFileNames: "assets/[name]-[hash].js" },
    },
  },
};

export default defineConfig(({ mode }) => (mode === "widget" ? widget : ours));

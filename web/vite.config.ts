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

/** Writes the loader to /widget.js, with the file name of the widget in this build. */
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

/** Writes the texts of the catalogue into the HTML pages, so that these are complete without a script. */
const texts: Plugin = { name: "texts", transformIndexHtml: { order: "pre", handler: fill } };

// File names contain a hash of the content, so browsers may cache them forever. The build is reproducible, down
// to the bytes and names, and is therefore committed.
const common = {
  outDir: "../src/visavis/web/static",
  modulePreload: { polyfill: false },
} satisfies UserConfig["build"];

/** Our own pages, which share common chunks. */
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

/** The widget for other sites' pages, in one file: it takes one request after that of the loader. */
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

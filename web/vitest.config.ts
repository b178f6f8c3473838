import { defineConfig } from "vitest/config";

/** They replace `location`, which no script can do in a window of its own. */
const navigating = ["tests/account.test.ts", "tests/session.test.ts"];

export default defineConfig({
  test: {
    environment: "jsdom",
    testTimeout: 60_000, // a busy machine is no failure: no test measures time

    setupFiles: ["tests/setup.ts"],
    restoreMocks: true,
    unstubGlobals: true,
    projects: [
      {
        extends: true,
        // each file has a window and modules of its own, but jsdom itself is loaded once in a process
        test: { name: "pages", pool: "vmForks", include: ["tests/**/*.test.ts"], exclude: navigating },
      },
      { extends: true, test: { name: "navigation", include: navigating } },
    ],
  },
});

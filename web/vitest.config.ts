import { defineConfig } from "vitest/config";

/** They replace `location`, which no script can do in a window of its own. */
const navigating = ["tests/account.test.ts", "tests/session.test.ts"];

export default defineConfig({
  test: {
    environment: "jsdom",
    // A busy machine is not a failure: no test measures time. tests/setup.ts has the limit of `vi.waitFor`.
    testTimeout: 120_000,
    hookTimeout: 120_000,
    expect: { poll: { timeout: 60_000 } },
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

// The modules' imports: from the outside in, and never in a circle.

import { expect, test } from "vitest";

const sources = import.meta.glob<string>("../src/**/*.ts", { query: "?raw", import: "default", eager: true });
const IMPORT = /^(?:import|export)\b[^;]*?(?:from )?"(\.[^"]+)"/gm;
/** The folders that each folder may import besides itself. */
const ALLOWED: Record<string, string[]> = {
  generated: [],
  shared: ["generated"],
  call: ["shared", "generated"],
  visitor: ["call", "shared", "generated"],
  agent: ["call", "shared", "generated"],
  admin: ["call", "shared", "generated"],
  library: ["call", "shared", "generated"],
};

const resolve = (from: string, to: string): string => {
  const path = new URL(to, `file://${from.replace("..", "")}`).pathname.replace(/\.ts$/, "");
  return `..${path}.ts`;
};

const importsOf = (module: string): string[] =>
  [...sources[module]!.matchAll(IMPORT)]
    .map(([, path]) => resolve(module, path!))
    .filter((path) => path in sources);

const folderOf = (module: string): string => module.split("/")[2]!;

/** The first circle that is reached from a module. */
const circleFrom = (module: string, path: string[], done: Set<string>): string[] | undefined => {
  if (path.includes(module)) return [...path.slice(path.indexOf(module)), module];
  if (done.has(module)) return undefined;
  for (const next of importsOf(module)) {
    const circle = circleFrom(next, [...path, module], done);
    if (circle) return circle;
  }
  done.add(module);
  return undefined;
};

test("the imports are found", () => {
  expect(Object.keys(sources).length).toBeGreaterThan(50);
  expect(importsOf("../src/call/conversation.ts")).toContain("../src/shared/observable.ts");
  expect(importsOf("../src/agent/agent-session.ts")).toContain("../src/call/call-session.ts");
});

test("no module imports itself by way of others", () => {
  const done = new Set<string>();
  for (const module of Object.keys(sources)) expect(circleFrom(module, [], done)).toBeUndefined();
});

test("the pages import what they share, and never each other", () => {
  const wrong = Object.keys(sources)
    .filter((module) => folderOf(module) in ALLOWED)
    .flatMap((module) => {
      const own = folderOf(module);
      const others = importsOf(module).filter((path) => ![own, ...ALLOWED[own]!].includes(folderOf(path)));
      return others.map((path) => `${module} imports ${path}`);
    });
  expect(wrong).toEqual([]);
});

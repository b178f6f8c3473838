import js from "@eslint/js";
import { configs as lit } from "eslint-plugin-lit";
import { configs as webComponents } from "eslint-plugin-wc";
import { defineConfig } from "eslint/config";
import typescript from "typescript-eslint";

export default defineConfig({ ignores: ["node_modules", "public"] }, js.configs.recommended, {
  files: ["**/*.ts"],
  extends: [
    typescript.configs.recommendedTypeChecked,
    lit["flat/recommended"],
    webComponents["flat/best-practice"],
  ],
  languageOptions: { parserOptions: { projectService: true, tsconfigRootDir: import.meta.dirname } },
  rules: {
    // Lit binds the listeners of a template to their component, and LitElement has every lifecycle method.
    "@typescript-eslint/unbound-method": "off",
    "wc/guard-super-call": "off",
    // A component may do the rest of a lifecycle method later.
    "@typescript-eslint/no-misused-promises": ["error", { checksVoidReturn: { inheritedMethods: false } }],
    "@typescript-eslint/no-unused-vars": ["error", { argsIgnorePattern: "^_" }],
  },
  linterOptions: { reportUnusedDisableDirectives: "error" },
});

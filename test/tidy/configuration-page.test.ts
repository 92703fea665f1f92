import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { test } from "node:test";
import { configurationPage } from "../../packages/gateway/src/config/mod.ts";
import { configSections } from "../../packages/gateway/src/registry/mod.ts";

test("docs/configuration.md is what the schema says", () => {
  const page = readFileSync(new URL("../../docs/configuration.md", import.meta.url), "utf8");
  assert.equal(page, configurationPage(configSections), "run: node tools/configuration-page.ts");
});

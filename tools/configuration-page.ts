/** `node tools/configuration-page.ts`: writes docs/configuration.md from the schema. A test holds the two together. */
import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { configurationPage } from "../packages/gateway/src/config/mod.ts";
import { configSections } from "../packages/gateway/src/registry/mod.ts";
import { root } from "./run.ts";

writeFileSync(join(root, "docs/configuration.md"), configurationPage(configSections));

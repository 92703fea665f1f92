import assert from "node:assert/strict";
import { existsSync, readFileSync, readdirSync } from "node:fs";
import { test } from "node:test";
import { fileURLToPath } from "node:url";
import { gzipSync } from "node:zlib";

const dist = fileURLToPath(new URL("../dist/", import.meta.url));
const firstLoadBytesMax = 300 * 1000;

/** Every script and style that the first page asks for, with what those import at once. */
function firstLoad(): string[] {
  const asked = [
    ...readFileSync(`${dist}index.html`, "utf8").matchAll(/(?:src|href)="\/(assets\/[^"]+\.(?:js|css))"/g),
  ].map((match) => match[1] as string);
  const all = new Set(asked);
  for (const file of all) {
    if (!file.endsWith(".js")) continue;
    const code = readFileSync(`${dist}${file}`, "utf8");
    for (const match of code.matchAll(/(?:from|import)\s*["'`]\.\/([^"'`]+\.js)["'`]/g))
      all.add(`assets/${match[1] as string}`);
  }
  return [...all];
}

test("the first load is under 300 KB, and the terminal is not in it", (context) => {
  if (!existsSync(`${dist}index.html`)) {
    context.skip("the pages are not built; npm test builds them");
    return;
  }
  const files = firstLoad();
  assert.ok(
    files.some((file) => file.endsWith(".js")) && files.some((file) => file.endsWith(".css")),
    files.join(),
  );
  const bytes = files.reduce((sum, file) => sum + gzipSync(readFileSync(`${dist}${file}`)).length, 0);
  context.diagnostic(`first load: ${Math.round(bytes / 1000)} KB gzip in ${files.length} files`);
  assert.ok(bytes < firstLoadBytesMax, `${bytes} bytes in ${files.join()}`);
  assert.ok(!files.some((file) => file.includes("terminal-player")));
  assert.ok(readdirSync(`${dist}assets`).some((file) => file.startsWith("terminal-player")));
});

test("the pages ask no other host", (context) => {
  if (!existsSync(`${dist}index.html`)) {
    context.skip("the pages are not built; npm test builds them");
    return;
  }
  for (const file of readdirSync(`${dist}assets`).filter((name) => name.endsWith(".css")))
    assert.doesNotMatch(readFileSync(`${dist}assets/${file}`, "utf8"), /url\(["']?https?:/);
  const html = readFileSync(`${dist}index.html`, "utf8");
  assert.doesNotMatch(html, /https?:\/\//);
  assert.doesNotMatch(html, /<script(?![^>]*\bsrc=)/, "no inline script");
});

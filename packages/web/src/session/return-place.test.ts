import assert from "node:assert/strict";
import { test } from "node:test";
import { isOwnPlace } from "./return-place.ts";

test("after signing in the way leads to a page of this gateway, whatever was remembered", () => {
  for (const place of ["/", "/sessions", "/audit?event=user.create", "/sessions/1?t=0:10&find=//x"])
    assert.ok(isOwnPlace(place), place);
  const elsewhere = [
    "//evil.example",
    "/\\evil.example",
    "\\\\evil.example",
    "https://evil.example",
    "javascript:alert(1)",
  ];
  for (const place of [null, "", ...elsewhere, "%2f%2fevil.example", "evil.example", " //evil.example"])
    assert.ok(!isOwnPlace(place), String(place));
});

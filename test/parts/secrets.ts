/** Looking for secrets where they must not be: every file below a folder, and any text. */
import { readFileSync, readdirSync } from "node:fs";
import { join } from "node:path";

/** Each secret with what it is, in the forms in which something could have written it down. */
export class Needles {
  /** By their first two bytes, so that a large file is passed over once, whatever the number of secrets. */
  readonly #byStart = new Map<number, { bytes: Buffer; name: string }[]>();

  add(name: string, secret: string): void {
    if (secret.length < 8) throw new Error(`${name} is too short to be found by chance only`);
    const plain = Buffer.from(secret);
    const forms = {
      "": plain,
      " as base64": Buffer.from(plain.toString("base64").replaceAll("=", "")),
      " as hex": Buffer.from(plain.toString("hex")),
      " in a URL": Buffer.from(encodeURIComponent(secret)),
      " in JSON": Buffer.from(JSON.stringify(secret).slice(1, -1)),
      " as UTF-16": Buffer.from(secret, "utf16le"),
    };
    const seen = new Set<string>();
    for (const [form, bytes] of Object.entries(forms)) {
      const key = bytes.toString("latin1");
      if (seen.has(key)) continue;
      seen.add(key);
      const start = bytes.readUInt16LE(0);
      this.#byStart.set(start, [...(this.#byStart.get(start) ?? []), { bytes, name: `${name}${form}` }]);
    }
  }

  /** The names of those that stand in it. */
  in(haystack: Buffer | string): string[] {
    const bytes = typeof haystack === "string" ? Buffer.from(haystack) : haystack;
    const starts = new Uint8Array(0x1_0000);
    for (const start of this.#byStart.keys()) starts[start] = 1;
    const found = new Set<string>();
    for (let at = 0; at + 1 < bytes.length; at++) {
      const start = (bytes[at] as number) | ((bytes[at + 1] as number) << 8);
      if (starts[start] === 0) continue;
      for (const needle of this.#byStart.get(start) ?? [])
        if (bytes.subarray(at, at + needle.bytes.length).equals(needle.bytes)) found.add(needle.name);
    }
    return [...found];
  }

  /** File by file, those that stand in any below the folder, but for what is left out. */
  below(folder: string, isLeftOut: (path: string) => boolean): string[] {
    return readdirSync(folder, { recursive: true, withFileTypes: true }).flatMap((entry) => {
      const path = join(entry.parentPath, entry.name);
      const relative = path.slice(folder.length + 1);
      if (!entry.isFile() || isLeftOut(relative)) return [];
      return this.in(readFileSync(path)).map((name) => `${name} in ${relative}`);
    });
  }
}

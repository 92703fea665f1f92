import { rename, rm, writeFile } from "node:fs/promises";

/** Whoever reads the file finds the old text or the new one. The mode is given at creation: at no moment can others read it. */
export async function replaceFile(path: string, content: string | Uint8Array, mode: number): Promise<void> {
  const fresh = `${path}.${process.pid}.new`;
  try {
    await writeFile(fresh, content, { mode, flag: "wx" });
    await rename(fresh, path);
  } finally {
    await rm(fresh, { force: true });
  }
}

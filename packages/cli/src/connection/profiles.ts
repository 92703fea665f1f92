import { mkdir, readFile } from "node:fs/promises";
import { homedir } from "node:os";
import { join } from "node:path";
import { GatehouseError } from "@gatehouse/kernel";
import { replaceFile } from "../output/mod.ts";

/** A gateway that somebody signed in to from here. */
type Profile = {
  url: string;
  /** Secret: whoever has it is this person until it expires. */
  token: string;
  name: string;
  /** ISO 8601, UTC; null where it does not expire. */
  expiresAt: string | null;
};
type Stored = { version: 1; current: string | null; profiles: Profile[] };

export type Profiles = {
  readonly path: string;
  /** The profile of this gateway, or the current one. */
  find(url?: string): Promise<Profile | undefined>;
  /** Keeps it and makes it the current one. */
  keep(profile: Profile): Promise<void>;
  /** The session there is known by another token from now on. */
  renew(url: string, token: string): Promise<void>;
  /** False when there was none. */
  forget(url?: string): Promise<Profile | undefined>;
};

export function createProfiles(env: Readonly<Record<string, string | undefined>>): Profiles {
  const directory = join(env["XDG_CONFIG_HOME"] || join(homedir(), ".config"), "gatehouse");
  const path = join(directory, "profiles.json");

  async function load(): Promise<Stored> {
    let text: string;
    try {
      text = await readFile(path, "utf8");
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code === "ENOENT")
        return { version: 1, current: null, profiles: [] };
      throw error;
    }
    try {
      const stored = JSON.parse(text) as Stored;
      if (stored.version === 1 && Array.isArray(stored.profiles)) return stored;
    } catch {
      // Told below, with what to do.
    }
    throw new GatehouseError({
      code: "invalid",
      op: "cli.profiles.read",
      message: `${path} is not a file of this command`,
      hint: `Move it away and sign in again.`,
    });
  }
  async function save(stored: Stored): Promise<void> {
    await mkdir(directory, { recursive: true, mode: 0o700 });
    await replaceFile(path, `${JSON.stringify(stored, null, 2)}\n`, 0o600);
  }

  return {
    path,
    async find(url) {
      const { profiles, current } = await load();
      const wanted = url ?? current;
      return profiles.find((profile) => profile.url === wanted);
    },
    async keep(profile) {
      const { profiles } = await load();
      await save({
        version: 1,
        current: profile.url,
        profiles: [...profiles.filter((other) => other.url !== profile.url), profile],
      });
    },
    async renew(url, token) {
      const stored = await load();
      const known = stored.profiles.find((profile) => profile.url === url);
      if (known) known.token = token;
      await save(stored);
    },
    async forget(url) {
      const { profiles, current } = await load();
      const gone = profiles.find((profile) => profile.url === (url ?? current));
      if (!gone) return undefined;
      const left = profiles.filter((profile) => profile !== gone);
      await save({
        version: 1,
        current: gone.url === current ? (left.at(-1)?.url ?? null) : current,
        profiles: left,
      });
      return gone;
    },
  };
}

/** Where a gateway answers, as profiles name it: an origin. */
export function originOf(text: string): string {
  const withScheme = /^https?:\/\//.test(text) ? text : `https://${text}`;
  if (URL.canParse(withScheme)) return new URL(withScheme).origin;
  throw new GatehouseError({
    code: "invalid",
    op: "cli.usage.gateway",
    message: `${text} is no address of a gateway`,
    hint: "Expected https://host or https://host:port.",
  });
}

import { GatehouseError } from "@gatehouse/kernel";
import type { CommandSignIn } from "../../identity/mod.ts";
import type { CommandSignInDoor } from "../door.ts";
import { isoTime } from "./page.ts";

export function createCommandSignInDoor(options: {
  commandSignIn: CommandSignIn;
  /** `https://gate.example.com`. */
  publicUrl(): string;
}): CommandSignInDoor {
  const { commandSignIn } = options;
  const pageUrl = () => `${options.publicUrl().replace(/\/$/, "")}/approve`;

  async function findAsked({ id, userCode }: { id?: string | undefined; userCode?: string | undefined }) {
    const code = userCode?.replaceAll(/[^A-Za-z]/g, "").toUpperCase();
    const found =
      code !== undefined && code !== ""
        ? await commandSignIn.find({ userCode: code })
        : id === undefined
          ? undefined
          : await commandSignIn.find({ id });
    if (found) return found;
    throw new GatehouseError({
      code: "not_found",
      op: "command_sign_in.get",
      message: "no command line waits for this",
      hint: "Compare the code, or begin again: a sign-in waits for ten minutes.",
    });
  }

  return {
    async ask(asked, remoteAddress) {
      const { callback, ...rest } = asked;
      const made = await commandSignIn.ask({ ...rest, remoteAddress, ...(callback && { callback }) });
      const { id, userCode } = made;
      return {
        id,
        url: userCode === undefined ? `${pageUrl()}?request=${id}` : pageUrl(),
        userCode: userCode === undefined ? null : `${userCode.slice(0, 4)}-${userCode.slice(4)}`,
        intervalMs: made.intervalMs,
        expiresAt: isoTime(made.expiresAtMs),
      };
    },
    async fetch({ id, verifier, code }, remoteAddress) {
      const fetched = await commandSignIn.fetch({ id, verifier, code, remoteAddress });
      if (fetched.status !== "done") return fetched;
      return { status: "done", token: fetched.token, expiresAt: isoTime(fetched.expiresAtMs) };
    },
    async get(query) {
      const { client, remoteAddress, callback, createdAtMs, expiresAtMs } = await findAsked(query);
      return {
        client,
        remoteAddress,
        ownMachine: callback !== undefined,
        createdAt: isoTime(createdAtMs),
        expiresAt: isoTime(expiresAtMs),
      };
    },
    async answer({ subject, via, session, remoteAddress }, { approve, ...named }) {
      // A token, or the session of another command line, must not make sessions.
      if (via !== "web")
        throw new GatehouseError({
          code: "denied",
          op: "command_sign_in.answer",
          message: "a sign-in is approved by a person in a browser",
          hint: "Open the page that the command names.",
        });
      const returnTo = await commandSignIn.answer(await findAsked(named), {
        approved: approve,
        user: subject,
        remoteAddress,
        mfaAtMs: session?.mfaAtMs,
      });
      return { returnTo: returnTo ?? null };
    },
  };
}

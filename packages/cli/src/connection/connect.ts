import { access, constants } from "node:fs/promises";
import { connect as connectSocket } from "node:net";
import { resolve } from "node:path";
import { type Client, createClient } from "@gatehouse/contracts/client";
import { unixFetch } from "@gatehouse/contracts/unix-fetch";
import { GatehouseError } from "@gatehouse/kernel";
import { type Command, Option } from "commander";
import type { Cli } from "../cli.ts";
import { createProfiles, originOf } from "./profiles.ts";

export type GatewayOptions = { gateway?: string; dataDir?: string };

export type Connection = {
  client: Client;
  /** For people: the socket's path or the gateway's address. */
  where: string;
};

export function withGateway(command: Command): Command {
  return command
    .option("--gateway <url>", "the gateway to ask, where you are signed in to several")
    .addOption(
      new Option("--data-dir <directory>", "the data directory of a gateway on this machine").env(
        "GATEHOUSE_DATA_DIR",
      ),
    );
}

/**
 * The administrator's socket where this person may open it, else the profile. What was asked for by name is used or fails;
 * only without a name is there a choice.
 */
export async function connect(options: GatewayOptions, cli: Cli): Promise<Connection> {
  if (options.gateway !== undefined) return byProfile(options.gateway, cli);
  const socket = resolve(cli.workingDirectory, options.dataDir ?? "data", "admin.sock");
  const state = await socketState(socket);
  if (state === "answers")
    return { client: createClient({ baseUrl: "http://admin", fetch: unixFetch(socket) }), where: socket };
  if (options.dataDir === undefined) return byProfile(undefined, cli);
  throw new GatehouseError({
    code: state === "refused" ? "denied" : "unavailable",
    op: "cli.connect",
    message: {
      absent: `there is no ${socket}`,
      refused: `you may not open ${socket}`,
      silent: `nobody answers on ${socket}`,
    }[state],
    hint:
      state === "refused"
        ? "Run this as the user that the gateway runs as, or sign in with `login`."
        : "Is the gateway running, with this data directory?",
  });
}

/** For what only a person does for themselves: never the administrator's socket. */
export const connectAsPerson = ({ gateway }: GatewayOptions, cli: Cli): Promise<Connection> =>
  byProfile(gateway, cli);

async function byProfile(gateway: string | undefined, cli: Cli): Promise<Connection> {
  const profiles = createProfiles(cli.env);
  const url = gateway === undefined ? undefined : originOf(gateway);
  const profile = await profiles.find(url);
  if (!profile)
    throw new GatehouseError({
      code: "unauthenticated",
      op: "cli.connect",
      message: url === undefined ? "you are not signed in to any gateway" : `you are not signed in to ${url}`,
      hint: `Sign in with \`${cli.command} login ${url ?? "https://gate.example.com"}\`, or name the data directory of a gateway on this machine with --data-dir.`,
    });
  if (profile.expiresAt !== null && Date.parse(profile.expiresAt) <= cli.clock.nowMs())
    throw new GatehouseError({
      code: "unauthenticated",
      op: "cli.connect",
      message: `your sign-in to ${profile.url} has expired`,
      hint: `Sign in again with \`${cli.command} login ${profile.url}\`.`,
    });
  return { client: createClient({ baseUrl: profile.url, token: profile.token }), where: profile.url };
}

/** A socket whose gateway died is still a file, so it is tried. */
async function socketState(path: string): Promise<"answers" | "absent" | "refused" | "silent"> {
  try {
    await access(path, constants.R_OK | constants.W_OK);
  } catch (error) {
    return (error as NodeJS.ErrnoException).code === "EACCES" ? "refused" : "absent";
  }
  return new Promise((done) => {
    const socket = connectSocket(path);
    socket.once("connect", () => {
      socket.destroy();
      done("answers");
    });
    socket.once("error", (error: NodeJS.ErrnoException) =>
      done(error.code === "EACCES" ? "refused" : "silent"),
    );
  });
}

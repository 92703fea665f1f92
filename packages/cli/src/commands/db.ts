import { spawn } from "node:child_process";
import { type FileHandle, mkdir, open as openFile, rm } from "node:fs/promises";
import { join } from "node:path";
import type { Entrance } from "@gatehouse/contracts/rest";
import { GatehouseError } from "@gatehouse/kernel";
import type { Command } from "commander";
import type { Cli } from "../cli.ts";
import { type GatewayOptions, connect, withGateway } from "../connection/mod.ts";
import { SilentExit, exitCodes, replaceFile } from "../output/mod.ts";
import {
  type Certified,
  certificatesFolder,
  withKeptCertificate,
  withPassingCertificate,
} from "./db-certificates.ts";
import { type DatabaseClient, type Way, clientOf } from "./db-clients.ts";
import { type OutputOptions, printerFor, withOutput } from "./options.ts";
import { targetCalled } from "./targets.ts";

type ConnectOptions = GatewayOptions & {
  login: string;
  database?: string;
  certificate?: boolean;
  everyTarget?: boolean;
};
type LoginOptions = OutputOptions & ConnectOptions & { optionsFile?: boolean };

export function addDb(program: Command, cli: Cli): void {
  const db = program.command("db").summary("databases through the gate, with their own clients");
  const aimed = (command: Command) =>
    command
      .argument("<target>")
      .requiredOption("--login <name>", "the account on it")
      .option(
        "--database <name>",
        "which database; left out, none, or in PostgreSQL the one that is called as the account",
      )
      .option("--certificate", "come with a certificate instead of a secret")
      .option("--every-target", "a certificate that is good for every database and login that you may open");

  withGateway(
    withOutput(
      aimed(
        db
          .command("login")
          .summary("print an address for any client, good for minutes")
          .description(
            "Prints a URI with a connection secret of yours. It opens new connections until it expires; those that are open stay. " +
              "With --certificate it makes a key pair here, has the gate certify it, and prints a URI that names the files of " +
              "both: no secret, and good for hours.",
          ),
      ).option("--options-file", "print an option file instead, for the clients of MySQL and MariaDB"),
    ),
  )
    .addHelpText(
      "after",
      `
Examples:
  $ psql "$(${cli.command} db login orders --login app --database shop)"
  $ psql "$(${cli.command} db login orders --login app --certificate)"
  $ mariadb --defaults-file=<(${cli.command} db login shop --login app --options-file)`,
    )
    .action(async (name: string, options: LoginOptions) => {
      await withWay(name, options, cli, withKeptCertificate, async ({ way, client, said }) => {
        const uri = client.uri(way);
        const shown = options.optionsFile ? client.optionsFile?.(way) : uri;
        if (shown === undefined)
          throw new GatehouseError({
            code: "invalid",
            op: "cli.db.login",
            message: `clients of ${way.entrance.protocol} read no option file`,
          });
        printerFor(cli, options).done({ ...way.entrance, ...said, uri }, shown);
      });
    });

  withGateway(
    aimed(db.command("connect").summary("run psql, mysql or mariadb through the gate")).argument(
      "[arguments...]",
      "of that program, behind --",
    ),
  )
    .addHelpText("after", `\nExample:\n  $ ${cli.command} db connect orders --login app -- -c 'select 1'`)
    .action((name: string, words: string[], options: ConnectOptions) =>
      withWay(name, options, cli, withPassingCertificate, (opened) => runClient(opened, words, cli)),
    );
}

type Opened = {
  way: Way;
  client: DatabaseClient;
  /** What else programs are told of it. */
  said: Record<string, unknown>;
};

async function withWay<T>(
  name: string,
  options: ConnectOptions,
  cli: Cli,
  certified: Certified,
  use: (opened: Opened) => Promise<T>,
): Promise<T> {
  const { client, where } = await connect(options, cli);
  const { login, database, everyTarget = false } = options;
  const target = await targetCalled(client, name);
  const opened = async (
    entrance: Entrance,
    proof: Way["proof"],
    said: Record<string, unknown>,
  ): Promise<Opened> => ({
    way: { entrance, gateFile: await keepGateCertificate(entrance, cli), proof, login, database },
    client: clientOf(entrance.protocol),
    said: { ...said, ...proof },
  });
  if (options.certificate || everyTarget)
    return certified(client, where, cli, { target, login, everyTarget }, async ({ made, ...files }) => {
      const { entrance, serial, expiresAt } = made;
      return use(await opened(entrance, files, { serial, expiresAt }));
    });
  const { password, expiresAt, ...entrance } = await client.targets.openConnection(target.id, login);
  return use(await opened(entrance, { password }, { expiresAt }));
}

/** Into a file, where clients look. */
async function keepGateCertificate({ host, port, certificate }: Entrance, cli: Cli): Promise<string> {
  const folder = certificatesFolder(cli.env);
  const file = join(folder, `${host}-${port}.pem`.replaceAll(/[^A-Za-z0-9.-]/g, "_"));
  await mkdir(folder, { recursive: true, mode: 0o700 });
  await replaceFile(file, certificate, 0o600);
  return file;
}

async function runClient({ way, client }: Opened, words: readonly string[], cli: Cli): Promise<void> {
  const { program, args, env, options: told } = await client.run(way, words);
  const read = told === undefined ? undefined : await openedAlone(told, cli);
  // What runs is stopped by Ctrl-C, and not who waits for it.
  const takeBack = cli.lendTerminal();
  const child = spawn(program, args, {
    stdio: ["inherit", "inherit", "inherit", ...(read ? [read.fd] : [])],
    env: { ...cli.env, ...env },
  });
  cli.signal.addEventListener("abort", () => child.kill(), { once: true });
  await read?.close();
  const code = await new Promise<number>((resolve, reject) => {
    child.once("error", (cause) =>
      reject(
        new GatehouseError({
          code: "unavailable",
          op: "cli.db.connect",
          message: client.missing,
          hint: `Or use another client with \`${cli.command} db login\`.`,
          cause,
        }),
      ),
    );
    child.once("exit", (status) => resolve(status ?? exitCodes.failed));
  }).finally(takeBack);
  if (code !== 0) throw new SilentExit(code);
}

/**
 * A file that has no name any more, so that it is gone with whoever reads it. A pipe of Node's is a socket, which nobody can
 * open by /dev/fd.
 */
async function openedAlone(text: string, cli: Cli): Promise<FileHandle> {
  const folder = certificatesFolder(cli.env);
  const path = join(folder, `${process.pid}.options`);
  try {
    await replaceFile(path, text, 0o600);
    return await openFile(path, "r");
  } finally {
    await rm(path, { force: true });
  }
}

import { spawn } from "node:child_process";
import { mkdir, writeFile } from "node:fs/promises";
import { dirname, join } from "node:path";
import { GatehouseError } from "@gatehouse/kernel";
import type { Command } from "commander";
import type { Cli } from "../cli.ts";
import { type GatewayOptions, connect, createProfiles, withGateway } from "../connection/mod.ts";
import { SilentExit, exitCodes } from "../output/mod.ts";
import { type DatabaseClient, type Way, clientOf } from "./db-clients.ts";
import { type OutputOptions, printerFor, withOutput } from "./options.ts";
import { targetCalled } from "./targets.ts";

type LoginOptions = OutputOptions &
  GatewayOptions & { login: string; database?: string; optionsFile?: boolean };
type ConnectOptions = GatewayOptions & { login: string; database?: string };

export function addDb(program: Command, cli: Cli): void {
  const db = program.command("db").summary("databases through the gate, with their own clients");
  const aimed = (command: Command) =>
    command
      .argument("<target>")
      .requiredOption("--login <name>", "the account on it")
      .option(
        "--database <name>",
        "which database; left out, none, or in PostgreSQL the one that is called as the account",
      );

  withGateway(
    withOutput(
      aimed(
        db
          .command("login")
          .summary("print an address for any client, good for minutes")
          .description(
            "Prints a URI with a connection secret of yours. It opens new connections until it expires; those that are open stay.",
          ),
      ).option("--options-file", "print an option file instead, for the clients of MySQL and MariaDB"),
    ),
  )
    .addHelpText(
      "after",
      `
Examples:
  $ psql "$(${cli.command} db login orders --login app --database shop)"
  $ mariadb --defaults-file=<(${cli.command} db login shop --login app --options-file)`,
    )
    .action(async (name: string, options: LoginOptions) => {
      const { way, client } = await open(name, options, cli);
      const uri = client.uri(way);
      const shown = options.optionsFile ? client.optionsFile?.(way) : uri;
      if (shown === undefined)
        throw new GatehouseError({
          code: "invalid",
          op: "cli.db.login",
          message: `clients of ${way.connection.protocol} read no option file`,
        });
      printerFor(cli, options).done({ ...way.connection, uri }, shown);
    });

  withGateway(
    aimed(db.command("connect").summary("run psql, mysql or mariadb through the gate")).argument(
      "[arguments...]",
      "of that program, behind --",
    ),
  )
    .addHelpText("after", `\nExample:\n  $ ${cli.command} db connect orders --login app -- -c 'select 1'`)
    .action((name: string, words: string[], options: ConnectOptions) => runClient(name, words, options, cli));
}

type Opened = { way: Way; client: DatabaseClient };

async function open(name: string, options: ConnectOptions, cli: Cli): Promise<Opened> {
  const { client } = await connect(options, cli);
  const target = await targetCalled(client, name);
  const connection = await client.targets.openConnection(target.id, options.login);
  const file = `${connection.host}-${connection.port}.pem`.replaceAll(/[^A-Za-z0-9.-]/g, "_");
  const certificateFile = join(dirname(createProfiles(cli.env).path), "certificates", file);
  await mkdir(dirname(certificateFile), { recursive: true, mode: 0o700 });
  await writeFile(certificateFile, connection.certificate, { mode: 0o600 });
  return {
    way: { connection, certificateFile, login: options.login, database: options.database },
    client: clientOf(connection.protocol),
  };
}

async function runClient(
  name: string,
  words: readonly string[],
  options: ConnectOptions,
  cli: Cli,
): Promise<void> {
  const { way, client } = await open(name, options, cli);
  const { program, args, env, options: told } = await client.run(way, words);
  const child = spawn(program, args, {
    stdio: ["inherit", "inherit", "inherit", ...(told === undefined ? [] : (["pipe"] as const))],
    env: { ...cli.env, ...env },
  });
  const pipe = child.stdio[3];
  if (pipe && "end" in pipe) pipe.on("error", () => undefined).end(told);
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
  });
  if (code !== 0) throw new SilentExit(code);
}

import { readFile } from "node:fs/promises";
import { resolve } from "node:path";
import type { RequestPolicyWrite, Role, RoleWrite } from "@gatehouse/contracts/rest";
import type { Command } from "commander";
import { parse, stringify } from "yaml";
import type { Cli } from "../cli.ts";
import { type GatewayOptions, connect, withGateway } from "../connection/mod.ts";
import { type OutputOptions, printerFor, usage, withOutput } from "./options.ts";

type Options = OutputOptions & GatewayOptions;

export function addRoles(program: Command, cli: Cli): void {
  const roles = program.command("roles").summary("what people can be, and what it allows");
  const answering = (command: Command) => withGateway(withOutput(command));

  answering(roles.command("ls").summary("list roles")).action(async (options: Options) => {
    const { client } = await connect(options, cli);
    const { items } = await client.roles.list();
    printerFor(cli, options).list(
      items,
      [
        { title: "name", value: (role) => role.name },
        { title: "", value: (role) => (role.builtIn ? "built in" : "") },
        { title: "allows", value: allowedBy, narrowTo: 20 },
        { title: "description", value: (role) => role.description, narrowTo: 20 },
      ],
      "no roles",
    );
  });
  answering(
    roles
      .command("show")
      .summary("one role, as `roles set` takes it")
      .description("Prints one role as YAML, as `roles set` takes it. A built-in one has nothing to set.")
      .argument("<name>"),
  ).action(async (name: string, options: Options) => {
    const { client } = await connect(options, cli);
    const role = await client.roles.get(name);
    printerFor(cli, options).done(role, role.builtIn ? role.description : yamlOf(role));
  });
  answering(
    roles
      .command("set")
      .summary("make a role of your own, or set the whole of it")
      .description(
        "Makes a role of your own, or sets the whole of it, from a YAML or JSON file. docs/access.md has the words. Nobody can give what they have not.",
      )
      .argument("<name>")
      .argument("<file>"),
  )
    .addHelpText("after", `\nExample:\n  $ ${cli.command} roles set db-reader db-reader.yaml`)
    .action(async (name: string, file: string, options: Options) => {
      const wanted = parse(await readFile(resolve(cli.workingDirectory, file), "utf8")) as RoleWrite | null;
      const { client } = await connect(options, cli);
      const role = await client.roles.set(name, wanted ?? {});
      printerFor(cli, options).done(role, `${role.name} is now:\n${yamlOf(role)}`);
    });
  answering(
    roles
      .command("policy")
      .summary("on which terms a role can be asked for, for a time")
      .description(
        "Prints on which terms a role, built in or your own, can be asked for, as YAML; or sets them, or takes them away. docs/access.md has the words. Only who may give the role says so, and only who may give it approves.",
      )
      .argument("<name>")
      .option("--set <file>", "a YAML or JSON file")
      .option("--remove", "nobody can ask for it any more"),
  ).action(async (name: string, options: Options & { set?: string; remove?: boolean }) => {
    if (options.set !== undefined && options.remove) throw usage("either --set or --remove");
    const wanted =
      options.set === undefined
        ? undefined
        : (parse(
            await readFile(resolve(cli.workingDirectory, options.set), "utf8"),
          ) as RequestPolicyWrite | null);
    const { client } = await connect(options, cli);
    const { requests } = options.remove
      ? await client.roles.removeRequests(name)
      : wanted === undefined
        ? await client.roles.get(name)
        : await client.roles.setRequests(name, wanted ?? {});
    printerFor(cli, options).done(
      requests,
      requests === null ? `nobody can ask for ${name}` : stringify(requests).trimEnd(),
    );
  });
  answering(roles.command("rm").summary("take away a role that nobody has").argument("<name>")).action(
    async (name: string, options: Options) => {
      const { client } = await connect(options, cli);
      const role = await client.roles.get(name);
      await client.roles.remove(name);
      printerFor(cli, options).done(role, `the role ${name} is no more`);
    },
  );
}

const allowedBy = ({ statements }: Role) =>
  [...new Set(statements.flatMap(({ actions }) => actions))].join(", ");

function yamlOf({ description, statements }: Role): string {
  return stringify({ description, statements }).trimEnd();
}

import type { DeclaredKind } from "@gatehouse/contracts/declared";
import { GatehouseError } from "@gatehouse/kernel";
import { Argument, type Command, Option } from "commander";
import { stringify } from "yaml";
import type { Cli } from "../cli.ts";
import { type GatewayOptions, connect, withGateway } from "../connection/mod.ts";
import { usage } from "./options.ts";

/** As `apply` has them; written here too, so that the help needs nothing else. */
const kinds = ["role", "user", "team", "target"] as const satisfies readonly DeclaredKind[];
const words = [...kinds.flatMap((kind) => [`${kind}s`, kind]), "all"];

export function addGet(program: Command, cli: Cli): void {
  withGateway(
    program
      .command("get")
      .summary("people, teams, roles and targets as `apply` takes them")
      .description(
        "Prints what the gate has as `apply` takes it: a document for each user, team, role of your own and target. Secrets are not among it, only which kind of credential a login has.",
      )
      .addArgument(new Argument("<kind>", "what to print").choices(words))
      .argument("[name]", "only the one of this name"),
  )
    .addOption(new Option("-o, --output <format>", "how to print").choices(["yaml", "json"]).default("yaml"))
    .addHelpText("after", `\nExample:\n  $ ${cli.command} get target web-01 > web-01.yaml`)
    .action(
      async (
        word: string,
        name: string | undefined,
        options: GatewayOptions & { output: "yaml" | "json" },
      ) => {
        if (word === "all" && name !== undefined) throw usage("say of which kind it is");
        const wanted = word === "all" ? kinds : kinds.filter((kind) => word === kind || word === `${kind}s`);
        const { currentThings, documentOf, isSaid } = await import("../declared/mod.ts");
        const { client } = await connect(options, cli);
        const all = await currentThings(client, wanted, (person) => name === undefined || person === name);
        const found = all.filter((known) => (name === undefined ? isSaid(known.thing) : known.name === name));
        if (name !== undefined && found.length === 0)
          throw new GatehouseError({
            code: "not_found",
            op: "cli.get",
            message: `there is no ${word.replace(/s$/, "")} ${name}`,
          });
        const documents = found.map(({ thing }) => documentOf(thing));
        cli.stdout.write(
          options.output === "json"
            ? `${JSON.stringify(documents, null, 2)}\n`
            : documents.map((document) => stringify(document)).join("---\n"),
        );
      },
    );
}

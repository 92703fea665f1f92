import type { Command } from "commander";
import type { Cli } from "../cli.ts";
import { type GatewayOptions, connect, withGateway } from "../connection/mod.ts";
import { again, usage } from "./options.ts";

type Options = GatewayOptions & { file?: string[]; dryRun?: boolean; secrets?: boolean; json?: boolean };

export function addApply(program: Command, cli: Cli): void {
  withGateway(
    program
      .command("apply")
      .summary("make people, teams, roles and targets as files say")
      .description(
        "Makes users, teams, roles and targets as YAML files say, in an order that works. All files are checked before anything is changed. What no file names stays as it is, and so do secrets. docs/declared.md has the words.",
      ),
  )
    .option("-f, --file <path>", "a file, a directory, or - for standard input; may be given again", again)
    .option("--dry-run", "only say what would become other")
    .option("--secrets", "also set credentials that the gate has already, from the files that `from` names")
    .option("--json", "what was found and done, for machines")
    .addHelpText(
      "after",
      `
Exit codes:
  0 all is as the files say, or --dry-run   1 a change failed; what was done before it stays
  2 the files are wrong; nothing was done   3 and 5 as ever, also where a change was refused

Example:
  $ ${cli.command} apply -f gate/ --dry-run
  $ ${cli.command} get all > gate.yaml && ${cli.command} apply -f gate.yaml`,
    )
    .action(async (options: Options) => {
      if (!options.file) throw usage("say which files: -f <path>", "`-f -` reads standard input.");
      // Loaded here alone: every other command works without it.
      const { carryOut, currentThings, diffLines, plan, readDeclared } = await import("../declared/mod.ts");
      const { workingDirectory, stdin } = cli;
      const written = await readDeclared(options.file, { workingDirectory, stdin });
      const withKeys = new Set(
        written.flatMap(({ thing }) => (thing.kind === "user" && thing.sshKeys ? [thing.name] : [])),
      );
      const { client } = await connect(options, cli);
      const kinds = new Set([...written.map(({ thing }) => thing.kind), "role", "user"] as const);
      const known = await currentThings(client, [...kinds], (name) => withKeys.has(name));
      const planned = await plan(written, known, { secretsAnew: options.secrets === true, workingDirectory });
      const { changes, unchanged } = planned;

      const done: string[] = [];
      const tell = (applied: boolean) => {
        const told = changes.map(({ steps: _steps, ...change }) => change);
        cli.stdout.write(`${JSON.stringify({ applied, changes: told, unchanged, done }, null, 2)}\n`);
      };
      const say = (line: string) => {
        if (!options.json) cli.stdout.write(`${line}\n`);
      };
      if (options.dryRun === true || changes.length === 0) {
        const color = paints(cli);
        for (const change of changes) for (const line of diffLines(change, color)) say(line);
        say(
          changes.length === 0
            ? `nothing to change: ${amount(unchanged)} as declared`
            : `${amount(changes.length)} would change, ${unchanged} as declared; nothing was done`,
        );
        if (options.json) tell(changes.length === 0);
        return;
      }
      try {
        await carryOut(planned, client, {
          done: (says) => {
            done.push(says);
            say(says);
          },
          signal: cli.signal,
        });
      } catch (error) {
        if (options.json) tell(false);
        throw error;
      }
      if (options.json) tell(true);
      else say(`${amount(changes.length)} changed, ${unchanged} were as declared`);
    });
}

const amount = (count: number) => `${count} ${count === 1 ? "thing" : "things"}`;

function paints({ stdout, env }: Cli) {
  const color = stdout.isTTY === true && !env["NO_COLOR"] && env["TERM"] !== "dumb";
  const paint = (begin: number, end: number) => (text: string) =>
    color ? `\u001b[${begin}m${text}\u001b[${end}m` : text;
  return { added: paint(32, 39), removed: paint(31, 39), bold: paint(1, 22) };
}

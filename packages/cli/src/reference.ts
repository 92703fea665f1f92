import type { Argument, Command, Option } from "commander";
import { exitCodes } from "./output/mod.ts";

const intro = `# The gatehouse command

Made from the command's own help; \`UPDATE_DOCS=1 node --test packages/cli/src/reference.test.ts\` writes it anew.

\`npm ci\` puts it beside the project: \`npx gatehouse\`, and \`npx tsh\` for fingers that know that name. It brings the Node it
needs; a machine's own is taken where it is version 26 or later.

## Which gateway

1. \`--gateway <url>\` takes the profile that \`login\` made for that gateway.
2. \`--data-dir <directory>\`, or \`GATEHOUSE_DATA_DIR\`, takes the administrator's socket \`admin.sock\` in the data directory of a
   gateway on this machine. Whoever may open that file is its administrator; nothing else is asked.
3. With neither: \`./data/admin.sock\` where somebody answers there, else the profile that was used to sign in last.

Profiles lie in \`~/.config/gatehouse/profiles.json\` (or below \`XDG_CONFIG_HOME\`), which only their owner can read. Secrets are
read from files, from standard input or from a question, never from the command line, and are never printed.

## What it prints

Every command that answers takes \`--format text|json|yaml\` and \`--json\`. JSON and YAML hold the words of the API, unshortened;
tables are for people, and are cut to the terminal. Times are in this machine's zone, or with \`--utc\` in UTC. Progress and
questions go to standard error, and progress only to a terminal. \`NO_COLOR\` is respected. \`GATEHOUSE_CLI_DEBUG=1\` adds where an
error came from.

## Exit codes

- \`${exitCodes.ok}\`: done
- \`${exitCodes.failed}\`: failed, or did not verify
- \`${exitCodes.usage}\`: the command line was wrong; nothing was done
- \`${exitCodes.denied}\`: not signed in, or not allowed
- \`${exitCodes.notFound}\`: no such thing
- \`${exitCodes.unavailable}\`: the gateway, or something it needs, does not answer
- \`${exitCodes.interrupted}\`: ended by Ctrl-C; 128 and the signal's number for other signals

## Playing

The player draws on a screen of its own and leaves the last one behind. What was recorded is never sent to the terminal: it runs
in a terminal inside the player, and its screen is drawn. So a recorded sequence cannot set a title, write to a clipboard or
make the terminal answer. Where the terminal is smaller than the recorded one, the part around the cursor is shown.

- space: pause, go on
- left, right: 5 seconds back, on
- \`[\`, \`]\`, or shift with left, right: 30 seconds back, on
- \`,\`, \`.\`: back, on to where something was shown: output, a statement with its outcome, an operation on a file, a connection
- \`0\` or home: to the start; \`G\` or end: to the end
- \`+\`, \`-\`: faster, slower
- \`q\` or Ctrl-C: quit

Without a terminal on standard output the recorded bytes are written as they are, at their pace.
`;

/** The command's reference, in Markdown: every command with what its help says. */
export function reference(program: Command): string {
  const parts = [intro, "## Commands\n"];
  const visit = (command: Command, path: string) => {
    const subcommands = command.commands.filter((sub) => sub.name() !== "help");
    if (subcommands.length === 0 || command.registeredArguments.length > 0)
      parts.push(section(command, path));
    for (const sub of subcommands) visit(sub, `${path} ${sub.name()}`);
  };
  for (const command of program.commands.filter((sub) => sub.name() !== "help"))
    visit(command, `${program.name()} ${command.name()}`);
  return parts.join("\n");
}

/** Told once, above. */
const answering = new Set(["--json", "--utc"]);
const asking = new Set(["--gateway", "--data-dir"]);

function section(command: Command, path: string): string {
  const words = command.registeredArguments.map((argument) =>
    argument.required ? `<${argument.name()}>` : `[${argument.name()}]`,
  );
  const about = command.description() || `${capital(command.summary())}.`;
  const described = command.registeredArguments.filter((argument) => argument.description !== "");
  const has = (flags: Set<string>) => command.options.some(({ long }) => flags.has(long ?? ""));
  const own = command.options.filter(
    ({ long }) =>
      !answering.has(long ?? "") && !asking.has(long ?? "") && !(long === "--format" && has(answering)),
  );
  const lines = [
    ...described.map((argument) => line(`<${argument.name()}>`, argument.description, argument)),
    ...own.map((option) => line(option.flags, option.description, option)),
  ];
  const shared = [
    ...(has(answering) ? ["`--format`, `--json`, `--utc`"] : []),
    ...(has(asking) ? ["`--gateway`, `--data-dir`"] : []),
  ].join(", ");
  if (shared !== "") lines.push(`- and ${shared}`);
  return `### ${[path, ...words].join(" ")}\n\n${about}\n${lines.length > 0 ? `\n${lines.join("\n")}\n` : ""}`;
}

function line(name: string, description: string, { argChoices, defaultValue }: Argument | Option): string {
  const choices = argChoices ? `: ${argChoices.map((choice) => `\`${choice}\``).join(", ")}` : "";
  const otherwise = typeof defaultValue === "string" ? ` (otherwise \`${defaultValue}\`)` : "";
  return `- \`${name}\`: ${description}${choices}${otherwise}`;
}

const capital = (text: string) => text.charAt(0).toUpperCase() + text.slice(1);

import { type Command, Argument } from "commander";
import type { Cli } from "../cli.ts";

const shells = ["bash", "zsh", "fish"] as const;
type Shell = (typeof shells)[number];

/** One command that can be typed: its words, what may follow them, its options and what those take. */
type Entry = {
  /** Empty for the command itself: `users keys`. */
  path: string;
  subcommands: { name: string; summary: string }[];
  options: { flags: string[]; summary: string; takesValue: boolean; choices: string[] }[];
  choices: string[];
};

export function addCompletion(program: Command, cli: Cli): void {
  program
    .command("completion")
    .summary("print a shell's completion script")
    .addArgument(new Argument("<shell>").choices([...shells]))
    .addHelpText(
      "after",
      `
Examples:
  $ source <(${cli.command} completion bash)
  $ ${cli.command} completion zsh > "\${fpath[1]}/_${cli.command}"
  $ ${cli.command} completion fish > ~/.config/fish/completions/${cli.command}.fish`,
    )
    .action((shell: Shell) => {
      cli.stdout.write(scripts[shell](cli.command, entriesOf(program)));
    });
}

/** Every command with its subcommands, the program first. */
function entriesOf(program: Command): Entry[] {
  const entries: Entry[] = [];
  const visit = (command: Command, path: string) => {
    const subcommands = command.commands.filter((sub) => sub.name() !== "help");
    entries.push({
      path,
      subcommands: subcommands.map((sub) => ({ name: sub.name(), summary: sub.summary() })),
      options: command.options
        .filter((option) => !option.hidden)
        .map((option) => ({
          flags: [option.long, option.short].filter((flag) => flag !== undefined && flag !== null),
          summary: option.description,
          takesValue: option.required || option.optional,
          choices: option.argChoices ?? [],
        })),
      choices: command.registeredArguments[0]?.argChoices ?? [],
    });
    for (const sub of subcommands) visit(sub, path === "" ? sub.name() : `${path} ${sub.name()}`);
  };
  visit(program, "");
  return entries;
}

const quoted = (text: string) => `'${text.replaceAll("'", `'\\''`)}'`;

function bash(name: string, entries: readonly Entry[]): string {
  const wordsOf = (entry: Entry) =>
    [
      ...entry.subcommands.map((sub) => sub.name),
      ...entry.choices,
      ...entry.options.flatMap((option) => option.flags),
    ].join(" ");
  const paths = entries
    .map((entry) => `    ${quoted(entry.path)}) words=${quoted(wordsOf(entry))} ;;`)
    .join("\n");
  const known = entries
    .filter((entry) => entry.path !== "")
    .map((entry) => quoted(entry.path))
    .join("|");
  const values = entries
    .flatMap((entry) =>
      entry.options
        .filter((option) => option.takesValue)
        .flatMap((option) =>
          option.flags.map(
            (flag) =>
              `    ${quoted(`${entry.path} ${flag}`)}) ${option.choices.length > 0 ? `COMPREPLY=($(compgen -W ${quoted(option.choices.join(" "))} -- "$current"))` : `compopt -o default`}; return ;;`,
          ),
        ),
    )
    .join("\n");
  return `# bash completion of ${name}; made by \`${name} completion bash\`
_${name}() {
  local current previous path word words i
  current=\${COMP_WORDS[COMP_CWORD]}
  previous=\${COMP_WORDS[COMP_CWORD-1]}
  COMPREPLY=()
  path=''
  for ((i = 1; i < COMP_CWORD; i++)); do
    word=\${COMP_WORDS[i]}
    case "\${path:+$path }$word" in
    ${known}) path="\${path:+$path }$word" ;;
    esac
  done
  case "$path $previous" in
${values}
  esac
  words=''
  case "$path" in
${paths}
  esac
  COMPREPLY=($(compgen -W "$words" -- "$current"))
  # Files and directories, where a command takes them.
  [[ \${#COMPREPLY[@]} -eq 0 ]] && compopt -o default
  return 0
}
complete -F _${name} ${name}
`;
}

function zsh(name: string, entries: readonly Entry[]): string {
  const described = (word: string, summary: string) =>
    quoted(`${word.replaceAll(":", "\\:")}:${summary.replaceAll("\n", " ")}`);
  const paths = entries
    .map((entry) => {
      const items = [
        ...entry.subcommands.map((sub) => described(sub.name, sub.summary)),
        ...entry.choices.map((choice) => described(choice, "")),
        ...entry.options.flatMap((option) => option.flags.map((flag) => described(flag, option.summary))),
      ];
      return `    ${quoted(entry.path)}) items=(${items.join(" ")}) ;;`;
    })
    .join("\n");
  const known = entries
    .filter((entry) => entry.path !== "")
    .map((entry) => quoted(entry.path))
    .join("|");
  const values = entries
    .flatMap((entry) =>
      entry.options
        .filter((option) => option.takesValue)
        .flatMap((option) =>
          option.flags.map(
            (flag) =>
              `    ${quoted(`${entry.path} ${flag}`)}) ${option.choices.length > 0 ? `compadd -- ${option.choices.map(quoted).join(" ")}` : "_files"}; return ;;`,
          ),
        ),
    )
    .join("\n");
  return `#compdef ${name}
# zsh completion of ${name}; made by \`${name} completion zsh\`
_${name}() {
  local path_ word
  local -a items
  path_=''
  for word in \${words[2,CURRENT-1]}; do
    case "\${path_:+$path_ }$word" in
    ${known}) path_="\${path_:+$path_ }$word" ;;
    esac
  done
  case "$path_ \${words[CURRENT-1]}" in
${values}
  esac
  case "$path_" in
${paths}
  esac
  _describe -t commands ${quoted(name)} items || _files
}
if [ "\${funcstack[1]}" = "_${name}" ]; then
  _${name} "$@"
elif (( \${+functions[compdef]} )); then
  compdef _${name} ${name}
fi
`;
}

function fish(name: string, entries: readonly Entry[]): string {
  // fish has no associative case; a function says whether the words so far are a path.
  const text = (value: string) =>
    `'${value.replaceAll("\\", "\\\\").replaceAll("'", "\\'").replaceAll("\n", " ")}'`;
  const known = entries
    .filter((entry) => entry.path !== "")
    .map((entry) => text(entry.path))
    .join(" ");
  const lines = entries.flatMap((entry) => {
    const when = `-n ${text(`__${name}_at ${entry.path === "" ? "''" : `"${entry.path}"`}`)}`;
    return [
      ...entry.subcommands.map(
        (sub) => `complete -c ${name} -f ${when} -a ${text(sub.name)} -d ${text(sub.summary)}`,
      ),
      ...entry.choices.map((choice) => `complete -c ${name} -f ${when} -a ${text(choice)}`),
      ...entry.options.map((option) => {
        const flags = option.flags.map((flag) =>
          flag.startsWith("--") ? `-l ${flag.slice(2)}` : `-s ${flag.slice(1)}`,
        );
        const value = !option.takesValue
          ? ""
          : option.choices.length > 0
            ? ` -x -a ${text(option.choices.join(" "))}`
            : " -r";
        return `complete -c ${name} ${when} ${flags.join(" ")}${value} -d ${text(option.summary)}`;
      }),
    ];
  });
  return `# fish completion of ${name}; made by \`${name} completion fish\`
function __${name}_at
    set -l path ''
    for word in (commandline -opc)[2..-1]
        set -l next (string trim "$path $word")
        if contains -- "$next" ${known}
            set path $next
        end
    end
    test "$path" = "$argv[1]"
end
${lines.join("\n")}
`;
}

const scripts = { bash, zsh, fish } as const satisfies Record<
  Shell,
  (name: string, entries: readonly Entry[]) => string
>;

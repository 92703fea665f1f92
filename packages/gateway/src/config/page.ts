import { type ConfigKey, configKeys } from "./keys.ts";
import type { Sections } from "./schema.ts";

/** The reference of the configuration as Markdown, made from the schema itself. */
export function configurationPage(sections: Sections): string {
  const keys = configKeys(sections);
  const sectionOf = (key: ConfigKey) => (key.path.includes(".") ? key.path.split(".")[0] : "general");
  const parts = [intro];
  let section: string | undefined;
  for (const key of keys) {
    if (sectionOf(key) !== section) parts.push(`## ${(section = sectionOf(key))}`);
    parts.push(entry(key));
  }
  return `${parts.join("\n\n")}\n`;
}

const intro = `# Configuration

<!-- Made by tools/configuration-page.ts from the schema. Change the schema, then run it. -->

A gateway reads one YAML file and the environment, once, at its start. Without either it is a working development gateway. \`gatehouse config check\` reads the configuration without starting anything and tells everything that is wrong with it at once: the place, the key, what is there and what is expected.

\`\`\`yaml
mode: production
data_dir: /var/lib/gatehouse
gateway_id: gate-1
web:
  listen: 127.0.0.1:3080
  public_url: https://gate.example.com
ssh:
  listen: 0.0.0.0:22
  public_address: gate.example.com:22
sessions:
  idle_timeout: 15m
\`\`\`

- **Environment.** Each key has a variable, which overrides the file: \`GATEHOUSE_\`, then the path in capitals with two underscores between its parts. Lists and numbers are written as in YAML: \`GATEHOUSE_SSH__ALLOWED_ENV="[LANG, LC_*]"\`. A variable that begins with \`GATEHOUSE_\` and belongs to no key is an error, as is an unknown key in the file; \`GATEHOUSE_CONFIG\` names the file itself.
- **Durations** are written with their unit: \`250ms\`, \`30s\`, \`15m\`, \`1h30m\`, \`365d\`.
- **Sizes** are powers of two: \`64 B\`, \`512 KiB\`, \`16 MiB\`, \`2 GiB\`, \`1 TiB\`.
- **Addresses** are \`host:port\`, an IPv6 host in brackets: \`[::1]:3022\`. Port 0 asks the system for a free one.
- A key with nothing after it says nothing: its default holds.`;

function entry({ path, variable, description, expected, ...key }: ConfigKey): string {
  const standing = "default" in key ? `Default: \`${written(key.default)}\`.` : "No default.";
  return `### \`${path}\`\n\n${description}\n\n${standing} Expected: ${expected}. Variable: \`${variable}\`.`;
}

/** A default as it would stand in the file. */
function written(value: unknown): string {
  return typeof value === "string" ? value : JSON.stringify(value);
}

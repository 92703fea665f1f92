import type { Command } from "commander";
import { renderUnicodeCompact } from "uqr";
import type { Cli } from "../cli.ts";
import {
  type GatewayOptions,
  connect,
  connectAsPerson,
  createProfiles,
  withGateway,
} from "../connection/mod.ts";
import { askSecret } from "../output/mod.ts";
import { type OutputOptions, printerFor, usage, withOutput } from "./options.ts";
import { ownerOf } from "./users.ts";

type Options = OutputOptions & GatewayOptions & { user?: string };

export function addMfa(program: Command, cli: Cli): void {
  const mfa = program.command("mfa").summary("your second factors");
  const answering = (command: Command) =>
    withGateway(withOutput(command)).option("--user <name>", "somebody else's, for administrators");
  const asPerson = (command: Command) =>
    withOutput(command).option("--gateway <url>", "the gateway to ask, where you are signed in to several");

  answering(mfa.command("ls").summary("list second factors")).action(async (options: Options) => {
    const { client } = await connect(options, cli);
    const printer = printerFor(cli, options);
    const { items } = await client.factors.list(await ownerOf(client, options));
    printer.list(
      items,
      [
        { title: "name", value: (factor) => factor.name },
        { title: "kind", value: (factor) => factor.kind },
        { title: "added", value: (factor) => printer.time(factor.createdAt) },
        { title: "last used", value: (factor) => printer.time(factor.lastUsedAt) },
        { title: "id", value: (factor) => factor.id },
      ],
      "no second factors",
    );
  });
  asPerson(
    mfa
      .command("add")
      .summary("add an authenticator app")
      .description(
        "Shows a secret for an authenticator app, as a picture and as text, and asks for a code that the app makes of it. With " +
          "your first second factor come recovery codes, shown once. Passkeys are added on your account page in a browser.",
      )
      .argument("[name]", "what you call it", "authenticator app"),
  ).action(async (name: string, options: OutputOptions & GatewayOptions) => {
    const { client } = await connectAsPerson(options, cli);
    const { ticket, secret, uri } = await client.factors.offerTotp();
    // Beside the answer: what is on standard output may be kept.
    cli.stderr.write(`${renderUnicodeCompact(uri, { ecc: "L" })}\nsecret: ${secret}\n`);
    const code = await askSecret("code that the app shows now:", cli);
    if (code === "") throw usage("nothing was given; nothing was added");
    const added = await client.factors.add({ ticket, name, code });
    const codes = added.recoveryCodes ?? [];
    printerFor(cli, options).done(
      added,
      [
        `added ${added.factor.name}`,
        ...(codes.length > 0 ? ["recovery codes, each good once, not shown again:", ...codes] : []),
      ].join("\n"),
    );
  });
  asPerson(
    mfa
      .command("verify")
      .summary("give a second factor once more")
      .description(
        "Some targets open only to who gave a second factor a short while ago. It counts for this sign-in, and for the SSH " +
          "certificate that came with it.",
      ),
  ).action(async (options: OutputOptions & GatewayOptions) => {
    const { client, where } = await connectAsPerson(options, cli);
    const code = await askSecret("code of your authenticator app, or a recovery code:", cli);
    if (code === "") throw usage("nothing was given");
    const { me, token } = await client.factors.stepUp({ code });
    if (token !== null) await createProfiles(cli.env).renew(where, token);
    const printer = printerFor(cli, options);
    printer.done({ gateway: where, mfaAt: me.mfaAt }, `second factor given, ${printer.time(me.mfaAt)}`);
  });
  asPerson(
    mfa
      .command("rename")
      .summary("call a second factor something else")
      .argument("<factor-id>", "from `mfa ls`")
      .argument("<name>"),
  ).action(async (id: string, name: string, options: OutputOptions & GatewayOptions) => {
    const { client } = await connectAsPerson(options, cli);
    const renamed = await client.factors.rename(id, { name });
    printerFor(cli, options).done(renamed, `${id} is called ${renamed.name}`);
  });
  answering(
    mfa.command("rm").summary("remove a second factor").argument("<factor-id>", "from `mfa ls`"),
  ).action(async (id: string, options: Options) => {
    const { client } = await connect(options, cli);
    await client.factors.remove(await ownerOf(client, options), id);
    printerFor(cli, options).done({ id }, `removed ${id}`);
  });
  asPerson(mfa.command("recovery-codes").summary("make other recovery codes, shown once")).action(
    async (options: OutputOptions & GatewayOptions) => {
      const { client } = await connectAsPerson(options, cli);
      const made = await client.factors.renewRecoveryCodes();
      printerFor(cli, options).done(made, made.recoveryCodes.join("\n"));
    },
  );
  withGateway(
    withOutput(
      mfa
        .command("reset")
        .summary("remove all of somebody's second factors")
        .description("For administrators. Their recovery codes go too, and all their sign-ins end.")
        .argument("<user>"),
    ),
  ).action(async (user: string, options: OutputOptions & GatewayOptions) => {
    const { client } = await connect(options, cli);
    await client.factors.reset(await ownerOf(client, { ...options, user }));
    printerFor(cli, options).done({ user }, `${user} has no second factor any more`);
  });
}

/** The `oidc-provider` package as a process of its own, with accounts that are told to it; `startProvider` is for tests. */
import { type ChildProcess, spawn } from "node:child_process";
import { fileURLToPath } from "node:url";

export type ProviderAccount = { email: string; email_verified: boolean; name: string; groups: string[] };
type Told = {
  port: number;
  client: { id: string; secret: string; redirectUri: string; signedOutUri: string };
  accounts: Record<string, ProviderAccount>;
};

export type Provider = { issuer: string; close(): Promise<void> };

/** By name, where the gate is reached by address: to a browser they are different sites, as in earnest. */
export const issuerAt = (port: number) => `http://localhost:${port}`;

export async function startProvider(told: Told): Promise<Provider> {
  const child: ChildProcess = spawn(
    process.execPath,
    [fileURLToPath(import.meta.url), JSON.stringify(told)],
    { stdio: ["ignore", "pipe", "pipe"] },
  );
  let said = "";
  await new Promise<void>((resolve, reject) => {
    child.stdout?.on("data", resolve);
    child.stderr?.on("data", (chunk: Buffer) => (said += chunk.toString()));
    child.once("exit", (code) => reject(new Error(`the provider ended with ${code}: ${said}`)));
  });
  return {
    issuer: issuerAt(told.port),
    close: () =>
      new Promise((resolve) => {
        child.removeAllListeners("exit");
        child.once("exit", () => resolve());
        child.kill("SIGKILL");
      }),
  };
}

async function serve({ port, client, accounts }: Told): Promise<void> {
  const { default: OidcProvider } = await import("oidc-provider");
  const provider = new OidcProvider(issuerAt(port), {
    clients: [
      {
        client_id: client.id,
        client_secret: client.secret,
        redirect_uris: [client.redirectUri],
        post_logout_redirect_uris: [client.signedOutUri],
      },
    ],
    claims: { openid: ["sub"], email: ["email", "email_verified"], profile: ["name", "groups"] },
    pkce: { required: () => true },
    findAccount: (_context, id) => {
      const account = accounts[id];
      return account && { accountId: id, claims: async () => ({ sub: id, ...account }) };
    },
  });
  const server = provider.listen(port, "127.0.0.1", () => process.stdout.write("open\n"));
  process.once("SIGTERM", () => server.close());
}

const [, program, words] = process.argv;
if (program === fileURLToPath(import.meta.url) && words !== undefined) await serve(JSON.parse(words) as Told);

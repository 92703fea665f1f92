import { type Client, createClient } from "@gatehouse/contracts/client";
import type { Me } from "@gatehouse/contracts/rest";
import { GatehouseError } from "@gatehouse/kernel";

export const signInByPassword = (url: string, name: string, password: string) =>
  signInAs(url, ({ auth }) => auth.signInByPassword({ name, password }));

/**
 * Signs in as a browser does: the gateway answers with a session in a cookie, and the same session is what the command shows
 * from then on.
 */
export async function signInAs(
  url: string,
  enter: (client: Client) => Promise<Me>,
): Promise<{ me: Me; token: string }> {
  let token: string | undefined;
  const client = createClient({
    baseUrl: url,
    async fetch(address, init) {
      const response = await fetch(address, init);
      for (const cookie of response.headers.getSetCookie()) {
        const value = /^[^=;]+=([^;]+)/.exec(cookie)?.[1];
        if (value !== undefined) token = decodeURIComponent(value);
      }
      return response;
    },
  });
  const me = await enter(client);
  if (token === undefined)
    throw new GatehouseError({
      code: "unavailable",
      op: "cli.login",
      message: `${url} let you in and gave no session`,
      hint: "Is something between here and the gateway that takes cookies away?",
    });
  return { me, token };
}

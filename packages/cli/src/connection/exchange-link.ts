import { createClient } from "@gatehouse/contracts/client";
import type { Me } from "@gatehouse/contracts/rest";
import { GatehouseError } from "@gatehouse/kernel";

/** The token in a sign-in link, or the text itself where it is the token alone. */
export function tokenIn(text: string): string {
  return /#(?:.*&)?token=([^&\s]+)/.exec(text)?.[1] ?? text.trim();
}

/**
 * Uses a one-time link up. The gateway answers as it answers a browser, with a session in a cookie; the same session is
 * what the command shows from then on.
 */
export async function exchangeLink(url: string, linkToken: string): Promise<{ me: Me; token: string }> {
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
  const me = await client.auth.exchangeLink(linkToken);
  if (token === undefined)
    throw new GatehouseError({
      code: "unavailable",
      op: "cli.login",
      message: `${url} took the link and gave no session`,
      hint: "Is something between here and the gateway that takes cookies away?",
    });
  return { me, token };
}

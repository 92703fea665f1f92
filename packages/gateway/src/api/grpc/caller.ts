import { type HandlerContext, createContextKey } from "@connectrpc/connect";
import { GatehouseError } from "@gatehouse/kernel";
import { bearerTokenIn } from "../bearer.ts";
import type { IdentityDoor, Principal } from "../door.ts";

/** Whoever a call comes from, and how to ask anew who that is. */
export type Caller = { principal: Principal; renew: () => Promise<Principal | undefined> };

export const callerKey = createContextKey<Caller | undefined>(undefined);
/** The address that a call came from, set by the listener. */
export const remoteAddressKey = createContextKey<string>("");

export async function callerOf(
  identity: Pick<IdentityDoor, "whoIs">,
  header: Headers,
  remoteAddress: string,
): Promise<Caller> {
  // A token stands in no other place: a URL or a cookie of a browser opens nothing here.
  const token = bearerTokenIn(header.get("authorization"));
  if (token === undefined) throw nobody();
  const credential = { kind: "bearer", token } as const;
  const from = { remoteAddress, api: "grpc" } as const;
  const renew = () => identity.whoIs(credential, { ...from, isAttended: false });
  const principal = await identity.whoIs(credential, from);
  if (!principal) throw nobody();
  return { principal, renew };
}

/** In a method that is not public. */
export function caller(context: Pick<HandlerContext, "values">): Caller {
  const found = context.values.get(callerKey);
  if (!found) throw nobody();
  return found;
}

function nobody(): GatehouseError {
  return new GatehouseError({
    code: "unauthenticated",
    op: "grpc.authenticate",
    message: "the call names no known caller",
    hint: "Send `authorization: Bearer <token>` with a token of yours.",
  });
}

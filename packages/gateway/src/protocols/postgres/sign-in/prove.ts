import { type Clock, type Random, fromUtf8, isGatehouseError } from "@gatehouse/kernel";
import { certificateTrust, openProof } from "../../../passage/mod.ts";
import type { ProvedSignIn } from "../../door.ts";
import { encodeMessage, frontend } from "../wire/messages.ts";
import { dialTarget, signIn } from "./target.ts";

/** Every cluster has it unless somebody dropped it; who may sign in is known before it is looked for. */
const database = "postgres";
const noSuchDatabase = "3D000";

/** Signs in and leaves again. */
export async function proveSignIn(
  { target, login, secret }: ProvedSignIn,
  { clock, random, timeoutMs }: { clock: Clock; random: Random; timeoutMs: number },
): Promise<void> {
  const trust = certificateTrust(target.hostTrust);
  const { password, certificate } = openProof(secret.kind, fromUtf8(secret.secret));
  const socket = await dialTarget({ ...target, trust }, clock, timeoutMs, certificate);
  try {
    await signIn(socket, {
      targetName: target.name,
      user: login,
      password,
      parameters: [["database", database]],
      clock,
      random,
      timeoutMs,
    });
    socket.end(encodeMessage(frontend.terminate, new Uint8Array()));
  } catch (error) {
    if (isGatehouseError(error) && error.details["sqlState"] === noSuchDatabase) return;
    throw error;
  }
}

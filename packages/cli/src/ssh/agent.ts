import { connect } from "node:net";
import type { PrivateKey } from "@gatehouse/gateway/ssh-keys";
import { GatehouseError, checkLimit, messageOf } from "@gatehouse/kernel";

/** draft-miller-ssh-agent §5.1. */
const number = {
  failure: 5,
  success: 6,
  requestIdentities: 11,
  identitiesAnswer: 12,
  removeIdentity: 18,
  addIdConstrained: 25,
} as const;
const constrainLifetime = 1;

/** OpenSSH's agent answers with no more (MAX_AGENT_REPLY_LEN). */
const replyBytesMax = 256 * 1024;
const answerTimeoutMs = 5_000;

export type AgentIdentity = { blob: Buffer; comment: string };

/** A person's ssh-agent. Each call is a connection of its own; rejects with `unavailable`. */
export type Agent = {
  list(): Promise<AgentIdentity[]>;
  /** Holds the key with its certificate, and forgets both after `lifetimeS`. */
  add(key: PrivateKey, certificate: Uint8Array, comment: string, lifetimeS: number): Promise<void>;
  remove(blob: Uint8Array): Promise<void>;
};

export function sshAgent(socketPath: string): Agent {
  async function request(type: number, expected: number, ...fields: Uint8Array[]): Promise<Buffer> {
    const body = Buffer.concat([Buffer.of(type), ...fields]);
    const answer = await exchange(socketPath, Buffer.concat([uint32(body.length), body]));
    if (answer[0] === expected) return answer.subarray(1);
    throw unusable("it refused");
  }
  return {
    async list() {
      const answer = await request(number.requestIdentities, number.identitiesAnswer);
      const found: AgentIdentity[] = [];
      let at = 4;
      const string = () => {
        const length = answer.readUInt32BE(at);
        at += 4 + length;
        if (at > answer.length) throw unusable("its answer is cut short");
        return answer.subarray(at - length, at);
      };
      for (let left = answer.readUInt32BE(0); left > 0; left--)
        found.push({ blob: string(), comment: string().toString("utf8") });
      return found;
    },
    async add(key, certificate, comment, lifetimeS) {
      const { d, x } = key.key.export({ format: "jwk" });
      if (key.public.type !== "ssh-ed25519" || d === undefined || x === undefined)
        throw new Error(`a key of type ${key.public.type} is not put into an agent`);
      const [secret, half] = [Buffer.from(d, "base64url"), Buffer.from(x, "base64url")];
      // §3.2.5: the certificate, then ENC(A) and k || ENC(A) as for the plain key.
      await request(
        number.addIdConstrained,
        number.success,
        string("ssh-ed25519-cert-v01@openssh.com"),
        string(certificate),
        string(half),
        string(Buffer.concat([secret, half])),
        string(comment),
        Buffer.of(constrainLifetime),
        uint32(lifetimeS),
      );
    },
    async remove(blob) {
      await request(number.removeIdentity, number.success, string(blob));
    },
  };
}

function exchange(socketPath: string, message: Buffer): Promise<Buffer> {
  return new Promise((resolve, reject) => {
    const socket = connect(socketPath);
    const fail = (why: string) => {
      socket.destroy();
      reject(unusable(why));
    };
    let kept = Buffer.alloc(0);
    socket.setTimeout(answerTimeoutMs, () => fail("it does not answer"));
    socket.on("error", (error) => fail(messageOf(error)));
    socket.on("close", () => fail("it hung up"));
    socket.on("data", (chunk: Buffer) => {
      kept = Buffer.concat([kept, chunk]);
      if (kept.length < 4) return;
      const length = kept.readUInt32BE(0);
      try {
        checkLimit("cli.agent", "answer of the ssh-agent in bytes", length, replyBytesMax);
      } catch (error) {
        return fail(messageOf(error));
      }
      if (length === 0 || kept.length < 4 + length) return;
      resolve(kept.subarray(4, 4 + length));
      socket.destroy();
    });
    socket.write(message);
  });
}

function unusable(why: string): GatehouseError {
  return new GatehouseError({
    code: "unavailable",
    op: "cli.agent",
    message: `the ssh-agent that SSH_AUTH_SOCK names cannot be used: ${why}`,
    hint: "Start one (`eval $(ssh-agent)`), or name a file with --identity-file.",
  });
}

function uint32(value: number): Buffer {
  const bytes = Buffer.alloc(4);
  bytes.writeUInt32BE(value);
  return bytes;
}
function string(value: Uint8Array | string): Buffer {
  const bytes = Buffer.from(value as Uint8Array);
  return Buffer.concat([uint32(bytes.length), bytes]);
}

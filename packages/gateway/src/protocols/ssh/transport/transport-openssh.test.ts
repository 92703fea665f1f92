import assert from "node:assert/strict";
import { execFileSync, spawn } from "node:child_process";
import { once } from "node:events";
import { type AddressInfo, connect, createServer } from "node:net";
import { after, before, describe, test } from "node:test";
import { systemRandom } from "@gatehouse/kernel";
import { type Sshd, installed, plainClient, startSshd } from "../../../../../../test/parts/openssh.ts";
import {
  certificateSigner,
  generateKey,
  issueCertificate,
  keySigner,
  publicKeyLine,
  writePrivateKey,
} from "../keys/mod.ts";
import { cipherNames, macNames } from "./cipher-suites.ts";
import type { HostKey, Negotiated } from "./door.ts";
import { keyExchangeNames } from "./key-exchange-methods.ts";
import { messageNumber } from "./messages.ts";
import { type End, openClient, openServer } from "./testing/ends.ts";
import { SshWriter } from "./wire.ts";

const systemProgram = "/usr/bin/ssh";
/** Another OpenSSH than the system's, for its newer key exchanges: a client of 9.9 or later has ML-KEM. */
const sshProgram = process.env["GATEHOUSE_TEST_SSH"] ?? systemProgram;

installed();
/** Why a case has to be left out: an OpenSSH before 9.9 has no ML-KEM. */
const known = new Map(
  [sshProgram, systemProgram].map((program) => [
    program,
    execFileSync(program, ["-Q", "kex"], { encoding: "utf8" }).split("\n"),
  ]),
);
function missing(program: string, one: Case): string | false {
  return one.kex !== undefined && !known.get(program)?.includes(one.kex)
    ? `${program} does not know ${one.kex}`
    : false;
}
const serviceRequest = new SshWriter().byte(messageNumber.serviceRequest).string("ssh-userauth").done();

const types = ["ed25519", "ecdsa-p256", "ecdsa-p384", "ecdsa-p521", "rsa"] as const;
const privateKeys = types.map((type) => generateKey(type));
const ca = generateKey("ed25519");
const certificates = privateKeys.map((key) =>
  issueCertificate({
    ca: keySigner(ca),
    key: key.public,
    kind: "host",
    keyId: "test",
    principals: ["127.0.0.1"],
    validAfter: 0n,
    validBefore: 2n ** 40n,
    serial: 1n,
    random: systemRandom,
  }),
);
const hostKeys: readonly HostKey[] = [
  ...privateKeys.map(keySigner),
  ...privateKeys.map((key, i) => certificateSigner(key, certificates[i] as (typeof certificates)[number])),
];
const hostKeyAlgorithms = hostKeys.flatMap((key) => key.algorithms);

/** What one combination asks of the other side, and what must have been agreed on. */
type Case = { kex?: string; hostKey?: string; cipher?: string; mac?: string };
const cases: readonly Case[] = [
  ...keyExchangeNames.map((kex) => ({ kex })),
  ...hostKeyAlgorithms.map((hostKey) => ({ hostKey })),
  ...cipherNames.map((cipher) => ({ cipher })),
  ...macNames.map((mac) => ({ cipher: "aes128-ctr", mac })),
];
const nameOf = (one: Case) => Object.values(one).join(" with ");

function check(negotiated: Negotiated, one: Case): void {
  if (one.kex) assert.equal(negotiated.kex, one.kex);
  if (one.hostKey) assert.equal(negotiated.hostKey, one.hostKey);
  if (one.cipher) assert.deepEqual([negotiated.cipherIn, negotiated.cipherOut], [one.cipher, one.cipher]);
  if (one.mac) assert.deepEqual([negotiated.macIn, negotiated.macOut], [one.mac, one.mac]);
}

describe("ssh as the client", () => {
  for (const one of cases)
    test(nameOf(one), { skip: missing(sshProgram, one) }, async () => {
      const options = [
        ...(one.kex ? ["-o", `KexAlgorithms=${one.kex}`] : []),
        ...(one.hostKey ? ["-o", `HostKeyAlgorithms=${one.hostKey}`] : []),
        ...(one.cipher ? ["-o", `Ciphers=${one.cipher}`] : []),
        ...(one.mac ? ["-o", `MACs=${one.mac}`] : []),
      ];
      const { end, log } = await serveSsh(options);
      assert.deepEqual(await end.packets(1), [Buffer.from(serviceRequest)]);
      check(end.transport.negotiated, one);
      end.transport.disconnect(2, "enough of that");
      const text = await log;
      assert.match(text, /SSH2_MSG_EXT_INFO received/);
      assert.match(text, /server-sig-algs=<ssh-ed25519,/);
      assert.match(text, /2: enough of that/);
      assert.equal(await end.closed, undefined);
    });

  test("prefers chacha20, and gets AES-GCM", async () => {
    const { end, log } = await serveSsh([]);
    await end.packets(1);
    check(end.transport.negotiated, { cipher: "aes128-gcm@openssh.com" });
    end.transport.destroy();
    await log;
  });

  test("takes part in our rekeys, and we in its", async () => {
    for (const side of ["ours", "theirs"] as const) {
      let signed = 0;
      const counting = hostKeys.map((key) => ({
        ...key,
        sign: (...args: Parameters<HostKey["sign"]>) => (signed++, key.sign(...args)),
      }));
      const { end, log } = await serveSsh(["-N", ...(side === "theirs" ? ["-o", "RekeyLimit=20K"] : [])], {
        hostKeys: counting,
        ...(side === "ours" ? { rekeyBytes: 20_000 } : {}),
      });
      await end.packets(1);
      end.transport.send(new SshWriter().byte(messageNumber.serviceAccept).string("ssh-userauth").done());
      await end.packets(2);
      // Authentication is another layer's: everybody is welcome here (RFC 4252 §5.2).
      end.transport.send(Buffer.of(52));
      await manyWords(end, () => signed > 3);
      end.transport.disconnect(2, "enough of that");
      assert.match(await log, /2: enough of that/);
    }
  });

  async function serveSsh(
    options: readonly string[],
    ours: Parameters<typeof openServer>[1] = {},
  ): Promise<{ end: End; log: Promise<string> }> {
    const server = createServer().listen(0, "127.0.0.1");
    await once(server, "listening");
    const { port } = server.address() as AddressInfo;
    const child = spawn(
      sshProgram,
      [...plainClient, ...options, "-vv", "-o", "LogLevel=DEBUG1", "-p", String(port), "x@127.0.0.1"],
      { stdio: ["ignore", "ignore", "pipe"] },
    );
    let text = "";
    child.stderr.on("data", (chunk: Buffer) => (text += chunk.toString()));
    const log = once(child, "close").then(() => text);
    const opened = Promise.race([
      once(server, "connection").then(([socket]) => openServer(socket, { hostKeys, ...ours })),
      log.then((all) => Promise.reject(new Error(`ssh ended: ${all}`))),
    ]);
    try {
      return { end: await opened, log };
    } finally {
      server.close();
    }
  }
});

describe("sshd as the server", () => {
  let sshd: Sshd;
  before(async () => {
    sshd = await startSshd({
      hostKeys: privateKeys.map((key) => writePrivateKey(key, { random: systemRandom })),
      hostCertificates: certificates.map((one, i) => publicKeyLine(one.blob, `host ${i}`)),
      extraConfig: [
        "KexAlgorithms +diffie-hellman-group14-sha256",
        `HostKeyAlgorithms ${hostKeyAlgorithms.join(",")}`,
      ],
    });
  });
  after(() => sshd.close());

  for (const one of cases)
    test(nameOf(one), { skip: missing(systemProgram, one) }, async () => {
      const seen: Uint8Array[] = [];
      const end = await openClient(connect(sshd.port, sshd.host), {
        hostKeyAlgorithms: one.hostKey ? [one.hostKey] : hostKeyAlgorithms,
        verifyHostKey: (blob) => void seen.push(blob),
        ...(one.kex ? { keyExchanges: [one.kex] } : {}),
        ...(one.cipher ? { ciphers: [one.cipher] } : {}),
        ...(one.mac ? { macs: [one.mac] } : {}),
      });
      check(end.transport.negotiated, one);
      const hostKey = hostKeys.find((key) => key.algorithms.includes(end.transport.negotiated.hostKey));
      assert.deepEqual(seen.map(Buffer.from), [Buffer.from((hostKey as HostKey).publicBlob)]);
      end.transport.send(serviceRequest);
      const accept = new SshWriter().byte(messageNumber.serviceAccept).string("ssh-userauth").done();
      assert.deepEqual(await end.packets(1), [Buffer.from(accept)]);
      assert.ok(end.transport.peerSignatureAlgorithms?.includes("ssh-ed25519"));
      end.transport.disconnect(11, "done");
      assert.equal(await end.closed, undefined);
    });

  test("takes part in our rekeys, and we in its", async () => {
    for (const side of ["ours", "theirs"]) {
      let verified = 0;
      const login = generateKey("ed25519");
      const sshd = await startSshd({
        authorizedKeys: [publicKeyLine(login.public.blob)],
        extraConfig: side === "theirs" ? ["RekeyLimit 20K"] : [],
      });
      try {
        const end = await openClient(connect(sshd.port, sshd.host), {
          ...(side === "ours" ? { rekeyBytes: 20_000 } : {}),
          hostKeyAlgorithms: ["ssh-ed25519"],
          verifyHostKey: () => void verified++,
        });
        end.transport.send(serviceRequest);
        await end.packets(1);
        // RFC 4252 §7.
        const request = new SshWriter()
          .byte(50)
          .string(sshd.user)
          .string("ssh-connection")
          .string("publickey")
          .bool(true)
          .string("ssh-ed25519")
          .string(login.public.blob)
          .done();
        const signed = new SshWriter().string(end.transport.sessionId).raw(request).done();
        end.transport.send(
          new SshWriter().raw(request).string(keySigner(login).sign("ssh-ed25519", signed)).done(),
        );
        const success = 52;
        while (end.received.at(-1)?.[0] !== success) await end.packets(end.received.length + 1);
        await manyWords(end, () => verified > 3);
        end.transport.disconnect(11, "done");
        assert.equal(await end.closed, undefined);
      } finally {
        await sshd.close();
      }
    }
  });
});

/** Asks, and wants answers, until enough rekeys have been. */
async function manyWords(end: End, enough: () => boolean): Promise<void> {
  const [globalRequest, requestFailure] = [80, 82];
  const ignored = Buffer.concat([Buffer.from([messageNumber.ignore, 0, 0, 0x10, 0]), Buffer.alloc(4096)]);
  const keepalive = new SshWriter().byte(globalRequest).string("keepalive@openssh.com").bool(true).done();
  const failures = () => end.received.filter((payload) => payload[0] === requestFailure).length;
  for (let asked = 1; !enough(); asked++) {
    assert.ok(asked < 500, "no rekeys");
    for (let i = 0; i < 3; i++) end.transport.send(ignored);
    end.transport.send(keepalive);
    while (failures() < asked) await end.packets(end.received.length + 1);
  }
}

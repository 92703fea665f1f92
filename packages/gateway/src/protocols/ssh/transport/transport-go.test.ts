import assert from "node:assert/strict";
import { type ChildProcess, execFileSync, spawn } from "node:child_process";
import { once } from "node:events";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { type AddressInfo, connect, createServer } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, before, describe, test } from "node:test";
import { keyExchangeNames } from "./key-exchange-methods.ts";
import { messageNumber } from "./messages.ts";
import { hostKey, openClient, openServer } from "./testing/ends.ts";
import { SshWriter } from "./wire.ts";

/**
 * A second implementation that knows ML-KEM, for machines whose OpenSSH does not yet: golang.org/x/crypto/ssh, built
 * here from a few lines. It needs Go and its module proxy, and a while to compile, so it has to be asked for.
 */
const skip =
  process.env["GATEHOUSE_TEST_GO"] === undefined
    ? "set GATEHOUSE_TEST_GO=1 to build a peer with Go (downloads golang.org/x/crypto)"
    : false;

const compiler = "go";
const module = `module peer

go 1.24.0

require golang.org/x/crypto v0.45.0
`;
const program = `package main

import (
	"crypto/ed25519"
	"crypto/rand"
	"fmt"
	"net"
	"os"

	"golang.org/x/crypto/ssh"
)

func main() {
	common := ssh.Config{KeyExchanges: []string{os.Args[2]}}
	if os.Args[1] == "client" {
		_, err := ssh.Dial("tcp", os.Args[3], &ssh.ClientConfig{
			Config: common, User: "x", HostKeyCallback: ssh.InsecureIgnoreHostKey(),
		})
		fmt.Println(err)
		return
	}
	_, key, _ := ed25519.GenerateKey(rand.Reader)
	signer, _ := ssh.NewSignerFromKey(key)
	config := &ssh.ServerConfig{Config: common, NoClientAuth: true}
	config.AddHostKey(signer)
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		panic(err)
	}
	fmt.Println(listener.Addr().(*net.TCPAddr).Port)
	conn, err := listener.Accept()
	if err != nil {
		panic(err)
	}
	_, _, _, err = ssh.NewServerConn(conn, config)
	fmt.Println(err)
}
`;

describe("golang.org/x/crypto/ssh", { skip }, () => {
  let directory: string;
  before(() => {
    directory = mkdtempSync(join(tmpdir(), "gatehouse-go-"));
    writeFileSync(join(directory, "go.mod"), module);
    writeFileSync(join(directory, "main.go"), program);
    const options = { cwd: directory, stdio: "pipe" } as const;
    execFileSync(compiler, ["mod", "tidy"], options);
    execFileSync(compiler, ["build", "-o", "peer", "."], options);
  });
  after(() => rmSync(directory, { recursive: true, force: true }));

  const run = (...args: string[]): ChildProcess =>
    spawn(join(directory, "peer"), args, { stdio: ["ignore", "pipe", "inherit"] });
  const line = async (child: ChildProcess) => String((await once(child.stdout!, "data"))[0]).trim();
  const serviceRequest = new SshWriter().byte(messageNumber.serviceRequest).string("ssh-userauth").done();
  const serviceAccept = new SshWriter().byte(messageNumber.serviceAccept).string("ssh-userauth").done();

  for (const kex of keyExchangeNames.filter((name) => name !== "diffie-hellman-group16-sha512")) {
    test(`as the client by ${kex}`, async () => {
      const server = createServer().listen(0, "127.0.0.1");
      await once(server, "listening");
      const child = run("client", kex, `127.0.0.1:${(server.address() as AddressInfo).port}`);
      const said = line(child);
      const [socket] = await once(server, "connection");
      const end = await openServer(socket, { hostKeys: [hostKey] });
      assert.equal(end.transport.negotiated.kex, kex);
      assert.deepEqual(await end.packets(1), [Buffer.from(serviceRequest)]);
      end.transport.disconnect(2, "enough of that");
      assert.match(await said, /enough of that/);
      server.close();
    });

    test(`as the server by ${kex}`, async () => {
      const child = run("server", kex);
      const end = await openClient(connect(Number(await line(child)), "127.0.0.1"));
      assert.equal(end.transport.negotiated.kex, kex);
      end.transport.send(serviceRequest);
      assert.deepEqual(await end.packets(1), [Buffer.from(serviceAccept)]);
      end.transport.disconnect(11, "done");
      await once(child, "close");
    });
  }
});

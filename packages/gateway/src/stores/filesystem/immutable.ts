import { execFile } from "node:child_process";

type Waiting = { path: string; resolve: () => void; reject: (error: Error) => void };

/**
 * Sets and clears the immutable attribute of files, which not even root can write to, rename or remove while it is set.
 * Node cannot make the ioctl, so it is e2fsprogs' `chattr`; one run serves all who came while the last one ran.
 */
export class ImmutableAttribute {
  readonly #queues: Record<"+i" | "-i", Waiting[]> = { "+i": [], "-i": [] };
  #running = false;

  /** Rejects with chattr's own words, such as that the file system has no such attribute. */
  set(path: string): Promise<void> {
    return this.#ask("+i", path);
  }
  clear(path: string): Promise<void> {
    return this.#ask("-i", path);
  }

  #ask(flag: "+i" | "-i", path: string): Promise<void> {
    return new Promise((resolve, reject) => {
      this.#queues[flag].push({ path, resolve, reject });
      this.#next();
    });
  }

  #next(): void {
    if (this.#running) return;
    const flag = this.#queues["-i"].length > 0 ? "-i" : "+i";
    // Fewer than a command line can hold.
    const batch = this.#queues[flag].splice(0, 100);
    if (batch.length === 0) return;
    this.#running = true;
    execFile("chattr", [flag, "--", ...batch.map((one) => one.path)], (error, _out, errors) => {
      this.#running = false;
      for (const one of batch)
        // With one bad path among many, all are told: each is asked for again alone by whoever cares.
        if (error) one.reject(new Error(errors.trim() || error.message));
        else one.resolve();
      this.#next();
    });
  }
}

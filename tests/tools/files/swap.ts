import { Worker } from "node:worker_threads";

/** A thread that swaps a folder and a link continuously. */
export interface Swaps {
  /** Returns the number of swaps. */
  count(): number;
  /** Ends the thread, with the folder in its place. */
  stop(): Promise<void>;
}

/** Starts a thread that swaps a folder and a link. */
export async function startSwaps(
  { root, folder, link }: { root: string; folder: string; link: string },
): Promise<Swaps> {
  const state = new Int32Array(new SharedArrayBuffer(8));
  const code = `
    import { renameSync } from "node:fs";
    import { parentPort, workerData } from "node:worker_threads";
    const { root, folder, link, state } = workerData;
    const [real, other, aside] = [folder, link, "aside"].map((name) => root + "/" + name);
    let made = 0;
    // A tool that creates folders may have created one while the path did not exist.
    const put = (from, to) => {
      for (;;) {
        try {
          return renameSync(from, to);
        } catch {
          renameSync(to, root + "/made-" + made++);
        }
      }
    };
    parentPort.postMessage("ready");
    while (Atomics.load(state, 0) === 0) {
      put(real, aside);
      put(other, real);
      put(real, other);
      put(aside, real);
      Atomics.add(state, 1, 1);
    }
    parentPort.postMessage("done");
  `;
  const worker = new Worker(new URL(`data:text/javascript,${encodeURIComponent(code)}`), {
    workerData: { root, folder, link, state },
  });
  const next = () => new Promise((resolve) => worker.once("message", resolve));
  await next();
  return {
    count: () => Atomics.load(state, 1),
    async stop() {
      const done = next();
      Atomics.store(state, 0, 1);
      await done;
      await worker.terminate();
    },
  };
}

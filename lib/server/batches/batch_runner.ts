import type { Caller } from "../../access/caller.ts";
import { toApiError } from "../../base/errors.ts";
import { LruMap } from "../../base/lru.ts";
import type { BatchItem, BatchQueue } from "../../durable/batch_queue.ts";
import type { Batch } from "../../durable/batch_store.ts";
import type { Admission } from "../../limits/limiter.ts";
import { logWarning } from "../../observability/log.ts";
import { nextTask } from "../../runtime/next_task.ts";
import type { GatewayContext } from "../context.ts";
import type { BatchCaller } from "./batch_caller.ts";
import { erroredItem, type ItemEnd, runItem } from "./run_item.ts";

/** Answers the requests of batches in the background. */
export interface BatchRunner {
  /**
   * Looks for work now. With the caller of a request about batches, its key serves the batches of the owner that need
   * the client's own key, which is never written to the disk.
   */
  wake(owner?: string, caller?: Caller): void;
  /** Starts no further requests. Those that run end by themselves, or with the gateway's shutdown. */
  stop(): void;
  /** Settles when the results of all requests that run are saved. */
  idle(): Promise<void>;
}

/** Options of {@linkcode startBatchRunner}. */
export interface BatchRunnerOptions extends Pick<GatewayContext, "clock" | "shutdown" | "newId"> {
  /** Returns the gateway with the settings in force. */
  gateway(): GatewayContext;
  queue: BatchQueue;
  /** Requests that run at the same time. */
  concurrency: number;
  /** Returns the names of the gateway's keys. Batches of other keys wait, and expire. @throws if they are unknown now. */
  clients(): Promise<ReadonlySet<string>>;
}

/** Time between two looks for work, of other gateways too, in milliseconds. */
const TICK_MS = 1000;

/** Requests of a batch that are closed at once: the database is locked meanwhile. */
const MAX_CLOSED_AT_ONCE = 500;

/** Owners whose keys are remembered. */
const MAX_OWNERS = 1000;

/** Starts to answer the requests of batches, also of those that an earlier gateway has left. */
export function startBatchRunner(
  { clock, shutdown, newId, gateway, queue, concurrency, clients }: BatchRunnerOptions,
): BatchRunner {
  const keys = new LruMap<string, string>(MAX_OWNERS);
  /** Owners whose limits are reached, until one of their requests ends or the next tick. */
  const blocked = new Set<string>();
  const ended: [BatchItem, ItemEnd][] = [];
  let running = 0;
  let lastBatch = 0;
  let filling = false;
  let wakeAgain = false;
  let stopped = false;
  let onIdle = () => {};

  const isStopped = () => stopped || shutdown.started;

  /** Logs a failure of the database, which the next tick tries again. */
  async function attempt(work: () => Promise<void> | void): Promise<void> {
    try {
      await work();
    } catch (error) {
      if (!isStopped()) logWarning("batches not continued, trying again", { error });
    }
  }

  async function tick(): Promise<void> {
    if (isStopped()) return;
    blocked.clear();
    await attempt(async () => {
      saveEnds();
      queue.recover();
      for (const batch of queue.active()) await closeIfOver(batch);
    });
    await fill();
  }

  /** Closes the waiting requests of a batch that was canceled or has expired. */
  async function closeIfOver({ number, status, expiresAt }: Batch): Promise<void> {
    const outcome = status === "canceling" ? "canceled" : clock.now() >= expiresAt ? "expired" : undefined;
    if (outcome === undefined) return;
    const options = { outcome, limit: MAX_CLOSED_AT_ONCE } as const;
    while (!isStopped() && queue.closePending(number, { ...options, now: clock.now() }) > 0) await nextTask();
  }

  /** Starts requests until all places are taken or no request can start. */
  async function fill(): Promise<void> {
    if (filling) {
      wakeAgain = true;
      return;
    }
    filling = true;
    await attempt(async () => {
      do {
        wakeAgain = false;
        while (running < concurrency && !isStopped() && await startNext());
      } while (wakeAgain && !isStopped());
    });
    filling = false;
  }

  /** Starts one request, of another batch each time. Returns false if there is none. */
  async function startNext(): Promise<boolean> {
    const names = await clients();
    const active = queue.active();
    const later = active.filter(({ number }) => number > lastBatch);
    const batch = [...later, ...active.slice(0, active.length - later.length)]
      .find((one) => isReady(one, names));
    if (batch === undefined) return false;
    lastBatch = batch.number;
    const { caller: kept, headers }: BatchCaller = JSON.parse(batch.caller);
    const caller: Caller = { ...kept, owner: batch.owner, key: keys.get(batch.owner) };
    let admission: Admission;
    try {
      admission = await gateway().limits.admit(caller);
    } catch (thrown) {
      rejectNext(batch, thrown);
      await nextTask(); // the rest of a batch may be rejected as well
      return true;
    }
    const item = claim(batch, admission);
    if (item === undefined) return true;
    running++;
    void run(item, { batch, caller, headers, admission });
    return true;
  }

  /** Claims a request of a batch. Without one, the admission is released. */
  function claim({ number }: Batch, admission: Admission): BatchItem | undefined {
    let item: BatchItem | undefined;
    try {
      if (!isStopped()) item = queue.claim(number, clock.now());
      return item;
    } finally {
      if (item === undefined) admission.release();
    }
  }

  function isReady({ number, owner, status, caller, expiresAt }: Batch, names: ReadonlySet<string>): boolean {
    const { caller: { client } }: BatchCaller = JSON.parse(caller);
    return status === "in_progress" && clock.now() < expiresAt && !blocked.has(owner) &&
      names.has(client) &&
      (!needsKey(owner) || keys.get(owner) !== undefined) && queue.hasPending(number, clock.now());
  }

  /** True if the upstream is called with the key of the client, which only a request of the client brings. */
  function needsKey(owner: string): boolean {
    return owner.startsWith("local:") && gateway().config.openrouterApiKey === undefined;
  }

  /** A reached limit is waited for. A spent budget ends the request. */
  function rejectNext({ number, owner }: Batch, thrown: unknown): void {
    const error = toApiError(thrown);
    if (error.retryable) return void blocked.add(owner);
    const item = queue.claim(number, clock.now());
    if (item === undefined) return;
    ended.push([item, erroredItem(error, newId("req_"))]);
    saveEnds();
  }

  async function run(
    item: BatchItem,
    options: { batch: Batch; caller: Caller; headers: BatchCaller["headers"]; admission: Admission },
  ): Promise<void> {
    const result = await runItem(item, { gateway: gateway(), ...options });
    ended.push([item, result]);
    await attempt(saveEnds);
    running--;
    blocked.delete(options.batch.owner);
    if (running === 0) onIdle();
    await fill();
  }

  /** Saves what has ended. What the database does not take is saved with the next tick. */
  function saveEnds(): void {
    for (let next = ended[0]; next !== undefined; next = ended[0]) {
      const [item, result] = next;
      if ("retryAt" in result) queue.release(item, result);
      else queue.finish(item, { ...result, now: clock.now() });
      ended.shift();
    }
  }

  const cancelTick = clock.every(TICK_MS, () => void tick());
  void tick();
  return {
    wake(owner, caller) {
      if (owner !== undefined && caller?.key !== undefined) keys.set(owner, caller.key);
      void fill();
    },
    stop() {
      stopped = true;
      cancelTick();
    },
    idle: () => running === 0 ? Promise.resolve() : new Promise((resolve) => onIdle = resolve),
  };
}

import type { Caller } from "../../access/caller.ts";
import { toApiError } from "../../base/errors.ts";
import { LruMap } from "../../base/lru.ts";
import type { BatchItem, BatchQueue } from "../../durable/batch_queue.ts";
import type { Batch } from "../../durable/batch_store.ts";
import { type Engine, EngineError } from "../../durable/engine.ts";
import type { Admission } from "../../limits/admission.ts";
import { logWarning } from "../../observability/log.ts";
import { createRepeatedWarning } from "../../observability/repeated_warning.ts";
import { nextTask } from "../../runtime/next_task.ts";
import type { GatewayContext } from "../context.ts";
import { type KeptCaller, needsClientKey } from "../kept_caller.ts";
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
  /** Has requests answered by any gateway, except those that need the client's own key. */
  engine?: Engine | undefined;
  /** Requests that run at the same time. */
  concurrency: number;
  /**
   * Returns the names of the gateway's keys. Batches of other keys wait, and expire.
   *
   * @throws if they are unknown now.
   */
  clients(): Promise<ReadonlySet<string>>;
}

/** Time between two looks for work, of other gateways too, in milliseconds. */
const TICK_MS = 1000;

/** Requests of a batch that are closed at once: the database is locked meanwhile. */
const MAX_CLOSED_AT_ONCE = 500;

/** Pause before a request is given to the engine again that has not taken it, in milliseconds. */
const ENGINE_PAUSE_MS = 5000;

/** Owners whose keys are remembered. */
const MAX_OWNERS = 1000;

/** Starts to answer the requests of batches, also of those that an earlier gateway has left. */
export function startBatchRunner(
  { clock, shutdown, newId, gateway, queue, engine, concurrency, clients }: BatchRunnerOptions,
): BatchRunner {
  const keys = new LruMap<string, string>(MAX_OWNERS);
  /** Owners whose limits are reached, until one of their requests ends or the next tick. */
  const blocked = new Set<string>();
  const ended: [BatchItem, ItemEnd][] = [];
  let saving = Promise.resolve();
  let running = 0;
  let lastBatch = 0;
  let filling = false;
  let wakeAgain = false;
  let stopped = false;
  let onIdle = () => {};

  const warn = createRepeatedWarning("batches not continued, trying again", { clock });
  const isStopped = () => stopped || shutdown.started;

  /** Logs a failure of the database, which the next tick tries again. */
  async function attempt(work: () => Promise<void> | void): Promise<void> {
    try {
      await work();
    } catch (error) {
      if (!isStopped()) warn(error);
    }
  }

  async function tick(): Promise<void> {
    if (isStopped()) return;
    blocked.clear();
    await attempt(async () => {
      await saveEnds();
      await queue.recover();
      for (const batch of await queue.active()) await closeIfOver(batch);
    });
    await fill();
  }

  /** Closes the waiting requests of a batch that was canceled or has expired. */
  async function closeIfOver({ number, status, expiresAt }: Batch): Promise<void> {
    const outcome = status === "canceling" ? "canceled" : clock.now() >= expiresAt ? "expired" : undefined;
    if (outcome === undefined) return;
    const options = { outcome, limit: MAX_CLOSED_AT_ONCE } as const;
    while (!isStopped() && await queue.closePending(number, { ...options, now: clock.now() }) > 0) {
      await nextTask();
    }
  }

  /** Starts requests until all places are taken or no request can start. */
  async function fill(): Promise<void> {
    if (filling) {
      wakeAgain = true;
      return;
    }
    filling = true;
    await attempt(async () => {
      try {
        do {
          wakeAgain = false;
          // A result that cannot be saved takes a place, so that few are in memory.
          while (running + ended.length < concurrency && !isStopped() && await startNext());
        } while (wakeAgain && !isStopped());
      } finally {
        filling = false; // in the same task as the last look at `wakeAgain`, which may be set in the next one
      }
    });
  }

  /** Starts one request, of another batch each time. Returns false if there is none. */
  async function startNext(): Promise<boolean> {
    const batch = await findReady();
    if (batch === undefined) return false;
    lastBatch = batch.number;
    const { caller: kept, headers }: KeptCaller = JSON.parse(batch.caller);
    const caller: Caller = { ...kept, owner: batch.owner, key: keys.get(batch.owner) };
    if (engine !== undefined && !needsKey(batch.owner)) return await startJob(batch, engine);
    let admission: Admission;
    blocked.add(batch.owner); // until it is admitted, or until one of its requests ends meanwhile
    try {
      admission = await gateway().limits.admit(caller);
      blocked.delete(batch.owner);
    } catch (thrown) {
      await rejectNext(batch, thrown);
      await nextTask(); // the rest of a batch may be rejected as well
      return true;
    }
    const item = await claim(batch, admission);
    if (item === undefined) return true;
    void run(batch.owner, async () => {
      ended.push([item, await runItem(item, { gateway: gateway(), batch, caller, headers, admission })]);
    });
    return true;
  }

  /** Has the engine answer one request. The job that answers it waits for the limits, and saves the result. */
  async function startJob({ number, id, owner }: Batch, engine: Engine): Promise<boolean> {
    const item = await queue.claim(number, clock.now());
    if (item === undefined) return true;
    const { nth, attempts } = item;
    void run(owner, async () => {
      let given = attempts + 1;
      try {
        await engine.run({ kind: "item", batch: number, id, nth, attempts });
      } catch (error) {
        if (!isStopped()) {
          logWarning("request of a batch not answered by the engine, trying again", { error });
        }
        if (!(error instanceof EngineError)) given = attempts;
      }
      // Changes nothing if the job has ended the request or given it back.
      ended.push([item, { attempts: given, retryAt: clock.now() + ENGINE_PAUSE_MS }]);
    });
    return true;
  }

  /** Returns the next batch in turn that has a request which may start. */
  async function findReady(): Promise<Batch | undefined> {
    const names = await clients();
    const active = await queue.active();
    const later = active.filter(({ number }) => number > lastBatch);
    for (const batch of [...later, ...active.slice(0, active.length - later.length)]) {
      if (isOpen(batch, names) && await queue.hasPending(batch.number, clock.now())) return batch;
    }
    return undefined;
  }

  /** Claims a request of a batch. Without one, the admission is released. */
  async function claim({ number }: Batch, admission: Admission): Promise<BatchItem | undefined> {
    let item: BatchItem | undefined;
    try {
      if (!isStopped()) item = await queue.claim(number, clock.now());
      return item;
    } finally {
      if (item === undefined) admission.release();
    }
  }

  function isOpen({ owner, status, caller, expiresAt }: Batch, names: ReadonlySet<string>): boolean {
    const { caller: { client } }: KeptCaller = JSON.parse(caller);
    return status === "in_progress" && clock.now() < expiresAt && !blocked.has(owner) &&
      names.has(client) && (!needsKey(owner) || keys.get(owner) !== undefined);
  }

  const needsKey = (owner: string) => needsClientKey(owner, gateway().config);

  /** A reached limit is waited for. A spent budget ends the request. */
  async function rejectNext({ number, owner }: Batch, thrown: unknown): Promise<void> {
    const error = toApiError(thrown);
    if (error.retryable) return;
    blocked.delete(owner);
    const item = await queue.claim(number, clock.now());
    if (item === undefined) return;
    ended.push([item, erroredItem(error, newId("req_"))]);
    await saveEnds();
  }

  /** Takes a place while a request is answered. */
  async function run(owner: string, answer: () => Promise<void>): Promise<void> {
    running++;
    await answer();
    await attempt(saveEnds);
    running--;
    blocked.delete(owner);
    if (running === 0) onIdle();
    // Bun runs the answers of fast upstreams before other requests, for seconds.
    await nextTask();
    await fill();
  }

  /** Saves what has ended, after what is being saved. What the database does not take is saved with the next tick. */
  function saveEnds(): Promise<void> {
    const next = saving.then(saveAll);
    saving = next.catch(() => {}); // who waits for it receives the error
    return next;
  }

  async function saveAll(): Promise<void> {
    while (ended.length > 0) {
      const saved = await Promise.allSettled(ended.splice(0).map(save));
      const failed = saved.find(({ status }) => status === "rejected");
      if (failed?.status === "rejected") throw failed.reason;
    }
  }

  async function save(next: [BatchItem, ItemEnd]): Promise<void> {
    const [item, result] = next;
    try {
      if ("retryAt" in result) await queue.release(item, result);
      else await queue.finish(item, { ...result, now: clock.now() });
    } catch (error) {
      ended.push(next);
      throw error;
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

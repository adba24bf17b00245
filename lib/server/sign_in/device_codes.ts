import type { Clock } from "../../runtime/clock.ts";
import { newUserCode } from "../../runtime/ids.ts";

/** Lifetime of the codes of a sign-in, in seconds. */
export const CODE_LIFETIME_S = 600;
/** Time that a client waits between two polls, in seconds. */
export const POLL_INTERVAL_S = 5;

/** Wrong keys with one code, after which its sign-in is denied. */
const MAX_WRONG_KEYS = 5;
/** Wrong entries of all codes together in a minute: a code has 34 bits. */
const MAX_WRONG_ENTRIES = 30;
const MINUTE_MS = 60_000;
/** Sign-ins that wait at the same time. A further one ends the oldest: anybody can start one. */
const MAX_WAITING = 10_000;
/** A client's timer may be early by this much, in milliseconds. */
const EARLY_MS = 1000;

/** The key that a sign-in was approved with. */
export interface ApprovedKey {
  key: string;
  binding: string;
}

/** Result of a poll, in the words of RFC 8628. */
export type Poll =
  | { state: "authorization_pending" | "slow_down" | "access_denied" | "expired_token" }
  | {
    state: "approved";
    key: ApprovedKey;
    /** Lets the device poll again, if its token could not be kept. */
    restore(): void;
  };

/** A sign-in that has not ended. */
interface Waiting {
  userCode: string;
  until: number;
  polledAt: number;
  wrongKeys: number;
  approved?: ApprovedKey;
}

/**
 * Sign-ins of devices, in memory: a code for the device and one for its user, each for a single use within ten minutes.
 * Source: https://www.rfc-editor.org/rfc/rfc8628
 */
export class DeviceCodes {
  readonly #clock: Clock;
  readonly #newId: (prefix: string) => string;
  /** By device code, the oldest first. */
  readonly #waiting = new Map<string, Waiting>();
  #wrongEntries = 0;
  #minute = 0;

  constructor({ clock, newId }: { clock: Clock; newId(prefix: string): string }) {
    this.#clock = clock;
    this.#newId = newId;
  }

  /** Starts a sign-in. */
  start(): { deviceCode: string; userCode: string } {
    for (const [code, { until }] of this.#waiting) {
      if (until > this.#clock.now() && this.#waiting.size < MAX_WAITING) break;
      this.#waiting.delete(code);
    }
    const deviceCode = this.#newId("gwd_");
    let userCode = newUserCode();
    while (this.#find(userCode) !== undefined) userCode = newUserCode();
    const until = this.#clock.now() + CODE_LIFETIME_S * 1000;
    this.#waiting.set(deviceCode, { userCode, until, polledAt: -Infinity, wrongKeys: 0 });
    return { deviceCode, userCode };
  }

  /**
   * Tries an entry of a user: approves the sign-in of a code if `check` returns a key. Wrong entries are counted before
   * they are checked, so that entries at the same time do not exceed the bounds.
   */
  async enter(
    userCode: string,
    check: () => Promise<ApprovedKey | undefined>,
  ): Promise<"approved" | "unknown_code" | "wrong_key" | "too_many"> {
    const minute = Math.floor(this.#clock.now() / MINUTE_MS);
    if (minute !== this.#minute) this.#wrongEntries = 0;
    this.#minute = minute;
    if (this.#wrongEntries >= MAX_WRONG_ENTRIES) return "too_many";
    this.#wrongEntries++;
    const [deviceCode, waiting] = this.#find(userCode) ?? [];
    if (deviceCode === undefined || waiting === undefined) return "unknown_code";
    waiting.wrongKeys++;
    const uncount = () => {
      waiting.wrongKeys--;
      this.#wrongEntries = Math.max(0, this.#wrongEntries - 1);
    };
    const key = await check().catch((error) => {
      uncount(); // an entry that could not be checked is not wrong
      throw error;
    });
    if (key === undefined) return "wrong_key";
    // The code may have been used, denied or dropped, or have expired, in the meantime.
    const isWaiting = this.#waiting.get(deviceCode) === waiting && waiting.until > this.#clock.now();
    if (waiting.approved !== undefined || !isWaiting) return "unknown_code";
    uncount();
    waiting.approved = key;
    return "approved";
  }

  /** Returns the state of a sign-in for its device. One that was approved or denied ends with this. */
  poll(deviceCode: string): Poll {
    const waiting = this.#waiting.get(deviceCode);
    const now = this.#clock.now();
    if (waiting === undefined || waiting.until <= now) return { state: "expired_token" };
    if (waiting.approved !== undefined) {
      this.#waiting.delete(deviceCode);
      const restore = () => void this.#waiting.set(deviceCode, waiting);
      return { state: "approved", key: waiting.approved, restore };
    }
    if (waiting.wrongKeys >= MAX_WRONG_KEYS) {
      this.#waiting.delete(deviceCode);
      return { state: "access_denied" };
    }
    const isEarly = now - waiting.polledAt < POLL_INTERVAL_S * 1000 - EARLY_MS;
    waiting.polledAt = now;
    return { state: isEarly ? "slow_down" : "authorization_pending" };
  }

  /** Finds a sign-in that a user can still approve. */
  #find(userCode: string): [deviceCode: string, Waiting] | undefined {
    const now = this.#clock.now();
    return [...this.#waiting].find(([, waiting]) =>
      waiting.userCode === userCode && waiting.until > now && waiting.approved === undefined &&
      waiting.wrongKeys < MAX_WRONG_KEYS
    );
  }
}

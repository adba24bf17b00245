import { ApiError, type ApiErrorOptions } from "./errors.ts";

/** A failure of a store of the gateway, such as its data store or Redis. The operator must act, not the client. */
export class StoreError extends ApiError {
  /** Why the store failed, without a path. */
  readonly reason: string;

  private constructor(message: string, reason: string, options: ApiErrorOptions) {
    super(options.retryAfter === undefined ? "api_error" : "overloaded_error", message, options);
    this.reason = reason;
  }

  /** Returns the error for a store that fails, such as one whose disk is full: `api_error`. */
  static failed(store: string, { reason, cause }: { reason: string; cause: unknown }): StoreError {
    return new StoreError(`Cannot use the gateway's ${store}: ${reason}`, reason, { cause });
  }

  /** Returns the error for a store that does not answer. Clients repeat the request: `overloaded_error`. */
  static unreachable(
    store: string,
    { task = "accept the request", cause }: { task?: string; cause: unknown },
  ): StoreError {
    const message = `Cannot ${task}: the ${store} is unreachable`;
    return new StoreError(message, "it is unreachable", { retryAfter: "5", cause });
  }

  override toFinal(): StoreError {
    const { message, reason, retryAfter, cause } = this;
    return new StoreError(message, reason, {
      final: true,
      cause,
      ...(retryAfter !== undefined && { retryAfter }),
    });
  }
}

import { Duplex } from "node:stream";
import type { ReadableStream, WritableStream } from "node:stream/web";

/** The part of Deno's API that is used here; undefined on other runtimes. */
declare const Deno: {
  connect(options: { hostname: string; port: number }): Promise<DenoConnection>;
  startTls(
    connection: DenoConnection,
    options: { hostname: string; caCerts: string[]; alpnProtocols: string[] },
  ): Promise<DenoConnection & { handshake(): Promise<unknown> }>;
} | undefined;

interface DenoConnection {
  readonly readable: ReadableStream<Uint8Array>;
  readonly writable: WritableStream<Uint8Array>;
  close(): void;
}

/** Address to connect to, and the name that the certificate must have. */
export interface TlsTarget {
  readonly address: string;
  readonly port: number;
  readonly hostname: string;
  /** Certificate of an authority that is trusted besides Deno's own list. */
  readonly ca?: string | undefined;
  readonly signal: AbortSignal;
}

/** True on Deno, whose `node:tls` needs permission to read the certificates of the system. */
export const USES_DENO_TLS = typeof Deno !== "undefined";

/**
 * Opens a TLS connection by Deno's own API, which trusts Deno's own list of authorities and needs `--allow-net` only.
 *
 * @throws an error with a `code` as on Node, if the connection fails or the certificate is not trusted.
 * @throws the reason of the signal, if it fires meanwhile.
 */
export async function openDenoTls({ address, port, hostname, ca, signal }: TlsTarget): Promise<Duplex> {
  if (Deno === undefined) throw new TypeError("Cannot open the connection: the runtime is not Deno");
  let open: DenoConnection | undefined;
  const onAbort = () => close(open);
  signal.addEventListener("abort", onAbort, { once: true });
  try {
    open = await Deno.connect({ hostname: address, port });
    signal.throwIfAborted();
    const secure = await Deno.startTls(open, {
      hostname: hostname.replace(/^\[(.*)\]$/, "$1"),
      caCerts: ca === undefined ? [] : [ca],
      alpnProtocols: ["http/1.1"],
    });
    open = secure;
    await secure.handshake();
    signal.throwIfAborted();
    return Duplex.fromWeb({ readable: secure.readable, writable: secure.writable });
  } catch (cause) {
    close(open);
    signal.throwIfAborted();
    throw Object.assign(new Error("Cannot open the connection", { cause }), { code: toCode(cause) });
  } finally {
    signal.removeEventListener("abort", onAbort);
  }
}

function close(connection: DenoConnection | undefined): void {
  try {
    connection?.close();
  } catch {
    // It is closed already: a handshake that fails closes the connection.
  }
}

function toCode(error: unknown): string | undefined {
  if (!(error instanceof Error)) return undefined;
  if (error.name === "ConnectionRefused") return "ECONNREFUSED";
  return /certificate|tls/i.test(error.message) ? "ERR_TLS_CERT_INVALID" : undefined;
}

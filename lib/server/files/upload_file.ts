import { ownerOf } from "../../access/owner.ts";
import { ApiError } from "../../base/errors.ts";
import type { StoredFile } from "../../durable/file_store.ts";
import type { Contents } from "../../durable/contents/contents.ts";
import type { QuotaLeft } from "../../durable/usage.ts";
import type { ContentWriter } from "../../runtime/content_files.ts";
import { readPieces } from "../body/body_pieces.ts";
import type { FileServices } from "../context.ts";
import type { RoutedCall } from "../routing/routed_call.ts";
import { requireFiles } from "./find_file.ts";
import { toFileView } from "./file_view.ts";
import { type FormEvent, FormParser } from "./multipart.ts";
import { toMimeType } from "./mime_type.ts";

/** Maximum size of a file. Source: https://platform.claude.com/docs/en/build-with-claude/files */
const MAX_MIB = 500;

/** Room in the body for what is not the file, in MiB. */
const FORM_MIB = 1;

/** Maximum size of a field beside the file, in bytes. */
const MAX_FIELD_BYTES = 1024;

/** Maximum time that a file can be kept for, in seconds: ten years. */
const MAX_EXPIRY_S = 10 * 365 * 24 * 60 * 60;

/**
 * Answers `POST /v1/files`: a form with the part `file` and, if it is to expire, `expires_in_seconds`. The file is
 * stored while it arrives.
 *
 * @throws {ApiError} `invalid_request_error` if the form has no file with a valid name, or if the quota of the key is
 * used up; `request_too_large` past 500 MiB.
 */
export async function uploadFile(call: RoutedCall): Promise<Response> {
  const { gateway, requestLog: { caller } } = call;
  const files = requireFiles(gateway);
  const release = await gateway.limits.admitTokenCount(caller);
  try {
    return Response.json(toFileView(await receiveFile(call, files)));
  } finally {
    release();
  }
}

async function receiveFile(
  { request, gateway, requestLog: { caller } }: RoutedCall,
  { store, contents, usage }: FileServices,
): Promise<Omit<StoredFile, "number">> {
  const owner = await ownerOf(caller);
  const id = gateway.newId("file_");
  const form = new UploadForm(() => contents.create(id), await usage.left(owner));
  try {
    const parser = new FormParser(readBoundary(request));
    for await (const piece of readPieces(request, { ...gateway, maxMiB: MAX_MIB + FORM_MIB })) {
      for (const event of parser.push(piece)) await form.add(event);
    }
    parser.end();
    const { expiresInS, ...upload } = form.result();
    await form.finish();
    const createdAt = gateway.clock.now();
    const expiresAt = expiresInS === undefined ? undefined : createdAt + expiresInS * 1000;
    const file = { id, ...upload, createdAt, expiresAt };
    await store.add(owner, file);
    return file;
  } catch (error) {
    await form.discard();
    await contents.remove(id);
    throw error;
  }
}

function readBoundary({ headers }: Request): string {
  const [, quoted, plain] =
    /;\s*boundary\s*=\s*(?:"([^"]*)"|([^\s;]+))/i.exec(headers.get("content-type") ?? "") ?? [];
  const boundary = quoted ?? plain ?? "";
  if (/^[ -~]{1,200}$/.test(boundary)) return boundary;
  throw new ApiError("invalid_request_error", "Cannot read the form: content-type has no boundary");
}

interface UploadResult {
  filename: string;
  mimeType: string;
  sizeBytes: number;
  expiresInS: number | undefined;
}

/** The parts of an upload. The content of the file goes to the store. */
class UploadForm {
  readonly #create: () => ReturnType<Contents["create"]>;
  readonly #quota: QuotaLeft;
  #writer: ContentWriter | undefined;
  #file: { filename: string; mimeType: string } | undefined;
  #sizeBytes = 0;
  #field: { name: string; text: string } | undefined;
  #inFile = false;
  #expiresInS: number | undefined;

  constructor(create: () => ReturnType<Contents["create"]>, quota: QuotaLeft) {
    this.#create = create;
    this.#quota = quota;
  }

  async add(event: FormEvent): Promise<void> {
    switch (event.type) {
      case "start":
        return await this.#start(event);
      case "data":
        return this.#inFile ? await this.#write(event.bytes) : this.#addText(event.bytes);
      case "end":
        this.#end();
    }
  }

  /** Returns what was uploaded. @throws {ApiError} if there was no file. */
  result(): UploadResult {
    if (this.#file === undefined) throw new ApiError("invalid_request_error", "file: Field required");
    return { ...this.#file, sizeBytes: this.#sizeBytes, expiresInS: this.#expiresInS };
  }

  async finish(): Promise<void> {
    await this.#writer?.finish();
  }

  async discard(): Promise<void> {
    await this.#writer?.discard();
  }

  async #start({ name, filename, contentType }: FormEvent & { type: "start" }): Promise<void> {
    if (name !== "file") {
      if (name !== "expires_in_seconds") {
        throw new ApiError("invalid_request_error", `${name.slice(0, 100)}: Extra inputs are not permitted`);
      }
      this.#field = { name, text: "" };
      return;
    }
    if (this.#file !== undefined) {
      throw new ApiError("invalid_request_error", "file: Only one file is permitted");
    }
    if (filename === undefined || !isFilename(filename)) {
      throw new ApiError(
        "invalid_request_error",
        'file: Filename should have 1 to 255 characters, without < > : " | ? * \\ / and control characters',
      );
    }
    this.#file = { filename, mimeType: toMimeType(contentType, filename) };
    this.#writer = await this.#create();
    this.#inFile = true;
  }

  async #write(bytes: Uint8Array): Promise<void> {
    this.#sizeBytes += bytes.byteLength;
    if (this.#sizeBytes > MAX_MIB * 1024 * 1024) {
      throw new ApiError("request_too_large", `File exceeds the maximum size of ${MAX_MIB} MiB`);
    }
    this.#quota.check(this.#sizeBytes);
    await this.#writer?.write(bytes);
  }

  #addText(bytes: Uint8Array): void {
    if (this.#field === undefined) return;
    this.#field.text += new TextDecoder().decode(bytes);
    if (this.#field.text.length > MAX_FIELD_BYTES) {
      throw new ApiError("invalid_request_error", `${this.#field.name}: Input is too long`);
    }
  }

  #end(): void {
    this.#inFile = false;
    if (this.#field === undefined) return;
    const seconds = Number(this.#field.text);
    if (!Number.isInteger(seconds) || seconds < 1 || seconds > MAX_EXPIRY_S) {
      throw new ApiError(
        "invalid_request_error",
        `expires_in_seconds: Input should be a valid integer from 1 to ${MAX_EXPIRY_S}`,
      );
    }
    this.#expiresInS = seconds;
    this.#field = undefined;
  }
}

function isFilename(name: string): boolean {
  return name.length <= 255 && /^[^<>:"|?*\\/\p{Cc}]+$/u.test(name) && !/^\.{1,2}$/.test(name);
}

import type { Caller } from "../../access/caller.ts";
import { ownerOf } from "../../access/owner.ts";
import type { Content, ContentBlock, Message } from "../../anthropic/schema.ts";
import { toBase64 } from "../../base/encoding/base64.ts";
import { markPlain } from "../../base/encoding/plain_text.ts";
import { ApiError } from "../../base/errors.ts";
import { isObject, type JsonObject } from "../../base/json.ts";
import type { BodyCount } from "../../limits/body_meter.ts";
import type { StoredFile } from "../../durable/file_store.ts";
import type { FileServices, GatewayContext } from "../context.ts";
import { notFoundError, requireFile } from "./find_file.ts";

/** Maximum size of the files of one request, in bytes: that of a request which contains them. */
const MAX_BYTES = 32 * 1024 * 1024;

/** Options of {@linkcode resolveFiles}. */
export interface ResolveOptions {
  gateway: GatewayContext;
  caller: Caller;
  /** Counts the content of the files as a part of the request's body. */
  count: BodyCount;
  /** True if the upstream keeps files itself: ids that the gateway does not know are left to it. */
  leavesUnknown: boolean;
}

/**
 * Replaces the sources of images and documents that name a file of the gateway by its content, which every upstream
 * accepts. Without a store, or without such sources, the request is returned unchanged.
 *
 * @throws {ApiError} `not_found_error` if the caller's key has no such file; `invalid_request_error` if its type does
 * not fit the block; `request_too_large` if the files have more than 32 MiB; the error of the count if too much is in
 * memory.
 */
export async function resolveFiles<Request extends { messages: Message[] }>(
  request: Request,
  { gateway, caller, count, leavesUnknown }: ResolveOptions,
): Promise<Request> {
  if (gateway.files === undefined || !request.messages.some(({ content }) => hasFile(content))) {
    return request;
  }
  const resolver = new FileResolver(gateway.files, {
    owner: await ownerOf(caller),
    now: gateway.clock.now(),
    count,
    leavesUnknown,
  });
  const messages: Message[] = [];
  for (const [at, message] of request.messages.entries()) {
    messages.push({ ...message, content: await resolver.content(message.content, `messages.${at}`) });
  }
  return { ...request, messages };
}

function hasFile(content: unknown): boolean {
  return Array.isArray(content) && content.some((block) => {
    if (!isObject(block)) return false;
    const { source } = block;
    return (isObject(source) && (source.type === "file" || hasFile(source.content))) ||
      hasFile(block.content);
  });
}

interface FileResolverOptions extends Pick<ResolveOptions, "count" | "leavesUnknown"> {
  owner: string;
  now: number;
}

class FileResolver {
  readonly #files: FileServices;
  readonly #options: FileResolverOptions;
  #bytes = 0;

  constructor(files: FileServices, options: FileResolverOptions) {
    this.#files = files;
    this.#options = options;
  }

  async content(content: Content, path: string): Promise<Content> {
    if (!hasFile(content) || typeof content === "string") return content;
    const blocks: ContentBlock[] = [];
    for (const [at, block] of content.entries()) {
      blocks.push(await this.#block(block, `${path}.content.${at}`));
    }
    return blocks;
  }

  async #block(block: ContentBlock, path: string): Promise<ContentBlock> {
    switch (block.type) {
      case "image":
      case "document": {
        const { source } = block;
        if (source.type === "file") {
          const resolved = await this.#source(block.type, String(source.file_id), path);
          return resolved === undefined ? block : { ...block, source: resolved } as ContentBlock;
        }
        if (source.type !== "content") return block;
        const content = await this.content(source.content, `${path}.source`);
        return { ...block, source: { ...source, content } } as ContentBlock;
      }
      case "tool_result":
        return block.content ? { ...block, content: await this.content(block.content, path) } : block;
      default:
        return block;
    }
  }

  /** Returns the source with the content of a file, or `undefined` if the upstream may know the id. */
  async #source(kind: "image" | "document", id: string, path: string): Promise<JsonObject | undefined> {
    const { owner, now, count, leavesUnknown } = this.#options;
    const { store, contents } = this.#files;
    if (leavesUnknown && await store.find(owner, id) === undefined) return undefined;
    const file = await requireFile(store, { owner, id, now });
    const type = toSourceType(kind, file);
    if (type === undefined) {
      throw new ApiError(
        "invalid_request_error",
        `${path}.${kind}.source.file_id: Cannot use the file as ${
          kind === "image" ? "an image" : "a document"
        }: its type is ${file.mimeType}`,
      );
    }
    this.#bytes += file.sizeBytes;
    if (this.#bytes > MAX_BYTES) {
      throw new ApiError("request_too_large", "The files of the request exceed the maximum size of 32 MiB");
    }
    count.add(file.sizeBytes);
    const bytes = await contents.read(id, file.sizeBytes);
    if (bytes === undefined) throw notFoundError(id); // deleted meanwhile
    if (type === "text") {
      return { type, media_type: "text/plain", data: decodeText(bytes, `${path}.${kind}.source.file_id`) };
    }
    return markPlain({ type, media_type: file.mimeType, data: toBase64(bytes) }, "data");
  }
}

/** Returns the type of the source that a file becomes, or `undefined` if it does not fit. */
function toSourceType(kind: "image" | "document", { mimeType }: StoredFile): "base64" | "text" | undefined {
  if (kind === "image") return /^image\/(png|jpeg|gif|webp)$/.test(mimeType) ? "base64" : undefined;
  if (mimeType === "application/pdf") return "base64";
  return /^text\/|^application\/([\w.-]+\+)?(json|xml|yaml|x-yaml)$/.test(mimeType) ? "text" : undefined;
}

function decodeText(bytes: Uint8Array, path: string): string {
  try {
    return new TextDecoder("utf-8", { fatal: true }).decode(bytes);
  } catch (cause) {
    const message = `${path}: Cannot use the file as a document: its text is not valid UTF-8`;
    throw new ApiError("invalid_request_error", message, { cause });
  }
}

import type { StoredFile } from "../../durable/file_store.ts";

/** Converts a file to Anthropic's format. Source: https://platform.claude.com/docs/en/api/files-metadata */
export function toFileView(
  { id, filename, mimeType, sizeBytes, createdAt, expiresAt }: Omit<StoredFile, "number">,
): object {
  return {
    id,
    type: "file",
    filename,
    mime_type: mimeType,
    size_bytes: sizeBytes,
    created_at: new Date(createdAt).toISOString(),
    downloadable: true,
    expires_at: expiresAt === undefined ? null : new Date(expiresAt).toISOString(),
  };
}

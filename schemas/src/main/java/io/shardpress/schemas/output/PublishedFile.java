package io.shardpress.schemas.output;

/**
 * A file of a finished checkpoint.
 *
 * @param path below the checkpoint's folder, with {@code /} between names
 * @param size bytes
 * @param sha256 of its bytes, lower-case hex
 */
public record PublishedFile(String path, long size, String sha256) {}

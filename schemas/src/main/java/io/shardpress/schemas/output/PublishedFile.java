package io.shardpress.schemas.output;

import java.util.Arrays;

/**
 * A file of a finished checkpoint.
 *
 * @param path below the checkpoint's folder, with {@code /} between names
 * @param size bytes
 * @param sha256 of its bytes, lower-case hex
 */
public record PublishedFile(String path, long size, String sha256) {
  /** Whether the path stays below the folder: manifests come from outside. */
  boolean below() {
    return path != null
        && !path.contains("\\")
        && !path.contains(":")
        && Arrays.stream(path.split("/", -1))
            .noneMatch(name -> name.isEmpty() || name.equals(".") || name.equals(".."));
  }
}

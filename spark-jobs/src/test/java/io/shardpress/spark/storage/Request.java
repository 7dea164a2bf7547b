package io.shardpress.spark.storage;

import java.util.List;

/**
 * A request's head.
 *
 * @param target path and query
 * @param headers lines, in lower case
 */
record Request(String method, String target, List<String> headers) {
  boolean has(String headerName) {
    return headers.stream().anyMatch(line -> line.startsWith(headerName + ":"));
  }

  /** Bytes of the range that is asked for; 0 without one. */
  long rangeLength() {
    for (String line : headers) {
      if (line.startsWith("range: bytes=")) {
        String[] ends = line.substring(13).strip().split("-");
        return Long.parseLong(ends[1]) - Long.parseLong(ends[0]) + 1;
      }
    }
    return 0;
  }

  long contentLength() {
    return headers.stream()
        .filter(line -> line.startsWith("content-length:"))
        .mapToLong(line -> Long.parseLong(line.substring(15).strip()))
        .findFirst()
        .orElse(0);
  }
}

package io.shardpress.spark.storage;

import java.util.List;

/**
 * How often what goes wrong.
 *
 * @param errors share of requests that are answered with 500 or 503
 * @param cuts share of GETs whose body ends early
 * @param denied paths that begin so may not be written
 */
record Faults(double errors, double cuts, String denied, long seed) {
  static final Faults NONE = new Faults(0, 0, "", 0);

  boolean denies(Request request) {
    return !denied.isEmpty()
        && request.target().startsWith(denied)
        && List.of("PUT", "POST", "DELETE").contains(request.method());
  }
}

package io.shardpress.spark.app.options;

/** How {@code evaluate} rounds keys and values of a checkpoint with a kv_cache_scheme. */
public enum CacheRounding {
  /** By k_scale and v_scale after the rotation, as runtimes do. */
  RUNTIME,
  /** Each token by its own range before the rotation, as LRQ's paper measured. */
  PUBLISHED
}
